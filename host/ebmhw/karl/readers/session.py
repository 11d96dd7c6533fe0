"""Sessions: what readers collect of one, within limits and without secrets, and the trajectory that it makes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import final

from ebmhw.karl.readers.calls import EVENT_CHARS, Calls
from ebmhw.karl.readers.decoding import writable
from ebmhw.karl.readers.members import brief
from ebmhw.karl.readers.reader import Problem, Report
from ebmhw.karl.tools import cut, session_name
from ebmhw.karl.trajectory import PROMPT_CHARS, TURN_CHARS, TURNS_LIMIT, Trajectory, Turn, trajectory_id

NAME_CHARS = 500
"""Of a name of a session, folder, repository, model, user or task."""

BACK_S = 60.0
"""Seconds that the times of a session may go back: what runs at once is logged out of order; more is a clock that was set."""

OPEN_CHARS = 2**26
"""Characters, about, that sessions of one file keep while their ends are not known."""


@final
class SessionBuilder:
    """One session while it is read.

    Of the texts only what `Trajectory` keeps is held, cut and without secrets. Outputs of tools are looked at, not kept.

    Attributes
    ----------
    agent, model, cwd, git_repo, user, task, skill, domain, label_source : as of `Trajectory`; a reader sets what it finds
    verified : 0 to 1, by whoever checked the result
    prompt : what was asked first, where that is not the first turn of the user
    started_at, ended_at : Unix seconds, found from the times that are given
    kept_chars : what it holds, about
    """

    def __init__(self, session_id: str, agent: str | None = None, *, path: Path | str = "", report: Report | None = None, part: int = 0) -> None:
        self.session_id = session_id
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
        self._calls = Calls()
        self._turns: list[Turn] = []
        self._keys: dict[str, int] = {}
        self._prompts: list[str] = []
        self._jumped = False

    @property
    def session_id(self) -> str:
        """The agent's own name of the session, as of `ebmhw.karl.tools.session_name`."""
        return self._session_id

    @session_id.setter
    def session_id(self, name: str) -> None:
        self._session_id = session_name(name) or "session"

    @property
    def empty(self) -> bool:
        """Whether nothing was said and nothing called."""
        return not self._turns and not self._calls.counts

    @property
    def nothing(self) -> str:
        """What to report of a session that is empty."""
        return f"session {self.session_id} holds no prompt, no answer and no call; it is skipped"

    @property
    def calls(self) -> int:
        """How many calls there were."""
        return sum(self._calls.counts.values())

    def waits(self, call_id: str) -> bool:
        """Tell whether a call waits for its result."""
        return self._calls.waits(call_id)

    def rename(self, session_id: str) -> None:
        """Give the session another name, where the first was that of its file."""
        self.session_id = session_id or self.session_id

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
        # One more than is read of it tells that it goes on.
        kept = _kept(text[: 2 * TURN_CHARS + 1])
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
        if self._calls.known(call_id):
            return False
        self.seen(ts)
        if turn is None and self._turns and self._turns[-1].role == "assistant":
            turn = len(self._turns) - 1
        before = len(self._calls.events)
        self._calls.add(call_id, tool, arguments, ts, turn, command, created)
        self.kept_chars += EVENT_CHARS * (len(self._calls.events) - before)
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
        return self._calls.end(call_id, output, success, exit_code, ts, created, duration_s, tests)

    def amend(self, call_id: str, success: bool | None, exit_code: int | None = None) -> None:
        """Add what an agent tells about a call's end behind its result; what the result told stays."""
        self._calls.amend(call_id, success, exit_code)

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
        outcome = outcome_of(self._prompts, [] if self._calls.build is None else [self._calls.build])
        return Trajectory(
            id=trajectory_id(self.session_id, self.part),
            session_id=self.session_id,
            events=tuple(self._calls.events),
            turns=tuple(self._turns),
            outcome=outcome._replace(verified=self.verified),
            started_at=self.started_at,
            ended_at=self.ended_at,
            duration_s=self.ended_at - self.started_at if known and self.ended_at is not None and self.started_at is not None else None,
            skill=_name(self.skill),
            domain=_name(self.domain),
            label_source=self.label_source,
            prompt=writable(cut(self.prompt, PROMPT_CHARS)) if self.prompt is not None else self._prompts[0][:PROMPT_CHARS] if self._prompts else "",
            cwd=_name(self.cwd),
            git_repo=_name(self.git_repo),
            user=_name(self.user),
            agent=_name(self.agent),
            model=_name(self.model),
            task=_name(self.task),
            tool_counts=dict(self._calls.counts),
        )


def _name(value: object) -> str | None:
    return writable(cut(value, NAME_CHARS)) or None if isinstance(value, str) else None


# Sessions of a benchmark have their system prompt in common: its secrets are looked for once, which makes reading tau-bench twice as fast.
@lru_cache(maxsize=64)
def _kept(text: str) -> str:
    return writable(cut(text, TURN_CHARS))
