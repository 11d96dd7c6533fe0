"""Inference: the properties that words, annotations and examples of a function imply."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from ebmhw.verify.code.properties import strategies
from ebmhw.verify.code.properties.cues import implied
from ebmhw.verify.code.properties.prompt import Prompt, read_prompt
from ebmhw.verify.code.properties.property import Property
from ebmhw.verify.code.properties.reference import KINDS, Reference
from ebmhw.verify.code.properties.references import REFERENCES
from ebmhw.verify.code.properties.words import Fit, Sentence, fits, sentences

_CHANCE = ("random", "shuffle", "sample", "chance", "time", "clock", "date", "now", "today", "uuid")


def inferred(code: str, question: str, entry_point: str, tests: Sequence[tuple[tuple[Any, ...], Any]] = ()) -> tuple[list[Property], Prompt | None]:
    """Return the properties that follow for a function, and what was read of it; ([], None) where its parameters are not known.

    ``tests`` tell of its domain as the examples do that are read.
    """
    read = read_prompt(code, question, entry_point)
    if read is None or not read.parameters:
        return [], read
    further = [(tuple(arguments), value) for arguments, value in tests if len(arguments) == len(read.parameters)]
    prompt = read._replace(examples=(*read.examples, *further))
    said = sentences(prompt.words)
    columns = list(zip(*(arguments for arguments, _ in prompt.examples), strict=True)) if prompt.examples else []
    hull = _hull(prompt, columns)
    found: list[Property] = []
    exact = _reference(prompt, said, columns, hull)
    if exact is not None:
        found.append(exact)
    round_trip = _round_trip(prompt, said)
    if round_trip is not None:
        found.append(round_trip)
    if hull is not None:
        found += implied(prompt, said, hull)
        found += _general(prompt, code, said, hull)
    return found, read


def _hull(prompt: Prompt, columns: Sequence[Sequence[Any]]) -> dict[str, str] | None:
    """Return strategies of arguments like those of the examples; None where there are none, or they are of other classes."""
    if not columns:
        return None
    found = {name: strategies.of_values(list(column)) for name, column in zip(prompt.parameters, columns, strict=True)}
    return None if None in found.values() else {name: str(text) for name, text in found.items()}


def kind_of(annotation: ast.expr | None, values: Sequence[Any]) -> str:
    """Return the kind of a parameter, as `Reference.kinds` names it; "any" where it is not known."""
    if values:
        if all(isinstance(value, bool) for value in values):
            return "bool"
        if all(isinstance(value, int) for value in values):
            return "int"
        if all(isinstance(value, (int, float)) for value in values):
            return "number"
        if all(isinstance(value, str) for value in values):
            return "text"
        if all(isinstance(value, list) for value in values):
            pool = [element for value in values for element in value]
            if pool and all(isinstance(element, (int, float)) for element in pool):
                return "numbers"
            return "texts" if pool and all(isinstance(element, str) for element in pool) else "list"
        return "any"
    told = ast.unparse(annotation).replace("typing.", "").lower() if annotation is not None else ""
    return {
        "int": "int",
        "float": "number",
        "str": "text",
        "list[int]": "numbers",
        "list[float]": "numbers",
        "list[str]": "texts",
        "list": "list",
        "list[any]": "list",
    }.get(told, "any")


def _reference(prompt: Prompt, said: list[Sentence], columns: Sequence[Sequence[Any]], hull: dict[str, str] | None) -> Property | None:
    kinds = [kind_of(annotation, columns[number] if columns else ()) for number, annotation in enumerate(prompt.parameters.values())]
    words = {word for sentence in said for word in sentence.words}
    found: list[tuple[Fit, Reference]] = []
    for reference in REFERENCES:
        if len(reference.kinds) != len(kinds) or len(prompt.examples) < reference.examples:
            continue
        if not all(_suits(wanted, kind, words, len(kinds)) for wanted, kind in zip(reference.kinds, kinds, strict=True)):
            continue
        also = f"{reference.also} positive natural" if set(reference.kinds) == {"int"} else reference.also
        own = [*prompt.parameters, *([prompt.name] if "_" in prompt.name or len(prompt.name) < 3 else [])]
        fit = fits(reference.words, said, own, also, len(prompt.examples))
        if fit is not None and (fit.whole or hull is not None):
            found.append((fit, reference))
    # Of two the one that takes more of the words says more: "sorted unique elements" is not "sorted".
    return _agreeing(prompt, *max(found, key=lambda one: len(one[0].cue)), hull) if found else None


_MANY = frozenset(
    {"list", "lists", "array", "arrays", "string", "strings", "text", "word", "words", "tuple", "sequence", "dictionary", "set", "matrix"}
)
_PLURALS = frozenset({"numbers", "integers", "elements", "values"})


def _suits(wanted: str, kind: str, words: set[str], parameters: int) -> bool:
    """Tell whether a parameter may be what a reference takes; one of which nothing is known is an integer where no word speaks of several things."""
    if (wanted, kind) == ("int", "any"):
        return not words & _MANY and not (parameters == 1 and words & _PLURALS)
    return wanted == kind or (wanted, kind) in (("number", "int"), ("list", "numbers"), ("list", "texts"), ("numbers", "list"), ("texts", "list"))


def _agreeing(prompt: Prompt, fit: Fit, reference: Reference, hull: dict[str, str] | None) -> Property:
    names = list(prompt.parameters)
    plain = [given or KINDS[kind] for given, kind in zip(reference.given or ("",) * len(names), reference.kinds, strict=True)]
    if not fit.whole and hull is not None:
        # Words that are not understood may say more than the examples show: beyond them nothing is known.
        plain = list(hull.values())
    letters = ", ".join("abc"[: len(names)])
    arguments = ", ".join(names)
    in_place = reference.kinds[0] in ("list", "numbers", "texts") and "return" not in prompt.words.lower()
    settled = any(value is not None for _, value in prompt.examples)
    source = (
        f"def ref({letters}):\n{reference.body}\n"
        f"def prop(f, {arguments}):\n    expected = meant(ref, {', '.join(f'deepcopy({name})' for name in names)})\n    got = f({arguments})\n"
        + (f"    if got is None and isinstance(expected, list): got = {names[0]}\n" if in_place else "")
        + f"    agree(alike(got, expected, {settled}), expected, {not reference.unordered})\n"
    )
    return Property(
        name=f"agrees with: {reference.name}",
        definition=f"its result is what {fit.cue!r} means",
        source=source,
        given=dict(zip(names, plain, strict=True)),
        origin="exact",
        supported=True,
        cue=fit.cue,
    )


def _round_trip(prompt: Prompt, said: list[Sentence]) -> Property | None:
    """Return that decoding undoes the encoding that the prompt gives whole."""
    if not prompt.name.startswith(("decode", "decrypt", "unpack", "decompress")) or len(prompt.parameters) != 1:
        return None
    for name, source in prompt.siblings.items():
        named = name.startswith(("encode", "encrypt", "pack", "compress")) and name.partition("_")[2] == prompt.name.partition("_")[2]
        if named and any(name in sentence.words for sentence in said):
            (parameter,) = prompt.parameters
            return Property(
                name=f"round trip with {name}",
                definition=f"{prompt.name}({name}(x)) is x",
                source=f"{source}\ndef prop(f, {parameter}):\n    agree(f({name}({parameter})), {parameter})\n",
                given={parameter: "st.lists(st.sampled_from('abcdefghijklmnopqrstuvwxyz'), max_size=12).map(''.join)"},
                origin="exact",
                cue=name,
            )
    return None


def _general(prompt: Prompt, code: str, said: list[Sentence], hull: dict[str, str]) -> list[Property]:
    names = ", ".join(prompt.parameters)
    found = [
        Property(
            "runs",
            "every name in it has a value when it is used",
            f"def prop(f, {names}):\n    f({names})\n",
            hull,
            "general",
            lenient=True,
        )
    ]
    words = {word for sentence in said for word in sentence.words}
    if not any(word in words or word in code for word in _CHANCE):
        copied = ", ".join(f"deepcopy({name})" for name in prompt.parameters)
        found.append(
            Property(
                "deterministic",
                "called twice with the same arguments it returns the same",
                f"def prop(f, {names}):\n    expected = f({copied})\n    agree(f({names}), expected)\n",
                hull,
                "general",
                lenient=True,
            )
        )
    kept = _kept_type(prompt)
    if kept:
        found.append(
            Property(
                "result type",
                f"its result is {kept[0]}",
                f"def prop(f, {names}):\n    got = f({names})\n    if not ({kept[1]}): raise Broken(got, 'is not', {kept[0]!r}, '')\n",
                hull,
                "general",
                supported=True,
                lenient=True,
            )
        )
    return found


def _kept_type(prompt: Prompt) -> tuple[str, str] | None:
    """Return the words and the test of the annotated type of the result, or of the type that all results of at least three examples have."""
    if prompt.returns is not None:
        test = type_test(prompt.returns, "got")
        return None if test is None else (ast.unparse(prompt.returns), test)
    values = [value for _, value in prompt.examples]
    kinds = {type(value) for value in values}
    if len(values) >= 3 and len(kinds) == 1 and kinds <= {bool, str, list, tuple}:
        (kind,) = kinds
        allowed = {"list": "(list, tuple)", "tuple": "(list, tuple)"}.get(kind.__name__, kind.__name__)
        return f"a {kind.__name__}, as in all its examples", f"isinstance(got, {allowed})"
    return None


def type_test(node: ast.expr, name: str) -> str | None:
    """Return an expression that tells whether a value is of an annotated type; None for a type that it does not know. An int is a float."""
    if isinstance(node, ast.Constant) and node.value is None:
        return f"{name} is None"
    if isinstance(node, ast.Name):
        plain = {"int": "int", "float": "(int, float)", "bool": "bool", "str": "str", "list": "list", "List": "list", "dict": "dict", "Dict": "dict"}
        plain |= {"tuple": "tuple", "Tuple": "tuple", "set": "set", "Set": "set", "bytes": "bytes"}
        return f"isinstance({name}, {plain[node.id]})" if node.id in plain else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = [type_test(side, name) for side in (node.left, node.right)]
        return None if None in sides else f"({sides[0]} or {sides[1]})"
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        base = node.value.id
        parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        if base == "Optional":
            inner = type_test(parts[0], name)
            return None if inner is None else f"({name} is None or {inner})"
        if base in ("list", "List") and len(parts) == 1:
            inner = type_test(parts[0], f"{name}_")
            whole = f"isinstance({name}, list)"
            return whole if inner is None else f"({whole} and all({inner} for {name}_ in {name}))"
        if base in ("tuple", "Tuple") and not any(isinstance(part, ast.Constant) and part.value is Ellipsis for part in parts):
            tests = [type_test(part, f"{name}[{number}]") for number, part in enumerate(parts)]
            whole = f"isinstance({name}, tuple) and len({name}) == {len(parts)}"
            return " and ".join([f"({whole}", *(test for test in tests if test is not None)]) + ")"
    return None
