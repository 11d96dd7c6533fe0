"""Parts: the pieces that rules of the grammar are made of, and contents made of them."""

from __future__ import annotations

from typing import Any, NamedTuple

Content = dict[str, Any]


class Part(NamedTuple):
    """A piece of a sentence.

    Attributes
    ----------
    what : a term, an amount, or a whole content
    start, end : characters of the text
    value : for a whole content, the span that a fix replaces; None where there is none
    """

    what: Any
    start: int
    end: int
    value: tuple[int, int] | None = None


def whole(parts: list[Any], content: Content, value: tuple[int, int] | None) -> Part:
    """Return a whole content, spanning the parts of its rule."""
    return Part(content, parts[0].start, parts[-1].end, value)


def asked(parts: list[Any], content: Content, asked: str, unit: str | None = None) -> Part:
    """Return what a question asks for: the content without the named term."""
    return whole(parts, {**content, "asked": asked, "unit": unit, "holds": True}, None)


def polar(parts: list[Any], content: Content) -> Part:
    """Return the content whose truth a question asks for."""
    return whole(parts, {**content, "asked": "polarity"}, None)


def is_unit(part: Any) -> bool:
    """Return whether a part is the token of a unit."""
    return part is not None and not isinstance(part, Part) and part.type == "UNIT"


def is_day(term: Content) -> bool:
    """Return whether a term names a day."""
    return "dates" in term or "month_day" in term


def in_unit(amount: Part, unit: str | None) -> Part:
    """Return an amount with the unit that the words before it give."""
    return amount._replace(what=[[count, own or unit] for count, own in amount.what])


def narrowed(term: Content, span: Content) -> Content | None:
    """Return a term with the year that a span names: "March 4" in "2024"; None where they do not go together."""
    if "year" in span:
        year = span["year"]
        if "month_day" in term:
            return {"dates": [[year, *term["month_day"]]]}
        if "month" in term:
            return {"month_year": [year, term["month"]]}
    if "kind" in span and "month" in term:
        return {"month": term["month"], "kind": span["kind"]}
    return None


def same_day(parts: list[Any], left: Content, is_: Part, right: Part, span: Content | None) -> Part | None:
    """Return the content of "DAY is WEEKDAY" or "DAY is DAY"; None for other terms."""
    if span is not None:
        within = narrowed(left, span)
        if within is None:
            return None
        left = within
    if "weekday" in right.what:
        if not is_day(left):
            return None
        place = (right.start, right.end) if is_.what else (is_.start, is_.end)
        return whole(parts, {"relation": "weekday", "date": left, "weekday": right.what["weekday"], "holds": is_.what}, place)
    if "dates" not in left or "dates" not in right.what:
        return None
    return whole(parts, {"relation": "same", "left": left, "right": right.what, "holds": is_.what}, None)


def length_of(parts: list[Any], term: Content, amount: Part, holds: bool, span: Content | None) -> Part | None:
    """Return the content of "SPAN has AMOUNT"; None where that is not read."""
    if span is not None:
        within = narrowed(term, span)
        if within is None:
            return None
        term = within
    if len(amount.what) != 1 or is_day(term) or "weekday" in term or "time" in term:
        return None
    return whole(parts, {"relation": "length", "span": term, "amount": amount.what, "holds": holds}, amount.value)


def difference_of(parts: list[Any], points: list[Content], amount: Part, holds: bool) -> Part | None:
    """Return the content of "AMOUNT lies between two points"; None without units."""
    if any(unit is None for _, unit in amount.what):
        return None
    content = {"relation": "difference", "from": points[0], "to": points[1], "amount": amount.what, "holds": holds}
    return whole(parts, content, (amount.start, amount.end))


def shift_of(parts: list[Any], start: Content, amount: Any, direction: int, target: Part, is_: Part, value: tuple[int, int] | None) -> Part:
    """Return the content of "AMOUNT after START is TARGET"."""
    content = {
        "relation": "shift", "from": start, "amount": amount, "direction": direction, "to": target.what, "repair": "to", "holds": is_.what,
    }  # fmt: skip
    return whole(parts, content, value if is_.what else (is_.start, is_.end))
