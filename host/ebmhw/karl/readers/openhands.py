"""OpenHands: output.jsonl of its evaluations, and saved event streams, in one file or one an event; versions 0 (action, observation) and 1 (kind)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, final

from ebmhw.karl.moments import moment
from ebmhw.karl.readers.agent_tools import arguments, tool_of
from ebmhw.karl.readers.documents import Document, DocumentReader, Source
from ebmhw.karl.readers.ends import exit_code_in, success_of
from ebmhw.karl.readers.event_files import event_files, events_in
from ebmhw.karl.readers.heads import first_members
from ebmhw.karl.readers.members import mapping, name, said, text, whole
from ebmhw.karl.readers.session import SessionBuilder
from ebmhw.karl.tools import BASH, EDIT, READ, WRITE
from ebmhw.karl.trajectory import EVENTS_LIMIT, Trajectory

_TOOLS: Mapping[str, str] = {
    **{"run": BASH, "run_ipython": "execute_ipython_cell", "read": READ, "write": WRITE, "edit": EDIT, "browse": "WebFetch"},
    **{"browse_interactive": "browser", "delegate": "delegate", "think": "think", "finish": "finish", "reject": "reject"},
    **{"task_tracking": "task_tracker", "call_tool_mcp": "mcp", "push": "push", "send_pr": "send_pr"},
}
"""{what events of version 0 call an action: our name of it}; other actions are no calls."""

_EDITOR: Mapping[str, str] = {"view": READ, "create": WRITE}
_KINDS = frozenset(
    {
        *("ActionEvent", "ObservationEvent", "MessageEvent", "SystemPromptEvent", "AgentErrorEvent", "UserRejectObservation", "PauseEvent"),
        *("Condensation", "CondensationRequest", "CondensationSummaryEvent", "ConversationStateUpdateEvent", "ConversationErrorEvent"),
        *("TokenEvent", "LLMCompletionLogEvent", "HookExecutionEvent", "InterruptEvent", "AgentStartEvent"),
    }
)
_FIRST_EVENTS = 3
"""Of a stream, that name it: they hold the times when it began."""


@final
class OpenHandsReader(DocumentReader):
    """Trajectories of OpenHands; see `DocumentReader`."""

    name = "openhands"

    def __init__(self) -> None:
        self._stream: _Session | None = None
        self._seen = 0
        self._hash = hashlib.sha256()

    def started(self) -> OpenHandsReader:
        """Return a reader of one file: a file that is one stream of events is one session."""
        return OpenHandsReader()

    def recognises(self, head: bytes, path: Path) -> bool:
        """Tell whether the first object is an output of an evaluation, or an event."""
        found = first_members(head)
        if "instance_id" in found:
            return bool({"history", "test_result"} & set(found)) and not {"messages", "trajectory"} & set(found)
        if "history" in found and {"test_result", "git_patch"} & set(found):
            return True
        kind = found.get("kind", "").partition(",")[0].strip(' "\n}')
        if kind in _KINDS:
            return True
        return bool({"action", "observation"} & set(found)) and {"id", "source"} <= set(found) and bool({"timestamp", "message"} & set(found))

    def continues(self, path: Path) -> bool:
        """Tell whether a file is an event of a conversation that another file starts."""
        files = event_files(path)
        return bool(files) and path.name != files[0].name

    def sessions(self, document: Document, source: Source) -> Iterator[Trajectory]:
        """Yield the session of an output; events are kept for that of the file."""
        value = document.value
        if _is_event(value):
            files = event_files(source.path)
            if self._stream is None:
                self._stream = _Session(SessionBuilder("", self.name, path=source.path, report=source.tell))
            elif files:
                return
            for event in events_in(files, source.tell) if files else (value,):
                if self._seen < _FIRST_EVENTS:
                    self._hash.update(document._replace(value=event).digest().encode())
                self._seen += 1
                self._stream.event(event)
            return
        found = mapping(value)
        history = found.get("history", found.get("trajectory", found.get("events")))
        if not isinstance(history, list):
            what = "an evaluation without a history" if "instance_id" in found else "neither an output of an evaluation nor an event"
            source.problem(document, f"it is {what}; it is skipped")
            return
        issue = mapping(found.get("issue"))
        task = name(found.get("instance_id")) or name(found.get("id"))
        if task is None and name(issue.get("number")) is not None:
            task = f"{name(issue.get('owner'))}/{name(issue.get('repo'))}#{name(issue.get('number'))}"
        session = _Session(SessionBuilder(f"{task or 'openhands'}-{document.digest()}", self.name, path=source.path, report=source.tell))
        builder, metadata, tests = session.builder, mapping(found.get("metadata")), mapping(found.get("test_result"))
        builder.task = task
        model = mapping(metadata.get("llm_config")) or mapping(metadata.get("llm"))
        builder.model = text(model.get("model"))
        builder.git_repo = text(mapping(found.get("instance")).get("repo"))
        builder.verified = source.verified(found, mapping(found.get("report")), mapping(tests.get("report")), tests)
        builder.prompt = text(found.get("instruction"))
        bad = sum(not session.event(event) for event in _flat(history))
        if bad:
            source.problem(document, f"{bad} of its events are none that is known, and are left out")
        if builder.empty:
            source.problem(document, "its history is empty; it is skipped")
            return
        yield source.unique(builder).build()

    def between(self, source: Source) -> Iterator[Trajectory]:
        """Yield the session that an array of events is: the next array is another one."""
        yield from self.rest(source)
        self._stream, self._seen, self._hash = None, 0, hashlib.sha256()

    def rest(self, source: Source) -> Iterator[Trajectory]:
        """Yield the session that a stream of events is."""
        if self._stream is not None and not self._stream.builder.empty:
            # OpenHands names the file, or the folder above that of the events, after the session; others may bear the same name.
            own = source.path.parent.parent.name if event_files(source.path) else source.path.name.partition(".")[0]
            self._stream.builder.session_id = f"{own or 'openhands'}-{self._hash.hexdigest()[:12]}"
            yield source.unique(self._stream.builder).build()


@final
class _Session:
    """A session while its events are read.

    Attributes
    ----------
    builder : of its trajectory
    """

    def __init__(self, builder: SessionBuilder) -> None:
        self.builder = builder
        self._count = 0
        self._calls: dict[str, tuple[str, str]] = {}

    def event(self, event: Any) -> bool:
        """Add an event; return False for what is none."""
        if not _is_event(event):
            return False
        ts = moment(event.get("timestamp"))
        self.builder.seen(ts)
        if isinstance(event.get("kind"), str):
            return self._kind(event["kind"], event, ts)
        if isinstance(event.get("observation"), str):
            self._observation(event, ts)
        else:
            self._action(event, ts)
        return True

    def _action(self, event: Mapping[str, Any], ts: float | None) -> None:
        action, given = event.get("action"), mapping(event.get("args"))
        role = "user" if event.get("source") == "user" else "assistant"
        if action in ("message", "system"):
            spoken = text(given.get("content")) or text(event.get("message")) or ""
            self.builder.turn("system" if action == "system" else role, spoken, ts)
            return
        tool = _TOOLS.get(action) if isinstance(action, str) else None
        # A user's own commands in the terminal are none of the agent's.
        if tool is None or role == "user":
            return
        thought = text(given.get("thought")) or text(given.get("final_thought")) or ""
        turn = self.builder.turn("assistant", thought, ts)
        if action == "edit" and isinstance(given.get("command"), str):
            tool = _EDITOR.get(given["command"], EDIT)
        if action == "call_tool_mcp":
            tool = tool_of(given.get("name"), given)
            given = arguments(given.get("arguments"))
        self._call((f"id/{name(event.get('id'))}",), tool, given, ts, turn)

    def _observation(self, event: Mapping[str, Any], ts: float | None) -> None:
        extras = mapping(event.get("extras"))
        metadata = mapping(extras.get("metadata"))
        if self.builder.cwd is None:
            self.builder.cwd = text(metadata.get("working_dir"))
        # Events of the oldest versions have neither ids nor causes: an observation follows its action.
        call = self._calls.pop(f"id/{name(event.get('cause'))}", None)
        if call is None:
            return
        kind = event.get("observation")
        refused = kind in ("error", "user_rejected")
        code = _code(metadata.get("exit_code", extras.get("exit_code")))
        output = said(event.get("content"))
        flag = False if refused else None
        self._result(call, output, flag, code, extras.get("prev_exist"), ts)

    def _kind(self, kind: str, event: Mapping[str, Any], ts: float | None) -> bool:
        if kind == "MessageEvent":
            message = mapping(event.get("llm_message"))
            user = event.get("source") == "user" or message.get("role") == "user"
            self.builder.turn("user" if user else "assistant", said(message.get("content")), ts)
        elif kind == "SystemPromptEvent":
            self.builder.turn("system", said(event.get("system_prompt")), ts)
        elif kind == "ActionEvent":
            self._action_event(event, ts)
        elif kind in ("ObservationEvent", "AgentErrorEvent", "UserRejectObservation"):
            self._observation_event(kind, event, ts)
        return kind in _KINDS

    def _action_event(self, event: Mapping[str, Any], ts: float | None) -> None:
        turn = self.builder.turn("assistant", said(event.get("thought")), ts, key=name(event.get("llm_response_id")))
        call, action = mapping(event.get("tool_call")), mapping(event.get("action"))
        given = action or arguments(call.get("arguments", mapping(call.get("function")).get("arguments")))
        tool = tool_of(event.get("tool_name", call.get("name")), given)
        names = (name(event.get("tool_call_id")) or name(call.get("id")), name(event.get("id")))
        named = tuple(f"{kind}/{found}" for kind, found in zip(("call", "action"), names, strict=True) if found is not None)
        self._call(named, tool, given, ts, turn)

    def _observation_event(self, kind: str, event: Mapping[str, Any], ts: float | None) -> None:
        observation = mapping(event.get("observation"))
        metadata = mapping(observation.get("metadata"))
        if self.builder.cwd is None:
            self.builder.cwd = text(metadata.get("working_dir"))
        names = (f"call/{name(event.get('tool_call_id'))}", f"action/{name(event.get('action_id'))}")
        found = [call for call in (self._calls.pop(own, None) for own in names) if call is not None]
        if not found:
            return
        code = _code(observation.get("exit_code", metadata.get("exit_code")))
        output = said(observation.get("content")) or (text(observation.get("output")) or "")
        flag = False if kind != "ObservationEvent" or observation.get("is_error") is True else None
        self._result(found[0], output, flag, code, observation.get("prev_exist"), ts)

    def _call(self, names: tuple[str, ...], tool: str, given: Mapping[str, Any], ts: float | None, turn: int | None) -> None:
        self._count += 1
        key = str(self._count)
        if self._count <= EVENTS_LIMIT:
            self._calls.update(dict.fromkeys(names, (key, tool)))
        self.builder.call(key, tool, given, ts, turn)

    def _result(self, call: tuple[str, str], output: str, flag: bool | None, code: int | None, existed: Any, ts: float | None) -> None:
        key, tool = call
        if code is None and tool == BASH:
            code = _code(exit_code_in(output))
        success = success_of(tool, output, flag, code)
        created = not existed if tool in (WRITE, EDIT) and isinstance(existed, bool) and success is not False else None
        self.builder.result(key, output, success, code if tool == BASH else None, ts, created=created)


def _is_event(value: Any) -> bool:
    found = mapping(value)
    if isinstance(found.get("kind"), str):
        return found["kind"] in _KINDS
    return any(isinstance(found.get(member), str) for member in ("action", "observation"))


def _flat(history: list[Any]) -> Iterator[Any]:
    """Yield the events of a history: old ones hold pairs of an action and its observation, which name no cause."""
    for place, event in enumerate(history):
        if isinstance(event, list) and len(event) == 2 and all(isinstance(part, Mapping) for part in event):
            action, observation = event
            yield {**action, "id": f"pair {place}"}
            if observation.get("observation") != "null":
                yield {**observation, "cause": f"pair {place}"}
        else:
            yield event


def _code(value: Any) -> int | None:
    """Return an exit code; -1 stands for one that is not known: the command still runs, or was cut off."""
    found = whole(value)
    return None if found == -1 else found
