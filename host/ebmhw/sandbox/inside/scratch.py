"""The scratch folder: how much lies in it, and its removal, whatever the program made of it (folders without rights, links, deep trees)."""

from __future__ import annotations

import errno
import os
import stat
import time

TYPE_CHECKING = False  # as of typing, whose import takes 6 of the 40 ms of a start
if TYPE_CHECKING:
    from collections.abc import Iterator

DEEPEST = 32
"""Folders within each other that are counted; deeper ones count as too many."""

GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
"""Errors of a name that has vanished, or become that of something else."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def _open(name: str, beside: int | None) -> int:
    """Open a folder, by its owner's rights where its mode refuses; never through a symbolic link.

    Raises OSError where it is none.
    """
    try:
        return os.open(name, _FOLDER, dir_fd=beside)
    except PermissionError:
        handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=beside)
        try:
            # By its descriptor: by its name, a program that puts a link in its place would have another folder's mode changed.
            os.chmod(f"/proc/self/fd/{handle}", 0o700)
            return os.open(".", _FOLDER, dir_fd=handle)
        finally:
            os.close(handle)


def too_much(path: str, files: int, occupied: int) -> bool:
    """Return whether a folder holds more files and folders, or occupies more bytes of disk, than allowed.

    It is exact where nothing moves meanwhile: what a program renames faster than it is looked up does not count.
    """
    count = size = 0
    open_folders: list[tuple[int, Iterator[str]]] = []  # from the top down: never more than they may be deep, however wide the tree is
    try:
        _enter(path, None, open_folders)
        while open_folders:
            folder, names = open_folders[-1]
            name = next(names, None)
            if name is None:
                os.close(open_folders.pop()[0])
                continue
            count += 1
            try:
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                size += found.st_blocks * 512
                deeper = stat.S_ISDIR(found.st_mode)
                if count > files or size > occupied or (deeper and len(open_folders) > DEEPEST):
                    return True
                if deeper:
                    _enter(name, folder, open_folders)
            except OSError as error:
                if error.errno not in GONE:  # what cannot be counted, for want of descriptors or else, must not pass as nothing
                    raise
    finally:
        for folder, _ in open_folders:
            os.close(folder)
    return False


def _enter(name: str, beside: int | None, open_folders: list[tuple[int, Iterator[str]]]) -> None:
    folder = _open(name, beside)
    try:
        names = os.listdir(folder)
    except OSError:
        os.close(folder)
        raise
    open_folders.append((folder, iter(names)))


def remove(path: str) -> None:
    """Remove a folder and all in it; nothing happens where there is none.

    Folders are moved to the top before they are emptied, so that a tree deeper than the longest path, or than descriptors suffice for, goes too.
    A program that is killed, but not yet dead, may still write in it: it is tried again for 5 s.

    Raises OSError where it stays.
    """
    end = time.monotonic() + 5.0
    while True:
        try:
            return _emptied(path)
        except OSError as error:
            if error.errno not in (*GONE, errno.ENOTEMPTY) or time.monotonic() >= end:
                raise
            time.sleep(0.01)


def _emptied(path: str) -> None:
    try:
        top = _open(path, None)
    except OSError:
        return
    try:
        made = 0
        while names := os.listdir(top):
            for name in names:
                if not _unlinked(name, top):
                    made = _flattened(name, top, made)
    finally:
        os.close(top)
    os.rmdir(path)


def _unlinked(name: str, folder: int) -> bool:
    """Remove a file, and return whether it was one."""
    try:
        os.unlink(name, dir_fd=folder)
    except IsADirectoryError:
        return False
    return True


def _flattened(name: str, top: int, made: int) -> int:
    """Empty a folder of the top and remove it; what folders it held lie beside it then."""
    folder = _open(name, top)
    try:
        for within in os.listdir(folder):
            if not _unlinked(within, folder):
                # Moving a folder changes its "..", which takes the right to write it.
                os.close(_open(within, folder))
                while True:
                    made += 1
                    try:
                        os.rename(within, f"{made}", src_dir_fd=folder, dst_dir_fd=top)
                        break
                    except FileExistsError:
                        continue
                    except OSError as error:
                        if error.errno not in (39, 20):  # ENOTEMPTY, ENOTDIR: the name is taken
                            raise
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)
    return made
