"""Which sessions a run trains on, and their mark in the store."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, final

import click

from ebmhw.cli.karl import source

MANIFEST = "manifest.json"
_BYTES = 2**28


@final
class TrainedOn(NamedTuple):
    """Sessions of a training set, and the store that is to know of them.

    Attributes
    ----------
    ids : of the sessions, none twice
    store : the file, None where there is none
    named : whether the user named it
    """

    ids: tuple[str, ...]
    store: Path | None
    named: bool

    def mark(self, again: str) -> int | None:
        """Mark the sessions that the store holds, and return how many those are; None where there is no store, or none of them is in it.

        What hinders it is a warning: the adapter is there. ``again`` is the command that would mark them.
        """
        from ebmhw.errors import EbmhwError
        from ebmhw.karl import Store

        if self.store is None or not self.ids:
            return None
        if not os.path.exists(self.store):
            click.echo(f"warning: the store {self.store} is gone, so that no session was marked as trained on; to mark them: {again}", err=True)
            return None
        try:
            with Store(self.store, read_only=True) as opened:
                there = set(opened.ids())
            known = [name for name in self.ids if name in there]
            if known:
                with Store(self.store) as opened:
                    opened.mark_trained(known)
        except EbmhwError as error:
            click.echo(
                f"warning: {len(self.ids):,} sessions were not marked as trained on: {source.word(str(error), 500)}. The adapter is kept; to "
                f"mark them later: {again}",
                err=True,
            )
            return None
        missing = len(self.ids) - len(known)
        if missing and (self.named or known):
            click.echo(f"warning: {missing:,} of the {len(self.ids):,} sessions trained on are not in the store {self.store}", err=True)
        return len(known) if known or self.named else None


def trained_on(data: str | os.PathLike[str], store: Path | None) -> TrainedOn:
    """Return the sessions of an exported folder's train.jsonl, by its manifest; none where it has no manifest and no store is named."""
    if store is not None and not os.path.lexists(store):
        raise click.UsageError(f"there is no store {store}; give that of the sessions, or leave --store out")
    found = source.store_path(store)
    path = Path(data) / MANIFEST
    try:
        ids = _ids(path)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        if store is not None:
            raise click.UsageError(
                f"--store: {path} does not say which sessions are in the set; give data that `ebmhw karl export` wrote, or leave --store out"
            ) from None
        ids = ()
    return TrainedOn(ids, found if os.path.lexists(found) else None, store is not None)


def _ids(path: Path) -> tuple[str, ...]:
    with open(path, "rb") as stream:
        given: Iterable[object] = json.loads(stream.read(_BYTES))["ids"]["train"]
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise TypeError
    # What was made of commits is no session.
    return tuple(dict.fromkeys(str(one) for one in given if not str(one).startswith("extra:")))
