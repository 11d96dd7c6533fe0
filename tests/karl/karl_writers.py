"""Sessions as plans, and their logs as agents write them; written from the formats, without the readers."""

from __future__ import annotations

import json
import random
from datetime import datetime, timezone
from typing import Any, NamedTuple

from hypothesis import strategies as st

START = 1_767_600_000.0
PROMPTS = ("add a cache to the parser", "now write tests for it", "thanks, and the docs?", 'größer: 🎉 fix \\ the "queue"')
TEXTS = ("I will look at it.", "Done.", "Zeile eins\nZeile zwei ✓", "")
TOOLS = (
    ("Bash", {"command": "ls -la", "description": "list"}),
    ("Bash", {"command": "git status"}),
    ("Read", {"file_path": "/w/a.py"}),
    ("Edit", {"file_path": "/w/a.py", "old_string": "x", "new_string": "y"}),
    ("Grep", {"pattern": "TODO", "path": "src"}),
    ("mcp__db__query", {"query": "select 1"}),
)
ENDS = ("ok", "failed", "none")


class Call(NamedTuple):
    """A call of a plan: ``end`` is one of `ENDS`, times are seconds after `START`."""

    tool: str
    arguments: dict[str, str]
    end: str
    code: int
    begun: float
    ended: float


class Answer(NamedTuple):
    """What the agent says and calls at once; the results come in the order of their ends."""

    text: str
    at: float
    calls: tuple[Call, ...]


class Ask(NamedTuple):
    """What the user says."""

    text: str
    at: float


class Plan(NamedTuple):
    """A session."""

    session: str
    cwd: str
    steps: tuple[Ask | Answer, ...]


@st.composite
def plans(draw: st.DrawFn, most: int = 6) -> Plan:
    """Draw a session, whose times go forward."""
    at = float(draw(st.integers(0, 10**6)))

    def later() -> float:
        nonlocal at
        at = round(at + draw(st.integers(1, 5000)) / 1000, 3)
        return at

    steps: list[Ask | Answer] = [Ask(draw(st.sampled_from(PROMPTS)), later())]
    for _ in range(draw(st.integers(0, most))):
        if draw(st.integers(0, 3)) == 0:
            steps.append(Ask(draw(st.sampled_from(PROMPTS)), later()))
            continue
        text, said = draw(st.sampled_from(TEXTS)), later()
        begun = [
            (*draw(st.sampled_from(TOOLS)), draw(st.sampled_from(ENDS)), draw(st.integers(1, 127)), later()) for _ in range(draw(st.integers(0, 3)))
        ]
        order = draw(st.permutations(range(len(begun))))
        ended = dict.fromkeys(order, 0.0)
        for index in order:
            ended[index] = later()
        calls = tuple(Call(tool, arguments, end, code, start, ended[index]) for index, (tool, arguments, end, code, start) in enumerate(begun))
        if text or calls:
            steps.append(Answer(text, said, calls))
    name = draw(st.text("0123456789abcdef-", min_size=8, max_size=36).filter(lambda value: value.strip("-")))
    return Plan(name, draw(st.sampled_from(("/w", "/home/dev/project"))), tuple(steps))


