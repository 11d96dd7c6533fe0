"""Trials: only plain values are judged, by an objective that no candidate can reach; an objective that is at fault is named."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ebmhw.errors import ConfigError
from ebmhw.improve import AnnealingSchedule, Breaker, Budget, Instance, Objective, QuarticMinimum, improve
from ebmhw.improve.trial import tried

pytestmark = pytest.mark.confined

BUDGET = Budget(seconds=30.0)


class Near(Objective):
    """A user's objective: as near as possible to the first number, judged as one writes it in a minute."""

    name, description, entry_point = "near", "Return the first number.", "f"
    baseline = "def f(numbers):\n    return 0\n"

    def __init__(self, energy: Callable[[Instance, Any], Any] | None = None, draw: Callable[[int, int], Any] | None = None) -> None:
        self._energy, self._draw = energy, draw

    def instances(self, first: int, count: int) -> Sequence[Instance]:
        made = [Instance(([number + 5, 1],)) for number in range(first, first + count)]
        return made if self._draw is None else self._draw(first, count)

    def energy(self, instance: Instance, answer: Any) -> Any:
        return abs(instance.arguments[0][0] - answer) if self._energy is None else self._energy(instance, answer)


OBJECT = """
class Best:
    def __sub__(self, other):
        return -1e9

    __rsub__ = __sub__


def f(numbers):
    return {}
"""


@pytest.mark.parametrize("made", ["Best()", "[Best()]", "{'a': (Best(),)}", "f", "(x for x in numbers)"])
def test_an_object_of_the_candidate_is_never_judged(made: str) -> None:
    judged: list[Any] = []
    trial = tried(OBJECT.format(made), Near(lambda _, answer: judged.append(answer) or -1e9), Near().instances(0, 2), BUDGET)
    assert trial.energies == (None, None) and judged == []
    assert "plain values" in trial.failures[0]


def test_what_a_candidate_does_to_its_arguments_changes_no_instance() -> None:
    instances = Near().instances(3, 2)
    trial = tried("def f(numbers):\n    numbers[0] = 0\n    numbers.clear()\n    numbers.append(0)\n    return 0\n", Near(), instances, BUDGET)
    assert [one.arguments for one in instances] == [([8, 1],), ([9, 1],)]
    assert trial.energies == (8.0, 9.0)


@pytest.mark.parametrize(
    ("returned", "said"),
    [("'text'", "could not judge 'text': TypeError"), ("10**400", "it must be a number of at most 1e"), ("10**400 * 1.0", "OverflowError")],
)
def test_an_answer_that_no_objective_foresees_is_a_failure_of_its_candidate(returned: str, said: str) -> None:
    trial = tried(f"def f(numbers):\n    return {returned}\n", Near(), Near().instances(0, 1), BUDGET)
    assert trial.energies == (None,) and said in trial.failures[0]


@pytest.mark.parametrize("objective", [QuarticMinimum(), AnnealingSchedule(8, 3, 4, 2)], ids=lambda one: one.name)
@pytest.mark.parametrize("number", ["10**400", "-10**400", "float('inf')", "1e301"])
def test_numbers_without_end_have_no_energy(objective: Objective, number: str) -> None:
    made = f"[{number}] * 4" if objective.entry_point == "betas" else number
    trial = tried(f"def {objective.entry_point}(*_):\n    return {made}\n", objective, objective.instances(1, 1), BUDGET)
    assert trial.energies == (None,) and re.search("is needed|each is a number", trial.failures[0])


def _raise(*_: Any) -> Any:
    raise KeyError("no such thing")


@pytest.mark.parametrize(
    ("energy", "said"),
    [
        (lambda *_: math.nan, "the energy nan; it must be a number"),
        (lambda *_: -math.inf, "the energy -inf"),
        (lambda *_: 1e308, r"the energy 1e\+308"),
        (lambda *_: "low", "the energy 'low'"),
        (lambda *_: None, "the energy None"),
        (lambda *_: True, "the energy True"),
        (_raise, "could not judge 0: KeyError: 'no such thing'"),
    ],
)
def test_an_objective_whose_energies_are_none_is_named_before_any_round(tmp_path: Path, energy: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=f"the baseline of near gives no answer to some instance: .*{said}"):
        improve(Near(energy), lambda situation: "", tmp_path, budget=BUDGET, instances=10)


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda first, count: [Instance(([1],))] * (count - 1), "near gave 9 values for 10 instances from number 0 on"),
        (lambda first, count: [([1],)] * count, "give a list of as many Instance"),
        (lambda first, count: None, "near gave None"),
        (lambda first, count: [Instance((object(),))] * count, "arguments of an instance of near cannot be passed"),
    ],
)
def test_an_objective_without_instances_is_named(tmp_path: Path, draw: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        improve(Near(draw=draw), lambda situation: "", tmp_path, budget=BUDGET, instances=10)


def test_an_objective_that_runs_out_of_instances_says_so_and_keeps_its_rounds(tmp_path: Path) -> None:
    finite = Near(draw=lambda first, count: [Instance(([number, 1],)) for number in range(first, min(first + count, 20))])
    with pytest.raises(ConfigError, match="near gave 0 values for 10 instances from number 20 on"):
        improve(finite, lambda situation: f"# {situation.round}\n{Near.baseline}", tmp_path, budget=BUDGET, breaker=Breaker(rounds=3), instances=10)
    assert len((tmp_path / "rounds.jsonl").read_text().splitlines()) == 1


def test_the_time_that_an_objective_takes_is_not_the_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Energies are computed once the process has ended: a slow backend would else use up the time that its sandbox allows it to live."""
    from ebmhw.verify.code.session import Session

    order: list[str] = []
    finish = Session.finish
    monkeypatch.setattr(Session, "finish", lambda self: order.append("ended") or finish(self))
    tried(Near.baseline, Near(lambda *_: order.append("judged") or 0.0), Near().instances(0, 2), BUDGET)
    assert order == ["ended", "judged", "judged"]
