"""What is deployed: the files of a firmware, as `make firmware` leaves them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

from ebmhw.board.block_design import APP, STEM
from ebmhw.board.installed import FOLDER_FILES, SHARE_FILES
from ebmhw.board.manifest import FILE, BitstreamEntry, FileFacts, read_manifest
from ebmhw.errors import FirmwareError


@final
@dataclass(frozen=True)
class UploadFile:
    """A file that goes to the board: where there ("firmware", "share", "host"), its name, where it lies here, and its digest."""

    where: str
    name: str
    path: Path
    size: int
    sha256: str

    @classmethod
    def of(cls, where: str, path: Path) -> UploadFile:
        """Return one with the digest of the file as it is now."""
        try:
            facts = FileFacts.of(path)
        except OSError as error:
            raise FirmwareError(f"{path} cannot be read ({error.strerror or error}); make the firmware again (make firmware)") from None
        if not facts.size:
            raise FirmwareError(f"{path} is empty; make the firmware again (make firmware)")
        return cls(where, path.name, path, facts.size, facts.sha256)


@final
@dataclass(frozen=True)
class Payload:
    """A firmware: the manifest's entry of its bitstream, and its files."""

    entry: BitstreamEntry
    files: tuple[UploadFile, ...]

    def of(self, where: str) -> dict[str, list[str | int]]:
        """Return digest and size of the files for a folder of the board, by name, as its facts say them."""
        return {one.name: [one.sha256, one.size] for one in self.files if one.where == where}


def read_payload(folder: Path) -> Payload:
    """Return the firmware in a folder.

    Raises
    ------
    FirmwareError
        A file is missing, one too many is there, or one is not the one that the manifest's entry names.
    """
    files: list[UploadFile] = []
    for where, path, names in (("firmware", folder / APP, FOLDER_FILES), ("share", folder / "share", SHARE_FILES)):
        if not path.is_dir():
            raise FirmwareError(f"there is no {path}; make the firmware first (make firmware), or say where it is (--firmware FOLDER)")
        there = {one.name for one in path.iterdir()}
        missing, more = sorted(set(names) - there), sorted(there - set(names))
        if missing or more:
            what = ", ".join([f"{name} is missing" for name in missing] + [f"{name} does not belong there" for name in more])
            raise FirmwareError(f"{path} is no firmware: {what}; make the firmware again (make firmware)")
        files += [UploadFile.of(where, path / name) for name in names]
    entries = read_manifest(folder / "share" / FILE).entries
    if len(entries) != 1:
        raise FirmwareError(f"{folder / 'share' / FILE} has {len(entries)} bitstreams, not the one that lies beside it; make the firmware again")
    entry = next(iter(entries.values()))
    damage = [text for text in entry.damage(folder / "share") if f"{STEM}.xsa" not in text]
    if damage:
        raise FirmwareError(f"{'; '.join(damage)}; make the firmware again (make firmware)")
    return Payload(entry, tuple(files))
