"""Phi along the tokens as a PNG."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ebmhw.coherence import events
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import InvalidTrace, MissingExtra
from ebmhw.files import write_whole
from ebmhw.verify.marking import visible

LABELLED = 80
"""Tokens of which each has its text below the line; of more, numbers."""

_LABEL_LENGTH = 14
_INK, _UP, _DOWN = "#333333", "#0b5cad", "#b5482e"


def write_picture(path: str | os.PathLike[str], trace: CoherenceTrace, texts: Sequence[str] | None = None, title: str = "") -> None:
    """Write phi along the tokens, with a triangle up at each crystallization, down at each melting, and a gap where it is unknown.

    Parameters
    ----------
    texts : what each token adds to the text; they stand below the line where there are few enough tokens

    Raises
    ------
    MissingExtra
        without matplotlib.
    InvalidTrace
        where there are not as many texts as tokens.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("pictures need matplotlib: pip install 'ebmhw[plots]'") from None
    count = trace.n_tokens
    if texts is not None and len(texts) != count:
        raise InvalidTrace(f"{len(texts)} texts do not belong to a trace of {count} tokens; give one a token")
    labelled = texts is not None and 0 < count <= LABELLED
    figure = Figure(figsize=(max(8.0, 1.5 + 0.19 * count) if labelled else 10.0, 4.8), layout="constrained")
    axes = figure.add_subplot()
    places = np.arange(count)
    axes.plot(places, trace.phi, color=_INK, linewidth=1, marker=".", markersize=3 if count <= 500 else 0, label="phi")
    ahead = count - len(trace.delta_phi)
    for which, marker, colour, name in (
        (events.crystallizations(trace.delta_phi), "^", _UP, "crystallization"),
        (events.meltings(trace.delta_phi), "v", _DOWN, "melting"),
    ):
        at = np.flatnonzero(which) + ahead
        label = f"{at.size} {name}{'' if at.size == 1 else 's'}"
        axes.plot(at, trace.phi[at], linestyle="", marker=marker, markersize=6 if count <= 500 else 3, color=colour, label=label)
    axes.set(ylabel="phi", ylim=(-0.04, 1.08), xlim=(-0.6, max(count, 1) - 0.4))
    axes.set_title(_drawable(title[:120]), parse_math=False)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", ncols=3, fontsize=8)
    if labelled and texts is not None:
        axes.set_xticks(places, [_label(text) for text in texts], rotation=90, fontsize=7, family="monospace")
        for tick in axes.get_xticklabels():
            tick.set_parse_math(False)
    else:
        axes.set_xlabel("token")
    write_whole(path, lambda stream: figure.savefig(stream, format="png", dpi=120))


def _label(text: str) -> str:
    if not text:
        return "◌"
    plain = visible(text).replace("\n", "↵").replace("\t", "⇥").replace(" ", "·")
    return _drawable(plain if len(plain) <= _LABEL_LENGTH else plain[: _LABEL_LENGTH - 1] + "…")


def _drawable(text: str) -> str:
    """Return a text with a box for what matplotlib's own font has no picture of."""
    font = _font()
    return "".join(letter if font.get_char_index(ord(letter)) else "▯" for letter in visible(text).replace("\n", " "))


def _font() -> Any:
    from matplotlib import font_manager

    return font_manager.get_font(font_manager.findfont("DejaVu Sans Mono"))
