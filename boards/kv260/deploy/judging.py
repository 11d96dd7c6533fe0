"""What a step's answer says beyond that the step worked: each is judged here, and told in a few words."""

from __future__ import annotations

import json
from typing import Any

from boards.kv260.deploy.board_side.requirements import always, lacking
from boards.kv260.deploy.checks import design_faults
from boards.kv260.deploy.forms import checked_python
from boards.kv260.deploy.host_package import HostPackage
from boards.kv260.deploy.payload import Payload
from boards.kv260.deploy.python_checks import contract_differences, pip_install
from boards.kv260.deploy.report import Report
from boards.kv260.deploy.text import clean, shortened
from ebmhw.errors import BoardError, HardwareFault


def judge_begun(answer: dict[str, Any], report: Report) -> str:
    """Tell what an earlier deploy left behind."""
    if answer.get("took_over"):
        report.more(f"a dead deploy held the board: {answer['took_over']}")
    if answer.get("repaired"):
        report.more(str(answer["repaired"]))
    return ""


def judge_host(answer: dict[str, Any], payload: Payload, package: HostPackage) -> str:
    """Return which ebmhw was installed; BoardError where it is not what the package holds, or cannot drive the firmware."""
    pynq = checked_python(answer.get("pynq"))
    if pynq["versions"].get("ebmhw") != package.version:
        there = pynq["versions"].get("ebmhw") or "no ebmhw"
        raise BoardError(
            f"pip said that it installed {package.file.name}, and {there} is there: an old setuptools makes of it a package UNKNOWN; "
            "have pip build it with its own (leave --offline away), or give a wheel for 64-bit ARM"
        )
    lacks = lacking(always([*pynq["requires"], *package.requires]), pynq["versions"])
    if lacks:
        raise BoardError(f"the installed ebmhw cannot be used: it lacks {', '.join(lacks)}: install them there ({pip_install(lacks)})")
    if pynq["error"]:
        raise BoardError(f"the installed ebmhw cannot be used: it does not import ({pynq['error']}); install another build of it (make wheel)")
    if pynq["imported"] != package.version:
        raise BoardError(f"`import ebmhw` there gives version {pynq['imported']}, not {package.version}; is another one before it (PYTHONPATH)?")
    if package.native and not pynq["kernel"]:
        raise BoardError(
            "the installed ebmhw has no kernel for the CPU: it was not compiled (sudo apt install gcc python3-dev), or for another processor; "
            "deploy again, or give a wheel for 64-bit ARM"
        )
    differences = contract_differences(pynq, payload)
    if differences:
        raise BoardError(f"the installed ebmhw is not of the bitstream's contract: {'; '.join(differences)}; build both from one checkout")
    return f"ebmhw {pynq['versions'].get('ebmhw')}"


def judge_unloaded(answer: dict[str, Any]) -> str:
    """Return what was unloaded."""
    return ", ".join(map(str, answer.get("unloaded") or [])) or "nothing was loaded"


def judge_design(answer: dict[str, Any], payload: Payload) -> str:
    """Return what runs; BoardError where it is not what was deployed."""
    faults = design_faults(answer, payload)
    if faults:
        raise BoardError("; ".join(faults))
    return f"build {payload.entry.build:#010x}"


def judge_self_test(answer: dict[str, Any], report: Report) -> str:
    """Return how many rows passed; HardwareFault where one did not, BoardError as `self_test_rows`."""
    rows = self_test_rows(answer)
    report.data["selftest"] = rows
    failed = [row for row in rows if not row["passed"]]
    for row in failed:
        report.more(f"FAILED {row['what']}: {row['detail']}")
    if failed:
        told = "; ".join(f"{row['what']}: {row['detail']}" for row in failed)
        raise HardwareFault(f"the self-test failed in {len(failed)} of {len(rows)} rows: {told}")
    return f"{len(rows)} rows passed"


def self_test_rows(answer: dict[str, Any]) -> list[dict[str, Any]]:
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