def iso(at: float) -> str:
    """Return a time as agents write it."""
    return datetime.fromtimestamp(START + at, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def claude_code(plan: Plan, **more: Any) -> list[dict[str, Any]]:
    """Return the lines of a transcript; ``more``: further members of all."""
    lines: list[dict[str, Any]] = [{"type": "summary", "summary": "older", "leafUuid": "00000000"}]

    def line(kind: str, at: float, message: dict[str, Any], **extra: Any) -> None:
        before = lines[-1].get("uuid")
        lines.append(
            {"parentUuid": before, "isSidechain": False, "userType": "external", "cwd": plan.cwd, "sessionId": plan.session, "version": "2.0.1"}
            | {"gitBranch": "main", "type": kind, "message": message, "uuid": f"{plan.session}-{len(lines)}", "timestamp": iso(at)}
            | extra
            | more
        )

    for number, step in enumerate(plan.steps):
        if isinstance(step, Ask):
            line("user", step.at, {"role": "user", "content": step.text if number % 2 else [{"type": "text", "text": step.text}]})
            continue
        base = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": "claude-x"}
        if step.text:
            line("assistant", step.at, {**base, "content": [{"type": "text", "text": step.text}]})
        for index, call in enumerate(step.calls):
            block = {"type": "tool_use", "id": f"toolu_{number}_{index}", "name": call.tool, "input": call.arguments}
            line("assistant", call.begun, {**base, "content": [block]})
        for index, call in sorted(enumerate(step.calls), key=lambda pair: pair[1].ended):
            if call.end == "none":
                continue
            failed = call.end == "failed"
            output = f"Exit code {call.code}\nboom" if failed and call.tool == "Bash" else "boom" if failed else "fine"
            block = {"type": "tool_result", "tool_use_id": f"toolu_{number}_{index}", "content": output, "is_error": failed}
            details: Any = f"Error: {output}" if failed else {"stdout": output, "stderr": "", "interrupted": False}
            line("user", call.ended, {"role": "user", "content": [block]}, toolUseResult=details)
    return lines


def claude_hooks(plan: Plan, ids: bool = True, before: bool = True) -> list[dict[str, Any]]:
    """Return what hooks are given, logged with times; ``ids``: with those of calls; ``before``: also of the hook before tools."""
    lines: list[dict[str, Any]] = []

    def line(event: str, at: float, **extra: Any) -> None:
        lines.append(
            {"timestamp": iso(at), "session_id": plan.session, "transcript_path": "/t.jsonl", "cwd": plan.cwd, "hook_event_name": event} | extra
        )

    for number, step in enumerate(plan.steps):
        if isinstance(step, Ask):
            line("UserPromptSubmit", step.at, prompt=step.text)
            continue
        for index, call in enumerate(step.calls):
            named = {"tool_use_id": f"toolu_{number}_{index}"} if ids else {}
            if before:
                line("PreToolUse", call.begun, tool_name=call.tool, tool_input=call.arguments, **named)
        for index, call in sorted(enumerate(step.calls), key=lambda pair: pair[1].ended):
            named = {"tool_use_id": f"toolu_{number}_{index}"} if ids else {}
            told = {"tool_name": call.tool, "tool_input": call.arguments, **named}
            if call.end == "ok":
                line("PostToolUse", call.ended, tool_response={"stdout": "fine", "stderr": "", "interrupted": False}, **told)
            elif call.end == "failed":
                error = f"Exit code {call.code}\nboom" if call.tool == "Bash" else "boom"
                line("PostToolUseFailure", call.ended, error=error, is_interrupt=False, **told)
    return lines


CODEX_NAMES = {"Bash": "exec_command", "Read": "read_file", "Edit": "apply_patch", "Grep": "grep_search"}


def codex(plan: Plan, bare: bool = False) -> list[dict[str, Any]]:
    """Return the lines of a rollout; ``bare``: as the oldest are, without times."""
    lines: list[dict[str, Any]] = []

    def item(at: float, payload: dict[str, Any], kind: str = "response_item") -> None:
        if bare:
            if kind == "response_item":
                lines.append(payload)
        else:
            lines.append({"timestamp": iso(at), "type": kind, "payload": payload})

    first = plan.steps[0].at
    if bare:
        lines.append({"id": plan.session, "timestamp": iso(first), "instructions": None, "git": {"branch": "main"}})
        lines.append({"record_type": "state"})
    else:
        item(
            first,
            {"id": plan.session, "timestamp": iso(first), "cwd": plan.cwd, "cli_version": "0.137.0", "instructions": "be " * 30},
            "session_meta",
        )
        item(first, {"cwd": plan.cwd, "model": "gpt-x", "approval_policy": "never"}, "turn_context")
    environment = f"<environment_context>\n  <cwd>{plan.cwd}</cwd>\n</environment_context>"
    item(first, {"type": "message", "role": "user", "content": [{"type": "input_text", "text": environment}]})
    for number, step in enumerate(plan.steps):
        if isinstance(step, Ask):
            item(step.at, {"type": "message", "role": "user", "content": [{"type": "input_text", "text": step.text}]})
            item(step.at, {"type": "user_message", "message": step.text, "kind": "plain"}, "event_msg")
            continue
        if step.text:
            item(step.at, {"type": "agent_message", "message": step.text}, "event_msg")
            item(step.at, {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": step.text}]})
        for index, call in enumerate(step.calls):
            named = {"call_id": f"call_{number}_{index}"}
            if call.tool == "Edit":
                patch = f"*** Begin Patch\n*** Update File: {call.arguments['file_path']}\n@@\n-x\n+y\n*** End Patch"
                item(call.begun, {"type": "custom_tool_call", "name": "apply_patch", "input": patch, **named})
            elif call.tool == "Bash" and number % 2:
                item(call.begun, {"type": "local_shell_call", "status": "completed", "action": {"type": "exec", **call.arguments}, **named})
            else:
                name = CODEX_NAMES.get(call.tool, call.tool)
                item(call.begun, {"type": "function_call", "name": name, "arguments": json.dumps(call.arguments), **named})
        for index, call in sorted(enumerate(step.calls), key=lambda pair: pair[1].ended):
            named = {"call_id": f"call_{number}_{index}"}
            code = {"ok": 0, "failed": call.code}.get(call.end)
            if code is None:
                continue
            if call.tool == "Bash" and index % 2:
                output = f"Chunk ID: 1a\nWall time: {call.ended - call.begun:.4f} seconds\nProcess exited with code {code}\nOutput:\nfine\n"
            elif call.tool == "Edit" and number % 3:
                output = "Success. Updated the following files:\nM a.py\n" if code == 0 else "apply_patch verification failed: no such line"
            else:
                output = json.dumps({"output": "fine\n", "metadata": {"exit_code": code}})
            kind = "custom_tool_call_output" if call.tool == "Edit" else "function_call_output"
            item(call.ended, {"type": kind, "output": output, **named})
    return lines


def text(lines: list[dict[str, Any]], ascii_only: bool = False) -> bytes:
    """Return the bytes of a file."""
    return b"".join(json.dumps(line, ensure_ascii=ascii_only).encode() + b"\n" for line in lines)


def interleaved(files: list[list[dict[str, Any]]], seed: int) -> list[dict[str, Any]]:
    """Return the lines of several sessions as one file, each session's in its own order."""
    draw, left = random.Random(seed), [list(reversed(lines)) for lines in files]
    made: list[dict[str, Any]] = []
    while any(left):
        made.append(draw.choice([lines for lines in left if lines]).pop())
    return made
