"""What tests of firmware share."""

from __future__ import annotations

from pathlib import Path

from board_tools import tool


def need_tools() -> None:
    """Skip the test, or fail it, where a command that makes firmware is missing."""
    for name in ("bootgen", "dtc", "dpkg-deb"):
        tool(name)


def below(folder: Path) -> dict[str, bytes]:
    """Return the contents of all files below a folder by their paths, hidden ones too; nothing where there is no folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
