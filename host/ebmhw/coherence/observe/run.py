"""Run: what a log says about one training run, a row a step, in bounded memory."""

from __future__ import annotations

import math
from array import array
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple, final

import numpy as np
import numpy.typing as npt

from ebmhw.coherence.known import FloatArray
from ebmhw.coherence.observe.problems import Problems
from ebmhw.coherence.observe.schema import STEP_KEYS, SUMMARY_KEYS, TEXT_KEYS, series_of, within
from ebmhw.coherence.observe.values import ABSENT, NOT_FINITE, NULL, encoded, step_of
from ebmhw.errors import ValidationError, shown
from ebmhw.numbers import whole

ROWS_LIMIT = 1 << 17
"""Steps that are kept; beyond it every second one of the older half is dropped, again and again."""

SERIES_LIMIT = 256
"""Series that are kept."""

_AVERAGED_STEPS = 64


class Series(NamedTuple):
    """The known values of one series.

    Attributes
    ----------
    steps : (n,) int64, ascending
    values : (n,) float64, all finite
    """

    steps: npt.NDArray[np.int64]
    values: FloatArray


@final
class Run:
    """The series of a run by our names (`ebmhw.coherence.observe.schema.ALIASES`), "reward/NAME" and "eval/NAME".

    A step that is logged again has the later value. Steps beyond the one that was logged last, left from before a restart, are kept but
    not shown until the run gets there again. Lines of `CoherenceTrace.to_dict`, several a step, are averaged.

    Attributes
    ----------
    name : of the run, a label
    vocab_size : entries of a distribution, by which phi = 1 - H / ln V follows where only the entropy is logged; None where not given
    problems : what of the log could not be used
    summary : numbers of records that sum the run up, such as train_runtime in seconds
    gate_reasons : why the evaluation gate refused the adapter, as gate.json says it
    planned_steps : steps that the configuration beside the log asks for, None where it does not say
    """

    def __init__(self, name: str, vocab_size: int | None = None) -> None:
        size = None if vocab_size is None else whole(vocab_size)
        if vocab_size is not None and (size is None or size < 2):
            raise ValidationError(f"vocab_size of a run is {shown(vocab_size)}; phi = 1 - H / ln V needs 2 entries or more")
        self.name = name
        self.vocab_size = size
        self.problems = Problems()
        self.summary: dict[str, float] = {}
        self.gate_reasons: tuple[str, ...] = ()
        self.planned_steps: int | None = None
        self._steps = array("q")
        self._columns: dict[str, array[float]] = {}
        self._row_of: dict[int, int] = {}
        self._last: int | None = None
        self._averaged: OrderedDict[int, dict[str, int]] = OrderedDict()
        self._order: npt.NDArray[np.int64] | None = None

    # --- filled

    def add(self, record: Mapping[str, Any], place: str = "-") -> bool:
        """Take in one record and tell whether it had anything of use; ``place`` ("path:line") is for the problems."""
        if any(key in record for key in SUMMARY_KEYS):
            told = {key: encoded(value) for key, value in record.items() if isinstance(key, str) and len(self.summary) < SERIES_LIMIT}
            self.summary |= {key: value for key, value in told.items() if math.isfinite(value)}
            return True
        values = self._values(record, place)
        if not values:
            self.problems.add("foreign", place, f"its keys are {shown(list(record)[:8])}")
            return False
        given = next((record[key] for key in STEP_KEYS if record.get(key) is not None), None)
        if given is None:
            # Logs that were printed have no step; those of an evaluation belong to the step before.
            only_evaluated = all(name.startswith("eval/") for name in values)
            step = 0 if self._last is None else self._last + (not only_evaluated)
            self.problems.add("no-step", place)
        else:
            known = step_of(given)
            if known is None:
                self.problems.add("bad-step", place, f"step is {shown(given)}")
                return False
            step = known
        if self._last is not None and step < self._last:
            self.problems.add("restart", place, f"step {step} after {self._last}")
            self._averaged.clear()
        self._last = step
        self._put(step, values, place, averaged="sample_idx" in record and "n_tokens" in record)
        return True

    def _values(self, record: Mapping[str, Any], place: str) -> dict[str, float]:
        """Return the encoded values of a record by our names, with what follows from them."""
        given = series_of(record)
        values = {name: encoded(value, name in TEXT_KEYS) for name, value in given.items()}
        for name, value in values.items():
            if value == NOT_FINITE:
                self.problems.add("not-finite", place, name)
            elif value == NULL and given[name] is not None and name != "time":
                self.problems.add("no-number", place, name)
            elif value != NULL and not within(name, value):
                self.problems.add("out-of-range", place, f"{name} is {value:g}")
                values[name] = NULL
        tokens = values.get("n_tokens", ABSENT)
        for name in ("crystallizations", "meltings"):
            count = encoded(record.get(f"n_{name}"))
            if name not in values and math.isfinite(count) and math.isfinite(tokens) and tokens > 0:
                rate = encoded(100 * count / tokens)
                values[name] = rate if within(name, rate) else NULL
        both = [values.get(name, ABSENT) for name in ("crystallizations", "meltings")]
        if "defect_density" not in values and all(map(math.isfinite, both)):
            values["defect_density"] = sum(both) / 100
        entropy = values.get("entropy", ABSENT)
        if "phi" not in values and self.vocab_size is not None and math.isfinite(entropy):
            phi = 1 - entropy / math.log(self.vocab_size)
            if not -0.001 <= phi <= 1.001:
                self.problems.add("no-number", place, f"phi: an entropy of {entropy:g} nats is not one over {self.vocab_size} entries")
            values["phi"] = min(1.0, max(0.0, phi)) if -0.001 <= phi <= 1.001 else NULL
        return values

    def _put(self, step: int, values: dict[str, float], place: str, averaged: bool) -> None:
        row = self._row_of.get(step)
        if row is None:
            row = self._new_row(step)
        counts = self._counts(step) if averaged else {}
        for name, value in values.items():
            column = self._column(name, place)
            if column is None:
                continue
            before = column[row]
            seen = counts.get(name, 0)
            if math.isfinite(value):
                column[row] = before + (value - before) / (seen + 1) if seen and math.isfinite(before) else value
                counts[name] = seen + 1
            elif not (averaged and seen):
                column[row] = value
            # Whoever resumes a run may write the lines before it anew as they were.
            if not averaged and not math.isnan(before) and column[row] != before:
                self.problems.add("repeated", place, f"{name} of step {step}")

    def _counts(self, step: int) -> dict[str, int]:
        """Return how many traces each mean of a step is made of; of the latest steps, which are those that still grow."""
        counts = self._averaged.setdefault(step, {})
        self._averaged.move_to_end(step)
        if len(self._averaged) > _AVERAGED_STEPS:
            self._averaged.popitem(last=False)
        return counts

    def _new_row(self, step: int) -> int:
        if len(self._steps) >= ROWS_LIMIT:
            self._thin()
        self._row_of[step] = len(self._steps)
        self._steps.append(step)
        for column in self._columns.values():
            column.append(ABSENT)
        self._order = None
        return len(self._steps) - 1

    def _column(self, name: str, place: str) -> array[float] | None:
        if name not in self._columns:
            if len(self._columns) >= SERIES_LIMIT:
                self.problems.add("too-many-series", place, name)
                return None
            self._columns[name] = array("d", [ABSENT]) * len(self._steps)
        return self._columns[name]

    def _thin(self) -> None:
        """Drop every second row of the older half."""
        order = self._rows()
        half = len(order) // 2
        kept = np.concatenate([order[:half:2], order[half:]])
        self._steps = array("q", np.asarray(self._steps)[kept].tobytes())
        self._columns = {name: array("d", np.asarray(column)[kept].tobytes()) for name, column in self._columns.items()}
        self._row_of = {step: row for row, step in enumerate(self._steps)}
        self._order = None
        self.problems.add("thinned", f"step {self._steps[half // 2]}")

    def _rows(self) -> npt.NDArray[np.int64]:
        """Return the rows in the order of their steps."""
        if self._order is None:
            self._order = np.argsort(np.array(self._steps, dtype=np.int64), kind="stable")
        return self._order

    # --- asked

    def __repr__(self) -> str:
        """Return name, steps, number of series and of problems on one line."""
        steps = self.steps
        span = f" ({steps[0]} to {steps[-1]})" if len(steps) else ""
        problems = self.problems.counts.total()
        told = f"{problems} problem{'' if problems == 1 else 's'} in the log"
        return f"Run({self.name!r}: {len(steps)} steps{span}, {len(self.names)} series, {told})"

    def __len__(self) -> int:
        """Return how many steps are shown."""
        return len(self.steps)

    @property
    def steps(self) -> npt.NDArray[np.int64]:
        """Steps up to the one that was logged last, ascending."""
        steps = np.array(self._steps, dtype=np.int64)[self._rows()]
        return steps if self._last is None else steps[steps <= self._last]

    @property
    def last_step(self) -> int | None:
        """The step that was logged last."""
        return self._last

    @property
    def gate_passed(self) -> bool | None:
        """Whether the evaluation gate passed the run as it stands at its last step; None where it was not asked since."""
        decided = self.series("gate_passed")
        return bool(decided.values[-1]) if len(decided.steps) and decided.steps[-1] == self._last else None

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end: the gate judged it, or the planned steps are done."""
        done = self.planned_steps is not None and self._last is not None and self._last >= self.planned_steps
        return done or self.gate_passed is not None

    @property
    def names(self) -> tuple[str, ...]:
        """Series of which some value is known."""
        return tuple(name for name in sorted(self._columns) if self.series(name).values.size)

    @property
    def reward_functions(self) -> tuple[str, ...]:
        """Names of the reward functions whose means are known."""
        return tuple(name.removeprefix("reward/") for name in self.names if name.startswith("reward/"))

    def column(self, name: str) -> FloatArray:
        """Return a series over all `steps` as it is kept: besides finite numbers `ABSENT`, `NULL` and `NOT_FINITE` of `values`."""
        count = len(self)
        if name not in self._columns:
            return np.full(count, ABSENT)
        return np.array(self._columns[name], dtype=np.float64)[self._rows()][:count]

    def series(self, name: str) -> Series:
        """Return the known values of a series, none where there are none."""
        column = self.column(name)
        known = np.isfinite(column)
        return Series(self.steps[known], column[known])

    def latest(self, name: str) -> float | None:
        """Return the last known value of a series, None where there is none."""
        values = self.series(name).values
        return float(values[-1]) if values.size else None
