"""How even an adapter is over domains, and how adapters of single domains do in the others."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ebmhw.karl.baselines.spread import Spread
from ebmhw.karl.baselines.spread import domain_spread as spread_of
from ebmhw.karl.evaluation.evaluation import Evaluation, evaluate
from ebmhw.karl.evaluation.regressions import MEASURES
from ebmhw.karl.evaluation.tables import aligned, number
from ebmhw.karl.trajectory import Trajectory

BASE = "base"


class CrossDomain(NamedTuple):
    """Adapters by domains.

    Attributes
    ----------
    evaluations : {name of an adapter, "base" for the model alone: its evaluation}
    domains : of the sessions
    """

    evaluations: dict[str, Evaluation]
    domains: tuple[str, ...]

    def value(self, name: str, domain: str, figure: str) -> float | None:
        """Return one of `MEASURES` of an adapter in a domain, None where it is not known."""
        found = self.evaluations[name].domains.get(domain)
        value = None if found is None else getattr(found, figure)
        return None if value is None else float(value.value)

    def to_dict(self) -> dict[str, Any]:
        """Return the table as JSON can hold it, an evaluation's sessions left out."""
        return {
            name: {domain: {figure: self.value(name, domain, figure) for figure in MEASURES} for domain in self.domains} for name in self.evaluations
        }

    def table(self, figure: str = "nll") -> str:
        """Return a row for each adapter and a column for each domain, as text."""
        rows = [("", *self.domains)]
        rows += [(name, *(number(self.value(name, domain, figure)) for domain in self.domains)) for name in self.evaluations]
        return aligned(rows)


def domain_spread(evaluation: Evaluation, expected: Collection[str] = ()) -> Spread:
    """Return how next-tool accuracy, each session's share of steps, varies between domains; ``expected`` are those that should be there.

    Of one domain there is no spread: it, and whether it is good, are None.
    """
    shares: dict[str, list[float | None]] = {}
    for one in evaluation.sessions:
        shares.setdefault(one.domain, []).append(one.hits / one.steps if one.steps else None)
    found = spread_of(shares, expected)
    return found if len(found.means) > 1 else found._replace(spread=None, good=None)


def evenness(spread: Spread) -> str:
    """Return a spread as a line of text."""
    if not spread.means:
        return "next tools by domain: nothing is known"
    if spread.spread is None:
        return f"next tools by domain: all sessions are of one domain ({next(iter(spread.means))}), so that there is no spread"
    weak = f"; weak: {', '.join(spread.weak)}" if spread.weak else ""
    return f"next tools by domain: spread {spread.spread:.3f}, {'even' if spread.good else 'uneven'}{weak}"


def cross_domain(
    adapters: Mapping[str, str | os.PathLike[str]], model: str, trajectories: Sequence[Trajectory], *, base: bool = True, **options: Any
) -> CrossDomain:
    """Return how adapters, say each of one domain, take the sessions of every domain.

    Parameters
    ----------
    adapters : {name: folder}
    base : whether the model is read without an adapter too
    options : as of `ebmhw.karl.evaluation.evaluate`; the time limit is that of each
    """
    asked: dict[str, str | os.PathLike[str] | None] = {**({BASE: None} if base else {}), **adapters}
    found = {name: evaluate(model, adapter, trajectories, **options) for name, adapter in asked.items()}
    return CrossDomain(found, tuple(sorted({domain for one in found.values() for domain in one.domains})))
