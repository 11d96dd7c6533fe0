"""Marking: pieces that are the text again, whatever the spans; nothing shown that a terminal or browser would obey."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from ebmhw.verify.marking import marked, visible
from ebmhw.verify.page.differences import WORD_LIMIT, changes

TEXTS = st.text(st.characters(), max_size=60)
SPANS = st.lists(st.tuples(st.integers(-5, 70), st.integers(-5, 70)), max_size=12)
WORDS = st.lists(st.sampled_from(["a", "b", "42", "\n", "b,", "é"]), max_size=40).map(" ".join)


@given(TEXTS, SPANS)
def test_pieces_are_the_text_and_hold_the_spans_of_each_character(text: str, spans: list[tuple[int, int]]) -> None:
    pieces = marked(text, spans)
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text for piece in pieces)
    by_character = [piece.spans for piece in pieces for _ in piece.text]
    assert by_character == [tuple(i for i, (start, end) in enumerate(spans) if start <= at < end) for at in range(len(text))]


@given(TEXTS, SPANS)
def test_pieces_are_as_few_as_can_be(text: str, spans: list[tuple[int, int]]) -> None:
    edges = {at for start, end in spans if max(0, start) < min(end, len(text)) for at in (start, end) if 0 < at < len(text)}
    assert len(marked(text, spans)) == (len(edges) + 1 if text else 0)


@given(TEXTS)
def test_nothing_unseen_is_left(text: str) -> None:
    shown = visible(text)
    # Joiners belong to the writing of languages and of emoji; the other formats do not change how text beside them looks.
    assert not {c for c in shown if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")} - {"\t", "\n"}
    assert not {c for c in shown if unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")}
    assert visible(shown) == shown
    shown.encode()


def test_what_is_written_out() -> None:
    assert visible("a\x1b[31m\u202eb\r\nc\ud800\t\U000e0041") == "a<U+001B>[31m<U+202E>b\nc<U+D800>\t<U+E0041>"
    assert visible("שלום é 👩‍👩‍👧") == "שלום é 👩‍👩‍👧"


@given(WORDS, WORDS)
def test_changes_are_both_texts(before: str, after: str) -> None:
    found = changes(before, after)
    assert "".join(change.before for change in found) == before
    assert "".join(change.after for change in found) == after
    assert all(change.before or change.after for change in found)


@given(WORDS)
def test_equal_texts_have_no_change(text: str) -> None:
    assert all(change.before == change.after for change in changes(text, text))


def test_one_number_of_a_long_text_is_one_change() -> None:
    before = "so 2 + 2 = 5 it is. " * (WORD_LIMIT // 4)
    after = before[:-9] + before[-9:].replace("it", "IT")
    assert [change for change in changes(before, after) if change.before != change.after] == [("it", "IT")]
    # Two that are far apart in a text too long to compare are one change with all between them.
    far = "X" + after[1:]
    assert len([change for change in changes(before, far) if change.before != change.after]) == 1
