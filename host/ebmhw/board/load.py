"""Loading the installed firmware: checked before, judged by the live device tree after, the old one put back where the new does not come up."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, final

from ebmhw.backends.kv260.hold import Hold
from ebmhw.board.block_design import APP
from ebmhw.board.command import Outcome
from ebmhw.board.installed import Installed, installed_firmware
from ebmhw.board.loaded import OPERATING, LoadedDesign, loaded_design, manager_state
from ebmhw.board.machine import machine
from ebmhw.board.manifest import BitstreamEntry
from ebmhw.board.xmutil import App, Xmutil, apps_of, is_app_name
from ebmhw.errors import BackendUnavailable, BoardError, FirmwareError, InvalidRun, PermissionDenied, shown

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


def load_firmware(
    root: Path = Path("/"),
    app: str = APP,
    *,
    replace: bool = False,
    again: bool = False,
    xmutil: Xmutil | None = None,
    is_root: bool | None = None,
    settle: float = SETTLE_SECONDS,
    say: Say = lambda text: None,
) -> LoadResult:
    """Load the installed firmware into the programmable logic.

    Parameters
    ----------
    root : of the file system
    app : name of the firmware
    replace : whether other firmware may be unloaded for it
    again : load it also where the same build is loaded
    xmutil : the loader; None takes the search path's
    is_root : whether this process may load; None asks the system
    settle : seconds that the device tree may take after the loader is done
    say : is told each step

    Raises
    ------
    FirmwareError
        What is installed is missing, damaged, or another version's. Nothing was changed.
    PermissionDenied
        Not root. Nothing was changed.
    BoardError
        Another machine, no loader, a process that uses the board, or other firmware that may not be replaced: nothing was changed. Or the firmware
        did not come up: the text says whether what was loaded before is back.
    """
    if not isinstance(app, str) or not is_app_name(app):
        raise InvalidRun(f"the firmware's name is {shown(app)}; give one of letters, digits, - _ . + with at most 64, such as {APP}")
    about = machine(root)
    if not about.is_kv260:
        raise BoardError(f"this is no KV260 but {about.described}; run this on the board, or get_backend('cpu') here")
    entry = _checked(installed_firmware(root, app))
    tool = xmutil or Xmutil.find()
    if tool is None:
        raise BoardError(
            "there is no xmutil to load firmware with; install the board's loader (apt install xlnx-firmware-kv260 dfx-mgr, then reboot). "
            f"Without it, PYNQ itself can download {installed_firmware(root, app).share}: get_backend('kv260', download=True) as root"
        )
    try:
        before = loaded_design(root)
    except BoardError:
        before = None  # half of a design: what is to be replaced
    if before is not None and before.build == entry.build and before.operating and not before.differences() and not again:
        return LoadResult(before, False, (), 0.0)
    if not (os.geteuid() == 0 if is_root is None else is_root):
        raise PermissionDenied(f"loading firmware needs root; run: {sudo_command(app, replace)}")
    active = _active(tool, before, app)
    others = [one.name for one in active if one.name != app]
    if others and not replace:
        raise BoardError(f"{', '.join(others)} is loaded, which would be unloaded for {app}; allow it with --replace ({sudo_command(app, True)})")
    with _held():
        return _Loading(root, tool, app, entry, active, settle, say).run()


@contextmanager
def _held() -> Iterator[None]:
    """Hold the board: a process that reads a register while nothing serves it would stop the processor."""
    try:
        hold = Hold()
    except BackendUnavailable as error:
        raise BoardError(f"nothing was loaded: {error}") from None
    try:
        yield
    finally:
        hold.release()


def sudo_command(app: str, replace: bool) -> str:
    """Return the command that loads as root, with this Python: sudo has its own search path, which PYNQ's environment is not on."""
    options = ([] if app == APP else ["--app", app]) + (["--replace"] if replace else [])
    return shlex.join(["sudo", sys.executable, "-m", "ebmhw", "board", "load", *options])


def _checked(installed: Installed) -> BitstreamEntry:
    remedy = "on your workstation: make firmware, then make deploy"
    if not installed.there:
        raise FirmwareError(f"the firmware {installed.app} is not installed: there is no {installed.folder}; {remedy}")
    if installed.damage or installed.entry is None:
        raise FirmwareError(f"the firmware {installed.app} is not loaded, because it is not whole: {'; '.join(installed.damage)}; {remedy}")
    differences = installed.entry.differences()
    if differences:
        raise FirmwareError(
            f"the firmware {installed.app} is not loaded, because this ebmhw cannot drive it: {'; '.join(differences)}; build it with this version "
            "and deploy it, or install the ebmhw that it came with"
        )
    return installed.entry


def _active(tool: Xmutil, before: LoadedDesign | None, app: str) -> list[App]:
    """Return what is loaded, as the loader says; BoardError where it does not say."""
    listed = tool.listed()
    apps = apps_of(listed.output)
    if apps is None:
        raise BoardError(
            f"the board's loader does not say what is loaded: {listed.told()}; restart its daemon (sudo systemctl restart dfx-mgr) and try again"
        )
    active = [one for one in apps if one.active]
    # An overlay of ours that the loader does not know of (its daemon was restarted) must go too.
    return active if active or before is None else [App(app, "0")]


@final
class _Loading:
    """One attempt, from what is loaded to what shall be."""

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
            design = self._came_up()
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
            if not self._until(partial(self._gone, app.name)):
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

    def _came_up(self) -> LoadedDesign | None:
        def good() -> LoadedDesign | None:
            try:
                found = loaded_design(self._root)
            except BoardError:
                return None
            return found if found is not None and found.operating and found.build == self._entry.build and not found.differences() else None

        self._until(lambda: good() is not None)
        return good()

    def _until(self, holds: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + self._settle
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
