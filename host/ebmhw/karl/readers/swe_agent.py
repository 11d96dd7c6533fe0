"""SWE-agent: .traj files of all its versions, and mini-swe-agent's; a session is a file, its calls are commands of SWE-agent's own interface."""

from __future__ import annotations

import hashlib
import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, final

from ebmhw.karl.moments import moment
from ebmhw.karl.readers.commands_of_swe_agent import Command, command_of, open_file_in
from ebmhw.karl.readers.documents import Document, DocumentReader, Source
from ebmhw.karl.readers.heads import first_members
from ebmhw.karl.readers.lines import NotJson, value_of
from ebmhw.karl.readers.members import arguments, beside, items, mapping, name, number, said, shortened, text, verified
from ebmhw.karl.readers.session import SessionBuilder
from ebmhw.karl.tools import BASH
from ebmhw.karl.trajectory import Trajectory

_RESULTS = ("results.json", "report.json")
_PASSED = ("resolved", "resolved_ids")

_DIRECTORY = re.compile(r"""["']working_dir["']\s{0,4}:\s{0,4}["']([^"'\n]{1,1000})["']""")
# What the shell's prompt adds to an observation in "history".
_PROMPT = re.compile(r"\n\((?:Open file|Current directory): [^\n]{0,1000}\)\n(?:\(Current directory: [^\n]{0,1000}\)\n)?bash-\$\s{0,8}\Z")

# Whether an observation tells that the call did not do what it should; the texts are those of the commands in SWE-agent's tools.
_REFUSED = re.compile(
    r"""\s{0,20}(?:
      Your\ (?:proposed\ )?edit\ (?:has\ introduced|was\ not\ applied|command) | Your\ (?:bash\ )?command\ contained\ syntax\ errors
    | Usage:\ | Error:\ | ERROR:\ | No\ file\ open | No\ replacement\ was\ performed | No\ edit\ history | Text\ not\ found | Invalid\ `
    | (?:File|Directory)\ [^\n]{1,1000}\ (?:not\ found|does\ not\ exist) | The\ (?:path|parent\ directory)\ [^\n]{1,1000}\ does\ not\ exist
    | (?:Error|Warning):\ File\ [^\n]{1,1000}\ already\ exists | File\ already\ exists | Ran\ into\ | Wrong\ flag | The\ `view_range`
    | Failed\ to\ (?:edit|open|create|replace) | Operation\ '[^'\n]{1,200}'\ is\ not\ supported
    )""",
    re.VERBOSE,
)
_STOPPED = re.compile(r"\A\s{0,20}(?:EXECUTION TIMED OUT|COMMAND TIMED OUT|The command '[\s\S]{0,4000}?' was cancelled because it took more than)")
# All of the output is one line in which the shell says that it could not run the command.
_NOT_RUN = re.compile(
    r"\s{0,20}(?:/bin/)?(?:ba|da|z)?sh: (?:line \d{1,6}: |\d{1,6}: )?[^\n]{1,300}: (?:command not found|not found|Permission denied)\s{0,20}\Z"
)

_RETURNED = re.compile(r"<returncode>(-?\d{1,10})</returncode>")
_BLOCK = re.compile(r"```(?:bash|mswea_bash_command)[ \t]*\n([\s\S]{1,20000}?)\n?```")
"""A command in an answer of mini-swe-agent."""


