"""Loading the installed firmware: checked before, judged by the live device tree after, the old one put back where the new does not come up.

A deploy (boards/kv260/deploy) loads by the same `ebmhw.board.xmutil` and not by this: it exchanges the installed files between unloading and loading,
takes that back too, even after its own process died, and cannot lean on the ebmhw of the board, which may be what it replaces.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ebmhw.backends.kv260.hold import Hold
from ebmhw.board.block_design import APP
from ebmhw.board.installed import Installed, installed_firmware
from ebmhw.board.loaded import LoadedDesign, loaded_design
from ebmhw.board.loading import SETTLE_SECONDS, Loading, LoadResult, Say
from ebmhw.board.machine import machine
from ebmhw.board.manifest import BitstreamEntry
from ebmhw.board.xmutil import App, Xmutil, apps_of, is_app_name
from ebmhw.errors import BackendUnavailable, BoardError, FirmwareError, InvalidRun, PermissionDenied, shown


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
        return Loading(root, tool, app, entry, active, settle, say).run()


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
