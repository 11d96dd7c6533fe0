"""What a running system says of itself in small files: the live device tree, the FPGA manager, the name of its image.

Python 3.8's standard library alone: a deploy runs this on the board too (`boards.kv260.deploy.bundle`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ebmhw.errors import BoardError

TREE: Final = "proc/device-tree"
"""The live device tree, from the root of the file system."""

MANAGER: Final = "sys/class/fpga_manager/fpga0"
"""The kernel's FPGA manager."""

OPERATING: Final = "operating"
"""Its state while a bitstream runs."""

FILE_LIMIT: Final = 4096
"""Bytes of a small file, such as a property of the device tree."""

_NODE_LIMIT, _DEPTH_LIMIT = 20_000, 16
"""Nodes and levels that are looked at; the tree of a KV260 has about 600 nodes on 6 levels."""


def read_small(path: Path, limit: int = FILE_LIMIT) -> bytes | None:
    """Return the bytes of a small file, None where it is not there, no file, too long, or gone while it is read."""
    try:
        # A FIFO in place of a property must not hold the reader.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        raw = os.read(handle, limit + 1)
        return raw if len(raw) <= limit else None
    except OSError:
        return None
    finally:
        os.close(handle)


def read_text(path: Path, limit: int = FILE_LIMIT) -> str | None:
    """Return the text of a small file, None where it cannot be read."""
    raw = read_small(path, limit)
    return None if raw is None else raw.decode("utf-8", "replace")


def strings(raw: bytes | None) -> list[str]:
    """Return the strings of a property of the device tree, each ended by a NUL."""
    return [part.decode("ascii", "replace") for part in (raw or b"").split(b"\0") if part]


def manager_state(root: Path = Path("/")) -> str | None:
    """Return what the kernel's FPGA manager says, such as "operating" or "write error"; None where there is none that can be read."""
    return (read_text(root / MANAGER / "state") or "").strip() or None


def system_name(root: Path = Path("/")) -> str | None:
    """Return the name of the image, such as "Ubuntu 22.04.4 LTS"; None where it has none."""
    for name in ("etc/os-release", "usr/lib/os-release"):
        for line in (read_text(root / name) or "").splitlines():
            if line.startswith("PRETTY_NAME="):
                return line.partition("=")[2].strip().strip("\"'")
    return None


def tree_folder(root: Path = Path("/")) -> Path:
    """Return the folder of the live device tree, which may not be there."""
    path = root / TREE
    try:
        # The kernel's own is a link from its root.
        target = os.readlink(path)
    except OSError:
        return path
    return root / target.lstrip("/") if target.startswith("/") else path


def tree_strings(root: Path, name: str) -> list[str]:
    """Return the strings of a property of the device tree's root, such as "model"; [] where it is not there."""
    return strings(read_small(tree_folder(root) / name))


def find_compatible(root: Path, wanted: str) -> list[Path]:
    """Return the folders of the nodes that say that they are of a kind; BoardError where the tree cannot be read."""
    return [folder for folder, _ in nodes(tree_folder(root)) if wanted in strings(read_small(folder / "compatible"))]


def nodes(tree: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the folder of each node below a tree's root, and that of its parent; a node that goes away meanwhile is left out.

    Raises
    ------
    BoardError
        A folder cannot be read, or the tree has more nodes or levels than that of any board.
    """
    waiting, seen = [(tree, 0)], 0
    while waiting:
        parent, depth = waiting.pop()
        try:
            with os.scandir(parent) as entries:
                names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise BoardError(f"the device tree cannot be read: {parent}: {error.strerror or error}; run this as a user who may") from None
        for name in names:
            seen += 1
            if seen > _NODE_LIMIT or depth >= _DEPTH_LIMIT:
                raise BoardError(f"{tree} has more than {_NODE_LIMIT} nodes or {_DEPTH_LIMIT} levels: it is no device tree of a board")
            yield parent / name, parent
            waiting.append((parent / name, depth + 1))
