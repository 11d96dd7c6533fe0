"""Filters: which records are meant, as a condition of SQL."""

from __future__ import annotations

from typing import Any

from ebmhw.karl.store.rows import instant, without_halves
from ebmhw.karl.trajectory import GLOBAL

_TEXTS = ("skill", "user", "task", "agent", "model")


def condition(
    *,
    domain: str | None = None,
    since: Any = None,
    until: Any = None,
    scored: bool | None = None,
    held_out: bool | None = None,
    trained: bool | None = None,
    verified: bool | None = None,
    session_id: str | None = None,
    **texts: str | None,
) -> tuple[str, list[Any]]:
    """Return a condition and its values; what is None does not matter.

    Parameters
    ----------
    domain : `GLOBAL` for records without one
    since, until : when the session began, Unix seconds, ISO 8601 or a datetime, ``until`` excluded; sessions without times are in neither
    scored, held_out, trained, verified : whether there is a reward, it is held out, was trained on, has a verified outcome
    texts : skill, user, task, agent, model
    """
    parts: list[str] = []
    values: list[Any] = []
    if domain is not None:
        if domain == GLOBAL:
            parts.append("(domain IS NULL OR domain = ?)")
        else:
            parts.append("domain = ?")
        values.append(without_halves(domain))
    for name, sign, moment in (("since", ">=", since), ("until", "<", until)):
        if moment is not None:
            parts.append(f"started {sign} ?")
            values.append(instant(moment, name))
    for column, flag in (("reward", scored), ("trained", trained), ("verified", verified)):
        if flag is not None:
            parts.append(f"{column} IS {'NOT ' if flag else ''}NULL")
    if held_out is not None:
        parts.append("held_out = ?")
        values.append(int(held_out))
    for column, text in (("session", session_id), *((name, texts.pop(name, None)) for name in _TEXTS)):
        if text is not None:
            parts.append(f"{column} = ?")
            values.append(without_halves(text))
    if texts:
        offered = ("domain", "since", "until", "scored", "held_out", "trained", "verified", "session_id", *_TEXTS)
        raise TypeError(f"there is no filter {next(iter(texts))}; filters are {', '.join(offered)}")
    return " AND ".join(parts) or "1", values
