"""Gates: the test of energies is exact, its level holds over a whole loop, and each limit closes its own gate."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.errors import ConfigError
from ebmhw.improve import Budget
from ebmhw.improve.claims import JudgedClaim
from ebmhw.improve.gates import claims_gate, energy_gate, limit_gates, sign_flip_probability
from ebmhw.improve.trial import Trial


def trial(*energies: float | None, seconds: float = 1.0, memory: int = 2**20, cause: str | None = None) -> Trial:
    failures = tuple("it raised ValueError" for energy in energies if energy is None)
    return Trial(energies, failures, seconds, memory, cause)


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=9))
def test_the_probability_is_that_of_all_sign_flips(gains: list[int]) -> None:
    sums = [sum(sign * gain for sign, gain in zip(signs, gains, strict=True)) for signs in product((1, -1), repeat=len(gains))]
    exact = sum(value >= sum(gains) for value in sums) / len(sums)
    assert sign_flip_probability(gains, 0) == pytest.approx(exact)


def test_drawn_flips_agree_with_all_of_them() -> None:
    random = np.random.default_rng(5)
    gains = random.normal(0.3, 1.0, 16)
    codes = np.arange(2**16)[:, None] >> np.arange(16) & 1
    exact = np.mean((1 - 2 * codes) @ gains >= gains.sum())
    assert sign_flip_probability(gains, 1) == pytest.approx(exact, abs=5 * np.sqrt(exact / 20_000))


def _opened(level: float, loops: int, rounds: int, better: float) -> float:
    """Return the share of loops in which proposals with this advantage open the gate at least once."""
    random = np.random.default_rng(11)
    opened = 0
    for _ in range(loops):
        for _ in range(rounds):
            old, new = random.normal(0, 1, 10), random.normal(-better, 1, 10)
            if energy_gate(trial(*new.tolist()), trial(*old.tolist()), level, 0).passed:
                opened += 1
                break
    return opened / loops


def test_a_loop_of_proposals_that_are_no_better_accepts_at_its_level() -> None:
    # 5 standard deviations above .05 of 400 loops; without sharing the level about .4 of the loops accept one, which is the control.
    assert _opened(0.05 / 10, 400, 10, 0.0) <= 0.05 + 5 * np.sqrt(0.05 * 0.95 / 400)
    assert _opened(0.05, 100, 10, 0.0) > 0.2
    assert _opened(0.05 / 10, 50, 10, 2.0) > 0.9, "proposals that are better are accepted"


def test_an_instance_without_an_answer_closes_the_energy_gate() -> None:
    gate = energy_gate(trial(*[0.0] * 9, None), trial(*[5.0] * 10), 0.05, 0)
    assert not gate.passed and "1 of 10 instances have no answer: it raised ValueError" in gate.reason
    assert energy_gate(trial(*[0.0] * 10), trial(*[5.0] * 10), 0.05, 0).passed


@pytest.mark.parametrize(
    ("made", "time", "memory"),
    [
        (trial(0.0), True, True),
        (trial(0.0, seconds=3.0), False, True),
        (trial(None, cause="time"), False, True),
        (trial(None, cause="cpu"), False, True),
        (trial(0.0, memory=2**31), True, False),
        (trial(None, cause="memory"), True, False),
    ],
)
def test_each_limit_closes_its_own_gate(made: Trial, time: bool, memory: bool) -> None:
    assert [gate.passed for gate in limit_gates(made, Budget(seconds=2.0, memory=2**28))] == [time, memory]


def test_the_claims_gate_wants_something_that_holds_and_nothing_wrong() -> None:
    held, wrong, open_ = (JudgedClaim("gain > 0", verdict, "measured") for verdict in ("VERIFIED", "VIOLATED", "UNKNOWN"))
    assert claims_gate([held]).passed and claims_gate([held, open_]).passed
    assert not claims_gate([held, wrong]).passed and not claims_gate([open_]).passed and not claims_gate([]).passed


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"memory": -1}, {"level": 1.0}, {"seconds": float("nan")}, {"memory": True}])
def test_a_budget_that_makes_no_sense_is_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Budget(**wrong)
