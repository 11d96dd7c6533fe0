"""averify_stream: candidates that are still being written, a loop that is not held up, back pressure, and ends of all kinds."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from streaming_deeds import Acts, Clock

from ebmhw.errors import VerificationError
from ebmhw.verify import VerifyRepairPipeline
from ebmhw.verify.streaming import averify_stream


def pipeline() -> VerifyRepairPipeline:
    return VerifyRepairPipeline(domains=[Acts()])


def run(work: Any) -> Any:
    """Return what a coroutine returns, once it is looked that it left nothing behind."""
    threads = threading.active_count()

    async def within() -> Any:
        try:
            return await asyncio.wait_for(work, 500)
        finally:
            await asyncio.sleep(0)
            assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

    result = asyncio.run(within())
    assert multiprocessing.active_children() == []
    assert threading.active_count() == threads
    return result


def test_a_verdict_comes_while_the_model_still_writes() -> None:
    """The second candidate is written only once the first one's verdict is there: a stream that waits for all of them never ends."""

    async def work() -> list[int]:
        seen = asyncio.Event()

        async def written() -> AsyncIterator[str]:
            yield "right"
            await seen.wait()
            yield "wrong"

        found = []
        async for record in averify_stream("", written(), pipeline(), workers=1):
            found.append(record.index)
            seen.set()
        return found

    assert run(work()) == [0, 1]


def test_the_loop_goes_on_while_a_candidate_hangs() -> None:
    async def work() -> tuple[int, list[Any]]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.01)

        ticking = asyncio.create_task(tick())
        found = [(one.index, one.stopped) async for one in averify_stream("", ["sleep", "right"], pipeline(), budget=0.5, workers=1)]
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
        return ticks, found

    ticks, found = run(work())
    assert found == [(0, "budget"), (1, None)]
    assert ticks > 10


def test_a_source_is_not_asked_for_what_nobody_reads() -> None:
    async def work() -> int:
        taken = 0

        async def endless() -> AsyncIterator[str]:
            nonlocal taken
            while True:
                taken += 1
                yield "wrong"

        async with aclosing(averify_stream("", endless(), pipeline(), workers=1)) as stream:
            for _ in range(5):
                await anext(stream)
            await asyncio.sleep(0.2)
            return taken

    assert 5 <= run(work()) <= 10


def test_the_reports_are_those_of_one_by_one() -> None:
    texts = ["right", "wrong", "perhaps", "", "right wrong"] * 3

    async def work() -> dict[int, Any]:
        return {one.index: one.verdict async for one in averify_stream("", texts, pipeline(), workers=2)}

    assert run(work()) == {at: pipeline().verify("", text).verdict for at, text in enumerate(texts)}


def test_an_early_stop_and_a_break_leave_nothing() -> None:
    async def work() -> list[int]:
        async def written() -> AsyncIterator[str]:
            for text in ("wrong", "right", "sleep"):
                yield text
            await asyncio.sleep(1000)

        found = [one.index async for one in averify_stream("", written(), pipeline(), workers=1, stop="verified")]
        async with aclosing(averify_stream("", written(), pipeline(), workers=1)) as stream:
            async for one in stream:
                found.append(one.index)
                break
        return found

    assert run(work()) == [0, 1, 0]


def test_a_cancelled_task_leaves_nothing() -> None:
    async def work() -> None:
        started = asyncio.Event()

        async def read() -> None:
            async with aclosing(averify_stream("", ["right", "sleep"], pipeline(), workers=1)) as stream:
                async for _ in stream:
                    started.set()

        reading = asyncio.create_task(read())
        await started.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    run(work())


def test_what_the_source_raises_comes_out() -> None:
    async def work() -> None:
        async def broken() -> AsyncIterator[str]:
            yield "right"
            raise KeyError("the source broke")

        with pytest.raises(KeyError, match="the source broke"):
            async for _ in averify_stream("", broken(), pipeline(), workers=1):
                pass

    run(work())


def test_a_source_that_is_cancelled_ends_the_stream_by_an_error() -> None:
    async def work() -> None:
        async def cancelled() -> AsyncIterator[str]:
            yield "right"
            raise asyncio.CancelledError

        with pytest.raises(VerificationError, match="the source of candidates was cancelled before its end"):
            async for _ in averify_stream("", cancelled(), pipeline(), workers=1):
                pass

    run(work())


def test_a_stream_that_is_left_without_closing_it_is_ended_by_the_loop() -> None:
    async def work() -> None:
        before = asyncio.all_tasks()
        never = averify_stream("", ["right"], pipeline())
        left = averify_stream("", ["right"] * 5, pipeline(), workers=1)
        async for _ in left:
            break
        del never, left
        await asyncio.sleep(0.01)  # the loop hears of it, and begins to close it
        while asyncio.all_tasks() != before:
            await asyncio.sleep(0.01)

    run(work())


def test_the_total_budget_tells_of_what_was_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock.set(monkeypatch)

    async def read(candidates: Any) -> list[Any]:
        found = []
        async for one in averify_stream("", candidates, pipeline(), workers=2, total_budget=1000.0):
            found.append((one.index, one.stopped))
            clock.ahead = 1000.0
        clock.ahead = 0.0
        return found

    async def work() -> list[Any]:
        async def written() -> AsyncIterator[str]:
            for text in ("sleep", "right", "right"):
                yield text
            await asyncio.sleep(1000)

        return [await read(written()), await read(["sleep", "right", "a", "b"])]

    taken, given = run(work())
    assert taken == [(1, None), (0, "total budget"), (2, "not reached")]
    assert given == [*taken, (3, "not reached")]


def test_wrong_arguments_are_refused() -> None:
    async def work() -> None:
        for arguments, said in (({"workers": 0}, "workers is 0"), ({"budget": 0}, "budget is 0")):
            with pytest.raises(VerificationError, match=said):
                await anext(averify_stream("", ["right"], pipeline(), **arguments))
        with pytest.raises(VerificationError, match="candidates is 5"):
            await anext(averify_stream("", 5, pipeline()))  # type: ignore[arg-type]

    run(work())
