"""The test benches: cocotb modules (`bench_*.py`), run under pytest (`test_*.py`), and the kit that they share."""
