"""xmutil, the board's own loader of firmware: what it lists, and its loading and unloading.

It passes everything on to the client of the daemon dfx-mgr. Clients up to 2021 end with status 0 whatever the daemon says, later ones do not, and
the daemon may say that it loaded what the kernel refused: so an exit status is told, and never believed.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import Final, final

from ebmhw.board.command import Outcome, run_command

LIST_SECONDS: Final = 20.0
LOAD_SECONDS: Final = 90.0
"""Limits; a flat design of a K26 (7.8 MB) takes 1 to 3 s, and the daemon scans its folders anew for a list."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")
"""Names of firmware: the daemon cuts longer ones off, and none may look like an option."""


def is_app_name(name: str) -> bool:
    """Return whether firmware may be called so."""
    return bool(_NAME.fullmatch(name))


@final
@dataclass(frozen=True)
class App:
    """A row of xmutil's list: firmware, and the slot or handle that it is loaded to, "" where it is not."""

    name: str
    slot: str = ""

    @property
    def active(self) -> bool:
        """Whether the loader says that it is loaded."""
        return self.slot != ""


@final
class Xmutil:
    """The command.

    Parameters
    ----------
    program : its path
    client : path of dfx-mgr-client, "" where there is none; the only way since 2026.1, whose client takes no names for what xmutil passes on
    list_seconds, load_seconds : limits of a list, and of loading or unloading
    """

    def __init__(self, program: str, client: str = "", list_seconds: float = LIST_SECONDS, load_seconds: float = LOAD_SECONDS) -> None:
        self.program, self._client = program, client
        self._list_seconds, self._load_seconds = list_seconds, load_seconds

    @classmethod
    def find(cls, path: str | None = None) -> Xmutil | None:
        """Return the command as the search path (None takes the environment's) has it, None where it has none."""
        found = shutil.which("xmutil", path=path)
        return None if found is None else cls(found, shutil.which("dfx-mgr-client", path=path) or "")

    def listed(self) -> Outcome:
        """Return what listing the firmware did; `apps_of` reads its output."""
        return run_command([self.program, "listapps"], self._list_seconds)

    def load(self, app: str) -> Outcome:
        """Return what loading did, which says little: see the head of this module."""
        done = run_command([self.program, "loadapp", app], self._load_seconds)
        if "-loadByName" in done.output and self._client:
            return run_command([self._client, "-loadByName", app], self._load_seconds)
        return done

    def unload(self, app: App) -> Outcome:
        """Return what unloading did."""
        done = run_command([self.program, "unloadapp", app.slot or "0"], self._load_seconds)
        if "-unload" in done.output and "deprecated" in done.output and self._client:
            return run_command([self._client, "-unloadByName", app.name], self._load_seconds)
        return done


def apps_of(listing: str) -> list[App] | None:
    """Return the rows of a list, None where the text is none.

    Up to 2025 the name stands first and the slot last (``-1`` where it is not loaded, ``0,`` or ``0->0,`` where it is); since then the slot stands
    before the name, which is last.
    """
    rows = [line.split() for line in listing.splitlines()]
    at = next((number for number, row in enumerate(rows) if "Accelerator" in row and len(row) >= 4), None)
    if at is None:
        return None
    header = rows[at]
    if header[0] == "Accelerator":
        name, slot = 0, -1
    elif header[-1] == "Accelerator":
        name, slot = -1, -2
    else:
        return None
    found = []
    for row in rows[at + 1 :]:
        # Underlines of the header are no slots.
        if len(row) >= 4 and _NAME.fullmatch(row[name]) and re.fullmatch(r"-1|\d[\d,>-]*", row[slot]):
            found.append(App(row[name], "" if row[slot] == "-1" else re.findall(r"\d+", row[slot])[-1]))
    return found
