"""The page: well-formed, self-contained, nothing of a text ever markup; every mark readable without colour and pointer."""

from __future__ import annotations

import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ebmhw.verify.batch.lines import Line
from ebmhw.verify.batch.records import failed
from ebmhw.verify.batch.tally import Counts, Tally
from ebmhw.verify.marking import visible
from ebmhw.verify.page import page as module
from ebmhw.verify.page.article import CLAIM_LIMIT, TEXT_LIMIT, article
from ebmhw.verify.page.page import Batch, write_page
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, together

VOID = {"meta", "input", "link", "br", "img", "hr"}
OURS = {
    *("html", "head", "meta", "title", "style", "body", "div", "h1", "h2", "h3", "p", "dl", "dt", "dd", "small", "i", "b", "span", "main", "article"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "fieldset", "legend", "label", "input", "header", "a", "section", "mark", "sup", "del"),
    *("ins", "details", "summary", "ol", "li", "q", "ul", "code"),
}


class Parsed(HTMLParser):
    """A page as a tree of what a browser sees: elements with their attributes and all text within; raises where tags do not match."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[dict[str, Any]] = []
        self.elements: list[dict[str, Any]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = {"tag": tag, "text": "", **dict(attrs)}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data: str) -> None:
        if not any(element["tag"] == "style" for element in self.open):
            self.text += data
        for element in self.open:
            element["text"] += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, Any]]:
        return [
            e
            for e in self.elements
            if e["tag"] == tag and all(value in (e.get(name.rstrip("_")) or "").split() for name, value in attributes.items())
        ]


def claim(span: tuple[int, int], text: str, verdict: str = VIOLATED, reason: str = "why", fix: str | None = None) -> dict[str, Any]:
    return {"domain": "sums", "kind": "equation", "span": list(span), "text": text, "content": {}, "verdict": verdict, "reason": reason, "fix": fix}


def record(line: int, question: str, response: str, claims: list[dict[str, Any]], final: str | None = None) -> dict[str, Any]:
    verdict = together(claim["verdict"] for claim in claims)
    repair = None
    if final is not None:
        attempts = [{"method": "exact", "response": final, "verdict": VERIFIED, "reason": "all hold"}]
        repair = {"final_answer": final, "verdict": VERIFIED, "repaired": True, "attempts": attempts}
    return {
        **failed(Line(line, 0, 1), "", "reason"),
        "id": f"<i>{line}</i>",
        "question": question,
        "response": response,
        "verdict": verdict,
        "final_verdict": VERIFIED if final is not None else verdict,
        "claims": claims,
        "repair": repair,
        "error": None,
    }


def page_of(folder: Path, records: list[dict[str, Any]], lines: int | None = None) -> str:
    tally = Tally()
    for entry in records:
        tally.add(Counts.of(entry))
    write_page(folder / "p.html", Batch("<in>.jsonl", ("<b>about</b>",), tally, len(records) if lines is None else lines), iter(records))
    return (folder / "p.html").read_text(encoding="utf-8")


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    # A carriage return before a line feed is dropped, unless a mark parts them: its own test has those.
    hostile = st.text(st.one_of(st.characters(exclude_characters="\r"), st.sampled_from("<>&\"'/ab\n\t\u202e\ud800\x00\x1b")), max_size=40)
    response = draw(hostile)
    claims = []
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, len(response)))
        end = draw(st.integers(start, len(response)))
        verdict = draw(st.sampled_from([VERIFIED, VIOLATED, UNKNOWN]))
        claims.append(claim((start, end), response[start:end], verdict, draw(hostile), draw(st.none() | hostile)))
    return record(draw(st.integers(1, 10**6)), draw(hostile), response, claims, draw(st.none() | hostile))


@given(records())
def test_an_article_shows_its_texts_and_nothing_of_them_is_markup(entry: dict[str, Any]) -> None:
    parsed = Parsed(article(entry))
    assert {element["tag"] for element in parsed.elements} <= OURS
    without_numbers = Parsed(re.sub("<sup>.*?</sup>", "", article(entry)))
    shown = [element["text"] for element in without_numbers.all("div", class_="text")]
    texts = [entry["question"]] * bool(entry["question"]) + [entry["response"]]
    if entry["repair"] and entry["repair"]["final_answer"] != entry["response"]:
        texts.append(entry["repair"]["final_answer"])
    assert shown == [visible(text) for text in texts]
    names = [f"l{entry['line']}c{number}" for number in range(1, len(entry["claims"]) + 1)]
    assert sorted(element["id"] for element in parsed.all("li") if "value" in element) == names
    # Each claim that has words is marked, and its number leads to what is said of it.
    links = sorted(element["href"] for element in parsed.all("a") if element.get("aria-label"))
    assert links == [f"#{name}" for name, c in zip(names, entry["claims"], strict=True) if c["span"][0] < c["span"][1]]
    said = [element["text"] for element in parsed.all("p", class_="why")]
    assert sorted(said) == sorted(visible(c["reason"]) for c in entry["claims"])


def test_marks_say_by_sign_and_word_what_they_say_by_colour() -> None:
    parsed = Parsed(
        article(record(3, "q", "2 + 2 = 5, 1 = 1, x", [claim((0, 9), "2 + 2 = 5", VIOLATED, "it is 4", "4"), claim((11, 16), "1 = 1", VERIFIED)]))
    )
    marks = parsed.all("mark")
    assert [(mark["class"], mark["text"], mark["title"]) for mark in marks] == [
        ("violated", "2 + 2 = 5", "VIOLATED: it is 4"),
        ("verified", "1 = 1", "VERIFIED: why"),
    ]
    assert [link["text"] for link in parsed.all("a") if link.get("aria-label")] == ["✗1", "✓2"]
    violated, verified = parsed.all("details")
    assert "open" in violated and "open" not in verified
    assert "it is 4" in violated["text"] and "Fix: 4" in violated["text"] and "VIOLATED" in violated["text"]
    assert parsed.all("article")[0]["class"] == "violated"


def test_overlapping_claims_share_a_mark_of_the_worst() -> None:
    claims = [claim((0, 6), "abcdef", VERIFIED, "one"), claim((3, 9), "defghi", VIOLATED, "two")]
    marks = Parsed(article(record(1, "", "abcdefghi", claims))).all("mark")
    assert [(mark["text"], mark["class"]) for mark in marks] == [("abc", "verified"), ("def", "violated"), ("ghi", "violated")]
    assert marks[1]["title"] == "VERIFIED: one\nVIOLATED: two"


def test_a_repair_is_beside_the_answer_with_its_differences() -> None:
    parsed = Parsed(article(record(1, "", "so 2 + 2 = 5 it is", [claim((3, 12), "2 + 2 = 5")], "so 2 + 2 = 4 it is")))
    assert [element["text"] for element in parsed.all("del")] == ["5"]
    assert [element["text"] for element in parsed.all("ins")] == ["4"]
    before, after = (element["text"] for element in parsed.all("div", class_="text"))
    assert before.replace("✗1", "") == "so 2 + 2 = 5 it is"
    assert after == "so 2 + 2 = 4 it is"
    assert parsed.all("article")[0]["class"] == "violated repaired"


def test_long_texts_and_many_claims_are_cut_and_say_so() -> None:
    text = "2 + 2 = 5 " * 100_000
    claims = [claim((i, i + 9), "2 + 2 = 5", VERIFIED) for i in range(0, len(text), 10)]
    claims[-1] |= {"verdict": VIOLATED, "reason": "the last of all"}
    html = article(record(1, text, text, claims, text.replace("5", "4")))
    assert len(html) < 100_000
    parsed = Parsed(html)
    assert "the last of all" in parsed.text
    assert len(parsed.all("q")) == CLAIM_LIMIT
    assert f"{len(claims) - CLAIM_LIMIT:,} more claims left out here" in parsed.text
    assert f"{len(text) - TEXT_LIMIT:,} more characters left out here, with {len(claims) - TEXT_LIMIT // 10:,} claims in them" in parsed.text


def test_the_page_is_self_contained_and_counts(tmp_path: Path) -> None:
    entries = [
        record(1, "q", "ab", [claim((0, 1), "a")]),
        record(2, "q", "ab", [claim((0, 1), "a", VERIFIED)]),
        failed(Line(3, 0, 1), "invalid-file", "<u>"),
    ]
    html = page_of(tmp_path, entries, lines=7)
    parsed = Parsed(html)
    assert {element["tag"] for element in parsed.elements} <= OURS
    assert not re.search(r"https?:|//|url\(|@import|<script", html)
    assert parsed.all("meta")[1]["content"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert "The run was ended early: 3 of 7 records are done" in parsed.text
    cards = {key["text"].split()[-1]: value["text"].split()[0] for key, value in zip(parsed.all("dt"), parsed.all("dd"), strict=True)}
    assert cards == {"records": "3", "claims": "2", "VIOLATED": "1", "ERROR": "1", "UNKNOWN": "0", "VERIFIED": "1"}
    assert [row["text"] for row in parsed.all("tr")] == [
        "domain and kind✓ VERIFIED✗ VIOLATED? UNKNOWN",
        "sums equation110",
        "whatcoderecords",
        "no verdictinvalid-file1",
    ]
    # The filter shows what its label counts.
    rules = dict(re.findall(r"body:has\(#show-(\w+):checked\) article:not\(\.(\w+)\)\{display:none\}", html))
    assert all(key == value for key, value in rules.items())
    classes = [element["class"].split() for element in parsed.all("article")]
    for label, element in zip(parsed.all("label"), parsed.all("input"), strict=True):
        key = element["id"].removeprefix("show-")
        assert int(label["text"].split()[-1]) == (3 if key == "all" else sum(key in names for names in classes))
        assert key == "all" or key in rules


def test_too_many_records_leave_room_for_the_worst(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "RECORD_LIMIT", 4)
    verdicts = [VERIFIED, VIOLATED, UNKNOWN, VERIFIED, VIOLATED, VERIFIED, UNKNOWN, UNKNOWN]
    entries = [record(i, "q", "ab", [claim((0, 1), "a", verdict)]) for i, verdict in enumerate(verdicts, 1)]
    parsed = Parsed(page_of(tmp_path, entries))
    assert [element["id"] for element in parsed.all("article")] == ["l2", "l3", "l5", "l7"]
    assert "This page shows 4 records and leaves out 4" in parsed.text
    assert [label["text"] for label in parsed.all("label")] == ["All 4", "✗ VIOLATED 2", "? UNKNOWN 2"]
    monkeypatch.setattr(module, "PAGE_BYTES", 1)
    assert len(Parsed(page_of(tmp_path, entries)).all("article")) == 1


def test_records_of_a_file_are_streamed(tmp_path: Path) -> None:
    entries = (record(i, "q", "ab", []) for i in itertools.count(1))
    tally = Tally(records=5)
    tally.verdicts[UNKNOWN] = 5
    lines = (json.loads(json.dumps(next(entries))) for _ in range(5))
    assert write_page(tmp_path / "p.html", Batch("x", (), tally, 5), lines) == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.html"]
