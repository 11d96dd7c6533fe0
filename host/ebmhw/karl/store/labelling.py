"""Labelling: skills and domains of stored records by rules."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from ebmhw.errors import InvalidTrajectory, shown
from ebmhw.karl.record import Scored
from ebmhw.karl.store.database import Database
from ebmhw.karl.store.merging import PRIORITIES, weight
from ebmhw.karl.store.putting import update
from ebmhw.karl.store.rows import READ, columns_of, ready, scored_of
from ebmhw.karl.trajectory import Trajectory

BATCH = 256
"""Records of a transaction."""

Label = tuple[str | None, str | None, str | None]


def relabel(database: Database, rules: Any, records: Iterable[tuple[Scored, Any]]) -> int:
    """Label records; return how many changed."""
    made: Callable[[Trajectory], Any] = _by(rules) if hasattr(rules, "label") else rules
    # Rules run over a snapshot, outside transactions: they may be slow, and may be anybody's.
    labels = (
        (scored.trajectory.id, label)
        for scored, _ in records
        if (label := _label(made(scored.trajectory), scored.trajectory)) is not None and _changes(scored.trajectory, label)
    )
    changed = 0
    while batch := list(islice(labels, BATCH)):
        with database.writing() as connection:
            for identity, label in batch:
                row = connection.execute(f"SELECT number, {', '.join(READ)} FROM record WHERE id = ?", (identity,)).fetchone()
                # It may have been labelled or deleted since.
                if row is None:
                    continue
                scored = scored_of(row[1:], database.path)
                if not _changes(scored.trajectory, label):
                    continue
                after = ready(scored.trajectory.but(skill=label[0], domain=label[1], label_source=label[2]))
                columns = columns_of(after.trajectory, after.text) | {"stored": time.time()}
                if after.trajectory.domain != scored.trajectory.domain:
                    columns["advantage"] = None
                update(connection, row[0], columns)
                changed += 1
    return changed


def _by(rules: Any) -> Callable[[Trajectory], Label]:
    """Return the label that a session gets by rules when it is read."""
    from ebmhw.karl.rules import labelled

    def label(trajectory: Trajectory) -> Label:
        found = labelled(trajectory, rules)
        return found.skill, found.domain, found.label_source

    return label


def _changes(trajectory: Trajectory, label: Label) -> bool:
    labelled = trajectory.skill is not None or trajectory.domain is not None
    if labelled and weight(label[2]) < weight(trajectory.label_source):
        return False
    if label[2] == "rules" and trajectory.domain is not None and (trajectory.label_source is None or trajectory.label_source not in PRIORITIES):
        # A source's own domain (a benchmark's) is no guess.
        return False
    return (trajectory.skill, trajectory.domain, trajectory.label_source) != label


def _label(value: Any, trajectory: Trajectory) -> Label | None:
    if value is None:
        return None
    try:
        skill, domain, source = value
    except (TypeError, ValueError):
        raise InvalidTrajectory(f"the label of {trajectory.id} is {shown(value)}; give (skill, domain, source) or None") from None
    for part in (skill, domain, source):
        if part is not None and not isinstance(part, str):
            raise InvalidTrajectory(f"the label of {trajectory.id} holds {shown(part)}; give texts or None")
    # An empty name is none, as in records.
    label = (skill or None, domain or None, source or None)
    return label if label[0] or label[1] else None
