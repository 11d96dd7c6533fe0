"""What the traces of each family come to, and how well numbers tell kinds of families apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple, final

import numpy as np
import numpy.typing as npt

from ebmhw.bench.dispersion.families import GROUP, KINDS, TOKENS, Family, windows
from ebmhw.coherence.order.groups import diversity, ordered_diversity
from ebmhw.coherence.order.index import dispersion_index
from ebmhw.coherence.order.regimes import REGIMES, Regime, regime
from ebmhw.coherence.trace import CoherenceTrace

FloatArray = npt.NDArray[np.float64]

MEASURES: dict[str, Callable[[CoherenceTrace], float | None]] = {
    "phi": lambda trace: trace.phi_mean,
    "kuramoto_R": lambda trace: trace.kuramoto_R(),
    "composite": lambda trace: trace.carl_reward(),
    "dispersion": dispersion_index,
}
LENGTHS = (16, 32, TOKENS)

RIGHT: dict[str, Regime] = {"uniform": "uniform", "noise": "noise", "peaked": "peaked", "collapsed": "collapsed", "model": "ordered"}
"""The regime that a kind of family should be given."""


@final
class Row(NamedTuple):
    """A family's numbers: values of each of `MEASURES` by trace, diversities by group, and shares of regimes."""

    family: Family
    values: dict[str, FloatArray]
    diversity: FloatArray
    ordered_diversity: FloatArray
    regimes: dict[Regime, float]


def row_of(family: Family) -> Row:
    """Return what a family comes to; a trace of which something is unknown is an error here, where all is generated."""
    values = {}
    for name, measure in MEASURES.items():
        found = [measure(trace) for trace in family.traces]
        values[name] = np.array([value for value in found if value is not None])
        if len(values[name]) != len(found):
            raise ValueError(f"{name} of a trace of {family.name} is unknown")
    named = Counter(regime(trace) for trace in family.traces)
    groups = [family.traces[start : start + GROUP] for start in range(0, len(family.traces) - 1, GROUP)]
    return Row(
        family,
        values,
        _known([diversity(group) for group in groups]),
        _known([ordered_diversity(group) for group in groups]),
        {name: named[name] / len(family.traces) for name in REGIMES},
    )


def _known(values: Sequence[float | None]) -> FloatArray:
    return np.array([value for value in values if value is not None])


def auc(higher: FloatArray, lower: FloatArray) -> float:
    """Return the probability that a value of the one is above one of the other, ties counted half."""
    ordered = np.sort(lower)
    below = np.searchsorted(ordered, higher, side="left") + np.searchsorted(ordered, higher, side="right")
    return float(below.mean() / 2 / len(lower))


def pooled(rows: Sequence[Row], kind: str, measure: str) -> FloatArray:
    """Return the values of all families of a kind, each family with the same weight: as many values of each as the smallest has."""
    own = [row.values[measure] for row in rows if row.family.kind == kind]
    least = min(map(len, own))
    return np.concatenate([values[np.linspace(0, len(values) - 1, least).astype(int)] for values in own])


def lines(rows: Sequence[Row], groups: Sequence[tuple[str, list[CoherenceTrace]]] = ()) -> list[str]:
    """Return the tables as text; the last one is of groups of completions by name, where there are any."""
    found = [*_family_lines(rows), "", *_pair_lines(rows), "", *_confusion_lines(rows), "", *_length_lines(rows)]
    return [*found, "", *_group_lines(groups)] if groups else found


def _family_lines(rows: Sequence[Row]) -> list[str]:
    names = [*MEASURES, "diversity", "ordered div."]
    head = f"{'family':34}{'kind':10}{'traces':>7}" + "".join(f"{name:>17}" for name in names) + "  regimes"
    told = ["Median (quartiles) over traces; diversity over groups of 8 of them.", head]
    for row in rows:
        columns = [*(row.values[name] for name in MEASURES), row.diversity, row.ordered_diversity]
        shares = ", ".join(f"{name} {share:.0%}" for name, share in sorted(row.regimes.items(), key=lambda item: -item[1]) if share)
        told.append(
            f"{row.family.name:34}{row.family.kind:10}{len(row.family.traces):7}"
            + "".join(f"{_spread(column):>17}" for column in columns)
            + f"  {shares}"
        )
    return told


