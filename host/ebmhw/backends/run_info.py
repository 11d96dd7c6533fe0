"""What `info` of draws says of a run, and how a run ends that took more memory than there is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

from ebmhw.backends.draws import Draws
from ebmhw.backends.request import RunRequest
from ebmhw.errors import DoesNotFit
from ebmhw.program import Program


@final
class Clock:
    """Wall-clock and processor seconds since it was made."""

    def __init__(self) -> None:
        self._started, self._cpu = time.perf_counter(), time.process_time()

    def timing(self) -> dict[str, float]:
        """Return what ``info["timing"]`` holds."""
        return {"run_s": time.perf_counter() - self._started, "cpu_s": time.process_time() - self._cpu}


def describe(draws: Draws, request: RunRequest, backend: str, because: str | None, timing: dict[str, float], batched: int = 1) -> None:
    """Complete the info of draws.

    Parameters
    ----------
    backend, because : which one made them, and why it was chosen, unless the info says that already
    timing : as of `Clock.timing`
    batched : runs of the same exchange, unless the info says that already
    """
    program, betas = request.program, request.schedule.effective_betas
    done = draws.sweeps - request.sweeps_before
    draws.info.update(
        backend=draws.info.get("backend", backend),
        chosen_because=draws.info.get("chosen_because", because),
        seed=request.identity.seed,
        rule=request.identity.rule,
        first_read=request.identity.first_read,
        reads=draws.reads,
        sweeps=draws.sweeps,
        updates=draws.reads * done * (program.n - request.clamped.size),
        beta_effective=[float(betas[0]), float(betas[-1])] if betas.size else [],
        beta_clipped=request.schedule.clipped,
        stopped_by=_stopped_by(request, draws),
        program=program.digest,
        batched=draws.info.get("batched", batched),
        timing=timing,
    )


def _stopped_by(request: RunRequest, draws: Draws) -> str | None:
    # An interrupt that came too late to cut anything is reported all the same: a caller's loop must not run on.
    if request.stop.interrupted:
        return "interrupt"
    whole = draws.reads == request.reads and draws.sweeps == request.sweeps_before + request.sweeps
    return None if whole else "time_limit"


def too_large(program: Program, reads: int | None, error: MemoryError) -> DoesNotFit:
    """Return what is told where so many reads of a program, None for one, take more memory than there is."""
    told = DoesNotFit(
        f"{1 if reads is None else reads} reads of {program.n} spins, and the samples that each keeps, take more memory than this machine gives; ask "
        "for fewer reads or kept samples, and go on with first_read or resume"
    )
    told.__cause__ = error
    return told


@contextmanager
def memory_told(program: Program, reads: int | None) -> Iterator[None]:
    """Raise `too_large` in the place of a MemoryError."""
    try:
        yield
    except MemoryError as error:
        raise too_large(program, reads, error) from error
