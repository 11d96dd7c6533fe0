"""averify_stream: the same for asynchronous programs, whose candidates may still be being written."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, final

from ebmhw.errors import VerificationError
from ebmhw.verify.streaming.checking import Candidate, all_numbered, numbered
from ebmhw.verify.streaming.stream import iterated, streamed
from ebmhw.verify.streaming.terms import Stop, terms_of
from ebmhw.verify.streaming.verdicted import Verdicted

if TYPE_CHECKING:
    from ebmhw.verify.batch.options import BatchOptions
    from ebmhw.verify.models import Completion
    from ebmhw.verify.pipeline import VerifyRepairPipeline

AHEAD = 2
"""Candidates a worker that are taken from their source before a worker is free for them."""


async def averify_stream(
    question: str,
    candidates: AsyncIterable[str | Completion] | Iterable[str | Completion],
    pipeline: VerifyRepairPipeline | BatchOptions | None = None,
    *,
    budget: float | None = None,
    total_budget: float | None = None,
    workers: int | None = None,
    stop: Stop = None,
    constraints: str | None = None,
    specification: Any = None,
) -> AsyncGenerator[Verdicted, None]:
    """Yield records as `verify_stream` does, without holding up the event loop; parameters as there, but for these.

    Parameters
    ----------
    candidates : may also be asynchronous, as of a model that still writes: each is checked as soon as it is there. Two a worker are taken ahead of
        the checks, no more, so that a source that can wait is not asked for what nobody reads
        An iterator that is not is taken from in another thread
    workers : at least 1: what runs in this process would hold up the loop

    Ended early (by ``break`` with `contextlib.aclosing`, by cancelling the task, by ``stop``), it leaves no process, thread or task behind.
    """
    terms = terms_of(
        question,
        candidates,
        pipeline,
        budget=budget,
        total_budget=total_budget,
        workers=workers,
        stop=stop,
        constraints=constraints,
        specification=specification,
    )
    if terms.workers == 0:
        raise VerificationError("workers is 0, so that checks would hold up the event loop; give at least 1")
    source: Iterator[Candidate | None] = iter(()) if isinstance(candidates, AsyncIterable) else all_numbered(iterated(candidates))
    feed = _Feed(AHEAD * terms.workers, asyncio.get_running_loop())
    pump, sized = None, isinstance(candidates, Sequence)
    if isinstance(candidates, AsyncIterable):
        pump, source, sized = asyncio.create_task(_pump(candidates, feed)), feed.candidates(), True
    records = streamed(terms, source, sized, lambda: feed.closed, feed.wake)
    # One of its own: the loop's may be busy with what the candidates' source does.
    thread = ThreadPoolExecutor(1, "ebmhw-stream")
    try:
        while (record := await _next(thread, feed, records)) is not None:
            yield record
    finally:
        feed.close()
        if pump is not None:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
        try:
            await asyncio.shield(asyncio.get_running_loop().run_in_executor(thread, records.close))
        finally:
            thread.shutdown()
            feed.end()


async def _next(thread: ThreadPoolExecutor, feed: _Feed, records: Iterator[Verdicted]) -> Verdicted | None:
    """Return the next record, None at the end. Cancelled, it ends the stream first, so that nobody runs in it any more."""
    coming = asyncio.get_running_loop().run_in_executor(thread, next, records, None)
    try:
        return await asyncio.shield(coming)
    except asyncio.CancelledError:
        feed.close()
        await asyncio.wait([coming])
        coming.exception()  # looked at, so that asyncio does not report it as lost
        raise


async def _pump(candidates: AsyncIterable[Any], feed: _Feed) -> None:
    """Take candidates from their source as there is room for them; what the source raises comes out of the stream."""
    index = 0
    try:
        async for value in candidates:
            await feed.put(numbered(index, value))
            index += 1
    except Exception as error:
        feed.finish(error)
    except BaseException:
        # Its source was cancelled: whoever waits for candidates would wait for ever.
        feed.finish(VerificationError("the source of candidates was cancelled before its end; give one that ends, or end the stream"))
        raise
    else:
        feed.finish()


@final
class _Feed:
    """Candidates on their way from the event loop to the thread that has them checked.

    Parameters
    ----------
    most : candidates that wait in it
    loop : of the source

    Attributes
    ----------
    wake : has something to read once there is something new
    closed : True once nobody wants records any more
    """

    def __init__(self, most: int, loop: asyncio.AbstractEventLoop) -> None:
        self.wake, self._bell = socket.socketpair()
        self.wake.setblocking(False)
        self._bell.setblocking(False)
        self._most, self._loop = most, loop
        self._queue: deque[Candidate] = deque()
        self._room = asyncio.Event()
        self._over = False
        self._error: Exception | None = None
        self.closed = False

    async def put(self, candidate: Candidate) -> None:
        """Add a candidate once there is room."""
        while len(self._queue) >= self._most:
            self._room.clear()
            await self._room.wait()
        self._queue.append(candidate)
        self._ring()

    def finish(self, error: Exception | None = None) -> None:
        """Tell that no more come, and why where that is a fault."""
        self._error = error
        self._over = True
        self._ring()

    def close(self) -> None:
        """Tell that nobody wants records any more."""
        self.closed = True
        self._ring()

    def end(self) -> None:
        """Close what it holds of the system."""
        self.wake.close()
        self._bell.close()

    def candidates(self) -> Iterator[Candidate | None]:
        """Yield the candidates that are there, None while there is none yet; for the other thread."""
        while True:
            over = self._over
            if self._queue:
                candidate = self._queue.popleft()
                with suppress(RuntimeError):  # the loop is closed, and nobody waits for room
                    self._loop.call_soon_threadsafe(self._room.set)
                yield candidate
            elif not over:
                yield None
            elif self._error is not None:
                raise self._error
            else:
                return

    def _ring(self) -> None:
        with suppress(BlockingIOError):  # it is full of rings that were not heard yet
            self._bell.send(b"!")
