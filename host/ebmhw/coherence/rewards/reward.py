"""RowReward: a reward function of TRL that judges each completion by itself and by its row of the dataset."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, final

from ebmhw.errors import ValidationError, shown
from ebmhw.numbers import whole

Scores = list["float | None"]


class RowReward(ABC):
    """A reward function: ``reward(completions=..., **columns) -> [score or None, ...]``, as TRL calls it.

    Parameters
    ----------
    name : what TRL logs it under, ``__name__``
    columns : the keyword arguments that it reads, each a list with one entry a completion; a list that is too short, an entry None and one left
        out say that it is unknown
    """

    def __init__(self, name: str, columns: Sequence[str] = ()) -> None:
        self.__name__ = name
        self._columns = tuple(columns)

    @abstractmethod
    def score(self, completion: Any, row: Mapping[str, Any]) -> float | None:
        """Return the score of one completion, finite; None where it is unknown.

        Parameters
        ----------
        completion : a text, or messages; never None
        row : its entry in each column, None where it is unknown
        """

    @final
    def __call__(self, completions: Sequence[Any], **columns: Any) -> Scores:
        """Return the scores of completions, in order; None where one is unknown."""
        count = check_completions(completions)
        read = {name: column(columns.get(name), count, name) for name in self._columns}
        return [
            None if completion is None else finite(self.score(completion, {name: values[i] for name, values in read.items()}))
            for i, completion in enumerate(completions)
        ]

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def check_completions(completions: Any) -> int:
    """Return how many completions there are; ValidationError for anything but a sequence of them."""
    if _is_sequence(completions):
        return len(completions)
    raise ValidationError(f"completions are {shown(completions)}; give a list of texts or messages, one entry a completion")


def check_log(log_metric: Any) -> None:
    """Refuse what cannot log: ValidationError for anything but None and what can be called."""
    if log_metric is not None and not callable(log_metric):
        raise ValidationError(f"log_metric is {shown(log_metric)}; give a function of a name and a number, or None to log nothing")


def column(values: Any, count: int, name: str) -> list[Any]:
    """Return a column's entries for ``count`` completions, None for those that are missing or NaN.

    Raises
    ------
    ValidationError
        for anything but a sequence of no more entries than there are completions.
    """
    if values is None:
        return [None] * count
    if not _is_sequence(values):
        raise ValidationError(f"{name} is {shown(values)}; give a list with one entry a completion, None where it is unknown")
    if len(values) > count:
        raise ValidationError(f"{name} has {len(values)} entries for {count} completions; give one a completion")
    known = [values[i] for i in range(len(values))]
    return [None if isinstance(value, float) and math.isnan(value) else value for value in known] + [None] * (count - len(known))


def _is_sequence(values: Any) -> bool:
    return not isinstance(values, (str, bytes, Mapping)) and hasattr(values, "__len__") and hasattr(values, "__getitem__")


def finite(score: float | None) -> float | None:
    """Return a score as a float, None for what is not finite: TRL takes NaN for unknown, and an infinity spoils its group."""
    return None if score is None or not math.isfinite(score) else float(score)


def whole_entry(value: Any, name: str, least: int) -> int | None:
    """Return an entry of a column as a whole number, None where it is None; ValidationError for anything else, or one below ``least``."""
    if value is None:
        return None
    number = int(value) if isinstance(value, float) and value.is_integer() else whole(value)
    if number is None or number < least:
        raise ValidationError(f"{name} is {shown(value)}; give a whole number from {least} up, or None where it is unknown")
    return number


def names_entry(value: Any, name: str) -> list[str] | None:
    """Return an entry of a column as a list of names, None where it is None; one name may stand alone."""
    if value is None:
        return None
    if isinstance(value, str):
        value = [value]
    if not hasattr(value, "__iter__") or isinstance(value, (bytes, Mapping)):
        raise ValidationError(f"{name} is {shown(value)}; give a list of names, or None where it is unknown")
    names = list(value)
    if not all(isinstance(entry, str) and entry for entry in names):
        raise ValidationError(f"{name} is {shown(names)}; each name is a text that is not empty")
    return names
