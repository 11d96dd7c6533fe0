"""verify_stream: candidates beside each other, told of as they are done, stopped early where the best stand out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from ebmhw.serve.crew import AsyncCrew
from ebmhw.serve.refusal import Refusal
from ebmhw.serve.work import Answer, Call
from ebmhw.verify.streaming.lateness import Limit
from ebmhw.verify.verdict import VERIFIED

Tell = Callable[[int, int, dict[str, Any]], Awaitable[None]]
"""Called with (done, of how many, event) for each candidate."""


async def stream(crew: AsyncCrew[Call, Answer], given: Mapping[str, Any], until: float, tell: Tell) -> dict[str, Any]:
    """Return the events of all candidates that were done, in that order, and why it ended.

    Parameters
    ----------
    given : checked arguments of the tool
    until : moment of time.monotonic() at which the call ends
    """
    candidates = [_candidate(index, one) for index, one in enumerate(given["candidates"])]
    most, margin = given.get("top_k"), given.get("early_stop_margin")
    if (most is None) != (margin is None):
        raise Refusal("invalid-arguments", "top_k and early_stop_margin go together", "give both, or neither")
    started = time.monotonic()
    budget = given.get("budget_ms_total")
    end = until if budget is None else min(until, started + budget / 1000)
    each = given.get("budget_ms_per_candidate")
    width = asyncio.Semaphore(int(given["max_concurrency"]))

    async def one(index: int) -> dict[str, Any]:
        candidate = candidates[index]
        event: dict[str, Any] = {"id": candidate.get("id", str(index)), "index": index}
        async with width:
            begun = time.monotonic()
            limit = end if each is None else min(end, begun + each / 1000)
            late = None
            if each is not None and limit < end:
                late = Limit(f"budget_ms_per_candidate of {each:g} ms", "give a larger budget_ms_per_candidate, or a shorter text")
            elif budget is not None and end < until:
                late = Limit(f"budget_ms_total of {budget:g} ms", "give a larger budget_ms_total, or fewer candidates")
            try:
                arguments = {"domain": given.get("domain"), "late": late, **candidate}
                answer = await crew.do(lambda seconds: Call("candidate", arguments, seconds), limit, refusable=False)
                event |= answer.content if not answer.is_error else {"verdict": "UNKNOWN", "verified": False, **answer.content}
            except Refusal as refusal:
                if refusal.code == "timeout" and late is not None:
                    refusal = Refusal("timeout", f"the candidate was not checked within {late.said}", late.remedy, **refusal.details)
                event |= {"verdict": "UNKNOWN", "verified": False, **refusal.to_json()}
            event["elapsed_ms"] = 1000 * (time.monotonic() - begun)
        return event

    tasks = [asyncio.ensure_future(one(index)) for index in range(len(candidates))]
    events: list[dict[str, Any]] = []
    reason = "completed"
    try:
        for done in asyncio.as_completed(tasks):
            event = await done
            events.append({"order": len(events), **event})
            await tell(len(events), len(candidates), events[-1])
            if most is not None and margin is not None and stands_out(events, int(most), margin) and len(events) < len(candidates):
                reason = "early_stop_margin"
                break
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    left = [event for event in events if event.get("error") == "timeout"]
    if reason != "early_stop_margin" and left and time.monotonic() >= end:
        reason = "time_limit" if budget is None or end == until else "budget_ms_total"
    unscored = len(candidates) - len(events) + sum("energy" not in event for event in events)
    return {
        "events": events,
        "stream_end": {
            "stop_reason": reason,
            "stopped_early": reason != "completed",
            "residual_candidates_unscored": unscored,
            "elapsed_ms": 1000 * (time.monotonic() - started),
        },
    }


def stands_out(events: Sequence[Mapping[str, Any]], most: int, margin: float) -> bool:
    """Tell whether the best ``most`` of what is done are VERIFIED and lead the next by ``margin`` of energy; never before there is a next one.

    Nothing that is still to come can be better than what is VERIFIED; than anything else it can.
    """
    done = sorted((event for event in events if "energy" in event), key=lambda event: float(event["energy"]))
    if len(done) <= most or any(event["verdict"] != VERIFIED for event in done[:most]):
        return False
    lead: float = done[most]["energy"] - done[most - 1]["energy"]
    return lead >= margin


def _candidate(index: int, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a candidate with its text as ``answer``, which may be called ``response`` as other tools do."""
    texts = [given[name] for name in ("answer", "response") if name in given]
    if len(texts) != 1:
        said = f"verify_stream: candidates[{index}] has {'both answer and response' if texts else 'no answer'}"
        raise Refusal("invalid-arguments", said, "give one of answer and response, which mean the same", argument=f"candidates[{index}]")
    return {"question": given["question"], "answer": texts[0], **({"id": given["id"]} if "id" in given else {})}
