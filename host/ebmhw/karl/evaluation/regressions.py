"""regression: whether an adapter took sessions worse than its base, or than an earlier adapter, did."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from ebmhw.errors import ConfigError
from ebmhw.karl.baselines.spread import FALL
from ebmhw.karl.evaluation.evaluation import Evaluation
from ebmhw.karl.evaluation.figures import Estimate, Figures, SessionFigures, figures_of, gap_of, gap_within_of, mean_of, share_of
from ebmhw.karl.evaluation.tables import aligned, estimate

TOLERANCE = FALL
"""How much worse a figure may be: nats a token, or a share of steps."""

MEASURES = ("nll", "gap", "gap_within", "next_tool")
_BETTER = {"nll": -1.0, "gap": 1.0, "gap_within": 1.0, "next_tool": 1.0}


class Change(NamedTuple):
    """What became of a figure.

    Attributes
    ----------
    before, after : the figure
    difference : after - before, over the same sessions, with its interval
    regressed : whether it is worse by more than the tolerance
    certain : whether it is worse by more than that at both ends of the interval; None without one
    """

    before: float
    after: float
    difference: Estimate
    regressed: bool
    certain: bool | None

    def to_dict(self) -> dict[str, Any]:
        """Return the change as JSON can hold it."""
        return self._asdict() | {"difference": self.difference.to_dict()}


class Comparison(NamedTuple):
    """Two evaluations over the sessions that both read.

    Attributes
    ----------
    sessions : how many these are
    all : {"nll", "gap", "gap_within", "next_tool": change}, those of which nothing is known left out
    domains : {domain: likewise}
    tolerance : as of `regression`
    missing : domains of the earlier evaluation, or that were expected, of which the later has no session
    """

    sessions: int
    all: dict[str, Change]
    domains: dict[str, dict[str, Change]]
    tolerance: float
    missing: tuple[str, ...]

    @property
    def regressed(self) -> tuple[str, ...]:
        """Names of the figures that are worse, those of domains as "DOMAIN/figure"."""
        own = [name for name, change in self.all.items() if change.regressed]
        return (*own, *(f"{domain}/{name}" for domain, found in self.domains.items() for name, change in found.items() if change.regressed))

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON can hold it."""
        return {
            "sessions": self.sessions,
            "tolerance": self.tolerance,
            "missing": list(self.missing),
            "regressed": list(self.regressed),
            "all": {name: change.to_dict() for name, change in self.all.items()},
            "domains": {domain: {name: change.to_dict() for name, change in found.items()} for domain, found in self.domains.items()},
        }

    def table(self) -> str:
        """Return a row for each figure, as text."""
        rows = [("", "figure", "before", "after", "difference (95 %)", "")]
        for domain, found in {"all": self.all, **self.domains}.items():
            for name, change in found.items():
                told = estimate(change.difference, sign=True)
                rows.append((domain, name, f"{change.before:.3f}", f"{change.after:.3f}", told, "worse" if change.regressed else ""))
        return aligned(rows)


def regression(before: Evaluation, after: Evaluation, *, tolerance: float = TOLERANCE, expected: Collection[str] = (), seed: int = 0) -> Comparison:
    """Return what became of the figures from one evaluation to another, by the sessions that both read.

    Parameters
    ----------
    tolerance : how much worse a figure may be: NLL higher, gap or next-tool accuracy lower
    expected : domains that have to be there
    seed : of the bootstrap

    Raises
    ------
    ConfigError : they have no session in common
    """
    for one in (before, after):
        if not one.sessions:
            raise ConfigError(f"the evaluation of {one.adapter or one.model} read no session{f': {one.failure}' if one.failure else ''}")
    earlier = {one.id: one for one in before.sessions}
    pairs = [(earlier[one.id], one) for one in after.sessions if one.id in earlier]
    if not pairs:
        raise ConfigError("the two evaluations have no session in common; evaluate both on the same ones")
    domains: dict[str, list[tuple[SessionFigures, SessionFigures]]] = {}
    for pair in pairs:
        domains.setdefault(pair[1].domain, []).append(pair)
    return Comparison(
        sessions=len(pairs),
        all=_changes(pairs, tolerance, seed),
        domains={name: _changes(found, tolerance, seed) for name, found in sorted(domains.items())},
        tolerance=tolerance,
        missing=tuple(sorted({*before.domains, *expected} - set(domains))),
    )


def _changes(pairs: Sequence[tuple[SessionFigures, SessionFigures]], tolerance: float, seed: int) -> dict[str, Change]:
    first, second = figures_of([one for one, _ in pairs], seed), figures_of([one for _, one in pairs], seed)
    tasks = [one.task for _, one in pairs]
    moved = [after.nll - before.nll for before, after in pairs]
    differences = {
        "nll": mean_of(moved, tasks, seed),
        # Both gaps are of the same sessions: that of the differences is their difference.
        "gap": gap_of(moved, [one.good for _, one in pairs], tasks, seed),
        "gap_within": gap_within_of(moved, [one.good for _, one in pairs], tasks, seed),
        "next_tool": share_of([after.hits - before.hits for before, after in pairs], [one.steps for _, one in pairs], tasks, seed),
    }
    found = {}
    for name in MEASURES:
        difference = differences[name]
        if difference is None:
            continue
        worse = -_BETTER[name] * difference.value > tolerance
        certain = None
        if difference.interval is not None:
            certain = difference.interval.low > tolerance if _BETTER[name] < 0 else difference.interval.high < -tolerance
        found[name] = Change(_value(first, name), _value(second, name), difference, worse, certain)
    return found


def _value(figures: Figures, name: str) -> float:
    value = getattr(figures, name)
    return float(value.value)
