"""Codex: its rollouts, one JSON object a line (``~/.codex/sessions/**/rollout-*.jsonl``), of all shapes since 2025.

A file is one session. Lines are {timestamp, type, payload}; the oldest hold the items bare, behind a first line {id, timestamp, instructions}. What
users typed stands twice, as an item and as an event: it is counted once. Items of role user that the program wrote (instructions, its environment)
are no prompts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, final

from ebmhw.errors import InvalidFile, shown
from ebmhw.karl.moments import moment
from ebmhw.karl.readers.lines import objects
from ebmhw.karl.readers.openings import first_objects
from ebmhw.karl.readers.parts import PATCH, PATCH_CHARS, code, file_of_patch, joined, makes_file, mapping, seconds, text
from ebmhw.karl.readers.reader import Problem, Reader, Report, plain_json
from ebmhw.karl.readers.session import SessionBuilder, command_of
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
_SCRIPTED = re.compile(r"""\bcmd["']?\s{0,4}:\s{0,4}(["'`])((?:\\.|(?!\1)[^\\]){1,4000})\1""")
"""Commands within a script that calls tools, as of tools.exec_command({cmd: "..."})."""

_ABORTED = ("aborted by user", "aborted")
_HEAD = 400


@final
class CodexReader(Reader):
    """Rollouts of Codex."""

    name: ClassVar[str] = "codex"

    def recognises(self, head: bytes, path: Path) -> bool:
        """Tell whether a file that starts with ``head`` is a rollout."""
        found = first_objects(head)
        return any(_is_entry(entry) for entry in found) or _is_bare(found)

    def read(self, stream: IO[bytes], path: Path, report: Report) -> Iterator[Trajectory]:
        """Yield the session of a rollout."""
        rollout = _Rollout(path, report)
        for number, entry in objects(stream, path, report):
            rollout.take(number, entry)
        if not rollout.known:
            raise InvalidFile(f"{path}: no line is one of a Codex rollout (timestamp, type, payload); give such a file, or format='auto'")
        if not rollout.builder.empty:
            yield rollout.builder.build()


def _is_entry(entry: Mapping[str, Any]) -> bool:
    return "payload" in entry and text(entry, "type") in _TYPES


def _is_bare(found: list[dict[str, Any]]) -> bool:
    """Tell whether objects are those of the oldest rollouts: a head without a type, and items without times."""
    if not found or "type" in found[0] or "messages" in found[0] or not {"id", "timestamp"} <= set(found[0]):
        return False
    return "instructions" in found[0] or any("record_type" in entry or text(entry, "type") in _ITEMS for entry in found[1:])


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

    def take(self, number: int, entry: Mapping[str, Any]) -> None:
        """Take a line."""
        kind, ts = text(entry, "type"), moment(entry.get("timestamp"))
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
                self.builder.model = self.builder.model or text(payload, "model")
                self.builder.cwd = self.builder.cwd or text(payload, "cwd")
            elif kind == "event_msg":
                self._event(payload, ts)
            elif kind == "response_item":
                self._item(payload, ts)
        elif kind in _ITEMS:
            self.known = True
            self._item(entry, ts)
        elif "type" not in entry and ("record_type" in entry or "id" in entry):
            self.known = self.known or "id" in entry
            self.builder.seen(ts)
            self._meta(entry)
        elif kind is None:
            self._report(Problem(str(self._path), number, f"type is {shown(entry.get('type'))}; a line of a rollout has a text there; it is skipped"))

    def _meta(self, payload: Mapping[str, Any]) -> None:
        # A fork holds the head of the session that it was forked from behind its own.
        session = text(payload, "id", "session_id")
        if self._identified or session is None:
            return
        self._identified = True
        self.builder.rename(session)
        self.builder.cwd = text(payload, "cwd")
        self.builder.git_repo = text(mapping(payload, "git"), "repository_url")
        self.builder.model = text(payload, "model")

    def _event(self, payload: Mapping[str, Any], ts: float | None) -> None:
        kind = payload.get("type")
        if kind == "user_message":
            self._user(text(payload, "message") or "", ts, "item")
        elif kind == "exec_command_end":
            exit_code = code(payload, "exit_code")
            output = text(payload, "aggregated_output", "stdout", "formatted_output") or ""
            call = text(payload, "call_id") or ""
            # It comes before the output as an item, or behind it, which then may not hold the code.
            if not self.builder.result(call, output, None, exit_code, ts) and exit_code is not None:
                self.builder.amend(call, exit_code == 0, exit_code)
        elif kind == "patch_apply_end":
            told, call = payload.get("success"), text(payload, "call_id") or ""
            success = told if isinstance(told, bool) else None
            if not self.builder.result(call, "", success, None, ts):
                self.builder.amend(call, success)

    def _item(self, item: Mapping[str, Any], ts: float | None) -> None:
        kind = text(item, "type")
        if kind == "message":
            self._message(item, ts)
        elif kind in _CALLS:
            self._call(item, ts)
        elif kind in _OUTPUTS:
            self._output(item, ts)

    def _message(self, item: Mapping[str, Any], ts: float | None) -> None:
        role, content = item.get("role"), item.get("content")
        if role == "assistant":
            self._turn = self.builder.turn("assistant", joined(content, "output_text", "text"), ts)
            self._said.clear()
        elif role == "user":
            self._user(joined(_typed(item), "input_text", "text"), ts, "event")

    def _user(self, said: str, ts: float | None, other: str) -> None:
        """Add a prompt, unless it came already as an item or an event, whichever this is not (``other``: that which may still come)."""
        said = said.strip()
        if self.builder.cwd is None and said.startswith("<environment_context"):
            found = _CWD.search(said[:5000])
            self.builder.cwd = None if found is None else found[1].strip()
        _, asked, request = said.partition(_REQUEST)
        said = request.strip() if asked else said
        if not said or said.startswith(_WRITTEN_FOR_USER):
            return
        mine = "event" if other == "item" else "item"
        mark = said[:1000]
        if self._said[f"{mine} {mark}"] > 0:
            self._said[f"{mine} {mark}"] -= 1
            return
        self._said[f"{other} {mark}"] += 1
        self._turn = None
        self.builder.turn("user", said, ts)

    def _call(self, item: Mapping[str, Any], ts: float | None) -> None:
        kind = item["type"]
        call_id = text(item, "call_id", "id")
        name: object = item.get("name")
        arguments: object = item.get("arguments")
        if kind == "local_shell_call":
            name, arguments = "local_shell", mapping(item, "action")
        elif kind == "web_search_call":
            name, arguments = "WebSearch", mapping(item, "action")
        elif kind == "custom_tool_call":
            given = (text(item, "input") or "")[:PATCH_CHARS]
            arguments = {"command" if name == "shell" else "input": given}
            if name == "exec":
                name, arguments = _scripted(given)
        elif kind == "tool_search_call":
            name = "tool_search"
        parsed = plain_json(arguments)
        made = parsed if isinstance(parsed, Mapping) else {}
        patch = _patch(name, made, arguments)
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
        parsed = plain_json(output) if isinstance(output, str) and output.lstrip()[:1] == "{" else output
        success: bool | None = None
        exit_code = duration = None
        if isinstance(parsed, Mapping) and ("output" in parsed or "metadata" in parsed or "content" in parsed or "exit_code" in parsed):
            details = mapping(parsed, "metadata")
            exit_code = code(details, "exit_code") if details else code(parsed, "exit_code")
            duration = seconds(details, "duration_seconds")
            success = parsed.get("success") if isinstance(parsed.get("success"), bool) else None
            said = joined(parsed.get("output"), "text", "input_text") or joined(parsed.get("content"), "text", "input_text")
        else:
            said = joined(output, "input_text", "output_text", "text")
        took = _TOOK.search(said[:_HEAD]) if duration is None else None
        # Of a command that runs on, the output says so instead of an exit code.
        still = "Process running with session ID" in said[:_HEAD]
        if exit_code is None and success is None and not still:
            success = _success(said)
        self.builder.result(text(item, "call_id", "id"), said, success, exit_code, ts, duration_s=float(took[1]) if took else duration)


def _typed(item: Mapping[str, Any]) -> object:
    """Return the parts of a message that its user typed: all where the message does not tell them from those of the program."""
    content = item.get("content")
    kinds = mapping(item, "internal_chat_message_metadata_passthrough").get("content_item_kinds")
    if not isinstance(content, list) or not isinstance(kinds, list) or len(kinds) != len(content):
        return content
    return [part for part, kind in zip(content, kinds, strict=True) if kind == "user.text"]


def _scripted(script: str) -> tuple[str, dict[str, str]]:
    """Return tool and arguments of a script that calls tools: of the patch or the commands in it, else of the script itself."""
    if PATCH in script and "apply_patch" in script:
        return "apply_patch", {"input": script.replace("\\n", "\n")}
    commands = [found[2].replace("\\n", "\n").replace('\\"', '"') for found in _SCRIPTED.finditer(script)]
    return ("exec_command", {"command": "\n".join(commands)}) if commands else ("exec", {"description": script})


def _patch(name: object, arguments: Mapping[str, Any], raw: object) -> str | None:
    """Return the patch that a call applies, None where it applies none: as a tool of its own, or through a shell."""
    if name == "apply_patch":
        return (text(arguments, "input", "patch") or (raw if isinstance(raw, str) else ""))[:PATCH_CHARS]
    command = command_of(arguments)
    if command is not None and command.lstrip().startswith("apply_patch") and PATCH in command:
        return command[:PATCH_CHARS]
    return None


def _success(said: str) -> bool | None:
    """Return what an output without an exit code says about success."""
    start = said[:_HEAD].lstrip()
    if start.startswith(("Success.", "Done!", "Script completed")):
        return True
    lowered = start.lower()
    if lowered.startswith(_ABORTED):
        return None
    if lowered.startswith(
        ("failed", "error", "apply_patch verification failed", "patch rejected", "execution error", "unsupported call", "err:", "script failed")
    ):
        return False
    return None
