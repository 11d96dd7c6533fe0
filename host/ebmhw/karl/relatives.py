"""Relatives: sessions that tell of each other, and so belong on one side of any split."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ebmhw.karl.exports.splitting import grouped
from ebmhw.karl.trajectory import Trajectory

PROMPT_CHARS = 20
"""Characters from which on an equal prompt is no chance: "go on" says nothing of its task."""


def relatives(trajectories: Iterable[Trajectory], identities: Collection[str]) -> frozenset[str]:
    """Return ids with those of all sessions that share a task, a prompt or the session itself with one of them, directly or through others."""
    names, keys = [], []
    for one in trajectories:
        prompt = " ".join(one.prompt.split()).lower()
        names.append(one.id)
        keys.append((("task", one.task_key), ("session", one.session_id), *((("prompt", prompt),) if len(prompt) >= PROMPT_CHARS else ())))
    groups = grouped(keys)
    wanted = set(identities)
    held = {group for group, name in zip(groups, names, strict=True) if name in wanted}
    return frozenset(identities) | {name for group, name in zip(groups, names, strict=True) if group in held}
