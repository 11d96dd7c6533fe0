"""The scratch folder: how much lies in it, and its removal, whatever the program made of it (folders without rights, links, deep trees)."""

from __future__ import annotations

import os
import stat

DEEPEST = 32
"""Folders within each other that are counted; deeper ones count as too many."""

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
    """Return whether a folder holds more files and folders, or occupies more bytes of disk, than allowed. What vanishes meanwhile does not count."""
    count = size = 0
    try:
        open_folders = [(_open(path, None), 0)]
    except OSError:
        return False
    try:
        while open_folders:
            folder, depth = open_folders.pop()
            try:
                names = os.listdir(folder)
                for name in names:
                    count += 1
                    if count > files:
                        return True
                    try:
                        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                        size += found.st_blocks * 512
                        if stat.S_ISDIR(found.st_mode):
                            if depth == DEEPEST:
                                return True
                            open_folders.append((_open(name, folder), depth + 1))
                    except OSError:
                        continue
            finally:
                os.close(folder)
            if size > occupied:
                return True
    finally:
        for folder, _ in open_folders:
            os.close(folder)
    return False


def remove(path: str) -> None:
    """Remove a folder and all in it; nothing happens where there is none.

    Folders are moved to the top before they are emptied, so that a tree deeper than the longest path, or than descriptors suffice for, goes too.
    """
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