@final
class SweAgentReader(DocumentReader):
    """SWE-agent's and mini-swe-agent's trajectories; see `DocumentReader`.

    Success is taken from what SWE-agent's own commands say. Of shell commands it is known only where they were refused, timed out, or could not be
    run: a traceback does not count as a failure, for reproducing a bug is meant to end in one.
    """

    name = "swe-agent"

    def __init__(self) -> None:
        self._flat: _Session | None = None
        self._hash = hashlib.sha256()

    def started(self) -> SweAgentReader:
        """Return a reader of one file: mini-swe-agent's first versions wrote a list of messages, which is one session."""
        return SweAgentReader()

    def recognises(self, head: bytes, path: Path) -> bool:
        """Tell whether the first object has the members of a trajectory of SWE-agent or mini-swe-agent."""
        found = first_members(head)
        if "role" in found and "content" in found:
            return b"```mswea_bash_command" in head
        if "trajectory_format" in found or ("messages" in found and '"exit_status"' in found.get("info", "")):
            return found.get("trajectory_format", '"mini-swe').startswith('"mini-swe')
        if "instance_id" in found and "test_result" in found:
            return False
        steps = found.get("trajectory", "")
        if steps.startswith("["):
            return re.match(r"\[\s*\{\s*\"(?:action|observation|response|thought|execution_time|state|query|messages)\"", steps) is not None or (
                steps.startswith("[]") and "history" in found
            )
        if "trajectory" not in found and '"role"' in found.get("history", ""):
            return "message_type" in found["history"] or path.suffix == ".traj" or '"agent"' in found["history"]
        return path.suffix == ".traj" and bool({"environment", "replay_config"} & set(found))

    def sessions(self, document: Document, source: Source) -> Iterator[Trajectory]:
        """Yield the session of a trajectory."""
        value = mapping(document.value)
        steps, history, messages = value.get("trajectory"), value.get("history"), value.get("messages")
        if value.get("role") in ("system", "user", "assistant") and messages is None:
            self._hash.update(document.digest().encode())
            if self._flat is None:
                self._flat = _Session(SessionBuilder("", self.name, path=source.path, report=source.tell))
            self._flat.mini(value)
            return
        if not any(isinstance(found, list) for found in (steps, history, messages)):
            source.problem(document, 'it has neither "trajectory" nor "history" nor "messages"; it is skipped')
            return
        info = mapping(value.get("info"))
        config = mapping(_replayed(value.get("replay_config")))
        task = _task(value, info, config, source, document)
        builder = SessionBuilder(f"{task}-{document.digest()}", self.name, path=source.path, report=source.tell)
        builder.task = task
        model = mapping(mapping(config.get("agent")).get("model")) or mapping(mapping(info.get("config")).get("model"))
        builder.model = text(model.get("name")) or text(model.get("model_name"))
        builder.verified = verified(value, info)
        if builder.verified is None:
            builder.verified = _verified_beside(source.path, task)
        session = _Session(builder)
        if isinstance(steps, list) and (steps or not isinstance(history, list)):
            for message in items(history) or _query(steps):
                if not session.before(message):
                    break
            bad = sum(not session.step(step) for step in steps)
        elif isinstance(history, list):
            bad = sum(not session.message(message) for message in history)
        else:
            bad = sum(not session.mini(message) for message in items(messages))
        session.finish()
        if bad:
            source.problem(document, f"{bad} of its steps are no objects with texts, and are left out")
        if builder.empty:
            source.problem(document, "it holds no step; it is skipped")
            return
        yield source.unique(builder).build()

    def rest(self, source: Source) -> Iterator[Trajectory]:
        """Yield the session that a list of messages is."""
        if self._flat is not None:
            self._flat.finish()
            builder = self._flat.builder
            builder.task = _stem(source)
            builder.session_id = f"{builder.task}-{self._hash.hexdigest()[:12]}"
            if not builder.empty:
                yield builder.build()


@final
class _Session:
    """A session while its steps are read.

    Attributes
    ----------
    builder : of its trajectory
    """

    def __init__(self, builder: SessionBuilder) -> None:
        self.builder = builder
        self._open: str | None = None
        self._count = 0
        self._waiting: deque[tuple[str, Command, float | None]] = deque()

    def before(self, message: Any) -> bool:
        """Add a message that comes before the first step; return False at the first answer."""
        found = mapping(message)
        role = found.get("role")
        if role == "assistant" and not _is_demo(found):
            return False
        if role in ("system", "user") and not _is_demo(found):
            self.builder.turn(role, shortened(said(found.get("content"))))
        return True

    def step(self, step: Any) -> bool:
        """Add a step of "trajectory"; return False for what is none."""
        if not isinstance(step, Mapping):
            return False
        action = step.get("action")
        spoken = text(step.get("response")) or text(step.get("thought")) or ""
        if not isinstance(action, str) and not spoken:
            return False
        turn = self.builder.turn("assistant", shortened(spoken))
        state = _state(step.get("state"))
        if self.builder.cwd is None:
            found = _DIRECTORY.search(state)
            self.builder.cwd = found[1] if found else None
        if isinstance(action, str) and action.strip():
            observation = step.get("observation")
            shown = observation if isinstance(observation, str) else said(observation)
            self._call(action, turn, shown, state, isinstance(observation, (str, list)), number(step.get("execution_time")))
        return True

    def message(self, message: Any) -> bool:
        """Add a message of "history"; return False for what is none."""
        found = mapping(message)
        role, spoken = found.get("role"), said(found.get("content"))
        if _is_demo(found):
            return True
        if role == "assistant":
            turn = self.builder.turn("assistant", shortened(spoken))
            action = found.get("action")
            if isinstance(action, str) and action.strip():
                self._begin(action, turn)
            return True
        if role not in ("user", "tool", "system"):
            return False
        if self._waiting and role != "system":
            prompt = _PROMPT.search(spoken[-2500:])
            shown = spoken if prompt is None else spoken[: len(spoken) - len(prompt[0])]
            self._end(shown, spoken[-2500:], True, None)
        elif role != "tool":
            self.builder.turn(role, shortened(spoken))
        return True

    def mini(self, message: Any) -> bool:
        """Add a message of mini-swe-agent; return False for what is none."""
        found = mapping(message)
        role, spoken = found.get("role"), said(found.get("content"))
        extra = mapping(found.get("extra"))
        ts = moment(extra.get("timestamp"))
        if role == "assistant":
            turn = self.builder.turn("assistant", shortened(spoken), ts)
            for action in _actions(found, extra, spoken):
                if isinstance(action, str) and action.strip():
                    self._begin(action, turn, plain=True, ts=ts)
            return True
        if role not in ("user", "tool", "system", "exit"):
            return False
        if self._waiting and role in ("user", "tool"):
            in_text = _RETURNED.search(spoken[:2000])
            code = extra.get("returncode", int(in_text[1]) if in_text else None)
            self._end(spoken, "", True, None, code if isinstance(code, int) and not isinstance(code, bool) else None, ts)
        elif role in ("user", "system"):
            self.builder.turn(role, shortened(spoken), ts)
        return True

    def finish(self) -> None:
        """Add the calls whose results never came."""
        while self._waiting:
            self._end("", "", False, None)

    def _call(self, action: str, turn: int | None, shown: str, state: str, known: bool, seconds: float | None) -> None:
        self._begin(action, turn)
        if self._waiting:
            self._end(shown, state, known, seconds)

    def _begin(self, action: str, turn: int | None, plain: bool = False, ts: float | None = None) -> None:
        command = Command(BASH, {"command": action.strip()}) if plain else command_of(action)
        if command is None:
            return
        self._count += 1
        self._waiting.append((str(self._count), command._replace(turn=turn), ts))

    def _end(self, shown: str, state: str, known: bool, seconds: float | None, code: int | None = None, ts: float | None = None) -> None:
        """Add the first call that waits and what came of it: which file it was about is known only now."""
        key, command, begun = self._waiting.popleft()
        success = _success(command, shown) if known else None
        if code is not None:
            success = code == 0
        given = dict(command.arguments)
        if command.on_open_file:
            now = open_file_in(shown, state) if success is not False or "path" not in given else None
            now = now or given.get("path") or self._open
            if now is not None:
                given["path"] = now
            if success is not False:
                self._open = now
        self.builder.call(key, command.tool, given, begun, command.turn)
        if known:
            created = True if command.creates and success else None
            # mini-swe-agent's -1 is that of a command that was not run, or not to its end.
            self.builder.result(key, shown, success, None if code == -1 else code, ts, duration_s=seconds, created=created)


