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


def test_the_level_holds_against_a_proposer_that_adapts_to_what_it_is_told() -> None:
    """After each round it knows all energies and p-values, and makes its next proposal vary more or less by them; it is never any better."""
    random = np.random.default_rng(3)
    opened = {0.005: 0, 0.05: 0}
    for level in opened:
        for _ in range(300):
            spread = 1.0
            for _ in range(10):
                old = random.normal(0, 1, 10)
                new = old + random.normal(0, spread, 10)
                if energy_gate(trial(*new.tolist()), trial(*old.tolist()), level, 0).passed:
                    opened[level] += 1
                    break
                spread = 0.1 if sign_flip_probability(old - new, 0) < 0.3 else 5.0
    assert opened[0.005] / 300 <= 0.05 + 5 * np.sqrt(0.05 * 0.95 / 300)
    assert opened[0.05] / 300 > 0.2, "the control: a level that is not shared"


def test_a_rare_disaster_passes_as_the_page_says() -> None:
    """Better by 1 on nine instances of ten and worse by 20 on the tenth: worse in the mean, and not seen where no such instance is drawn."""
    random = np.random.default_rng(4)

    def passed(count: int) -> float:
        gains = np.where(random.random((300, count)) < 0.9, 1.0, -20.0)
        return float(np.mean([energy_gate(trial(*(-one).tolist()), trial(*[0.0] * count), 0.05 / 20, 0).passed for one in gains]))

    assert passed(14) == pytest.approx(0.9**14, abs=0.12)
    assert passed(64) < 0.06


def test_many_instances_take_no_more_memory_than_a_few() -> None:
    import tracemalloc

    tracemalloc.start()
    assert sign_flip_probability(np.ones(5000), 0) == pytest.approx(1 / 20_001)
    assert tracemalloc.get_traced_memory()[1] < 2**27
    tracemalloc.stop()


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
