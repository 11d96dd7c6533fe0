"""The work behind the tools; runs in a worker process, which is killed where it takes too long."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, final

from ebmhw.errors import EbmhwError
from ebmhw.serve.paths import pathless, without_paths
from ebmhw.serve.refusal import Refusal
from ebmhw.serve.telling import CALL, tallied, told
from ebmhw.serve.worker_process import die_with_parent, settle
from ebmhw.verify.streaming.lateness import retold

if TYPE_CHECKING:
    from ebmhw.verify import VerifyRepairPipeline

SHARE = 0.9
"""Of the time that is left, what a check gets: what it then says of what it has read is worth more than a killed worker."""

WARM_UP = "1 + 1 = 2. If it rains, it pours. It was Monday, 1 January 2024."
"""Read by every domain once before the first call."""

WARM_UP_SECONDS = 5.0


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
        # What the first check loads counts as the worker's start, which no call's limit ends; what fails here is told by the call that needs it.
        with suppress(EbmhwError):
            _pipeline(self, None).verify("", WARM_UP, time_limit=WARM_UP_SECONDS)
        return self.do

    def do(self, call: Call) -> Answer:
        """Return the answer to a call, without folders of this machine; whatever goes wrong is an answer too."""
        answer = self._done(call)
        return answer._replace(content=without_paths(answer.content, pathless()))

    def _done(self, call: Call) -> Answer:
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


@lru_cache(maxsize=32)
def _pipeline(desk: Desk, domain: str | None, llm: bool = False) -> VerifyRepairPipeline:
    from ebmhw.verify import VerifyRepairPipeline

    names = None if domain is None else [domain]
    knowledge = desk.knowledge if domain in (None, "facts") else None
    return VerifyRepairPipeline(desk.llm if llm else None, desk.backend, domains=names, knowledge=knowledge, seed=desk.seed)


def _constraints(given: Mapping[str, Any]) -> str | None:
    """Return the constraint program of a call; Refusal where it goes without the domain that reads it, or that without it."""
    constraints, domain = given.get("constraints"), given.get("domain")
    if constraints is not None and domain not in (None, "programs"):
        raise Refusal("invalid-arguments", f"constraints are given, and domain {domain!r} does not read them", "leave domain out, or name 'programs'")
    if constraints is None and domain == "programs":
        raise Refusal("invalid-arguments", "domain 'programs' is asked, and there are no constraints", "give constraints, or another domain")
    return None if constraints is None else str(constraints)


def _verify(desk: Desk, given: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    constraints = _constraints(given)
    pipeline = _pipeline(desk, given.get("domain"))
    report = pipeline.verify(given["question"], given["response"], constraints=constraints, time_limit=seconds)
    return told(report, desk.claims, given.get("certificate", False))


def _repair(desk: Desk, given: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    from ebmhw.verify.scoring import PARTLY_ENERGY

    constraints = _constraints(given)
    pipeline = _pipeline(desk, given.get("domain"), True)
    repairs = given["max_repairs"]
    # The check, and each repair with its own check; a model's answer takes as long as a check may.
    part = seconds / (1 + repairs * (2 if desk.llm else 1))
    outcome = pipeline.verify_and_repair(
        given["question"], given["response"], repairs, constraints=constraints, time_limit=part, model_time_limit=part
    )
    content = told(outcome.report, desk.claims, given["certificate"])
    if outcome.leftovers and outcome.report.verified:
        # UNKNOWN, though all that was read holds: the same energy as of a claim that holds beside one that is not decided.
        content["energy"] += PARTLY_ENERGY
    return {
        **content,
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
    report = _pipeline(desk, given.get("domain")).verify(given["question"], given["answer"], time_limit=seconds)
    return told(report, desk.claims, False, given.get("late") or CALL)


def _score(desk: Desk, given: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    from ebmhw.verify.scoring import score_outputs

    scores = score_outputs(given["question"], given["responses"], _pipeline(desk, None), given.get("logprobs"), time_limit=seconds)
    content = scores.to_json()
    for member, score in zip(content["all_scores"], scores.ranked, strict=True):
        member["reason"] = retold(score.report, CALL)[1]
    return content


def own_seconds(seconds: float) -> float:
    """Return the part of a call's time that code may compute for; the judge's processes for checks and for properties have theirs too.

    In steps, because reasons name it: one that waited a moment for its worker must say the same.
    """
    part = min(10.0, seconds / 4)
    step = 0.5 if part >= 1 else 0.1 if part >= 0.1 else 0.01
    return max(0.01, round(math.floor(part / step) * step, 2))


def _tests(desk: Desk, given: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    from ebmhw.serve.cases import test_case
    from ebmhw.verify.code import verify_code

    tests = [test_case(case, f"test_cases[{index}]") for index, case in enumerate(given["test_cases"])]
    report = verify_code(given["code"], given["func_name"], tests, timeout=own_seconds(seconds), infer=False, seed=desk.seed)
    return tallied(report, desk.claims, given["certificate"])


def _pbt(desk: Desk, given: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    from ebmhw.verify.code import verify_code

    report = verify_code(
        given["code"],
        given["func_name"],
        (),
        timeout=own_seconds(seconds),
        question=given.get("prompt", ""),
        checks=given.get("official_tests") or None,
        seed=given["seed"],
    )
    return tallied(report, desk.claims, given["certificate"])


def _properties(desk: Desk, given: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    from ebmhw.serve.cases import properties

    sources = properties(given["properties"])
    from ebmhw.verify.code import verify_code
    from ebmhw.verify.code.properties.asking import MAX_EXAMPLES

    report = verify_code(given["code"], given["func_name"], (), sources, own_seconds(seconds), infer=False, seed=given["seed"])
    return {**tallied(report, desk.claims, given["certificate"]), "n_samples": MAX_EXAMPLES}


_WORK: dict[str, Callable[[Desk, Mapping[str, Any], float], dict[str, Any]]] = {
    "verify_code": _tests,
    "verify_code_with_pbt": _pbt,
    "verify_with_properties": _properties,
    "verify_llm_output": _verify,
    "verify_and_repair": _repair,
    "candidate": _candidate,
    "score_agent_outputs": _score,
}
