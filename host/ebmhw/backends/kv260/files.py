"""The bitstream to load: where it lies, and whether its files are whole and of this package's contract."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from ebmhw.board.block_design import SHARE_ROOT, STEM
from ebmhw.board.manifest import FILE, BitstreamEntry, read_manifest
from ebmhw.errors import BackendUnavailable, FirmwareError, InvalidRun, shown

ENVIRONMENT: Final = "EBMHW_BITSTREAM"
"""Environment variable with the path of the bitstream to load where none is named."""

CHECKOUT = Path(__file__).resolve().parents[4] / "bitstreams" / "kv260" / f"{STEM}.bit"
"""Where a checkout has the board's bitstream."""

INSTALLED = Path(SHARE_ROOT) / f"{STEM}.bit"
"""Where an installed package has it."""


def find_bitstream(given: str | os.PathLike[str] | None = None) -> Path:
    """Return the .bit to load, its .hwh beside it: what is given, else what EBMHW_BITSTREAM names, else a checkout's, else the installed one.

    Raises
    ------
    InvalidRun
        What is given is no path.
    BackendUnavailable
        There is none; the text lists all that was tried, and what each lacks.
    """
    if given is not None and (not isinstance(given, (str, os.PathLike)) or not isinstance(os.fspath(given), str)):
        raise InvalidRun(f"bitstream is {shown(given)}; give the path of a .bit file")
    named = given if given is not None else os.environ.get(ENVIRONMENT) or None
    tried = [Path(named)] if named is not None else [CHECKOUT, INSTALLED]
    lacking = []
    for path in tried:
        lack = _lack(path)
        if lack is None:
            # Not where a link leads to: beside that may lie other files.
            return path.absolute()
        lacking.append(f"{path} ({lack})")
    raise BackendUnavailable(
        f"backend 'kv260': there is no bitstream at {', '.join(lacking)}; install the firmware (make deploy), name a bitstream in {ENVIRONMENT}, "
        "or give get_backend('kv260', bitstream=PATH)"
    )


def _lack(path: Path) -> str | None:
    """Return why a path is no bitstream, None where it is one."""
    if path.suffix != ".bit":
        return "is no .bit"
    try:
        for one, lack in ((path, "is not there"), (path.with_suffix(".hwh"), "has no .hwh beside it")):
            if one.is_dir():
                return f"{one.name} is a folder"
            if not one.is_file():
                return lack
    except OSError as error:
        return f"cannot be looked at: {error.strerror or error}"
    return None


def checked_entry(path: Path) -> BitstreamEntry | None:
    """Return what the manifest beside a .bit, or in the folder above as a checkout has it, says of it; None where none speaks of it.

    Raises
    ------
    FirmwareError
        A file is not the one that was built, or the bitstream was built for another contract; the text names both sides and the remedy.
    """
    for manifest in (path.parent / FILE, path.parent.parent / FILE):
        entries = read_manifest(manifest).entries
        beside = manifest.parent == path.parent
        # Beside the .bit lies the manifest of what is installed, one entry whatever the folder is called.
        entry = next(iter(entries.values())) if beside and len(entries) == 1 else entries.get(path.parent.name)
        if entry is not None and path.name in entry.files:
            _refuse_unfit(path, manifest, entry)
            return entry
    return None


def _refuse_unfit(path: Path, manifest: Path, entry: BitstreamEntry) -> None:
    # The .xsa is for other tools; a board need not have it.
    damage = [told for told in entry.damage(path.parent) if not told.startswith(str(path.with_suffix(".xsa")))]
    if damage:
        raise FirmwareError(f"backend 'kv260': {'; '.join(damage)}, as {manifest} says; nothing was loaded: copy the files again (make deploy)")
    differences = entry.differences()
    if differences:
        raise FirmwareError(
            f"backend 'kv260': {path} is of another version: {'; '.join(differences)}; nothing was loaded: build and install the bitstream of "
            "this version (make bitstream firmware deploy), or install the version of ebmhw that the bitstream came with"
        )
