"""Specifications: checked where they are made, the same text for the same content, and no text that is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ebmhw.errors import VerificationError
from ebmhw.verify.code import Specification, Test, verify_code

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=2).map(tuple) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)


@given(
    st.lists(st.tuples(st.lists(VALUES, max_size=3).map(tuple), VALUES), max_size=4), st.booleans(), st.integers(0, 2**64 - 1), st.floats(0.1, 3600.0)
)
@settings(max_examples=100, deadline=None)
def test_text_and_back(tests: list[Any], infer: bool, seed: int, timeout: float) -> None:
    made = Specification("f", tests, infer=infer, seed=seed, timeout=timeout, checks="assert f(1)", packages=["numpy"], properties=["idempotent"])
    read = Specification.from_json(made.to_json())
    assert read == made and read.to_json() == made.to_json() and hash(read) == hash(made)
    assert (read.infer, read.seed, read.timeout, read.checks, read.packages) == (infer, seed, timeout, "assert f(1)", ("numpy",))


def test_what_is_by_default_is_left_out_and_tests_are_kept_apart_from_what_was_given() -> None:
    assert Specification().to_json() == '{"format":"ebmhw-specification-1"}'
    items = [1]
    made = Specification("f", [((items,), items), ((1,), {"k": 2}, 3)])
    items.append(2)
    assert made.tests[0].args == ([1],) and made.tests[0].expected == [1]
    assert made.tests[1].kwargs == {"k": 2} and made.tests[1].expected == 3
    assert json.loads(made.to_json())["tests"] == [{"args": [[1]], "expected": [1]}, {"args": [1], "kwargs": {"k": 2}, "expected": 3}]
    assert made != Specification("g", [((items,), items)])


BAD: list[tuple[dict[str, Any], str]] = [
    ({"entry_point": "1f"}, "entry_point is '1f'; give the name"),
    ({"entry_point": "def"}, "entry_point is 'def'"),
    ({"tests": [((1,), 2)]}, "no entry_point for them to call"),
    ({"entry_point": "f", "tests": "x"}, "tests is 'x'; give a list of"),
    ({"entry_point": "f", "tests": [1]}, r"tests\[0\] is 1; give \(args, expected\)"),
    ({"entry_point": "f", "tests": [(1, 2)]}, r"the arguments of tests\[0\] are 1; give them as a tuple, such as \(1,\)"),
    ({"entry_point": "f", "tests": [((object(),), 2)]}, r"the arguments of tests\[0\] cannot be passed to another process: a object is no value"),
    ({"entry_point": "f", "tests": [((1,), object())]}, r"the expected value of tests\[0\] cannot be passed"),
    ({"entry_point": "f", "tests": [((1,), {1: 2}, 3)]}, r"the named arguments of tests\[0\] are \{1: 2\}"),
    ({"entry_point": "f", "tests": [Test((1,), 2, abs=-1.0)]}, r"abs of tests\[0\] is -1.0; give a number of at least 0"),
    ({"checks": "def"}, "checks is no Python: invalid syntax at line 1"),
    ({"setup": 3}, "setup is 3; give Python as a str"),
    ({"properties": "x"}, "properties is 'x'; give a list"),
    ({"properties": ["x"]}, "properties are given, but no entry_point"),
    ({"entry_point": "f", "properties": [3]}, r"properties\[0\] is 3"),
    ({"infer": 1}, "infer is 1; give True or False"),
    ({"timeout": 0}, "timeout is 0; give seconds above 0, up to 3600"),
    ({"timeout": float("nan")}, "timeout is nan"),
    ({"memory": 5}, "memory is 5; give whole bytes from 2\\^26"),
    ({"packages": ["a.b"]}, "packages holds 'a.b'"),
    ({"seed": -1}, "seed is -1"),
]


@pytest.mark.parametrize(("given", "text"), BAD)
def test_what_is_not_allowed_is_named(given: dict[str, Any], text: str) -> None:
    with pytest.raises(VerificationError, match=text):
        Specification(**given)


TEXTS: list[tuple[str, str]] = [
    ("", "the specification is no JSON"),
    ("[]", "give a JSON object"),
    ("{}", "member 'format' of the specification is None"),
    ('{"format":"ebmhw-specification-1","x":1}', "member 'x' of the specification does not exist"),
    ('{"format":"ebmhw-specification-1","seed":1,"seed":2}', "member 'seed' is there twice"),
    ('{"format":"ebmhw-specification-1","timeout":NaN}', "a number that is not allowed"),
    ('{"format":"ebmhw-specification-1","tests":3}', "member 'tests' of the specification is 3; give an array"),
    ('{"format":"ebmhw-specification-1","tests":[3]}', r"member tests\[0\] of the specification is 3"),
    ('{"format":"ebmhw-specification-1","entry_point":"f","tests":[{"args":1,"expected":1}]}', r"member tests\[0\].args of the specification is 1"),
    ('{"format":"ebmhw-specification-1","entry_point":"f","tests":[{"args":[{"x":1}],"expected":1}]}', r"members tests\[0\].args and kwargs"),
    ('{"format":"ebmhw-specification-1","entry_point":"f","tests":[{"args":[],"expected":{"int":"7"}}]}', r"member tests\[0\].expected"),
    ("[" * 100_000, "nested too deeply"),
]


@pytest.mark.parametrize(("text", "said"), TEXTS, ids=range(len(TEXTS)))
def test_texts_that_are_none_are_refused(text: str, said: str) -> None:
    with pytest.raises(VerificationError, match=said):
        Specification.from_json(text)


ANYTHING: st.SearchStrategy[Any] = VALUES | st.sampled_from(
    [object(), int, len, float("nan"), float("inf"), 10**400, -1, True, "", "\ud800", "x" * 50, b"", (), [None], {"a": object()}, {1: 2}, 2**64, 1j]
)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_each_argument_is_taken_or_its_error_names_it(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(list(Specification.__dataclass_fields__)))
    value = data.draw(ANYTHING | st.lists(ANYTHING, max_size=3) | st.lists(st.tuples(ANYTHING, ANYTHING), max_size=2))
    given: dict[str, Any] = {"entry_point": "f", name: value}
    try:
        made = Specification(**given)
    except VerificationError as error:
        assert name in str(error) and len(str(error)) < 1000
        return
    assert Specification.from_json(made.to_json()) == made


@given(ANYTHING, st.sampled_from(["code", "question", "properties", "checks", "entry_point", "tests", "timeout", "packages"]))
@settings(max_examples=150, deadline=None)
def test_verify_code_refuses_bad_arguments_in_plain_words(value: Any, name: str) -> None:
    assume(not isinstance(value, str) and not (isinstance(value, (int, float)) and 0 < value <= 3600) and value not in ((), [], None))
    given: dict[str, Any] = {"code": "def f(x):\n    return x\n", "entry_point": "f", name: value}
    with pytest.raises(VerificationError, match=name):
        verify_code(**given)


@pytest.mark.parametrize("member", list(Specification.__dataclass_fields__))
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_member_of_a_text_is_taken_or_refused(member: str, data: st.DataObject) -> None:
    trees = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=5
    )
    value = data.draw(trees | st.dictionaries(st.text(max_size=8) | st.sampled_from(["args", "expected", "kwargs", "abs"]), trees, max_size=4))
    text = json.dumps({"format": "ebmhw-specification-1", "entry_point": "f", member: value})
    try:
        made = Specification.from_json(text)
    except VerificationError:
        return
    assert Specification.from_json(made.to_json()) == made
