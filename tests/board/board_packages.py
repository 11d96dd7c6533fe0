"""Packages for PYNQ's Python on a board's stand-in: wheels and sdists of what calls itself ebmhw, and of what it requires, without any network."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from board_sshd import StandIn, python_package
from board_tree import put

from boards.kv260.deploy.host_package import HostPackage, find_host_package

# As setuptools: an old one makes of pyproject.toml a package without a name, which holds the kernel alone.
BACKEND = """
import json, pathlib, zipfile
from importlib import metadata
def build_wheel(folder, config_settings=None, metadata_directory=None):
    try:
        old = int(metadata.version("setuptools").split(".")[0]) < 77
    except metadata.PackageNotFoundError:
        old = False
    files = json.loads(pathlib.Path("unknown.json" if old else "good.json").read_text())
    name = "UNKNOWN-0.0.0-py3-none-any.whl" if old else "ebmhw-0.2-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return name
"""


def plain_package(name: str, version: str, module: str = "") -> dict[str, str]:
    """Return the files of a package with one module, by their paths in site-packages, its list of files last."""
    info = f"{name}-{version}.dist-info"
    files = {module or f"{name.lower()}.py": f"version = {version!r}\n"}
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/RECORD"] = "".join(f"{one},,\n" for one in [*files, f"{info}/RECORD"])
    return files


def write_wheel(folder: Path, name: str, version: str, files: Mapping[str, str]) -> Path:
    """Write a wheel for any machine; pip here installs none for ARM."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for one, text in files.items():
            archive.writestr(one, text)
    return path


def wheel(board: StandIn, folder: Path, **changes: Any) -> HostPackage:
    """Write a wheel of what calls itself ebmhw 0.2, and return it."""
    return find_host_package(write_wheel(folder, "ebmhw", "0.2", python_package(board.control, version="0.2", **changes)), folder)


def sdist(
    board: StandIn, folder: Path, requires: tuple[str, ...] = ("numpy>=1.26",), builds: tuple[str, ...] = (), *, kernel: bool = True
) -> HostPackage:
    """Write an sdist of what calls itself ebmhw 0.2, which an old setuptools in the environment that builds it makes a package UNKNOWN of."""
    good = python_package(board.control, version="0.2", requires=requires)
    compiled = {"ebmhw/native/__init__.py": "", "ebmhw/native/_kernel.py": ""} if kernel else {}
    table = f'[project]\nname = "ebmhw"\n[build-system]\nrequires = {json.dumps(builds)}\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    files = {
        "PKG-INFO": good["ebmhw-0.2.dist-info/METADATA"],
        "pyproject.toml": table,
        "backend.py": BACKEND,
        "good.json": json.dumps(compiled | good),
        "unknown.json": json.dumps(plain_package("UNKNOWN", "0.0.0", "ebmhw/native/_kernel.py")),
    }
    path = folder / "ebmhw-0.2.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"ebmhw-0.2/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return find_host_package(path, folder)


def index_of(board: StandIn, folder: Path, **versions: str) -> None:
    """Have the board's settings of pip, which are Kria-PYNQ's too, name a folder of wheels in the place of an index."""
    for name, version in versions.items():
        write_wheel(folder, name, version, plain_package(name, version))
    folder.mkdir(exist_ok=True)
    settings = f"[global]\nno-index = true\nfind-links = {folder}\n[install]\nno-build-isolation = yes\n"
    put(board.site.parents[2] / "pip.conf", settings)


def installed(board: StandIn, name: str, version: str) -> None:
    """Put a package into PYNQ's environment, in the place of another version."""
    for old in board.site.glob(f"{name}-*.dist-info"):
        shutil.rmtree(old)
    for path, text in plain_package(name, version).items():
        put(board.site / path, text)
