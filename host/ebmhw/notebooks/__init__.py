"""Notebooks for the board; ``pynq get-notebooks ebmhw`` copies them, and they run anywhere with EBMHW_BACKEND=simulated or cpu."""
