"""Members: what stands in other people's JSON, read without trust, and what formats that share tools share in reading them."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from pathlib import Path
from stat import S_ISREG
from typing import Any, final

from ebmhw.karl.readers.lines import NotJson, value_of
from ebmhw.karl.readers.session import exit_code_in
from ebmhw.karl.tools import BASH, EDIT, READ, WRITE, canonical
from ebmhw.karl.trajectory import EVENTS_LIMIT, TURN_CHARS

_PARTS = 2000
"""Parts of a message that are read."""

_BESIDE_BYTES = 2**24

_EDITORS = frozenset({"str_replace_editor", "str_replace_based_edit_tool", "file_editor", "edit_anthropic"})
_OF_EDITOR: Mapping[str, str] = {"view": READ, "create": WRITE, "str_replace": EDIT, "insert": EDIT, "undo_edit": EDIT}
_SHELLS = frozenset({"terminal", "bash_command", "execute_command", "run_command", "run_script", "execute", "exec"})

_CODE = re.compile(r'"(?:exit_code|exitCode|returncode|return_code)"\s{0,4}:\s{0,4}(-?\d{1,10})(?!\d)')
_ERROR = re.compile(r"""\s{0,20}(?:\[?error\b|<error>|<tool_use_error>|\{\s{0,4}"error"\s{0,4}:\s{0,4}(?!null|false|""|\[\]|\{\}))""", re.IGNORECASE)


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a JSON object, an empty one for what is none."""
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> list[Any]:
    """Return a JSON array, an empty one for what is none."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """Return a text that is not blank, None for what is none."""
    return value if isinstance(value, str) and value.strip() else None


def name(value: Any) -> str | None:
    """Return what names something, a text or a whole number, as text; None for what is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**18 else None
    found = text(value)
    return None if found is None else found.strip()


def number(value: Any) -> float | None:
    """Return a number, or what a text of one says; None for what is none."""
    if isinstance(value, str) and len(value) <= 40:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e300 or not isfinite(value):
        return None
    return float(value)


def fraction(value: Any) -> float | None:
    """Return what was verified, 0 to 1, of a flag or a number; None for what is none."""
    if isinstance(value, bool):
        return float(value)
    found = number(value) if isinstance(value, (int, float)) else None
    return found if found is not None and 0 <= found <= 1 else None


def verified(*places: Mapping[str, Any]) -> float | None:
    """Return the first result that one of the places gives: members "reward", "resolved", "score" and "correct"."""
    for place in places:
        for member in ("reward", "resolved", "score", "correct"):
            found = fraction(place.get(member))
            if found is not None:
                return found
    return None


def said(content: Any) -> str:
    """Return the text of a message's content: a text, parts that hold texts, or nothing; not more of it than is looked at."""
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        content = [content]
    parts: list[str] = []
    for part in items(content)[:_PARTS]:
        if isinstance(part, Mapping):
            kind = part.get("type")
            if isinstance(kind, str) and ("tool" in kind or "image" in kind or "thinking" in kind or "reasoning" in kind or "function" in kind):
                continue
            part = part.get("text") if isinstance(part.get("text"), str) else part.get("content")
        if isinstance(part, str) and part:
            parts.append(part)
    return "\n\n".join(parts)


def arguments(value: Any) -> Mapping[str, Any]:
    """Return a call's arguments, which are an object, or a text that holds one; empty where they are neither."""
    if isinstance(value, str):
        try:
            value = value_of(value)
        except NotJson:
            return {}
    return mapping(value)


def tool_of(tool: Any, given: Mapping[str, Any]) -> str:
    """Return our name of a tool that an agent names; editors that view, create and edit by their first argument are three tools."""
    if not isinstance(tool, str):
        return canonical(tool)
    own = tool.strip().rpartition("__")[2].lower() if "__" in tool else tool.strip().lower()
    if own in _EDITORS:
        command = given.get("command")
        return _OF_EDITOR.get(command, EDIT) if isinstance(command, str) else EDIT
    return BASH if own in _SHELLS else canonical(tool)


def beside(path: Path) -> Mapping[str, Any]:
    """Return the JSON object that a file beside a trace holds, empty where there is none of at most `_BESIDE_BYTES`."""
    try:
        state = path.stat()
    except (OSError, ValueError):
        return {}
    return _beside(path, state.st_mtime_ns, state.st_size) if S_ISREG(state.st_mode) and state.st_size <= _BESIDE_BYTES else {}


@lru_cache(maxsize=8)
def _beside(path: Path, changed: int, size: int) -> Mapping[str, Any]:
    # A folder of traces shares one report: read once as long as it stays as it is.
    try:
        return mapping(value_of(path.read_bytes()))
    except (OSError, NotJson):
        return {}


def failed(output: str) -> bool:
    """Tell whether a tool's result says at its start that it is an error."""
    return _ERROR.match(output[:100]) is not None


def code_in(output: str) -> int | None:
    """Return the exit code that a shell's output tells, in the words of agents or as a member of JSON; None where there is none."""
    if output[:20].lstrip().startswith("{"):
        found = _CODE.search(output[:400]) or _CODE.search(output[-400:])
        return int(found[1]) if found is not None else None
    return exit_code_in(output)


def written(value: Any) -> str:
    """Return a value as text: as it is, or as JSON; nothing for what is nested too deeply to be written."""
    try:
        return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    except RecursionError:
        return ""


def shortened(value: str) -> str:
    """Return the part of a text that can matter for a turn: its secrets are looked for in more than is kept."""
    return value[: 2 * TURN_CHARS]


def success_of(tool: str, output: str, flag: bool | None, code: int | None) -> bool | None:
    """Return whether a call of which a result came did what it should.

    Parameters
    ----------
    tool : our name of it
    output : the result's text
    flag : what its source says of it, None where it does not
    code : exit code of a shell command; where neither it nor ``flag`` is known, a shell's success is not known
    """
    if flag is not None:
        return flag
    if code is not None:
        return code == 0
    if failed(output):
        return False
    return None if tool == BASH else True


@final
class Waiting:
    """Calls that wait for their results: their names may come twice, or be missing."""

    def __init__(self) -> None:
        self._count = 0
        self._by_id: dict[str, deque[str]] = {}
        self._by_tool: dict[str, deque[str]] = {}
        self._all: deque[str] = deque()
        self._done: set[str] = set()

    def add(self, call_id: str | None, tool: str) -> str:
        """Return a name of a call that no other one of the session has."""
        self._count += 1
        key = str(self._count)
        if self._count > EVENTS_LIMIT:
            # Of those no event is kept.
            return key
        if call_id is not None:
            self._by_id.setdefault(call_id, deque()).append(key)
        self._by_tool.setdefault(tool, deque()).append(key)
        self._all.append(key)
        return key

    def take(self, call_id: str | None, tool: str | None = None) -> str | None:
        """Return the name of the call that a result belongs to, None where there is none.

        Parameters
        ----------
        call_id : as its source names it; where that is None, the earliest call of ``tool``, else the earliest of all
        """
        unnamed = (self._by_tool.get(tool) if tool is not None else None, self._all)
        queues = unnamed if call_id is None else (self._by_id.get(call_id),)
        for queue in queues:
            while queue:
                key = queue.popleft()
                if key not in self._done:
                    self._done.add(key)
                    return key
        return None
