"""Analysis: everything that the text of a module tells about faults in it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

from ebmhw.verify.code.static.assigned import assigned
from ebmhw.verify.code.static.calls import calls
from ebmhw.verify.code.static.context import Context
from ebmhw.verify.code.static.entry import Wanted, entry
from ebmhw.verify.code.static.finding import Finding
from ebmhw.verify.code.static.flow import truth, unreachable
from ebmhw.verify.code.static.loops import loops
from ebmhw.verify.code.static.names import names
from ebmhw.verify.code.static.operations import operations
from ebmhw.verify.code.static.returns import returns
from ebmhw.verify.code.static.style import style, unused
from ebmhw.verify.deadline import Deadline


class Analysis(NamedTuple):
    """What an analysis found.

    Attributes
    ----------
    findings : in order of their places
    checked : lines of calls that were held against what they call
    dynamic : True where names cannot be told from the text
    """

    findings: tuple[Finding, ...]
    checked: tuple[int, ...]
    dynamic: bool


def analysed(tree: ast.Module, deadline: Deadline, known: frozenset[str] = frozenset(), wanted: Sequence[Wanted] = ()) -> Analysis:
    """Return what the text of a module tells; a fault in code that control never reaches is none.

    Parameters
    ----------
    known : names that other code defines for it
    wanted : functions that it is asked for

    Raises
    ------
    RecursionError
        where the tree is too deep.
    PipelineTimeoutError
        where time is over.
    """
    context = Context(tree, deadline, known)
    misfits, checked = calls(context)
    findings = [*names(context), *misfits, *operations(context), *assigned(context), *returns(context), *loops(context), *style(context)]
    for one in wanted:
        findings += entry(context, one)
        findings += unused(context, one.name)
    dead = _dead_lines(context)
    kept = {(one.kind, one.start): one for one in reversed(findings) if one.kind in ("style", "syntax") or not _inside(one.start, dead)}
    lines = tuple(sorted(node.lineno for node in checked))
    return Analysis(tuple(sorted(kept.values(), key=lambda one: (one.start, one.kind))), lines, context.dynamic)


def _dead_lines(context: Context) -> list[tuple[int, int]]:
    """Return (first, last) lines of the code that control never reaches."""
    dead = []
    for node in unreachable(context.nodes):
        parent = context.scopes.parent[node]
        for name in ("body", "orelse", "finalbody"):
            held = getattr(parent, name, None)
            if isinstance(held, list) and node in held:
                dead.append((node.lineno, held[-1].end_lineno or node.lineno))
    for one in context.nodes:
        if isinstance(one, ast.If):
            held = truth(one.test)
            part = one.body if held is False else one.orelse if held is True else []
            if part:
                dead.append((part[0].lineno, part[-1].end_lineno or part[0].lineno))
    return dead


def _inside(place: tuple[int, int], dead: list[tuple[int, int]]) -> bool:
    return any(first <= place[0] <= last for first, last in dead)
