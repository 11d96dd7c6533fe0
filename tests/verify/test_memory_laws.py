"""Memories join as a semilattice: in any order, any number of times, nothing counted twice; judged by a plain ledger of events."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.verify import VerifyRepairPipeline
from ebmhw.verify.memory import Check, Count, Fix, SessionMemory
from ebmhw.verify.memory import state as state_module
from ebmhw.verify.memory.differing import difference
from ebmhw.verify.memory.pack import Pack, read_pack, write_pack
from ebmhw.verify.memory.state import Counted, State, latest

SOURCES = ["a" * 32, "b" * 32, "c" * 32]
names = st.sampled_from(["sorted", "round trip", "never raises"])
hashes = st.sampled_from(["0" * 64, "1" * 64])
counts = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda pair: Count(max(pair), min(pair)))
checks = st.builds(
    Check,
    question=hashes,
    response=hashes,
    shape=hashes,
    given=st.none() | hashes,
    verdict=st.sampled_from(["VERIFIED", "VIOLATED", "UNKNOWN"]),
    domains=st.just(("arithmetic",)),
    violated=st.sampled_from([(), (("arithmetic", "equation"),)]),
    failed=st.sampled_from([(), ("logic",)]),
    certificate=hashes,
    version=st.just("0.1.0"),
    fix=st.none() | st.just(Fix("exact", "2" * 64, "VERIFIED")),
    at=st.integers(0, 5),
    texts=st.none() | st.tuples(st.text(max_size=3), st.text(max_size=3)),
)
states = st.builds(
    lambda counters, found: State(counters, latest(found)),
    st.dictionaries(st.builds(Counted, st.sampled_from(SOURCES), st.just("property"), names), counts, max_size=6),
    st.lists(checks, max_size=6),
)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a memory hold three checks, so that the laws are tried where checks are dropped."""
    monkeypatch.setattr(state_module, "CHECKS", 3)


@given(states, states, states)
def test_joining_is_associative_commutative_and_idempotent(a: State, b: State, c: State) -> None:
    assert a.joined(b) == b.joined(a)
    assert a.joined(b).joined(c) == a.joined(b.joined(c))
    assert a.joined(a) == a
    assert a.joined(b).joined(b) == a.joined(b)
    assert len(a.joined(b).checks) <= 3


@given(states, states)
def test_adding_counts_would_break_a_law(a: State, b: State) -> None:
    """The control: what Carnot does to counters, adding them, is not idempotent where anything was counted."""
    added = {key: Count(*(x + y for x, y in zip(a.counters.get(key, Count()), b.counters.get(key, Count()), strict=True))) for key in b.counters}
    twice = {key: Count(*(x + y for x, y in zip(added[key], b.counters[key], strict=True))) for key in b.counters}
    assert (twice == added) == (not any(count.tried for count in b.counters.values()))


@given(states)
def test_a_state_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, a: State) -> None:
    path = tmp_path_factory.mktemp("pack") / "pack.json"
    write_pack(path, Pack(a, SOURCES[0], "0" * 64))
    assert read_pack(path) == Pack(a, SOURCES[0], "0" * 64)


@given(states, states)
def test_a_difference_is_empty_for_equal_states_alone_and_turns_around(a: State, b: State) -> None:
    there, back = difference(a, b), difference(b, a)
    same = a.counters == b.counters and set(a.checks) == set(b.checks)
    assert (not any(there[:3])) == same
    assert {(item.name, item.before, item.after) for item in there.added} == {(item.name, item.after, item.before) for item in back.removed}
    assert [(item.name, item.after, item.before) for item in there.changed] == [(item.name, item.before, item.after) for item in back.changed]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("note"), st.integers(0, 2), names, counts),
        st.tuples(st.just("carry"), st.integers(0, 2), st.integers(0, 2), st.integers(1, 3)),
        st.tuples(st.just("reopen"), st.integers(0, 2), st.just(0), st.just(0)),
    ),
    max_size=14,
)


@settings(max_examples=40)
@given(steps)
def test_no_event_is_counted_twice_or_lost_whatever_packs_are_carried(tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple]) -> None:
    """Three memories, two of them in files; each knows of the events that it saw and of those that packs brought, each once."""
    folder = tmp_path_factory.mktemp("memories")
    paths: list[Path | None] = [folder / "0.json", folder / "1.json", None]
    memories = [SessionMemory(path) for path in paths]
    events: dict[int, tuple[str, Count]] = {}
    known: list[set[int]] = [set(), set(), set()]
    for what, at, first, second in deeds:
        if what == "note":
            memories[at].note("property", first, *second)
            known[at].add(len(events))
            events[len(events)] = (first, second)
        elif what == "carry":
            memories[at].export(folder / "pack.json")
            for _ in range(second):
                memories[first].import_(folder / "pack.json")
            known[first] |= known[at]
        elif paths[at] is not None:
            memories[at].save()
            memories[at] = SessionMemory(paths[at])
    for memory, seen in zip(memories, known, strict=True):
        tried, caught = Counter(), Counter()
        for event in seen:
            name, count = events[event]
            tried[name] += count.tried
            caught[name] += count.caught
        for name in ("sorted", "round trip", "never raises"):
            assert memory.counts("property", name) == (tried[name], caught[name])


def test_recording_the_same_report_twice_counts_it_once() -> None:
    memory = SessionMemory()
    pipeline = VerifyRepairPipeline(domains=["arithmetic"])
    for _ in range(3):
        memory.record(pipeline.verify("What is 97 + 86?", "The answer is 173."))
    assert memory.counts("claim", "arithmetic/answer") == (1, 1)
    assert len(memory) == 1
    memory.record(pipeline.verify("What is 97 + 86?", "The answer is 183."))
    assert memory.counts("claim", "arithmetic/answer") == (2, 1)
