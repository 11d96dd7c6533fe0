"""Putting what was made in place: all of it, or none."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from ebmhw.errors import FirmwareError


def check_ours(folder: Path, names: Collection[str]) -> None:
    """Raise FirmwareError where something is in the place of a folder that is to be replaced and make firmware did not write it.

    ``--out /usr`` would else take the place of /usr/share.
    """
    if not os.path.lexists(folder):
        return
    if folder.is_symlink() or not folder.is_dir():
        raise FirmwareError(f"{folder} is no folder, and is to be one; move it away, or give another --out")
    others = sorted({path.name for path in folder.iterdir()} - set(names))
    if others:
        raise FirmwareError(f"{folder} holds {', '.join(others[:3])}, which make firmware does not write; move it away, or give another --out")


def put_in_place(places: Mapping[Path, Path], outdated: Iterable[Path], aside: Path) -> None:
    """Move new files and folders to their places, and what is there now and what is outdated aside; undo all where one cannot be moved.

    Parameters
    ----------
    places : of each new one, where it goes; on the same file system
    outdated : what goes without being replaced
    aside : empty folder on the same file system
    """
    there = [place for place in (*places.values(), *outdated) if os.path.lexists(place)]
    moves = [(place, aside / str(number)) for number, place in enumerate(there)] + list(places.items())
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            # Noted first: an interrupt may come right after the move.
            done.append((source, target))
            os.rename(source, target)
    except BaseException:
        for source, target in reversed(done):
            if os.path.lexists(target) and not os.path.lexists(source):
                os.rename(target, source)
        raise
