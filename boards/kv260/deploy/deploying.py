"""A deploy from beginning to end: connect, look, check, upload, unload, install, load, verify, test, and roll back where one of it fails."""

from __future__ import annotations

import getpass
import json
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final, final

from boards.kv260.deploy.checks import PROPERTIES, RESERVE_BYTES, VENV, Check, checks, contract_differences, nodes
from boards.kv260.deploy.facts import checked_facts, checked_python
from boards.kv260.deploy.package import Package, UploadFile
from boards.kv260.deploy.report import Report
from boards.kv260.deploy.session import BoardSession
from boards.kv260.deploy.ssh import Connection, Target
from boards.kv260.deploy.text import bytes_shown, clean, shortened
from ebmhw.board.block_design import APP, FIRMWARE_ROOT, SHARE_ROOT
from ebmhw.board.loaded import OPERATING
from ebmhw.errors import BoardError, EbmhwError, HardwareFault, NetworkError

SLACK_S: Final = 15
"""Added to a step's limit on the board before the host gives up on its answer."""


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
    install_host: float = 900


@final
@dataclass(frozen=True)
class Plan:
    """What is to be deployed where.

    Attributes
    ----------
    target : the board
    package : the firmware
    host : a package of ebmhw for the board's Python, None to leave it as it is
    ssh : further arguments of ssh
    dry_run : whether to stop before anything on the board is changed
    reserve : bytes that stay free on the board
    root : of the board's file system
    exchange : whether folders are exchanged in one step where the board can
    """

    target: Target
    package: Package
    host: UploadFile | None = None
    ssh: tuple[str, ...] = ()
    dry_run: bool = False
    reserve: int = RESERVE_BYTES
    root: str = "/"
    exchange: bool = True
    limits: Limits = field(default_factory=Limits)

    @property
    def files(self) -> tuple[UploadFile, ...]:
        """All that goes to the board."""
        return self.package.files + ((self.host,) if self.host else ())

    def common(self) -> dict[str, Any]:
        """Return what `board_side` is told first."""
        return {
            "app": APP,
            "firmware": FIRMWARE_ROOT,
            "share": SHARE_ROOT,
            "venv": VENV,
            "root": self.root,
            "properties": PROPERTIES,
            "idle_s": self.limits.idle,
        }

    def steps(self) -> list[str]:
        """Return what a deploy would do, a sentence each."""
        total = bytes_shown(sum(one.size for one in self.files))
        told = [f"upload {len(self.files)} files, {total}, beside {FIRMWARE_ROOT} and {SHARE_ROOT}, and compare their SHA-256 there"]
        if self.host:
            told.append(f"install {self.host.name} into {VENV} (pip, offline)")
        return [
            *told,
            "unload what is loaded (xmutil unloadapp)",
            f"exchange {FIRMWARE_ROOT}/{APP} and {SHARE_ROOT} for the new ones",
            f"load it (xmutil loadapp {APP}), and compare the live device tree with the bitstream",
            "run `ebmhw board selftest`; bring back what was there before where anything fails",
        ]


def deploy(plan: Plan, report: Report, watch: Callable[[str, Any], None] = lambda step, what: None) -> None:
    """Put firmware onto a board, load it and test it.

    Parameters
    ----------
    plan : what, and where
    report : hears of each step
    watch : called before each step with its name and the connection

    Raises
    ------
    EbmhwError
        A check or a step failed, after what was there before is there again, or the text says what is not. KeyboardInterrupt likewise.
    """
    report.data |= {"board": str(plan.target), "build": f"{plan.package.entry.build:#010x}", "state": "untouched"}
    watch("connect", None)
    with ExitStack() as stack:
        with report.step("connect"):
            connection = stack.enter_context(Connection(plan.target, plan.ssh))
        watch("facts", connection)
        with report.step("look at the board") as step:
            facts = _facts(plan, connection)
            step["said"] = facts["model"] or "unknown"
        report.data["facts"] = facts
        with report.step("check"):
            _judge(
                checks(facts, plan.package, upload=sum(one.size for one in plan.files), reserve=plan.reserve, installs_host=bool(plan.host)), report
            )
        report.data["plan"] = plan.steps()
        if plan.dry_run:
            report.tell("a deploy would:")
            for text in plan.steps():
                report.more(text)
            return
        session = BoardSession(connection, plan.common(), sudo=facts["uid"] != 0)
        try:
            _change(plan, session, connection, report, watch)
        finally:
            session.close()


def _facts(plan: Plan, connection: Connection) -> dict[str, Any]:
    session = BoardSession(connection, plan.common(), sudo=False)
    try:
        return checked_facts(session.ask("facts", plan.limits.facts).get("facts"))
    finally:
        session.close()


def _judge(found: list[Check], report: Report) -> None:
    report.data["checks"] = [{"check": one.what, "state": one.state, "detail": one.detail} for one in found]
    for one in found:
        report.more(f"{'FAILED' if one.state == 'failed' else one.state:6} {one.what}: {one.detail}")
    failed = [one for one in found if one.state == "failed"]
    if failed:
        told = "; ".join(f"{number}. {one.what}: {one.detail}" for number, one in enumerate(failed, 1))
        raise BoardError(f"{len(failed)} check{'s' * (len(failed) > 1)} failed, and nothing on the board was changed: {told}")


def _change(plan: Plan, session: BoardSession, connection: Connection, report: Report, watch: Callable[[str, Any], None]) -> None:
    """Run the steps that change the board; whatever ends them early, what was there before is brought back."""
    try:
        _steps(plan, session, connection, report, watch)
    except BaseException as error:
        _undone(session, report, error)
        raise
    report.data["state"] = "deployed"
    try:
        session.finish()
    except NetworkError:
        report.tell("the connection ended after the board had kept the new firmware")


