"""Trajectory: one session of an agent, as every reader returns it and all that follows takes it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple, final

GLOBAL = "_global"
"""Domain of sessions that no rule gives one."""

PROMPT_CHARS = 500
TURN_CHARS = 4000
TURNS_LIMIT = 2000
EVENTS_LIMIT = 20_000
"""Of a session: what lies beyond is counted (`Trajectory.total_tools`, ``tool_counts``), not kept, so that memory has a bound."""


class ToolEvent(NamedTuple):
    """A call of a tool.

    Attributes
    ----------
    tool : its name, as of `ebmhw.karl.tools.canonical`
    params : as of `ebmhw.karl.tools.key_params`
    success : None where it is not known
    exit_code : of a shell command, None where it is not known
    ts : when it ended, Unix seconds
    duration_s : how long it took
    tests : tests that it collected or ran, where its output says so; 0 is a test run that tested nothing
    created : whether it made a file that was not there, None where it is not known
    turn : index of the turn that called it (`Trajectory.turns`)
    """

    tool: str
    params: Mapping[str, str] = MappingProxyType({})
    success: bool | None = None
    exit_code: int | None = None
    ts: float | None = None
    duration_s: float | None = None
    tests: int | None = None
    created: bool | None = None
    turn: int | None = None


class Turn(NamedTuple):
    """What one side said.

    Attributes
    ----------
    role : "system", "user", "assistant" or "tool"
    text : without secrets, `TURN_CHARS` characters at most
    ts : Unix seconds, or None
    """

    role: str
    text: str
    ts: float | None = None


class Outcome(NamedTuple):
    """What is known about how a session ended; None for what is not.

    Attributes
    ----------
    correction, redo : whether the user corrected the agent, or asked it to do it again
    build : whether its last build passed
    continued : whether the user went on working with it
    verified : 0 to 1 by whoever checked the result (a benchmark's reward); no signal reads it, evaluations do
    corrections : how many were counted
    """

    correction: bool | None = None
    redo: bool | None = None
    build: bool | None = None
    continued: bool | None = None
    verified: float | None = None
    corrections: int = 0


NOTHING_KNOWN = Outcome()


@final
@dataclass(frozen=True)
class Trajectory:
    """A session.

    Attributes
    ----------
    id : "traj_...", as of `trajectory_id`
    session_id : the agent's own name of the session
    events : its calls of tools, in their order
    turns : what was said, where the source holds it
    outcome : as of `Outcome`
    channel : "live" by a tap, "backfill" by a reader
    recorded_at, started_at, ended_at : Unix seconds
    duration_s : of the session, None where it is not known (clocks that jump, sources without times)
    skill, domain : labels; None where nothing gives one
    label_source : "routing", "invocation", "rules", or None: where the labels are from, the earlier weighing more
    prompt : what was asked first, `PROMPT_CHARS` characters at most
    cwd, git_repo : where it worked
    user, agent, model : who asked, which agent (or format) answered, by which model
    task : what sessions share that try the same thing (a benchmark's task), None where it is not known
    tool_counts : {tool: calls}, those beyond ``events`` included; counted where it is not given
    """

    id: str
    session_id: str
    events: tuple[ToolEvent, ...] = ()
    turns: tuple[Turn, ...] = ()
    outcome: Outcome = NOTHING_KNOWN
    channel: str = "backfill"
    recorded_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    duration_s: float | None = None
    skill: str | None = None
    domain: str | None = None
    label_source: str | None = None
    prompt: str = ""
    cwd: str | None = None
    git_repo: str | None = None
    user: str | None = None
    agent: str | None = None
    model: str | None = None
    task: str | None = None
    tool_counts: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.tool_counts and self.events:
            object.__setattr__(self, "tool_counts", dict(Counter(event.tool for event in self.events)))

    @property
    def total_tools(self) -> int:
        """Calls of tools, those that are not kept included."""
        return sum(self.tool_counts.values())

    @property
    def domain_or_global(self) -> str:
        """The domain, `GLOBAL` where there is none."""
        return self.domain or GLOBAL

    @property
    def task_key(self) -> str:
        """What stands for the task: ``task``, else a hash of the prompt."""
        if self.task:
            return self.task
        return "prompt:" + hashlib.sha256(" ".join(self.prompt.split()).lower().encode("utf-8", "replace")).hexdigest()[:16]

    def but(self, **changes: Any) -> Trajectory:
        """Return a copy with other values."""
        return replace(self, **changes)

    def __repr__(self) -> str:
        return f"Trajectory({self.id}, {self.domain_or_global}, {self.total_tools} calls, {len(self.turns)} turns)"


def trajectory_id(session_id: str, part: int = 0) -> str:
    """Return the id of a session's trajectory: the same for the same session, so that reading it twice makes no second record.

    Parameters
    ----------
    session_id : the agent's own name of the session
    part : 0, 1, ... of a session that ended and was taken up again
    """
    clean = "".join(letter for letter in session_id if letter.isascii() and letter.isalnum())[:8] or "session"
    return f"traj_{clean}_{hashlib.sha256(f'{session_id}/{part}'.encode('utf-8', 'replace')).hexdigest()[:16]}"
