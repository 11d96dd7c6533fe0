"""The page of a completion: what a browser finds in it, whatever the tokens say."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.coherence.page import Sheet, chart, page, style, tokens, write_page
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import InvalidTrace

VOID = {"meta", "path"}
ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "div", "h1", "h2", "h3", "p", "main", "section", "span", "b", "i", "a", "svg", "path"),
    *("text", "dl", "dt", "dd"),
}


class Reader(HTMLParser):
    """Elements and texts of a page; refuses what is not closed, or not ours."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, dict[str, Any]]] = []
        self.elements: list[tuple[str, dict[str, Any]]] = []
        self.texts: list[tuple[list[str], str]] = []
        self.tokens: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        assert tag in ALLOWED, tag
        attributes = dict(attrs)
        assert not any(name.startswith("on") or name in {"src", "style"} for name in attributes)
        assert attributes.get("href", "#").startswith("#")
        self.elements.append((tag, attributes))
        if tag not in VOID:
            self.open.append((tag, attributes))
        if "tabindex" in attributes and tag == "span":
            self.tokens.append({"class": attributes["class"].split(), "text": "", "tip": "", "sign": ""})

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        classes = [attributes.get("class") or "" for _, attributes in self.open]
        if any(name == "span" and "tabindex" in attributes for name, attributes in self.open):
            field = "tip" if "tip" in classes else "sign" if {"up", "down"} & set(classes) else None if {"half", "break"} & set(classes) else "text"
            if field:
                self.tokens[-1][field] += data
        self.texts.append((classes, data))


def read(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    assert not reader.open
    return reader


def trace_of(phi: Any, seed: int = 0) -> CoherenceTrace:
    phi = np.asarray(phi, dtype=np.float64)
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, 300, len(phi))
    return CoherenceTrace.of_fields(phi, (1 - phi) * np.log(300), np.where(np.isnan(phi), np.nan, rng.random(len(phi))), 300, token_ids=ids)


HOSTILE = st.sampled_from(
    ["<script>alert(1)</script>", "</span>", "</style><img src=x onerror=alert(1)>", "&amp;", '"', "'", "\x1b[2J", "\u202e", "-->", "\x00", "\ud800"]
)
PHI = st.one_of(st.floats(0, 1), st.just(float("nan")))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(PHI, st.one_of(st.text(max_size=8), HOSTILE)), max_size=40), st.text(max_size=30), st.one_of(st.none(), HOSTILE, st.text()))
def test_every_token_is_there_with_its_colour_its_sign_and_its_numbers(rows: list[Any], title: str, prompt: str | None) -> None:
    from tempfile import TemporaryDirectory

    from ebmhw.verify.marking import visible

    trace = trace_of([phi for phi, _ in rows])
    texts = [text for _, text in rows]
    with TemporaryDirectory() as folder:
        write_page(Path(folder, "p.html"), [Sheet(trace, texts, prompt, title)], title, [title])
        reader = read(Path(folder, "p.html"))
    assert len(reader.tokens) == len(rows)
    for at, (found, (phi, text)) in enumerate(zip(reader.tokens, rows, strict=True)):
        # A browser takes a carriage return for a line feed; ours stands there by its number.
        assert found["text"] == visible(text)
        known = phi == phi
        assert found["class"] == ["t", f"p{min(9, int(phi * 10))}" if known else "pu"]
        assert (f"token {at}" in found["tip"] and f"phi {phi:.4f}" in found["tip"]) or "phi unknown" in found["tip"]
        change = phi - rows[at - 1][0] if at else 0.0
        assert found["sign"] == ("▲" if change > 0.03 else "▼" if change < -0.03 else "")
        assert found["tip"].endswith("▲ crystallization") == (change > 0.03) and found["tip"].endswith("▼ melting") == (change < -0.03)
    shown = "".join(text for classes, text in reader.texts if any("prompt" in name for name in classes))
    assert shown == ("" if prompt is None else visible(prompt))


