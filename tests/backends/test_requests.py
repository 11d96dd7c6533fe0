"""Bad arguments of a run: refused with the value, its subject, the limit and the remedy; junk never does worse."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from conformance import assert_equal_draws, assert_types
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebmhw.backends import Draws, get_backend
from ebmhw.errors import EbmhwError, InvalidRun, InvalidSchedule
from ebmhw.model import Model
from ebmhw.schedule import Schedule

PROGRAM = Model(3, [1, -2, 3], {(0, 1): -1, (0, 1, 2): 2}).compile()
OTHER = Model(3, [1, -2, 3], {(0, 1): -1}).compile()
SCHEDULE = Schedule.constant(0.3, 3)
NAN, INF = float("nan"), float("inf")


class Index:
    """An integer that is not an int, equal to nothing."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


def run(**options: Any) -> Draws:
    return get_backend("cpu", threads=1).run(**{"program": PROGRAM, "schedule": SCHEDULE, "reads": 2, **options})


WHOLE_2_30 = r"give a whole number from 1 to 1073741824"
BAD: list[tuple[dict[str, Any], str]] = [
    ({"program": None}, r"program is a NoneType; give a Program, as Model.compile\(\) returns"),
    ({"program": Model(2)}, r"program is a Model; give a Program"),
    ({"reads": 0}, f"reads is 0; {WHOLE_2_30}"),
    ({"reads": -1}, f"reads is -1; {WHOLE_2_30}"),
    ({"reads": 2**30 + 1}, f"reads is 1073741825; {WHOLE_2_30}"),
    ({"reads": 10**40}, f"reads is 1{'0' * 40}; {WHOLE_2_30}"),
    ({"reads": 1.0}, f"reads is 1.0; {WHOLE_2_30}"),
    ({"reads": "1"}, f"reads is '1'; {WHOLE_2_30}"),
    ({"reads": True}, f"reads is True; {WHOLE_2_30}"),
    ({"reads": np.True_}, "reads is .*True.*; give a whole number"),
    ({"reads": [1]}, r"reads is \[1\]"),
    ({"seed": -1}, "seed is -1; give a whole number from 0 to 18446744073709551615"),
    ({"seed": 2**64}, "seed is 18446744073709551616; give a whole number from 0 to 18446744073709551615"),
    ({"seed": 1.5}, "seed is 1.5"),
    ({"seed": NAN}, "seed is nan"),
    ({"seed": "abc"}, "seed is 'abc'"),
    ({"seed": np.array([1, 2])}, "seed is array"),
    ({"rule": "Gibbs"}, "rule is 'Gibbs'; give one of 'gibbs', 'metropolis'"),
    ({"rule": ""}, "rule is ''; give one of"),
    ({"rule": 0}, "rule is 0; give one of"),
    ({"rule": ["gibbs"]}, "rule is .*gibbs.*; give one of"),
    ({"rule": np.array(["gibbs", "metropolis"])}, "rule is .*; give one of"),
    ({"first_read": -1}, "first_read is -1; give a whole number from 0 to 1073741822"),
    ({"first_read": 2**30 - 1}, "first_read is 1073741823; give a whole number from 0 to 1073741822"),
    ({"first_read": 0.0}, "first_read is 0.0"),
    ({"burn_in": -1}, "burn_in is -1; give a whole number from 0"),
    ({"burn_in": 2**63}, "burn_in is 9223372036854775808"),
    ({"burn_in": 0.5}, "burn_in is 0.5"),
    ({"keep_every": 0}, "keep_every is 0; give a whole number from 1"),
    ({"keep_every": -3}, "keep_every is -3"),
    ({"keep_every": 2**63}, "keep_every is 9223372036854775808"),
    ({"keep_every": 1.0}, "keep_every is 1.0"),
    ({"time_limit": -0.1}, "time_limit is -0.1; give seconds of at least 0, or None for no limit"),
    ({"time_limit": NAN}, "time_limit is nan; give seconds of at least 0"),
    ({"time_limit": -INF}, "time_limit is -inf; give seconds"),
    ({"time_limit": "soon"}, "time_limit is 'soon'; give seconds"),
    ({"time_limit": [1]}, r"time_limit is \[1\]; give seconds"),
    ({"time_limit": 10**400}, "time_limit is 1000.*; give seconds"),
    ({"progress": 5}, "progress is .*5"),
    ({"interrupt": 5}, "interrupt is .*5"),
    ({"initial": [1, 1]}, r"initial has shape \(2,\); give \(3,\) for all reads or \(2, 3\)"),
    ({"initial": [[1, 1, 1]]}, r"initial has shape \(1, 3\); give \(3,\) for all reads or \(2, 3\)"),
    ({"initial": 1}, r"initial has shape \(\); give"),
    ({"initial": []}, r"initial has shape \(0,\); give"),
    ({"initial": [1, 0, 1]}, "initial of spin 1 is .*0.*; every spin is -1 or [+]1"),
    ({"initial": [[1, 1, 1], [1, 1, 2]]}, "initial of spin 2 in read 1 is .*2.*; every spin is -1 or [+]1"),
    ({"initial": [1, NAN, 1]}, "initial of spin 1 is .*nan"),
    ({"initial": [1.0, 1.0, 1.5]}, "initial of spin 2 is .*1.5"),
    ({"initial": [True, False, True]}, "initial of spin 0 is .*True"),
    ({"initial": ["1", "1", "1"]}, "initial of spin 0 is .*1"),
    ({"initial": np.array([1, 255, 1], dtype=np.uint8)}, "initial of spin 1 is .*255"),
    ({"initial": np.ones(3, dtype=complex)}, "initial of spin 0 is"),
    ({"initial": [1, 1, None]}, "initial of spin 2 is None"),
    ({"initial": [[1], [1, 1]]}, "initial "),
    ({"clamps": {3: 1}}, "clamps name spin 3; spins of this program are 0..2"),
    ({"clamps": {-1: 1}}, "clamps name spin -1; spins of this program are 0..2"),
    ({"clamps": {"a": 1}}, "clamps name spin 'a'; spins are integers 0..2"),
    ({"clamps": {0.0: 1}}, "clamps name spin 0.0; spins are integers 0..2"),
    ({"clamps": {True: 1}}, "clamps name spin True"),
    ({"clamps": {10**30: 1}}, f"clamps name spin 1{'0' * 30}"),
    ({"clamps": {Index(1): 1, Index(1): -1}}, "clamps name spin 1 twice; give one value"),
    ({"clamps": {0: 0}}, "clamp of spin 0 is .*0.*; every spin is -1 or [+]1"),
    ({"clamps": {0: 2}}, "clamp of spin 0 is .*2"),
    ({"clamps": {0: None}}, "clamp of spin 0 is None"),
    ({"clamps": {0: NAN}}, "clamp of spin 0 is .*nan"),
    ({"clamps": {0: True}}, "clamp of spin 0 is .*True"),
    ({"clamps": {0: "1"}}, "clamp of spin 0 is .*1"),
    ({"clamps": {0: [1, 3]}}, "clamp of spin 0 in read 1 is .*3"),
    ({"clamps": {0: [1]}}, r"clamp of spin 0 has shape \(1,\); give -1 or \+1, or an array of 2 values, one a read"),
    ({"clamps": {0: [1, 1, 1]}}, r"clamp of spin 0 has shape \(3,\)"),
    ({"clamps": {0: [[1], [1, 1]]}}, "clamp of spin 0"),
    ({"clamps": [1, 2]}, "clamps "),
    ({"clamps": 5}, "clamps "),
    ({"resume": 5}, "resume is a int"),
    ({"resume": {}}, "resume is a dict"),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=[f"{n}-{next(iter(o))}" for n, (o, _) in enumerate(BAD)])
