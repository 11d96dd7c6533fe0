"""Deploys that install ebmhw into PYNQ's Python too, by a real pip, and take it back where something fails."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from board_deploying import Bench, arguments, bench, sshd
from board_packages import index_of, installed, sdist, wheel
from board_tree import put

from boards.kv260.deploy.__main__ import main
from boards.kv260.deploy.board_side.requirements import lacking
from boards.kv260.deploy.host_package import find_host_package
from ebmhw.errors import BoardError, ConfigError, EbmhwError

__all__ = ["bench", "sshd"]

NAME = "ebmhw-0.2-cp310-abi3-linux_aarch64.whl"
NEEDS = ("numpy>=1.26", "dimod>=0.12.18", "click>=8.1")

# The board's process dies as soon as something is there.
HALF_DONE = """
import os, pathlib, signal, threading, time
def watch():
    while not os.path.exists({sign!r}):
        time.sleep(0.005)
    half = pathlib.Path({site!r}, "~ick")
    half.mkdir(exist_ok=True)
    (half / "half.py").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
threading.Thread(target=watch, daemon=True).start()
"""


def stock(bench: Bench, folder: Path, **versions: str) -> None:
    """Make the board one that Kria-PYNQ was just installed on: no ebmhw, an old setuptools, and what PYNQ brings; a folder stands for the index."""
    shutil.rmtree(bench.board.site / "ebmhw")
    shutil.rmtree(bench.board.site / "ebmhw-0.1.dist-info")
    installed(bench.board, "setuptools", "59.6.0")
    installed(bench.board, "click", "7.1")
    index_of(bench.board, folder / "index", **versions)


def versions_there(bench: Bench) -> set[str]:
    return {one.name.removesuffix(".dist-info") for one in bench.board.site.glob("*.dist-info")}


@pytest.mark.slow
def test_the_first_deploy_on_a_stock_board_installs_what_is_missing(bench: Bench, tmp_path: Path) -> None:
    stock(bench, tmp_path, dimod="0.12.20", click="8.1.7", setuptools="77.0.1")
    before = bench.board.tree()
    bench.board.faults(selftest="fail")
    package = sdist(bench.board, tmp_path, NEEDS, ("setuptools>=77",))
    with pytest.raises(EbmhwError, match="self-test failed"):
        bench.deploy(host=package)
    assert bench.board.tree() == before, "what came is gone, and what it replaced is there again"
    bench.board.faults()
    bench.deploy(host=package)
    assert "install ebmhw-0.2.tar.gz: ok" in bench.told and ": ebmhw 0.2" in bench.told
    assert versions_there(bench) == {"pynq-3.0.1", "numpy-1.26.4", "setuptools-59.6.0", "ebmhw-0.2", "dimod-0.12.20", "click-8.1.7"}
    assert bench.leftovers() == []


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True])
def test_a_connection_cut_while_pip_installs_has_all_go_back(bench: Bench, tmp_path: Path, late: bool) -> None:
    """Packages come one after the other: the first one's files are there, or the last one's."""
    stock(bench, tmp_path, dimod="0.12.20", click="8.1.7")
    package = wheel(bench.board, tmp_path, requires=NEEDS)
    sign = bench.board.site / ("ebmhw" if late else "click-8.1.7.dist-info")
    # As an ended pip leaves what it is about to replace, and what it has copied by then.
    bench.board.prelude(HALF_DONE.format(sign=str(sign), site=str(bench.board.site)))
    before = bench.board.tree()
    with pytest.raises(EbmhwError, match=r"the connection to .* ended"):
        bench.deploy(host=package)
    bench.board.healthy()

    def stop(step: str, connection: Any) -> None:
        if step == "upload":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.deploy(stop, host=package)
    assert bench.board.tree() == before
    assert "died midway; what was there before it is there again" in bench.told


@pytest.mark.slow
def test_offline_all_that_is_missing_is_told_before_anything_is_changed(bench: Bench, tmp_path: Path) -> None:
    stock(bench, tmp_path)
    put(bench.board.site / "sitecustomize.py", "import sysconfig\nsysconfig.get_config_vars()['CC'] = 'no-compiler-of-that-name'\n")
    before = bench.board.tree()
    message = (
        r"nothing on the board was changed: 1\. Python: ebmhw-0\.2\.tar\.gz is compiled on the board, which lacks the compiler no-compiler"
        r".*apt install gcc"
        r".*without a package index dimod>=0\.12\.18, click>=8\.1, setuptools>=77 must be there before"
        r".*pip install 'dimod>=0\.12\.18' 'click>=8\.1' 'setuptools>=77,<82'; or on another machine: .*manylinux2014_aarch64"
    )
    with pytest.raises(BoardError, match=message):
        bench.deploy(host=sdist(bench.board, tmp_path, NEEDS, ("setuptools>=77",)), offline=True)
    assert bench.board.tree() == before
    with pytest.raises(BoardError, match=r"without a package index dimod>=0\.12\.18, click>=8\.1 must be there before") as caught:
        bench.deploy(host=wheel(bench.board, tmp_path, requires=NEEDS), offline=True)
    assert "compiler" not in str(caught.value)
    for name, version in (("dimod", "0.12.18"), ("click", "8.1")):
        installed(bench.board, name, version)
    bench.deploy(host=wheel(bench.board, tmp_path, requires=NEEDS), offline=True)


@pytest.mark.slow
def test_an_index_that_cannot_be_reached_is_told_before_anything_is_changed(bench: Bench, tmp_path: Path) -> None:
    stock(bench, tmp_path)
    before = bench.board.tree()
    with pytest.raises(
        BoardError, match=r"nothing on the board was changed: .*gets nothing from its package index \(.*setuptools.*connect the board"
    ):
        bench.deploy(host=sdist(bench.board, tmp_path, NEEDS, ("setuptools>=77",)))
    assert bench.board.tree() == before


@pytest.mark.slow
def test_a_dependency_that_the_index_lacks_is_told_and_all_goes_back(bench: Bench, tmp_path: Path) -> None:
    stock(bench, tmp_path, click="8.1.7")
    before = bench.board.tree()
    with pytest.raises(BoardError, match=r"pip install .* ended with exit status 1; it printed: .*dimod.*else --offline; nothing of it stays"):
        bench.deploy(host=wheel(bench.board, tmp_path, requires=NEEDS))
    assert bench.board.tree() == before


@pytest.mark.slow
def test_a_package_unknown_is_no_success_and_is_removed(bench: Bench, tmp_path: Path) -> None:
    stock(bench, tmp_path)
    before = bench.board.tree()
    with pytest.raises(BoardError, match=r"pip said that it installed ebmhw-0\.2\.tar\.gz, and no ebmhw is there: .*UNKNOWN"):
        bench.deploy(host=sdist(bench.board, tmp_path), offline=True)
    assert bench.board.tree() == before and "the board is as it was before" in bench.told
    # Built apart from the environment's setuptools, whatever Kria-PYNQ's settings say, it is what it is.
    bench.deploy(host=sdist(bench.board, tmp_path))
    assert "ebmhw-0.2" in versions_there(bench)


@pytest.mark.slow
def test_a_package_without_its_kernel_is_removed(bench: Bench, tmp_path: Path) -> None:
    before = bench.board.tree()
    with pytest.raises(BoardError, match="has no kernel for the CPU: it was not compiled"):
        bench.deploy(host=sdist(bench.board, tmp_path, kernel=False))
    assert bench.board.tree() == before


@pytest.mark.slow
def test_a_new_numpy_is_refused_with_the_remedy(bench: Bench, tmp_path: Path) -> None:
    shutil.rmtree(bench.board.site / "numpy-1.26.4.dist-info")
    installed(bench.board, "numpy", "2.0.1")
    with pytest.raises(BoardError, match=r"nothing on the board was changed: .*numpy is 2\.0\.1 in .*: sudo .* pip install 'numpy==1\.26\.\*'"):
        bench.deploy(host=wheel(bench.board, tmp_path))


@pytest.mark.slow
def test_the_package_is_installed_and_makes_the_contracts_agree(bench: Bench, tmp_path: Path) -> None:
    bench.board.install_python(change=1)
    bench.deploy(host=wheel(bench.board, tmp_path))
    assert "install ebmhw-0.2-py3-none-any.whl: ok" in bench.told and "ebmhw 0.2" in bench.told
    assert [one.name for one in bench.board.site.glob("ebmhw-*")] == ["ebmhw-0.2.dist-info"]
    assert bench.leftovers() == []


FAULTS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "another contract": ({"change": 2}, {}, "the installed ebmhw is not of the bitstream's contract: the register map of ising_core has hash"),
    "self-test fails": ({}, {"selftest": "fail"}, "the self-test failed in 1 of 2 rows"),
    "loadapp fails": ({}, {"loadapp": ["error"]}, "load Error: -1"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_the_package_that_was_there_is_there_again(bench: Bench, tmp_path: Path, name: str) -> None:
    changes, faults, message = FAULTS[name]
    before = bench.board.tree()
    bench.board.faults(**faults)
    with pytest.raises(EbmhwError, match=message):
        bench.deploy(host=wheel(bench.board, tmp_path, **changes))
    assert bench.board.tree() == before
    assert "the board is as it was before" in bench.told


def test_a_file_that_is_no_package_is_refused_here(tmp_path: Path) -> None:
    for name in ("ebmhw-0.2.tar.gz", NAME):
        put(tmp_path / name, b"no archive")
        with pytest.raises(ConfigError, match=r"is no package of ebmhw \(.*build it again \(make wheel\)"):
            find_host_package(tmp_path / name, tmp_path)


def test_offline_goes_with_installing(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(bench, "--offline")) == 1
    assert "--offline says how ebmhw is installed; it goes with --install-host" in capsys.readouterr().out


def test_the_newest_package_that_a_board_can_install_is_taken(bench: Bench, tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    with pytest.raises(ConfigError, match="has no wheel or sdist of ebmhw that a board can install"):
        find_host_package(None, dist)
    dist.mkdir()
    for name in ("ebmhw-0.2-cp310-abi3-linux_x86_64.whl", "ebmhw-0.2.tar.gz.asc"):
        put(dist / name, name)
    built = sdist(bench.board, dist, NEEDS, ("setuptools>=77",))
    assert find_host_package(None, dist) == built
    assert (built.version, built.builds, built.native, built.is_sdist) == ("0.2", ("setuptools>=77",), True, True)
    assert built.requires == ("numpy>=1.26,<2", "dimod>=0.12.18", "click>=8.1")
    any_machine = wheel(bench.board, dist)
    any_machine.file.path.rename(dist / NAME)
    found = find_host_package(None, dist)
    assert (found.file.name, found.native, found.builds, any_machine.native) == (NAME, True, (), False)
    with pytest.raises(ConfigError, match="is no package of ebmhw for 64-bit ARM; give the sdist"):
        find_host_package(dist / "ebmhw-0.2-cp310-abi3-linux_x86_64.whl", dist)
    with pytest.raises(ConfigError, match="there is no file"):
        find_host_package(dist / "ebmhw-9.tar.gz", dist)


@pytest.mark.parametrize(
    ("requirement", "version", "fulfilled"),
    [
        ("numpy>=1.26,<2", "1.26.4", True),
        ("numpy>=1.26,<2", "2.0.0rc1", False),
        ("numpy>=1.26,<2", "1.21.5", False),
        ("numpy==1.26.*", "1.26", True),
        ("numpy==1.26.*", "1.27.0", False),
        ("click", "0.1", True),
        ("click (>=8.1)", "8.1.0", True),
        ("click>=8.1", None, False),
        ("a.b-c[x]~=1.2", "1.10.post1", True),
        ("setuptools!=60", "60.0.0", False),
        ("dimod>=0.12.18", "0.12.9", False),
    ],
)
def test_requirements_are_fulfilled_by_numbers(requirement: str, version: str | None, fulfilled: bool) -> None:
    assert lacking([requirement], {"numpy": version, "click": version, "a.b-c": version, "setuptools": version, "dimod": version}) == (
        [] if fulfilled else [requirement]
    )
