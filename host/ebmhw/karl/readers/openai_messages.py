"""Messages in the manner of OpenAI's chat: lists with roles, calls of tools and their results, as data sets and benchmarks (tau-bench) hold them.

A session is an object with "messages" (or "traj", "conversations", ...), a line or an element of an array; or the file is one list of messages.
Blocks in the manner of Anthropic ("tool_use", "tool_result"), items of OpenAI's responses and "from"/"value" messages are read too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, final

from ebmhw.karl.moments import moment
from ebmhw.karl.readers.agent_tools import arguments, tool_of
from ebmhw.karl.readers.documents import Document, DocumentReader, Source
from ebmhw.karl.readers.ends import exit_code_in, success_of
from ebmhw.karl.readers.heads import first_members
from ebmhw.karl.readers.members import first_text, items, mapping, name, said, text
from ebmhw.karl.readers.session import SessionBuilder
from ebmhw.karl.readers.waiting import Waiting
from ebmhw.karl.tools import BASH
from ebmhw.karl.trajectory import Trajectory

_LISTS = ("messages", "traj", "conversations", "conversation", "trajectory", "dialogue", "dialog")
_SURE = frozenset({"messages", "traj", "conversations", "simulations"})
_ROLE = re.compile(r'"(?:role|from)"\s{0,4}:')
_WRAPPERS = ("simulations", "results", "sessions", "trajectories", "data")
_OWN_IDS = ("session_id", "conversation_id", "trajectory_id", "run_id", "uuid", "id")
_TASKS = ("task_id", "instance_id", "task", "problem_id")
_LONG_ID = 16
"""Characters from which on an "id" names one session of the world; "17" is that of a line in its file."""

_ROLES: Mapping[str, str] = {
    **{"system": "system", "developer": "system", "user": "user", "human": "user"},
    **{"assistant": "assistant", "gpt": "assistant", "model": "assistant"},
    **{"tool": "tool", "function": "tool", "observation": "tool", "function_response": "tool", "function_call": "assistant", "ipython": "tool"},
}
_ITEMS: Mapping[str, str] = {"function_call": "assistant", "function_call_output": "tool"}
_SIGNAL = re.compile(r"\s*(?:###[A-Z_-]{1,40}###\s*){1,5}\Z")
"""What a simulated user says to its simulator ("###STOP###"): nobody goes on working there."""


@final
class OpenAiReader(DocumentReader):
    """Messages with roles; see `DocumentReader`."""

    name = "openai"

    def __init__(self) -> None:
        self._flat: _Session | None = None
        self._hash = hashlib.sha256()

    def started(self) -> OpenAiReader:
        """Return a reader of one file: a file that is one list of messages is one session."""
        return OpenAiReader()

    def recognises(self, head: bytes, path: Path) -> bool:
        """Tell whether the first object is a message, or holds a list of some."""
        found = first_members(head)
        if _role(found.get("role", found.get("from", '""'))[1:].partition('"')[0]) is not None and {"content", "value", "tool_calls"} & set(found):
            return True
        # Other formats have a "trajectory" too: of steps.
        lists = [found[member] for member in (*_LISTS, "simulations") if member in found and (member in _SURE or _ROLE.search(found[member]))]
        return any(shows.startswith("[") for shows in lists) and not {"schema_version", "history", "steps", "trajectory_format"} & set(found)

    def sessions(self, document: Document, source: Source) -> Iterator[Trajectory]:
        """Yield the sessions of an object: one, or those of a list in it."""
        value = document.value
        if isinstance(value, list):
            value = {"messages": value}
        if not isinstance(value, Mapping):
            source.problem(document, f"it is a {type(value).__name__}, no object with messages; it is skipped")
            return
        if _role_of(value) is not None:
            self._hash.update(document.digest().encode())
            if self._flat is None:
                self._flat = _Session(SessionBuilder("", self.name, path=source.path, report=source.tell))
            self._flat.message(value)
            return
        found = _messages(value)
        if found is not None:
            yield from self._session(document, value, found, source)
            return
        domain = _domain(value)
        inner = next((items(value[member]) for member in _WRAPPERS if items(value.get(member))), [])
        for number, part in enumerate(inner, 1):
            messages = _messages(mapping(part))
            if messages is None:
                source.problem(document, f"part {number} has no list of messages; it is skipped")
                continue
            yield from self._session(Document(number, document.line, part), part, messages, source, domain)
        if not inner:
            source.problem(document, "it has no list of messages; it is skipped")

    def between(self, source: Source) -> Iterator[Trajectory]:
        """Yield the session that an array of messages is: the next array is another one."""
        yield from self.rest(source)
        self._flat, self._hash = None, hashlib.sha256()

    def rest(self, source: Source) -> Iterator[Trajectory]:
        """Yield the session that a file of single messages is."""
        if self._flat is not None and not self._flat.builder.empty:
            self._flat.builder.session_id = f"{source.path.name.partition('.')[0]}-{self._hash.hexdigest()[:12]}"
            yield source.unique(self._flat.builder).build()

    def _session(
        self, document: Document, value: Mapping[str, Any], messages: list[Any], source: Source, domain: str | None = None
    ) -> Iterator[Trajectory]:
        task = next((found for found in (name(value.get(member)) for member in _TASKS) if found is not None), None)
        session = _Session(SessionBuilder(_name_of(document, value, task, source), self.name, path=source.path, report=source.tell))
        info = mapping(value.get("info"))
        builder = session.builder
        builder.task = None if task is None else _task(task, value, domain)
        builder.model = text(value.get("model")) or text(value.get("model_name")) or text(info.get("model"))
        builder.user = text(value.get("user_id"))
        builder.verified = source.verified(value, mapping(value.get("reward_info")), mapping(info.get("reward_info")))
        for started in ("start_time", "created_at", "timestamp"):
            builder.seen(moment(value.get(started)))
        system = text(value.get("system"))
        if system is not None:
            builder.turn("system", system)
        bad = sum(not session.message(message) for message in messages)
        builder.seen(moment(value.get("end_time")))
        if bad:
            source.problem(document, f"{bad} of its {len(messages)} messages have no role that is known, and are left out")
        if session.lost:
            source.problem(document, f"{session.lost} results of tools belong to no call, and are left out")
        if builder.empty:
            source.problem(document, "its list of messages holds none; it is skipped")
            return
        yield source.unique(builder).build()


@final
class _Session:
    """A session while its messages are read.

    Attributes
    ----------
    builder : of its trajectory
    lost : results without a call
    """

    def __init__(self, builder: SessionBuilder) -> None:
        self.builder = builder
        self.lost = 0
        self._waiting = Waiting()
        self._shells: set[str] = set()

    def message(self, value: Any) -> bool:
        """Add a message; return False for what is none."""
        if not isinstance(value, Mapping):
            return False
        role = _role_of(value)
        if role is None:
            return False
        ts = moment(value.get("timestamp", value.get("created_at")))
        content = value.get("content", value.get("value"))
        if role == "tool":
            # In tau2-bench the simulated user has tools of its own.
            if value.get("requestor") == "user":
                return True
            self._result(_id(value), value.get("name"), value.get("output", content), value, ts)
            return True
        spoken = said(content)
        if role == "user":
            self._blocks(content, ts)
            if spoken.strip() or not (isinstance(content, list) or value.get("tool_calls")):
                self.builder.turn("user", spoken, ts, prompt=not _SIGNAL.match(spoken[:300]))
            return True
        turn = None
        if role == "system":
            self.builder.turn("system", spoken, ts)
            return True
        if value.get("from") == "function_call":
            turn = self.builder.turn("assistant", "", ts)
            self._call(None, mapping(arguments(content)), ts, turn)
            return True
        turn = self.builder.turn("assistant", spoken, ts)
        for call in items(value.get("tool_calls")):
            found = mapping(call)
            self._call(name(found.get("id")), mapping(found.get("function")) or found, ts, turn)
        if isinstance(value.get("function_call"), Mapping):
            self._call(None, value["function_call"], ts, turn)
        if value.get("type") == "function_call":
            self._call(name(value.get("call_id")), value, ts, turn)
        self._blocks(content, ts, turn)
        return True

    def _blocks(self, content: Any, ts: float | None, turn: int | None = None) -> None:
        """Add the calls and results that stand in a message's parts."""
        for part in items(content):
            block = mapping(part)
            if block.get("type") == "tool_use":
                self._call(name(block.get("id")), block, ts, turn)
            elif block.get("type") == "tool_result":
                self._result(name(block.get("tool_use_id")), None, block.get("content"), block, ts)

    def _call(self, call_id: str | None, function: Mapping[str, Any], ts: float | None, turn: int | None) -> None:
        given = arguments(function.get("arguments", function.get("input", function.get("parameters"))))
        tool = tool_of(function.get("name"), given)
        key = self._waiting.add(call_id, str(function.get("name")))
        if tool == BASH:
            self._shells.add(key)
        self.builder.call(key, tool, given, ts, turn)

    def _result(self, call_id: str | None, tool: Any, content: Any, message: Mapping[str, Any], ts: float | None) -> None:
        key = self._waiting.take(call_id, tool if isinstance(tool, str) else None)
        if key is None:
            self.lost += 1
            return
        output = said(content)
        flag = message.get("is_error", message.get("error"))
        shell = key in self._shells
        code = exit_code_in(output) if shell else None
        success = success_of(BASH if shell else "", output, None if not isinstance(flag, bool) else not flag, code)
        self.builder.result(key, output, success, code, ts)


