"""The loop: what is better is learned, what is not is refused with its reason, and a stopped loop goes on."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from improve_candidates import GOOD, HOSTILE, WORSE

from ebmhw.errors import ConfigError, InvalidFile
from ebmhw.improve import Breaker, Budget, QuarticMinimum, Round, Situation, improve
from ebmhw.improve.trial import tried

pytestmark = pytest.mark.confined

BUDGET = Budget(seconds=40.0)


def turns(*proposals: Any) -> Any:
    """Return a proposer that makes these proposals in turn."""

    def propose(situation: Situation) -> Any:
        made = proposals[situation.round - 1]
        if isinstance(made, Exception):
            raise made
        return made

    return propose


def run(folder: Path, *proposals: Any, **more: Any) -> Any:
    given = {"budget": BUDGET, "breaker": Breaker(rounds=len(proposals), failures=len(proposals)), "instances": 12, **more}
    return improve(QuarticMinimum(), turns(*proposals), folder, **given)


def test_what_is_better_is_learned_and_what_is_not_is_refused(tmp_path: Path) -> None:
    seen: list[Round] = []
    found = run(
        tmp_path, WORSE, (GOOD, ["gain > 0", "seconds < 40"]), (GOOD + "\n# again", ["gain > 0"]), ValueError("no more ideas"), progress=seen.append
    )
    assert found.accepted == (2,) and found.code == GOOD and found.gain > 0
    assert [one.accepted for one in seen] == [False, True, False, False] == [one.accepted for one in found.rounds]
    assert "energy" in {gate.name for gate in seen[0].gates.failed} and "gain is -" in seen[0].reason
    # The same energies twice: no gain, so the test cannot reject, and "gain > 0" is wrong.
    assert {gate.name for gate in seen[2].gates.failed} == {"energy", "claims"}
    assert seen[3].reason == "the proposer failed: ValueError: no more ideas"
    skill = tmp_path / "skills" / "quartic-minimum-2"
    assert (skill / "candidate.py").read_text() == GOOD == (tmp_path / "incumbent.py").read_text()
    page = (skill / "SKILL.md").read_text()
    assert page.startswith("---\nname: quartic-minimum-2\n") and "- gain > 0 (gain is " in page
    assert "the proposer failed" in (tmp_path / "lessons.md").read_text()
    assert len((tmp_path / "rounds.jsonl").read_text().splitlines()) == 4
    assert not (tmp_path / "skills" / "quartic-minimum-1").exists()


@pytest.mark.parametrize("what", HOSTILE)
def test_a_candidate_that_only_looks_good_has_no_energy(what: str) -> None:
    objective = QuarticMinimum()
    trial = tried(HOSTILE[what], objective, objective.instances(5, 3), Budget(seconds=1.0))
    assert not trial.whole and trial.failures, trial
    honest = tried(GOOD, objective, objective.instances(5, 3), BUDGET)
    assert honest.whole and honest.mean < 0.1


def test_a_better_candidate_whose_claim_is_wrong_is_not_learned(tmp_path: Path) -> None:
    found = run(tmp_path, (GOOD, ["gain > 0", "energy < 0"]), (GOOD + "\n", ["This is by far the best."]))
    assert not found.accepted and found.gain == 0
    assert [[gate.name for gate in one.gates.failed] for one in found.rounds] == [["claims"], ["claims"]]


def test_the_same_code_is_not_tried_twice(tmp_path: Path) -> None:
    found = run(tmp_path, WORSE, WORSE, QuarticMinimum().baseline)
    assert [one.reason for one in found.rounds[1:]] == ["round 1 tried the same code", "the incumbent's code was proposed"]


def test_a_proposal_that_is_none_fails_its_round_only(tmp_path: Path) -> None:
    found = run(tmp_path, 7, (GOOD, "gain"), (GOOD, [7]), "x" * 70_000, GOOD)
    assert found.accepted == (5,)
    assert ["give code" in found.rounds[0].reason, "give code" in found.rounds[1].reason, "give a str" in found.rounds[2].reason] == [True] * 3
    assert "at most 65536" in found.rounds[3].reason


def test_a_loop_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    proposals = (WORSE, GOOD, WORSE + "#", WORSE + "##")
    rounds = Breaker(rounds=4, failures=4)
    whole = run(tmp_path / "whole", *proposals)

    def cut(situation: Situation) -> Any:
        if situation.round == 3:
            raise KeyboardInterrupt
        return proposals[situation.round - 1]

    with pytest.raises(KeyboardInterrupt):
        improve(QuarticMinimum(), cut, tmp_path / "cut", budget=BUDGET, breaker=rounds, instances=12)
    rest = improve(QuarticMinimum(), turns(*proposals), tmp_path / "cut", budget=BUDGET, breaker=Breaker(rounds=4, failures=4), instances=12)
    assert [one.number for one in rest.rounds] == [3, 4] and rest.accepted == whole.accepted == (2,)

    def energies(folder: Path) -> list[Any]:
        lines = map(json.loads, (tmp_path / folder / "rounds.jsonl").read_text().splitlines())
        return [(line["accepted"], line["candidate"]["energies"], line["incumbent"]["energies"]) for line in lines]

    assert energies(Path("whole")) == energies(Path("cut"))


def test_instances_of_gates_are_never_those_that_proposers_are_told_of(tmp_path: Path) -> None:
    asked: list[tuple[int, int]] = []

    class Watched(type(QuarticMinimum())):  # type: ignore[misc]
        def instances(self, first: int, count: int) -> Any:
            asked.append((first, count))
            return super().instances(first, count)

    improve(Watched(), turns(WORSE, GOOD), tmp_path, budget=BUDGET, breaker=Breaker(rounds=2, failures=2), instances=8)
    assert sorted(asked) == [(0, 8), (8, 8), (16, 8)]


@pytest.mark.parametrize(
    ("breaker", "said", "rounds"),
    [
        (Breaker(rounds=2, failures=9), "all 2 rounds are done", 2),
        (Breaker(rounds=9, failures=3), "the last 3 proposals failed", 3),
        (Breaker(rounds=9, failures=9, seconds=1e-9), "1e-09 s are over", 0),
        (Breaker(rounds=9, failures=9, target=1e9), "has reached the target", 0),
    ],
)
def test_the_breaker_stops_it(tmp_path: Path, breaker: Breaker, said: str, rounds: int) -> None:
    found = improve(QuarticMinimum(), lambda situation: 1 / 0, tmp_path, budget=BUDGET, breaker=breaker, instances=12)
    assert said in found.stopped_by and len(found.rounds) == rounds


def test_a_folder_of_another_loop_or_a_damaged_one_is_left_alone(tmp_path: Path) -> None:
    run(tmp_path, WORSE, GOOD)
    before = (tmp_path / "rounds.jsonl").read_bytes()
    with pytest.raises(ConfigError, match="holds a loop whose instances is 12, not 10"):
        run(tmp_path, WORSE, GOOD, instances=10)
    (tmp_path / "rounds.jsonl").write_bytes(before + b'{"round": 9}\n')
    with pytest.raises(InvalidFile, match=r"rounds\.jsonl:3: this is no round of a loop"):
        run(tmp_path, WORSE, GOOD)
    assert (tmp_path / "rounds.jsonl").read_bytes() == before + b'{"round": 9}\n'


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"instances": 5}, "instances is 5; give a whole number from 6 to 10000"),
        ({"instances": 10**9}, "instances is 1000000000; give"),
        ({"seed": -1}, "seed is -1; give"),
        ({"seed": None}, "seed is None; give"),
        ({"budget": 5}, "give a Budget and a Breaker"),
        ({"breaker": 5}, "give a Budget and a Breaker"),
        ({"instances": 7, "breaker": Breaker(rounds=50)}, "cannot reach the level 0.001"),
        ({"breaker": None, "budget": Budget(seconds=4.0, level=1e-9)}, "cannot reach the level"),
    ],
)
def test_arguments_that_cannot_work_are_refused(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        run(tmp_path, GOOD, **more)


@pytest.mark.parametrize("target", ["low", math.nan, True])
def test_a_target_is_an_energy(target: Any) -> None:
    with pytest.raises(ConfigError, match="target of the circuit breaker"):
        Breaker(target=target)


def test_nothing_is_run_where_it_cannot_be_confined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ebmhw.errors import SandboxUnavailable

    def refuse(*_: Any, **__: Any) -> Any:
        raise SandboxUnavailable("no Landlock here")

    monkeypatch.setattr("ebmhw.verify.code.session.Session.__init__", refuse)
    with pytest.raises(SandboxUnavailable, match="no Landlock"):
        run(tmp_path, GOOD)
