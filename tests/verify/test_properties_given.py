"""Properties that a user gives: by name, as source, as JSON; and what is refused, with its remedy."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from properties_calls import found_in

import ebmhw.verify.code
from ebmhw.errors import VerificationError
from ebmhw.verify.code.properties import STANDARD, describe, read_properties
from ebmhw.verify.code.properties.prompt import read_prompt

UNARY = {"x": "st.integers(-20, 20)"}

# Of each standard property: a function that has it, one that has not, and what "with" defines.
PAIRS = {
    "deterministic": ("def f(x: int): return x", "seen = []\ndef f(x: int):\n    seen.append(x)\n    return len(seen)", None),
    "commutative": ("def f(x: int, y: int): return x * y", "def f(x: int, y: int): return x - y", None),
    "associative": ("def f(x: int, y: int): return max(x, y)", "def f(x: int, y: int): return x - y", None),
    "idempotent": ("def f(x: int): return abs(x)", "def f(x: int): return x + 1", None),
    "involution": ("def f(xs: list[int]): return xs[::-1]", "def f(xs: list[int]): return sorted(xs)", None),
    "round trip": ("def f(x: int): return str(x)", "def f(x: int): return str(abs(x))", "def inverse(t): return int(t)"),
    "agrees with": ("def f(xs: list[int]): return sum(xs)", "def f(xs: list[int]): return sum(xs[1:])", "def reference(xs): return sum(xs)"),
    "sorted": ("def f(xs: list[int]): return sorted(xs)", "def f(xs: list[int]): return xs", None),
    "permutation of its argument": ("def f(xs: list[int]): return xs[::-1]", "def f(xs: list[int]): return sorted(set(xs))", None),
    "part of its argument": ("def f(xs: list[int]): return xs[1:]", "def f(xs: list[int]): return xs[::-1]", None),
    "same length": ("def f(xs: list[int]): return [0 for x in xs]", "def f(xs: list[int]): return xs[1:]", None),
    "same type": ("def f(x: int | str): return x * 2", "def f(x: int | str): return str(x)", None),
    "monotone": ("def f(x: int): return x // 2", "def f(x: int): return x * x", None),
    "injective": ("def f(x: int): return 2 * x", "def f(x: int): return x // 500", None),
    "even": ("def f(x: int): return x * x", "def f(x: int): return x + 1", None),
    "odd": ("def f(x: int): return x ** 3", "def f(x: int): return x + 1", None),
    "non-negative": ("def f(x: int): return abs(x)", "def f(x: int): return x + 7", None),
    "truth value": ("def f(x: int): return x > 0", "def f(x: int): return 1", None),
    "does not change its arguments": ("def f(xs: list[int]): return sorted(xs)", "def f(xs: list[int]): xs.append(1)", None),
    "order of elements does not matter": ("def f(xs: list[int]): return sum(xs)", "def f(xs: list[int]): return xs[:1]", None),
    "does not raise": ("def f(x: int): return x", "def f(x: int): return 1 // (x // 50)", None),
}


@pytest.mark.parametrize("name", sorted(STANDARD))
def test_each_standard_property_tells_what_has_it_from_what_has_not(name: str) -> None:
    right, wrong, further = PAIRS[name]
    text = name if further is None else json.dumps({"name": name, "with": further})
    assert [one.verdict for one in found_in(right, "f", [text], infer=False)] == ["VERIFIED"]
    (found,) = found_in(wrong, "f", [text], infer=False)
    assert found.verdict == "VIOLATED" and found.arguments


def test_the_library_is_described() -> None:
    assert {one["name"] for one in describe()} == set(PAIRS) == set(STANDARD)
    assert {one["name"]: one["with"] for one in describe()}["round trip"] == "inverse"


def test_the_readme_names_each_standard_property_as_it_is_defined() -> None:
    text = (Path(ebmhw.verify.code.__file__).parent / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([^`]+)` \| (.*) \|$", text.split("| standard name |")[1].split("## ")[0], re.MULTILINE))
    further = {one.name: f" (`with`: `def {one.needs}(...)`)" if one.needs else "" for one in STANDARD.values()}
    assert rows == {one.name: one.definition + further[one.name] for one in STANDARD.values()}


def _read(line: str) -> tuple[object, ...]:
    prompt = read_prompt("def f(x, y=0): return x", f"Write f.\n{line}\n3\n", "f")
    return prompt.examples if prompt is not None else ()


@pytest.mark.parametrize("arrow", ["==", "=", "->", "=>", "==>", "→", "➞", "returns", "should return", "should be", "should give", "must return"])
def test_examples_are_read_as_the_readme_says(arrow: str) -> None:
    assert _read(f"f(1, 2) {arrow} 3") == _read(f"- f(1, 2) {arrow} 3.") == (((1, 2), 3),)


def test_assertions_are_examples_and_what_only_looks_like_one_is_not() -> None:
    assert (
        _read("assert f(1, 2) == 3, 'no'")
        == _read("- assert f(1, 2) == 3")
        == _read(">>> f(1, 2)")
        == _read("For x = 1, y = 2 the output should be 3")
        == (((1, 2), 3),)
    )
    others = [
        "assert f(1, 2) != 3",
        "assert not f(1, 2) == 3",
        "assert f(1, 2)",
        "so f(1, 2) == 3",
        "f(x=1, y=2) == 3",
        "f(1, 2) == 1 + x",
    ]
    for line in [
        *others,
        "f(1, 2) should be at least 3",
        "f(1, 2) should return 3 elements",
        "f(1, 2) is 3",
        "assertf(1, 2) == 3",
        "assert f(1, 2) == ...",
    ]:
        assert _read(line) == (), line


def test_strategies_come_from_annotations_decorators_json_and_the_function_itself() -> None:
    source = "@given(n=st.integers(0, 3))\ndef prop_a(f, n, xs: list[str], x):\n    'It holds.'\n    assert True\n\ndef helper(): ...\n"
    (one,) = read_properties(source, UNARY)
    assert (one.name, one.definition) == ("prop_a", "It holds.")
    assert one.given["n"] == "st.integers(0, 3)" and one.given["x"] == UNARY["x"] and one.given["xs"].startswith("st.lists(st.lists(st.sampled_from(")
    text = json.dumps({"name": "small", "source": "def prop(f, x): assert f(x) < 9", "given": {"x": "st.just(3)"}})
    (one,) = read_properties(text, UNARY)
    assert (one.name, dict(one.given)) == ("small", {"x": "st.just(3)"})


def test_every_annotation_that_is_offered_draws_values_of_its_type() -> None:
    names = "int float bool str bytes None complex Any list tuple dict list[int] List[str] dict[str,int] set[int] frozenset[int]"
    names += " tuple[int,str] tuple[int,...] Optional[int] Union[int,str] int|None Literal[1,'a'] Sequence[int] Mapping[str,int]"
    names += " typing.List[int] 'int' Annotated[int,st.integers(0,2)]"
    for annotation in names.split():
        (found,) = found_in(
            "def f(x): return x", "f", [f"def prop(f, x: {annotation}):\n    assert f(x) == x and type(f(x)) is type(x)"], infer=False
        )
        assert found.verdict == "VERIFIED", (annotation, found.reason)


def test_without_annotations_arguments_lie_between_those_of_tests_and_examples() -> None:
    code = 'def f(n):\n    """\n    >>> f(4)\n    4\n    """\n    return n\n'
    (one,) = found_in(code, "f", ["def prop(f, n):\n    assert 4 <= f(n) <= 9"], infer=False, tests=[((9,), 9)])
    assert one.verdict == "VERIFIED" and dict(one.property.given) == {"n": "st.integers(4, 9)"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("commutative", "'commutative', is of a function with 2 parameters; this one has 1"),
        ("comutative", "is 'comutative', no standard property; there are deterministic, commutative"),
        ("round trip", "needs a function 'inverse'; give JSON with its source in 'with'"),
        ('{"name": "round trip", "with": "def g(x): ..."}', "defines no function 'inverse'"),
        ('{"name": "sorted", "with": "def g(x): ..."}', "takes no 'with'; leave it out"),
        ('{"name": "sorted", "name": "even"}', "'name'"),
        ('{"name": "x"}', "its name is 'x', no standard one"),
        ('{"name": 3}', "member 'name' of the property is 3"),
        ('{"naem": "x"}', "member 'naem' of the property does not exist"),
        ('{"name": "even", "given": {"x": "st.integers("}}', "no expression; give one such as"),
        ('{"name": "even", "given": ["x"]}', "give an object of strategies"),
        ("{", "starts as a JSON object, but is none"),
        ("def prop(f, x: int) assert", "is no Python: "),
        ("def check(f, x: int): ...", "defines no function whose name starts with 'prop'"),
        ("def prop(): ...", "has no parameters; the first one is the function under test"),
        ("def prop(f, *x): ...", "has starred or keyword-only parameters"),
        ("def prop(f, y): ...", "parameter 'y' of prop of the property has no strategy"),
        ("def prop(f, y: Matrix): ...", "is annotated 'Matrix', for which there is no strategy"),
        ("async def prop(f, x): ...", "is a coroutine, whose body does not run when it is called"),
        ("def prop(f, x):\n    yield f(x) == x", "is a generator, whose body does not run when it is called"),
        ("@given(z=st.just(1))\ndef prop(f, x): ...", "a strategy is given for 'z', which is no parameter"),
        ("@cached\ndef prop(f, x): ...", "only @given(name=st....) is understood"),
    ],
)
def test_what_is_no_property_is_refused_with_its_remedy(text: str, said: str) -> None:
    with pytest.raises(VerificationError) as error:
        read_properties(text, UNARY)
    assert said in str(error.value)
