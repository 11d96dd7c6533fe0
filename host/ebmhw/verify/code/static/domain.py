"""Code: Python in a response, judged by its text alone; nothing of it is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import final

from ebmhw.verify.claim import Claim
from ebmhw.verify.code.blocks import CODE_GOAL, code_of
from ebmhw.verify.code.specification import Specification
from ebmhw.verify.code.static.analysis import Analysis, analysed
from ebmhw.verify.code.static.entry import Wanted, functions_of, unfinished
from ebmhw.verify.code.static.finding import Finding
from ebmhw.verify.code.static.parsing import Parsed, parsed
from ebmhw.verify.code.static.scopes import FUNCTIONS, Scopes
from ebmhw.verify.code.static.writing import LINE_END, Writer
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.domain import Domain, Judgement
from ebmhw.verify.prover import Prover
from ebmhw.verify.statement import Source, Statement
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, Verdict

_ASKED = re.compile(r"\b(?:write|implement|define|create|complete)\b[^.?!\r\n]{0,80}\b(?:function|program|script|class|method)\b", re.IGNORECASE)
_UNRUN = "what the code does was not run: that takes a specification, and domain 'execution'"
_MOST_CALLS = 1000


@final
class Code(Domain):
    """Judges Python by what its text proves: that it parses, that names are defined, that calls fit, and faults met wherever they are reached.

    Parameters
    ----------
    specification : what the code is asked to do, or its text; None where nothing is said
    executed : whether domain "execution" runs the same code; else a claim says that what it does is UNKNOWN, and oddities are claims of their own
    """

    def __init__(self, specification: Specification | str | None = None, executed: bool = False) -> None:
        self.specification = Specification.from_json(specification) if isinstance(specification, str) else specification
        self.executed = executed

    @property
    def name(self) -> str:
        """ "code"."""
        return "code"

    def read(self, text: str, source: Source, deadline: Deadline) -> list[Statement]:
        """Return the blocks of Python in a text; of a question also, as kind "goal", that it asks for code."""
        if source == "constraints":
            return []
        specified = self.specification is not None
        statements = []
        if source == "response":
            blocks = code_of(text, whole=self.specification is not None and self.specification.code)
        else:
            blocks = code_of(text, whole=True)
            if len(blocks) == 1 and blocks[0].span == (0, len(text)) and not _is_program(text):
                blocks = []
            asked = _ASKED.search(text) if "python" in text.lower() else None
            if specified or asked is not None:
                statements.append(Statement("code", "goal", source, (0, 0), "", {}))
        deadline.check("the reading of code")
        for block in blocks:
            start, end = block.span
            content = {"code": block.code, "language": block.language, "lines": list(block.lines)}
            statements.append(Statement("code", "code", source, block.span, text[start:end], content))
        return statements

    def judge(self, question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> Judgement:
        """Return claims about each block: that it parses, about each of its definitions, each fault, and what is left open."""
        given = [tree for one in question if one.kind == "code" and (tree := parsed(one.content["code"]).tree) is not None]
        wanted = self._wanted(given)
        asked = [name for tree in given for name in unfinished(tree)]
        blocks = [(one, parsed(one.content["code"])) for one in response if one.kind == "code"]
        trees = [read.tree for _, read in blocks if read.tree is not None]
        defined = {name for tree in trees for name in _top(tree)}
        known = frozenset(defined | {name for tree in given for name in _top(tree)} if len(trees) > 1 or given else ())
        claims: list[Claim] = []
        for statement, read in blocks:
            deadline.check("the analysis of code")
            claims += self._block(statement, read, deadline, known, wanted)
        entry_point = None if self.specification is None else self.specification.entry_point
        goals: list[str] = []
        if not blocks:
            # Domain "execution" says itself that it found nothing to run.
            names = [*asked, entry_point] if entry_point is not None and not self.executed else [name for name in asked if name != entry_point]
            goals = [f"the function {name}{CODE_GOAL}" for name in dict.fromkeys(names)]
            if not goals and not self.executed and any(one.kind == "goal" for one in question):
                goals = ["code" + CODE_GOAL]
        elif all(read.tree is not None for _, read in blocks) and not any(_open_ended(tree) for tree in trees):
            # Domain "execution" says so itself, of the code as it was loaded.
            if entry_point is not None and entry_point not in defined and not self.executed:
                named = ", ".join(sorted(defined)[:5]) or "no name"
                claims.append(Writer(blocks[0][0]).claim("entry", VIOLATED, f"there is no {entry_point} in the code, which defines {named}"))
            goals = [f"the function {name}{CODE_GOAL}" for name in dict.fromkeys(asked) if name not in defined and name != entry_point]
        if blocks and not self.executed and not any(claim.verdict == VIOLATED for claim in claims):
            claims.append(Writer(blocks[0][0]).claim("behaviour", UNKNOWN, _UNRUN))
        return Judgement(tuple(sorted(claims, key=lambda claim: claim.span)), tuple(goals))

    def _wanted(self, given: Sequence[ast.Module]) -> list[Wanted]:
        wanted = {one.name: one for tree in given for one in functions_of(tree)}
        if self.specification is not None and self.specification.entry_point is not None:
            calls = {(len(test.args), tuple(sorted(test.kwargs))) for test in self.specification.tests}
            name = self.specification.entry_point
            if calls or name not in wanted:
                wanted[name] = Wanted(name, tuple(sorted(calls)[:_MOST_CALLS]), "a test")
        return list(wanted.values())

    def _block(self, statement: Statement, read: Parsed, deadline: Deadline, known: frozenset[str], wanted: Sequence[Wanted]) -> Iterator[Claim]:
        writer = Writer(statement)
        if read.unread is not None:
            yield writer.claim("syntax", UNKNOWN, read.unread)
            return
        if read.tree is None:
            yield writer.claim("syntax", VIOLATED, f"it is no Python: {read.error}", (read.line, 0), (read.line, LINE_END))
            return
        try:
            analysis = analysed(read.tree, deadline, known, wanted)
        except RecursionError:
            yield writer.claim("syntax", UNKNOWN, "the code is nested too deeply to be analysed")
            return
        findings = [self._softened(read.tree, finding) for finding in analysis.findings]
        odd = [finding for finding in findings if not finding.certain]
        note = "" if not odd or not self.executed else f"; odd, though no error: {'; '.join(f'line {one.start[0]}: {one.reason}' for one in odd[:5])}"
        if not any(finding.kind == "syntax" and finding.certain for finding in findings):
            yield writer.claim("syntax", VERIFIED, f"it parses as Python{note}")
        for finding in findings:
            if finding.certain or not self.executed:
                verdict: Verdict = VIOLATED if finding.certain else UNKNOWN
                yield writer.claim(finding.kind, verdict, finding.reason, finding.start, finding.end)
        yield from _definitions(writer, read.tree, analysis, findings)

    def _softened(self, tree: ast.Module, finding: Finding) -> Finding:
        """Return a finding as a mere oddity where a snippet in prose uses, outside any function, names that it leaves to its reader."""
        if not finding.certain or finding.kind != "names" or self.specification is not None:
            return finding
        line = finding.start[0]
        held = any(isinstance(node, (*FUNCTIONS, ast.ClassDef)) and _lines(node)[0] <= line <= _lines(node)[1] for node in tree.body)
        return finding if held else finding._replace(certain=False, reason=f"{finding.reason}, unless it is a part of something longer")


def _definitions(writer: Writer, tree: ast.Module, analysis: Analysis, findings: Sequence[Finding]) -> Iterator[Claim]:
    """Yield for each definition at the top that its names are defined and its calls fit, where nothing speaks against it."""
    if analysis.dynamic:
        return
    for node in tree.body:
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            continue
        first, last = _lines(node)
        place = (node.lineno, node.col_offset), (node.lineno, LINE_END)
        kinds = {finding.kind for finding in findings if first <= finding.start[0] <= last}
        if not kinds & {"names", "assignment"}:
            yield writer.claim("names", VERIFIED, f"every name that {node.name} uses is defined", *place)
        count = sum(first <= line <= last for line in analysis.checked)
        if count and "calls" not in kinds:
            what = "the call fits" if count == 1 else f"all {count} calls fit"
            yield writer.claim("calls", VERIFIED, f"{what} what {node.name} calls, of those whose arguments are known", *place)


def _lines(node: ast.AST) -> tuple[int, int]:
    decorators = getattr(node, "decorator_list", [])
    first = min([getattr(node, "lineno", 1), *[one.lineno for one in decorators]])
    return first, getattr(node, "end_lineno", None) or first


def _top(tree: ast.Module) -> set[str]:
    return set(Scopes(tree).module.bindings)


def _open_ended(tree: ast.Module) -> bool:
    """Tell whether a module may define names that its text does not show."""
    scopes = Scopes(tree)
    return scopes.stars or any(isinstance(node, ast.Name) and node.id in ("exec", "globals", "setattr", "vars") for node in scopes.of)


def _is_program(text: str) -> bool:
    """Tell whether a question that parses is code, rather than a word or a sum."""
    tree = parsed(text).tree
    return tree is not None and any(isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom)) for node in tree.body)