def test_nothing_is_loaded_and_nothing_runs(tmp_path: Path) -> None:
    write_page(tmp_path / "p.html", [Sheet(trace_of([0.1, 0.9]), ["a", "b"])], "t")
    text = (tmp_path / "p.html").read_text()
    reader = read(tmp_path / "p.html")
    policy = next(attributes["content"] for tag, attributes in reader.elements if attributes.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert not re.search(r"<script|https?:|url\(|@import|javascript:", text)


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "TOKEN_LIMIT", 5)
    monkeypatch.setattr(page, "TOKEN_LIMIT", 5)
    monkeypatch.setattr(page, "SHEET_LIMIT", 2)
    write_page(tmp_path / "p.html", [Sheet(trace_of([0.1, 0.5] * 4), ["a"] * 8)] * 3, "t")
    text = (tmp_path / "p.html").read_text()
    assert len(read(tmp_path / "p.html").tokens) == 10
    assert "3 more tokens left out here" in text and "This page shows 2 of 3 completions." in text
    with pytest.raises(InvalidTrace, match="1 texts do not belong to a trace of 2 tokens"):
        write_page(tmp_path / "q.html", [Sheet(trace_of([0.1, 0.2]), ["a"])], "t")
    assert not (tmp_path / "q.html").exists()


def test_no_token_and_nothing_known(tmp_path: Path) -> None:
    write_page(tmp_path / "p.html", [Sheet(trace_of([]), []), Sheet(trace_of([np.nan]), [""])], "t")
    text = (tmp_path / "p.html").read_text()
    assert (
        "no token" in text and text.count("<svg") == 1 and 'class="t pu"' in text and "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.S)
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(PHI, min_size=1, max_size=60))
def test_the_line_goes_through_what_is_known(phi: list[float]) -> None:
    drawing = chart.chart(trace_of(phi))
    inner = chart.HEIGHT - chart.TOP - chart.BOTTOM
    points = [
        (float(x), float(y))
        for path in re.findall(r'class="line(?: dot)?" d="M([^"]*)"', drawing)
        for x, y in (point.removesuffix("h.01").split(" ") for point in path.split("L"))
    ]
    known = [value for value in phi if value == value]
    assert [round(1 - (y - chart.TOP) / inner, 2) for _, y in points] == pytest.approx(known, abs=0.01)
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    runs = sum(value == value and (at == 0 or phi[at - 1] != phi[at - 1]) for at, value in enumerate(phi))
    assert drawing.count('class="line') == runs


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=60))
def test_events_stay_within_the_scale_beside_their_point(phi: list[float]) -> None:
    drawing = chart.chart(trace_of(phi))
    top, bottom = chart.TOP, chart.HEIGHT - chart.BOTTOM
    shapes = re.findall(r'class="(up|down)" d="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)H[\d.]+Z"><title>\S+ \w+ at token (\d+),', drawing)
    assert len(shapes) == len(tokens.signs_of(trace_of(phi)))
    for kind, _, tip, _, base, at in shapes:
        low, high = sorted((float(tip), float(base)))
        assert top - 0.06 <= low < high <= bottom + 0.06
        assert (float(tip) < float(base)) == (kind == "up")
        height = top + (1 - phi[int(at)]) * (bottom - top)
        assert min(abs(low - height), abs(high - height)) == pytest.approx(4, abs=0.11)


def test_few_tokens_have_a_box_of_their_own_width() -> None:
    widths = {count: int(re.search(r'width="(\d+)"', chart.chart(trace_of([0.5] * count)))[1]) for count in (1, 8, 16, 17, 240, 5000)}  # type: ignore[index]
    assert widths == {1: 300, 8: 480, 16: 960, 17: 990, 240: 990, 5000: 6000}
    assert re.search(r"\.scroll \{[^}]*width: fit-content; max-width: 100%;", style.STYLE)


def test_long_lines_keep_their_extremes() -> None:
    phi = np.random.default_rng(0).uniform(0.4, 0.6, 50_000)
    phi[12_345], phi[40_000] = 0.0, 1.0
    drawing = chart.chart(trace_of(phi))
    (line,) = re.findall(r'class="line" d="M([^"]*)"', drawing)
    heights = [float(point.split(" ")[1]) for point in line.split("L")]
    assert len(heights) <= chart.POINTS and max(heights) == chart.HEIGHT - chart.BOTTOM and min(heights) == chart.TOP
    assert len(drawing) < 10_000_000


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_ink_can_be_read_on_every_colour() -> None:
    for ramp, ink in ((style.LIGHT, "#1c2128"), (style.DARK, "#eef2f6")):
        assert f"--ink: {ink}" in style.STYLE and len(ramp) == tokens.STEPS
        assert min(contrast(ink, ground) for ground in ramp) >= 7
    for ramp, sign in ((style.LIGHT, ("#0b5cad", "#a63603")), (style.DARK, ("#8cc2fb", "#ffb27a"))):
        assert f"--up: {sign[0]}; --down: {sign[1]}" in style.STYLE
        assert min(contrast(one, ground) for one in sign for ground in ramp) >= 3
