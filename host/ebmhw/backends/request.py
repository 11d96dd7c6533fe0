"""RunRequest: the checked arguments of a run, the same for every backend."""

from __future__ import annotations

import operator
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.backends.draws import Draws, Int8Array, RunIdentity
from ebmhw.backends.stop import Stop
from ebmhw.contract.formats import READ_LIMIT, RULES, SEED_BITS
from ebmhw.errors import InvalidRun, InvalidSchedule, shown
from ebmhw.numbers import whole
from ebmhw.program import Program
from ebmhw.schedule import Schedule

Clamp = Any
"""+-1 for all reads, or an array of one value a read."""


@final
@dataclass(frozen=True)
class Progress:
    """How far a run is; given to its ``progress`` function.

    Attributes
    ----------
    reads_done, reads : reads whose whole schedule is done, and reads in all
    sweeps_done, sweeps : sweeps done of the reads in work, and sweeps of the whole schedule
    share : work done, 0..1
    best_energy, mean_energy : over the reads in work, program units; the lowest so far and the mean now
    """

    reads_done: int
    reads: int
    sweeps_done: int
    sweeps: int
    share: float
    best_energy: int
    mean_energy: float


@final
@dataclass(frozen=True, eq=False)
class RunRequest:
    """One run, checked: every array has its final type and shape.

    Attributes
    ----------
    schedule, sweeps : the schedule, and its sweeps in all
    initial : int8 (reads, n) or None
    clamped, clamp_values : int32 (clamps,) ascending, int8 (reads, clamps)
    kept : number of samples each read keeps over all sweeps, resumed ones included; None where none are asked for
    resume : the draws to carry on from, or None
    """

    program: Program
    schedule: Schedule
    sweeps: int
    reads: int
    identity: RunIdentity
    initial: Int8Array | None
    clamped: npt.NDArray[np.int32]
    clamp_values: Int8Array
    kept: int | None
    resume: Draws | None
    progress: Callable[[Progress], None] | None
    stop: Stop = field(default_factory=Stop)

    def words(self, first: int, count: int) -> npt.NDArray[np.uint32]:
        """Return the temperature words of sweeps first .. first + count - 1 of this run (fewer at its end)."""
        return self.schedule.words(first, count)

    @property
    def sweeps_before(self) -> int:
        """Sweeps that resumed runs have done."""
        return self.resume.sweeps if self.resume is not None else 0

    def kept_after(self, sweeps: int) -> int:
        """Return how many samples are kept once ``sweeps`` sweeps are done."""
        every = self.identity.keep_every
        return max(0, sweeps - self.identity.burn_in) // every if every else 0


def make_request(
    program: Program,
    schedule: Schedule,
    reads: int | None,
    seed: int | None,
    rule: str | None,
    first_read: int | None,
    initial: npt.ArrayLike | None,
    clamps: Mapping[int, Clamp] | None,
    burn_in: int | None,
    keep_every: int | None,
    resume: Draws | None,
    progress: Callable[[Progress], None] | None,
    stop: Stop,
) -> RunRequest:
    """Check the arguments of a run; InvalidRun (or InvalidSchedule) names the one that is wrong."""
    if not isinstance(program, Program):
        raise InvalidRun(f"program is a {type(program).__name__}; give a Program, as Model.compile() returns")
    if not isinstance(schedule, Schedule):
        raise InvalidSchedule(f"schedule is a {type(schedule).__name__}; give a Schedule, such as Schedule.geometric(0.1, 5, 1000)")
    if resume is not None and not isinstance(resume, Draws):
        raise InvalidRun(f"resume is a {type(resume).__name__}; give the Draws of the run to carry on, or None")
    if progress is not None and not callable(progress):
        raise InvalidRun(f"progress is {shown(progress)}; give a function that takes a Progress, or None")
    before = resume.identity if resume is not None else None
    count = whole_number(reads, "reads", 1, READ_LIMIT, resume.reads if resume is not None else 1)
    start = whole_number(first_read, "first_read", 0, READ_LIMIT - count, before.first_read if before else 0)
    every = whole_number(keep_every, "keep_every", 1, 2**62, before.keep_every if before else 0)
    burn = whole_number(burn_in, "burn_in", 0, 2**62, before.burn_in if before else 0)
    key = whole_number(seed, "seed", 0, 2**SEED_BITS - 1, before.seed if before else secrets.randbits(SEED_BITS))
    name = (before.rule if before else "gibbs") if rule is None else rule
    if not isinstance(name, str) or name not in RULES:
        raise InvalidRun(f"rule is {shown(rule)}; give one of {', '.join(map(repr, RULES))}")
    clamped, values = _clamps(program.n, count, clamps)
    identity = RunIdentity(program.digest, key, name, start, burn, every)
    if resume is not None:
        _refuse_difference(identity, count, resume)
        if initial is not None:
            raise InvalidRun("initial and resume are both given; a resumed run starts from the states it resumes, so drop initial")
        if clamps is None:
            clamped, values = resume.clamped, resume.clamp_values
        elif not (np.array_equal(clamped, resume.clamped) and np.array_equal(values, resume.clamp_values)):
            now, then = _shown_clamps(clamped, values), _shown_clamps(resume.clamped, resume.clamp_values)
            raise InvalidRun(f"clamps are {now}, but the run to resume has {then}; leave clamps out to carry on the same chains")
    sweeps = schedule.total_sweeps
    return RunRequest(
        program=program,
        schedule=schedule,
        sweeps=sweeps,
        reads=count,
        identity=identity,
        initial=_initial(program.n, count, initial),
        clamped=clamped,
        clamp_values=values,
        kept=max(0, sweeps + (resume.sweeps if resume is not None else 0) - burn) // every if every else None,
        resume=resume,
        progress=progress,
        stop=stop,
    )


