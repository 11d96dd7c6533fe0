"""Phi along the tokens as a drawing within the page (SVG)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ebmhw.coherence.page.tokens import signs_of
from ebmhw.coherence.page.words import CRYSTALLIZATION
from ebmhw.coherence.trace import CoherenceTrace

HEIGHT, LEFT, TOP, BOTTOM, RIGHT = 220, 34, 18, 24, 10
POINTS = 2_000
"""Points of the line; of more tokens the least and the largest phi of each stretch are drawn."""

_NARROWEST, _USUAL, _WIDEST = 300, 990, 6_000
"""Pixels; `_USUAL` is what a wide window has room for. The box around the drawing is as wide as the drawing."""

_APART = 60
"""Pixels between tokens where there are few."""

_TRIANGLE = 5
_SIGNS_APART = 9
"""Pixels between tokens from which on events have triangles; closer ones have ticks."""


def chart(trace: CoherenceTrace) -> str:
    """Return the drawing: the line of phi, broken where it is unknown, and events as triangles.

    One that points up is above the line, one that points down below it, unless it would leave the scale; then it is on the other side.
    """
    count = trace.n_tokens
    width = min(_WIDEST, max(_NARROWEST, min(_USUAL, _APART * count), 4 * count))
    inner = width - LEFT - RIGHT
    apart = inner / max(1, count - 1)

    def x(at: float) -> float:
        return LEFT + (at * apart if count > 1 else inner / 2)

    def y(phi: float) -> float:
        return TOP + (1.0 - phi) * (HEIGHT - TOP - BOTTOM)

    label = f"phi along {count} tokens, from 0 (uniform) to 1 (certain)"
    parts = [
        f'<svg class="chart" width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}" role="img" aria-label="{label}">',
        *(
            f'<path class="grid" d="M{LEFT} {y(level):.1f}H{width - RIGHT}"/>'
            f'<text class="scale" x="{LEFT - 6}" y="{y(level) + 4:.1f}">{level:g}</text>'
            for level in (0.0, 0.5, 1.0)
        ),
        *(f'<text class="at" x="{x(at):.1f}" y="{HEIGHT - 6}">{at}</text>' for at in _ticks(count, apart)),
        *(f'<path class="line{"" if "L" in path else " dot"}" d="{path}"/>' for path in _paths(trace, x, y)),
    ]
    for at, sign in signs_of(trace).items():
        up = sign == CRYSTALLIZATION
        phi = float(trace.phi[at])
        kind, name = ("up", "crystallization") if up else ("down", "melting")
        if apart >= _SIGNS_APART:
            tip, base = _reach(y(phi), up, y(1.0), y(0.0))
            shape = f"M{x(at):.1f} {tip:.1f}L{x(at) - _TRIANGLE:.1f} {base:.1f}H{x(at) + _TRIANGLE:.1f}Z"
        else:
            shape = f"M{x(at) - 0.8:.1f} {TOP - 14 if up else HEIGHT - BOTTOM + 2}h1.6v8h-1.6Z"
        parts.append(f'<path class="{kind}" d="{shape}"><title>{sign} {name} at token {at}, phi {phi:.3f}</title></path>')
    return "".join(parts) + "</svg>"


def _reach(at: float, up: bool, top: float, bottom: float) -> tuple[float, float]:
    """Return the heights of a triangle's tip and base, beside a point of the line and within the scale."""
    near, far = 4, 4 + 2 * _TRIANGLE
    if up:
        return (at - far, at - near) if at - far >= top else (at + near, at + far)
    return (at + far, at + near) if at + far <= bottom else (at - near, at - far)


def _ticks(count: int, apart: float) -> range:
    """Return which tokens have their number below: round ones, 60 pixels apart or more."""
    step = next(step for power in range(9) for step in (10**power, 2 * 10**power, 5 * 10**power) if step * apart >= 60 or step >= count)
    return range(0, count, step)


def _paths(trace: CoherenceTrace, x: Callable[[float], float], y: Callable[[float], float]) -> list[str]:
    """Return the stretches of the line between unknown values; one token alone is a dot."""
    places = _drawn(trace)
    phi = trace.phi[places]
    known = ~np.isnan(phi)
    paths, points = [], []
    for at, value, there in zip(places.tolist(), phi.tolist(), known.tolist(), strict=True):
        if there:
            points.append(f"{x(at):.1f} {y(value):.1f}")
        if points and (not there or at == places[-1]):
            paths.append("M" + "L".join(points) + ("h.01" if len(points) == 1 else ""))
            points = []
    return paths


def _drawn(trace: CoherenceTrace) -> npt.NDArray[np.intp]:
    """Return which tokens the line goes through, ascending."""
    count = trace.n_tokens
    if count <= POINTS:
        return np.arange(count)
    kept = []
    for stretch in np.array_split(np.arange(count), POINTS // 2):
        values = trace.phi[stretch]
        if np.isnan(values).all():
            kept.append(stretch[:1])
        else:
            kept.append(stretch[np.unique([np.nanargmin(values), np.nanargmax(values)])])
    return np.concatenate(kept)
