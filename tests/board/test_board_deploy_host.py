"""Deploys that install ebmhw into PYNQ's Python too, by a real pip, and take it back where something fails."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from board_deploying import Bench, bench, sshd
from board_sshd import python_package
from board_tree import put

from boards.kv260.deploy.payload import find_host_package
from ebmhw.errors import ConfigError, EbmhwError

__all__ = ["bench", "sshd"]

pytestmark = pytest.mark.slow

NAME = "ebmhw-0.2-cp310-abi3-linux_aarch64.whl"


def wheel(bench: Bench, folder: Path, **changes: Any) -> Any:
    """Write a wheel of what calls itself ebmhw 0.2; pip here installs no wheel for ARM, so its name is for any machine."""
    path = folder / "ebmhw-0.2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in python_package(bench.board.control, version="0.2", **changes).items():
            archive.writestr(name, text)
    return find_host_package(path, folder)


def test_the_package_is_installed_and_makes_the_contracts_agree(bench: Bench, tmp_path: Path) -> None:
    bench.board.install_python(change=1)
    bench.deploy(host=wheel(bench, tmp_path))
    assert "install ebmhw-0.2-py3-none-any.whl: ok" in bench.told and "ebmhw 0.2" in bench.told
    assert [one.name for one in bench.board.site.glob("ebmhw-*")] == ["ebmhw-0.2.dist-info"]
    assert bench.leftovers() == []


def test_the_package_is_installed_where_none_was(bench: Bench, tmp_path: Path) -> None:
    for one in bench.board.site.glob("ebmhw*"):
        for path in sorted(one.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        one.rmdir()
    bench.board.faults(selftest="fail")
    before = bench.board.tree()
    with pytest.raises(EbmhwError, match="self-test failed"):
        bench.deploy(host=wheel(bench, tmp_path))
    assert bench.board.tree() == before
    bench.board.faults()
    bench.deploy(host=wheel(bench, tmp_path))


FAULTS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "another contract": ({"change": 2}, {}, "the installed ebmhw is not of the bitstream's contract: the register map of ising_core has hash"),
    "lacks dimod": ({"requires": ("numpy", "dimod>=0.12.18")}, {}, "it lacks dimod>=0.12.18: install them there with a network"),
    "self-test fails": ({}, {"selftest": "fail"}, "the self-test failed in 1 of 2 rows"),
    "loadapp fails": ({}, {"loadapp": ["error"]}, "load Error: -1"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_package_that_was_there_is_there_again(bench: Bench, tmp_path: Path, name: str) -> None:
    changes, faults, message = FAULTS[name]
    before = bench.board.tree()
    bench.board.faults(**faults)
    with pytest.raises(EbmhwError, match=message):
        bench.deploy(host=wheel(bench, tmp_path, **changes))
    assert bench.board.tree() == before
    assert "the board is as it was before" in bench.told


def test_a_package_that_pip_refuses_changes_nothing(bench: Bench, tmp_path: Path) -> None:
    put(tmp_path / "ebmhw-0.2.tar.gz", b"no archive")
    before = bench.board.tree()
    with pytest.raises(EbmhwError, match=r"pip install .* ended with exit status [12]; it printed"):
        bench.deploy(host=find_host_package(tmp_path / "ebmhw-0.2.tar.gz", tmp_path))
    assert bench.board.tree() == before


def test_the_newest_package_that_a_board_can_install_is_taken(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no wheel or sdist of ebmhw that a board can install"):
        find_host_package(None, tmp_path)
    for name in ("ebmhw-0.2-cp310-abi3-linux_x86_64.whl", "ebmhw-0.2.tar.gz", "ebmhw-0.2.tar.gz.asc"):
        put(tmp_path / name, name)
    assert find_host_package(None, tmp_path).name == "ebmhw-0.2.tar.gz"
    put(tmp_path / NAME, NAME)
    assert (find_host_package(None, tmp_path).name, find_host_package(None, tmp_path).size) == (NAME, len(NAME))
    with pytest.raises(ConfigError, match="is no package of ebmhw for 64-bit ARM; give the sdist"):
        find_host_package(tmp_path / "ebmhw-0.2-cp310-abi3-linux_x86_64.whl", tmp_path)
    with pytest.raises(ConfigError, match="there is no file"):
        find_host_package(tmp_path / "ebmhw-9.tar.gz", tmp_path)