def whole_number(value: object, what: str, low: int, high: int, default: int) -> int:
    """Return an argument as an integer within low..high, ``default`` for None; InvalidRun where it is something else."""
    if value is None:
        return default
    number = whole(value)
    if number is None or not low <= number <= high:
        raise InvalidRun(f"{what} is {shown(value)}; give a whole number from {low} to {high}")
    return number


def _refuse_difference(now: RunIdentity, reads: int, resume: Draws) -> None:
    if reads != resume.reads:
        raise InvalidRun(f"reads is {reads}, but the run to resume has {resume.reads}; leave reads out")
    for field_ in fields(RunIdentity):
        new, old = getattr(now, field_.name), getattr(resume.identity, field_.name)
        if new != old:
            raise InvalidRun(
                f"{field_.name} is {new!r}, but the run to resume has {old!r}; leave {field_.name} as it was to carry on the same chains"
            )


def _initial(n: int, reads: int, initial: npt.ArrayLike | None) -> Int8Array | None:
    if initial is None:
        return None
    states = _array(initial, "initial")
    if states.shape not in ((n,), (reads, n)):
        raise InvalidRun(f"initial has shape {states.shape}; give ({n},) for all reads or ({reads}, {n})")
    _refuse_non_spins(states, lambda at: f"initial of spin {at[-1]}" + (f" in read {at[0]}" if states.ndim == 2 else ""))
    return np.ascontiguousarray(np.broadcast_to(states.astype(np.int8), (reads, n)))


def _clamps(n: int, reads: int, clamps: Mapping[int, Clamp] | None) -> tuple[npt.NDArray[np.int32], Int8Array]:
    if clamps is not None and not isinstance(clamps, Mapping):
        raise InvalidRun(f"clamps are {shown(clamps)}; give a mapping of spins to -1, +1 or an array of {reads} values")
    given: dict[int, npt.NDArray[Any]] = {}
    for spin, value in (clamps or {}).items():
        try:
            index = -1 if isinstance(spin, (bool, np.bool_)) else operator.index(spin)
        except TypeError:
            raise InvalidRun(f"clamps name spin {shown(spin)}; spins are integers 0..{n - 1}") from None
        if not 0 <= index < n:
            raise InvalidRun(f"clamps name spin {shown(spin)}; spins of this program are 0..{n - 1}")
        if index in given:
            raise InvalidRun(f"clamps name spin {index} twice; give one value (or one array) for each spin")
        values = _array(value, f"clamp of spin {index}")
        if values.shape not in ((), (reads,)):
            raise InvalidRun(f"clamp of spin {index} has shape {values.shape}; give -1 or +1, or an array of {reads} values, one a read")
        _refuse_non_spins(values, lambda at, index=index: f"clamp of spin {index}" + (f" in read {at[0]}" if at else ""))
        given[index] = np.broadcast_to(values.astype(np.int8), (reads,))
    spins = np.array(sorted(given), dtype=np.int32)
    matrix = np.stack([given[s] for s in sorted(given)], axis=1) if given else np.zeros((reads, 0), dtype=np.int8)
    return spins, np.ascontiguousarray(matrix)


def _shown_clamps(spins: npt.NDArray[np.int32], values: Int8Array) -> str:
    return shown(dict(zip(spins.tolist(), values.T.tolist(), strict=True)))


def _array(values: npt.ArrayLike, what: str) -> npt.NDArray[Any]:
    try:
        return np.asarray(values)
    except ValueError:
        raise InvalidRun(f"{what} is no rectangular array; give rows of equal length") from None


def _refuse_non_spins(values: npt.NDArray[Any], name: Callable[..., str]) -> None:
    if values.dtype.kind in "iuf":
        # np.isin takes ten times as long, a third of a short run with many clamps.
        good = (values == 1) | (values == -1) if values.dtype.kind != "u" else values == 1
    else:
        entries = [isinstance(v, (int, float)) and not isinstance(v, bool) and v in (-1, 1) for v in values.ravel().tolist()]
        good = np.array(entries, dtype=bool).reshape(values.shape)
    if not good.all():
        at = tuple(int(i) for i in np.argwhere(~good)[0])
        raise InvalidRun(f"{name(at)} is {shown(values[at])}; every spin is -1 or +1")
