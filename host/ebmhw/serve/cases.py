"""Test cases and properties of code, from what clients send to what `ebmhw.verify.verify_code` takes."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ebmhw.serve.code_tools import CHECKS
from ebmhw.serve.refusal import Refusal

if TYPE_CHECKING:
    from ebmhw.verify.code.specification import Test

_INPUTS = {
    "int": ["st.integers(-1000, 1000)"],
    "float": ["st.floats(-1000, 1000)"],
    "pos_int": ["st.integers(1, 1000)"],
    "string": ["st.text(max_size=20)"],
    "list_int": ["st.lists(st.integers(-1000, 1000), max_size=10)"],
    "pair_int": ["st.integers(-1000, 1000)", "st.integers(-1000, 1000)"],
}
"""Strategies of Hypothesis for each generator, one a parameter."""


def test_case(case: Mapping[str, Any], place: str) -> Test:
    """Return a test of {args or args_literal, kwargs, expected or expected_literal}; Refusal where it is none."""
    from ebmhw.verify.code.specification import Test

    args = _value(case, "args", place, [])
    if not isinstance(args, (list, tuple)):
        raise _wrong(f"{place}.args_literal is no tuple or list", 'give one, such as "(1, 2)", or "(1,)" for one argument')
    if "expected" not in case and "expected_literal" not in case:
        raise _wrong(f"{place} lacks expected", "give expected, or expected_literal")
    return Test(tuple(args), _value(case, "expected", place, None), dict(case.get("kwargs") or {}), case.get("abs", 0.0), case.get("rel", 0.0))


def properties(given: Sequence[str | Mapping[str, Any]]) -> list[str]:
    """Return the sources of properties; they are run in the sandbox, never here. Refusal where one is none.

    One is {name, generator, check}, or a text as `ebmhw.verify.code.properties` takes it: a standard name, or Python with ``def prop(f, ...)``.
    """
    return [one if isinstance(one, str) else _source(one, f"properties[{index}]") for index, one in enumerate(given)]


def _source(given: Mapping[str, Any], place: str) -> str:
    generator, check = given["generator"], given["check"]
    strategies = _INPUTS[generator if isinstance(generator, str) else generator["type"]]
    text = check if isinstance(check, str) else check["lambda"]
    try:
        tree = ast.parse(CHECKS.get(text, text).strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _wrong(f"{place}.check is no Python: {error}", f"give one of {', '.join(CHECKS)}, or a lambda") from None
    if not isinstance(tree, ast.Lambda):
        raise _wrong(f"{place}.check is no lambda", f"give one of {', '.join(CHECKS)}, or a lambda (result, *inputs)")
    names = [f"x{number}" for number in range(len(strategies))]
    inputs = ", ".join(names)
    source = f"def prop(f, {inputs}):\n    assert ({ast.unparse(tree)})(f({inputs}), {inputs})\n"
    return json.dumps({"name": given["name"], "source": source, "given": dict(zip(names, strategies, strict=True))})


def _value(case: Mapping[str, Any], name: str, place: str, default: Any) -> Any:
    literal = f"{name}_literal"
    if name in case and literal in case:
        raise _wrong(f"{place} has both {name} and {literal}", "give one of them")
    if literal not in case:
        return case.get(name, default)
    try:
        return ast.literal_eval(case[literal])
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise _wrong(
            f"{place}.{literal} is no Python literal", 'write numbers, texts, tuples, lists, sets and dictionaries: "((1, 2), {3})"'
        ) from None


def _wrong(message: str, remedy: str) -> Refusal:
    return Refusal("invalid-arguments", message, remedy)