def _steps(plan: Plan, session: BoardSession, connection: Connection, report: Report, watch: Callable[[str, Any], None]) -> None:
    limits = plan.limits

    def ask(op: str, shown: str, limit: float, files: tuple[UploadFile, ...] = (), **request: Any) -> dict[str, Any]:
        watch(op, connection)
        with report.step(shown) as step:
            answer = session.ask(op, limit + SLACK_S, files, limit_s=limit, **request)
            step["said"] = shortened(str(answer.get("said") or ""), 120)
            _told(op, plan, answer, report, step)
        return answer

    ask("begin", "take the board", limits.unload + limits.load, who=_who())
    report.data["state"] = "changing"
    size = bytes_shown(sum(one.size for one in plan.files))
    ask("upload", f"upload {len(plan.files)} files, {size}", limits.upload, plan.files, idle_s=limits.idle)
    if plan.host:
        ask("host", f"install {plan.host.name}", limits.install_host, name=plan.host.name)
    ask("unload", "unload", limits.unload)
    ask("install", "install", limits.unload, exchange=plan.exchange)
    ask("load", f"load {APP}", limits.load + limits.notice, notice_s=limits.notice)
    ask("verify", "verify", limits.unload, nodes=nodes(plan.package), operating=OPERATING)
    ask("selftest", "self-test", limits.selftest)
    ask("commit", "keep", limits.unload)


def _told(op: str, plan: Plan, answer: dict[str, Any], report: Report, step: dict[str, Any]) -> None:
    """Judge what a step's answer says beyond that it worked."""
    if op == "begin":
        if answer.get("took_over"):
            report.more(f"a dead deploy held the board: {answer['took_over']}")
        if answer.get("repaired"):
            report.more(str(answer["repaired"]))
    elif op == "unload":
        step["said"] = ", ".join(map(str, answer.get("unloaded") or [])) or "nothing was loaded"
    elif op == "host":
        pynq = checked_python(answer.get("pynq"))
        if pynq["error"] or pynq["missing"]:
            lacks = f"it lacks {', '.join(pynq['missing'])}: install them there with a network ({VENV}/bin/python3 -m pip install)"
            raise BoardError(f"the installed ebmhw cannot be used: {lacks if pynq['missing'] else pynq['error']}")
        differences = contract_differences(pynq, plan.package)
        if differences:
            raise BoardError(f"the installed ebmhw is not of the bitstream's contract: {'; '.join(differences)}; build both from one checkout")
        step["said"] = f"ebmhw {pynq['versions'].get('ebmhw')}"
    elif op == "selftest":
        rows = judged(answer)
        report.data["selftest"] = rows
        failed = [row for row in rows if not row["passed"]]
        for row in failed:
            report.more(f"FAILED {row['what']}: {row['detail']}")
        if failed:
            told = "; ".join(f"{row['what']}: {row['detail']}" for row in failed)
            raise HardwareFault(f"the self-test failed in {len(failed)} of {len(rows)} rows: {told}")
        step["said"] = f"{len(rows)} rows passed"


def judged(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a self-test that the board printed; BoardError where it printed something else, or ended otherwise than its rows say."""
    output, status = str(answer.get("output")), answer.get("status")
    said = f"it ended with {status} and printed: {shortened(output, 300) or 'nothing'} (errors: {shortened(str(answer.get('errors')), 300)})"
    try:
        data = clean(json.loads(output))
        rows = [{"what": str(row["what"]), "passed": row["passed"], "detail": str(row["detail"])} for row in data["rows"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BoardError(f"the self-test did not say how it went: {said}") from None
    if not rows or not all(isinstance(row["passed"], bool) for row in rows):
        raise BoardError(f"the self-test tested nothing: {said}")
    passed = all(row["passed"] for row in rows)
    if (data.get("passed") is not True and passed) or (status == 0) != passed:
        raise BoardError(f"the self-test's exit status is not what its rows say: {said}")
    return rows


def _undone(session: BoardSession, report: Report, error: BaseException) -> None:
    """Have the board bring back what was there, and tell how that went."""
    if isinstance(error, KeyboardInterrupt):
        report.tell("interrupted; the board brings back what was there before (once more Ctrl-C: without waiting for it)")
    known = error.context.get("final") if isinstance(error, EbmhwError) else None
    try:
        with report.step("roll back"):
            final = known or session.finish()
    except NetworkError as lost:
        report.data["state"] = "unknown"
        report.tell(
            f"whether the board went back is not known here ({lost}); it does so by itself when it finds us gone, and the next deploy repairs "
            "what is left: look with --dry-run"
        )
        return
    except KeyboardInterrupt:
        report.data["state"] = "unknown"
        report.tell("not waited for; the board goes on bringing back what was there before, and the next deploy repairs what is left")
        return
    _outcome(final, report)


def _outcome(final: dict[str, Any], report: Report) -> None:
    problems = [str(one) for one in final.get("problems") or []]
    report.data["problems"] = problems
    if final.get("kept"):
        report.data["state"] = "deployed"
        report.tell("the new firmware is kept: it was committed before")
    elif problems:
        report.data["state"] = "broken"
        report.tell("THE ROLL-BACK FAILED; what was there before is kept beside, and the next deploy tries again. What did not work:")
        for one in problems:
            report.more(one)
    else:
        report.data["state"] = "as before"
        report.tell("the board is as it was before")


def _who() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError):
        return socket.gethostname()
