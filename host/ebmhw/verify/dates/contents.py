"""Contents: what a rule of the grammar says, made while it is parsed.

A content is a relation with its terms: "weekday" (date, weekday), "same" (left, right), "leap" (years), "order" (left, right, direction),
"difference" (from, to, amount), "shift" (from, amount, direction, to), "length" (span, amount), "exists" (points), "age" (from, to, amount).
A term is {"dates": readings}, {"month_day": [m, d]}, {"month_year": [y, m]}, {"month": m}, {"year": y}, {"weekday": w},
{"time": minutes, "sure": bool}, {"unit": u} or {"kind": "leap" or "common"}; an amount is a list of [count, unit] with the count as a decimal string.
A time may be that of the "next_day"; a difference may be that of an "event", from its start to its end, and its times of two "zones".
"""

from __future__ import annotations

from typing import Any

from lark import Transformer

from ebmhw.verify.dates.parts import Part, asked, difference_of, in_unit, is_day, is_unit, length_of, narrowed, polar, same_day, shift_of, whole
from ebmhw.verify.dates.scan import Token

_SINGLE = {"day": ("weekday", "dates", "month_day"), "month": ("month",), "year": ("year",)}


class Contents(Transformer):  # type: ignore[misc]  # Lark is not always installed where types are checked
    """Makes contents of the rules of the grammar; a rule whose parts do not fit says None."""

    # --- terms

    def point(self, parts: list[Token]) -> Part:
        token = parts[0]
        value = token.value
        what = {
            "DATE": lambda: {"dates": value},
            "MDAY": lambda: {"month_day": value[:2]},
            "MYEAR": lambda: {"month_year": value},
            "MONTH": lambda: {"month": value},
            "YEAR": lambda: {"year": value},
            "WDAY": lambda: {"weekday": value},
            "TIME": lambda: {"time": value[0][0], "sure": value[1]},
        }[token.type]()
        return Part(what, token.start, token.end)

    def points(self, parts: list[Any]) -> Part:
        found = [part for part in parts if isinstance(part, Part)]
        return Part([part.what for part in found], found[0].start, found[-1].end)

    def count(self, parts: list[Token]) -> Part:
        token = parts[0]
        return Part(str(token.value if token.type == "YEAR" else token.value[0]), token.start, token.end)

    def part(self, parts: list[Any]) -> Part:
        count, unit = parts
        return Part([count.what, unit.value], count.start, unit.end)

    def duration(self, parts: list[Any]) -> Part:
        found = [part for part in parts if isinstance(part, Part)]
        return Part([part.what for part in found], found[0].start, found[-1].end, (found[0].start, found[-1].end))

    def amount(self, parts: list[Part]) -> Part:
        part = parts[0]
        return part if isinstance(part.what, list) else Part([[part.what, None]], part.start, part.end, (part.start, part.end))

    def step(self, parts: list[Any]) -> Part:
        part = parts[0]
        return part if isinstance(part, Part) else Part([["1", part.value]], part.start, part.end)

    def span(self, parts: list[Any]) -> Part:
        part = parts[0]
        return part if isinstance(part, Part) else Part({"unit": part.value}, part.start, part.end)

    def kind(self, parts: list[Token]) -> Part:
        return Part({"kind": "leap" if parts[0].type == "LEAP" else "common"}, parts[0].start, parts[0].end)

    def relation(self, parts: list[Token]) -> Part:
        return Part(-1 if parts[0].type == "BEFORE" else 1, parts[0].start, parts[0].end)

    def verb(self, parts: list[Token]) -> Part:
        return Part(-1 if parts[0].type == "PRECEDES" else 1, parts[0].start, parts[0].end)

    def between(self, parts: list[Any]) -> Part:
        return self.event(parts)

    def event(self, parts: list[Any]) -> Part:
        first, last = (part.what for part in parts if isinstance(part, Part))
        if not isinstance(parts[-1], Part):
            if "time" not in last:
                return Part([first, {"none": True}], parts[0].start, parts[-1].end)
            last = {**last, "next_day": True}
        return Part([first, last], parts[0].start, parts[-1].end)

    def it_is(self, parts: list[Any]) -> Part:
        return Part(not isinstance(parts[-1], Part) or parts[-1].what, parts[0].start, parts[-1].end)

    def sooner(self, parts: list[Token]) -> Part:
        return Part(-1 if parts[0].type == "EARLIER" else 1, parts[0].start, parts[0].end)

    def when(self, parts: list[Any]) -> Part:
        (amount,) = (part for part in parts if isinstance(part, Part))
        back = not isinstance(parts[-1], Part) and parts[-1].type == "AGO"
        return Part((amount.what, -1 if back else 1), parts[0].start, parts[-1].end)

    def lasting(self, parts: list[Token]) -> None:
        return None

    def be_it(self, parts: list[Token]) -> None:
        return None

    def ask_be(self, parts: list[Token]) -> None:
        return None

    def measure(self, parts: list[Token]) -> Part:
        units = [part.value for part in parts if part.type == "UNIT"]
        return Part(units[0] if units else None, parts[0].start, parts[-1].end)

    def validity(self, parts: list[Token]) -> Part:
        return Part(parts[0].type == "VALID", parts[0].start, parts[0].end)

    def existence(self, parts: list[Token]) -> Part:
        return Part(parts[0].type == "EXISTS", parts[0].start, parts[0].end)

    def is_(self, parts: list[Token]) -> Part:
        return Part(len(parts) == 1 and parts[0].type == "IS", parts[0].start, parts[-1].end)

    def has(self, parts: list[Token]) -> Part:
        return Part(parts[0].type == "HAS", parts[0].start, parts[0].end)

    def there(self, parts: list[Token]) -> Part:
        return Part(parts[0].type == "THERE", parts[0].start, parts[0].end)

    def in_(self, parts: list[Token]) -> Part:
        return Part("in", parts[0].start, parts[0].end)

    # --- claims

    def same(self, parts: list[Part]) -> Part | None:
        left, is_, right = parts[:3]
        if len(left.what) != 1:
            return None
        year = parts[4].what if len(parts) == 5 else None
        return same_day(parts, left.what[0], is_, right, year)

    def same_in(self, parts: list[Any]) -> Part | None:
        span, left, is_, right = [part for part in parts if isinstance(part, Part)][1:]
        return same_day(parts, left.what, is_, right, span.what)

    def same_aside(self, parts: list[Any]) -> Part | None:
        left, _, right, _ = parts
        if len(left.what) != 1 or "weekday" not in right.what:
            return None
        return same_day(parts, left.what[0], Part(True, left.end, left.end), right, None)

    def same_then(self, parts: list[Any]) -> Part | None:
        left, is_, right = (part for part in parts if isinstance(part, Part))
        return same_day(parts, left.what, is_, right, None) if "weekday" in right.what else None

    def same_on(self, parts: list[Part]) -> Part | None:
        is_, right, left = parts
        return same_day(parts, left.what, is_, right, None) if "weekday" in right.what else None

    def weekday_of(self, parts: list[Any]) -> Part | None:
        left, is_, right = [part for part in parts if isinstance(part, Part)]
        return same_day(parts, left.what, is_, right, None) if "weekday" in right.what else None

    def leap(self, parts: list[Part]) -> Part | None:
        points, is_, kind = parts
        if not all("year" in point for point in points.what):
            return None
        leap = (kind.what["kind"] == "leap") == is_.what
        return whole(parts, {"relation": "leap", "years": [point["year"] for point in points.what], "holds": leap}, (is_.start, is_.end))

    def order(self, parts: list[Any]) -> Part | None:
        found = [part for part in parts if isinstance(part, Part)]
        left, relation, right = found[0], found[-2], found[-1]
        holds = found[1].what if len(found) == 4 else True
        if len(left.what) != 1 or (len(found) == 4 and "weekday" in right.what):
            return None
        content = {
            "relation": "order", "left": left.what[0], "right": right.what, "direction": relation.what, "same_year": not isinstance(parts[-1], Part),
            "holds": holds,
        }  # fmt: skip
        return whole(parts, content, (relation.start, relation.end))

    def apart_by(self, parts: list[Part]) -> Part | None:
        points, is_, amount, relation, other = parts
        if len(points.what) != 1:
            return None
        made = shift_of(parts, other.what, amount.what, relation.what, Part(points.what[0], points.start, points.end), is_, amount.value)
        made.what["repair"] = "amount"
        return made

    def apart(self, parts: list[Any]) -> Part | None:
        points, is_, amount = parts[:3]
        return difference_of(parts, points.what, amount, is_.what) if len(points.what) == 2 else None

    def length(self, parts: list[Any]) -> Part | None:
        found = [part for part in parts if isinstance(part, Part)]
        points, holds, amount = found[:3]
        return length_of(parts, points.what[0], amount, holds.what, found[4].what if len(found) == 5 else None) if len(points.what) == 1 else None

    def length_of_kind(self, parts: list[Part]) -> Part | None:
        kind, has, amount = parts
        return length_of(parts, kind.what, amount, has.what, None)

    def length_in(self, parts: list[Any]) -> Part | None:
        _, span, point, holds, amount = (part for part in parts if isinstance(part, Part))
        return length_of(parts, point.what, amount, holds.what, span.what)

    def there_in(self, parts: list[Part]) -> Part | None:
        return length_of(parts, parts[3].what, parts[1], parts[0].what, parts[5].what if len(parts) == 6 else None)

    def in_there(self, parts: list[Any]) -> Part | None:
        _, span, there, amount = (part for part in parts if isinstance(part, Part))
        return length_of(parts, span.what, amount, there.what, None)

    def number_in(self, parts: list[Any]) -> Part | None:
        unit, (_, span, is_, amount) = parts[1].value, parts[2:]
        return length_of(parts, span.what, in_unit(amount, unit), is_.what, None)

    def valid(self, parts: list[Part]) -> Part:
        points, is_, validity = parts
        return whole(parts, {"relation": "exists", "points": points.what, "holds": is_.what == validity.what}, None)

    def exists(self, parts: list[Any]) -> Part:
        if len(parts) == 2 and not isinstance(parts[0], Part):
            return whole(parts, {"relation": "exists", "points": [parts[1].what], "holds": False}, None)
        return whole(parts, {"relation": "exists", "points": parts[0].what, "holds": parts[1].what}, None)

    def there_between(self, parts: list[Part]) -> Part | None:
        there, amount, between = parts
        return difference_of(parts, between.what, amount, there.what)

    def between_there(self, parts: list[Any]) -> Part | None:
        between, there, amount = (part for part in parts if isinstance(part, Part))
        return difference_of(parts, between.what, amount, there.what)

    def between_is(self, parts: list[Part]) -> Part | None:
        between, is_, amount = parts[-3:]
        return difference_of(parts, between.what, in_unit(amount, parts[0].what if len(parts) == 4 else None), is_.what)

    def between_pass(self, parts: list[Any]) -> Part | None:
        between, amount = (part for part in parts if isinstance(part, Part))
        return difference_of(parts, between.what, amount, True)

    def pass_between(self, parts: list[Any]) -> Part | None:
        amount, between = (part for part in parts if isinstance(part, Part))
        return difference_of(parts, between.what, amount, True)

    def event_lasts(self, parts: list[Any]) -> Part | None:
        made = self.between_pass([part for part in parts if part is not None])
        return None if made is None else made._replace(what={**made.what, "event": True})

    def dash_is(self, parts: list[Any]) -> Part | None:
        first, last, is_, amount = (part for part in parts if isinstance(part, Part))
        return difference_of(parts, [first.what, last.what], amount, is_.what)

    def shift(self, parts: list[Any]) -> Part | None:
        step, relation, start, is_, target = [part for part in parts if isinstance(part, Part)]
        return shift_of(parts, start.what, step.what, relation.what, target, is_, (target.start, target.end))

    def shift_of_day(self, parts: list[Any]) -> Part | None:
        return self.shift(parts[1:]) if parts[0].value == "day" else None

    def shift_in(self, parts: list[Any]) -> Part | None:
        _, step, start, is_, target = (part for part in parts if isinstance(part, Part))
        return shift_of(parts, start.what, step.what, 1, target, is_, (target.start, target.end))

    def plus(self, parts: list[Any], direction: int = 1) -> Part | None:
        start, amount, is_, target = [part for part in parts if isinstance(part, Part)]
        return shift_of(parts, start.what, amount.what, direction, target, is_, (target.start, target.end))

    def minus(self, parts: list[Any]) -> Part | None:
        return self.plus(parts, -1)

    def add(self, parts: list[Any], direction: int = 1) -> Part | None:
        amount, start, is_, target = [part for part in parts if isinstance(part, Part)]
        return shift_of(parts, start.what, amount.what, direction, target, is_, (target.start, target.end))

    def subtract(self, parts: list[Any]) -> Part | None:
        return self.add(parts, -1)

    def age(self, parts: list[Any]) -> Part | None:
        born, is_, amount, when = [part for part in parts if isinstance(part, Part)]
        content = {"relation": "age", "from": born.what, "to": when.what, "amount": in_unit(amount, "year").what, "holds": is_.what}
        return whole(parts, content, amount.value)

    # --- questions

    def ask_weekday(self, parts: list[Any]) -> Part | None:
        (point,) = (part for part in parts if isinstance(part, Part) and isinstance(part.what, dict))
        if any(is_unit(part) and part.value != "day" for part in parts) or not is_day(point.what):
            return None
        return asked(parts, {"relation": "weekday", "date": point.what}, "weekday")

    def ask_length(self, parts: list[Any]) -> Part | None:
        span, *more = (part.what for part in parts if isinstance(part, Part) and isinstance(part.what, dict))
        within = narrowed(span, more[0]) if more else span
        unit = next(part.value for part in parts if is_unit(part))
        return None if within is None else asked(parts, {"relation": "length", "span": within}, "amount", unit)

    def ask_length_in(self, parts: list[Any]) -> Part | None:
        first, second = (part.what for part in parts if isinstance(part, Part) and isinstance(part.what, dict))
        span = narrowed(first, second)
        return None if span is None else asked(parts, {"relation": "length", "span": span}, "amount", parts[1].value)

    def ask_between(self, parts: list[Any]) -> Part | None:
        first, last = parts[-1].what
        return asked(parts, {"relation": "difference", "from": first, "to": last}, "amount", next(part.value for part in parts if is_unit(part)))

    def ask_time(self, parts: list[Any]) -> Part:
        first, last = parts[-1].what
        unit = next((part.value for part in parts if is_unit(part)), None)
        return asked(parts, {"relation": "difference", "from": first, "to": last}, "amount", unit)

    def ask_apart(self, parts: list[Any]) -> Part | None:
        first, last = (part.what for part in parts if isinstance(part, Part) and isinstance(part.what, dict))
        return asked(parts, {"relation": "difference", "from": first, "to": last}, "amount", parts[1].value)

    def ask_event(self, parts: list[Any]) -> Part:
        return self.ask_time([*parts[1:], parts[0]])._replace(start=parts[0].start, end=parts[-1].end)

    def ask_end(self, parts: list[Any]) -> Part | None:
        start, amount = (part.what for part in parts if isinstance(part, Part))
        return asked(parts, {"relation": "shift", "from": start, "amount": amount, "direction": 1}, "to") if "time" in start else None

    def ask_then(self, parts: list[Any]) -> Part | None:
        start, (amount, direction) = parts[1].what, parts[-1].what
        return asked(parts, {"relation": "shift", "from": start, "amount": amount, "direction": direction}, "to")

    def ask_which(self, parts: list[Any]) -> Part | None:
        left, right = (part.what for part in parts if isinstance(part, Part) and isinstance(part.what, dict))
        (direction,) = (part.what for part in parts if isinstance(part, Part) and isinstance(part.what, int) and not isinstance(part.what, bool))
        return asked(parts, {"relation": "order", "left": left, "right": right, "direction": direction, "same_year": False}, "which")

    def ask_age(self, parts: list[Any]) -> Part | None:
        first, last = (part.what for part in parts if isinstance(part, Part) and isinstance(part.what, dict))
        return asked(parts, {"relation": "age", "from": first, "to": last}, "amount", "year")

    def ask_shift(self, parts: list[Any]) -> Part | None:
        step, relation, start = parts[-3:]
        return asked(parts, {"relation": "shift", "from": start.what, "amount": step.what, "direction": relation.what}, "to")

    def ask_next(self, parts: list[Any]) -> Part | None:
        unit = "day" if parts[1].type == "DATEWORD" else parts[1].value
        relation, start = parts[-2:]
        if not any(name in start.what for name in _SINGLE.get(unit, ())):
            return None
        return asked(parts, {"relation": "shift", "from": start.what, "amount": [["1", unit]], "direction": relation.what}, "to")

    def ask_plus(self, parts: list[Any], direction: int = 1) -> Part | None:
        start, amount = parts[2], parts[-1]
        return asked(parts, {"relation": "shift", "from": start.what, "amount": amount.what, "direction": direction}, "to")

    def ask_minus(self, parts: list[Any]) -> Part | None:
        return self.ask_plus(parts, -1)

    def ask_leap(self, parts: list[Any]) -> Part | None:
        _, point, kind = parts
        if "year" not in point.what:
            return None
        return polar(parts, {"relation": "leap", "years": [point.what["year"]], "holds": kind.what["kind"] == "leap"})

    def ask_order(self, parts: list[Any]) -> Part | None:
        left, relation, right = (part for part in parts if isinstance(part, Part))
        content = {
            "relation": "order", "left": left.what, "right": right.what, "direction": relation.what, "same_year": not isinstance(parts[-1], Part),
            "holds": True,
        }  # fmt: skip
        return polar(parts, content)

    def ask_same(self, parts: list[Any]) -> Part | None:
        left, right = (part for part in parts if isinstance(part, Part))
        made = same_day(parts, left.what, Part(True, left.end, left.end), right, None)
        return None if made is None else polar(parts, made.what)

    def ask_valid(self, parts: list[Any]) -> Part:
        _, point, validity = parts
        return polar(parts, {"relation": "exists", "points": [point.what], "holds": validity.what})

    def ask_exists(self, parts: list[Any]) -> Part:
        return polar(parts, {"relation": "exists", "points": [parts[1].what], "holds": True})

    def ask_there_is(self, parts: list[Any]) -> Part:
        return polar(parts, {"relation": "exists", "points": [parts[1].what], "holds": True})

    def ask_has(self, parts: list[Any]) -> Part | None:
        _, point, _, amount = parts
        made = length_of(parts, point.what, amount, True, None)
        return None if made is None else polar(parts, made.what)

    def ask_there_in(self, parts: list[Any]) -> Part | None:
        _, amount, _, span = parts
        made = length_of(parts, span.what, amount, True, None)
        return None if made is None else polar(parts, made.what)

    def ask_there_between(self, parts: list[Any]) -> Part | None:
        _, amount, between = parts
        made = difference_of(parts, between.what, amount, True)
        return None if made is None else polar(parts, made.what)

    # --- answers

    def said(self, parts: list[Any]) -> Part:
        holds = all(part.what for part in parts if isinstance(part, Part) and part.what is not None and not isinstance(part.what, str))
        last = parts[-1]
        return Part(holds, parts[0].start, last.end, (last.start, last.end) if isinstance(last, Part) and isinstance(last.what, bool) else None)

    def answer(self, parts: list[Any]) -> Part:
        value, holds = parts[-1], parts[0].what if len(parts) == 2 and isinstance(parts[0], Part) else True
        if not isinstance(value, Part):
            value = Part([[value.value[0], None]], value.start, value.end, (value.start, value.end))
        place: tuple[int, int] | None = value.value or (value.start, value.end)
        if holds is False or isinstance(value.what, bool) or "kind" in value.what:
            place = parts[0].value if isinstance(parts[0], Part) and parts[0] is not value else None
        return whole(parts, {"relation": "answer", "value": value.what, "holds": holds is not False}, place)

    def answer_age(self, parts: list[Any]) -> Part:
        *said, number, _ = parts
        made = self.answer([*said, number])
        return made._replace(what={**made.what, "value": [[number.value[0], "year"]]}, end=parts[-1].end)

    def answer_in(self, parts: list[Any]) -> Part:
        made = self.answer(parts[:-1])
        return made._replace(end=parts[-1].end)

    def answer_which(self, parts: list[Any]) -> Part:
        point, is_, sooner = parts
        content = {"relation": "answer", "value": point.what, "holds": is_.what, "direction": sooner.what}
        return whole(parts, content, (point.start, point.end))

    def yes(self, parts: list[Any], holds: bool = True) -> Part:
        sure = all(part.what is not False for part in parts if isinstance(part, Part))
        return whole(parts, {"relation": "polarity", "holds": holds == sure}, (parts[-1].start, parts[-1].end))

    def no(self, parts: list[Any]) -> Part:
        return self.yes(parts, False)
