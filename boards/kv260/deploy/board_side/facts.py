"""What the board is, and what is on it: all that the host's checks look at."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from boards.kv260.deploy.board_side import pynq_python
from boards.kv260.deploy.board_side.board import Board, existing
from boards.kv260.deploy.board_side.journal import has_journal
from boards.kv260.deploy.board_side.requirements import lacking
from ebmhw.board.system import manager_state, nodes, read_small, strings, system_name, tree_folder, tree_strings
from ebmhw.errors import BoardError

_COMMAND_SECONDS: Final = 10.0
_FILES: Final = 64
_CELL_BYTES: Final = 4
_EEPROM_BYTES: Final = 1 << 16
_PRODUCT = re.compile(rb"SMK?-K\d\d[A-Z0-9-]*|SCK-[A-Z]{2}-[A-Z]")


def facts(board: Board, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts; what cannot be found out is None, and why stands in "troubles"."""
    troubles: list[str] = []

    def attempt(name: str, get: Callable[[], Any]) -> Any:
        try:
            return get()
        except (BoardError, OSError, ValueError) as error:
            troubles.append(f"{name}: {error}")
            return None

    def index() -> str:
        wanted = request["builds"] or lacking(request["requirements"], (pynq or {"versions": {}})["versions"])
        # The last, for the first are packages of tens of megabytes.
        return pynq_python.probe(board, wanted[-1]) if wanted and pynq and request["online"] else ""

    pynq = attempt("pynq", lambda: pynq_python.told(pynq_python.look(board, request["names"])))
    uid = attempt("uid", lambda: _uid(board))
    sudo = attempt("sudo", lambda: _sudo(board))
    may = uid == 0 or sudo is not None
    folders = {"firmware": board.firmware, "share": board.share}
    return {
        "uid": uid,
        "sudo": sudo is not None,
        "model": "".join(tree_strings(board.root, "model")),
        "compatible": tree_strings(board.root, "compatible"),
        "products": products(board.at("/sys/bus/i2c/devices")),
        "system": system_name(board.root),
        "python": list(sys.version_info[:3]),
        "tools": {name: board.command(name) for name in ("xmutil", "dfx-mgr-client")},
        "folder": board.watched.is_dir(),
        "disks": [disk(path) for path in (board.watched.parent, board.share.parent)],
        "apps": attempt("apps", lambda: _apps(board, [] if uid == 0 else [str(sudo), "-n"])) if may and board.command("xmutil") else None,
        "nodes": attempt("loaded", lambda: unit_nodes(board.root, request["properties"])),
        "manager": manager_state(board.root),
        "pynq": pynq,
        "index": attempt("index", index),
        "installed": {name: attempt("installed", partial(digests, folder)) for name, folder in folders.items() if folder.is_dir()},
        "journal": has_journal(board.staging),
        "troubles": troubles,
    }


def unit_nodes(root: Path, names: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return what the live device tree says of our units: by compatible, the values of the properties ``names``, a number or a string each."""
    found: dict[str, dict[str, Any]] = {}
    for folder, _ in nodes(tree_folder(root)):
        raw = {key: read_small(folder / name) for key, name in names.items()}
        if raw["build"] is not None:
            for compatible in strings(read_small(folder / "compatible")):
                found[compatible] = {key: _value(one or b"") for key, one in raw.items()}
    return found


def products(devices: Path) -> list[str]:
    """Return the names of products in the EEPROMs of module and carrier, as far as they can be read."""
    found: set[str] = set()
    for path in sorted(devices.glob("*/eeprom")):
        found.update(one.decode() for one in _PRODUCT.findall(read_small(path, _EEPROM_BYTES) or b""))
    return sorted(found)


def disk(path: Path) -> list[Any]:
    """Return the number of a file system, its free bytes, whether it is mounted read-only, and the folder that was asked for."""
    there = existing(path)
    found = os.statvfs(there)
    return [there.stat().st_dev, found.f_bavail * found.f_frsize, bool(found.f_flag & os.ST_RDONLY), str(path)]


def digest_of(path: Path) -> tuple[str, int]:
    """Return SHA-256 (hex) and size of a file."""
    made, size = sha256(), 0
    with path.open("rb") as stream:
        for piece in iter(lambda: stream.read(1 << 20), b""):
            made.update(piece)
            size += len(piece)
    return made.hexdigest(), size


def digests(folder: Path) -> dict[str, tuple[str, int]]:
    """Return `digest_of` of a folder's files, by name."""
    return {path.name: digest_of(path) for path in sorted(folder.iterdir())[:_FILES]}


def _uid(board: Board) -> int:
    command = board.command("id")
    return int(board.run([command, "-u"], _COMMAND_SECONDS).output) if command else os.geteuid()


def _sudo(board: Board) -> str | None:
    """Return sudo's path where it asks for no password."""
    sudo = board.command("sudo")
    return sudo if sudo and board.run([sudo, "-n", "true"], _COMMAND_SECONDS).status == 0 else None


def _apps(board: Board, prefix: list[str]) -> list[list[Any]]:
    return [[one.name, one.active] for one in board.apps(prefix)]


def _value(raw: bytes) -> Any:
    return int.from_bytes(raw, "big") if len(raw) == _CELL_BYTES else "".join(strings(raw))
