"""What host, golden model and hardware must agree on, written once.

Of the Ising sampler: constants and number formats (`formats`), decision tables (`tables`), random streams (`stream`), registers and packets
(`ising_core`). Of the phi unit: constants (`phi_formats`), tables (`phi_tables`), registers and packets (`phi_unit`). Of both: which units a design
has and where (`design`), what generated RTL was made from (`sources`), and the machinery for register maps (`registers`) and packets (`packets`)
with what both check (`checks`). Standard library only, so that the hardware description can import it without the rest of the host package.
"""
