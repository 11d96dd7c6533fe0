"""A bitstream into ``bitstreams/``: all its files and its entry of the manifest, or nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ebmhw.board.manifest import FILE, BitstreamEntry, FileFacts, read_manifest
from ebmhw.errors import FirmwareError


def install(name: str, files: Mapping[str, Path], folder: Path, entry: Callable[[dict[str, FileFacts]], BitstreamEntry]) -> BitstreamEntry:
    """Put files into ``folder/name`` and their entry into ``folder/manifest.json``, and return the entry.

    The files are copied beside the folder of the ones before and change places with them when all are there; the manifest is written last. If
    that fails the ones before come back. What else lies in the folder stays.

    Parameters
    ----------
    name : of the bitstream
    files : to install, by the names they get
    folder : ``bitstreams``
    entry : makes the entry from the facts of the files

    Raises
    ------
    FirmwareError
        A file cannot be read or written, or the manifest that is there cannot be read.
    """
    target, manifest_path = folder / name, folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        manifest = read_manifest(manifest_path)
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}.") as scratch:
            staged, before = Path(scratch) / "new", Path(scratch) / "before"
            staged.mkdir()
            for file, source in files.items():
                _copy(source, staged / file)
            made = entry({file: FileFacts.of(staged / file) for file in files})
            if target.is_dir():
                for other in target.iterdir():
                    if other.name not in files and other.suffix not in {Path(file).suffix for file in files}:
                        (shutil.copytree if other.is_dir() else shutil.copy2)(other, staged / other.name)
            there = target.exists()
            try:
                if there:
                    target.rename(before)
                staged.rename(target)
                manifest.with_entry(made).write(manifest_path)
            except BaseException:
                if not staged.exists():
                    target.rename(staged)
                if before.exists():
                    before.rename(target)
                raise
    except OSError as error:
        what = f"{error.filename or folder}: {error.strerror or error}"
        raise FirmwareError(
            f"the bitstream {name!r} cannot be installed in {folder} ({what}); what was there is as it was; free space or fix it"
        ) from None
    return made


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as given, target.open("wb") as taken:
        shutil.copyfileobj(given, taken, 1 << 20)
        taken.flush()
        os.fsync(taken.fileno())
