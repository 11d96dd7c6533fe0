"""The work behind the tools; runs in a worker process, which is killed where it takes too long."""

from __future__ import annotations

import logging
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, final

from ebmhw.errors import EbmhwError
from ebmhw.serve.refusal import Refusal

if TYPE_CHECKING:
    from ebmhw.verify import Claim, Report, VerifyRepairPipeline

SHARE = 0.9
"""Of the time that is left, what a check gets: what it then says of what it has read is worth more than a killed worker."""


class Call(NamedTuple):
    """What a worker is given.

    Attributes
    ----------
    tool : its name, with "candidate" for one of verify_stream
    arguments : checked
    seconds : wall-clock time that is left
    """

    tool: str
    arguments: Mapping[str, Any]
    seconds: float


class Answer(NamedTuple):
    """What a worker returns: the structured content, and whether it is an error."""

    content: dict[str, Any]
    is_error: bool = False


@final
@dataclass(frozen=True)
class Desk:
    """What the server was started with, as its workers need it; ``desk()`` makes the function that does a call.

    Attributes
    ----------
    llm, backend, knowledge, seed : as of `VerifyRepairPipeline`
    claims : of one report that are returned
    scratch : folder for what its workers write while they work; the server removes it. None for the system's
    """

    llm: str | None = None
    backend: str | None = None
    knowledge: str | None = None
    seed: int = 0
    claims: int = 200
    scratch: str | None = None

    def __call__(self) -> Callable[[Call], Answer]:
        die_with_parent()
        if self.scratch is not None:
            settle(Path(self.scratch))
        return self.do

    def do(self, call: Call) -> Answer:
        """Return the answer to a call; whatever goes wrong is an answer too."""
        try:
            return Answer(_WORK[call.tool](self, call.arguments, max(0.05, SHARE * call.seconds)))
        except Refusal as refusal:
            return Answer(refusal.to_json(), True)
        except EbmhwError as error:
            return Answer(Refusal.of(error).to_json(), True)
        except Exception as error:
            logging.getLogger("ebmhw.serve").exception("a fault in %s", call.tool)
            said = f"{type(error).__name__} in {call.tool}, a fault of ebmhw itself"
            return Answer(Refusal("internal", said, "report it with the lines on the server's standard error").to_json(), True)


def die_with_parent() -> None:
    """Have the system kill this process where its parent dies, even where that was killed; Linux only."""
    if sys.platform == "linux":
        import ctypes
        import signal

        set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(set_pdeathsig, signal.SIGKILL)


def settle(scratch: Path) -> None:
    """Give this process a folder of its own for temporary files, and remove those of workers that were killed over theirs."""
    for folder in scratch.iterdir():
        try:
            os.kill(int(folder.name), 0)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
    own = scratch / str(os.getpid())
    own.mkdir(exist_ok=True)
    tempfile.tempdir = str(own)


@lru_cache(maxsize=32)
def _pipeline(desk: Desk, domain: str | None, llm: bool = False) -> VerifyRepairPipeline:
    from ebmhw.verify import VerifyRepairPipeline

    names = None if domain is None else [domain]
    knowledge = desk.knowledge if domain in (None, "facts") else None
    return VerifyRepairPipeline(desk.llm if llm else None, desk.backend, domains=names, knowledge=knowledge, seed=desk.seed)