def _role(value: Any) -> str | None:
    return _ROLES.get(value) if isinstance(value, str) else None


def _role_of(message: Mapping[str, Any]) -> str | None:
    kind = message.get("type")
    if isinstance(kind, str) and kind in _ITEMS:
        return _ITEMS[kind]
    return _role(message.get("role", message.get("from")))


def _messages(value: Mapping[str, Any]) -> list[Any] | None:
    for member in _LISTS:
        found = value.get(member)
        if isinstance(found, list):
            return found
    return None


def _id(message: Mapping[str, Any]) -> str | None:
    for member in ("tool_call_id", "call_id", "tool_use_id", "id"):
        found = name(message.get(member))
        if found is not None:
            return found
    return None


def _task(task: str, value: Mapping[str, Any], domain: str | None) -> str:
    """Return a name of a task that no other benchmark's task has: number 3 of tau-bench is one task of an airline and another one of a shop.

    Parameters
    ----------
    task : its own name; one that is more than a number stays as it is
    domain : of the whole file, where that tells one
    """
    if not task.isdigit():
        return task
    domain = _domain(value) or domain
    if domain is not None:
        return f"{domain}/{task}"
    instruction = text(mapping(mapping(value.get("info")).get("task")).get("instruction"))
    return task if instruction is None else f"{task}-{hashlib.sha256(instruction.encode('utf-8', 'replace')).hexdigest()[:8]}"


def _domain(value: Mapping[str, Any]) -> str | None:
    """Return the domain of a benchmark that an object tells: as "domain" or "env", or as tau2-bench does; None where it tells none."""
    info = mapping(value.get("info"))
    return first_text(value, "domain", "env") or first_text(info, "domain", "env") or first_text(info.get("environment_info"), "domain_name")


def _name_of(document: Document, value: Mapping[str, Any], task: str | None, source: Source) -> str:
    for member in _OWN_IDS:
        found = name(value.get(member))
        if found is not None and (member != "id" or len(found) >= _LONG_ID):
            return found
    trial = name(value.get("trial"))
    parts = (f"task-{task}" if task is not None else source.path.name.partition(".")[0], f"trial-{trial}" if trial is not None else None)
    return "-".join(part for part in (*parts, document.digest()) if part is not None)
