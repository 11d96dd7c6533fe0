"""Drawings of the report (SVG): distributions, intervals, bars, and sessions by calls and reward."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

BINS = 25

_WIDTH, _HEIGHT = 260, 34
_MAP_WIDTH, _MAP_HEIGHT = 960, 320
_LEFT, _TOP, _BOTTOM, _RIGHT = 56, 14, 30, 24

_SAME, _STEP, _ASIDE = 4, 3.0, 15.0
"""Pixels: of a place, between two of one place, and at most to its side."""

_MANY = 400
"""Sessions, of more of which the marks are smaller."""

POINTS = 3000
"""Sessions that the map draws."""


def histogram(values: Sequence[float]) -> str:
    """Return the distribution of numbers within 0 to 1, with their mean marked."""
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, max(0, int(value * BINS)))] += 1
    most = max(counts) or 1
    wide = _WIDTH / BINS
    bars = "".join(
        f'<rect x="{i * wide + 0.5:.1f}" y="{(_HEIGHT - 2) * (1 - count / most):.1f}" width="{wide - 1:.1f}"'
        f' height="{(_HEIGHT - 2) * count / most:.1f}"><title>{i / BINS:.2f} to {(i + 1) / BINS:.2f}: {count}</title></rect>'
        for i, count in enumerate(counts)
        if count
    )
    mean = sum(values) / len(values) * _WIDTH if values else 0
    label = f"distribution of {len(values)} rewards from 0 to 1, mean {sum(values) / max(1, len(values)):.3f}"
    return (
        f'<svg class="histogram" width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f'<path class="axis" d="M0 {_HEIGHT - 1}H{_WIDTH}"/>{bars}<path class="mean" d="M{mean:.1f} 0V{_HEIGHT}"/></svg>'
    )


def interval(value: float, low: float, high: float, kind: str = "") -> str:
    """Return a point with its interval on a scale from 0 to 1, whose middle, chance, is marked."""
    width, height = _WIDTH, 16
    label = f"{value:.3f}, {low:.3f} to {high:.3f}"
    return (
        f'<svg class="interval {kind}" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="{label}">'
        f'<path class="axis" d="M0 8H{width}"/><path class="chance" d="M{width / 2} 1V15"/>'
        f'<path class="range" d="M{low * width:.1f} 8H{high * width:.1f}"/><circle cx="{value * width:.1f}" cy="8" r="4.5"/></svg>'
    )


def bar(value: float, most: float) -> str:
    """Return a bar of ``value`` on a scale up to ``most``."""
    width = 0.0 if most <= 0 else max(0.0, min(1.0, value / most)) * 160
    return f'<svg class="bar" width="160" height="12" viewBox="0 0 160 12" aria-hidden="true"><rect y="1" width="{width:.1f}" height="10"/></svg>'


class Point(NamedTuple):
    """A session on the map.

    Attributes
    ----------
    calls : of tools
    reward : 0 to 1
    good : its verified outcome, None where it is not known
    chosen : whether it is in the chosen set
    name : plain ASCII
    """

    calls: int
    reward: float
    good: bool | None
    chosen: bool
    name: str


def drawn(points: Sequence[Point]) -> list[Point]:
    """Return the points that a map has room for, `POINTS`: chosen ones before others, of too many every so many-th."""
    groups = [[point for point in points if point.chosen is kind] for kind in (True, False)]
    room, kept = POINTS, []
    for group in groups:
        step = max(1.0, len(group) / room) if room else math.inf
        kept += [group[int(i * step)] for i in range(min(room, len(group)))]
        room = POINTS - len(kept)
    return kept


def sessions_map(points: Sequence[Point]) -> str:
    """Return sessions by calls (a logarithmic scale) and reward: a dot where the outcome is good, a cross where bad, a ring where unknown.

    Of sessions that would hide each other, each further one stands a little more to the side, up to `_ASIDE` pixels.
    """
    most = max((point.calls for point in points), default=1)
    last = max(1.0, math.log10(most + 1))

    def x(calls: float) -> float:
        return _LEFT + math.log10(calls + 1) / last * (_MAP_WIDTH - _LEFT - _RIGHT)

    def y(reward: float) -> float:
        return _TOP + (1 - reward) * (_MAP_HEIGHT - _TOP - _BOTTOM)

    ticks = [0, *(tick for power in range(8) for tick in (10**power, 3 * 10**power) if tick <= most)]
    parts = [
        f'<svg class="map" width="{_MAP_WIDTH}" height="{_MAP_HEIGHT}" viewBox="0 0 {_MAP_WIDTH} {_MAP_HEIGHT}" role="img"'
        f' aria-label="{len(points)} sessions by calls of tools and reward">',
        *(
            f'<path class="axis" d="M{_LEFT} {y(level):.1f}H{_MAP_WIDTH - _RIGHT}"/><text x="4" y="{y(level) + 4:.1f}">{level:g}</text>'
            for level in (0.0, 0.25, 0.5, 0.75, 1.0)
        ),
        *(f'<text x="{x(tick):.1f}" y="{_MAP_HEIGHT - 10}" text-anchor="middle">{tick:,}</text>' for tick in ticks),
    ]
    size = 1.0 if len(points) <= _MANY else 0.65
    same: Counter[tuple[int, int]] = Counter()
    # Chosen ones last, so that nothing hides them.
    for point in sorted(points, key=lambda point: point.chosen):
        at, height = x(point.calls), y(point.reward)
        before = same[place := (round(at / _SAME), round(height / _SAME))]
        same[place] += 1
        at += min((before + 1) // 2 * _STEP, _ASIDE) * (1 if before % 2 else -1)
        title = f"<title>{point.name}: {point.calls} calls, reward {point.reward:.3f}{', chosen' if point.chosen else ''}</title>"
        if point.chosen:
            parts.append(f'<circle class="chosen" cx="{at:.1f}" cy="{height:.1f}" r="{8 * size:g}"/>')
        if point.good is None:
            parts.append(f'<circle class="open" cx="{at:.1f}" cy="{height:.1f}" r="{3.5 * size:g}">{title}</circle>')
        elif point.good:
            parts.append(f'<circle class="good" cx="{at:.1f}" cy="{height:.1f}" r="{4 * size:g}">{title}</circle>')
        else:
            arm, across = 3.5 * size, 7 * size
            lines = f"M{at - arm:.1f} {height - arm:.1f}l{across:g} {across:g}m0 {-across:g}l{-across:g} {across:g}"
            parts.append(f'<path class="bad" d="{lines}">{title}</path>')
    return "".join(parts) + "</svg>"
