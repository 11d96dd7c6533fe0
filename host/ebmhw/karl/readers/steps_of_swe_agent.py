"""Steps of SWE-agent's and mini-swe-agent's sessions: what each says, calls and shows, and whether what was called did what it should."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping
from typing import Any, final

from ebmhw.karl.moments import moment
from ebmhw.karl.readers.agent_tools import arguments
from ebmhw.karl.readers.commands_of_swe_agent import Command, command_of, open_file_in
from ebmhw.karl.readers.members import items, mapping, number, said, text, whole
from ebmhw.karl.readers.session import SessionBuilder
from ebmhw.karl.tools import BASH

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
class StepsOfSweAgent:
    """A session while its steps or messages are read.

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
            self.builder.turn(role, said(found.get("content")))
        return True

    def step(self, step: Any) -> bool:
        """Add a step of "trajectory"; return False for what is none."""
        if not isinstance(step, Mapping):
            return False
        action = step.get("action")
        spoken = text(step.get("response")) or text(step.get("thought")) or ""
        if not isinstance(action, str) and not spoken:
            return False
        turn = self.builder.turn("assistant", spoken)
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
            turn = self.builder.turn("assistant", spoken)
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
            self.builder.turn(role, spoken)
        return True

    def mini(self, message: Any) -> bool:
        """Add a message of mini-swe-agent; return False for what is none."""
        found = mapping(message)
        role, spoken = found.get("role"), said(found.get("content"))
        extra = mapping(found.get("extra"))
        ts = moment(extra.get("timestamp"))
        if role == "assistant":
            turn = self.builder.turn("assistant", spoken, ts)
            for action in _actions(found, extra, spoken):
                if isinstance(action, str) and action.strip():
                    self._begin(action, turn, plain=True, ts=ts)
            return True
        if role not in ("user", "tool", "system", "exit"):
            return False
        if self._waiting and role in ("user", "tool"):
            in_text = _RETURNED.search(spoken[:2000])
            code = whole(extra.get("returncode", int(in_text[1]) if in_text else None))
            self._end(spoken, "", True, None, code, ts)
        elif role in ("user", "system"):
            self.builder.turn(role, spoken, ts)
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


def _state(value: Any) -> str:
    """Return the state after a step as text: it is one (JSON, or as Python writes mappings), or an object."""
    if isinstance(value, str):
        return value[:4000]
    return (
        json.dumps({key: value[key] for key in ("open_file", "working_dir") if isinstance(value.get(key), str)}) if isinstance(value, Mapping) else ""
    )
