"""``python -m boards.kv260.deploy user@host``: puts firmware onto a KV260 over ssh, loads it, tests it, and rolls back where that fails."""

from __future__ import annotations

import argparse
import dataclasses
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from boards.kv260.deploy.host_package import find_host_package
from boards.kv260.deploy.payload import read_payload
from boards.kv260.deploy.plan import RESERVE_BYTES, Limits, Plan
from boards.kv260.deploy.report import Report
from boards.kv260.deploy.rollout import deploy
from boards.kv260.deploy.ssh import Target
from ebmhw.errors import ConfigError, EbmhwError

ROOT: Final = Path(__file__).resolve().parents[3]


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy, and return 0 where the board runs the new firmware (or could, with --dry-run), 1 where something failed, 130 after Ctrl-C."""
    options = _options(arguments)
    report = Report(sys.stderr if options.json else sys.stdout)
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        status = _deployed(options, report)
    finally:
        signal.signal(signal.SIGTERM, before)
    report.data["ok"] = status == 0
    if options.json:
        print(report.to_json())
    return status


def _deployed(options: argparse.Namespace, report: Report) -> int:
    try:
        if options.offline and not options.install_host:
            raise ConfigError("--offline says how ebmhw is installed; it goes with --install-host")
        limits = dataclasses.replace(Limits(), load=options.load_limit, selftest=options.selftest_limit)
        plan = Plan(
            Target.parse(options.board),
            read_payload(options.firmware),
            find_host_package(None if options.install_host is True else options.install_host, ROOT / "dist") if options.install_host else None,
            options.offline,
            tuple(_ssh_options(options)),
            options.dry_run,
            options.reserve << 20,
            options.board_root,
            limits=limits,
        )
        deploy(plan, report)
    except EbmhwError as error:
        report.failed(error)
        return 1
    except KeyboardInterrupt:
        report.data["error"] = {"code": "interrupted", "message": "interrupted"}
        report.tell("interrupted")
        return 130
    report.tell("nothing was changed (--dry-run)" if options.dry_run else f"{plan.target} runs build {plan.payload.entry.build:#010x}")
    return 0


def _ssh_options(options: argparse.Namespace) -> list[str]:
    given = [] if options.port is None else ["-p", str(options.port)]
    given += [] if options.identity is None else ["-i", str(options.identity), "-oIdentitiesOnly=yes"]
    return given + ([] if options.ssh_config is None else ["-F", str(options.ssh_config)])


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m boards.kv260.deploy", description="Put firmware onto a KV260 over ssh.")
    parser.add_argument("board", metavar="user@host", help="the board, as ssh names it")
    parser.add_argument("--firmware", type=Path, default=ROOT / "out" / "firmware", help="folder that make firmware wrote (default: %(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="look and check, and say what would be done")
    parser.add_argument(
        "--install-host",
        nargs="?",
        const=True,
        default=None,
        type=Path,
        metavar="FILE",
        help="install ebmhw there too, and what it requires: a wheel or sdist (default: of dist/)",
    )
    parser.add_argument("--offline", action="store_true", help="with --install-host: install without a package index, with what the board has")
    parser.add_argument("--reserve", type=int, default=RESERVE_BYTES >> 20, metavar="MIB", help="what stays free there (default: %(default)s)")
    parser.add_argument("--load-limit", type=float, default=Limits.load, metavar="S", help="limit of loading (default: %(default)s)")
    parser.add_argument("--selftest-limit", type=float, default=Limits.selftest, metavar="S", help="limit of the self-test (default: %(default)s)")
    parser.add_argument("--port", type=int, help="of sshd there")
    parser.add_argument("--identity", type=Path, metavar="FILE", help="private key")
    parser.add_argument("--ssh-config", type=Path, metavar="FILE", help="in place of ~/.ssh/config")
    parser.add_argument("--board-root", default="/", metavar="FOLDER", help="root of the board's file system (for tests)")
    parser.add_argument("--json", action="store_true", help="the result as JSON; the steps go to standard error")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
