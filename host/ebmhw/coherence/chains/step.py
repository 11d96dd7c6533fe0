"""Step: one thing that happened."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from math import isfinite
from typing import Any, final

from ebmhw.coherence.chains.actions import ActionType
from ebmhw.coherence.chains.lines import content_hash
from ebmhw.coherence.chains.values import plain
from ebmhw.errors import ValidationError, shown
from ebmhw.redaction import without_secrets

MAX_ID = 128
"""Characters of an id."""


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(timezone.utc)


def new_id() -> str:
    """Return a random id of 12 hexadecimal digits."""
    return uuid.uuid4().hex[:12]


@final
@dataclass(frozen=True, eq=False)
class Step:
    """One step of a chain; it does not change.

    Attributes
    ----------
    action, name : what kind, and which one
    input, output : anything; what a file holds of it is `ebmhw.coherence.chains.values.plain`
    success : whether it worked
    started_at : in UTC; a time of another zone is converted, one without a zone refused
    duration_ms : 0 or more, None where unknown
    parent_id, step_id, session_id, trace_id : texts; ``step_id`` is unique within a chain, ``parent_id`` that of another step of it, or None
    phi, kuramoto_r : 0 to 1, None where unknown
    channel_coherence : further measures by name, finite
    probe_call : which probe measured them, and digests of what it was given and gave; or the error that it ended with
    eml_tree, semantic_refs : dicts of whoever records, or None

    Raises
    ------
    ValidationError
        for any other value, naming the member.
    """

    action: ActionType
    name: str
    input: Any = None
    output: Any = None
    success: bool = True
    started_at: datetime = field(default_factory=now)
    duration_ms: float | None = None
    parent_id: str | None = None
    step_id: str = field(default_factory=new_id)
    session_id: str | None = None
    trace_id: str | None = None
    phi: float | None = None
    kuramoto_r: float | None = None
    channel_coherence: Mapping[str, float] | None = None
    probe_call: Mapping[str, Any] | None = None
    eml_tree: Mapping[str, Any] | None = None
    semantic_refs: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "action", ActionType(self.action))
        except (ValueError, TypeError):
            raise ValidationError(f"action of a step is {_shown(self.action)}; give an ActionType, such as {ActionType.TOOL_CALL.value!r}") from None
        if not isinstance(self.name, str):
            raise ValidationError(f"name of a step is {_shown(self.name)}; give a text")
        if not isinstance(self.success, bool):
            raise ValidationError(f"success of a step is {_shown(self.success)}; give True or False")
        object.__setattr__(self, "started_at", in_utc(self.started_at, "started_at of a step"))
        for name, most in (("duration_ms", None), ("phi", 1.0), ("kuramoto_r", 1.0)):
            object.__setattr__(self, name, _measure(getattr(self, name), f"{name} of a step", 0.0, most))
        checked_id(self.step_id, "step_id of a step")
        for name in ("parent_id", "session_id", "trace_id"):
            if getattr(self, name) is not None:
                checked_id(getattr(self, name), f"{name} of a step")
        if self.parent_id == self.step_id:
            raise ValidationError(f"parent_id of step {self.step_id!r} is its own step_id; give another step's, or None")
        for name in ("channel_coherence", "probe_call", "eml_tree", "semantic_refs"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, Mapping):
                raise ValidationError(f"{name} of a step is {_shown(value)}; give a dict, or None")
        if self.channel_coherence is not None:
            known = {str(key): _measure(value, f"channel_coherence[{key!r}] of a step") for key, value in self.channel_coherence.items()}
            object.__setattr__(self, "channel_coherence", known)

    def to_dict(self) -> dict[str, Any]:
        """Return the members as JSON can hold them, without secrets, and the content_hash of the others."""
        told: dict[str, Any] = {
            "step_id": self.step_id,
            "action": self.action.value,
            "name": without_secrets(self.name),
            "input": plain(self.input),
            "output": plain(self.output),
            "success": self.success,
            "started_at": self.started_at.isoformat(),
            "duration_ms": self.duration_ms,
            "parent_id": self.parent_id,
            "session_id": None if self.session_id is None else without_secrets(self.session_id),
            "trace_id": None if self.trace_id is None else without_secrets(self.trace_id),
            "phi": self.phi,
            "kuramoto_r": self.kuramoto_r,
            "channel_coherence": plain(self.channel_coherence),
            "probe_call": plain(self.probe_call),
        }
        told |= {name: plain(getattr(self, name)) for name in ("eml_tree", "semantic_refs") if getattr(self, name) is not None}
        return told | {"content_hash": content_hash(told)}

    @classmethod
    def from_dict(cls, d: Any) -> Step:
        """Return the step that `to_dict` told; members that a step does not have are left out.

        Raises
        ------
        ValidationError
            where action, name, step_id or started_at is missing, or a value is not what it has to be.
        """
        if not isinstance(d, Mapping):
            raise ValidationError(f"a step is a {type(d).__name__}; give the dict of to_dict()")
        missing = [name for name in ("action", "name", "step_id", "started_at") if name not in d]
        if missing:
            raise ValidationError(f"a step lacks {', '.join(missing)}")
        told = {one.name: d[one.name] for one in fields(cls) if one.name in d}
        return cls(**told | {"started_at": time_of(d["started_at"], "started_at of a step")})

    def __eq__(self, other: object) -> bool:
        return self.to_dict() == other.to_dict() if isinstance(other, Step) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.step_id)


def in_utc(when: Any, what: str) -> datetime:
    """Return a time in UTC; ValidationError where it is none, or has no zone, naming ``what``."""
    if not isinstance(when, datetime) or when.tzinfo is None:
        raise ValidationError(f"{what} is {_shown(when)}; give a datetime with a time zone, such as datetime.now(timezone.utc)")
    try:
        return when.astimezone(timezone.utc)
    except OverflowError:
        raise ValidationError(f"{what} is {_shown(when)}; in UTC it is before the year 1 or after 9999") from None


def time_of(text: Any, what: str) -> datetime:
    """Return the time of an ISO 8601 text with a zone, in UTC; ValidationError for anything else, naming ``what``."""
    try:
        # Python 3.10 does not read Z.
        when = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except (ValueError, TypeError, AttributeError):
        raise ValidationError(f"{what} is {_shown(text)}; give a time of ISO 8601, such as 2026-01-31T12:00:00+00:00") from None
    return in_utc(when, what)


def checked_id(value: Any, what: str) -> str:
    """Return an id; ValidationError for anything but 1 to 128 printable characters, naming ``what``."""
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_ID or not value.isprintable():
        raise ValidationError(f"{what} is {_shown(value)}; give 1 to {MAX_ID} printable characters")
    return value


def _measure(value: Any, what: str, least: float | None = None, most: float | None = None) -> float | None:
    if value is None:
        return None
    number = value.item() if getattr(value, "shape", None) == () else value
    within = isinstance(number, (int, float)) and not isinstance(number, bool) and (isinstance(number, int) or isfinite(number))
    if not within or (least is not None and number < least) or (most is not None and number > most):
        limits = "a finite number" if least is None else "a finite number from 0 up" if most is None else "0 to 1"
        raise ValidationError(f"{what} is {_shown(value)}; give {limits}, or None where it is unknown")
    try:
        return float(number)
    except OverflowError:
        raise ValidationError(f"{what} is {_shown(value)}, beyond 1.8e308; give a finite number") from None


def _shown(value: Any) -> str:
    """Return a value as it may stand in a message; containers, whose printing can fail, by their kind."""
    if value is None or isinstance(value, (str, int, float, datetime)):
        return without_secrets(shown(value))
    return f"a {type(value).__name__}"
