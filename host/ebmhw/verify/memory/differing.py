"""Differing: how one memory differs from another."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from ebmhw.verify.memory.state import Check, Count, State


class Item(NamedTuple):
    """A counter or a check that differs.

    Attributes
    ----------
    what : "count" or "check"
    name : "kind/name" of a counter; the first digits of question, response and key of a check
    before, after : its (tried, caught), or its verdict; None where it is not there
    """

    what: Literal["count", "check"]
    name: str
    before: Count | str | None
    after: Count | str | None


class Difference(NamedTuple):
    """How a memory differs from another one.

    Attributes
    ----------
    added : what only the other has
    removed : what only this one has
    changed : counters that have other counts, or the same counts by other sources (joined they add up)
    conflicts : what cannot both be true: counters of one source neither of which goes on from the other, as after a file was put back from an older
        copy; checks of the same texts, domains and version with other verdicts
    """

    added: tuple[Item, ...] = ()
    removed: tuple[Item, ...] = ()
    changed: tuple[Item, ...] = ()
    conflicts: tuple[Item, ...] = ()

    def __repr__(self) -> str:
        return f"Difference({_counts(*self)})"

    @property
    def same(self) -> bool:
        """True where nothing differs."""
        return not any(self)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {name: [item._asdict() for item in items] for name, items in self._asdict().items()}


class Change(NamedTuple):
    """What an import changed, or would change.

    Attributes
    ----------
    how : "merge" or "replace"
    dry_run : True where nothing was changed
    added, removed, changed : of this memory by it
    conflicts : between this memory as it was and the pack; of counters a merge keeps the larger numbers, of checks both
    """

    how: str
    dry_run: bool
    added: tuple[Item, ...]
    removed: tuple[Item, ...]
    changed: tuple[Item, ...]
    conflicts: tuple[Item, ...]

    def __repr__(self) -> str:
        return f"Change({self.how}{', dry run' if self.dry_run else ''}: {_counts(self.added, self.removed, self.changed, self.conflicts)})"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {name: [item._asdict() for item in value] if isinstance(value, tuple) else value for name, value in self._asdict().items()}


def difference(this: State, other: State) -> Difference:
    """Return how the other state differs from this one, each part in order of names."""
    added: list[Item] = []
    removed: list[Item] = []
    changed: list[Item] = []
    mine, theirs = this.totals, other.totals
    unlike = {(one.kind, one.name) for one in {*this.counters, *other.counters} if this.counters.get(one) != other.counters.get(one)}
    for kind, name in sorted(unlike):
        before, after = mine.get((kind, name)), theirs.get((kind, name))
        kept = added if before is None else removed if after is None else changed
        kept.append(Item("count", f"{kind}/{name}", before, after))
    for key in sorted({*this.checks} ^ {*other.checks}):
        if key in other.checks:
            added.append(Item("check", _name(other.checks[key]), None, other.checks[key].verdict))
        else:
            removed.append(Item("check", _name(this.checks[key]), this.checks[key].verdict, None))
    return Difference(tuple(added), tuple(removed), tuple(changed), (*_torn(this, other), *_contradicting(this, other)))


def _counts(added: tuple[Item, ...], removed: tuple[Item, ...], changed: tuple[Item, ...], conflicts: tuple[Item, ...]) -> str:
    return f"{len(added)} added, {len(removed)} removed, {len(changed)} changed, {len(conflicts)} conflicts"


def _torn(this: State, other: State) -> list[Item]:
    """Return the counters of one source of which neither goes on from the other."""
    found = []
    for counted in sorted({*this.counters} & {*other.counters}):
        mine, theirs = this.counters[counted], other.counters[counted]
        if (mine.tried - theirs.tried) * (mine.caught - theirs.caught) < 0:
            found.append(Item("count", f"{counted.kind}/{counted.name}", mine, theirs))
    return found


def _contradicting(this: State, other: State) -> list[Item]:
    """Return the checks that differ in their verdict alone, where neither left a domain unasked."""
    mine: dict[tuple[Any, ...], Check] = {_conditions(check): check for check in this.checks.values() if not check.failed}
    found = []
    for check in sorted(other.checks.values(), key=lambda check: check.key):
        one = mine.get(_conditions(check))
        if one is not None and not check.failed and one.verdict != check.verdict:
            found.append(Item("check", _name(one), one.verdict, check.verdict))
    return found


def _conditions(check: Check) -> tuple[Any, ...]:
    return check.question, check.response, check.given, check.domains, check.version


def _name(check: Check) -> str:
    return f"{check.question[:12]}/{check.response[:12]}/{check.key[:12]}"
