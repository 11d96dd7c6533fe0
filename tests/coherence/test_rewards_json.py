"""JSON in texts, against Python's own decoder tried at every brace; schemas, against the jsonschema library; time on hostile texts."""

from __future__ import annotations

import json
import time

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ebmhw.coherence.rewards.jsonscan import DEPTH_LIMIT, decoded, fences, json_objects
from ebmhw.coherence.rewards.schema import checked_schema, fits
from ebmhw.errors import ValidationError

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('ab{}[]"\\:,\né', max_size=6)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab{"\\}', max_size=3), inner, max_size=3), max_leaves=8
)
objects = st.dictionaries(st.text('ab{"\\}', max_size=3), values, max_size=3)
prose = st.text('{}[]"\\:, \n`a1', max_size=12)


def by_trial(text: str) -> list[tuple[int, int]]:
    """The leftmost objects, by the standard library's decoder at each brace."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)  # NaN and the infinities, which JSON does not have

    decoder, found, at = json.JSONDecoder(parse_constant=refuse), [], 0
    while (at := text.find("{", at)) >= 0:
        try:
            end = decoder.raw_decode(text, at)[1]
        except ValueError:
            at += 1
        else:
            found.append((at, end))
            at = end
    return found


@given(
    st.lists(prose | objects.map(json.dumps) | st.builds(lambda o, cut: json.dumps(o)[:cut], objects, st.integers(0, 30)), max_size=5).map("".join)
)
@example('{"a": "{"b": {"c": 1}}')
@example('{"k":"{ ","k":"{ ","k":{}')
@example('{"a":NaN}{"a":1e5}{"a":01}{"a":-0.5E+3}{}')
@example('{"a":"\\u00e9"}{"a":"\\u00g9"}{"a":"\\x"}{"a":"\t"}')
def test_objects_are_where_the_standard_decoder_finds_them(text: str) -> None:
    assert [(span.start, span.end) for span in json_objects(text)] == by_trial(text)


@given(objects, prose.filter(lambda text: "{" not in text), prose)
def test_an_object_comes_back_from_any_text_before_and_behind(value: dict, before: str, behind: str) -> None:
    text = before + json.dumps(value) + behind
    assert decoded(text, next(json_objects(text))) == value


@given(values)
def test_depth_is_counted(value: object) -> None:
    def depth(part: object) -> int:
        inner = list(part.values()) if isinstance(part, dict) else part if isinstance(part, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    (span,) = json_objects(json.dumps({"v": value}))
    assert span.depth == depth({"v": value})


def test_what_is_too_deep_or_too_long_a_number_is_found_but_not_decoded() -> None:
    for inner, known in (
        ("[" * (DEPTH_LIMIT - 1) + "]" * (DEPTH_LIMIT - 1), True),
        ("[" * DEPTH_LIMIT + "]" * DEPTH_LIMIT, False),
        ("9" * 5000, False),
    ):
        text = f'{{"a": {inner}}}'
        (span,) = json_objects(text)
        assert (span.start, span.end) == (0, len(text))
        assert (decoded(text, span) is not None) == known


HOSTILE = {
    "braces": "{",
    "nested": '{"a":',
    "nested in lists": '{"a":[',
    "texts": '{"a":"{',
    "both ways": '{"k":"{ ",',
    "escapes": '{"\\"',
    "quotes": '{"',
    "blanks": "{   ",
    "numbers": '{"a":[1,1,1,1,1,1,1,1,',
    "closing": "}]",
    "objects": "{}",
    "fences": "```{",
    "backslashes": '{"a": "\\\\',
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE.keys())
def test_time_is_linear_in_hostile_texts(unit: str) -> None:
    """Eight times the text may take thirty times as long at most, where a quadratic scan takes 64 times; and 128,000 characters a few seconds."""

    def seconds(length: int) -> float:
        text, best = unit * (length // len(unit)), 99.0
        for _ in range(2):
            started = time.process_time()
            for span in json_objects(text):
                decoded(text, span)
            fences(text)
            best = min(best, time.process_time() - started)
        return best

    short, long = seconds(16_000), seconds(128_000)
    assert long < 30 * short + 0.05
    assert long < 5


def test_the_measure_of_time_sees_a_quadratic_scan() -> None:
    def balanced(text: str) -> int:
        found = at = 0
        while (at := text.find("{", at)) >= 0:
            depth = 0
            for c in text[at:]:
                depth += (c == "{") - (c == "}")
            found += depth == 0
            at += 1
        return found

    def seconds(length: int) -> float:
        started = time.process_time()
        balanced("{" * length)
        return time.process_time() - started

    assert seconds(4000) > 30 * seconds(500)


def test_fences_pair_up() -> None:
    assert fences("a ```json\n{}``` b ``` c") == [(2, 15)]
    assert fences("``` ``` ``````") == [(0, 7), (8, 14)]
    assert fences("``` open") == []


names = st.sampled_from(["a", "b", "c"])
leaves = st.one_of(
    st.builds(lambda kind: {"type": kind}, st.sampled_from(["string", "integer", "number", "boolean", "null", "object", "array"])),
    st.builds(lambda low, high: {"minimum": low, "exclusiveMaximum": high}, st.integers(-2, 2), st.integers(-2, 3)),
    st.builds(lambda low, high: {"minLength": low, "maxLength": high}, st.integers(0, 2), st.integers(0, 3)),
    st.builds(lambda low: {"minItems": low, "description": "some"}, st.integers(0, 2)),
    st.builds(lambda allowed: {"enum": allowed}, st.lists(st.sampled_from([None, True, False, 0, 1, 1.0, "a", ""]), max_size=3)),
    st.builds(lambda only: {"const": only}, st.sampled_from([True, 0, 1, "a"])),
    st.just({}),
)
schemas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(
            lambda properties, required, others: {"type": "object", "properties": properties, "required": required, "additionalProperties": others},
            st.dictionaries(names, inner, max_size=3),
            st.lists(names, max_size=2, unique=True),
            st.booleans() | inner,
        ),
        st.builds(lambda items: {"type": ["array", "null"], "items": items}, inner),
        st.builds(lambda options: {"anyOf": options}, st.lists(inner, min_size=1, max_size=2)),
    ),
    max_leaves=5,
)
instances = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 1.0, -1, 2.5, "", "a", "abc"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


@given(schemas, instances)
def test_schemas_judge_as_the_jsonschema_library_does(schema: dict, instance: object) -> None:
    assert fits(instance, checked_schema(schema, "s")) == jsonschema.Draft202012Validator(schema).is_valid(instance)


def test_what_arrow_and_transformers_add_to_schemas() -> None:
    merged = {"type": "object", "properties": {"a": {"type": "string", "enum": None, "nullable": True}, "b": None}, "required": None}
    schema = checked_schema(merged, "s")
    assert fits({"a": None}, schema)
    assert fits({"a": "x", "b": 1}, schema)
    assert not fits({"a": 1}, schema)


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        ({"pattern": "(a+)+"}, "pattern"),
        ({"properties": {"x": {"$ref": "#"}}}, "'x' uses the keyword '\\$ref'"),
        ({"type": "text"}, "give one or a list of object"),
        ({"required": "path"}, "give a list of names"),
        ({"minLength": -1}, "minLength is -1"),
        ({"enum": [[1]]}, "enum"),
        ([], "give a JSON schema"),
    ],
)
def test_schemas_that_cannot_be_judged_by_are_refused(schema: object, named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        checked_schema(schema, "s")


def test_schemas_that_nest_without_end_are_refused() -> None:
    schema: dict = {}
    schema["items"] = schema
    with pytest.raises(ValidationError, match="more than 32 deep"):
        checked_schema(schema, "s")
