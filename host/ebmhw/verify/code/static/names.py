"""Names and format strings: what pyflakes finds, sorted into what fails wherever it is reached and what is only odd."""

from __future__ import annotations

import ast
import difflib
import keyword
import sys
from typing import Any

from ebmhw.errors import MissingExtra
from ebmhw.verify.code.static.context import Context
from ebmhw.verify.code.static.finding import Finding
from ebmhw.verify.code.static.scopes import FUNCTIONS, Scope

_SYNTAX = frozenset(
    {
        "ReturnOutsideFunction",
        "YieldOutsideFunction",
        "ContinueOutsideLoop",
        "BreakOutsideLoop",
        "DefaultExceptNotLast",
        "TwoStarredExpressions",
        "TooManyExpressionsInStarredAssignment",
        "DuplicateArgument",
        "LateFutureImport",
        "FutureFeatureNotDefined",
    }
)
_FORMAT = {
    "StringDotFormatMissingArgument": "KeyError or IndexError",
    "StringDotFormatMixingAutomatic": "ValueError",
    "StringDotFormatInvalidFormat": "ValueError",
    "PercentFormatInvalidFormat": "ValueError",
    "PercentFormatMixedPositionalAndNamed": "TypeError",
    "PercentFormatUnsupportedFormatCharacter": "ValueError",
    "PercentFormatPositionalCountMismatch": "TypeError",
    "PercentFormatMissingArgument": "KeyError",
    "PercentFormatExpectedMapping": "TypeError",
}
_ODD = frozenset(
    {
        "UnusedVariable",
        "RedefinedWhileUnused",
        "MultiValueRepeatedKeyLiteral",
        "IfTuple",
        "AssertTuple",
        "RaiseNotImplemented",
        "IsLiteral",
        "StringDotFormatExtraPositionalArguments",
        "StringDotFormatExtraNamedArguments",
        "PercentFormatExtraNamedArguments",
        "PercentFormatExpectedSequence",
        "InvalidPrintSyntax",
    }
)
_SUGGESTED, _LONGEST_NAME, _MOST_NAMES = 20, 100, 500
_PLATFORM = ("version_info", "platform", "implementation", "hexversion", "TYPE_CHECKING", "PY2", "PY3", "hasattr", "globals", "builtins", "__debug__")


def names(context: Context) -> list[Finding]:
    """Return what pyflakes finds in a module: names that nothing defines, formats that cannot work, statements out of place, oddities."""
    findings: list[Finding] = []
    loads = {
        (node.lineno, node.col_offset): node for node in context.nodes if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Load, ast.Del))
    }
    for message in _messages(context):
        kind, text = type(message).__name__, message.message % message.message_args
        place = (message.lineno, message.col)
        node = loads.get(place)
        if kind == "UndefinedName":
            name = str(message.message_args[0])
            exact = node if node is not None and node.id == name else None
            findings.append(_undefined(context, name, exact, place, len(findings) < _SUGGESTED))
        elif kind in _SYNTAX:
            findings.append(Finding("syntax", place, (place[0], 1 << 30), f"Python refuses it: {text}"))
        elif kind in _FORMAT:
            findings.append(Finding("format", place, (place[0], 1 << 30), f"{text}: it raises {_FORMAT[kind]}"))
        elif kind in _ODD:
            findings.append(Finding("style", place, (place[0], 1 << 30), text, False))
    return findings


def _messages(context: Context) -> list[Any]:
    try:
        from pyflakes import checker
    except ImportError:
        raise MissingExtra("names in code are checked with pyflakes, which is missing: pip install 'ebmhw[code]'") from None

    class Timed(checker.Checker):  # type: ignore[misc]
        """Gives up once time is over."""

        def handleNode(self, node: Any, parent: Any) -> None:
            context.check()
            super().handleNode(node, parent)

    found: list[Any] = sorted(
        Timed(context.tree, "<code>", builtins=context.known, withDoctest=False).messages, key=lambda one: (one.lineno, one.col)
    )
    return found


def _undefined(context: Context, name: str, node: ast.Name | None, place: tuple[int, int], suggest: bool) -> Finding:
    end = (place[0], place[1] + len(name.encode()))
    reason = f"the name {name!r} is not defined"
    if node is None:
        return Finding("names", place, end, f"{reason}; it stands in words that are not evaluated", False)
    close = _close(context, name, node) if suggest else ""
    reason += f" where it is used, which raises NameError{close}"
    # A name that is bound and deleted again was there when the function ran.
    later = context.function(node) is not None and context.scopes.resolve(name, context.scope(node)) is not None
    odd = (
        later
        or name == "__path__"
        or context.dynamic
        or _never_evaluated(context, node)
        or context.guarded(node, NameError)
        or _by_platform(context, node)
    )
    return Finding("names", place, end, reason, not odd)


def _close(context: Context, name: str, node: ast.Name) -> str:
    """Return words about the one name in scope that is spelt nearly so, if there is one."""
    scope: Scope | None = context.scope(node)
    visible: set[str] = set()
    while scope is not None:
        visible |= scope.bindings.keys()
        scope = scope.parent
    if len(name) > _LONGEST_NAME or len(visible) > _MOST_NAMES:
        return ""
    near = difflib.get_close_matches(name, sorted(visible - {name} - set(keyword.kwlist)), n=2, cutoff=0.75)
    return f"; perhaps {near[0]!r} is meant" if len(near) == 1 else ""


def _never_evaluated(context: Context, node: ast.Name) -> bool:
    """Tell whether a name stands in an annotation that Python does not evaluate."""
    late = sys.version_info >= (3, 14) or any(
        isinstance(one, ast.ImportFrom) and one.module == "__future__" and any(alias.name == "annotations" for alias in one.names)
        for one in context.tree.body[:20]
    )
    for child, parent in context.scopes.ancestors(node):
        annotation = getattr(parent, "annotation", None) is child or (isinstance(parent, FUNCTIONS) and parent.returns is child)
        if annotation:
            local = isinstance(parent, ast.AnnAssign) and context.function(parent) is not None
            return late or local
        if type(parent).__name__ in ("TypeAlias", "TypeVar"):
            return True
    return False


def _by_platform(context: Context, node: ast.AST) -> bool:
    """Tell whether a node is reached only under a condition about the Python or system at hand, or about the name itself."""
    context.check()
    for child, parent in context.scopes.ancestors(node):
        if isinstance(parent, (ast.If, ast.IfExp, ast.BoolOp, ast.While)) and child is not getattr(parent, "test", None):
            words = ast.dump(parent.test if not isinstance(parent, ast.BoolOp) else parent)
            if any(word in words for word in _PLATFORM):
                return True
    return False
