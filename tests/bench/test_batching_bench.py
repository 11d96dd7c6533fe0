"""The cases of the board: what they count is what went over the bus, and all ways of running give the same draws."""

from __future__ import annotations

import numpy as np
import pytest

from ebmhw import get_backend
from ebmhw.bench import board
from ebmhw.errors import BackendUnavailable


@pytest.mark.parametrize("programs", [1, 10])
def test_the_queue_is_what_it_says(programs: int) -> None:
    runs = board.queue(programs)
    assert len(runs) == board.RUNS and len({program.digest for program, _, _ in runs}) == programs
    assert {(program.n, schedule.total_sweeps, options["reads"]) for program, schedule, options in runs} == {(board.SPINS, board.SWEEPS, board.READS)}


def test_traffic_is_counted_and_draws_are_the_same() -> None:
    import os

    try:
        backend, traffic = board.counted_backend()
    except BackendUnavailable as error:
        if os.environ.get("EBMHW_REQUIRE_RTL"):
            raise
        pytest.skip(str(error))
    runs = board.queue(2)[:6]
    backend.run(runs[0][0], runs[0][1], seed=0, reads=1000)
    assert traffic.exchanges >= 1 and traffic.accesses > 0
    traffic.clear()
    board.one_by_one(backend, runs)
    # The program changes with every run but the first.
    assert (traffic.exchanges, traffic.accesses) == (6, 0)
    alone = traffic.bytes
    traffic.clear()
    draws = backend.run_many(runs)
    assert 1 <= traffic.exchanges < 6 and traffic.accesses == 0 and 0 < traffic.bytes < alone
    for (program, schedule, options), got in zip(runs, draws, strict=True):
        wanted = get_backend("cpu").run(program, schedule, **options)
        assert np.array_equal(got.spins, wanted.spins) and np.array_equal(got.energy, wanted.energy)
