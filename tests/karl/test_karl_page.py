"""The report: well-formed and self-contained whatever the sessions say; its numbers are those of the sessions."""

from __future__ import annotations

import random
import re
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from karl_cases import trajectories

from ebmhw.karl import score
from ebmhw.karl.baselines import ablation, advantages, separation
from ebmhw.karl.page import Report, write_report
from ebmhw.karl.page import page as module
from ebmhw.karl.page.charts import POINTS, Point, drawn, histogram, sessions_map
from ebmhw.karl.trajectory import Outcome, ToolEvent, Trajectory
from ebmhw.verify.marking import visible

VOID = {"meta"}
OURS = {
    *("html", "head", "meta", "title", "style", "body", "main", "div", "h1", "h2", "p", "dl", "dt", "dd", "span", "table", "thead", "tbody", "tr"),
    *("th", "td", "svg", "rect", "path", "circle", "text"),
}
HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style></svg><b>",
    "<!-- ",
    "&lt;&amp;&#60;",
    "\u202egnp.exe\u2066\u200f",
    "\x1b[2J\x07\x00\x85",
    "\ud800",
    "x" * 5000,
    "",
)


class Parsed(HTMLParser):
    """A page as elements with their attributes and the text within each; raises where tags do not match."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[dict[str, Any]] = []
        self.elements: list[dict[str, Any]] = []
        self.feed(html)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = {"tag": tag, "text": "", **dict(attrs)}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append({"tag": tag, "text": "", **dict(attrs)})

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element["text"] += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, Any]]:
        return [e for e in self.elements if e["tag"] == tag and all(e.get(name.rstrip("_").replace("_", "-")) == v for name, v in attributes.items())]


def report_of(sessions: list[Trajectory], **changed: Any) -> Report:
    rewards = [score(one) for one in sessions]
    values: dict[str, Any] = {
        "title": "Sessions",
        "about": ["here"],
        "trajectories": sessions,
        "rewards": rewards,
        "advantages": [float(value) for value in advantages(sessions, rewards)],
        "ablation": ablation(rewards, [one.outcome.verified for one in sessions]),
        "separation": separation(sessions, rewards),
    }
    return Report(**{**values, **changed})


def written(folder: Path, report: Report) -> tuple[str, Parsed]:
    write_report(folder / "p.html", report)
    html = (folder / "p.html").read_text(encoding="utf-8")
    assert "\x1b" not in html and not re.search(r"https?:|//|url\(|@import|<script|<img| on\w+=", re.sub(r">[^<]*<", "><", html))
    assert not set(html) & set("\u202e\u2066\u200f\x00\x07")
    parsed = Parsed(html)
    assert {element["tag"] for element in parsed.elements} <= OURS
    assert "nan" not in {part.strip() for element in parsed.elements if element["tag"] in ("td", "dd") for part in element["text"].split()}
    regions = parsed.all("div", role="region")
    assert all(region["aria-label"] and region["tabindex"] == "0" for region in regions)
    assert len(regions) == len(parsed.all("table")) + 1 and len({region["aria-label"] for region in regions}) == len(regions)
    assert all(element["text"] for element in parsed.all("th"))
    return html, parsed


def rows(parsed: Parsed, name: str) -> list[list[str]]:
    """Return the cells of the table within a region, row by row, the header first."""
    found: list[list[str]] = []
    inside = False
    for element in parsed.elements:
        if element["tag"] == "div" and "aria-label" in element:
            inside = element["aria-label"] == name
        elif inside and element["tag"] == "tr":
            found.append([])
        elif inside and element["tag"] in ("th", "td"):
            found[-1].append(element["text"])
    return found


def session(number: int, prompt: str = "do it", calls: int = 3, verified: float | None = None, **values: Any) -> Trajectory:
    events = tuple(ToolEvent("Bash", {"command": "ls"}, bool((number + i) % 3)) for i in range(calls))
    return Trajectory(f"traj_{number}", f"s{number}", events, prompt=prompt, outcome=Outcome(verified=verified), **values)


@given(st.lists(trajectories(max_events=4), min_size=1, max_size=6), st.sampled_from(HOSTILE), st.data())
@settings(max_examples=30)
def test_whatever_sessions_say_is_text(tmp_path_factory: pytest.TempPathFactory, sessions: list[Trajectory], text: str, data: st.DataObject) -> None:
    sessions = [one.but(id=f"{text}{i}", prompt=text + one.prompt, domain=one.domain and one.domain + text) for i, one in enumerate(sessions)]
    sessions[0] = sessions[0].but(events=(ToolEvent(text or "Bash", {"command": text}, True), *sessions[0].events), tool_counts={})
    chosen = data.draw(st.none() | st.lists(st.sampled_from([one.id for one in sessions]), unique=True))
    folder = tmp_path_factory.mktemp("page")
    selections = {text: {text or "name": text, "objective": float("nan"), "exact": True}} if data.draw(st.booleans()) else {}
    _, parsed = written(folder, report_of(sessions, title=text, about=[text], chosen=chosen, selections=selections, problems=3))
    cards = dict(zip((e["text"] for e in parsed.all("dt")), (e["text"] for e in parsed.all("dd")), strict=True))
    assert cards["sessions"] == str(len(sessions)) and cards["calls of tools"] == str(sum(one.total_tools for one in sessions))
    assert cards.get("chosen") == (None if chosen is None else str(len(chosen)))
    assert "3 problems in the logs" in parsed.all("p", class_="notice")[0]["text"]
    if chosen:
        asked = sorted(row[0] for row in rows(parsed, "the chosen sessions")[1:])
        cut = [one.prompt if len(one.prompt) <= 160 else one.prompt[:159] + "…" for one in sessions if one.id in chosen]
        # What a parser of HTML makes of line ends is a line feed.
        plain = sorted(visible(prompt).encode("utf-8", "replace").decode().replace("\r", "\n") or "(no prompt)" for prompt in cut)
        assert asked == plain


def test_numbers_by_domain_are_those_of_the_sessions(tmp_path: Path) -> None:
    draw = random.Random(3)
    sessions = [
        session(i, calls=draw.randrange(9), verified=draw.choice([None, 0.0, 1.0]), domain=draw.choice([None, "web", "ml"])) for i in range(200)
    ]
    chosen = [one.id for one in sessions[::7]]
    report = report_of(sessions, chosen=chosen, held_out=frozenset(["traj_3"]))
    _, parsed = written(tmp_path, report)
    found = {row[0]: row[1:] for row in rows(parsed, "rewards by domain")[1:]}
    assert set(found) == {"_global", "web", "ml"}
    for name, cells in found.items():
        at = [i for i, one in enumerate(sessions) if (one.domain or "_global") == name]
        totals = [report.rewards[i].total for i in at]
        above = sum(report.advantages[i] > 0 for i in at)
        assert [cells[0], cells[2], cells[4], cells[5]] == [
            str(len(at)),
            f"{sum(totals) / len(at):.3f}",
            str(above),
            str(sum(sessions[i].id in chosen for i in at)),
        ]
    separate = rows(parsed, "AUC against verified outcomes")
    assert [row[0] for row in separate[1:]][-1] == "fewer tool calls" and len(separate) == 9
    assert [row[1] for row in separate[1:]] == [f"{row.auc.value:.3f}" for row in report.separation.rows if row.auc is not None]
    assert {row[0] for row in rows(parsed, "ablation")[1:]} == {"outcome", "process", "efficiency", "verification", "consistency"}
    marks = parsed.all("circle", class_="chosen")
    assert len(marks) == len(chosen)
    assert len(parsed.all("path", class_="bad")) == sum(one.outcome.verified == 0 for one in sessions)


def test_nothing_verified_and_nothing_chosen(tmp_path: Path) -> None:
    _, parsed = written(tmp_path, report_of([session(1)]))
    assert "No two kinds of outcome were verified" in parsed.all("p", class_="notice")[0]["text"]
    assert rows(parsed, "the chosen sessions") == []


def test_methods_that_were_compared_are_side_by_side(tmp_path: Path) -> None:
    numbers = {"qubo": {"objective": -1.25, "exact": True}, "top-k": {"objective": -2.0, "exact": False}}
    _, parsed = written(tmp_path, report_of([session(1), session(2)], chosen=["traj_1"], selections=numbers))
    assert rows(parsed, "ways to choose") == [["method", "objective", "exact"], ["qubo", "-1.250", "yes"], ["top-k", "-2.000", ""]]


def test_ten_thousand_sessions_make_a_page_that_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(1)
    sessions = [session(i, HOSTILE[i % len(HOSTILE)], draw.randrange(6), draw.choice([0.0, 1.0]), domain=f"d{i % 500}") for i in range(10_000)]
    report = report_of(sessions[:50])
    rewards = [report.rewards[i % 50] for i in range(10_000)]
    whole = report._replace(trajectories=sessions, rewards=rewards, advantages=[0.5] * 10_000, chosen=[one.id for one in sessions[:2000]])
    started = time.monotonic()
    html, parsed = written(tmp_path, whole)
    assert time.monotonic() - started < 20
    assert len(html) < 3_000_000
    said = " ".join(element["text"] for element in parsed.all("p", class_="note"))
    assert f"{POINTS:,} of the 10,000 sessions are drawn" in said
    assert "440 smaller domains not shown" in said and "1,500 more sessions not shown" in said
    assert len(rows(parsed, "rewards by domain")) == module.DOMAIN_LIMIT + 1
    assert len(parsed.all("circle", class_="chosen")) == 2000


def test_points_that_are_drawn() -> None:
    points = [Point(i % 7, 0.5, None, i % 10 == 0, str(i)) for i in range(5 * POINTS)]
    kept = drawn(points)
    assert len(kept) == POINTS and sum(point.chosen for point in kept) == POINTS // 2
    assert len({point.name for point in kept}) == POINTS
    assert drawn(points[:POINTS]) == sorted(points[:POINTS], key=lambda point: not point.chosen)
    assert all(point.chosen for point in drawn([point._replace(chosen=True) for point in points]))
    assert drawn([]) == []


def test_sessions_of_one_place_do_not_hide_each_other() -> None:
    at = re.findall(r'<circle class="good" cx="([\d.]+)"', sessions_map([Point(5, 0.5, True, False, str(i)) for i in range(5)]))
    assert len(set(at)) == 5
    assert max(map(float, at)) - min(map(float, at)) <= 30


@pytest.mark.parametrize("values", [[], [0.0], [1.0], [0.5] * 7, [0.0, 1.0, 0.999999, 1e-9]])
def test_a_histogram_counts_every_value(values: list[float]) -> None:
    drawn_bars = Parsed(histogram(values)).all("rect")
    counts = [int(title["text"].rsplit(": ", 1)[1]) for title in Parsed(histogram(values)).all("title")]
    assert sum(counts) == len(values) and len(counts) == len(drawn_bars)
