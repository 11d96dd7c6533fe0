"""What a confined Python must be able to read: its own library, shared libraries, and time zones."""

from __future__ import annotations

import os
import sys

OTHERS_PACKAGES = ("site-packages", "dist-packages")
DATA = ("/etc/ld.so.cache", "/usr/share/zoneinfo", "/dev/urandom", "/dev/random", "/dev/stdin")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full")


def needed() -> tuple[list[str], list[str]]:
    """Return what may be read, and the folders whose names may be listed besides.

    The folders are those of the module path of an interpreter that was started without site packages, each without the packages that others
    installed in it; of shared libraries, the folders of the system that libraries of this process come from, and single files of any other.
    """
    readable, listable = list(DATA), []
    for folder in sys.path:
        if not os.path.isdir(folder):
            readable.append(folder)  # the library as an archive
            continue
        names = os.listdir(folder)
        if not any(name in OTHERS_PACKAGES for name in names):
            readable.append(folder)
            continue
        # Landlock cannot take out again what lies in a folder that it allows, so each thing beside the packages is allowed by itself. Finding
        # modules takes the right to list the folder, which reaches into the packages: their names can be seen, their contents cannot.
        listable.append(folder)
        readable += [os.path.join(folder, name) for name in names if name not in OTHERS_PACKAGES]
    for folder in _library_folders():
        if folder.startswith(("/lib/", "/lib64", "/usr/lib/", "/usr/lib64")) and not any(os.path.exists(f"{folder}/{x}") for x in OTHERS_PACKAGES):
            readable.append(folder)
        else:
            try:
                readable += [os.path.join(folder, name) for name in os.listdir(folder) if ".so" in name]
            except OSError:
                continue
    return readable, listable


def _library_folders() -> set[str]:
    """Return the folders of the shared libraries that this process has loaded, and of the interpreter's own."""
    folders = {os.path.join(sys.base_prefix, sys.platlibdir), os.path.join(sys.base_prefix, "lib")}
    with open("/proc/self/maps") as maps:
        for line in maps:
            path = line.split(maxsplit=5)[-1].strip()
            if path.startswith("/") and ".so" in path:
                folders.add(os.path.dirname(path))
    return folders