def test_bad_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRun, match=message) as caught:
        run(**options)
    assert caught.value.code == "invalid-run" and isinstance(caught.value, ValueError)


@pytest.mark.parametrize("schedule", [None, [(1.0, 2)], 5, "geometric"])
def test_what_is_no_schedule_is_refused(schedule: object) -> None:
    with pytest.raises(InvalidSchedule, match=f"schedule is a {type(schedule).__name__}; give a Schedule, such as Schedule.geometric"):
        run(schedule=schedule)


@pytest.mark.parametrize(
    "options",
    [
        {"reads": np.int16(2)}, {"seed": np.uint64(2**64 - 1)}, {"first_read": 2**30 - 2}, {"keep_every": 2**62, "burn_in": 2**62},
        {"initial": np.ones(3, dtype=np.float32)}, {"initial": [[1, -1, 1], [-1, 1, 1]]}, {"clamps": {}}, {"clamps": {np.int8(1): -1.0}},
        {"clamps": {2: [1, -1]}}, {"time_limit": INF}, {"time_limit": 100}, {"reads": None, "seed": None},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_allowed_runs(options: dict[str, Any]) -> None:
    draws = run(**options)
    assert draws.sweeps == 3 and 0 <= draws.info["seed"] < 2**64
    explicit = {**options, "seed": draws.info["seed"]}
    assert_equal_draws(run(**explicit), draws)
    assert_equal_draws(get_backend("golden").run(**{"program": PROGRAM, "schedule": SCHEDULE, "reads": 2, **explicit}), draws)


def test_arguments_are_not_changed_nor_kept() -> None:
    initial, clamp = np.ones((2, 3), dtype=np.int8), np.array([1, -1], dtype=np.int8)
    draws = run(initial=initial, clamps={1: clamp}, seed=1)
    assert (initial == 1).all() and clamp.tolist() == [1, -1]
    before = draws.spins.copy()
    initial[:], clamp[:] = -1, 1
    assert np.array_equal(draws.spins, before)
    again = run(schedule=Schedule.custom([]), resume=draws)
    assert again.spins[:, 1].tolist() == [1, -1]


def test_drawn_seeds_differ() -> None:
    assert len({run().info["seed"] for _ in range(5)}) == 5


FIRST: dict[str, Any] = {"seed": 5, "rule": "metropolis", "first_read": 7, "burn_in": 1, "keep_every": 2, "clamps": {1: -1}}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reads": 1}, "reads is 1, but the run to resume has 2; leave reads out"),
        ({"seed": 6}, "seed is 6, but the run to resume has 5; leave seed as it was"),
        ({"rule": "gibbs"}, "rule is 'gibbs', but the run to resume has 'metropolis'; leave rule as it was"),
        ({"first_read": 0}, "first_read is 0, but the run to resume has 7; leave first_read as it was"),
        ({"burn_in": 0}, "burn_in is 0, but the run to resume has 1; leave burn_in as it was"),
        ({"keep_every": 1}, "keep_every is 1, but the run to resume has 2; leave keep_every as it was"),
        ({"program": OTHER}, "program is .*, but the run to resume has .*; leave program as it was"),
        ({"clamps": {}}, "clamps .* but the run to resume has .*leave clamps"),
        ({"clamps": {1: 1}}, "clamps .* but the run to resume has .*leave clamps"),
        ({"clamps": {1: [-1, 1]}}, "clamps .* but the run to resume has .*leave clamps"),
        ({"clamps": {0: -1, 1: -1}}, "clamps .* but the run to resume has .*leave clamps"),
        ({"initial": [1, 1, 1]}, "initial and resume are both given; .*drop initial"),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["cpu", "golden"])
def test_a_resumed_run_must_agree(name: str, options: dict[str, Any], message: str) -> None:
    first = get_backend("golden" if name == "cpu" else "cpu").run(PROGRAM, SCHEDULE, reads=2, **FIRST)
    backend = get_backend(name)
    with pytest.raises(InvalidRun, match=message):
        backend.run(**{"program": PROGRAM, "schedule": SCHEDULE, "resume": first, **options})
    whole = backend.run(PROGRAM, Schedule.constant(0.3, 6), reads=2, **FIRST)
    for same in ({}, {"reads": 2, **FIRST}, {"clamps": {1: [-1, -1]}}):
        assert_equal_draws(backend.run(PROGRAM, SCHEDULE, resume=first, **same), whole)


def test_a_resumed_run_may_continue_elsewhere() -> None:
    first = run(seed=3, clamps={0: [1, -1]})
    there = get_backend("golden").run(PROGRAM, SCHEDULE, resume=first)
    assert_equal_draws(there, run(resume=first))
    assert there.info["seed"] == 3 and there.clamped.tolist() == [0]
    assert_equal_draws(run(resume=there), run(seed=3, clamps={0: [1, -1]}, schedule=Schedule.constant(0.3, 9)))


def test_info_that_was_dropped_does_not_free_clamped_spins() -> None:
    bare = dataclasses.replace(run(seed=3, clamps={0: 1}), info={})
    try:
        draws = run(resume=bare)
    except EbmhwError:
        return
    assert_equal_draws(draws, run(seed=3, clamps={0: 1}, schedule=Schedule.constant(0.3, 6)))


# --- junk

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 40), st.integers(), st.floats(), st.text(max_size=3), st.binary(max_size=2),
    st.sampled_from([np.int8(1), np.uint64(2**64 - 1), np.float32(1), np.True_, 1 + 0j, "gibbs", "metropolis", object(), -1, 1]),
)  # fmt: skip
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.tuples(inner), st.dictionaries(st.one_of(st.integers(-1, 3), st.text(max_size=2)), inner, max_size=3)
    ),
    max_leaves=6,
)
SPINS = st.lists(st.sampled_from([-1, 1]), min_size=3, max_size=3)
LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "reads": st.integers(1, 40),
    "seed": st.integers(0, 2**64 - 1),
    "rule": st.sampled_from(["gibbs", "metropolis"]),
    "first_read": st.integers(0, 2**30 - 40),
    "initial": st.one_of(SPINS, st.lists(SPINS, min_size=1, max_size=3)),
    "clamps": st.dictionaries(st.integers(0, 2), st.sampled_from([-1, 1]), max_size=3),
    "burn_in": st.integers(0, 4),
    "keep_every": st.integers(1, 4),
    "resume": st.none(),
    "time_limit": st.floats(0, 1e6),
    "progress": st.none(),
    "interrupt": st.none(),
}


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_junk_is_refused_or_runs(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(LIKELY)), unique=True, max_size=6))
    options = {name: data.draw(st.one_of(LIKELY[name], LIKELY[name], JUNK), label=name) for name in names}
    reads = options.get("reads")
    if isinstance(reads, (int, np.integer)) and not isinstance(reads, bool) and 1000 < reads <= 2**30:
        options["reads"] = 1000  # allowed, and too long for a test
    try:
        draws = run(**options)
    except EbmhwError as error:
        assert any(name in str(error) for name in ("clamp", *options)), f"{error} names none of {options}"
        return
    kept = None if options.get("keep_every") is None else max(0, draws.sweeps - int(options.get("burn_in") or 0)) // int(options["keep_every"])
    assert_types(draws, PROGRAM, draws.reads, kept)
