"""Ends: how a call of a tool ended, by what its result says."""

from __future__ import annotations

import re

from ebmhw.karl.tools import BASH

_HEAD = re.compile(
    r"(?:\A|\n)(?:Error:\s{0,4})?"
    r"(?:Exit code:? |Process exited with code |Command failed with exit code |(?:Command )?exited with (?:exit )?code )(-?\d{1,10})\b",
    re.IGNORECASE,
)
_TAIL = re.compile(r"\[[^\[\]\n]{0,100}\bexit code (-?\d{1,10})\.?\]", re.IGNORECASE)
_MEMBER = re.compile(r'"(?:exit_code|exitCode|returncode|return_code)"\s{0,4}:\s{0,4}(-?\d{1,10})(?!\d)')
_ERROR = re.compile(r"""\s{0,20}(?:\[?error\b|<error>|<tool_use_error>|\{\s{0,4}"error"\s{0,4}:\s{0,4}(?!null|false|""|\[\]|\{\}))""", re.IGNORECASE)


def exit_code_in(output: str) -> int | None:
    """Return the exit code that agents write at the start or the end of a command's output, None where there is none.

    "Exit code 1" (Claude Code), "Exit code: 1", "Process exited with code 1" (Codex), "[The command completed with exit code 1.]" (OpenHands); of
    an output that is a JSON object, a member "exit_code", "returncode" and the like.
    """
    if output[:20].lstrip().startswith("{"):
        found = _MEMBER.search(output[:400]) or _MEMBER.search(output[-400:])
        return int(found[1]) if found is not None else None
    found = _HEAD.search(output[:400])
    if found is None:
        at_end = list(_TAIL.finditer(output[-400:]))
        found = at_end[-1] if at_end else None
    return None if found is None else int(found[1])


def success_of(tool: str, output: str, flag: bool | None, code: int | None) -> bool | None:
    """Return whether a call of which a result came did what it should.

    Parameters
    ----------
    tool : our name of it
    output : the result's text, which may say at its start that it is an error
    flag : what its source says of it, None where it does not
    code : exit code of a shell command; where neither it nor ``flag`` is known, a shell's success is not known
    """
    if flag is not None:
        return flag
    if code is not None:
        return code == 0
    if _ERROR.match(output[:100]) is not None:
        return False
    return None if tool == BASH else True
