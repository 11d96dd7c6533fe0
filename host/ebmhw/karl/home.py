"""Home: the folder in which taps, spool and store meet."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "EBMHW_KARL_HOME"
"""Environment variable that names the folder."""

STORE = "trajectories.sqlite"
SPOOL = "spool"


def home() -> Path:
    """Return the folder: that of EBMHW_KARL_HOME, else ``ebmhw/karl`` in the user's data folder (XDG_DATA_HOME, else ~/.local/share)."""
    from pathlib import Path

    return Path(home_name())


def home_name() -> str:
    """Return the folder of `home` as a text: importing pathlib takes 3 ms, which every hook of an agent would wait for."""
    given = os.environ.get(VARIABLE)
    if given:
        return given
    return os.path.join(os.environ.get("XDG_DATA_HOME") or os.path.expanduser(os.path.join("~", ".local", "share")), "ebmhw", "karl")


def canonical_writer() -> str | None:
    """Return the host that alone writes the store, by KARL_CANONICAL_WRITER; None where every host may."""
    return os.environ.get("KARL_CANONICAL_WRITER") or None
