"""Claude Code's hooks, and Codex's: the JSON that a hook is given on its standard input, logged one object a line.

A logger may have put the object into a member of another ({"ts": ..., "payload": {...}}); times are the logger's, hooks are given none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, final

from ebmhw.errors import InvalidFile
from ebmhw.karl.moments import moment
from ebmhw.karl.patches import PATCH, file_of_patch
from ebmhw.karl.readers.claude_code import REJECTED, prompt_of
from ebmhw.karl.readers.heads import first_objects
from ebmhw.karl.readers.lines import objects
from ebmhw.karl.readers.members import first_text
from ebmhw.karl.readers.open_sessions import Sessions
from ebmhw.karl.readers.reader import Problem, Reader, Report
from ebmhw.karl.readers.session import SessionBuilder
from ebmhw.karl.tap.results import result_of
from ebmhw.karl.tools import BASH, canonical
from ebmhw.karl.trajectory import Trajectory

_EVENT = "hook_event_name"
_TIMES = ("timestamp", "ts", "time", "logged_at", "received_at", "recorded_at", "created_at", "at", "_ts", "_timestamp")
_TURN = "turn_id"
"""Given by the hooks of Codex, which are alike, and which has none for failures."""

_RESPONSES = ("tool_response", "tool_result", "tool_output")
_WAITING = 1000
"""Calls of a session without ids that wait for their ends, for which they are told by tool and arguments."""


@final
class ClaudeHooksReader(Reader):
    """Logs of hooks."""

    name: ClassVar[str] = "claude-hooks"

    def recognises(self, head: bytes, path: Path) -> bool:
        """Tell whether a file that starts with ``head`` is a log of hooks."""
        return any(_hook(entry) is not None for entry in first_objects(head))

    def read(self, stream: IO[bytes], path: Path, report: Report) -> Iterator[Trajectory]:
        """Yield the sessions of a log."""
        sessions = Sessions("claude-code", path, report)
        waiting: dict[tuple[str, str], list[str]] = {}
        known = False
        for number, entry in objects(stream, path, report):
            hook = _hook(entry)
            session = first_text(hook, "session_id")
            if hook is None or session is None:
                missing = _EVENT if hook is None else "session_id"
                report(Problem(str(path), number, f"{missing} is missing, or no text; the line is skipped"))
                continue
            known = True
            agent = first_text(hook, "agent_id")
            builder = sessions.of(session if agent is None else f"{session}/{agent}")
            ts = next((found for found in (moment(each.get(name)) for each in (entry, hook) for name in _TIMES) if found is not None), None)
            _take(builder, hook, ts, waiting)
            yield from sessions.overfull()
        yield from sessions.rest()
        if not known:
            raise InvalidFile(f"{path}: no line is what a hook is given ({_EVENT}, session_id); give such a file, or format='auto'")


def _hook(entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what the hook was given of a line: the line itself, or a member of it."""
    if isinstance(entry.get(_EVENT), str):
        return entry
    return next((value for value in entry.values() if isinstance(value, Mapping) and isinstance(value.get(_EVENT), str)), None)


def _take(builder: SessionBuilder, hook: Mapping[str, Any], ts: float | None, waiting: dict[tuple[str, str], list[str]]) -> None:
    builder.seen(ts)
    if _TURN in hook:
        builder.agent = "codex"
    builder.cwd = builder.cwd or first_text(hook, "cwd")
    builder.model = builder.model or first_text(hook, "model")
    event = hook[_EVENT]
    if event == "UserPromptSubmit":
        prompt = prompt_of(first_text(hook, "prompt", "user_prompt") or "")
        if prompt is not None:
            builder.turn("user", prompt, ts)
    elif event in ("Stop", "SubagentStop") and first_text(hook, "last_assistant_message") is not None:
        builder.turn("assistant", first_text(hook, "last_assistant_message") or "", ts)
    elif event == "PreToolUse":
        call = first_text(hook, "tool_use_id")
        if call is None and len(waiting) < _WAITING:
            call = f"\0{_key(builder, hook)}{builder.calls}"
            waiting.setdefault((builder.session_id, _key(builder, hook)), []).append(call)
        _call(builder, call, hook, ts)
    elif event in ("PostToolUse", "PostToolUseFailure"):
        _ended(builder, hook, ts, waiting)


def _call(builder: SessionBuilder, call: str | None, hook: Mapping[str, Any], ts: float | None) -> None:
    arguments = hook.get("tool_input")
    patch = first_text(arguments, "command", "input") or ""
    if patch.lstrip().startswith(PATCH):
        arguments = {"file_path": file_of_patch(patch)}
    if builder.call(call, hook.get("tool_name"), arguments, ts) and builder.skill is None and hook.get("tool_name") == "Skill":
        builder.skill = first_text(arguments, "skill", "command", "name")
        builder.label_source = None if builder.skill is None else "invocation"


def _ended(builder: SessionBuilder, hook: Mapping[str, Any], ts: float | None, waiting: dict[tuple[str, str], list[str]]) -> None:
    call = first_text(hook, "tool_use_id")
    began = True
    if call is None:
        key = (builder.session_id, _key(builder, hook))
        calls = waiting.get(key)
        began = bool(calls)
        call = calls.pop(0) if calls else f"\0{key[1]}{builder.calls}"
        if calls is not None and not calls:
            del waiting[key]
    # Without a hook before tools, the call is known when it ends.
    if not began or not builder.waits(call):
        _call(builder, call, hook, None)
    told = next(({**hook, "tool_response": hook[name]} for name in _RESPONSES if name in hook), hook)
    shell = canonical(first_text(hook, "tool_name")) == BASH
    failed = hook[_EVENT] == "PostToolUseFailure" or first_text(hook, "error") is not None
    result = result_of(told, failed=failed, shell=shell, tells_failures=_TURN not in hook)
    rejected = result.output.startswith(REJECTED)
    success, exit_code = (None, None) if rejected else (result.success, result.exit_code)
    builder.result(call, result.output, success, exit_code, ts, created=result.created, duration_s=result.duration_s)


def _key(builder: SessionBuilder, hook: Mapping[str, Any]) -> str:
    """Return what tells a call of a session from others that run at once, where it has no id."""
    told = json.dumps([hook.get("tool_name"), hook.get("tool_input")], sort_keys=True, default=str)
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:16]
