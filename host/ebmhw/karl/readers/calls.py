"""Calls: those of a session, as events, with what came of them."""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import final

from ebmhw.karl.readers.agent_tools import command_of
from ebmhw.karl.readers.decoding import writable
from ebmhw.karl.readers.ends import exit_code_in
from ebmhw.karl.readers.members import brief, whole
from ebmhw.karl.tools import BASH, NAME_CHARS, PARAM_CHARS, canonical, cut, key_params
from ebmhw.karl.trajectory import EVENTS_LIMIT, ToolEvent

EVENT_CHARS = 700
"""What an event takes, about: object, mapping of parameters, texts."""

_COMMAND_CHARS = 20_000
_OUTPUT_CHARS = 200_000
"""Of an output, from its end, that is searched for counts of tests."""

_TOOLS_LIMIT = 1000
"""Names of tools that a session counts apart; later ones are "unknown"."""


@final
class Calls:
    """The calls of a session; ids, arguments and results are as `ebmhw.karl.readers.session.SessionBuilder` takes them.

    Attributes
    ----------
    events : of the first `EVENTS_LIMIT` calls
    counts : {tool: calls}, of all
    build : whether the last build with a known result passed, None where there is none
    """

    def __init__(self) -> None:
        self.events: list[ToolEvent] = []
        self.counts: dict[str, int] = {}
        self.build: bool | None = None
        self._calls: dict[str | None, _Call] = {}
        self._unnamed: deque[str] = deque()

    def known(self, call_id: str | None) -> bool:
        """Tell whether a call of that id came before."""
        return call_id is not None and brief(call_id) in self._calls

    def waits(self, call_id: str) -> bool:
        """Tell whether a call waits for its result."""
        call = self._calls.get(brief(call_id))
        return call is not None and not call.ended

    def add(
        self, call_id: str | None, tool: object, arguments: object, ts: float | None, turn: int | None, command: str | None, created: bool | None
    ) -> None:
        """Add a call whose id is not known yet; beyond `EVENTS_LIMIT` it is only counted."""
        name = _tool(tool) if isinstance(tool, str) else canonical(tool)
        if name not in self.counts and len(self.counts) >= _TOOLS_LIMIT:
            name = "unknown"
        self.counts[name] = self.counts.get(name, 0) + 1
        if len(self.events) >= EVENTS_LIMIT:
            return
        params = {key: writable(value) for key, value in key_params(arguments).items()}
        if command is None and name == BASH:
            command = command_of(arguments)
        if command is not None and "command" not in params and command:
            params["command"] = writable(cut(command, PARAM_CHARS))
        self.events.append(ToolEvent(name, params, ts=ts, created=created, turn=turn))
        call_id = brief(call_id)
        if call_id is None:
            call_id = f"\0{len(self.events)}"
            self._unnamed.append(call_id)
        self._calls[call_id] = _Call(len(self.events) - 1, ts, command if name == BASH else None)

    def end(
        self,
        call_id: str | None,
        output: str,
        success: bool | None,
        exit_code: int | None,
        ts: float | None,
        created: bool | None,
        duration_s: float | None,
        tests: int | None,
    ) -> bool:
        """Add what came of a call; return False where none waits for it."""
        if call_id is None:
            if not self._unnamed:
                return False
            call_id = self._unnamed.popleft()
        call = self._calls.get(brief(call_id))
        if call is None or call.ended:
            return False
        call.ended = True
        event = self.events[call.index]
        if event.tool == BASH:
            # What passed may print anything, also what looks like the agent's words.
            exit_code = whole(exit_code) if exit_code is not None else None if success else exit_code_in(output)
            if tests is None and call.tests:
                from ebmhw.karl.commands import tests_collected

                tests = tests_collected(call.command, output[-_OUTPUT_CHARS:])
        if success is None and exit_code is not None:
            success = exit_code == 0
        call.command = ""
        self._built(call, success)
        if duration_s is None and ts is not None and call.ts is not None and ts >= call.ts:
            duration_s = ts - call.ts
        self.events[call.index] = event._replace(
            success=success,
            exit_code=exit_code if event.tool == BASH else None,
            ts=ts if ts is not None else event.ts,
            duration_s=duration_s if duration_s is not None and 0 <= duration_s < 1e9 else None,
            tests=tests,
            created=created if created is not None or success is False else event.created,
        )
        return True

    def amend(self, call_id: str, success: bool | None, exit_code: int | None) -> None:
        """Add what is told about a call's end behind its result; what the result told stays."""
        call = self._calls.get(brief(call_id))
        if call is None or not call.ended:
            return
        event = self.events[call.index]
        if event.success is None:
            self._built(call, success)
            event = event._replace(success=success)
        if event.tool == BASH and event.exit_code is None:
            event = event._replace(exit_code=whole(exit_code))
        self.events[call.index] = event

    def _built(self, call: _Call, success: bool | None) -> None:
        if call.build and success is not None:
            self.build = success


@final
class _Call:
    """A call, and what its result will be looked at for.

    Attributes
    ----------
    index : of its event
    ts : when it began
    build, tests : what its command runs
    command : the whole of it, where it runs tests and waits for its result
    ended : whether it has its result
    """

    __slots__ = ("build", "command", "ended", "index", "tests", "ts")

    def __init__(self, index: int, ts: float | None, command: str | None) -> None:
        self.index, self.ts = index, ts
        self.build = self.tests = self.ended = False
        self.command = ""
        if command:
            from ebmhw.karl.commands import runs_build, runs_tests

            command = command[:_COMMAND_CHARS]
            self.build, self.tests = runs_build(command), runs_tests(command)
            if self.tests:
                self.command = command


@lru_cache(maxsize=1000)
def _tool(name: str) -> str:
    return canonical(writable(cut(name, NAME_CHARS)))
