"""Plans: the calls of a session as numbered lines, "3. [ok] Bash pytest -q", and such lines read back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ebmhw.karl.tools import BASH, EDIT, GLOB, GREP, KEYS, NOTEBOOK, READ, WRITE, canonical
from ebmhw.karl.trajectory import ToolEvent
from ebmhw.redaction import without_secrets

PLAN_EVENTS = 20
"""Calls of a session that its plan shows, and lines of a text that are read as one."""

ARGUMENT_CHARS = 120
"""Characters of a call's argument."""

READ_CHARS = 20_000
"""Characters of a text that a plan is looked for in."""

MAIN: Mapping[str, str] = {
    BASH: "command",
    **dict.fromkeys((READ, EDIT, WRITE, NOTEBOOK), "file_path"),
    **dict.fromkeys((GREP, GLOB), "pattern"),
    "WebSearch": "query",
    "WebFetch": "url",
}
"""{tool: the parameter that its line shows without a name}; other tools show the first of `ebmhw.karl.tools.KEYS` that they have, by name."""

_MARKS = {True: "ok", False: "fail", None: "?"}
_SUCCESS = {mark: success for success, mark in _MARKS.items()}

_NAMED = re.compile(rf"({'|'.join(KEYS)})=", re.ASCII)
# What models put around a line of a list is no part of the call: dashes, stars, fences.
_LINE = re.compile(
    r"[ \t>*-]{0,8}(\d{1,4})[.)][ \t]{1,8}(?:\[(ok|fail|\?)\][ \t]{0,8})?([^\s:\[][^\s:]{0,199})(?::(?=[ \t]|$))?(?:[ \t]{1,8}(\S.{0,500}))?",
    re.ASCII,
)


class Step(NamedTuple):
    """A line of a plan.

    Attributes
    ----------
    tool : as of `ebmhw.karl.tools.canonical`
    params : what its argument says, {} without one
    success : by its mark; None for "?" and for a line without one
    """

    tool: str
    params: Mapping[str, str]
    success: bool | None

    def event(self, marked: bool) -> ToolEvent:
        """Return the call that the line claims; its mark counts where ``marked``."""
        return ToolEvent(self.tool, self.params, self.success if marked else None)


def plan_of(events: Sequence[ToolEvent], cwd: str | None = None) -> str:
    """Return the plan of a session's first `PLAN_EVENTS` calls, without secrets; "" for no calls.

    Parameters
    ----------
    events : the calls
    cwd : where the agent worked: paths below it are shown from there
    """
    return "\n".join(f"{number}. {_line(event, cwd)}" for number, event in enumerate(events[:PLAN_EVENTS], 1))


def read_plan(text: str) -> list[Step]:
    """Return the steps of the first plan in a text: lines with numbers that follow each other from 1, at most `PLAN_EVENTS`.

    Other lines before, between and after are passed over; a number out of turn ends the plan. [] where there is none.
    """
    steps: list[Step] = []
    for line in text[:READ_CHARS].splitlines():
        found = _LINE.fullmatch(line.rstrip())
        if found is None:
            continue
        number = int(found[1])
        if number != len(steps) + 1:
            if steps:
                break
            continue
        steps.append(Step(canonical(found[3]), _params(canonical(found[3]), (found[4] or "").strip()), _SUCCESS.get(found[2])))
        if len(steps) == PLAN_EVENTS:
            break
    return steps


def _line(event: ToolEvent, cwd: str | None) -> str:
    # A name with blanks or a colon would not be told from its argument, nor one with a bracket from a mark.
    tool = re.sub(r"[\s:\[\]]+", "_", canonical(event.tool)) or "unknown"
    argument = _argument(event, cwd)
    return f"[{_MARKS[event.success]}] {tool} {argument}" if argument else f"[{_MARKS[event.success]}] {tool}"


def _argument(event: ToolEvent, cwd: str | None) -> str:
    main = MAIN.get(event.tool)
    for key in [main, *KEYS] if main else KEYS:
        value = event.params.get(key) if key else None
        if not value:
            continue
        shown = _one_line(value, "; " if key == "command" else " ")
        if key == "file_path" and cwd and shown.startswith(cwd.rstrip("/") + "/"):
            shown = shown[len(cwd.rstrip("/")) + 1 :]
        shown = without_secrets(shown)[:ARGUMENT_CHARS].strip()
        if not shown:
            continue
        return shown if key == main and not _NAMED.match(shown) else f"{key}={shown}"
    return ""


def _one_line(value: str, joint: str) -> str:
    # What str.splitlines takes for the end of a line would break a plan's.
    lines: Iterable[str] = (" ".join(line.split()) for line in value.splitlines())
    return joint.join(line for line in lines if line)


def _params(tool: str, argument: str) -> dict[str, str]:
    named = _NAMED.match(argument)
    if named:
        value = argument[named.end() :].strip()
        return {named[1]: value} if value else {}
    return {MAIN[tool]: argument} if argument and tool in MAIN else {}
