"""Health: every rule fires on the run that it is about, says why, and stays quiet on a run that is well and on noise."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from observe_logs import run_of

from ebmhw.coherence.observe.health import LEVELS, RULES, Health, health_of
from ebmhw.coherence.observe.run import Run

RNG = np.random.default_rng(63)
N = 120
T = np.linspace(0, 1, N)


def well(**changed: Any) -> Run:
    """Return a run that learns, with other series put in their place."""
    series: dict[str, Any] = {
        "phi": 0.6 + 0.1 * T + RNG.normal(0, 0.02, N),
        "entropy": 3 - 0.5 * T + RNG.normal(0, 0.1, N),
        "reward": 0.2 + 0.6 * T + RNG.normal(0, 0.05, N),
        "reward_std": np.full(N, 0.2),
        "frac_reward_zero_std": np.full(N, 0.1),
        "loss": RNG.normal(0, 0.1, N),
        "kl": 0.02 + 0.01 * T,
        "diversity": RNG.normal(0.8, 0.02, N),
        "contraction_q": RNG.normal(0.9, 0.02, N),
    }
    return run_of(**{name: list(values) for name, values in (series | changed).items()})


def share(values: float, count: int, other: float) -> list[float]:
    """Return N values of which the given share of the last 50 are ``values``."""
    return [other] * (N - 50) + [values] * count + [other] * (50 - count)


CASES: list[tuple[dict[str, Any], str, str]] = [
    ({"reward": share(0.0, 30, 0.5)}, "RED", "60% of the last 50 steps have no reward"),
    ({"reward": share(0.0, 15, 0.5)}, "YELLOW", "30% of the last 50 steps have no reward"),
    ({"frac_reward_zero_std": [1.0] * N}, "RED", "every group of completions has one reward only"),
    ({"frac_reward_zero_std": [0.7] * N}, "YELLOW", "70% of the groups of completions have one reward only"),
    ({"phi": RNG.normal(0.05, 0.01, N).clip(0)}, "YELLOW", "phi is very low, 0.0[45]"),
    ({"phi": 0.9 - 0.5 * T + RNG.normal(0, 0.02, N)}, "YELLOW", r"phi falls \(disordering\)"),
    ({"phi": [0.1, 0.9] * (N // 2)}, "YELLOW", "phi changes by 0.800 from step to step"),
    ({"entropy": 3 * np.exp(-6 * T)}, "RED", "entropy fell to [0-9]% of what it was at the start"),
    ({"entropy": 3 * np.exp(-2 * T)}, "YELLOW", "entropy fell to 3[0-9]% of"),
    ({"diversity": [0.01] * N}, "RED", "completions are all but the same, diversity 0.010"),
    ({"diversity": 0.8 - 0.6 * T}, "YELLOW", "diversity fell to [34][0-9]% of"),
    ({"kl": [12.0] * N}, "RED", "kl is 12 nats a token"),
    ({"kl": np.exp(5 * T) / 50}, "YELLOW", "kl grew from 0.0[0-9]* to [1-9]"),
    ({"loss": [*RNG.normal(0, 0.1, N - 1), float("nan")]}, "RED", "loss was NaN or infinite at 1 of the last 50 steps"),
    ({"loss": [*RNG.normal(0, 0.1, N - 2), float("inf"), 0.1]}, "YELLOW", "loss was NaN or infinite at 1 of the last 50 steps"),
    ({"reward": [0.5] * (N - 50) + [None] * 30 + [0.6] * 20}, "RED", "reward is unknown at 60% of the last 50 steps"),
    ({"phi": [0.5] * (N - 50) + [None] * 15 + [0.5] * 35}, "YELLOW", "phi is unknown at 30% of the last 50 steps"),
    ({"reward": 0.8 - 0.6 * T + RNG.normal(0, 0.02, N)}, "YELLOW", "the reward falls, by 0.1"),
    ({"reward": RNG.normal(0.5, 0.05, N)}, "YELLOW", "the reward has not risen in 120 steps"),
    ({"contraction_q": RNG.normal(1.1, 0.02, N)}, "YELLOW", r"contraction q is 1\.(09|1)[0-9]*, .* with its error: the run does not contract"),
    ({"gate/passed": [None] * (N - 1) + [False]}, "RED", "the evaluation gate did not pass"),
    ({"cascade/stage": [0.0] * N}, "GREEN", "the cascade has not opened yet"),
    ({"cascade/fired_at": [60.0] * N}, "GREEN", "the cascade opened at step 60"),
]


@pytest.mark.parametrize(("changed", "level", "said"), CASES)
def test_each_rule_finds_what_it_is_about(changed: dict[str, Any], level: str, said: str) -> None:
    health = health_of(well(**changed))
    assert health.level == level, health
    assert any(found == level and re.search(said, text) for found, text in health.reasons), health
    order = [LEVELS.index(found) for found, _ in health.reasons]
    assert order == sorted(order, reverse=True) and order[0] == LEVELS.index(level)


def test_reward_std_stands_in_for_the_share_of_groups() -> None:
    run = run_of(reward=0.2 + 0.6 * T, reward_std=[0.0] * N)
    assert health_of(run).level == "RED"


def test_runs_that_are_well_are_green() -> None:
    levels = [health_of(well()) for _ in range(40)]
    assert sum(health.level == "GREEN" for health in levels) >= 39, [health for health in levels if health.level != "GREEN"]


def test_noise_without_any_trend_finds_nothing_but_a_reward_that_does_not_rise() -> None:
    found = []
    for _ in range(40):
        run = run_of(phi=RNG.normal(0.6, 0.05, N), entropy=RNG.normal(3, 0.5, N), reward=RNG.normal(0.5, 0.1, N), kl=RNG.exponential(0.05, N))
        found.append(tuple(text for level, text in health_of(run).reasons if level != "GREEN"))
    assert found.count(("the reward has not risen in 120 steps",)) >= 38, found


def test_short_logs_are_unknown_unless_something_is_plainly_wrong() -> None:
    short = run_of(phi=[0.5] * 7, reward=[0.0] * 7)
    assert health_of(short) == Health("UNKNOWN", (("UNKNOWN", "fewer than 8 values of phi, reward, entropy or loss"),))
    assert health_of(Run("r")).level == "UNKNOWN"
    assert health_of(run_of(loss=[0.1, float("nan")])).level == "RED"


def test_a_gate_that_passed_the_run_keeps_a_collapse_from_being_red() -> None:
    fallen: list[dict[str, Any]] = [{"diversity": [0.01] * N}, {"diversity": 0.8 * np.exp(-6 * T)}, {"entropy": 3 * np.exp(-6 * T)}]
    for changed in fallen:
        assert health_of(well(**changed)).level == "RED"
        passed = health_of(well(**changed, **{"gate/passed": [None] * (N - 1) + [True]}))
        assert passed.level == "YELLOW" and any("but the evaluation gate passed the run" in text for _, text in passed.reasons), passed
        # A decision on the run as it was 10 steps ago says nothing of now.
        assert health_of(well(**changed, **{"gate/passed": [None] * (N - 10) + [True] + [None] * 9})).level == "RED"
    other = health_of(well(kl=[12.0] * N, **{"gate/passed": [None] * (N - 1) + [True]}))
    assert other.level == "RED"


def test_contraction_is_judged_by_eight_values_and_their_error() -> None:
    def told(values: Any) -> tuple[str, str]:
        (found,) = (reason for reason in health_of(well(contraction_q=values)).reasons if "contraction q" in reason[1])
        return found

    assert told([1.096] + [None] * (N - 1)) == ("GREEN", "contraction q is 1.096, of 1 value: too few to judge")
    assert told([1.096] * 7 + [None] * (N - 7)) == ("GREEN", "contraction q is 1.096, of 7 values: too few to judge")
    assert told([1.096] * 8 + [None] * (N - 8))[0] == "YELLOW"
    # Above 1, but within its error; values that drift together have a larger one.
    drifting = 1.01 + 0.03 * np.sin(np.arange(N) / 8)
    assert told(drifting)[0] == "GREEN" and told(0.3 + drifting)[0] == "YELLOW"
    assert [told(1.01 + RNG.normal(0, 0.1, N))[0] for _ in range(20)].count("YELLOW") <= 2


def test_rules_take_any_run() -> None:
    for run in (Run("r"), run_of(reward=[None] * 20), run_of(reward=[1.0]), run_of(learning_rate=[0.1] * 20)):
        for rule in RULES:
            finding = rule(run, 50)
            assert finding is None or finding[1]
