"""The Debian package that puts the firmware onto a board."""

from __future__ import annotations

import os
import re
import shutil
from datetime import datetime
from hashlib import md5
from pathlib import Path
from typing import Final

from boards.kv260.firmware.tools import find_tool, made_by, run_tool
from ebmhw import __version__
from ebmhw.board.block_design import APP, FIRMWARE_ROOT, SHARE_ROOT
from ebmhw.board.manifest import BitstreamEntry

ARCHITECTURE: Final = "arm64"

CONTROL: Final = """\
Package: {name}
Version: {version}
Architecture: {architecture}
Maintainer: The ebmhw authors <ebmhw@localhost>
Installed-Size: {kib}
Recommends: dfx-mgr
Section: misc
Priority: optional
Description: ebmhw for the AMD Kria KV260: FPGA image, overlay, and files for PYNQ
 Ising core and phi unit of ebmhw, configuration {config}, phi unit from {phi},
 at {clock} MHz, build {build:08x}; contract {contract}.
 .
 The package loads nothing. "xmutil loadapp {name}" does, or "ebmhw board load".
"""
"""Fields of the package. dfx-mgr is what xmutil asks to load; images that have another loader can do without, so it is only recommended."""

COPYRIGHT: Final = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: ebmhw

Files: *
Copyright: the ebmhw authors
License: Apache-2.0
 On Debian systems the text of the licence is in /usr/share/common-licenses/Apache-2.0.
"""


def debian_version(build: int, made: datetime, version: str = __version__) -> str:
    """Return the package's version: ebmhw's, when the bitstream was made, and its build number, so that of two builds the later is the newer."""
    # Debian sorts what follows ~ before nothing: 0.1.0~rc1 before 0.1.0.
    release = re.sub(r"\.?(a|b|rc|dev)(?=\d)", r"~\1", version)
    return f"{release}+{made:%Y%m%d%H%M%S}.{build:08x}"


def package_name(version: str) -> str:
    """Return the name of the package's file, ``*`` for the version to match all."""
    return f"{APP}_{version}_{ARCHITECTURE}.deb"


def write_package(entry: BitstreamEntry, made: datetime, contents: tuple[Path, Path], folder: Path, work: Path) -> Path:
    """Have dpkg-deb write the package into a folder, and return its path; equal contents give equal bytes.

    Parameters
    ----------
    entry : of the bitstream
    made : when the bitstream was, which all times in the package are
    contents : the folders for `FIRMWARE_ROOT` / `APP` and for `SHARE_ROOT`
    folder : of the package
    work : empty folder

    Raises
    ------
    FirmwareError
        There is no dpkg-deb, or it failed.
    """
    root = work / "root"
    doc = root / "usr/share/doc" / APP
    for source, place in zip(contents, (f"{FIRMWARE_ROOT}/{APP}", SHARE_ROOT), strict=True):
        shutil.copytree(source, root / place.lstrip("/"))
    doc.mkdir(parents=True)
    (doc / "copyright").write_text(COPYRIGHT, encoding="utf-8")
    files = sorted(path for path in root.rglob("*") if path.is_file())
    sums = "".join(f"{md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(root).as_posix()}\n" for path in files)
    version = debian_version(entry.build, made)
    control = CONTROL.format(
        name=APP,
        version=version,
        architecture=ARCHITECTURE,
        kib=sum(-(-path.stat().st_size // 1024) for path in files),
        config=entry.config,
        phi=entry.phi,
        clock=entry.clock_mhz,
        build=entry.build,
        contract=entry.contract_digest[:16],
    )
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN/control").write_text(control, encoding="utf-8")
    (root / "DEBIAN/md5sums").write_text(sums, encoding="utf-8")
    seconds = made.timestamp()
    _settle(root, seconds)
    path = folder / package_name(version)
    # gzip: its bytes depend on no number of threads, and any dpkg reads them.
    command = [find_tool("dpkg-deb"), "--build", "--root-owner-group", "-Zgzip", "-z9", str(root), str(path)]
    printed = run_tool(command, work, {"SOURCE_DATE_EPOCH": f"{seconds:.0f}"})
    return made_by("dpkg-deb", path, printed)


def _settle(root: Path, seconds: float) -> None:
    """Give all below a folder the permissions that others may read it with, whatever the umask, and one time of change."""
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
        # dpkg-deb takes later times for SOURCE_DATE_EPOCH, earlier ones as they are; Vivado's clock may be ahead of this machine's.
        os.utime(path, (seconds, seconds))
