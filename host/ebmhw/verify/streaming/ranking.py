"""Ranking: the records of a stream, the best first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ebmhw.errors import VerificationError
from ebmhw.verify.models.language_model import Completion
from ebmhw.verify.selection import Score, best_of

if TYPE_CHECKING:
    from ebmhw.verify.streaming.verdicted import Verdicted


def best(records: Iterable[Verdicted], completions: Sequence[Completion] | None = None, score: Score = "mean") -> Verdicted:
    """Return the best record: as `ebmhw.verify.selection.best_of` orders them, whatever order they came in.

    Parameters
    ----------
    records : of a stream; it is read to its end
    completions : what the model wrote, by the records' ``index``, for their log-probabilities; without, the first candidate of the best verdict wins
    score : see `best_of`

    Raises
    ------
    VerificationError
        for no records, or completions that do not belong to them.
    """
    found = ranked(records, completions, score)
    if not found:
        raise VerificationError("there are no records, so none is the best; give candidates, or a larger budget")
    return found[0]


def ranked(records: Iterable[Verdicted], completions: Sequence[Completion] | None = None, score: Score = "mean") -> tuple[Verdicted, ...]:
    """Return the records of a stream, the best first; parameters as of `best`."""
    left = sorted(records, key=lambda record: record.index)
    if completions is not None and left and len(completions) <= left[-1].index:
        raise VerificationError(f"there are {len(completions)} completions and a record of candidate {left[-1].index}; give all that were streamed")
    order = []
    while left:
        given = [Completion(one.candidate, None, None, "stop") if completions is None else completions[one.index] for one in left]
        order.append(left.pop(best_of(given, left, score)))
    return tuple(order)
