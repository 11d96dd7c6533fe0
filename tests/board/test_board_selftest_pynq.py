"""The self-test and the figures over the board's own driver and the real pynq, on a simulated board."""

from __future__ import annotations

from pathlib import Path

from board_pynq import backend

from ebmhw.board.bench import board_bench
from ebmhw.board.selftest import selftest


def test_the_driver_of_the_board_passes(tmp_path: Path) -> None:
    with backend(tmp_path) as (_, made):
        found = selftest(made, programs=2)
        assert found.passed, [row for row in found.rows if not row.passed]
        # Ends of transfers were found by interrupts, none of them lost.
        assert "interrupts_lost 0" in found.rows[-1].detail and found.rows[-1].applies
        assert {row.what for row in found.rows if not row.applies} == {"clock"}
        assert len(board_bench(made, rounds=1)) == 7


def test_a_clock_and_a_build_that_are_not_as_they_should_be(tmp_path: Path) -> None:
    with backend(tmp_path) as (_, made):
        found = selftest(made, only="clock", clock_mhz=1.0, row_seconds=30)
        assert not found.passed and "the bitstream was built for 1:" in found.rows[0].detail
        assert "the device tree and the manifest say 0x00000001" in selftest(made, only="identity", build=1).rows[0].detail
