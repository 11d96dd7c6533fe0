"""Telling: what another system says about sessions, noted to their records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ebmhw.karl.rules.events import CORRECTION, REDO, Event, join
from ebmhw.karl.rules.labels import labelled
from ebmhw.karl.store.annotating import Note
from ebmhw.karl.store.rows import without_halves
from ebmhw.karl.trajectory import Trajectory

if TYPE_CHECKING:
    from ebmhw.karl.store.store import Store


class Told(NamedTuple):
    """What events did.

    Attributes
    ----------
    events : those about a stored session, those included that changed nothing
    records : ids of records whose session has another outcome or label now
    left : events about no stored session
    """

    events: int
    records: frozenset[str]
    left: tuple[Event, ...]


def tell(store: Store, events: Iterable[Event]) -> Told:
    """Note corrections, redos, and labels by routing and invocation to the records that they are about, as `ebmhw.karl.rules.join` finds them.

    Telling the same again changes nothing: corrections are taken for those that a record counts already, as far as it does.
    """
    by_session: dict[str, list[Event]] = {}
    for event in events:
        # As records hold the names of sessions.
        by_session.setdefault(without_halves(event.session_id), []).append(event._replace(session_id=without_halves(event.session_id)))
    found = 0
    changed: set[str] = set()
    left: list[Event] = []
    for session, own in by_session.items():
        records = {scored.trajectory.id: scored.trajectory for scored in store.trajectories(session_id=session)}
        about: dict[str, list[Event]] = {}
        for event in own:
            owner = next(iter(join([event], records.values())), None)
            if owner is None:
                left.append(event)
            else:
                found += 1
                about.setdefault(owner, []).append(event)
        changed |= {identity for identity, given in about.items() if _noted(store, records[identity], given)}
    return Told(found, frozenset(changed), tuple(left))


def _noted(store: Store, trajectory: Trajectory, events: Sequence[Event]) -> bool:
    """Note the events about a record to it, and tell whether it changed."""
    label = labelled(trajectory, None, events)
    changed = label is not trajectory and store.put(label) == "updated"
    outcome, kinds = trajectory.outcome, [event.kind for event in events]
    told = kinds.count(CORRECTION)
    new = max(told - outcome.corrections, int(told > 0 and outcome.correction is not True), 0)
    notes = [Note(trajectory.session_id, correction=True, record=trajectory.id)] * new
    if REDO in kinds:
        notes.append(Note(trajectory.session_id, redo=True, record=trajectory.id))
    # Also what the record says already is noted: it stays when a longer version comes.
    store.annotate_many(notes)
    return changed or new > 0 or (REDO in kinds and outcome.redo is not True)
