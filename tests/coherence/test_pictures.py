"""PNGs of phi along the tokens: written whole, for tokens of any text and number."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from ebmhw.coherence import pictures
from ebmhw.coherence.pictures import LABELLED, write_picture
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import InvalidTrace, MissingExtra

HOSTILE = ["$x_1$", "\\frac{", "漢字", "\x1b[31m", "\u202e", "\n\n", "\t", "", "é", "🦊", "a" * 300, "\ud800", " word", "%s{}", "العربية"]


def trace_of(count: int, unknown: float = 0.0) -> CoherenceTrace:
    rng = np.random.default_rng(count)
    phi = np.where(rng.random(count) < unknown, np.nan, rng.random(count))
    return CoherenceTrace.of_fields(phi, 1 - phi, phi, 100)


@pytest.mark.parametrize("count", [0, 1, 2, len(HOSTILE), LABELLED, LABELLED + 1, 2000])
def test_any_number_of_tokens_with_any_text(count: int, tmp_path: Path) -> None:
    texts = [HOSTILE[at % len(HOSTILE)] for at in range(count)]
    for unknown in (0.3, 1.0) if count < 20 else (0.1,):
        write_picture(tmp_path / "p.png", trace_of(count, unknown), texts, "$\\hostile{ 漢字 <title>")
        assert (tmp_path / "p.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert [path.name for path in tmp_path.iterdir()] == ["p.png"]


def test_events_are_where_phi_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.axes import Axes

    drawn = {}
    plot = Axes.plot

    def remember(self: Axes, x: object, y: object, *args: object, **given: object) -> object:
        drawn[given["marker"]] = (list(x), list(y), given["label"])  # type: ignore[call-overload]
        return plot(self, x, y, *args, **given)

    monkeypatch.setattr(Axes, "plot", remember)
    phi = np.array([0.5, 0.6, 0.61, 0.2, np.nan, 0.9, 0.95])
    write_picture(tmp_path / "p.png", CoherenceTrace.of_fields(phi, 1 - phi, phi, 100), list("abcdefg"))
    assert drawn["^"] == ([1, 6], [0.6, 0.95], "2 crystallizations") and drawn["v"] == ([3], [0.2], "1 melting")
    # With the change before the first token, that one counts too.
    write_picture(tmp_path / "p.png", CoherenceTrace.of_fields(phi, 1 - phi, phi, 100, prev_phi=0.9), list("abcdefg"))
    assert drawn["v"][0] == [0, 3]


def test_labels() -> None:
    assert [pictures._label(text) for text in ("", " a\nb", "漢", "x" * 20)] == ["◌", "·a↵b", "▯", "x" * 13 + "…"]


def test_bad_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidTrace, match="1 texts do not belong to a trace of 2 tokens"):
        write_picture(tmp_path / "p.png", trace_of(2), ["a"])
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=r"pip install 'ebmhw\[plots\]'"):
        write_picture(tmp_path / "p.png", trace_of(2))
    assert not list(tmp_path.iterdir())
