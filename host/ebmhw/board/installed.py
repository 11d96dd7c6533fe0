"""What is installed on a board: the loader's folder of firmware, and beside it the bitstream with its manifest's entry."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from ebmhw.board.bit import parse_bit
from ebmhw.board.block_design import APP, FIRMWARE_ROOT, SHARE_ROOT, SHELL, STEM
from ebmhw.board.manifest import FILE, BitstreamEntry, read_manifest
from ebmhw.errors import FirmwareError

IMAGE, OVERLAY, SHELL_FILE = f"{APP}.bit.bin", f"{APP}.dtbo", "shell.json"

FOLDER_FILES: Final = (IMAGE, OVERLAY, SHELL_FILE)
"""Of the loader's folder of our firmware, where nothing else may lie."""

SHARE_FILES: Final = (f"{STEM}.bit", f"{STEM}.hwh", FILE)
"""For software, in `ebmhw.board.block_design.SHARE_ROOT`."""

_PAD_BYTES: Final = 64
"""What a packer may append to configuration data."""


@final
@dataclass(frozen=True)
class Installed:
    """Firmware on this machine.

    Attributes
    ----------
    app : its name
    folder, share : where the loader's files lie, and the bitstream with its record
    there : whether anything of it is there
    entry : what the bitstream is, None where nothing says
    damage : what is missing, cut short or of another build, a sentence each; [] where all is whole
    """

    app: str
    folder: Path
    share: Path
    there: bool
    entry: BitstreamEntry | None
    damage: tuple[str, ...]


def installed_firmware(root: Path = Path("/"), app: str = APP) -> Installed:
    """Return what is installed of a firmware below a root; every file is read."""
    folder, share = root / FIRMWARE_ROOT.lstrip("/") / app, root / SHARE_ROOT.lstrip("/")
    there = _exists(folder) or _exists(share)
    if not there:
        return Installed(app, folder, share, False, None, ())
    damage: list[str] = []
    entry: BitstreamEntry | None = None
    try:
        entries = read_manifest(share / FILE).entries
        if len(entries) == 1:
            entry = next(iter(entries.values()))
        else:
            damage.append(f"{share / FILE} has {len(entries)} entries where one is to say what is installed")
    except FirmwareError as error:
        damage.append(str(error))
    if entry is not None:
        # The .xsa is for who builds software, not for a board.
        kept = {name: facts for name, facts in entry.files.items() if not name.endswith(".xsa")}
        damage += dataclasses.replace(entry, files=kept).damage(share)
    damage += _folder_damage(folder, share / f"{STEM}.bit", app)
    return Installed(app, folder, share, True, entry, tuple(damage))


def _folder_damage(folder: Path, bit: Path, app: str) -> list[str]:
    due = {f"{app}.bit.bin", f"{app}.dtbo", SHELL_FILE}
    try:
        found = {path.name for path in folder.iterdir()}
    except OSError as error:
        return [f"{folder} cannot be read ({error.strerror or error})"]
    told = [f"{folder / name} is missing" for name in sorted(due - found)]
    # The loader takes the first image and the first overlay that it comes across.
    told += [
        f"{folder / name} does not belong there: the loader may take it for {app}'s"
        for name in sorted(found - due)
        if name.endswith((".bin", ".dtbo", ".xclbin", ".pdi"))
    ]
    for name, check in ((f"{app}.bit.bin", lambda path: _image_damage(path, bit)), (f"{app}.dtbo", _overlay_damage), (SHELL_FILE, _shell_damage)):
        if name in found:
            try:
                told += check(folder / name)
            except OSError as error:
                told.append(f"{folder / name} cannot be read ({error.strerror or error})")
    return told


def _image_damage(image: Path, bit: Path) -> list[str]:
    """Compare the loader's image with the .bit that it was made from: the same words, their bytes the other way round."""
    data = image.read_bytes()
    try:
        wanted = parse_bit(bit.read_bytes()).image
    except (OSError, FirmwareError):
        return [f"{image} is empty"] if not data else []  # what is wrong with the .bit is told of the .bit
    if len(data) < len(wanted):
        return [f"{image} has {len(data)} bytes, not {len(wanted)}: it was copied in part, or is another build's"]
    if data[: len(wanted)] != wanted or len(data) > len(wanted) + _PAD_BYTES:
        return [f"{image} does not hold what {bit} holds: it is damaged, or another build's"]
    return []


def _overlay_damage(path: Path) -> list[str]:
    data = path.read_bytes()
    size = int.from_bytes(data[4:8], "big")
    if data[:4] != b"\xd0\x0d\xfe\xed" or len(data) < size or size < 40:
        return [f"{path} is no whole device-tree overlay ({len(data)} bytes)"]
    return []


def _shell_damage(path: Path) -> list[str]:
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        found = None
    return [] if found == SHELL else [f"{path} does not say {json.dumps(SHELL)}"]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return True
