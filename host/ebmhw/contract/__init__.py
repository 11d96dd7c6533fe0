"""What host, golden model and hardware must agree on, written once.

Constants and number formats (`formats`), the decision tables (`tables`), the random streams (`stream`), and the
machinery for register maps (`registers`) and packets (`packets`) with what both check (`checks`). Standard library only,
so that the hardware description can import it without the rest of the host package.
"""
