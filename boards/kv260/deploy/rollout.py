"""A deploy from beginning to end: connect, look, check, upload, unload, install, load, verify, test, and roll back where one of it fails.

The board does and tells; this side judges, and closes the session where it does not like what it hears, upon which the board rolls back.
"""

from __future__ import annotations

import getpass
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from boards.kv260.deploy.checks import Check, checks
from boards.kv260.deploy.forms import checked_facts
from boards.kv260.deploy.judging import judge_begun, judge_design, judge_host, judge_self_test, judge_unloaded
from boards.kv260.deploy.payload import UploadFile
from boards.kv260.deploy.plan import Plan
from boards.kv260.deploy.report import Report
from boards.kv260.deploy.session import BoardSession
from boards.kv260.deploy.ssh import Connection
from boards.kv260.deploy.text import bytes_shown, shortened
from ebmhw.board.block_design import APP
from ebmhw.errors import BoardError, EbmhwError, NetworkError

SLACK_S: Final = 15
"""Added to a step's limit on the board before the host gives up on its answer."""


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
    report.data |= {"board": str(plan.target), "build": f"{plan.payload.entry.build:#010x}", "state": "untouched"}
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
            _judge(checks(facts, plan), report)
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
    limits, payload = plan.limits, plan.payload

    def ask(
        op: str,
        shown: str,
        limit: float,
        judge: Callable[[dict[str, Any]], str] = lambda answer: shortened(str(answer.get("said") or ""), 120),
        files: tuple[UploadFile, ...] = (),
        **request: Any,
    ) -> None:
        watch(op, connection)
        with report.step(shown) as step:
            step["said"] = judge(session.ask(op, limit + SLACK_S, files, limit_s=limit, **request))

    ask("begin", "take the board", limits.unload + limits.load, lambda answer: judge_begun(answer, report), who=_who())
    report.data["state"] = "changing"
    ask("upload", f"upload {len(plan.files)} files, {bytes_shown(plan.size)}", limits.upload, files=plan.files, idle_s=limits.idle)
    if plan.host:
        name, host = plan.host.file.name, plan.host
        more: dict[str, Any] = {"name": name, "requirements": list(host.requires), "offline": plan.offline}
        ask("host", f"install {name}", limits.install_host, lambda answer: judge_host(answer, payload, host), **more)
    ask("unload", "unload", limits.unload, judge_unloaded)
    ask("install", "install", limits.unload)
    ask("load", f"load {APP}", limits.load + limits.notice, notice_s=limits.notice)
    ask("look", "verify", limits.unload, lambda answer: judge_design(answer, payload))
    ask("selftest", "self-test", limits.selftest, lambda answer: judge_self_test(answer, report))
    ask("commit", "keep", limits.unload)


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
