"""improve: propose, try in the sandbox, ask four gates, learn, until the breaker stops it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

from ebmhw.errors import ConfigError, SandboxUnavailable, shown
from ebmhw.improve.breaker import Breaker
from ebmhw.improve.budget import Budget
from ebmhw.improve.claims import judged
from ebmhw.improve.figures import figures
from ebmhw.improve.gates import Gate, Gates, claims_gate, energy_gate, limit_gates
from ebmhw.improve.lessons import Lesson, lessons
from ebmhw.improve.objective import Instance, Objective
from ebmhw.improve.proposal import digest_of
from ebmhw.improve.proposers import Proposer, Situation, as_proposer
from ebmhw.improve.round import Round
from ebmhw.improve.skills import SkillFolder
from ebmhw.improve.trial import Trial, tried
from ebmhw.lock import locked
from ebmhw.numbers import whole
from ebmhw.stopping import uninterrupted

MOST_INSTANCES = 10_000
"""Of a round."""


@final
@dataclass(frozen=True)
class Improvement:
    """What a loop came to.

    Attributes
    ----------
    code : the incumbent's source
    rounds : those of this call, in order
    accepted : numbers of all rounds whose candidate passed, earlier calls' among them
    lessons : what the rounds taught
    before, after : the baseline and the incumbent on the same instances, which no gate has seen
    stopped_by : why it ended
    """

    code: str
    rounds: tuple[Round, ...]
    accepted: tuple[int, ...]
    lessons: tuple[Lesson, ...]
    before: Trial
    after: Trial
    stopped_by: str

    @property
    def gain(self) -> float:
        """Mean energy of the baseline minus that of the incumbent; above 0 is better."""
        return self.before.mean - self.after.mean

    def __repr__(self) -> str:
        said = f"{self.before.mean:.6g} to {self.after.mean:.6g}"
        return f"Improvement({len(self.accepted)} accepted of {len(self.rounds)} rounds here, energy {said}; {self.stopped_by})"


def improve(
    objective: Objective,
    propose: Any,
    folder: str | os.PathLike[str],
    *,
    budget: Budget | None = None,
    breaker: Breaker | None = None,
    instances: int = 16,
    seed: int = 0,
    progress: Callable[[Round], None] | None = None,
) -> Improvement:
    """Return what a loop of proposals came to; a folder that holds an earlier part of the same loop is gone on with.

    Every round draws instances that no earlier one saw, runs incumbent and candidate on them in the sandbox, and asks the gates.

    Parameters
    ----------
    propose : a function of a `Situation` to code, a language model or its name (see `as_proposer`)
    folder : where rounds, lessons and skills are kept (see `ebmhw.improve.skills`)
    budget : what a candidate may take
    breaker : when to stop; its rounds share the level of the energy gate
    instances : held out for each round, 6 to 10,000: fewer cannot reach a level of 0.05
    seed : of the gates' sign flips and a model's answers, at least 0
    progress : called with every round

    Raises
    ------
    SandboxUnavailable
        where candidates cannot be confined.
    ConfigError
        for arguments that are not allowed, a baseline that gives no answers, a folder of another loop or that cannot be written.
    InvalidFile
        for a folder whose files are damaged; they are left as they are.
    """
    count, start = whole(instances), whole(seed)
    if count is None or not 6 <= count <= MOST_INSTANCES:
        raise ConfigError(f"instances is {shown(instances)}; give a whole number from 6 to {MOST_INSTANCES}")
    if start is None or start < 0:
        raise ConfigError(f"seed is {shown(seed)}; give a whole number of at least 0")
    if not isinstance(objective, Objective):
        raise ConfigError(f"the objective is {shown(objective)}; give an Objective")
    budget, breaker = budget or Budget(), breaker or Breaker()
    if not isinstance(budget, Budget) or not isinstance(breaker, Breaker):
        raise ConfigError(f"budget is {shown(budget)}, breaker {shown(breaker)}; give a Budget and a Breaker, or leave them out")
    level = budget.level / breaker.rounds
    _check_level(level, count)
    home, proposer = SkillFolder(folder), as_proposer(propose, start)
    with locked(home.path):
        loop = {"objective": objective.name, "baseline": digest_of(objective.baseline), "instances": count, "level": level, "seed": start}
        code, records = home.open(loop, objective.baseline)
        # The first instances are for what proposers are told and for the last comparison; gates see only later ones.
        shown_to_all = _drawn(objective, 0, count)
        before = tried(objective.baseline, objective, shown_to_all, budget)
        if not before.whole:
            raise ConfigError(f"the baseline of {objective.name} gives no answer to some instance: {before.failures[0]}")
        after = before if code == objective.baseline else tried(code, objective, shown_to_all, budget)
        done: list[Round] = []
        breaker.begin(len(records))
        while (stopped := breaker.stops(after.mean if after.whole else math.inf)) is None:
            situation = Situation(objective, code, after.mean if after.whole else None, lessons(records), len(records) + 1)
            one = _round(situation, proposer, records, budget, level, count, start)
            if one.accepted and one.proposal is not None:
                code = one.proposal.code
                after = tried(code, objective, shown_to_all, budget)
            with uninterrupted():
                home.keep(one, objective.name, records)
            done.append(one)
            breaker.note(one.accepted)
            if progress is not None:
                progress(one)
    accepted = tuple(record["round"] for record in records if record["accepted"])
    return Improvement(code, tuple(done), accepted, lessons(records), before, after, stopped)


def _drawn(objective: Objective, first: int, count: int) -> Sequence[Instance]:
    """Return instances of an objective; ConfigError where it gives others than were asked for."""
    found = objective.instances(first, count)
    if not isinstance(found, Sequence) or len(found) != count or not all(isinstance(one, Instance) for one in found):
        told = f"{len(found)} values" if isinstance(found, Sequence) else shown(found)
        raise ConfigError(
            f"{objective.name} gave {told} for {count} instances from number {first} on; give a list of as many Instance. Each round needs others: "
            "where there are no more, ask for fewer rounds or instances"
        )
    return found


def _check_level(level: float, count: int) -> None:
    least = 2.0**-count if count <= 14 else 1 / 20_001
    if least > level:
        raise ConfigError(
            f"{count} instances cannot reach the level {level:.2g} of each round (the budget's, shared by the breaker's rounds); "
            "give more instances or fewer rounds"
        )


def _round(situation: Situation, proposer: Proposer, records: list[dict[str, Any]], budget: Budget, level: float, count: int, seed: int) -> Round:
    """Return a round: a proposal, both trials on fresh instances, the gates."""
    objective, number = situation.objective, situation.round
    try:
        proposal = proposer(situation)
    except SandboxUnavailable:
        raise
    except Exception as error:
        # Whatever a user's function or a model raises is a failed round, and not the end of the loop.
        return Round(number, None, error=f"the proposer failed: {type(error).__name__}: {error}")
    earlier = next((record["round"] for record in records if record["proposal"] and record["proposal"]["digest"] == proposal.digest), None)
    if earlier is not None or proposal.code == situation.code:
        said = "the incumbent's code was proposed" if proposal.code == situation.code else f"round {earlier} tried the same code"
        return Round(number, proposal, error=said)
    fresh = _drawn(objective, number * count, count)
    candidate = tried(proposal.code, objective, fresh, budget)
    incumbent = tried(situation.code, objective, fresh, budget)
    claims = judged(proposal.claims, figures(candidate, incumbent))
    time, memory = limit_gates(candidate, budget)
    answers: tuple[Gate, ...] = (energy_gate(candidate, incumbent, level, seed + number), time, memory, claims_gate(claims))
    return Round(number, proposal, candidate=candidate, incumbent=incumbent, claims=claims, gates=Gates(answers))
