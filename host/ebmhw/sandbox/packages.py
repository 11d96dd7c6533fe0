"""Where the packages lie that a confined program may import."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable

from ebmhw.errors import SandboxUnavailable, VerificationError, shown


def homes(names: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Return {name: the file that is loaded for it} of top-level packages, and the folders and files that may be read for them.

    Nothing is imported. What a package itself imports has to be named as well.

    Raises
    ------
    VerificationError
        For a name that is none.
    SandboxUnavailable
        For a package that is not installed here.
    """
    files: dict[str, str] = {}
    readable: list[str] = []
    for name in names:
        if not isinstance(name, str) or not name.isidentifier():
            raise VerificationError(f"packages={shown(name)}: give top-level names such as 'numpy'")
        spec = importlib.util.find_spec(name)
        if spec is None:
            raise SandboxUnavailable(f"package {name!r} is not installed here, so no confined program can import it; install it, or leave it out")
        if spec.origin is None or not os.path.isfile(spec.origin):
            if spec.origin in ("built-in", "frozen"):
                continue
            raise SandboxUnavailable(f"package {name!r} has no file of its own that could be loaded in a sandbox; name another")
        files[name] = os.path.abspath(spec.origin)
        for folder in spec.submodule_search_locations or []:
            readable.append(os.path.abspath(folder))
            bundled = f"{os.path.abspath(folder)}.libs"  # shared libraries that its wheel brought
            if os.path.isdir(bundled):
                readable.append(bundled)
        if not spec.submodule_search_locations:
            readable.append(files[name])
    return files, readable
