"""Codex: its rollouts, one JSON object a line (``~/.codex/sessions/**/rollout-*.jsonl``), of all shapes.

A file is one session. Lines are {timestamp, type, payload}; the oldest hold the items bare, behind a first line {id, timestamp, instructions}. What
users typed stands twice, as an item and as an event: it is counted once. Items of role user that the program wrote (instructions, its environment)
are no prompts. The first Codex, in TypeScript, wrote a document {session, items} instead (``rollout-*.json``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, final

from ebmhw.errors import InvalidFile, shown
from ebmhw.karl.moments import moment
from ebmhw.karl.patches import PATCH_CHARS, file_of_patch, makes_file
from ebmhw.karl.readers.decoding import decoded
from ebmhw.karl.readers.heads import first_members, first_objects, headed
from ebmhw.karl.readers.items_of_codex import START_CHARS, patch_in, scripted, success_in, typed
from ebmhw.karl.readers.lines import document, objects
from ebmhw.karl.readers.members import first_text, first_whole, items, mapping, said, seconds
from ebmhw.karl.readers.reader import Problem, Reader, Report
from ebmhw.karl.readers.session import SessionBuilder
from ebmhw.karl.trajectory import Trajectory

_TYPES = frozenset({"session_meta", "response_item", "event_msg", "turn_context", "compacted"})
_CALLS = frozenset({"function_call", "custom_tool_call", "local_shell_call", "web_search_call", "tool_search_call", "mcp_tool_call"})
_OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output", "local_shell_call_output", "tool_search_output", "mcp_tool_call_output"})
_ITEMS = _CALLS | _OUTPUTS | {"message", "reasoning"}

_WRITTEN_FOR_USER = (
    "<environment_context",
    "<user_instructions",
    "<permissions",
    "<turn_aborted",
    "<collaboration_mode",
    "<skill",
    "<subagent_notification",
    "<user_shell_command",
    "# AGENTS.md instructions",
    "<INSTRUCTIONS>",
)
_REQUEST = "## My request for Codex:"

_SESSION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CWD = re.compile(r"<cwd>([^<\n]{1,1000})</cwd>")
_TOOK = re.compile(r"^Wall time:? (\d{1,9}(?:\.\d{1,9})?) seconds?", re.MULTILINE)


@final
class CodexReader(Reader):
    """Rollouts of Codex."""

    name: ClassVar[str] = "codex"

    def recognises(self, head: bytes, path: Path) -> bool:
        """Tell whether a file that starts with ``head`` is a rollout."""
        found = first_objects(head)
        return any(_is_entry(entry) for entry in found) or _is_bare(found) or _is_document(head)

    def read(self, stream: IO[bytes], path: Path, report: Report) -> Iterator[Trajectory]:
        """Yield the session of a rollout."""
        rollout = _Rollout(path, report)
        head, whole = headed(stream)
        if _is_document(head):
            rollout.take_document(document(whole, path))
        else:
            for number, entry in objects(whole, path, report):
                rollout.take(number, entry)
        if not rollout.known:
            raise InvalidFile(f"{path}: no line is one of a Codex rollout (timestamp, type, payload); give such a file, or format='auto'")
        if rollout.builder.empty:
            report(Problem(str(path), None, rollout.builder.nothing))
        else:
            yield rollout.builder.build()


def _is_entry(entry: Mapping[str, Any]) -> bool:
    return "payload" in entry and first_text(entry, "type") in _TYPES


def _is_document(head: bytes) -> bool:
    """Tell whether a file is one document {session, items}, by its first bytes."""
    found = first_members(head)
    return found.get("items", "").startswith("[") and "session" in found and '"timestamp"' in found["session"]


def _is_bare(found: list[dict[str, Any]]) -> bool:
    """Tell whether objects are those of the oldest rollouts: a head without a type, and items without times."""
    if not found or "type" in found[0] or "messages" in found[0] or not {"id", "timestamp"} <= set(found[0]):
        return False
    return "instructions" in found[0] or any("record_type" in entry or first_text(entry, "type") in _ITEMS for entry in found[1:])


@final
class _Rollout:
    """A rollout while it is read."""

    def __init__(self, path: Path, report: Report) -> None:
        named = _SESSION.search(path.name)
        self.builder = SessionBuilder(named[0] if named else path.name.split(".")[0] or "session", "codex", path=path, report=report)
        self.known = False
        self._path, self._report = path, report
        self._identified = False
        self._said: Counter[str] = Counter()
        self._turn: int | None = None

    def take_document(self, value: Any) -> None:
        """Take a whole rollout that is one document; its items are like those that stand bare in the oldest rollouts of lines."""
        session = mapping(value).get("session")
        self.known = isinstance(session, Mapping)
        self.builder.seen(moment(mapping(session).get("timestamp")))
        self._meta(mapping(session))
        bad = 0
        for item in items(mapping(value).get("items")):
            bad += not isinstance(item, Mapping)
            self._item(mapping(item), None)
        if bad:
            self._report(Problem(str(self._path), None, f"{bad} of its items are no objects, and are left out"))

    def take(self, number: int, entry: Mapping[str, Any]) -> None:
        """Take a line."""
        kind, ts = first_text(entry, "type"), moment(entry.get("timestamp"))
        if _is_entry(entry):
            self.known = True
            payload = entry["payload"]
            if not isinstance(payload, Mapping):
                self._report(Problem(str(self._path), number, f"payload is {shown(payload)}; a rollout has an object there; the line is skipped"))
                return
            self.builder.seen(ts)
            if kind == "session_meta":
                self._meta(payload)
            elif kind == "turn_context":
                self.builder.model = self.builder.model or first_text(payload, "model")
                self.builder.cwd = self.builder.cwd or first_text(payload, "cwd")
            elif kind == "event_msg":
                self._event(payload, ts)
            elif kind == "response_item":
                self._item(payload, ts)
        elif kind in _ITEMS:
            self.known = True
            self._item(entry, ts)
        elif "type" not in entry and ("record_type" in entry or {"id", "timestamp"} <= set(entry)):
            self.known = self.known or "id" in entry
            self.builder.seen(ts)
            self._meta(entry)
        elif kind is None:
            self._report(Problem(str(self._path), number, f"type is {shown(entry.get('type'))}; a line of a rollout has a text there; it is skipped"))

    def _meta(self, payload: Mapping[str, Any]) -> None:
        # A fork holds the head of the session that it was forked from behind its own.
        session = first_text(payload, "id", "session_id")
        if self._identified or session is None:
            return
        self._identified = True
        self.builder.rename(session)
        self.builder.cwd = first_text(payload, "cwd")
        self.builder.git_repo = first_text(mapping(payload.get("git")), "repository_url")
        self.builder.model = first_text(payload, "model")

    def _event(self, payload: Mapping[str, Any], ts: float | None) -> None:
        kind = payload.get("type")
        if kind == "user_message":
            self._user(first_text(payload, "message") or "", ts, "item")
        elif kind == "exec_command_end":
            exit_code = first_whole(payload, "exit_code")
            output = first_text(payload, "aggregated_output", "stdout", "formatted_output") or ""
            call = first_text(payload, "call_id") or ""
            # It comes before the output as an item, or behind it, which then may not hold the code.
            if not self.builder.result(call, output, None, exit_code, ts) and exit_code is not None:
                self.builder.amend(call, exit_code == 0, exit_code)
        elif kind == "patch_apply_end":
            told, call = payload.get("success"), first_text(payload, "call_id") or ""
            success = told if isinstance(told, bool) else None
            if not self.builder.result(call, "", success, None, ts):
                self.builder.amend(call, success)

    def _item(self, item: Mapping[str, Any], ts: float | None) -> None:
        kind = first_text(item, "type")
        if kind == "message":
            self._message(item, ts)
        elif kind in _CALLS:
            self._call(item, ts)
        elif kind in _OUTPUTS:
            self._output(item, ts)

    def _message(self, item: Mapping[str, Any], ts: float | None) -> None:
        role, content = item.get("role"), item.get("content")
        if role == "assistant":
            self._turn = self.builder.turn("assistant", said(content, "output_text", "text"), ts)
            self._said.clear()
        elif role == "user":
            self._user(said(typed(item), "input_text", "text"), ts, "event")

    def _user(self, spoken: str, ts: float | None, other: str) -> None:
        """Add a prompt, unless it came already as an item or an event, whichever this is not (``other``: that which may still come)."""
        spoken = spoken.strip()
        if self.builder.cwd is None and spoken.startswith("<environment_context"):
            found = _CWD.search(spoken[:5000])
            self.builder.cwd = None if found is None else found[1].strip()
        _, asked, request = spoken.partition(_REQUEST)
        spoken = request.strip() if asked else spoken
        if not spoken or spoken.startswith(_WRITTEN_FOR_USER):
            return
        mine = "event" if other == "item" else "item"
        mark = spoken[:1000]
        if self._said[f"{mine} {mark}"] > 0:
            self._said[f"{mine} {mark}"] -= 1
            return
        self._said[f"{other} {mark}"] += 1
        self._turn = None
        self.builder.turn("user", spoken, ts)

    def _call(self, item: Mapping[str, Any], ts: float | None) -> None:
        kind = item["type"]
        call_id = first_text(item, "call_id", "id")
        name: object = item.get("name")
        arguments: object = item.get("arguments")
        if kind == "local_shell_call":
            name, arguments = "local_shell", mapping(item.get("action"))
        elif kind == "web_search_call":
            name, arguments = "WebSearch", mapping(item.get("action"))
        elif kind == "custom_tool_call":
            given = (first_text(item, "input") or "")[:PATCH_CHARS]
            arguments = {"command" if name == "shell" else "input": given}
            if name == "exec":
                name, arguments = scripted(given)
        elif kind == "tool_search_call":
            name = "tool_search"
        made = mapping(decoded(arguments))
        patch = patch_in(name, made, arguments)
        if patch is not None:
            name = "apply_patch"
            made = {"file_path": file_of_patch(patch)}
        if self._turn is None:
            self._turn = self.builder.turn("assistant", "", ts)
        self._said.clear()
        self.builder.call(call_id, name, made, ts, self._turn, created=None if patch is None else makes_file(patch))
        if kind == "web_search_call":
            status = item.get("status")
            self.builder.result(call_id, "", True if status == "completed" else False if status == "failed" else None)

    def _output(self, item: Mapping[str, Any], ts: float | None) -> None:
        output = item.get("output")
        parsed = decoded(output)
        success: bool | None = None
        exit_code = duration = None
        if isinstance(parsed, Mapping) and ("output" in parsed or "metadata" in parsed or "content" in parsed or "exit_code" in parsed):
            details = mapping(parsed.get("metadata"))
            exit_code = first_whole(details, "exit_code") if details else first_whole(parsed, "exit_code")
            duration = seconds(details.get("duration_seconds"))
            success = parsed.get("success") if isinstance(parsed.get("success"), bool) else None
            spoken = said(parsed.get("output"), "text", "input_text") or said(parsed.get("content"), "text", "input_text")
        else:
            spoken = said(output, "input_text", "output_text", "text")
        took = _TOOK.search(spoken[:START_CHARS]) if duration is None else None
        # Of a command that runs on, the output says so instead of an exit code.
        still = "Process running with session ID" in spoken[:START_CHARS]
        if exit_code is None and success is None and not still:
            success = success_in(spoken)
        self.builder.result(first_text(item, "call_id", "id"), spoken, success, exit_code, ts, duration_s=float(took[1]) if took else duration)
