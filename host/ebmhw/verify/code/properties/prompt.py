"""Prompt: what a question or a docstring says of a function: its parameters, its annotations, its words and its examples."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

MAX_CHARACTERS = 20_000
"""Of a prompt; longer ones are read up to here."""


class Prompt(NamedTuple):
    """What is said of a function.

    Attributes
    ----------
    name : of the function
    parameters : {name: annotation or None}, in order; positional ones only
    returns : annotation of the result, or None
    words : the docstring or question without its examples
    examples : (arguments, value) of each example that could be read, in order
    siblings : {name: source} of other functions that the prompt gives whole
    """

    name: str
    parameters: Mapping[str, ast.expr | None]
    returns: ast.expr | None
    words: str
    examples: tuple[tuple[tuple[Any, ...], Any], ...]
    siblings: Mapping[str, str]


def read_prompt(code: str, question: str, entry_point: str) -> Prompt | None:
    """Return what question and code say of the function; None where neither defines it with plain parameters.

    A question that defines it counts; else the signature is the code's, and the words are those of the question and the code's docstring.
    """
    question = question[:MAX_CHARACTERS]
    asked, written = _functions(question), _functions(code[: 5 * MAX_CHARACTERS])
    found = asked.get(entry_point) or written.get(entry_point)
    if found is None:
        return None
    names = found.args
    if names.vararg or names.kwarg or names.kwonlyargs:
        return None
    text = ast.get_docstring(found) or ""
    positional = [*names.posonlyargs, *names.args]
    annotations, returns = {one.arg: one.annotation for one in positional}, found.returns
    if entry_point not in asked:
        said, stated = _stated(question, entry_point)
        text = f"{said}\n{text}"
        if stated is not None and [one.arg for one in stated.args.args] == list(annotations):
            annotations = {one.arg: one.annotation or annotations[one.arg] for one in stated.args.args}
            returns = stated.returns or returns
    siblings = {name: ast.unparse(one) for name, one in asked.items() if name != entry_point and _has_body(one)}
    words, examples = split_examples(text, entry_point, [parameter.arg for parameter in positional])
    if _prints(written.get(entry_point)):
        examples = []
    return Prompt(entry_point, annotations, returns, words, tuple(examples), siblings)


def _stated(question: str, name: str) -> tuple[str, ast.FunctionDef | None]:
    """Return a question without the signature that its prose states, "Write gcd(a: int, b: int) -> int, the ...", and that, or None."""
    match = re.search(rf"(?<![\w.]){re.escape(name)}\s*(\([^()]{{0,500}}\)(?:\s*->\s*[\w.]+(?:\[[\w., \[\]]*\])?)?)", question)
    if match is None or question[: match.start()].rstrip().endswith(">>>"):
        return question, None
    try:
        (stated,) = ast.parse(f"def {name}{match[1]}: pass").body
    except (SyntaxError, ValueError):
        return question, None
    assert isinstance(stated, ast.FunctionDef)
    return f"{question[: match.start()]} {question[match.end() :]}", stated


def _functions(text: str) -> dict[str, ast.FunctionDef]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def _prints(function: ast.FunctionDef | None) -> bool:
    """Tell whether a function prints and returns no value: what its examples show is then what it prints."""
    if function is None or any(isinstance(node, ast.Return) and node.value is not None for node in ast.walk(function)):
        return False
    return any(isinstance(node, ast.Name) and node.id == "print" for node in ast.walk(function))


def _has_body(function: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Return) for node in ast.walk(function))


_ARROW = r"(?:==>|=>|==|➞|->|=|returns|should (?:return|give|be)|must return|→)"


def split_examples(text: str, name: str, parameters: Sequence[str]) -> tuple[str, list[tuple[tuple[Any, ...], Any]]]:
    """Return a docstring without its examples, and them: doctests, ``f(1) == 2`` or another arrow, "For x = 1 the output should be 2"."""
    examples: list[tuple[tuple[Any, ...], Any]] = []
    kept: list[str] = []
    equations: list[int] = []
    lines = text.splitlines()
    number = 0
    call = re.compile(rf"{re.escape(name)}\s*\(")
    while number < len(lines):
        line = lines[number].strip()
        number += 1
        said = _asserted(re.sub(r"^(?:>>>|\*|-|for|\d+[.)])\s*", "", line))
        if not call.match(said):
            found = _by_names(line, parameters)
            if found is not None:
                examples.append(found)
            elif not line.startswith(">>>") and not re.match(r"(?i)^(for )?examples?\b.{0,3}$", line):
                kept.append(line)
            continue
        end = _closing(said, said.index("("))
        if end is None:
            continue
        arguments = _literal(f"({said[said.index('(') + 1 : end]},)") if said[said.index("(") + 1 : end].strip() else ()
        rest = said[end + 1 :].strip()
        told = re.match(rf"{_ARROW}\s*(.*)$", rest)
        if told:
            value = _literal(told.group(1).strip())
        elif line.startswith(">>>") and not rest and number < len(lines):
            answer = lines[number].strip()
            value = None if not answer or answer.startswith(">>>") else _literal(answer)
        else:
            continue
        denied = bool(told) and line.startswith(">>>") and number < len(lines) and lines[number].strip() == "False"
        if isinstance(arguments, tuple) and len(arguments) == len(parameters) and value is not _NOTHING and not denied and not _elided(value):
            examples.append((arguments, value))
            equations += [len(examples) - 1] if told and rest.startswith("=") and not rest.startswith(("==", "=>")) else []
        if line.startswith(">>>") and not told:
            number += bool(number < len(lines) and lines[number].strip() and not lines[number].strip().startswith(">>>"))
    # "f(4) = 3" beside "f(3) = [1, 3, 2, 8]" defines a sequence that the function is named after.
    if len({type(examples[at][1]) for at in equations} - {type(None), bool, int, float}) and len({type(examples[at][1]) for at in equations}) > 1:
        examples = [one for at, one in enumerate(examples) if at not in equations]
    return "\n".join(kept), examples


def _asserted(line: str) -> str:
    """Return the equation that an assertion, with or without a message, says to hold; another line as it is."""
    if not line.startswith("assert "):
        return line
    try:
        (told,) = ast.parse(line).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return line
    equal = isinstance(told, ast.Assert) and isinstance(told.test, ast.Compare) and [type(one) for one in told.test.ops] == [ast.Eq]
    return ast.unparse(told.test) if isinstance(told, ast.Assert) and equal else line


_NOTHING = object()


def _literal(text: str) -> Any:
    text = re.sub(r"\s+#.*$", "", text).strip()
    text = {"true": "True", "false": "False"}.get(text.rstrip("."), text)
    for tried in (text, text.rstrip(".;, ")):
        try:
            value = ast.literal_eval(tried)
            # ("x") is written by those who mean ("x",), and by others who do not.
            return _NOTHING if tried.startswith("(") and tried.endswith(")") and not isinstance(value, tuple) else value
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
    return _NOTHING


def _elided(value: Any) -> bool:
    """Tell whether a value holds an ellipsis, which in an example stands for what is left out."""
    if isinstance(value, dict):
        return any(map(_elided, value.values()))
    return value is ... or (isinstance(value, (list, tuple, set)) and any(map(_elided, value)))


def _closing(text: str, start: int) -> int | None:
    depth, quote = 0, ""
    for at in range(start, len(text)):
        letter = text[at]
        if quote:
            quote = "" if letter == quote and text[at - 1] != "\\" else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
            if depth == 0:
                return at
    return None


def _by_names(line: str, parameters: Sequence[str]) -> tuple[tuple[Any, ...], Any] | None:
    """Read "For x = 1, y = 2 the output should be 3"."""
    told = re.match(r"(?i)^for (.+?),?\s+the (?:output|result) should be\s+(.+)$", line)
    if not told or not parameters:
        return None
    pattern = r",?\s*".join(rf"{re.escape(name)}\s*=\s*(.+?)" for name in parameters)
    given = re.match(rf"^{pattern}$", told.group(1).strip())
    if not given:
        return None
    values, value = tuple(map(_literal, given.groups())), _literal(told.group(2))
    return None if value is _NOTHING or any(one is _NOTHING for one in values) else (values, value)
