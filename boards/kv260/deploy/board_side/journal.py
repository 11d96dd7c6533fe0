"""The journal: what a deploy is about to change, noted on the medium before it is changed, so that whoever comes after can take it back."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from boards.kv260.deploy.board_side.folders import Pair, sync
from ebmhw.board.system import read_text
from ebmhw.errors import BoardError

JOURNAL: Final = "journal.json"
"""Its file, in the staging folder."""

VERSION: Final = 2
"""Of its form."""

_BYTES: Final = 1 << 20


@final
@dataclass
class Journal:
    """A deploy's changes so far.

    Attributes
    ----------
    who, since : whose deploy, and when it began
    boot : which start of the board it saw
    pairs : folders that are to take the place of others
    made : folder that was made for them, None where all were there
    before : what was loaded, from when on it may be unloaded
    host : archive of what the files of packages were, from when on they may be replaced
    packages : what PYNQ's Python had then, as `pynq_python.save` returns it
    """

    who: str
    since: str
    boot: str
    pairs: list[Pair]
    made: str | None = None
    before: list[str] | None = None
    host: str | None = None
    packages: dict[str, Any] | None = None

    def write(self, folder: Path) -> None:
        """Have it on the medium, whole."""
        path = str(folder / JOURNAL)
        with open(path + ".new", "w") as stream:
            json.dump(dict(dataclasses.asdict(self), version=VERSION), stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(path + ".new", path)
        sync(str(folder))

    @classmethod
    def read(cls, folder: Path) -> Journal | None:
        """Return the one in a folder, None where there is none; BoardError where it is none, or of another form."""
        if not has_journal(folder):
            return None
        path = folder / JOURNAL
        try:
            data: dict[str, Any] = json.loads(read_text(path, _BYTES) or "")
            if data.pop("version") != VERSION:
                raise ValueError
            return cls(**dict(data, pairs=[Pair(**one) for one in data["pairs"]]))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BoardError(
                f"{path} is no journal of this version's deploys; look at what lies beside it, put back by hand what was there, and remove {folder}"
            ) from None


def has_journal(folder: Path) -> bool:
    """Return whether a deploy that began to change things did not end."""
    return (folder / JOURNAL).exists()


def forget(folder: Path) -> None:
    """Remove a folder's journal: what it tells of stays as it is."""
    if has_journal(folder):
        (folder / JOURNAL).unlink()
        sync(str(folder))


def this_boot() -> str:
    """Return what tells this start of the system from others."""
    return (read_text(Path("/proc/sys/kernel/random/boot_id")) or "").strip()
