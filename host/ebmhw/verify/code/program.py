"""Program: the code of a response as one module, with the places of its lines in the text."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

from ebmhw.verify.code.blocks import code_of
from ebmhw.verify.statement import Statement


class Program(NamedTuple):
    """The code of a response.

    Attributes
    ----------
    code : of the blocks that count, one after the other
    spans : of each line of ``code`` in the text, without the blanks around it
    whole : (start, end) of all of it in the text
    fault : (line, what is wrong) where it is no Python; None where it is
    names : functions and classes that it defines, in order, each with its line
    """

    code: str
    spans: tuple[tuple[int, int], ...]
    whole: tuple[int, int]
    fault: tuple[int, str] | None
    names: dict[str, int]

    def span(self, line: int | None) -> tuple[int, int]:
        """Return where a line stands in the text; all of the code where there is no such line."""
        if line is not None and 0 < line <= len(self.spans) and self.spans[line - 1][0] < self.spans[line - 1][1]:
            return self.spans[line - 1]
        return self.whole


def program_of(blocks: Sequence[Statement], entry_point: str | None) -> Program:
    """Return the code that counts of blocks: all up to the last that defines the entry point, without those before it that are no Python.

    Parameters
    ----------
    blocks : at least one, each with the content {"code": text, "lines": [where each line starts]}
    entry_point : a name, or None: then all count
    """
    trees = [_tree(block.content["code"]) for block in blocks]
    defining = [i for i, (tree, _) in enumerate(trees) if tree is not None and entry_point in _names(tree)]
    last = defining[-1] if defining else len(blocks) - 1
    chosen = [i for i in range(last + 1) if trees[i][0] is not None] or [last]
    if any(_has_future(trees[i][0]) for i in chosen[1:]):
        chosen = chosen[-1:]  # such an import stands at a file's beginning only
    code, spans = "", []
    for i in chosen:
        text = blocks[i].content["code"]
        if not text.endswith("\n"):
            text += "\n"
        code += text
        spans += _spans(text, blocks[i].content["lines"])
    tree, fault = _tree(code)
    names = {} if tree is None else _names(tree)
    return Program(code, tuple(spans), (blocks[chosen[0]].span[0], blocks[chosen[-1]].span[1]), fault, names)


def _spans(text: str, starts: Sequence[int]) -> list[tuple[int, int]]:
    spans = []
    for line, start in zip(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), starts, strict=False):
        indent = len(line) - len(line.lstrip())
        spans.append((start + indent, start + max(indent, len(line.rstrip()))))
    return spans


def _tree(code: str) -> tuple[ast.Module | None, tuple[int, str] | None]:
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "invalid escape sequence" is the static domain's to say
            tree = ast.parse(code)
            compile(tree, "<candidate>", "exec", dont_inherit=True)
            return tree, None
    except SyntaxError as error:
        return None, (error.lineno or 1, str(error.msg))
    except RecursionError:
        return None, (1, "it is nested too deeply")
    except (ValueError, MemoryError, OverflowError) as error:
        return None, (1, str(error) or type(error).__name__)


def _names(tree: ast.Module) -> dict[str, int]:
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node in tree.body:
            found[node.name] = node.lineno
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    found[target.id] = statement.lineno
    return found


def callable_names(code: str) -> list[str]:
    """Return what tests of code may call: the functions at its top, those with a leading underscore only where all have one; else its classes.

    Parameters
    ----------
    code : Python, or text with fenced blocks of it; what is no Python defines nothing
    """
    body = [statement for block in code_of(code, True) for statement in getattr(_tree(block.code)[0], "body", ())]
    for kinds in ((ast.FunctionDef, ast.AsyncFunctionDef), (ast.ClassDef,)):
        names = list(dict.fromkeys(node.name for node in body if isinstance(node, kinds)))
        if names:
            return [name for name in names if not name.startswith("_")] or names
    return []


def taken_apart(code: str, name: str, args: Sequence[object]) -> bool:
    """Tell whether a call may be of a list that was to be one argument: there are none or several of one type, and the function takes one only."""
    tree, _ = _tree(code)
    defined = next((node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name), None) if tree is not None else None
    if defined is None or len(args) == 1 or len({type(one) for one in args}) > 1:
        return False
    given = defined.args
    places = len(given.posonlyargs) + len(given.args)
    return given.vararg is None and places - len(given.defaults) <= 1 <= places and not places - len(given.defaults) <= len(args) <= places


def _has_future(tree: ast.Module | None) -> bool:
    return tree is not None and any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
