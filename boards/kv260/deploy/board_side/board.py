"""The board's places and commands, all below one root."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, final

from boards.kv260.deploy.board_side.link import Link
from ebmhw.board.command import OUTPUT_BYTES, Outcome, run_command
from ebmhw.board.xmutil import LIST_SECONDS, App, Xmutil, apps_of
from ebmhw.errors import BoardError

COMMANDS: Final = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
"""Where commands are looked for, whatever the user's login files say."""


@final
class Board:
    """A board.

    Parameters
    ----------
    link : to the host; every command ends, with its children, when the host goes
    request : the first one, which says where things are

    Attributes
    ----------
    app : name of our firmware
    firmware : the loader's folder of ours, in the folder that the loader watches
    share : the folder of files for software
    staging, share_staging : where new folders lie before they are put into place: outside the folder that the loader watches, on its file system
    venv : PYNQ's environment
    """

    def __init__(self, link: Link, request: Mapping[str, Any]) -> None:
        self.link = link
        self.root = Path(request.get("root", "/"))
        self.app = str(request["app"])
        self.watched, self.share, self.venv = (self.at(request[name]) for name in ("firmware", "share", "venv"))
        self.firmware = self.watched / self.app
        self.staging = self.watched.parent / f".{self.app}-deploy"
        self.share_staging = self.share.parent.parent / f".{self.app}-deploy"

    def at(self, path: str) -> Path:
        """Return where a path of the board's lies."""
        return self.root / path.lstrip("/")

    @property
    def search_path(self) -> str:
        """Folders of commands, as PATH has them."""
        return os.pathsep.join(str(self.at(folder)) for folder in COMMANDS)

    def command(self, name: str) -> str | None:
        """Return the path of a command, None where there is none."""
        return shutil.which(name, path=self.search_path)

    def run(
        self,
        command: Sequence[str],
        seconds: float,
        environment: Mapping[str, str] | None = None,
        *,
        apart: bool = False,
        kept: int = OUTPUT_BYTES,
    ) -> Outcome:
        """Return what a command did, as `run_command`, with an environment of its own and what is given."""
        clean = {"PATH": ":".join(COMMANDS), "HOME": os.path.expanduser("~"), "LANG": "C.UTF-8"}
        clean.update(environment or {})
        return run_command(command, seconds, folder=Path("/"), environment=clean, apart=apart, kept=kept, check=self.link.check)

    def loader(self, seconds: float = LIST_SECONDS, prefix: Sequence[str] = ()) -> Xmutil:
        """Return the loader, with a limit of loading and unloading; BoardError where there is none."""
        program = self.command("xmutil")
        if program is None:
            raise BoardError("there is no xmutil on the board; use the Ubuntu image of Kria boards")
        return Xmutil(program, self.command("dfx-mgr-client") or "", LIST_SECONDS, seconds, self.run, prefix)

    def apps(self, prefix: Sequence[str] = ()) -> list[App]:
        """Return the firmware that the loader knows; BoardError where it does not say."""
        listed = self.loader(prefix=prefix).listed()
        found = apps_of(listed.output)
        if listed.status != 0 or found is None:
            raise BoardError(f"{listed.told()}; is dfx-mgr running (systemctl status dfx-mgr)?")
        return found

    def active(self) -> list[App]:
        """Return the firmware that the loader says is loaded."""
        return [one for one in self.apps() if one.active]


def existing(path: Path) -> Path:
    """Return the nearest folder above a path, or itself, that exists."""
    while not path.is_dir():
        path = path.parent
    return path
