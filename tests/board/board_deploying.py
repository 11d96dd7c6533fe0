"""Fixtures of deploys: one sshd for all tests of a module, a board and a firmware for each."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from board_sshd import Sshd, StandIn, make_folder, running_sshd

from boards.kv260.deploy.payload import read_payload
from boards.kv260.deploy.plan import Limits, Plan
from boards.kv260.deploy.report import Report
from boards.kv260.deploy.rollout import deploy
from boards.kv260.deploy.ssh import Target
from ebmhw.board.block_design import APP, FIRMWARE_ROOT, SHARE_ROOT

QUICK = Limits(facts=20, idle=5, upload=20, unload=3, notice=1, load=1.5, selftest=1.5, install_host=60)


class Bench:
    """A board, a firmware, and deploys of it.

    Attributes
    ----------
    lines : what the deploys told
    """

    def __init__(self, sshd: Sshd, folder: Path) -> None:
        self.sshd, self.board, self.firmware = sshd, StandIn(folder / "board"), folder / "firmware"
        self.entry = make_folder(self.firmware)
        self.lines = io.StringIO()
        sshd.serve(self.board)

    def plan(self, **changes: Any) -> Plan:
        """Return a plan with limits of seconds, changed."""
        firmware = changes.pop("firmware", self.firmware)
        facts: dict[str, Any] = {"ssh": ("-F", str(self.sshd.config)), "root": str(self.board.root), "limits": QUICK, "reserve": 0}
        facts |= {"target": Target.parse(f"{self.sshd.user}@board"), "payload": read_payload(firmware)}
        return Plan(**facts | changes)

    def deploy(self, watch: Callable[[str, Any], None] = lambda step, what: None, report: Report | None = None, **changes: Any) -> Report:
        """Deploy, and return the report."""
        report = report or Report(self.lines)
        deploy(self.plan(**changes), report, watch)
        return report

    @property
    def told(self) -> str:
        """All lines that deploys told."""
        return self.lines.getvalue()

    def leftovers(self) -> list[str]:
        """Return what a deploy made on the board and did not remove."""
        places = (self.board.lock(), self.board.root / f"lib/firmware/.{APP}-deploy", self.board.root / f"usr/share/.{APP}-deploy")
        return [str(one) for one in places if one.exists()]

    def gone(self) -> None:
        """Wait until the board has noticed that nobody deploys any more."""
        self.board.wait_for(lambda: not self.leftovers(), 20)


def slow_but(names: Iterable[str], *quick: str) -> list[Any]:
    """Return names as parameters of a test that are slow but for some."""
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """An sshd that lets this user in."""
    with running_sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def bench(sshd: Sshd, tmp_path: Path) -> Bench:
    """A board that works, with another application loaded and nothing of ours installed."""
    return Bench(sshd, tmp_path)


def arguments(bench: Bench, *more: str) -> list[str]:
    """Return the command's arguments for a bench."""
    here = ["--ssh-config", str(bench.sshd.config), "--board-root", str(bench.board.root), "--firmware", str(bench.firmware), "--reserve", "0"]
    return [f"{bench.sshd.user}@board", *here, *more]


def install_earlier(bench: Bench, folder: Path) -> None:
    """Have another build of ours on the board, installed and loaded."""
    make_folder(folder, stamp=7, sources_digest="0badcafe" + "0" * 56)
    for where, place in ((APP, f"{FIRMWARE_ROOT}/{APP}"), ("share", SHARE_ROOT)):
        shutil.copytree(folder / where, bench.board.root / place[1:])
    for command in (["unloadapp", "0"], ["loadapp", APP]):
        subprocess.run([bench.board.root / "usr/bin/xmutil", *command], check=True, timeout=20, stdout=subprocess.DEVNULL)
    (bench.board.control / "calls").unlink()


@pytest.fixture
def upgrade(bench: Bench, tmp_path: Path) -> Bench:
    """A board that runs an earlier build of ours."""
    install_earlier(bench, tmp_path / "earlier")
    return bench
