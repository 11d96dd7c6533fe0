"""PYNQ's Python on the board: what it has installed, and putting ebmhw into it and back."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path
from typing import Any, Final

from boards.kv260.deploy.board_side import installed_python
from boards.kv260.deploy.board_side.board import COMMANDS, Board
from boards.kv260.deploy.board_side.source import source_of
from ebmhw.board.command import Outcome
from ebmhw.errors import BoardError

_LOOK_SECONDS: Final = 60.0
_REMOVE_SECONDS: Final = 120.0
_SELF_TEST_BYTES: Final = 1 << 18


def find_python(board: Board) -> str | None:
    """Return the path of PYNQ's Python, None where there is none."""
    return next((str(path) for path in (board.venv / "bin/python3", board.venv / "bin/python") if os.access(path, os.X_OK)), None)


def look(board: Board) -> dict[str, Any] | None:
    """Return what PYNQ's Python has installed, as `installed_python`, None where there is no such Python; BoardError where it does not say."""
    python = find_python(board)
    if python is None:
        return None
    done = board.run([python, "-c", source_of(installed_python)], _LOOK_SECONDS, kept=_SELF_TEST_BYTES)
    for line in done.output.splitlines():
        if line.startswith(installed_python.MARK):
            try:
                found = json.loads(line[len(installed_python.MARK) :])
            except ValueError:
                break
            if isinstance(found, dict):
                return found
    raise BoardError(f"{python} {done.ended} and does not say what it has installed: {done.output[-400:] or 'nothing'}")


def save(board: Board, archive: Path) -> bool:
    """Write ebmhw's files into an archive, of their whole paths; return whether there are any."""
    files = [os.path.realpath(path) for path in (look(board) or {}).get("files", [])]
    with tarfile.open(archive, "w") as writing:
        for path in files:
            if os.path.lexists(path):
                writing.add(path, path.lstrip("/"), recursive=False)
            board.link.check()
    return bool(files)


def install(board: Board, package: Path, seconds: float) -> None:
    """Install a package that lies on the board, without any network."""
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--force-reinstall"]
    done = _pip(board, ["install", *options, str(package)], seconds)
    if done.status != 0:
        raise BoardError(f"{done.told()}; nothing of it stays")


def restore(board: Board, archive: Path) -> None:
    """Put back what `save` wrote, in the place of what is installed now."""
    done = _pip(board, ["uninstall", "-y", "ebmhw"], _REMOVE_SECONDS)
    if done.status != 0:
        raise BoardError(f"ebmhw cannot be uninstalled: {done.told()}")
    with tarfile.open(archive) as reading:
        # Our own archive of absolute paths, which the filter of later Pythons would refuse.
        reading.extraction_filter = lambda member, path: member
        reading.extractall("/")


def self_test(board: Board, seconds: float) -> dict[str, Any]:
    """Run the self-test and return what it printed, for the host to judge."""
    done = board.run([_python(board), "-m", "ebmhw", "board", "selftest", "--json"], seconds, _environment(board), apart=True, kept=_SELF_TEST_BYTES)
    if done.status is None:
        raise BoardError(done.told())
    return {"status": done.status, "output": done.output, "errors": done.errors[-4000:]}


def _pip(board: Board, arguments: list[str], seconds: float) -> Outcome:
    return board.run([_python(board), "-m", "pip", *arguments], seconds, _environment(board))


def _python(board: Board) -> str:
    python = find_python(board)
    if python is None:
        raise BoardError(f"there is no {board.venv}/bin/python3 any more; install Kria-PYNQ (its install.sh -b KV260)")
    return python


def _environment(board: Board) -> dict[str, str]:
    """Return what Kria-PYNQ's login script sets."""
    return {
        "PATH": ":".join((f"{board.venv}/bin", *COMMANDS)),
        "VIRTUAL_ENV": str(board.venv),
        "XILINX_XRT": "/usr",
        "BOARD": "KV260",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
