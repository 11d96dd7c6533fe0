"""Problems: what of a log could not be used, counted by kind, the first of each kind with its place."""

from __future__ import annotations

from collections import Counter
from typing import final

KINDS = {
    "broken": "lines that hold no record",
    "too-long": "lines beyond the limit of a line",
    "cut": "last lines that are not whole, as while somebody writes them",
    "foreign": "records without any known key",
    "bad-step": "records whose step is no whole number from 0 up; they are left out",
    "no-step": "records without a step; each counts as the step after the last",
    "restart": "places where steps go backwards, as after a resume; the later values count",
    "repeated": "values given again for a step, and other ones; the later one counts",
    "not-finite": "values that are NaN, infinite or beyond 1e100; they count as unknown",
    "out-of-range": "values that their series cannot have, such as a phi above 1; they count as unknown",
    "no-number": "values that are no numbers; they count as unknown",
    "truncated": "times the file became shorter while it was followed; it was read again from its start",
    "rotated": "times another file took its place while it was followed",
    "thinned": "times older steps were thinned out to keep within the limit of memory",
    "too-many-series": "values of reward functions beyond the limit of series",
}
"""What can be wrong with a log; none of these ends the reading."""

_PLACES = 3


@final
class Problems:
    """Counts of problems and the first places of each kind."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.places: dict[str, list[str]] = {}
        self._parts: dict[str, list[tuple[str, str, str]]] = {}

    def add(self, kind: str, place: str, text: str = "") -> None:
        """Count one; ``place`` is "path:line", ``text`` what is the matter there."""
        self.counts[kind] += 1
        places = self.places.setdefault(kind, [])
        if len(places) < _PLACES:
            places.append(f"{place}: {text}" if text else place)
            self._parts.setdefault(kind, []).append((*_split(place), text))

    def told(self, file: str | None = None) -> list[str]:
        """Return a line for every kind that occurred; a path is named where it changes only, ``file`` being the one that was named before."""
        lines = []
        for kind in sorted(self.counts, key=list(KINDS).index):
            named = []
            for path, line, text in self._parts[kind]:
                place = ", ".join(part for part in ("" if path == file else path, line) if part)
                named.append(": ".join(part for part in (place, text) if part))
                file = path
            more = ["..."] if self.counts[kind] > len(named) else []
            shown = "; ".join([*filter(None, named), *more])
            lines.append(f"{self.counts[kind]:,} {KINDS[kind]}" + (f" ({shown})" if shown else ""))
        return lines


def _split(place: str) -> tuple[str, str]:
    """Return the path of a place and what of it is meant ("line 3"), empty for all of it."""
    path, _, inside = place.rpartition(":")
    if path and inside.isdecimal():
        return path, f"line {inside}"
    return (path, inside) if path and inside.startswith("log_history[") else (place, "")
