"""Commands of SWE-agent's interface (open, edit, find_file, ...) as the tools they are; everything else is the shell's."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from ebmhw.karl.readers.agent_tools import tool_of
from ebmhw.karl.tools import BASH, EDIT, GLOB, GREP, READ, WRITE

_LINE_CHARS = 4000

_ENDINGS = frozenset({"skip", "exit_cost", "exit_context", "exit_format", "exit_error", "exit_api", "exit_early", "exit_environment_error"})
"""What SWE-agent itself writes as the action where the session ends for another reason than a command."""

_ON_OPEN_FILE: Mapping[str, str] = {
    **dict.fromkeys(("open", "goto", "scroll_up", "scroll_down", "set_cursors"), READ),
    **dict.fromkeys(("edit", "insert"), EDIT),
    "create": WRITE,
}
_SEARCHES: Mapping[str, str] = {"find_file": GLOB, "search_dir": GREP, "search_file": GREP}
_OWN = frozenset(
    {
        *("submit", "exit_forfeit", "decompile", "disassemble", "connect_start", "connect_sendline", "connect_exec", "connect_stop"),
        *("debug_start", "debug_add_breakpoint", "debug_continue", "debug_step", "debug_exec", "debug_stop"),
    }
)

_SHOWN = re.compile(r"\[File: ([^\n\]]{1,1000}?)(?: \(\d{1,9} lines total\))?\r?\]")
_STATE = re.compile(r"""(?:["']open_file["']\s{0,4}:\s{0,4}["']([^"'\n]{1,1000})["']|\(Open file: ([^\n]{1,1000}?)\)\r?\n)""")


class Command(NamedTuple):
    """An action as a call of a tool.

    Attributes
    ----------
    tool : our name of it
    arguments : of the call
    on_open_file : whether it is about the file that is open, or opens one
    creates : whether it makes a file, and refuses to where there is one
    turn : index of the turn that called it
    """

    tool: str
    arguments: Mapping[str, Any]
    on_open_file: bool = False
    creates: bool = False
    turn: int | None = None


def command_of(action: str) -> Command | None:
    """Return the call that an action is, None for what SWE-agent writes where there was none."""
    action = action.strip()
    line = action.partition("\n")[0][:_LINE_CHARS]
    words = _words(line)
    first = words[0] if words else ""
    rest = words[1:]
    if first in _ENDINGS and len(words) == 1:
        return None
    if first in _ON_OPEN_FILE:
        names_file = first in ("open", "create") and rest
        return Command(_ON_OPEN_FILE[first], {"path": rest[0]} if names_file else {}, on_open_file=True, creates=first == "create")
    if first in _SEARCHES:
        given = {"pattern": rest[0]} if rest else {}
        return Command(_SEARCHES[first], given | ({"path": rest[1]} if len(rest) > 1 else {}))
    if first == "str_replace_editor" and rest:
        given = {"command": rest[0]} | ({"path": rest[1]} if len(rest) > 1 else {})
        return Command(tool_of(first, given), given, creates=rest[0] == "create")
    if first in ("filemap", "view_image") and rest:
        return Command(READ, {"path": rest[0]})
    if first in _OWN:
        return Command(first, {})
    return Command(BASH, {"command": action})


def open_file_in(shown: str, state: str) -> str | None:
    """Return the file that is open after a command, by what it showed, else by the state after it; None where neither tells."""
    found = _SHOWN.search(shown[:20_000])
    if found is not None and found[1].startswith("/"):
        return found[1]
    at = _STATE.search(state)
    path = (at[1] or at[2]) if at is not None else None
    return path if path not in (None, "n/a") else found[1] if found is not None else None


def _words(line: str) -> list[str]:
    """Return the words of a line of a shell, those before a quote that ends on a later line where there is one."""
    reader = shlex.shlex(line, posix=True)
    reader.whitespace_split, reader.commenters = True, ""
    words: list[str] = []
    with suppress(ValueError):
        words.extend(reader)
    return words