def _actions(message: Mapping[str, Any], extra: Mapping[str, Any], spoken: str) -> list[Any]:
    """Return the commands of an answer of mini-swe-agent: as it took them, else in its calls of tools, else in its text."""
    taken = [mapping(action).get("command") for action in items(extra.get("actions"))]
    called = [arguments(mapping(mapping(call).get("function")).get("arguments")).get("command") for call in items(message.get("tool_calls"))]
    return taken or called or [block[1] for block in _BLOCK.finditer(spoken)][:1]


def _success(command: Command, shown: str) -> bool | None:
    head = shown[:5000]
    if _STOPPED.match(head):
        return False
    if command.tool == BASH:
        refused = head.lstrip().startswith(("Your ", "Operation ")) and _REFUSED.match(head)
        return False if refused or (len(shown) < 1000 and _NOT_RUN.match(shown)) else None
    return not _REFUSED.match(head)


def _is_demo(message: Mapping[str, Any]) -> bool:
    return message.get("is_demo") in (True, "True", "true")


def _query(steps: list[Any]) -> list[Any]:
    """Return the messages that were sent first, where "history" is left out."""
    return items(mapping(steps[0]).get("query")) if steps else []


def _state(value: Any) -> str:
    """Return the state after a step as text: it is one (JSON, or as Python writes mappings), or an object."""
    if isinstance(value, str):
        return value[:4000]
    return (
        json.dumps({key: value[key] for key in ("open_file", "working_dir") if isinstance(value.get(key), str)}) if isinstance(value, Mapping) else ""
    )


def _replayed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return value_of(value)
    except NotJson:
        return None


def _task(value: Mapping[str, Any], info: Mapping[str, Any], config: Mapping[str, Any], source: Source, document: Document) -> str:
    for place, member in ((value, "instance_id"), (info, "instance_id"), (mapping(config.get("problem_statement")), "id")):
        found = name(place.get(member))
        if found is not None:
            return found
    stem = _stem(source)
    return stem if source.whole or document.number == 1 else f"{stem}-{document.number}"


def _stem(source: Source) -> str:
    """Return the name of the file without its endings, which is that of the task."""
    return source.path.name.removesuffix(".gz").removesuffix(".json").removesuffix(".traj")


def _verified_beside(path: Path, task: str) -> float | None:
    """Return what a benchmark's report beside the file, or in the folder above, says of the task; None where there is none."""
    for folder in (path.parent, path.parent.parent, path.parent / "results"):
        for file in _RESULTS:
            found = _verified_in(beside(folder / file), task)
            if found is not None:
                return found
    return None


def _verified_in(report: Mapping[str, Any], task: str) -> float | None:
    own = report.get(task)
    if isinstance(own, Mapping):
        return verified(own)
    if any(task in items(report.get(member)) for member in _PASSED):
        return 1.0
    return 0.0 if any(task in found for found in report.values() if isinstance(found, list)) else None
