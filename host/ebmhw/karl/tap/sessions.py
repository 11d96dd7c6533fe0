"""Sessions: the trajectory that the lines of a buffer make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, final

from ebmhw.errors import InvalidTrajectory, NewerRecord, shown
from ebmhw.karl.prompts import outcome_of
from ebmhw.karl.tap.events import PROMPT, TOOL, VERSION
from ebmhw.karl.tap.handles import line_of
from ebmhw.karl.tap.identities import NAME_CHARS
from ebmhw.karl.tap.values import flag, number, text, whole
from ebmhw.karl.tools import KEYS, PARAM_CHARS, canonical, cut, session_name
from ebmhw.karl.trajectory import EVENTS_LIMIT, PROMPT_CHARS, TURNS_LIMIT, ToolEvent, Trajectory, Turn, trajectory_id

LONGEST_S = 30 * 86400.0
"""A session that took longer by the wall clock alone is one whose clock was set; its duration is not known."""

_KNOWN = 200_000
"""Names of calls and events that are compared with those of later ones, so that what was written twice counts once."""

_TOOLS = 1000

Line = str | bytes | Mapping[str, Any]


def session_of(lines: Iterable[Line], *, part: int = 0, on_problem: Callable[[int, str], object] | None = None) -> Trajectory:
    """Return the trajectory of a session.

    Parameters
    ----------
    lines : of its buffer, in their order, as JSON or parsed; no file is read
    part : 0, 1, ... of a session that ended and was taken up again
    on_problem : given the number (from 1) of a line that cannot be read, which is left out, and what is wrong with it

    Raises
    ------
    InvalidTrajectory : no line can be read
    NewerRecord : a line was written by a later version
    """
    made = _Session()
    for place, line in enumerate(lines, 1):
        value = _parsed(line)
        if value is None:
            if on_problem is not None and (not isinstance(line, (str, bytes)) or line.strip()):
                on_problem(place, f"the line is {_told(line)}, as of a process that was killed; it is left out")
            continue
        version = value.get("v")
        if isinstance(version, int) and version > VERSION:
            raise NewerRecord(f"line {place} has version {shown(version)}, this package reads up to {VERSION}; fold the file with a later ebmhw")
        made.add(value)
    return made.trajectory(part)


@final
class _Session:
    """What is known of a session while its lines are read."""

    def __init__(self) -> None:
        self.session: str | None = None
        self.told: dict[str, str] = {}
        self.events: list[ToolEvent] = []
        self.turns: list[Turn] = []
        self.counts: dict[str, int] = {}
        self.builds: list[bool] = []
        self.known: set[Any] = set()
        self.clock = _Clock()
        self.recorded: float | None = None

    def add(self, line: Mapping[str, Any]) -> None:
        session = text(line.get("session"))
        if session is None or self._twice(line):
            return
        self.session = self.session or session_name(session)
        ts = self.clock.moment(line)
        self.recorded = number(line.get("t")) or self.recorded
        for name in ("agent", "model", "user", "cwd", "repo", "domain", "skill", "invoked"):
            value = text(line.get(name))
            # The model may change; the last one did most.
            if value is not None and (name == "model" or name not in self.told):
                self.told[name] = cut(value, NAME_CHARS)
        if line.get("kind") == PROMPT:
            prompt = line.get("prompt")
            if isinstance(prompt, str) and prompt.strip() and len(self.turns) < TURNS_LIMIT:
                self.turns.append(Turn("user", prompt[:PROMPT_CHARS], ts))
        elif line.get("kind") == TOOL:
            self._call(line, ts)

    def trajectory(self, part: int) -> Trajectory:
        if self.session is None:
            raise InvalidTrajectory("no line of the buffer can be read; a line is JSON with the members v, kind, session, id and t")
        told, prompts = self.told, [turn.text for turn in self.turns]
        duration = self.clock.duration
        started = self.clock.first
        return Trajectory(
            id=trajectory_id(self.session, part),
            session_id=self.session,
            events=tuple(self.events),
            turns=tuple(self.turns),
            outcome=outcome_of(prompts, self.builds),
            channel="live",
            recorded_at=self.recorded,
            started_at=started,
            ended_at=None if started is None or duration is None else started + duration,
            duration_s=duration,
            skill=told.get("skill") or told.get("invoked"),
            domain=told.get("domain"),
            label_source="routing" if "skill" in told or "domain" in told else "invocation" if "invoked" in told else None,
            prompt=prompts[0] if prompts else "",
            cwd=told.get("cwd"),
            git_repo=told.get("repo"),
            user=told.get("user"),
            agent=told.get("agent"),
            model=told.get("model"),
            tool_counts=self.counts,
        )

    def _twice(self, line: Mapping[str, Any]) -> bool:
        """Tell whether a line was there before: by its own id, or as the same call told by hooks that are installed twice."""
        names: list[Any] = [line["id"]] if isinstance(line.get("id"), str) else []
        if isinstance(line.get("call"), str):
            names.append((text(line.get("kind")), line["call"], text(line.get("prompt"))))
        if any(name in self.known for name in names):
            return True
        if len(self.known) < _KNOWN:
            self.known.update(names)
        return False

    def _call(self, line: Mapping[str, Any], ts: float | None) -> None:
        tool = canonical(line.get("tool"))
        if tool not in self.counts and len(self.counts) >= _TOOLS:
            tool = "unknown"
        self.counts[tool] = self.counts.get(tool, 0) + 1
        success = flag(line.get("ok"))
        if line.get("build") is True and success is not None:
            self.builds.append(success)
        if len(self.events) >= EVENTS_LIMIT:
            return
        params = line.get("params")
        kept = params.items() if isinstance(params, Mapping) else ()
        self.events.append(
            ToolEvent(
                tool,
                {name: value[:PARAM_CHARS] for name, value in kept if isinstance(value, str) and name in KEYS},
                success,
                whole(line.get("exit")),
                ts,
                number(line.get("s")),
                whole(line.get("tests")),
                flag(line.get("created")),
            )
        )


@final
class _Clock:
    """Times of a session's lines: by the steady clock from the first line on, as long as the machine is not started anew; else by the wall clock.

    Attributes
    ----------
    first : Unix seconds of the first line, by its wall clock
    """

    def __init__(self) -> None:
        self.first: float | None = None
        self._boot: Any = None
        self._up: float | None = None
        self._steady, self._sane = True, True
        self._longest = 0.0
        self._wall: float | None = None

    def moment(self, line: Mapping[str, Any]) -> float | None:
        """Return when a line was written, as Unix seconds; None where the clocks do not agree."""
        wall, up, boot = number(line.get("t")), number(line.get("up")), text(line.get("boot"))
        if self.first is None:
            self.first, self._up, self._boot, self._wall = wall, up, boot, wall
            return wall
        if wall is None or (self._wall is not None and wall < self._wall):
            self._sane = False
        self._wall = wall
        if self._up is not None and up is not None and boot is not None and boot == self._boot and up >= self._up:
            self._longest = max(self._longest, up - self._up)
            return self.first + (up - self._up)
        self._steady = False
        return wall if self._sane else None

    @property
    def duration(self) -> float | None:
        """Seconds from the first line to the last, None where they cannot be known."""
        if self.first is None:
            return None
        if self._steady:
            return self._longest
        if not self._sane or self._wall is None or self._wall - self.first > LONGEST_S:
            return None
        return self._wall - self.first


def _parsed(line: Line) -> Mapping[str, Any] | None:
    return line if isinstance(line, Mapping) else line_of(line)


def _told(line: Line) -> str:
    """Return a line as it may stand in a message: what is cut there must not be the rest of a secret."""
    if isinstance(line, Mapping):
        return f"a {type(line).__name__}"
    return shown(cut(line.decode("utf-8", "replace") if isinstance(line, bytes) else line, NAME_CHARS))
