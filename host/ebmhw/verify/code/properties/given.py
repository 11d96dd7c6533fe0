"""Properties that a user gives: a standard name, Python source, or a JSON object.

Python source holds functions whose names start with ``prop``; the first parameter of each is the function under test, the others are drawn: as their
annotations say (``x: int``, ``ys: list[int]``, ``n: st.integers(0, 9)``), or as ``@given(n=st.integers(0, 9))`` above the function says, or as the
function's own parameter of that name is. ``assume(...)`` leaves arguments out. A JSON object has the members "name" (a standard name, or any with
"source"), "source", "given" ({parameter: strategy}) and "with" (source of the function ``inverse`` or ``reference`` that some standard names need).
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any

from ebmhw.errors import VerificationError, shown
from ebmhw.verify.code.properties.property import Property
from ebmhw.verify.code.properties.standard import STANDARD
from ebmhw.verify.code.properties.strategies import of_annotation
from ebmhw.verify.members import NamedTwice, once

_MEMBERS = ("name", "source", "given", "with")


def read_properties(text: str, arguments: Mapping[str, str | None], place: str = "the property") -> list[Property]:
    """Return the properties of one text.

    Parameters
    ----------
    text : a standard name, Python source or a JSON object
    arguments : {parameter of the function under test: its strategy, or None where it is not known}, in order
    place : what errors call the text

    Raises
    ------
    VerificationError
        for a text that is none of these, and for parameters that have no strategy.
    """
    said = text.strip()
    if said.startswith("{"):
        return _of_json(said, arguments, place)
    if said in STANDARD:
        return [_standard(said, arguments, {}, None, place)]
    if "def " not in said:
        raise VerificationError(
            f"{place} is {shown(said)}, no standard property; there are {', '.join(STANDARD)}; or give Python with 'def prop(f, ...)'"
        )
    return _of_source(said, arguments, {}, place)


def _of_json(text: str, arguments: Mapping[str, str | None], place: str) -> list[Property]:
    try:
        told = json.loads(text, object_pairs_hook=once)
    except NamedTwice as error:
        raise VerificationError(f"{place}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise VerificationError(f"{place} starts as a JSON object, but is none: {error}") from None
    strange = [name for name in told if name not in _MEMBERS]
    if strange:
        raise VerificationError(f"member {shown(strange[0])} of {place} does not exist; there are {', '.join(_MEMBERS)}")
    for name in ("name", "source", "with"):
        if not isinstance(told.get(name, ""), str):
            raise VerificationError(f"member {name!r} of {place} is {shown(told[name])}; give a text")
    given = told.get("given", {})
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise VerificationError(
            f"member 'given' of {place} is {shown(given)}; give an object of strategies as texts, such as {{'n': 'st.integers(0, 9)'}}"
        )
    for name, strategy in given.items():
        _expression(strategy, f"the strategy of {name!r} in {place}")
    if "source" in told:
        found = _of_source(told["source"], arguments, given, place)
        return [found[0]._replace(name=told["name"])] if "name" in told and len(found) == 1 else found
    if told.get("name") not in STANDARD:
        raise VerificationError(
            f"{place} has no 'source', and its name is {shown(told.get('name'))}, no standard one; there are {', '.join(STANDARD)}"
        )
    return [_standard(told["name"], arguments, given, told.get("with"), place)]


def _standard(name: str, arguments: Mapping[str, str | None], given: Mapping[str, str], further: str | None, place: str) -> Property:
    standard, names = STANDARD[name], list(arguments)
    if not names or (standard.arity and len(names) != standard.arity):
        wanted = f"{standard.arity} parameter{'s' if standard.arity > 1 else ''}" if standard.arity else "parameters that can be told from its source"
        raise VerificationError(f"{place}, {name!r}, is of a function with {wanted}; this one has {len(names)}: give the property as source")
    before = ""
    if standard.needs:
        if further is None:
            raise VerificationError(
                f"{place}, {name!r}, needs a function {standard.needs!r}; give JSON with its source in 'with': "
                f'{{"name": "{name}", "with": "def {standard.needs}(x): ..."}}'
            )
        if standard.needs not in _functions(further, f"'with' of {place}"):
            raise VerificationError(f"'with' of {place} defines no function {standard.needs!r}; call it so")
        before = f"{further.rstrip()}\n\n"
    elif further is not None:
        raise VerificationError(f"{place}, {name!r}, takes no 'with'; leave it out")
    drawn = {one: _strategy(one, arguments, given, place) for one in names}
    extra = ", z_" if "z_" in standard.body else ""
    if extra:
        drawn["z_"] = drawn[names[0]]
    body = standard.body.format(
        all=", ".join(names),
        copies=", ".join(f"deepcopy({one})" for one in names),
        one=names[0],
        two=names[1] if len(names) > 1 else "",
        rest="".join(f", {one}" for one in names[1:]),
    )
    return Property(name, standard.definition, f"{before}def prop(f, {', '.join(names)}{extra}):\n{body}", drawn)


def _of_source(source: str, arguments: Mapping[str, str | None], given: Mapping[str, str], place: str) -> list[Property]:
    functions = {name: node for name, node in _functions(source, place).items() if name.startswith("prop")}
    if not functions:
        raise VerificationError(f"{place} defines no function whose name starts with 'prop'; write 'def prop(f, x: int): assert ...'")
    found = []
    for name, node in functions.items():
        if isinstance(node, ast.AsyncFunctionDef) or _yields(node):
            what = "a coroutine" if isinstance(node, ast.AsyncFunctionDef) else "a generator"
            raise VerificationError(f"{name} of {place} is {what}, whose body does not run when it is called; assert in a plain function")
        parameters = node.args
        if parameters.vararg or parameters.kwarg or parameters.kwonlyargs:
            raise VerificationError(f"{name} of {place} has starred or keyword-only parameters; give plain ones")
        positional = [*parameters.posonlyargs, *parameters.args]
        if not positional:
            raise VerificationError(f"{name} of {place} has no parameters; the first one is the function under test")
        hints = {**_hints(node, place), **given}
        strange = [one for one in hints if one not in {parameter.arg for parameter in positional[1:]}]
        if strange:
            raise VerificationError(f"a strategy is given for {strange[0]!r}, which is no parameter of {name} of {place}")
        drawn = {}
        for parameter in positional[1:]:
            if parameter.arg in hints:
                drawn[parameter.arg] = hints[parameter.arg]
            elif parameter.annotation is not None:
                drawn[parameter.arg] = of_annotation(parameter.annotation, f"parameter {parameter.arg!r} of {name} of {place}")
            else:
                drawn[parameter.arg] = _strategy(parameter.arg, arguments, {}, f"{name} of {place}")
        said = (ast.get_docstring(node) or "").strip().split("\n")[0]
        shown_name = name if len(functions) > 1 or name != "prop" else "property"
        text = said or ast.unparse(node.body[-1])
        found.append(Property(shown_name, text[:200], f"{source.rstrip()}\n\nprop = {name}\n", drawn, written=True))
    return found


def _yields(function: ast.FunctionDef) -> bool:
    """Tell whether a function is a generator; those within it are let be."""
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            stack.extend(ast.iter_child_nodes(node))
    return False


def _functions(source: str, place: str) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise VerificationError(f"{place} is no Python: {error.msg} at line {error.lineno}; correct it") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise VerificationError(f"{place} cannot be read as Python: {error}; correct it") from None
    return {node.name: node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


def _hints(node: ast.FunctionDef, place: str) -> dict[str, str]:
    hints: dict[str, str] = {}
    for decorator in node.decorator_list:
        if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Name) or decorator.func.id != "given" or decorator.args:
            raise VerificationError(
                f"{node.name} of {place} is decorated with {shown(ast.unparse(decorator))}; only @given(name=st....) is understood"
            )
        hints.update({keyword.arg: ast.unparse(keyword.value) for keyword in decorator.keywords if keyword.arg is not None})
    return hints


def _expression(text: str, place: str) -> None:
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise VerificationError(f"{place} is {shown(text)}, no expression; give one such as 'st.integers(0, 9)'") from None


def _strategy(name: str, arguments: Mapping[str, str | None], given: Mapping[str, str], place: str) -> str:
    strategy = given.get(name, arguments.get(name))
    if strategy is None:
        raise VerificationError(
            f"parameter {name!r} of {place} has no strategy: it is not annotated, and there are no examples of its values; "
            "annotate it, such as 'list[int]', or give one, such as {'given': {'" + name + "': 'st.integers(0, 9)'}}"
        )
    return strategy


def arguments_of(parameters: Mapping[str, ast.expr | None], hull: Mapping[str, str] | None) -> dict[str, str | None]:
    """Return a strategy for each parameter: what its annotation says, else what lies between known values of it; None where neither is known."""
    found: dict[str, str | None] = {}
    for name, annotation in parameters.items():
        found[name] = None if hull is None else hull.get(name)
        if annotation is not None:
            try:
                found[name] = of_annotation(annotation, f"parameter {name!r}")
            except VerificationError:  # a class of the user's own, say: examples may still tell
                continue
    return found


def describe() -> list[dict[str, Any]]:
    """Return the library of standard properties as JSON holds it: name, definition, and what "with" must define."""
    return [{"name": one.name, "definition": one.definition, "with": one.needs or None} for one in STANDARD.values()]
