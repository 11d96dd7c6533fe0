"""Eligibility: of which sessions an export makes an example, without writing one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ebmhw.karl.exports.examples import SYSTEM
from ebmhw.karl.exports.gathering import gathered
from ebmhw.karl.exports.pairs import in_pairs
from ebmhw.karl.exports.settings import EXTRA_WEIGHT, MARGIN, checked_settings
from ebmhw.karl.exports.sources import session_values
from ebmhw.karl.record import Scored
from ebmhw.karl.selection.inputs import checked_ids
from ebmhw.karl.trajectory import Trajectory


class Eligible(NamedTuple):
    """Of which sessions an example is made.

    Attributes
    ----------
    ids : theirs, in the order of the sessions
    left_out : {why: sessions} of the others
    """

    ids: tuple[str, ...]
    left_out: dict[str, int]


def eligible(
    trajectories: Iterable[Trajectory | Scored],
    format: str = "messages",
    *,
    advantages: Any = None,
    rewards: Sequence[Any] | None = None,
    weights: Any = None,
    style: str = "plan",
    exclude: Iterable[str] = (),
    margin: float = MARGIN,
    failed: bool = False,
) -> Eligible:
    """Return of which sessions `ebmhw.karl.exports.export` makes an example; parameters are those of its names.

    Of "dpo" these are the sessions that are in a pair with another of them.

    Raises
    ------
    ValidationError : an argument is not allowed
    """
    settings = checked_settings(format, style, SYSTEM, None, False, 0, margin, EXTRA_WEIGHT, failed)
    excluded = checked_ids(exclude)
    left_out: Counter[str] = Counter()
    values = session_values(trajectories, advantages, rewards, weights, settings.format == "dpo", excluded)
    examples, _, _ = gathered(values, settings, excluded, None, left_out)
    if settings.format == "dpo":
        examples, _ = in_pairs(examples, settings, left_out)
    return Eligible(tuple(example.id for example in examples), dict(sorted(left_out.items())))