def _spread(values: FloatArray) -> str:
    if not len(values):
        return "-"
    low, middle, high = (f"{value:.2f}".removeprefix("0") for value in np.percentile(values, [25, 50, 75]))
    return f"{middle} ({low}-{high})"


def _pair_lines(rows: Sequence[Row]) -> list[str]:
    """Of each pair of kinds, and of the model's words against every family."""
    kinds = [kind for kind in KINDS if any(row.family.kind == kind for row in rows)]
    told = [
        "AUC, the probability that the first has more than the second: 1 or 0 separates, .5 is chance. Families of a kind count alike.",
        "Regime: the mean share of the two kinds' traces that are named right.",
        f"{'pair':58}" + "".join(f"{name:>13}" for name in (*MEASURES, "regime")),
    ]
    right = {kind: _shares(rows, kind)[RIGHT[kind]] for kind in kinds}
    for number, second in enumerate(kinds):
        for first in kinds[number + 1 :]:
            found = [auc(pooled(rows, first, name), pooled(rows, second, name)) for name in MEASURES]
            found.append((right[first] + right[second]) / 2)
            told.append(f"{f'{first} : {second}':58}" + "".join(f"{value:13.3f}" for value in found))
    for model in rows:
        if model.family.kind == "model":
            others = [row for row in rows if row.family.kind not in {"model", "limit"}]
            worst = [min(auc(model.values[name], row.values[name]) for row in others) for name in MEASURES]
            told.append(f"{f'{model.family.name} : the worst for it of all others':58}" + "".join(f"{value:13.3f}" for value in worst))
    return told


def _shares(rows: Sequence[Row], kind: str) -> dict[Regime, float]:
    own = [row.regimes for row in rows if row.family.kind == kind]
    return {name: sum(one[name] for one in own) / len(own) for name in REGIMES}


def _confusion_lines(rows: Sequence[Row]) -> list[str]:
    told = [
        "Share of traces by regime; families of a kind count alike.",
        f"{'kind':12}" + "".join(f"{name:>11}" for name in REGIMES) + f"{'right':>9}",
    ]
    for kind in KINDS:
        if any(row.family.kind == kind for row in rows):
            shares = _shares(rows, kind)
            told.append(f"{kind:12}" + "".join(f"{shares[name]:11.1%}" for name in REGIMES) + f"{shares[RIGHT[kind]]:9.1%}")
    return told


def _length_lines(rows: Sequence[Row]) -> list[str]:
    told = [
        "Traces cut shorter: share with an index above 0, and its median.",
        f"{'family':31}{'kind':7}" + "".join(f"{f'{n} tokens':>22}" for n in LENGTHS),
    ]
    parts = [(row.family.name, row.family.kind, [row.family]) for row in rows if row.family.kind == "model"]
    parts.insert(0, ("all noise", "noise", [row.family for row in rows if row.family.kind == "noise"]))
    for name, kind, families in parts:
        columns = []
        for length in LENGTHS:
            found = _known([dispersion_index(trace) for family in families for trace in windows(family.traces, length)])
            columns.append(f"{(found > 0).mean():10.2%} of {len(found)}, {np.median(found):.2f}")
        told.append(f"{name:31}{kind:7}" + "".join(f"{column:>22}" for column in columns))
    return told


def _group_lines(groups: Sequence[tuple[str, list[CoherenceTrace]]]) -> list[str]:
    told = ["Groups of 8 completions.", f"{'group':36}{'diversity':>11}{'ordered':>11}"]
    for name, traces in groups:
        columns = (f"{value:11.3f}" if value is not None else f"{'-':>11}" for value in (diversity(traces), ordered_diversity(traces)))
        told.append(f"{name:36}" + "".join(columns))
    return told
