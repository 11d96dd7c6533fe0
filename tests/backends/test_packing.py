"""Packets made with NumPy are those that the layouts make, bit for bit; programs are packed as the core reads them."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from conformance import programs
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.backends.codec import PacketCodec
from ebmhw.backends.packing import (
    PackedProblem,
    bits_of_words,
    numbers_of_planes,
    pack_problem,
    states_of_words,
    words_of_states,
)
from ebmhw.contract.ising_core import JOBS, RESULTS
from ebmhw.contract.packets import PacketField, PacketLayout
from ebmhw.errors import ContractError, DoesNotFit
from ebmhw.model import Model
from ebmhw.problems import Formula
from ebmhw.program import Program

LAYOUTS = [*JOBS.layouts, *RESULTS.layouts]


# --- packets


def number(draw: st.DrawFn, field: PacketField) -> int:
    return draw(st.one_of(st.sampled_from([field.low, field.high, 0]), st.integers(field.low, field.high)))


@st.composite
def packets(draw: st.DrawFn) -> tuple[PacketLayout, dict[str, Any]]:
    """A layout and random values for it, counts left out."""
    layout = draw(st.sampled_from(LAYOUTS))
    lengths: dict[str, int] = {}
    values: dict[str, Any] = {}
    for section in layout.sections:
        length = lengths.setdefault(section.count_field, draw(st.integers(0, 5)))
        values[section.name] = [{field.name: number(draw, field) for field in section.fields} for _ in range(length)]
    for field in layout.fields:
        if field.name not in lengths:
            values[field.name] = number(draw, field)
    return layout, values


def columns(layout: PacketLayout, values: dict[str, Any]) -> dict[str, dict[str, np.ndarray]]:
    sections = {}
    for section in layout.sections:
        kinds = {field.name: np.uint64 if field.bits > 32 else np.int64 for field in section.fields}
        sections[section.name] = {name: np.array([entry[name] for entry in values[section.name]], dtype=kind) for name, kind in kinds.items()}
    return sections


@given(packets())
def test_packets_are_those_of_the_layouts(packet: tuple[PacketLayout, dict[str, Any]]) -> None:
    layout, values = packet
    codec = PacketCodec(layout)
    section_names = {section.name for section in layout.sections}
    fields = {name: value for name, value in values.items() if name not in section_names}
    beats = codec.encode(fields, columns(layout, values))
    expected = layout.encode(values)
    assert beats.dtype == np.uint64 and beats.tobytes() == expected
    decoded, sections = codec.decode(beats)
    whole = layout.decode(expected)
    assert {name: whole[name] for name in fields} == {name: decoded[name] for name in fields}
    for section in layout.sections:
        names = [field.name for field in section.fields]
        rows = zip(*(sections[section.name][name].tolist() for name in names), strict=True)
        assert [dict(zip(names, row, strict=True)) for row in rows] == whole[section.name]
    counts = {section.count_field: len(values[section.name]) for section in layout.sections}
    assert codec.beats(**counts) == beats.size


def test_a_packet_of_another_length_is_refused() -> None:
    codec = PacketCodec(RESULTS.layout("sample"))
    beats = codec.encode({"job_id": 1, "sweep": 2, "lanes": 3}, {"state": {"lanes": np.zeros(4, dtype=np.uint64)}})
    with pytest.raises(ContractError, match="packet 'sample' has 12 words, but its counts make 14; pass a whole packet"):
        codec.decode(beats[:-1])
    with pytest.raises(ContractError, match="packet 'sample' has 4 words, its fields alone take 6; pass a whole packet"):
        codec.decode(beats[:2])


# --- programs


def by_hand(program: Program, rows: list[Any], clamped: set[int], slots: int, job_id: int, program_id: int) -> bytes:
    """Return the problem packet of rows, made one slot at a time by `PacketLayout`."""
    ordered = [row for row in rows if row[0] not in clamped] + [row for row in rows if row[0] in clamped]
    row_entries, slot_entries = [], []
    for spin, bias, terms in ordered:
        own: list[dict[str, int]] = []
        for weight, others in terms:
            for k, other in enumerate(others):
                last = k == len(others) - 1
                own.append({"spin": other, "coupling": weight if last else 0, "chain": 0 if last else 1})
        while not own or len(own) % slots:
            own.append({"spin": spin, "coupling": 0, "chain": 0})
        row_entries.append({"spin": spin, "bias": bias, "beats": len(own) // slots})
        slot_entries += own
    values = {"rows_executed": program.n - len(clamped), "slots_per_beat": slots, "row": row_entries, "slot": slot_entries}
    return JOBS.layout("problem").encode({"job_id": job_id, "program_id": program_id, **values})


def check(program: Program, clamped: list[int], slots: int) -> PackedProblem:
    packed = pack_problem(program, np.array(clamped, dtype=np.int32), slots, 2**20, "a core")
    # The terms of a row come in the order of the program.
    rows = list(program.rows)
    assert packed.packet(7).tobytes() == by_hand(program, rows, set(clamped), slots, 7, packed.program_id)
    beats = [max(1, -(-sum(len(others) for _, others in terms) // slots)) for _, _, terms in rows]
    free = [k for k, row in enumerate(rows) if row[0] not in clamped]
    assert (packed.beats, packed.beats_executed) == (sum(beats), sum(beats[k] for k in free))
    assert packed.rows_executed == len(free) and packed.n == program.n
    assert packed.order.tolist() == [rows[k][0] for k in free] + [row[0] for row in rows if row[0] in clamped]
    assert packed.energy_of_plus == int(program.energy(np.ones(program.n, dtype=np.int8)))
    assert packed.program_id == int(packed.digest[:8], 16) and packed.packet_beats == packed.packet(1).size
    return packed


@given(programs(most_bits=8), st.sampled_from([2, 4, 6, 16]), st.data())
def test_programs_are_packed_slot_by_slot(made: tuple[Program, list[Any], str], slots: int, data: st.DataObject) -> None:
    program = made[0]
    clamped = data.draw(st.lists(st.integers(0, program.n - 1), unique=True))
    check(program, sorted(clamped), slots)


@pytest.mark.parametrize("slots", [2, 4, 16])
def test_terms_of_high_order_straddle_beats(slots: int) -> None:
    terms = {tuple(range(k, k + size)): size - 10 for size in (2, 3, 7, 19) for k in (0, 1)}
    packed = check(Model(20, None, terms).compile(), [], slots)
    assert packed.beats > packed.n


def test_empty_rows_take_a_beat() -> None:
    assert check(Model(5).compile(), [1], 4).beats == 5


def test_the_packet_changes_with_its_job_only_in_that_field() -> None:
    packed = check(Model(3, [1, 2, 3], {(0, 1): 4}).compile(), [], 4)
    one, two = packed.packet(1), packed.packet(2**32 - 1)
    assert np.flatnonzero(one != two).tolist() == [1]
    other = check(Model(3, [1, 2, 3], {(0, 1): 5}).compile(), [], 4)
    assert packed.digest != other.digest and packed.program_id != other.program_id


def test_too_many_beats_are_refused_with_the_limit() -> None:
    program = Model(6, None, {(i, j): 1 for i in range(6) for j in range(i)}).compile()
    assert pack_problem(program, np.zeros(0, dtype=np.int32), 2, 18, "x").beats == 18
    with pytest.raises(DoesNotFit, match=r"rows take 18 beats of 2 slots \(30 spin reads\), backend 'x' takes 17; .*get_backend\('cpu'\)"):
        pack_problem(program, np.zeros(0, dtype=np.int32), 2, 17, "x")


def test_a_large_formula_is_packed_in_no_time() -> None:
    program = Formula.random(5000, 4.2, seed=1).model.compile()
    began = time.process_time()
    packed = pack_problem(program, np.zeros(0, dtype=np.int32), 16, 20480, "x")
    assert packed.beats < 18_000
    # It takes 0.05 s; a loop over its 250,000 slots would take ten times this limit.
    assert time.process_time() - began < 0.5


# --- states and numbers


@given(st.integers(1, 64), st.integers(0, 70), st.integers(0, 2**32 - 1))
def test_states_go_to_words_and_back(lanes: int, n: int, seed: int) -> None:
    states = np.random.default_rng(seed).choice(np.array([-1, 1], dtype=np.int8), size=(lanes, n))
    words = words_of_states(states)
    assert words.dtype == np.uint64 and words.shape == (n,)
    assert words.tolist() == [sum(1 << r for r in range(lanes) if states[r, i] < 0) for i in range(n)]
    back = states_of_words(words, lanes)
    assert back.dtype == np.int8 and back.flags.c_contiguous and np.array_equal(back, states)


@given(st.integers(1, 64), st.integers(1, 60), st.booleans(), st.data())
def test_numbers_come_from_planes(lanes: int, bits: int, signed: bool, data: st.DataObject) -> None:
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    numbers = data.draw(st.lists(st.one_of(st.sampled_from([low, high, 0]), st.integers(low, high)), min_size=lanes, max_size=lanes))
    planes = np.array([sum((number >> k & 1) << r for r, number in enumerate(numbers)) for k in range(bits)], dtype=np.uint64)
    assert numbers_of_planes(planes, lanes, signed).tolist() == numbers
    assert bits_of_words(planes, lanes).shape == (lanes, bits)
