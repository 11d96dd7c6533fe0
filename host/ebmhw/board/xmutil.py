"""xmutil, the board's own loader of firmware: what it lists, and its loading and unloading.

It passes everything on to the client of the daemon dfx-mgr, whose sources (2021.1 to 2026.1) say what is known here. Up to 2024.1 clients end with
status 0 whatever the daemon says, later ones do not, and the daemon may say that it loaded what the kernel refused. So success is what exit status
and text agree on, and the live device tree has the last word. Since 2026.1 the client takes numbers where xmutil gives names; its options by name
do. The daemon watches `ebmhw.board.block_design.FIRMWARE_ROOT`, and forgets firmware whose folder is moved away, loaded or not.

Python 3.8's standard library alone: a deploy runs this on the board too (`boards.kv260.deploy.bundle`).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, final

from ebmhw.board.command import Outcome, run_command

LIST_SECONDS: Final = 20.0
LOAD_SECONDS: Final = 90.0
"""Limits; a flat design of a K26 (7.8 MB) takes 1 to 3 s, and the daemon scans its folders anew for a list."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")
"""Names of firmware: the daemon cuts longer ones off, and none may look like an option."""

_LOADED = re.compile(r"\bloaded (?:to slot|with slot_handle):? *\d", re.IGNORECASE)
_REFUSED = re.compile(r"load error|unable to load|no package found|no empty slot|traceback|loaded to slot -", re.IGNORECASE)
_UNLOADED = re.compile(r"returns: *0 *\(Ok\)|successfully removed", re.IGNORECASE)


class Runner(Protocol):
    """What runs a command within a limit, such as `ebmhw.board.command.run_command`."""

    def __call__(self, command: Sequence[str], seconds: float, /) -> Outcome:
        """Return what the command did."""


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
    client : path of dfx-mgr-client, "" where there is none
    list_seconds, load_seconds : limits of a list, and of loading or unloading
    run : what runs commands
    prefix : what stands before each command, such as sudo
    """

    def __init__(
        self,
        program: str,
        client: str = "",
        list_seconds: float = LIST_SECONDS,
        load_seconds: float = LOAD_SECONDS,
        run: Runner = run_command,
        prefix: Sequence[str] = (),
    ) -> None:
        self.program, self._client = program, client
        self._list_seconds, self._load_seconds = list_seconds, load_seconds
        self._run, self._prefix = run, prefix

    @classmethod
    def find(cls, path: str | None = None) -> Xmutil | None:
        """Return the command as the search path (None takes the environment's) has it, None where it has none."""
        found = shutil.which("xmutil", path=path)
        return None if found is None else cls(found, shutil.which("dfx-mgr-client", path=path) or "")

    def listed(self) -> Outcome:
        """Return what listing the firmware did; `apps_of` reads its output."""
        return self._run([*self._prefix, self.program, "listapps"], self._list_seconds)

    def load(self, app: str) -> Outcome:
        """Return what loading did; `says_loaded` and `refuses` read it."""
        done = self._run([*self._prefix, self.program, "loadapp", app], self._load_seconds)
        if "-loadByName" in done.output and self._client:
            return self._run([*self._prefix, self._client, "-loadByName", app], self._load_seconds)
        return done

    def unload(self, app: App) -> Outcome:
        """Return what unloading did; `says_unloaded` reads it."""
        done = self._run([*self._prefix, self.program, "unloadapp", app.slot or "0"], self._load_seconds)
        if "-unload" in done.output and "deprecated" in done.output and self._client:
            return self._run([*self._prefix, self._client, "-unloadByName", app.name], self._load_seconds)
        return done


def says_loaded(done: Outcome) -> bool:
    """Return whether the loader says, without a word to the contrary, that it loaded."""
    return done.status == 0 and bool(_LOADED.search(done.output)) and not refuses(done)


def refuses(done: Outcome) -> bool:
    """Return whether the loader says that it did not load."""
    return bool(_REFUSED.search(done.output))


def says_unloaded(done: Outcome) -> bool:
    """Return whether the loader says that it unloaded."""
    return done.status == 0 and bool(_UNLOADED.search(done.output))


def apps_of(listing: str) -> list[App] | None:
    """Return the rows of a list, None where the text is none.

    Up to 2025.1 the name stands first and the slot last (``-1`` where it is not loaded, ``0,`` or ``0->0,`` where it is); since then the slot stands
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
