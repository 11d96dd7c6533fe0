"""Event files: conversations that OpenHands keeps with one file an event (``<conversation>/events/17.json``, ``events/event-00017-<id>.json``)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from ebmhw.karl.readers.decoding import NotJson, value_of
from ebmhw.karl.readers.folders import opened
from ebmhw.karl.readers.lines import LINE_BYTES
from ebmhw.karl.readers.reader import Problem, Report

FOLDER = "events"

_NAME = re.compile(r"(?:event-)?(\d{1,9})(?:-[0-9A-Za-z-]{1,100})?\.json\Z", re.ASCII)


def event_files(path: Path) -> tuple[Path, ...]:
    """Return the files of the conversation that a file is an event of, in their order; none where it is no such file."""
    if path.parent.name != FOLDER or _NAME.match(path.name) is None:
        return ()
    try:
        return _files_in(path.parent, path.parent.stat().st_mtime_ns)
    except OSError:
        return ()


def events_in(files: tuple[Path, ...], report: Report) -> Iterator[Any]:
    """Yield the events of the files of a conversation; files that cannot be read, and numbers without a file, are reported."""
    missing = _number(files[-1].name) - _number(files[0].name) + 1 - len(files)
    if missing > 0:
        report(Problem(str(files[0].parent), None, f"{missing} of its events have no file; the others are read"))
    for file in files:
        with opened(file, report) as stream:
            raw = stream.read(LINE_BYTES + 1)
        if len(raw) > LINE_BYTES:
            report(Problem(str(file), None, f"the event has more than {LINE_BYTES} bytes, the limit; it is skipped"))
            continue
        try:
            yield value_of(raw)
        except NotJson as error:
            report(Problem(str(file), None, f"{error}; the event is skipped"))


@lru_cache(maxsize=4)
def _files_in(folder: Path, changed: int) -> tuple[Path, ...]:
    # Each file of a folder asks for them all.
    names = [entry.name for entry in os.scandir(folder) if _NAME.match(entry.name) and entry.is_file()]
    return tuple(folder / name for name in sorted(names, key=lambda name: (_number(name), name)))


def _number(name: str) -> int:
    found = _NAME.match(name)
    return 0 if found is None else int(found[1])
