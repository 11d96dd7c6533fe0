"""Trial: a candidate run in the sandbox on some instances, and the energies of what it returned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, final

from ebmhw.errors import ConfigError, VerificationError, shown
from ebmhw.improve.budget import Budget
from ebmhw.improve.objective import Instance, Objective

if TYPE_CHECKING:
    from ebmhw.verify.code.session import Outcome

MOST_ENERGY = 1e100
"""Size of an energy at most: sums and squares of such are finite."""

_REASON_LENGTH = 400


@final
@dataclass(frozen=True)
class Trial:
    """What came of running a candidate.

    Attributes
    ----------
    energies : one an instance; None where it gave no answer
    failures : why, for each instance without one
    seconds : of wall clock in which its process had been asked and had not answered: loading and all instances together, without starting the process
    peak_memory : bytes resident at most
    cause : why its process ended early ("time", "memory", ...); None where it did not
    """

    energies: tuple[float | None, ...]
    failures: tuple[str, ...]
    seconds: float
    peak_memory: int
    cause: str | None = None

    @property
    def whole(self) -> bool:
        """True where every instance has an energy."""
        return None not in self.energies

    @property
    def mean(self) -> float:
        """Mean energy of the instances that have one; infinite where none has."""
        known = [energy for energy in self.energies if energy is not None]
        return math.fsum(known) / len(known) if known else math.inf

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "energies": list(self.energies),
            "failures": list(self.failures),
            "seconds": self.seconds,
            "peak_memory": self.peak_memory,
            "cause": self.cause,
        }


def tried(code: str, objective: Objective, instances: Sequence[Instance], budget: Budget) -> Trial:
    """Return the trial of a candidate's code: one process for all instances, asked for one after the other.

    The process gets copies of the arguments, so that what it does to them changes nothing here, and has ended before its answers are judged: how long
    the objective takes is not counted as its time.

    Raises
    ------
    SandboxUnavailable
        where candidates cannot be confined here.
    ConfigError
        for instances whose arguments cannot be passed to it.
    """
    from ebmhw.sandbox import Limits
    from ebmhw.verify.code.session import Returned, Session, StoppedCall
    from ebmhw.verify.code.values import Refused

    outcomes: list[Outcome] = []
    with Session(code, Limits(seconds=budget.seconds, memory=budget.address_space)) as session:
        for instance in instances:
            outcome = session.loaded
            if isinstance(outcome, Returned):
                try:
                    outcome = session.call(objective.entry_point, deepcopy(instance.arguments))
                except Refused as error:
                    raise ConfigError(f"arguments of an instance of {objective.name} cannot be passed to a candidate: {error}") from None
            outcomes.append(outcome)
        stopped = session.stopped
        ended = session.finish()
    judged = [_energy(objective, instance, outcome) for instance, outcome in zip(instances, outcomes, strict=True)]
    energies = tuple(None if isinstance(found, str) else found for found in judged)
    failures = tuple(found for found in judged if isinstance(found, str))
    return Trial(energies, failures, session.elapsed, ended.peak_memory, stopped.cause if isinstance(stopped, StoppedCall) else None)


def _energy(objective: Objective, instance: Instance, outcome: Outcome) -> float | str:
    """Return the energy of an answer, or why there is none, in one line."""
    from ebmhw.verify.code.session import Raised, Returned

    if isinstance(outcome, Raised):
        why = f"it raised {outcome.kind}: {outcome.message}" + ("" if outcome.line is None else f" (line {outcome.line})")
    elif not isinstance(outcome, Returned):
        why = outcome.detail or outcome.cause
    elif not is_plain(outcome.value):
        # An object of its own would do what the candidate says, the arithmetic of an energy included.
        why = "it returned an object of its own; plain values of Python are needed"
    else:
        try:
            energy = objective.energy(instance, outcome.value)
        except VerificationError as error:
            why = str(error)
        except Exception as error:
            # An objective need not foresee every answer; where it is at fault itself, the baseline has no energy either.
            why = f"the objective could not judge {shown(outcome.value)}: {type(error).__name__}: {error}"
        else:
            if isinstance(energy, Real) and not isinstance(energy, bool) and abs(energy) <= MOST_ENERGY:
                return float(energy)
            why = f"the objective gave {shown(outcome.value)} the energy {shown(energy)}; it must be a number of at most {MOST_ENERGY:g} in size"
    return " ".join(why.split())[:_REASON_LENGTH] or "no reason"


def is_plain(answer: object) -> bool:
    """Return whether a value and all that it holds are plain: what is kept in the candidate's process, and called there, is not."""
    from ebmhw.verify.code.values import Refused, encode

    try:
        encode(answer)
    except (Refused, RecursionError):
        return False
    return True
