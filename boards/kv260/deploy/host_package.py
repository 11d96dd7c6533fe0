"""A package of ebmhw for the board's Python, and what it says that it needs there."""

from __future__ import annotations

import re
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import Final, final

from boards.kv260.deploy.board_side.requirements import always, lacking, name_of
from boards.kv260.deploy.payload import UploadFile
from ebmhw.errors import ConfigError

NUMPY_BELOW: Final = "2"
"""PYNQ takes no NumPy from this version on."""

_WHEEL = re.compile(r"ebmhw-[\w.+!]+(-\d\w*)?-[\w.]+-[\w.]+-(?P<platform>[\w.]+)\.whl")
_SDIST = re.compile(r"ebmhw-[\w.+!]+\.tar\.gz")
_BUILD_TABLE = re.compile(r"^\[build-system\]$(?P<table>.*?)(?=^\[|\Z)", re.MULTILINE | re.DOTALL)
_BUILD_REQUIRES = re.compile(r"^requires *= *\[(?P<list>[^\]]*)\]", re.MULTILINE)
_METADATA_BYTES = 1 << 20


@final
@dataclass(frozen=True)
class HostPackage:
    """A wheel or an sdist.

    Attributes
    ----------
    file : that goes to the board
    version : of ebmhw in it
    requires : what it needs there, NumPy's limit as PYNQ has it
    builds : what building it needs; () for a wheel
    native : whether the kernel for the CPU is to be there afterwards
    """

    file: UploadFile
    version: str
    requires: tuple[str, ...]
    builds: tuple[str, ...]
    native: bool

    @property
    def is_sdist(self) -> bool:
        """Whether it is built on the board."""
        return not self.file.name.endswith(".whl")

    @property
    def names(self) -> list[str]:
        """Names of all that it needs."""
        return [name_of(one) for one in (*self.requires, *self.builds)]


def find_host_package(given: Path | None, dist: Path) -> HostPackage:
    """Return a package of ebmhw that a board can install: the one given, else the newest in ``dist``, wheels before sdists.

    Raises
    ------
    ConfigError
        There is none, a wheel is for other machines than the board's 64-bit ARM, or a file is no package of ebmhw.
    """
    if given is None:
        found = [path for path in dist.glob("ebmhw-*") if _fits(path)] if dist.is_dir() else []
        if not found:
            raise ConfigError(
                f"{dist} has no wheel or sdist of ebmhw that a board can install; build them (make wheel), or give one (--install-host FILE)"
            )
        given = max(found, key=lambda path: (path.suffix == ".whl", path.stat().st_mtime_ns))
    if not given.is_file():
        raise ConfigError(f"there is no file {given}; build one (make wheel), or leave FILE away to take the newest in {dist}")
    if not _fits(given):
        raise ConfigError(f"{given.name} is no package of ebmhw for 64-bit ARM; give the sdist (ebmhw-VERSION.tar.gz), which the board builds itself")
    try:
        return _read(given)
    except (OSError, EOFError, KeyError, ValueError, StopIteration, zlib.error, tarfile.TarError, zipfile.BadZipFile) as error:
        why = " ".join(str(error).split())
        raise ConfigError(f"{given} is no package of ebmhw ({type(error).__name__}: {why}); build it again (make wheel)") from None


def _read(path: Path) -> HostPackage:
    wheel = _WHEEL.fullmatch(path.name)
    if wheel:
        with zipfile.ZipFile(path) as archive:
            about = archive.read(next(name for name in archive.namelist() if re.fullmatch(r"ebmhw-[^/]+\.dist-info/METADATA", name)))
        builds: list[str] = []
    else:
        with tarfile.open(path) as archive:
            about = _member(archive, "PKG-INFO")
            table = _BUILD_TABLE.search(_member(archive, "pyproject.toml").decode())
        listed = _BUILD_REQUIRES.search(table["table"]) if table else None
        builds = re.findall(r"[\"']([^\"']+)[\"']", listed["list"]) if listed else ["setuptools"]
    headers = HeaderParser().parsestr(about.decode())
    if headers["Name"] != "ebmhw" or not headers["Version"]:
        raise ValueError(f"it says that it is {headers['Name']} {headers['Version']}")
    requires = always(headers.get_all("Requires-Dist", []))
    requires = [f"{one}{'' if one == 'numpy' else ','}<{NUMPY_BELOW}" if name_of(one) == "numpy" else one for one in requires]
    lacking((*requires, *builds), {name_of(one): "0" for one in (*requires, *builds)})  # whether each is one
    native = wheel is None or wheel["platform"] != "any"
    return HostPackage(UploadFile.of("host", path), headers["Version"], tuple(requires), tuple(always(builds)), native)


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    member = next(one for one in archive if re.fullmatch(rf"ebmhw-[^/]+/{re.escape(name)}", one.name))
    stream = archive.extractfile(member)
    if stream is None:
        raise ValueError(f"{member.name} is no file")
    return stream.read(_METADATA_BYTES)


def _fits(path: Path) -> bool:
    wheel = _WHEEL.fullmatch(path.name)
    if wheel:
        return any(tag == "any" or tag.endswith("_aarch64") for tag in wheel["platform"].split("."))
    return _SDIST.fullmatch(path.name) is not None
