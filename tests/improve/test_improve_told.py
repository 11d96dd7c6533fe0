"""What a loop tells: seconds that were taken, lessons without noise, lines cut at a word, pictures in steps."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmhw.improve import Breaker, Budget, Objective, QuarticMinimum, improve
from ebmhw.improve.gates import limit_gates
from ebmhw.improve.lessons import cut, lessons
from ebmhw.improve.round import Round
from ebmhw.improve.trial import Trial, tried

SLEEPS = "import time\n\ndef minimum(a, b, c, d):\n    time.sleep(0.03)\n    return 0.0\n"


@pytest.mark.confined
def test_seconds_are_those_of_the_wall_clock_without_grace() -> None:
    objective = QuarticMinimum()
    trial = tried(SLEEPS, objective, objective.instances(0, 10), Budget(seconds=30.0))
    # Each answer comes within the grace of limits; the gate is closed all the same.
    assert trial.whole and trial.seconds >= 0.3
    assert not limit_gates(trial, Budget(seconds=0.25))[0].passed
    assert tried(objective.baseline, objective, objective.instances(0, 3), Budget(seconds=30.0)).seconds > 0


@pytest.mark.confined
def test_a_true_claim_of_less_time_holds(tmp_path: Path) -> None:
    class Slow(Objective):
        name, description, entry_point, baseline = "slow", "Return 0 soon.", "minimum", SLEEPS.replace("return 0.0", "return 0.5")

        def instances(self, first: int, count: int) -> Any:
            return QuarticMinimum().instances(first, count)

        def energy(self, instance: Any, answer: Any) -> float:
            return abs(answer)

    proposal = ("def minimum(a, b, c, d):\n    return 0.0\n", ["seconds < incumbent_seconds", "seconds > 0.00001"])
    found = improve(Slow(), lambda _: proposal, tmp_path / "loop", breaker=Breaker(rounds=1), instances=6)
    assert [claim.verdict for claim in found.rounds[0].claims] == ["VERIFIED", "VERIFIED"]


def record(energies: list[float | None], energy: str) -> dict[str, Any]:
    gates = [{"name": "energy", "passed": False, "reason": energy}, {"name": "claims", "passed": False, "reason": "'gain' is not measured"}]
    return {"error": None, "accepted": False, "gates": gates, "candidate": {"energies": energies}}


def test_claims_are_no_lesson_where_there_were_no_answers() -> None:
    assert [one.gate for one in lessons([record([None, None], "no answer: SyntaxError")] * 2)] == ["energy"]
    assert [one.gate for one in lessons([record([1.0, 2.0], "p 0.5")])] == ["claims", "energy"]


@given(st.text("ab \n\té", max_size=80), st.integers(4, 40))
def test_a_cut_text_ends_after_a_word(text: str, length: int) -> None:
    made, words = cut(text, length), text.split()
    assert len(made) <= length and "\n" not in made
    if made == " ".join(words):
        return
    assert made.endswith("...") and len(" ".join(words)) > length
    kept = made[:-3].split()
    assert kept == words[: len(kept)] or (len(kept) == 1 and words[0].startswith(kept[0]))


def test_a_line_of_a_round_is_cut_at_a_word() -> None:
    line = str(Round(1, None, error="anything " * 40))
    assert line.endswith("anything...") and len(line) < 150


@pytest.mark.confined
def test_the_incumbent_is_drawn_as_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.axes import Axes

    from ebmhw.improve import write_picture

    improve(QuarticMinimum(), lambda one: f"def minimum(a, b, c, d):\n    return {one.round}\n", tmp_path / "loop", breaker=Breaker(rounds=2))
    drawn: list[Any] = []
    plot = Axes.plot
    monkeypatch.setattr(Axes, "plot", lambda self, *args, **kwargs: drawn.extend(plot(self, *args, **kwargs)))
    write_picture(tmp_path / "loop.png", tmp_path / "loop")
    (incumbent,) = (line for line in drawn if line.get_label() == "incumbent")
    assert incumbent.get_drawstyle().startswith("steps") and len(incumbent.get_xdata()) == 2


def test_the_class_says_what_an_objective_has() -> None:
    told = inspect.getdoc(Objective) or ""
    assert all(f"{name} :" in told or f"{name}(" in told for name in Objective.__abstractmethods__)


def test_a_trial_that_used_its_time_up_closes_the_gate() -> None:
    assert not limit_gates(Trial((1.0,), (), 2.1, 0), Budget(seconds=2.0))[0].passed
