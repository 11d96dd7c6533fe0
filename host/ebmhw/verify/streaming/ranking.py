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
    """Return the best record that was checked: as `ebmhw.verify.selection.best_of` orders them, whatever order they came in.

    Parameters
    ----------
    records : of a stream; it is read to its end
    completions : what the model wrote, by the records' ``index``, for their log-probabilities; without, the first candidate of the best verdict wins
    score : see `best_of`

    Raises
    ------
    VerificationError
        for no records, records none of which was checked (all are ``stopped``), and completions that do not belong to them.
    """
    found = ranked(records, completions, score)
    if not found:
        raise VerificationError("there are no records, so none is the best; give candidates, or a larger budget")
    first = found[0]
    if first.stopped is not None:
        raise VerificationError(f"none of {len(found)} records was checked, so none is the best: {first.why}; give texts, or a larger budget")
    return first


def ranked(records: Iterable[Verdicted], completions: Sequence[Completion] | None = None, score: Score = "mean") -> tuple[Verdicted, ...]:
    """Return the records of a stream, the best first, after all that were checked those that were not (``stopped``); parameters as of `best`."""
    all_of_them = sorted(records, key=lambda record: record.index)
    if completions is not None and all_of_them and len(completions) <= all_of_them[-1].index:
        last = all_of_them[-1].index
        raise VerificationError(f"there are {len(completions)} completions and a record of candidate {last}; give all that were streamed")
    checked = [record for record in all_of_them if record.stopped is None]
    stopped = [record for record in all_of_them if record.stopped is not None]
    return (*_ordered(checked, completions, score), *_ordered(stopped, completions, score))


def _ordered(records: list[Verdicted], completions: Sequence[Completion] | None, score: Score) -> list[Verdicted]:
    left, order = list(records), []
    while left:
        given = [Completion(one.candidate, None, None, "stop") if completions is None else completions[one.index] for one in left]
        order.append(left.pop(best_of(given, left, score)))
    return order
