"""What a run of cases looks like: rows of an aligned table, and one JSON file that is there whole or not at all."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, final

from ebmhw.bench.harness import Case, Result, Series, Side
from ebmhw.files import write_whole

SCHEMA = "ebmhw-bench-1"

_UNIT, _OURS, _PEER, _RATIO, _GOAL = 9, 37, 52, 22, 18
_PACKAGES = ("dwave-samplers", "dimod", "openjij", "thrml", "carl-core", "jax", "numpy")


def number(value: float) -> str:
    """Return a number short enough for a table: integers whole, millions and billions as such, else what five digits tell."""
    size, letter = _size(value)
    if letter:
        return f"{_short(value / size)} {letter}"
    if value == int(value):
        return str(int(value))
    return f"{value:.5g}" if abs(value) >= 10 else f"{value:.3g}"


def _size(value: float) -> tuple[float, str]:
    return next(((size, letter) for size, letter in ((1e9, "G"), (1e6, "M")) if abs(value) >= size), (1.0, ""))


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}"


def spread(series: Series) -> str:
    """Return median (min .. max), all three in millions or billions where the median is; the range is left out where there is none."""
    middle = number(series.median)
    if series.low == series.high:
        return middle
    size, letter = _size(series.median)
    low, high = (_short(value / size) if letter else number(value) for value in (series.low, series.high))
    return f"{middle} ({low} .. {high})"


@final
class Table:
    """Makes the rows of an aligned table, one case at a time.

    Parameters
    ----------
    cases : all that may come; their names set the width of the first column
    """

    def __init__(self, cases: Sequence[Case]) -> None:
        self._width = max([len("case"), *(len(case.name) for case in cases)])

    def header(self) -> str:
        """Return the heading; all numbers are medians (min .. max) of rounds."""
        return self._row("case", "unit", "ours", "peer", "ratio", "goal", "")

    def rows(self, result: Result) -> Iterator[str]:
        """Yield the row of a result, one more for each further peer, and what else there is to say."""
        case = result.case
        if not result.ours.values.values:
            yield self._row(case.name, "", "", "", "", "", f"failed: {result.error}" if result.error else "not measured")
            return
        peers = [(self._value(case, peer, f"{peer.name} "), _ratio_text(peer)) for peer in result.peers if peer.values.values]
        first = peers[0] if peers and not result.peers[0].missing else ("", "")
        remarks = []
        if result.interrupted:
            remarks.append(f"stopped after {len(result.ours.values.values)} of {result.rounds} rounds")
        if result.hits is not None and (case.cpu_limit is not None or result.hits < len(result.ours.values.values)):
            remarks.append(f"{result.hits} of {len(result.ours.values.values)} rounds reach the goal")
        if result.error:
            remarks.append(f"failed after {len(result.ours.values.values)} rounds: {result.error}")
        ours = self._value(case, result.ours, "")
        yield self._row(case.name, case.unit, ours, first[0], first[1], _goal_text(result), "; ".join(remarks))
        for value, ratio in peers[1:] if first[0] else peers:
            yield self._row("", "", "", value, ratio, "", "")
        for peer in result.peers:
            if peer.missing:
                yield self._row("", "", "", peer.missing, "", "", "")

    def _value(self, case: Case, side: Side, before: str) -> str:
        seconds = f" in {number(side.cpu.median)} s" if case.cpu_limit is not None else ""
        return f"{before}{spread(side.values)}{seconds}"

    def _row(self, name: str, unit: str, ours: str, peer: str, ratio: str, goal: str, remark: str) -> str:
        columns = f"{unit:<{_UNIT}}  {ours:<{_OURS}}  {peer:<{_PEER}}  {ratio:<{_RATIO}}  {goal:<{_GOAL}}  {remark}"
        return f"{name:<{self._width}}  {columns}".rstrip()


def _ratio_text(peer: Side) -> str:
    if not peer.ratio.values:
        return ""
    return f"{peer.ratio.median:.3g}x ({peer.ratio.low:.3g} .. {peer.ratio.high:.3g})"


def _goal_text(result: Result) -> str:
    case = result.case
    if case.goal is None:
        return ""
    text = f"{number(case.goal)}{'x' if case.goal_of == 'ratio' else ''}"
    if case.cpu_limit is not None:
        text += f" in {number(case.cpu_limit)} s"
    return f"{text} {'not measured' if result.met is None else 'met' if result.met else 'MISSED'}"


def to_json(results: Sequence[Result], rounds: int, quick: bool, interrupted: bool) -> dict[str, Any]:
    """Return a whole run as plain data; the form is named by ``schema``."""
    from ebmhw import __version__

    return {
        "schema": SCHEMA,
        "ebmhw": __version__,
        "machine": {"python": platform.python_version(), "system": platform.platform(), "cpu": _cpu_name(), "cpus": os.cpu_count()},
        "packages": _versions(),
        "rounds": rounds,
        "quick": quick,
        "interrupted": interrupted,
        "results": [result.to_json() for result in results],
    }


def as_text(data: dict[str, Any]) -> str:
    """Return data as JSON; infinities, which a ratio against a peer that did nothing is, become null."""
    return json.dumps(_finite(data), indent=1, allow_nan=False)


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write data as JSON to a file that is old or new but never half."""
    write_whole(path, lambda file: file.write(as_text(data).encode() + b"\n"))


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and (data != data or abs(data) == float("inf")) else data


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found
