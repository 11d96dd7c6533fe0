"""The counts that expected times are sums of: against what kernels and cores are really given, and monotone."""

from __future__ import annotations

import ctypes
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from auto_boards import model_board
from conformance import cases, programs
from cores import Meddler, ModelBackend, model
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.backends.auto.cost import PARTS, PhiWork, ProgramLoad, RunWork
from ebmhw.backends.identity import CoreShape
from ebmhw.backends.packing import pack_problem
from ebmhw.model import Model
from ebmhw.native.encoded import EncodedProgram
from ebmhw.native.library import RowStruct
from ebmhw.program import Program
from ebmhw.schedule import Schedule
from sim.core_model import ModelBus  # noqa: TID251  # tests are no part of the host

NONE = np.zeros(0, dtype=np.int32)


@settings(max_examples=60)
@given(programs(), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_sizes_of_packed_programs_are_those_of_packing(made: Any, slots: int, seed: int) -> None:
    program: Program = made[0]
    random = np.random.default_rng(seed)
    clamped = np.sort(random.choice(program.n, int(random.integers(0, program.n)), replace=False)).astype(np.int32)
    expected = pack_problem(program, clamped, slots, 2**30, "none")
    got = ProgramLoad(program).packed(clamped, slots)
    for name in ("n", "rows_executed", "beats", "beats_executed", "packet_beats"):
        assert getattr(got, name) == getattr(expected, name), name


@settings(max_examples=60)
@given(programs(), st.integers(0, 2**32 - 1))
def test_kinds_of_rows_are_those_of_the_kernel(made: Any, seed: int) -> None:
    program: Program = made[0]
    random = np.random.default_rng(seed)
    clamped = np.sort(random.choice(program.n, int(random.integers(0, program.n)), replace=False)).astype(np.int32)
    encoded = EncodedProgram(program, clamped)
    rows = (RowStruct * max(1, encoded.struct.rows)).from_address(encoded.struct.row)[: encoded.struct.rows]
    byte = [row for row in rows if row.kind == 0]
    counts = ProgramLoad(program).executed(clamped)
    assert counts["rows"] == len(rows)
    assert counts["weighted reads"] == sum(row.weighted for row in byte)
    # Groups of four, the last one padded.
    assert 0 <= 4 * sum(row.singles for row in byte) - counts["unit reads"] <= 3 * len(byte)
    assert counts["wide rows"] == len(rows) - sum(row.reach <= 31 for row in byte)
    assert ctypes.sizeof(RowStruct) % 4 == 0


def shape_of(**size: int) -> CoreShape:
    return model_board(**size).drivers[0].shape


@settings(max_examples=40)
@given(cases(20, 40, 8, 8))
def test_bytes_on_the_bus_are_as_counted(case: Any) -> None:
    bus, moved = Meddler(ModelBus(model(lanes=8, slots=4))), [0]

    def note(beats: Any) -> Any:
        moved[0] += beats.size
        return beats

    bus.jobs = bus.answer = note
    board = ModelBackend(bus)
    draws = board.run(case.program, case.schedule, **case.options)
    options = case.options
    clamped = np.array(sorted(options.get("clamps") or ()), dtype=np.int32)
    kept = 0 if draws.kept is None else draws.kept.shape[1]
    entries = len({*case.words})
    work = RunWork(ProgramLoad(case.program), clamped, options["reads"], draws.sweeps, entries, kept, options["rule"])
    counts = work.on_board(board.drivers[0].shape, 1, 0.0, fresh=True, loads=True, exchanges=draws.info["exchanges"])
    # States and random words go along only where they are given; the cost counts them always. Several parts of a run send entries anew.
    assert 0.5 * counts["bytes"] <= 8 * moved[0] <= 1.2 * counts["bytes"]


def program_of(seed: int, n: int, degree: int, order: int) -> Program:
    random = np.random.default_rng(seed)
    spins = np.sort(random.integers(0, n, (n * degree, order)), axis=1)
    spins = np.unique(spins[(np.diff(spins, axis=1) > 0).all(axis=1)], axis=0)
    return Model.from_arrays(n, None, {order: (spins, random.choice([-3, -1, 1], len(spins)))} if spins.size else {}).compile()


@settings(max_examples=100)
@given(
    st.builds(program_of, st.integers(0, 999), st.integers(4, 60), st.integers(1, 8), st.integers(2, 3)),
    st.sampled_from(["gibbs", "metropolis"]),
    st.lists(st.integers(2, 5000), min_size=2, max_size=6),
    st.lists(st.integers(1, 10**7), min_size=2, max_size=6),
    st.booleans(),
    st.integers(1, 5),
)
def test_more_reads_and_sweeps_never_take_less(program: Program, rule: str, reads: list[int], sweeps: list[int], ramp: bool, units: int) -> None:
    load, shape = ProgramLoad(program), shape_of()

    def both(count: int, length: int) -> list[dict[str, float]]:
        work = RunWork(load, NONE, count, length, length if ramp else 1, length // 10, rule)
        return [work.on_cpu(units, fresh=True), work.on_board(shape, units, 1e-8, fresh=True, loads=True)]

    for order in ([both(count, 100) for count in sorted(reads)], [both(7, length) for length in sorted(sweeps)]):
        for side in range(2):
            for less, more in pairwise(order):
                assert all(less[side][name] <= more[side][name] * (1 + 1e-12) for name in less[side])


@given(st.integers(1, 10**5), st.integers(1, 10**5), st.integers(1, 2**17), st.integers(1, 8), st.sampled_from(["float16", "float32"]))
def test_more_rows_never_take_less(less: int, more: int, entries: int, units: int, form: str) -> None:
    less, more = sorted((less, more))
    for few, many in zip(*(_both(rows, entries, units, form) for rows in (less, more)), strict=True):
        # Other threads join from some number of entries on.
        assert all(few[name] <= many[name] * (units if few.keys() == PARTS["cpu phi"].keys() else 1) * (1 + 1e-12) for name in few)


def _both(rows: int, entries: int, units: int, form: str) -> list[dict[str, float]]:
    work = PhiWork(rows, entries, form)
    return [work.on_cpu(units), work.on_board((entries // 4 + 10, entries // 8 + 9), units, 1e-8)]


def test_counts_are_those_that_are_named() -> None:
    work = RunWork(ProgramLoad(program_of(1, 9, 3, 2)), NONE, 3, 4, 4, 0, "gibbs")
    assert work.on_cpu(2, fresh=True).keys() == PARTS["cpu run"].keys()
    assert work.on_board(shape_of(), 1, 0.0, fresh=True, loads=True).keys() == PARTS["board run"].keys()
    logits = PhiWork(3, 9, "float32")
    assert logits.on_cpu(2).keys() == PARTS["cpu phi"].keys() and logits.on_board((3, 9), 1, 0.0).keys() == PARTS["board phi"].keys()


def test_groups_are_what_a_thread_has_most_of() -> None:
    load = ProgramLoad(program_of(1, 9, 3, 2))
    counts = [RunWork(load, NONE, reads, 10, 1, 0, "gibbs").on_cpu(4, fresh=False)["gibbs rows"] for reads in (2, 32, 128, 129, 256, 257)]
    assert counts == [90.0, 90.0, 90.0, 180.0, 180.0, 270.0]
    single = RunWork(load, NONE, 1, 10, 1, 0, "gibbs").on_cpu(4, fresh=False)
    assert single["single gibbs rows"] == 90.0 and single["gibbs rows"] == 0.0
    cubic = RunWork(ProgramLoad(program_of(1, 9, 3, 3)), NONE, 1, 10, 1, 0, "gibbs").on_cpu(4, fresh=False)
    assert cubic["single gibbs rows"] == 0.0 and cubic["gibbs rows"] == 90.0


@pytest.mark.parametrize(("sweeps", "reads"), [(10, 8), (150, 8), (40, 40), (7, 90)])
def test_exchanges_are_about_as_many_as_are_made(sweeps: int, reads: int) -> None:
    # Jobs hold 31 sweeps, which are fewer than an exchange would have time for.
    board = model_board(schedule_max=64, sweep_bits=5)
    program = program_of(5, 6, 2, 2)
    draws = board.run(program, Schedule.constant(0.2, sweeps), reads=reads, seed=1)
    work = RunWork(ProgramLoad(program), NONE, reads, sweeps, 1, 0, "gibbs")
    counts = work.on_board(board.drivers[0].shape, 1, 1 / board._cores.rate, fresh=True, loads=True)
    assert counts["exchanges"] / 3 <= draws.info["exchanges"] <= 3 * counts["exchanges"] + 2
