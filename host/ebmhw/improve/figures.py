"""Figures: what is measured of a round, by name; claims speak of these."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from random import Random

from ebmhw.improve.trial import Trial

SAMPLES = 64
"""Rounds that are made up to see whether a claim could be wrong."""


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


def made_up() -> Iterator[dict[str, Fraction]]:
    """Yield figures of rounds as they might be, good and bad ones, from 10^-45 to 10^45, exact: what holds of all of them says nothing of one."""
    random = Random(0)
    for number in range(SAMPLES):
        candidate, incumbent = (_drawn(random) * random.choice((-1, 1)) for _ in range(2))
        if number % 8 == 0:  # no difference at all
            candidate = incumbent
        elif number % 8 == 1:  # nothing to relate it to
            incumbent = Fraction(0)
        found = {"energy": candidate, "incumbent_energy": incumbent, "gain": incumbent - candidate}
        found["relative_gain"] = found["gain"] / abs(incumbent) if incumbent else Fraction(0)
        found |= {f"{prefix}{name}": _drawn(random) for prefix in ("", "incumbent_") for name in ("seconds", "memory_mib")}
        found["instances"] = Fraction(random.randint(6, 1000))
        yield found | {"failed": random.choice((Fraction(0), Fraction(1), found["instances"]))}


def _drawn(random: Random) -> Fraction:
    """Return a number above 0 whose size is drawn by its digits."""
    return Fraction(10) ** random.randint(-45, 44) * Fraction(random.randint(10, 99), 10)
