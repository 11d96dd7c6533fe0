"""Anticipation geometry of sessions, as scores to stand beside the signals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ebmhw.cli import terminal

if TYPE_CHECKING:
    from ebmhw.cli.karl.source import Decorator, Sessions
    from ebmhw.karl.geometry import Correlation

geometry_option: Decorator = click.option(
    "--geometry", is_flag=True, help="Add scores of the paths that sessions take through what is said and called."
)

SCORES = {"tp_std": "tp_std", "tp_positive_ratio": "tp_positive_ratio", "commitment": "commitment_mean", "recovery": "recovery_mean"}
"""{name in the table: attribute of an Anticipation}."""


class Geometry(NamedTuple):
    """What the geometry of sessions is worth.

    Attributes
    ----------
    scores : {name: a number or None for each session}
    correlations : {"turns" or "calls": with the reward and its signals}
    """

    scores: dict[str, list[float | None]]
    correlations: dict[str, list[Correlation]]

    def to_dict(self, ids: list[str]) -> dict[str, Any]:
        """Return it as JSON can hold it; ``ids`` are those of the sessions."""
        return {
            "sessions": {one: {name: values[i] for name, values in self.scores.items()} for i, one in enumerate(ids)},
            "correlations": {name: [row._asdict() for row in rows] for name, rows in self.correlations.items()},
        }

    def __str__(self) -> str:
        """Return the correlations with the reward as a table."""
        rows = []
        for of, found in self.correlations.items():
            for row in found:
                if row.signal == "total":
                    known = ("-", "-") if row.rho is None or row.p_value is None else (f"{row.rho:+.3f}", f"{row.p_value:.3g}")
                    rows.append((f"{row.scalar} of {of}", str(row.sessions), *known))
        return terminal.table(rows, ("scalar", "sessions", "rank correlation", "p"))


def geometry_of(sessions: Sessions) -> Geometry:
    """Return the geometry of sessions, over their turns and over their calls, by hashed words."""
    from ebmhw.karl.geometry import anticipation, call_states, correlation, fused, turn_states

    scores: dict[str, list[float | None]] = {}
    correlations = {}
    for of, states in (("turns", turn_states), ("calls", call_states)):
        found = [anticipation(states(one)) for one in sessions.trajectories]
        for name, attribute in SCORES.items():
            scores[f"{name} of {of}"] = [getattr(one, attribute) for one in found]
        scores[f"total fused with {of}"] = [fused(reward.total, one) for reward, one in zip(sessions.rewards, found, strict=True)]
        correlations[of] = correlation(sessions.rewards, found)
    return Geometry(scores, correlations)
