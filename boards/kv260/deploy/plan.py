"""What is to be deployed where, and what that will do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, final

from boards.kv260.deploy.host_package import HostPackage
from boards.kv260.deploy.payload import Payload, UploadFile
from boards.kv260.deploy.ssh import Target
from boards.kv260.deploy.text import bytes_shown
from ebmhw.backends.kv260.hold import NAME
from ebmhw.board.block_design import APP, FIRMWARE_ROOT, SHARE_ROOT
from ebmhw.board.loaded import BUILD, CONTRACT_DIGEST, MAP_HASH, PACKET_HASH
from ebmhw.board.machine import PYNQ_ENVIRONMENT

RESERVE_BYTES: Final = 64 << 20
"""What stays free on each file system of the board."""

PROPERTIES: Final = {"build": BUILD, "map_hash": MAP_HASH, "packet_hash": PACKET_HASH, "contract_digest": CONTRACT_DIGEST}
"""Of the units' nodes in the device tree."""


@final
@dataclass(frozen=True)
class Limits:
    """Seconds that steps may take on the board."""

    facts: float = 120
    idle: float = 60
    upload: float = 600
    unload: float = 60
    notice: float = 10
    load: float = 60
    selftest: float = 300
    install_host: float = 1800


@final
@dataclass(frozen=True)
class Plan:
    """What is to be deployed where.

    Attributes
    ----------
    target : the board
    payload : the firmware
    host : a package of ebmhw for the board's Python, None to leave it as it is
    offline : whether that is installed with nothing but what the board has
    ssh : further arguments of ssh
    dry_run : whether to stop before anything on the board is changed
    reserve : bytes that stay free on the board
    root : of the board's file system
    """

    target: Target
    payload: Payload
    host: HostPackage | None = None
    offline: bool = False
    ssh: tuple[str, ...] = ()
    dry_run: bool = False
    reserve: int = RESERVE_BYTES
    root: str = "/"
    limits: Limits = field(default_factory=Limits)

    @property
    def files(self) -> tuple[UploadFile, ...]:
        """All that goes to the board."""
        return self.payload.files + ((self.host.file,) if self.host else ())

    @property
    def size(self) -> int:
        """Bytes of all that."""
        return sum(one.size for one in self.files)

    def common(self) -> dict[str, Any]:
        """Return what `board_side` is told first."""
        return {
            "app": APP,
            "firmware": FIRMWARE_ROOT,
            "share": SHARE_ROOT,
            "venv": PYNQ_ENVIRONMENT,
            "hold": NAME,
            "root": self.root,
            "properties": PROPERTIES,
            "idle_s": self.limits.idle,
            "names": [] if self.host is None else self.host.names,
            "requirements": [] if self.host is None else list(self.host.requires),
            "builds": [] if self.host is None else list(self.host.builds),
            "online": self.host is not None and not self.offline,
        }

    def steps(self) -> list[str]:
        """Return what a deploy would do, a sentence each."""
        total = bytes_shown(self.size)
        told = [f"upload {len(self.files)} files, {total}, beside {FIRMWARE_ROOT} and {SHARE_ROOT}, and compare their SHA-256 there"]
        if self.host:
            whence = "with what is there" if self.offline else "with what it requires from the board's package index"
            told.append(f"install {self.host.file.name} into {PYNQ_ENVIRONMENT} (pip, {whence}), and see that it is the one that imports")
        return [
            *told,
            "unload what is loaded (xmutil unloadapp)",
            f"exchange {FIRMWARE_ROOT}/{APP} and {SHARE_ROOT} for the new ones",
            f"load it (xmutil loadapp {APP}), and compare the live device tree with the bitstream",
            "run `ebmhw board selftest`; bring back what was there before where anything fails",
        ]
