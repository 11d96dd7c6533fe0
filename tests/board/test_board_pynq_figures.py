"""What crosses between processor and logic for a job and for a batch, counted on the simulated board."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from board_pynq import backend
from conformance import assert_equal_draws

from ebmhw.backends import SamplerBackend, get_backend
from ebmhw.backends.packing import pack_problem
from ebmhw.board.block_design import BLOCKS, INTERRUPT_CONTROLLER
from ebmhw.model import Model
from ebmhw.schedule import Schedule

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning:pynq")

CORE = BLOCKS[0]
RING = Model(60, None, {tuple(sorted((i, (i + 1) % 60))): 1 for i in range(60)}).compile()
SCHEDULE = Schedule.constant(0.5, 20)
PACKET_BYTES = pack_problem(RING, np.zeros(0, dtype=np.int32), 4, 1024, "x").packet(1).nbytes


@pytest.fixture
def small(tmp_path: Path) -> Iterator[tuple[Any, SamplerBackend]]:
    # In line, so that the end of a transfer is seen at the first look.
    with backend(tmp_path, threaded=False) as made:
        yield made


def counted(board: Any) -> dict[str, int]:
    told: dict[str, int] = board.counters.summary()
    board.counters.clear()
    return told


def test_a_job_is_one_transfer_each_way(small: tuple[Any, SamplerBackend]) -> None:
    board, made = small
    counted(board)
    made.run(RING, SCHEDULE, reads=4, seed=1)
    cold = counted(board)
    made.run(RING, SCHEDULE, reads=4, seed=2)
    kept = counted(board)
    for told in (cold, kept):
        assert (told["transfers_out"], told["transfers_back"]) == (1, 1)
        # Caches: exactly what crosses, one answer.
        assert told["invalidates"] == 1 and told["invalidated"] == told["bytes_back"]
    assert kept["flushes"] == 1 and kept["flushed"] == kept["bytes_out"] and not kept["allocations"]
    # The problem is sent once: afterwards its packet is missing, and what answers it (three beats).
    assert cold["bytes_out"] - kept["bytes_out"] == PACKET_BYTES
    assert cold["bytes_back"] - kept["bytes_back"] == 24
    # Registers of the engine and of the interrupt controller only: the unit's own are not looked at where all goes well.
    assert kept["register_reads"] <= 8 and kept["register_writes"] <= 12
    made.run(RING, SCHEDULE, reads=4, seed=3)
    assert {cell for cell, _ in (*board.counters.reads, *board.counters.writes)} <= {CORE.dma, INTERRUPT_CONTROLLER}
    assert counted(board) == kept


def test_a_hundred_jobs_share_exchanges(small: tuple[Any, SamplerBackend]) -> None:
    board, made = small
    runs = [(RING, SCHEDULE, {"reads": 4, "seed": seed}) for seed in range(100)]
    made.run(*runs[0][:2], **runs[0][2])
    counted(board)
    alone = {}
    for program, schedule, arguments in runs[:10]:
        made.run(program, schedule, **arguments)
    alone = counted(board)
    draws = made.run_many(runs)
    together = counted(board)
    judge = get_backend("cpu")
    for (program, schedule, arguments), got in zip(runs, draws, strict=True):
        assert_equal_draws(got, judge.run(program, schedule, **arguments))
    # The same bytes, in fewer transfers and far fewer accesses.
    assert (together["bytes_out"], together["bytes_back"]) == (10 * alone["bytes_out"], 10 * alone["bytes_back"])
    assert together["transfers_out"] == together["transfers_back"] <= 34
    assert together["register_reads"] + together["register_writes"] < 5 * (alone["register_reads"] + alone["register_writes"])


def test_two_problems_in_turn_are_sent_each_time(small: tuple[Any, SamplerBackend]) -> None:
    board, made = small
    other = Model(40, None, {(i, (i + 7) % 40): 3 for i in range(33)}).compile()
    sizes = []
    for program in (RING, other, RING, other, other):
        made.run(program, SCHEDULE, reads=4, seed=1)
        sizes.append(counted(board)["bytes_out"])
    assert sizes[0] == sizes[2] > PACKET_BYTES and sizes[1] == sizes[3] > sizes[4]


def test_an_open_board_reads_what_it_is_once(small: tuple[Any, SamplerBackend]) -> None:
    board, _ = small
    for block in BLOCKS:
        assert board.counters.reads[block.cell, "map_hash"] == 1
        assert board.counters.writes[block.cell, "control"] == 1
    assert not board.counters.transfers


def test_phi_is_one_transfer_each_way(small: tuple[Any, SamplerBackend]) -> None:
    board, made = small
    logits = np.random.default_rng(1).normal(0, 3, (30, 64)).astype(np.float16)
    made.phi(logits)
    counted(board)
    found = made.phi(logits)
    told = counted(board)
    assert (told["transfers_out"], told["transfers_back"]) == (found.info["exchanges"],) * 2 == (1, 1)
    # 64 entries of 16 bits and a header a row.
    assert 30 * 64 * 2 < told["bytes_out"] <= 30 * (64 * 2 + 64)
