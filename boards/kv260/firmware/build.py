"""From an entry of the manifest to the firmware's folders and package."""

from __future__ import annotations

import dataclasses
import errno
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from boards.kv260.firmware.deb import package_name, write_package
from boards.kv260.firmware.image import read_bit, write_image
from boards.kv260.firmware.overlay import overlay_source, write_overlay
from boards.kv260.firmware.places import check_ours, put_in_place
from boards.kv260.firmware.ports import read_ports
from boards.kv260.firmware.tools import PACKAGES, find_tool
from ebmhw.board.block_design import APP, SHELL, STEM
from ebmhw.board.installed import FOLDER_FILES, SHARE_FILES, SHELL_FILE
from ebmhw.board.manifest import FILE, BitstreamEntry, Manifest, read_manifest
from ebmhw.errors import FirmwareError, PermissionDenied

SHARE: Final = "share"
"""Folder for what goes to `ebmhw.board.block_design.SHARE_ROOT`."""


@final
@dataclass(frozen=True)
class Firmware:
    """What was made.

    Attributes
    ----------
    folder : with the image, the overlay and shell.json, for ``xmutil``
    share : with the .bit, the .hwh and their entry, for PYNQ
    package : the Debian package of both
    entry : of the bitstream, its files those in ``share``
    """

    folder: Path
    share: Path
    package: Path
    entry: BitstreamEntry


def make_firmware(bitstreams: Path, name: str, out: Path) -> Firmware:
    """Make a bitstream's firmware, and put all of it into a folder or none.

    What an earlier call left there is replaced, its package too.

    Parameters
    ----------
    bitstreams : folder with manifest.json and a folder for each of its entries
    name : of the entry
    out : made where it is missing

    Raises
    ------
    FirmwareError
        The manifest has no such entry, a file is missing or not what was built, the bitstream is for another FPGA or for a contract that is not
        this package's, it missed its timing, a command is missing or failed, the disk is full, or ``out`` holds something else in the places.
    PermissionDenied
        A file may not be read or written.
    """
    with _told(out):
        entry = read_manifest(bitstreams / FILE).entry(name)
        source = bitstreams / name
        _check(entry, source)
        for tool in PACKAGES:
            find_tool(tool)
        bit_path = source / f"{STEM}.bit"
        bit, ports = read_bit(bit_path), read_ports(source / f"{STEM}.hwh")
        out.mkdir(parents=True, exist_ok=True)
        places = {APP: out / APP, SHARE: out / SHARE}
        for place, names in zip(places.values(), (FOLDER_FILES, SHARE_FILES), strict=True):
            check_ours(place, names)
        # Beside its place, so that moving is renaming.
        with tempfile.TemporaryDirectory(prefix=".firmware-", dir=out) as temporary:
            new = Path(temporary).resolve()
            folder, share, work, aside = (new / one for one in (APP, SHARE, "work", "aside"))
            for one in (folder, share, work, aside):
                one.mkdir()
            write_image(bit_path, bit, folder, _fresh(work / "image"))
            write_overlay(overlay_source(entry, ports), folder, _fresh(work / "overlay"))
            (folder / SHELL_FILE).write_text(json.dumps(SHELL, indent=2) + "\n", encoding="utf-8")
            served = _copy(entry, source, share)
            package = write_package(served, bit.made, (folder, share), new, _fresh(work / "package"))
            final_package = out / package.name
            outdated = [path for path in sorted(out.glob(package_name("*"))) if path != final_package]
            put_in_place({folder: places[APP], share: places[SHARE], package: final_package}, outdated, aside)
    return Firmware(places[APP], places[SHARE], final_package, served)


def _check(entry: BitstreamEntry, source: Path) -> None:
    damage = entry.damage(source)
    if damage:
        raise FirmwareError(
            f"the bitstream {entry.name!r} is not whole: {'; '.join(damage)}; copy its folder again, or build it again (make bitstream)"
        )
    differences = entry.differences()
    if differences:
        # A board with it would be refused by every driver of this version, so there is no option to make it all the same.
        raise FirmwareError(
            f"the bitstream {entry.name!r} does not fit this version of ebmhw: {'; '.join(differences)}; "
            "build it again (make bitstream), or make the firmware with the ebmhw that built it"
        )
    if not entry.timing.met:
        raise FirmwareError(
            f"the bitstream {entry.name!r} misses its timing at {entry.clock_mhz} MHz: setup slack {entry.timing.setup_slack} ns, hold slack "
            f"{entry.timing.hold_slack} ns, {entry.timing.failing_endpoints} endpoints; build it again at a lower clock (make bitstream)"
        )


def _copy(entry: BitstreamEntry, source: Path, share: Path) -> BitstreamEntry:
    """Copy what a board is served with its entry, and return that: without the .xsa, which only Vivado's users want."""
    names = [name for name in SHARE_FILES if name in entry.files]
    served = dataclasses.replace(entry, files={name: entry.files[name] for name in names})
    for name in names:
        shutil.copyfile(source / name, share / name)
    Manifest({}).with_entry(served).write(share / FILE)
    # Whoever writes the bitstream meanwhile must not get half of it in here.
    changed = served.damage(share)
    if changed:
        raise FirmwareError(f"the bitstream {entry.name!r} changed while it was read: {'; '.join(changed)}; try again")
    return served


def _fresh(folder: Path) -> Path:
    folder.mkdir()
    return folder


@contextmanager
def _told(out: Path) -> Iterator[None]:
    """Tell errors of the operating system as what they are to the user."""
    try:
        yield
    except (FirmwareError, PermissionDenied):
        raise
    except OSError as error:
        said = f"{error.filename or out}: {error.strerror or error}"
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise PermissionDenied(f"a file may not be read or written: {said}; give another --out, or run it as the owner") from None
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise FirmwareError(f"there is no room to write {said}; make firmware takes about six times the .bit in {out}: make room") from None
        raise FirmwareError(f"a file cannot be read or written: {said}; check --bitstreams and --out") from None