def _verify(desk: Desk, given: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    pipeline = _pipeline(desk, given.get("domain"))
    report = pipeline.verify(given["question"], given["response"], constraints=given.get("constraints"), time_limit=seconds)
    return told(report, desk.claims, given.get("certificate", False))


def _repair(desk: Desk, given: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    pipeline = _pipeline(desk, given.get("domain"), True)
    repairs = given["max_repairs"]
    # The check, and each repair with its own check; a model's answer takes as long as a check may.
    part = seconds / (1 + repairs * (2 if desk.llm else 1))
    outcome = pipeline.verify_and_repair(
        given["question"], given["response"], repairs, constraints=given.get("constraints"), time_limit=part, model_time_limit=part
    )
    return {
        **told(outcome.report, desk.claims, given["certificate"]),
        "verdict": outcome.verdict,
        "verified": outcome.verified,
        "final_answer": outcome.final_answer,
        "repaired": outcome.repaired,
        "leftovers": list(outcome.leftovers),
        "initial": {"verdict": outcome.initial.verdict, "reason": outcome.initial.reason},
        "attempts": [
            {"method": attempt.method, "response": attempt.response, "verdict": attempt.verdict, "error": attempt.error}
            for attempt in outcome.attempts
        ],
    }


def _candidate(desk: Desk, given: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    from ebmhw.verify.scoring import energy_of

    report = _pipeline(desk, given.get("domain")).verify(given["question"], given["answer"], time_limit=seconds)
    content = told(report, desk.claims, False)
    return {**content, "energy": energy_of(report)}


def _score(desk: Desk, given: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    from ebmhw.verify.scoring import score_outputs

    scores = score_outputs(given["question"], given["responses"], _pipeline(desk, None), given.get("logprobs"), time_limit=seconds)
    return scores.to_json()


def _own(seconds: float) -> float:
    """Return the part of a call's time that code may compute for; the judge's processes for checks and for properties have theirs too.

    In steps, because reasons name it: one that waited a moment for its worker must say the same.
    """
    part = min(10.0, seconds / 4)
    return math.floor(2 * part) / 2 if part >= 0.5 else part


def _tests(desk: Desk, given: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    from ebmhw.serve.cases import test_case
    from ebmhw.verify.code import verify_code

    tests = [test_case(case, f"test_cases[{index}]") for index, case in enumerate(given["test_cases"])]
    report = verify_code(given["code"], given["func_name"], tests, timeout=_own(seconds), infer=False, seed=desk.seed)
    return _tallied(report, desk, given)


def _pbt(desk: Desk, given: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    from ebmhw.verify.code import verify_code

    report = verify_code(
        given["code"],
        given["func_name"],
        (),
        timeout=_own(seconds),
        question=given.get("prompt", ""),
        checks=given.get("official_tests") or None,
        seed=given["seed"],
    )
    return _tallied(report, desk, given)


def _properties(desk: Desk, given: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    from ebmhw.serve.cases import properties

    sources = properties(given["properties"])
    from ebmhw.verify.code import verify_code
    from ebmhw.verify.code.properties.prepare import MAX_EXAMPLES

    report = verify_code(given["code"], given["func_name"], (), sources, _own(seconds), infer=False, seed=given["seed"])
    return {**_tallied(report, desk, given), "n_samples": MAX_EXAMPLES}


_WORK: dict[str, Callable[[Desk, Mapping[str, Any], float], dict[str, Any]]] = {
    "verify_code": _tests,
    "verify_code_with_pbt": _pbt,
    "verify_with_properties": _properties,
    "verify_llm_output": _verify,
    "verify_and_repair": _repair,
    "candidate": _candidate,
    "score_agent_outputs": _score,
}


def told(report: Report, limit: int, certificate: bool) -> dict[str, Any]:
    """Return a report as an answer: up to ``limit`` claims, the violated before the undecided before the rest, in order of their spans."""
    from ebmhw.verify.prompts import ask_again

    shown = _worst(report.claims, limit)
    texts, wrong = report.texts, report.violations
    feedback = ask_again(texts.question, texts.response, wrong[:limit], True, report.open_goals)[-1].content if wrong or report.open_goals else ""
    content: dict[str, Any] = {
        "verdict": report.verdict,
        "verified": report.verified,
        "reason": report.reason,
        "energy": len(wrong) / max(1, len(report.claims)),
        "n_claims": len(report.claims),
        "n_violations": len(wrong),
        "repair_feedback": feedback,
        "claims": [claim.to_json() for claim in shown],
        "claims_left_out": len(report.claims) - len(shown),
        "open_goals": list(report.open_goals),
        "failures": [failure._asdict() for failure in report.failures],
        "domains": list(report.domains),
        "backend": report.backend,
        "seed": report.seed,
        "seconds": report.seconds,
    }
    if certificate:
        content["certificate"] = report.certificate
    return content


def _worst(claims: Sequence[Claim], limit: int) -> list[Claim]:
    rank = {"VIOLATED": 0, "UNKNOWN": 1, "VERIFIED": 2}
    kept = sorted(range(len(claims)), key=lambda at: (rank[claims[at].verdict], at))[:limit]
    return [claims[at] for at in sorted(kept)]


def _tallied(report: Report, desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report of code with its runs counted: claims of domain "execution" that hold, that do not, and all."""
    runs = [claim.verdict for claim in report.claims if claim.domain == "execution"]
    counts = {"n_passed": runs.count("VERIFIED"), "n_failed": runs.count("VIOLATED"), "n_total": len(runs)}
    return {**told(report, desk.claims, given["certificate"]), **counts}
