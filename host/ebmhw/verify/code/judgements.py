"""Judgements: what became of calls, checks and properties, as verdicts and words."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ebmhw.verify.code.attempts import told as told_attempts
from ebmhw.verify.code.doubts import compared_with_changed, leaning, names_class
from ebmhw.verify.code.remote import ENDS_LOOPS
from ebmhw.verify.code.session import Raised, StoppedCall
from ebmhw.verify.code.specification import Specification
from ebmhw.verify.code.testing import Judged
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, Verdict

BLAMED = frozenset({"time", "cpu", "memory", "output", "files", "threads", "signal", "exit", "tampering"})
"""Causes of a stop that are the code's own doing; the others are the sandbox's."""


class Found(NamedTuple):
    """What a trial found: the claim's kind, the line of the code that it is about, verdict, reason and content."""

    kind: str
    line: int | None
    verdict: Verdict
    reason: str
    content: dict[str, Any]


def excused(found: Found, tried: Sequence[str]) -> Found:
    """Return a failure on whose way the code tried what the sandbox never allows, as UNKNOWN: elsewhere it might pass.

    Parameters
    ----------
    tried : audit events (see `ebmhw.verify.code.attempts`); none for nothing
    """
    if found.verdict != VIOLATED or not tried:
        return found
    return found._replace(verdict=UNKNOWN, reason=f"{found.reason}; it tried to {told_attempts(list(tried))}, which the sandbox does not allow")


def of_stop(outcome: StoppedCall, specification: Specification) -> tuple[Verdict, str]:
    """Return whether a stop is the code's doing, and what happened in words."""
    if outcome.cause in ("time", "cpu"):
        return VIOLATED, f"it did not end within its time ({specification.timeout:g} s in all)"
    words = {
        "memory": "it used up its memory",
        "output": "it wrote more output than allowed",
        "files": "it wrote more to files than allowed",
        "exit": "the code ended the process",
        "tampering": f"the code tampered with its process: {outcome.detail}",
    }
    return (VIOLATED if outcome.cause in BLAMED else UNKNOWN), words.get(outcome.cause, outcome.detail)


def of_exception(outcome: Raised, specification: Specification) -> tuple[Verdict, str]:
    """Return whether an exception is the code's doing, and the exception in words."""
    where = f" (line {outcome.line})" if outcome.line is not None else ""
    said = f"{outcome.kind}: {outcome.message}{where}" if outcome.message else f"{outcome.kind}{where}"
    if "ModuleNotFoundError" in outcome.kinds:
        missing = outcome.message.partition("'")[2].partition("'")[0].partition(".")[0]
        if missing and missing not in sys.stdlib_module_names and missing not in specification.packages:
            return UNKNOWN, f"{said}; the specification does not allow this package: name it in packages, if the code may use it"
    if "PermissionError" in outcome.kinds:
        return UNKNOWN, f"{said}; the sandbox does not allow it"
    return VIOLATED, said


def of_checks(judged: Judged, stopped: StoppedCall | None, specification: Specification) -> tuple[Verdict, str, int | None]:
    """Return verdict, reason and the line of the code that it is about, of what a judge came to."""
    told = judged.told
    at, last = told.get("line"), told.get("last")
    place = f"line {at} of the {told.get('where')}" if at is not None else "the checks"
    text = f" ({told['text']})" if told.get("text") else ""
    after = f"; {last}" if last else ""
    if stopped is not None:
        verdict, why = of_stop(stopped, specification)
        return verdict, f"the checks did not end: {why}{after}", None
    if judged.ended == "passed":
        if not judged.calls:
            return UNKNOWN, "the checks never called the code: nothing was checked", None
        if told.get("doubt"):
            return UNKNOWN, f"the checks passed, but show nothing: {told['doubt']}", None
        return VERIFIED, f"the checks passed, with {judged.calls} call{'s' if judged.calls > 1 else ''} of the code", None
    if judged.ended == "failed":
        said = f": {judged.said}" if judged.said else ""
        verdict = VIOLATED if judged.calls else UNKNOWN
        return verdict, f"an assertion failed at {place}{text}{said}{after}", None
    if judged.ended == "raised":
        line = told.get("candidate_line")
        if told.get("kind") == "Refused" and judged.said.startswith("the result cannot be passed on"):
            return UNKNOWN, f"the checks cannot be decided at {place}{text}: {judged.said}", line
        verdict, why = of_exception(Raised(str(told.get("kind")), judged.said, line, (str(told.get("kind")),)), specification)
        return verdict, f"the code raised {why} at {place}{text}{after}", line
    if judged.ended == "raises":
        return VIOLATED, f"what the code gave led to {judged.said} at {place}{text}{after}", None
    if judged.ended == "broken":
        return UNKNOWN, f"the checks themselves failed at {place}: {judged.said}", None
    if judged.ended == "refused":
        return UNKNOWN, f"the checks pass what cannot be passed, at {place}: {judged.said}", None
    return UNKNOWN, f"the checks did not come to an end: their own process was stopped ({judged.said})", None


def doubted(found: Found, noticed: Mapping[str, Any], specification: Specification) -> Found:
    """Return a property that held, UNKNOWN where it held by the word of the code under test."""
    name = str(found.content.get("property"))
    texts = [text for text in specification.properties if f"def {name}(" in text]
    why = None
    if noticed.get("leant") and not names_class(specification.entry_point or ""):
        why = f"it rests on {leaning(*noticed['leant'])}"
    elif noticed.get("silent") and texts and not any(ending in text for text in texts for ending in ENDS_LOOPS):
        why = f"{specification.entry_point} raised StopIteration, which ends a loop without a word"
    elif noticed.get("changed"):
        why = next((said for text in texts if (said := _changed(text)) is not None), None)
    return found if why is None else found._replace(verdict=UNKNOWN, reason=f"{found.reason}, but shows nothing: {why}")


def _changed(text: str) -> str | None:
    """Return that a property compares results with arguments that calls may have changed, in words; None where it does not."""
    tree = ast.parse(text)
    tested = {node.args.args[0].arg for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.args.args}
    compared = compared_with_changed(tree, range(1, text.count("\n") + 2), tested)
    return None if compared is None else f"the code changed {compared[1]}, with which line {compared[0]} compares its result; give it a copy"
