"""Tools of agents: our name of one, the arguments of a call and its command line, however an agent writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ebmhw.karl.readers.decoding import decoded
from ebmhw.karl.readers.members import mapping
from ebmhw.karl.tools import BASH, EDIT, READ, WRITE, canonical

_EDITORS = frozenset({"str_replace_editor", "str_replace_based_edit_tool", "file_editor", "edit_anthropic"})
_OF_EDITOR: Mapping[str, str] = {"view": READ, "create": WRITE, "str_replace": EDIT, "insert": EDIT, "undo_edit": EDIT}
_SHELLS = frozenset({"terminal", "bash_command", "execute_command", "run_command", "run_script", "execute", "exec"})


def arguments(value: Any) -> Mapping[str, Any]:
    """Return a call's arguments, which are an object, or a text that holds one; empty where they are neither."""
    return mapping(decoded(value))


def tool_of(tool: Any, given: Mapping[str, Any]) -> str:
    """Return our name of a tool that an agent names; editors that view, create and edit by their first argument are three tools."""
    if not isinstance(tool, str):
        return canonical(tool)
    own = tool.strip().rpartition("__")[2].lower() if "__" in tool else tool.strip().lower()
    if own in _EDITORS:
        command = given.get("command")
        return _OF_EDITOR.get(command, EDIT) if isinstance(command, str) else EDIT
    return BASH if own in _SHELLS else canonical(tool)


def command_of(given: Any) -> str | None:
    """Return the whole command line of a shell call's arguments, None where there is none."""
    if not isinstance(given, Mapping):
        return None
    value = given.get("command") or given.get("cmd")
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and value and all(isinstance(part, str) for part in value):
        # ["bash", "-lc", "make test"] is what runs "make test".
        return str(value[2]) if len(value) == 3 and value[1] in ("-c", "-lc") else " ".join(value)
    return None
