"""Trial: a candidate run in the sandbox on some instances, and the energies of what it returned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from ebmhw.errors import VerificationError
from ebmhw.improve.budget import Budget
from ebmhw.improve.objective import Instance, Objective


@final
@dataclass(frozen=True)
class Trial:
    """What came of running a candidate.

    Attributes
    ----------
    energies : one an instance; None where it gave no answer
    failures : why, for each instance without one
    seconds : in the candidate's process, all instances together
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

    Raises
    ------
    SandboxUnavailable
        where candidates cannot be confined here.
    """
    from ebmhw.sandbox import Limits
    from ebmhw.verify.code.session import Raised, Returned, Session, StoppedCall

    energies: list[float | None] = []
    failures: list[str] = []
    with Session(code, Limits(seconds=budget.seconds, memory=budget.address_space)) as session:
        for instance in instances:
            outcome = session.loaded
            if isinstance(outcome, Returned):
                outcome = session.call(objective.entry_point, instance.arguments)
            energy = None
            if isinstance(outcome, Returned):
                try:
                    energy = objective.energy(instance, outcome.value)
                except VerificationError as error:
                    failures.append(str(error))
            elif isinstance(outcome, Raised):
                failures.append(f"it raised {outcome.kind}: {outcome.message}" + ("" if outcome.line is None else f" (line {outcome.line})"))
            else:
                failures.append(outcome.detail or outcome.cause)
            energies.append(energy)
        stopped = session.stopped
        ended = session.finish()
    cause = stopped.cause if isinstance(stopped, StoppedCall) else None
    return Trial(tuple(energies), tuple(failures), session.busy, ended.peak_memory, cause)
