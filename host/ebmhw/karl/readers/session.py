"""Sessions: what readers collect of one, within limits and without secrets, and the trajectory that it makes."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, final

from ebmhw.karl.readers.parts import brief
from ebmhw.karl.readers.reader import Problem, Report
from ebmhw.karl.tools import BASH, PARAM_CHARS, canonical, cut, key_params
from ebmhw.karl.trajectory import EVENTS_LIMIT, PROMPT_CHARS, TURN_CHARS, TURNS_LIMIT, ToolEvent, Trajectory, Turn, trajectory_id

NAME_CHARS = 500
"""Of a name of a session, folder, repository, model, user or task."""

BACK_S = 60.0
"""Seconds that the times of a session may go back: what runs at once is logged out of order; more is a clock that was set."""

OPEN_CHARS = 2**26
"""Characters, about, that sessions of one file keep while their ends are not known."""

_COMMAND_CHARS = 20_000
_OUTPUT_CHARS = 200_000
"""Of an output, from its end, that is searched for counts of tests."""

_TOOLS_LIMIT = 1000
"""Names of tools that a session counts apart; later ones are "unknown"."""

_EVENT_CHARS = 700
"""What an event takes, about: object, mapping of parameters, texts."""

_HEAD = re.compile(
    r"(?:\A|\n)(?:Error:\s{0,4})?"
    r"(?:Exit code:? |Process exited with code |Command failed with exit code |(?:Command )?exited with (?:exit )?code )(-?\d{1,10})\b",
    re.IGNORECASE,
)
_TAIL = re.compile(r"\[[^\[\]\n]{0,100}\bexit code (-?\d{1,10})\.?\]", re.IGNORECASE)


def exit_code_in(output: str) -> int | None:
    """Return the exit code that agents write at the start or the end of a command's output, None where there is none.

    "Exit code 1" (Claude Code), "Exit code: 1", "Process exited with code 1" (Codex), "[The command completed with exit code 1.]" (OpenHands).
    """
    found = _HEAD.search(output[:400])
    if found is None:
        at_end = list(_TAIL.finditer(output[-400:]))
        found = at_end[-1] if at_end else None
    return None if found is None else int(found[1])


@final
class SessionBuilder:
    """One session while it is read.

    Of the texts only what `Trajectory` keeps is held, cut and without secrets. Outputs of tools are looked at, not kept.

    Attributes
    ----------
    session_id : the agent's own name of the session
    agent, model, cwd, git_repo, user, task, skill, domain, label_source : as of `Trajectory`; a reader sets what it finds
    verified : 0 to 1, by whoever checked the result
    prompt : what was asked first, where that is not the first turn of the user
    started_at, ended_at : Unix seconds, found from the times that are given
    kept_chars : what it holds, about
    """

    def __init__(self, session_id: str, agent: str | None = None, *, path: Path | str = "", report: Report | None = None, part: int = 0) -> None:
        self.session_id = _clean(cut(session_id, NAME_CHARS)) or "session"
        self.part = part
        self.agent = agent
        self.model: str | None = None
        self.cwd: str | None = None
        self.git_repo: str | None = None
        self.user: str | None = None
        self.task: str | None = None
        self.skill: str | None = None
        self.domain: str | None = None
        self.label_source: str | None = None
        self.verified: float | None = None
        self.prompt: str | None = None
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self.kept_chars = 0
        self._path, self._report = str(path), report
        self._events: list[ToolEvent] = []
        self._turns: list[Turn] = []
        self._keys: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._prompts: list[str] = []
        self._build: bool | None = None
        self._calls: dict[str | None, _Call] = {}
        self._unnamed: deque[str] = deque()
        self._last: float | None = None
        self._jumped = False

    @property
    def empty(self) -> bool:
        """Whether nothing was said and nothing called."""
        return not self._turns and not self._counts

    @property
    def calls(self) -> int:
        """How many calls there were."""
        return sum(self._counts.values())

    def waits(self, call_id: str) -> bool:
        """Tell whether a call waits for its result."""
        call = self._calls.get(brief(call_id))
        return call is not None and not call.ended

    def rename(self, session_id: str) -> None:
        """Give the session another name, where the first was that of its file."""
        self.session_id = _clean(cut(session_id, NAME_CHARS)) or self.session_id

    @property
    def turns(self) -> int:
        """How many turns are kept."""
        return len(self._turns)

    def turn(self, role: str, text: str, ts: float | None = None, *, key: str | None = None, prompt: bool | None = None) -> int | None:
        """Add what one side said; return its index, None beyond `TURNS_LIMIT`.

        Parameters
        ----------
        role : "system", "user", "assistant" or "tool"
        text : may be empty, as of an answer that only calls tools
        ts : Unix seconds
        key : the agent's name of the message; parts that come with the same one make one turn
        prompt : whether a user asks here, so that it counts for the outcome; where it is None, every text of role "user" does
        """
        self.seen(ts)
        key = brief(key)
        kept = _clean(cut(text, TURN_CHARS))
        if (role == "user" if prompt is None else prompt) and kept.strip() and len(self._prompts) < TURNS_LIMIT:
            self._prompts.append(kept)
        known = None if key is None else self._keys.get(key)
        if known is not None:
            old = self._turns[known]
            # A message that is written while it comes stands there twice.
            if kept and not old.text.endswith(kept):
                joined = f"{old.text}\n\n{kept}"[:TURN_CHARS] if old.text else kept
                self.kept_chars += len(joined) - len(old.text)
                self._turns[known] = old._replace(text=joined)
            return known
        if len(self._turns) >= TURNS_LIMIT:
            return None
        self._turns.append(Turn(role, kept, ts))
        self.kept_chars += len(kept) + 200
        if key is not None:
            self._keys[key] = len(self._turns) - 1
        return len(self._turns) - 1

    def call(
        self,
        call_id: str | None,
        tool: object,
        arguments: object = None,
        ts: float | None = None,
        turn: int | None = None,
        command: str | None = None,
        *,
        created: bool | None = None,
    ) -> bool:
        """Add a call of a tool; return False for one whose id came before, which is not counted again.

        Parameters
        ----------
        call_id : the agent's name of the call, None where it gives none: then results come in the order of the calls
        tool : its name, as the agent writes it
        arguments : its parameters, a mapping (or nothing that is kept)
        ts : when it began, Unix seconds
        turn : index of the turn that called it; the last one where it is None and that is the assistant's
        command : the whole command line of a shell, where ``arguments`` does not hold it under its usual name
        created : whether it makes a file that was not there, where the call says so
        """
        call_id = brief(call_id)
        if call_id is not None and call_id in self._calls:
            return False
        self.seen(ts)
        name = _tool(tool) if isinstance(tool, str) else canonical(tool)
        if name not in self._counts and len(self._counts) >= _TOOLS_LIMIT:
            name = "unknown"
        self._counts[name] = self._counts.get(name, 0) + 1
        if len(self._events) >= EVENTS_LIMIT:
            return True
        if turn is None and self._turns and self._turns[-1].role == "assistant":
            turn = len(self._turns) - 1
        params = {key: _clean(value) for key, value in key_params(arguments).items()}
        if command is None and name == BASH:
            command = command_of(arguments)
        if command is not None and "command" not in params and command:
            params["command"] = _clean(cut(command, PARAM_CHARS))
        self._events.append(ToolEvent(name, params, ts=ts, created=created, turn=turn))
        self.kept_chars += _EVENT_CHARS
        if call_id is None:
            call_id = f"\0{len(self._events)}"
            self._unnamed.append(call_id)
        self._calls[call_id] = _Call(len(self._events) - 1, ts, command if name == BASH else None)
        return True

    def result(
        self,
        call_id: str | None,
        output: str = "",
        success: bool | None = None,
        exit_code: int | None = None,
        ts: float | None = None,
        *,
        created: bool | None = None,
        duration_s: float | None = None,
        tests: int | None = None,
    ) -> bool:
        """Add what came of a call; return False where no call waits for it (it had one, lies beyond the limit, or never was).

        Parameters
        ----------
        call_id : as of `call`; None for the earliest call without one that waits
        output : what the tool wrote; exit codes and counts of tests of shell commands are looked for in it
        success : None where it is not known; then the exit code tells, where that is known
        exit_code : of a shell command
        ts : when it ended, Unix seconds
        created : whether it made a file that was not there
        duration_s : where the agent measured it; else from the times
        tests : tests that were collected, where the agent says so
        """
        self.seen(ts)
        if call_id is None:
            if not self._unnamed:
                return False
            call_id = self._unnamed.popleft()
        call_id = brief(call_id)
        call = self._calls.get(call_id)
        if call is None or call.ended:
            return False
        call.ended = True
        event = self._events[call.index]
        if event.tool == BASH:
            # What passed may print anything, also what looks like the agent's words.
            exit_code = _code(exit_code) if exit_code is not None else None if success else exit_code_in(output)
            if tests is None and call.tests:
                from ebmhw.karl.commands import tests_collected

                tests = tests_collected(call.command, output[-_OUTPUT_CHARS:])
        if success is None and exit_code is not None:
            success = exit_code == 0
        call.command = ""
        self._built(call, success)
        if duration_s is None and ts is not None and call.ts is not None and ts >= call.ts:
            duration_s = ts - call.ts
        self._events[call.index] = event._replace(
            success=success,
            exit_code=exit_code if event.tool == BASH else None,
            ts=ts if ts is not None else event.ts,
            duration_s=duration_s if duration_s is not None and 0 <= duration_s < 1e9 else None,
            tests=tests,
            created=created if created is not None or success is False else event.created,
        )
        return True

    def amend(self, call_id: str, success: bool | None, exit_code: int | None = None) -> None:
        """Add what an agent tells about a call's end behind its result; what the result told stays."""
        call = self._calls.get(brief(call_id))
        if call is None or not call.ended:
            return
        event = self._events[call.index]
        if event.success is None:
            self._built(call, success)
            event = event._replace(success=success)
        if event.tool == BASH and event.exit_code is None:
            event = event._replace(exit_code=_code(exit_code))
        self._events[call.index] = event

    def _built(self, call: _Call, success: bool | None) -> None:
        if call.build and success is not None:
            self._build = success

    def seen(self, ts: float | None) -> None:
        """Take note of a time of the session, Unix seconds."""
        if ts is None:
            return
        if self.started_at is None or self.ended_at is None:
            self.started_at = self.ended_at = ts
        self.started_at, self.ended_at = min(self.started_at, ts), max(self.ended_at, ts)
        if self.ended_at - ts > BACK_S and not self._jumped:
            self._jumped = True
            if self._report is not None:
                back = self.ended_at - ts
                self._report(
                    Problem(self._path, None, f"the clock of session {self.session_id} goes back by {back:.0f} s; its duration is left unknown")
                )

    def build(self) -> Trajectory:
        """Return the trajectory of what was collected.

        Its duration is None where the times go back by more than `BACK_S`; its start and end are then the earliest and the latest time.
        """
        from ebmhw.karl.prompts import outcome_of

        known = self.started_at is not None and self.ended_at is not None and not self._jumped
        outcome = outcome_of(self._prompts, [] if self._build is None else [self._build])
        return Trajectory(
            id=trajectory_id(self.session_id, self.part),
            session_id=self.session_id,
            events=tuple(self._events),
            turns=tuple(self._turns),
            outcome=outcome._replace(verified=self.verified),
            started_at=self.started_at,
            ended_at=self.ended_at,
            duration_s=self.ended_at - self.started_at if known and self.ended_at is not None and self.started_at is not None else None,
            skill=_name(self.skill),
            domain=_name(self.domain),
            label_source=self.label_source,
            prompt=_clean(cut(self.prompt, PROMPT_CHARS)) if self.prompt is not None else self._prompts[0][:PROMPT_CHARS] if self._prompts else "",
            cwd=_name(self.cwd),
            git_repo=_name(self.git_repo),
            user=_name(self.user),
            agent=_name(self.agent),
            model=_name(self.model),
            task=_name(self.task),
            tool_counts=dict(self._counts),
        )


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


def command_of(arguments: Any) -> str | None:
    """Return the whole command line of a shell call's arguments, None where there is none."""
    if not isinstance(arguments, Mapping):
        return None
    value = arguments.get("command") or arguments.get("cmd")
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and value and all(isinstance(part, str) for part in value):
        # ["bash", "-lc", "make test"] is what runs "make test".
        return str(value[2]) if len(value) == 3 and value[1] in ("-c", "-lc") else " ".join(value)
    return None


def _code(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**32 else None


def _name(value: object) -> str | None:
    return _clean(cut(value, NAME_CHARS)) or None if isinstance(value, str) else None


@lru_cache(maxsize=1000)
def _tool(name: str) -> str:
    return canonical(_clean(cut(name, NAME_CHARS)))


def _clean(text: str) -> str:
    """Return a text that can be written as UTF-8: halves of surrogate pairs, which JSON within JSON can hold, become question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
