"""Tests of code as a user writes them: files of them, and the name that they call."""

from __future__ import annotations

import ast
import json
from typing import Any

import click

from ebmhw.cli import texts
from ebmhw.errors import InvalidFile, shown
from ebmhw.verify.code.program import callable_names
from ebmhw.verify.members import once


def only_name(code: str, needed: bool) -> str | None:
    """Return the one public function, or class, at the top of code; where there is not one, None, or a refusal where one is needed."""
    names = callable_names(code)
    if len(names) == 1:
        return names[0]
    if needed:
        told = f"the code defines {', '.join(names)}" if names else "no function was read in the code"
        raise click.UsageError(f"tests and properties call a function by name, and {told}; name one with --entry-point")
    return None


def read_tests(path: str) -> list[Any]:
    """Return the tests of a file, as `ebmhw.verify.code.Specification` takes them; InvalidFile where they are none."""
    text = texts.read_text(path)
    if path.endswith(".json"):
        try:
            found = json.loads(text, object_pairs_hook=once)
        except RecursionError:
            raise InvalidFile(f"{path}: the JSON is nested too deeply for tests") from None
        except json.JSONDecodeError as error:
            raise InvalidFile(f"{path}:{error.lineno}: this is no JSON: {error.msg}; write a list of {{args, expected}}") from None
        except ValueError as error:
            raise InvalidFile(f"{path}: {error}; write a list of {{args, expected}}") from None
    elif path.endswith(".py"):
        found = _literal(path, text)
    else:
        raise InvalidFile(f"{path}: tests are read from .json and .py files; name one, or give test code with --check")
    if not isinstance(found, (list, tuple)):
        raise InvalidFile(f"{path}: this is {shown(found)}; write a list of tests")
    return [_test(f"{path}: test {index}", one) for index, one in enumerate(found)]


def _literal(path: str, text: str) -> Any:
    """Return the value of a Python file that is one literal, or assigns one; nothing of it is run."""
    try:
        body = ast.parse(text).body
        node = body[-1] if len(body) == 1 else None
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Expr)) and node.value is not None:
            return ast.literal_eval(node.value)
    except SyntaxError as error:
        raise InvalidFile(f"{path}:{error.lineno}: this is no Python: {error.msg}; write tests = [((1, 2), 3), ...]") from None
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        raise InvalidFile(f"{path}: {error}; write values only, or give test code with --check") from None
    raise InvalidFile(f"{path}: this is not one list of values; write tests = [((1, 2), 3), ...], or give test code with --check")


def _test(place: str, given: Any) -> Any:
    if isinstance(given, (list, tuple)) and 2 <= len(given) <= 3 and isinstance(given[0], (list, tuple)):
        return (tuple(given[0]), *given[1:])
    if not isinstance(given, dict):
        raise InvalidFile(f"{place} is {shown(given)}; write {{args, expected}} or (args, expected), args a list or tuple")
    strange = sorted(set(map(str, given)) - {"args", "kwargs", "expected"})
    if strange or "expected" not in given:
        fault = f"has a member {shown(strange[0])}" if strange else "lacks expected"
        raise InvalidFile(f"{place} {fault}; a test has args, kwargs and expected")
    args, kwargs = given.get("args", []), given.get("kwargs", {})
    if not isinstance(args, (list, tuple)) or not isinstance(kwargs, dict):
        raise InvalidFile(f"{place}: args is {shown(args)} and kwargs is {shown(kwargs)}; give a list and an object")
    return tuple(args), kwargs, given["expected"]
