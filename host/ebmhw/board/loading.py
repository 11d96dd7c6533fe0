"""One attempt to load firmware, from what is loaded to what shall be, and back where that does not come up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, final

from ebmhw.board.command import Outcome
from ebmhw.board.loaded import LoadedDesign, loaded_design
from ebmhw.board.manifest import BitstreamEntry
from ebmhw.board.system import OPERATING, manager_state
from ebmhw.board.xmutil import App, Xmutil, apps_of, refuses
from ebmhw.errors import BoardError

SETTLE_SECONDS: Final = 15.0
"""How long the device tree may take to say what a loader has said that it did; it is there within a second."""

_POLL_SECONDS: Final = 0.1

_OVERLAYS: Final = "sys/kernel/config/device-tree/overlays"

Say = Callable[[str], None]


@final
@dataclass(frozen=True)
class LoadResult:
    """What was loaded.

    Attributes
    ----------
    design : as the live device tree says it
    changed : False where the very build was loaded before
    replaced : names of the firmware that had to go
    seconds : how long it took
    """

    design: LoadedDesign
    changed: bool
    replaced: tuple[str, ...]
    seconds: float


@final
class Loading:
    """An attempt.

    Parameters
    ----------
    root : of the file system
    tool : the loader
    app, entry : the firmware, and what its bitstream is
    active : what is loaded
    settle : seconds that the device tree may take after the loader is done
    say : is told each step
    """

    def __init__(self, root: Path, tool: Xmutil, app: str, entry: BitstreamEntry, active: list[App], settle: float, say: Say) -> None:
        self._root, self._tool, self._app, self._entry = root, tool, app, entry
        self._active, self._settle, self._say = active, settle, say

    def run(self) -> LoadResult:
        """Unload, load, judge; put back what was there where it fails, also where it is interrupted."""
        began = time.monotonic()
        try:
            self._unload()
            self._say(f"loading {self._app}, build {self._entry.build:#010x}")
            done = self._tool.load(self._app)
            design = self._came_up(0.0 if refuses(done) else self._settle)
            if design is None:
                raise BoardError(f"{self._app} did not come up: {self._why()}; {done.told()}{self._hint(done)}")
        except BaseException as error:
            back = self._put_back()
            if isinstance(error, BoardError):
                raise BoardError(f"{error}. {back}") from None
            self._say(back)
            raise
        return LoadResult(design, True, tuple(app.name for app in self._active), time.monotonic() - began)

    def _unload(self) -> None:
        for app in self._active:
            self._say(f"unloading {app.name}")
            done = self._tool.unload(app)
            if not self._until(partial(self._gone, app.name), self._settle):
                raise BoardError(f"{app.name} could not be unloaded: {done.told()}{self._hint(done)}")

    def _gone(self, name: str) -> bool:
        """Return whether a firmware is unloaded: neither in the device tree, where it is ours, nor in the loader's list."""
        if self._ours() != "":
            return False
        return not any(one.name == name for one in self._listed())

    def _ours(self) -> str:
        """Return what the device tree says of our design: "" for nothing, "operating", or what is wrong."""
        try:
            found = loaded_design(self._root)
        except BoardError as error:
            return str(error)
        if found is None:
            return ""
        return OPERATING if found.operating else f"the FPGA manager says {found.manager or 'nothing'!r}"

    def _came_up(self, seconds: float) -> LoadedDesign | None:
        def good() -> LoadedDesign | None:
            try:
                found = loaded_design(self._root)
            except BoardError:
                return None
            return found if found is not None and found.operating and found.build == self._entry.build and not found.differences() else None

        self._until(lambda: good() is not None, seconds)
        return good()

    @staticmethod
    def _until(holds: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def _why(self) -> str:
        try:
            found = loaded_design(self._root)
        except BoardError as error:
            return str(error)
        manager = manager_state(self._root)
        if found is None:
            return f"the device tree has no node of ebmhw, the FPGA manager says {manager or 'nothing'!r}"
        if not found.operating:
            return f"the FPGA manager says {manager or 'nothing'!r}"
        if found.build != self._entry.build:
            return f"the device tree says build {found.build:#010x}, installed is {self._entry.build:#010x}"
        return "; ".join(found.differences())

    def _hint(self, done: Outcome) -> str:
        """Return what a daemon needs that has lost count of the kernel's overlays."""
        try:
            left = sorted(path.name for path in (self._root / _OVERLAYS).iterdir())
        except OSError:
            left = []
        if not left or done.why:
            return "" if not done.why else "; see `journalctl -u dfx-mgr` and `dmesg`"
        folders = " ".join(f"/{_OVERLAYS}/{name}" for name in left)
        remedy = f"sudo rmdir {folders} && sudo systemctl restart dfx-mgr"
        return f"; overlays that are still applied: {', '.join(left)}. Where the loader knows nothing of them: {remedy}"

    def _listed(self) -> list[App]:
        """Return what the loader says is loaded, [] where it does not say."""
        return [one for one in apps_of(self._tool.listed().output) or [] if one.active]

    def _put_back(self) -> str:
        """Load again what was loaded; return what became of it, in a sentence."""
        there = self._listed()
        if not self._active:
            for one in there:
                self._tool.unload(one)
            return "Nothing was loaded before"
        name, done = self._active[0].name, None
        self._say(f"putting back {name}")
        # It may never have gone, and loading it twice fails.
        if [one.name for one in there] != [name]:
            for one in there:
                self._tool.unload(one)
            done = self._tool.load(name)
        good = [one.name for one in self._listed()] == [name] and manager_state(self._root) == OPERATING
        if good and (name != self._app or self._ours() == OPERATING):
            return f"{name} is loaded again"
        return f"{name} could not be loaded again either{f': {done.told()}' if done else ''}; reboot the board"
