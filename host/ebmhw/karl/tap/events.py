"""Events: what is kept of a hook's JSON, as one line of a session's buffer.

Claude Code's hooks and Codex's have the same names and nearly the same members; Codex's older ``notify`` gives prompts at the end of each turn.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ebmhw.errors import InvalidTrajectory, shown
from ebmhw.karl.tap.identities import NAME_CHARS, identity
from ebmhw.karl.tap.results import result_of
from ebmhw.karl.tap.stamps import Stamp
from ebmhw.karl.tools import BASH, WRITE, canonical, cut, key_params, session_name

VERSION = 1
"""Of a line."""

CLAUDE_CODE, CODEX = "claude-code", "codex"
AGENTS = (CLAUDE_CODE, CODEX)

PROMPT, TOOL, START, STOP, END = "prompt", "tool", "start", "stop", "end"
"""Kinds of lines."""

HOOKS: Mapping[str, str] = {
    "SessionStart": START,
    "UserPromptSubmit": PROMPT,
    "PostToolUse": TOOL,
    "PostToolUseFailure": TOOL,
    "Stop": STOP,
    "SubagentStop": STOP,
    "SessionEnd": END,
}
"""{name of a hook: kind of its line}; others are not kept."""

PROMPT_CHARS = 500
"""That of `ebmhw.karl.trajectory`, which takes 9 ms to import; a test holds the two together."""

_COMMAND_CHARS = 20_000
_PROMPTS = 100


def lines_of(event: Mapping[str, Any], stamp: Stamp, agent: str | None = None) -> list[dict[str, Any]]:
    """Return the lines of an event: one, or none of a hook that is not kept; notifications of Codex hold several prompts.

    Parameters
    ----------
    event : the hook's JSON
    stamp : of the event
    agent : one of `AGENTS`; told by the event where it is None

    Raises
    ------
    InvalidTrajectory : it names no event or no session
    """
    if event.get("type") == "agent-turn-complete":
        return _of_notification(event, stamp)
    hook = event.get("hook_event_name")
    if not isinstance(hook, str):
        raise InvalidTrajectory(f"hook_event_name is {_told(hook)}; give one of {', '.join(HOOKS)}")
    kind = HOOKS.get(hook)
    if kind is None:
        return []
    agent = agent or (CODEX if "turn_id" in event else CLAUDE_CODE)
    line = _line(kind, _session(event.get("session_id"), "session_id"), stamp, agent, event)
    if kind == PROMPT:
        _add_prompt(line, event.get("prompt"), event.get("prompt_id", event.get("turn_id")))
    elif kind == TOOL:
        _add_call(line, event, hook, agent)
    elif kind == STOP:
        line["hook"] = hook
    _add(line, "reason", event.get("reason" if kind == END else "source"))
    return [line]


def repository(cwd: str) -> str | None:
    """Return the folder of the git repository that a folder is in, None outside of one; looks for ``.git`` and starts no program."""
    if not os.path.isabs(cwd):
        return None
    at = os.path.normpath(cwd)
    for _ in range(64):
        if os.path.exists(os.path.join(at, ".git")):
            return at
        above = os.path.dirname(at)
        if above == at:
            return None
        at = above
    return None


def _line(kind: str, session: str, stamp: Stamp, agent: str, event: Mapping[str, Any]) -> dict[str, Any]:
    line: dict[str, Any] = {
        "v": VERSION,
        "kind": kind,
        "session": session,
        "id": identity(stamp.id),
        "agent": cut(agent, NAME_CHARS),
        "t": round(stamp.wall, 6),
    }
    if stamp.steady is not None and stamp.boot is not None:
        line["up"], line["boot"] = round(stamp.steady, 6), stamp.boot
    for name, value in (("host", stamp.host), ("user", stamp.user)):
        if value:
            line[name] = cut(value, NAME_CHARS)
    if kind in (PROMPT, START):
        cwd = event.get("cwd")
        _add(line, "cwd", cwd)
        if isinstance(cwd, str) and "\0" not in cwd and len(cwd) <= 4096:
            _add(line, "repo", repository(cwd))
    for name in ("model", "skill", "domain"):
        _add(line, name, event.get(name))
    return line


def _add(line: dict[str, Any], name: str, value: Any) -> None:
    if isinstance(value, str) and value:
        line[name] = cut(value, NAME_CHARS)


def _add_prompt(line: dict[str, Any], prompt: Any, name: Any) -> None:
    line["prompt"] = cut(prompt, PROMPT_CHARS) if isinstance(prompt, str) else ""
    if isinstance(name, str):
        line["call"] = identity(name)


def _add_call(line: dict[str, Any], event: Mapping[str, Any], hook: str, agent: str) -> None:
    given = event.get("tool_input")
    tool = canonical(event.get("tool_name"))
    params = key_params(given)
    command = given.get("command", given.get("cmd")) if isinstance(given, Mapping) else None
    if isinstance(command, str) and command.lstrip().startswith("*** Begin Patch"):
        from ebmhw.karl.patches import file_of_patch

        # The command of Codex's apply_patch is the patch.
        params = {key: value for key, value in params.items() if key != "command"} | key_params({"file_path": file_of_patch(command)})
    line["tool"], line["params"] = tool, params
    if isinstance(event.get("tool_use_id"), str):
        line["call"] = identity(event["tool_use_id"])
    if tool == "Skill" and isinstance(given, Mapping):
        _add(line, "invoked", given.get("skill", given.get("command")))
    result = result_of(event, failed=hook == "PostToolUseFailure", shell=tool == BASH, tells_failures=agent == CLAUDE_CODE)
    told: dict[str, Any] = {"ok": result.success, "exit": result.exit_code, "s": result.duration_s}
    if tool == WRITE:
        told["created"] = result.created
    if tool == BASH:
        told.update(_of_command(command, params, result.output))
    line.update({name: value for name, value in told.items() if value is not None})


def _of_command(command: Any, params: Mapping[str, str], output: str) -> dict[str, Any]:
    """Return whether a shell's command builds, and how many tests it ran."""
    from ebmhw.karl.commands import runs_build, tests_collected

    text = command[:_COMMAND_CHARS] if isinstance(command, str) else params.get("command", "")
    return {"tests": tests_collected(text, output), "build": True if runs_build(text) else None}


def _session(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidTrajectory(f"{name} is {_told(value)}; give the agent's name of the session")
    return session_name(value)


def _told(value: Any) -> str:
    """Return a value as it may stand in a message: what is cut there must not be the rest of a secret."""
    if isinstance(value, str):
        return shown(cut(value, NAME_CHARS))
    return shown(value) if value is None or isinstance(value, (bool, int, float)) else f"a {type(value).__name__}"


def _of_notification(event: Mapping[str, Any], stamp: Stamp) -> list[dict[str, Any]]:
    session = _session(event.get("thread-id"), "thread-id")
    messages = event.get("input-messages")
    made = []
    for number, message in enumerate(messages[:_PROMPTS] if isinstance(messages, list) else ()):
        line = _line(PROMPT, session, stamp._replace(id=f"{stamp.id}-{number}"), CODEX, event)
        _add_prompt(line, message, event.get("turn-id"))
        made.append(line)
    return made
