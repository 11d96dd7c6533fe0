"""The phi unit for Vitis HLS: C++ sources, and the headers that the contract makes for them."""
