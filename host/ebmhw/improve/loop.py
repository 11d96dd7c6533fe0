"""improve: propose, try in the sandbox, ask four gates, learn, until the breaker stops it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from ebmhw.errors import ConfigError, SandboxUnavailable, shown
from ebmhw.improve.breaker import Breaker
from ebmhw.improve.budget import Budget
from ebmhw.improve.claims import judged
from ebmhw.improve.gates import Gate, Gates, claims_gate, energy_gate, limit_gates
from ebmhw.improve.lessons import Lesson, lessons
from ebmhw.improve.objective import Objective
from ebmhw.improve.proposal import Proposal
from ebmhw.improve.proposers import Proposer, Situation, as_proposer
from ebmhw.improve.round import Round
from ebmhw.improve.skills import SkillFolder
from ebmhw.improve.trial import Trial, tried
from ebmhw.lock import locked
from ebmhw.numbers import whole
from ebmhw.stopping import uninterrupted


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
    instances : held out for each round, at least 6: fewer cannot reach a level of 0.05
    seed : of the gates' sign flips and a model's answers
    progress : called with every round

    Raises
    ------
    SandboxUnavailable
        where candidates cannot be confined.
    ConfigError
        for arguments that are not allowed, a baseline that gives no answers, a folder of another loop.
    """
    count = whole(instances)
    if count is None or count < 6:
        raise ConfigError(f"instances is {shown(instances)}; give a whole number of at least 6")
    if not isinstance(objective, Objective):
        raise ConfigError(f"the objective is {shown(objective)}; give an Objective")
    budget, breaker = budget or Budget(), breaker or Breaker()
    level = budget.level / breaker.rounds
    _check_level(level, count)
    home, proposer = SkillFolder(folder), as_proposer(propose, seed)
    home.path.mkdir(parents=True, exist_ok=True)
    with locked(home.path):
        digest = hashlib.sha256(objective.baseline.encode()).hexdigest()
        loop = {"objective": objective.name, "baseline": digest, "instances": count, "level": level, "seed": seed}
        code, records = home.open(loop, objective.baseline)
        # The first instances are for what proposers are told and for the last comparison; gates see only later ones.
        shown_to_all = objective.instances(0, count)
        before = tried(objective.baseline, objective, shown_to_all, budget)
        if not before.whole:
            raise ConfigError(f"the baseline of {objective.name} gives no answer to some instance: {before.failures[0]}")
        energy = tried(code, objective, shown_to_all, budget).mean
        incumbent, done = Proposal(code, by="the baseline"), []
        breaker.begin(len(records))
        while (stopped := breaker.stops(energy)) is None:
            number = len(records) + 1
            situation = Situation(objective, incumbent.code, energy, lessons(records), number)
            one = _round(situation, proposer, records, budget, level, count, seed)
            if one.accepted and one.proposal is not None:
                incumbent = one.proposal
                energy = tried(incumbent.code, objective, shown_to_all, budget).mean
            with uninterrupted():
                home.keep(one, objective.name, records)
            done.append(one)
            breaker.note(one.accepted)
            if progress is not None:
                progress(one)
        after = before if incumbent.code == objective.baseline else tried(incumbent.code, objective, shown_to_all, budget)
    accepted = tuple(record["round"] for record in records if record["accepted"])
    return Improvement(incumbent.code, tuple(done), accepted, lessons(records), before, after, stopped)


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
    fresh = objective.instances(number * count, count)
    candidate = tried(proposal.code, objective, fresh, budget)
    incumbent = tried(situation.code, objective, fresh, budget)
    claims = judged(proposal.claims, figures(candidate, incumbent))
    time, memory = limit_gates(candidate, budget)
    answers: tuple[Gate, ...] = (energy_gate(candidate, incumbent, level, seed + number), time, memory, claims_gate(claims))
    return Round(number, proposal, candidate=candidate, incumbent=incumbent, claims=claims, gates=Gates(answers))


def figures(candidate: Trial, incumbent: Trial) -> dict[str, float]:
    """Return what claims may speak of: energies and their difference, seconds, MiB, for the candidate and, with "incumbent_", for the incumbent."""
    found: dict[str, float] = {"instances": float(len(candidate.energies)), "failed": float(len(candidate.failures))}
    for prefix, trial in (("", candidate), ("incumbent_", incumbent)):
        found[f"{prefix}seconds"] = trial.seconds
        found[f"{prefix}memory_mib"] = trial.peak_memory / 2**20
        if trial.whole:
            found[f"{prefix}energy"] = trial.mean
    if candidate.whole and incumbent.whole:
        found["gain"] = incumbent.mean - candidate.mean
        if incumbent.mean:
            found["relative_gain"] = found["gain"] / abs(incumbent.mean)
    return found
