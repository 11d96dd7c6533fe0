"""Gates: the four questions that a candidate must answer with yes before anything is learned from it.

1. energy: it is better than the incumbent on held-out instances. The differences of the energies, instance by instance, are tested by flipping their
   signs (exact where each difference is as likely up as down: Fisher 1935, section 21; Pitman 1937); the level of a loop is shared by its
   rounds (Bonferroni), so that a loop of proposals that are no better accepts one with at most that probability.
2. time, 3. memory: within the budget, all instances together for the first, at its peak for the second.
4. claims: something that was claimed holds, and nothing that was claimed is wrong. What cannot be decided is not learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, final

import numpy as np

from ebmhw.errors import shown
from ebmhw.improve.budget import Budget
from ebmhw.improve.claims import JudgedClaim
from ebmhw.improve.trial import Trial
from ebmhw.verify.verdict import VERIFIED, VIOLATED

GateName = Literal["energy", "time", "memory", "claims"]

FLIPS = 20_000
"""Random sign flips of a test, beside the one observed; with 14 instances or fewer all are tried."""

_EXHAUSTIVE, _AT_ONCE = 14, 1000


class Gate(NamedTuple):
    """The answer of one gate, and why."""

    name: GateName
    passed: bool
    reason: str


@final
@dataclass(frozen=True)
class Gates:
    """The answers of all four."""

    answers: tuple[Gate, ...]

    @property
    def passed(self) -> bool:
        """True where every one is passed."""
        return all(gate.passed for gate in self.answers)

    @property
    def failed(self) -> tuple[Gate, ...]:
        """Those that are not passed."""
        return tuple(gate for gate in self.answers if not gate.passed)

    def to_json(self) -> list[dict[str, Any]]:
        """Return them as JSON holds them."""
        return [gate._asdict() for gate in self.answers]


def energy_gate(candidate: Trial, incumbent: Trial, level: float, seed: int) -> Gate:
    """Return whether a candidate's energies are lower than the incumbent's on the same instances, at a level.

    One instance to which the candidate has no answer closes the gate; one where only the incumbent has none is left out of the test, since no
    difference can be taken.
    """
    if not candidate.whole:
        return Gate("energy", False, f"{len(candidate.failures)} of {len(candidate.energies)} instances have no answer: {candidate.failures[0]}")
    pairs = [(old, new) for old, new in zip(incumbent.energies, candidate.energies, strict=True) if old is not None and new is not None]
    if not pairs:
        return Gate("energy", False, "the incumbent has no answer to any instance, so that there is nothing to compare with")
    gains = np.array([old - new for old, new in pairs])
    chance = sign_flip_probability(gains, seed)
    said = f"mean energy {candidate.mean:.6g} against {incumbent.mean:.6g}, p {chance:.2g} where {level:.2g} is needed"
    return Gate("energy", bool(gains.mean() > 0 and chance <= level), said)


def sign_flip_probability(gains: Any, seed: int) -> float:
    """Return the probability, signs being random, of gains whose sum is at least the observed one.

    Parameters
    ----------
    gains : (n,) differences; zeros count as they are
    seed : of the random flips where there are more than 2^14
    """
    values = np.asarray(gains, dtype=np.float64)
    count = len(values)
    if count <= _EXHAUSTIVE:
        codes = np.arange(2**count)[:, None] >> np.arange(count) & 1
        sums = (1 - 2 * codes) @ values
        return float(np.mean(sums >= values.sum() - 1e-12 * np.abs(values).sum()))
    random = np.random.default_rng(seed)
    least = values.sum() - 1e-12 * np.abs(values).sum()
    reached = 0
    for _ in range(FLIPS // _AT_ONCE):
        signs = 1 - 2 * random.integers(0, 2, (_AT_ONCE, count), dtype=np.int8)
        reached += int(np.sum(signs @ values >= least))
    return (reached + 1) / (FLIPS + 1)


def limit_gates(trial: Trial, budget: Budget) -> tuple[Gate, Gate]:
    """Return the gates of time and memory."""
    time = f"{trial.seconds:.3g} s of {budget.seconds:.3g} s"
    memory = f"{trial.peak_memory / 2**20:.0f} MiB of {budget.memory / 2**20:.0f} MiB"
    within = trial.peak_memory <= budget.memory and trial.cause != "memory"
    return Gate("time", trial.seconds <= budget.seconds and trial.cause not in ("time", "cpu"), time), Gate("memory", within, memory)


def claims_gate(claims: Sequence[JudgedClaim]) -> Gate:
    """Return whether something claimed is VERIFIED and nothing VIOLATED."""
    if not claims:
        return Gate("claims", False, 'nothing is claimed; claim a comparison of figures, such as "gain > 0"')
    wrong = [claim for claim in claims if claim.verdict == VIOLATED]
    if wrong:
        return Gate("claims", False, f"{shown(wrong[0].text)} is wrong: {wrong[0].reason}")
    held = [claim for claim in claims if claim.verdict == VERIFIED]
    if not held:
        return Gate("claims", False, f"nothing that is claimed could be decided: {shown(claims[0].text)}: {claims[0].reason}")
    return Gate("claims", True, f"{len(held)} of {len(claims)} claims hold, none is wrong")
