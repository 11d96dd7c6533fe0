"""Chooser: which of the CPU and a board is expected to be done first, and why."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import final
from weakref import WeakKeyDictionary

from ebmhw.backends.auto.calibration import Record
from ebmhw.backends.auto.cost import PARTS, PhiWork, ProgramLoad, RunWork
from ebmhw.backends.auto.fit import Prediction
from ebmhw.backends.core import CoreBackend
from ebmhw.backends.request import RunRequest
from ebmhw.errors import DoesNotFit, NotSupported
from ebmhw.phi.logits import DeviceLogits
from ebmhw.phi.request import PhiRequest
from ebmhw.program import Program


@final
@dataclass(frozen=True)
class Choice:
    """Where some work is done, and why.

    Attributes
    ----------
    on_board : whether it is the board
    because : a sentence for ``info["chosen_because"]``
    cpu, board : what is expected, None where it is not known or not possible
    """

    on_board: bool
    because: str
    cpu: Prediction | None
    board: Prediction | None

    @classmethod
    def between(cls, cpu: Prediction, board: Prediction, name: str) -> Choice:
        """Return the one that is expected to take less time; ``name`` is the board's."""
        sides = [("cpu", cpu), (name, board)]
        on_board = board.seconds < cpu.seconds
        (one, first), (other, second) = reversed(sides) if on_board else sides
        text = f"auto: {one} is expected to take {shown_seconds(first.seconds)} (within a factor of {first.factor:.2g}), "
        return cls(on_board, text + f"{other} {shown_seconds(second.seconds)} (within {second.factor:.2g})", cpu, board)

    @property
    def may_join(self) -> bool:
        """Whether the board is the better place for a run that is put into an exchange with others, which costs it no more of its own."""
        if self.cpu is None or self.board is None:
            return False
        return self.board.seconds - self.board.parts["start"] - self.board.parts["exchanges"] < self.cpu.seconds


@final
class Chooser:
    """Expects times of a CPU and of a board.

    Parameters
    ----------
    cpu : calibration of the CPU
    threads : of the CPU
    board, calibration : the board and its calibration
    """

    def __init__(self, cpu: Record, threads: int, board: CoreBackend, calibration: Record) -> None:
        self._cpu, self._threads, self._board, self._calibration = cpu, threads, board, calibration
        self._loads: WeakKeyDictionary[Program, ProgramLoad] = WeakKeyDictionary()
        # The forms that each side has made of a program: (clamped spins, whether for one read).
        self._made: dict[bool, WeakKeyDictionary[Program, set[tuple[bytes, bool]]]] = {True: WeakKeyDictionary(), False: WeakKeyDictionary()}
        self._held: tuple[str, bytes] | None = None
        self._lock = threading.Lock()

    def run(self, request: RunRequest) -> Choice:
        """Return where a run is done."""
        program = request.program
        with self._lock:
            if program not in self._loads:
                self._loads[program] = ProgramLoad(program)
            work = RunWork.of(request, self._loads[program])
            clamped = request.clamped.tobytes()
            fresh = {side: _form(request, side) not in self._made[side].get(program, ()) for side in (False, True)}
            loads = self._held != (program.digest, clamped)
        counts = work.on_cpu(self._threads, fresh=fresh[False])
        cpu = self._cpu.run.predict(counts, PARTS["cpu run"])
        misfit = self.misfit(request.program, request.identity.rule, work)
        if misfit is not None:
            return Choice(False, f"auto: cpu, since {misfit}", cpu, None)
        return Choice.between(cpu, self.board_run(work, fresh=fresh[True], loads=loads), self._board.name)

    def board_run(self, work: RunWork, *, fresh: bool, loads: bool) -> Prediction:
        """Return what the board is expected to take for a run."""
        drivers, fit = self._board.drivers, self._calibration.run
        counts = work.on_board(drivers[0].shape, len(drivers), fit.seconds["cycles"], fresh=fresh, loads=loads)
        return fit.predict(counts, PARTS["board run"])

    def misfit(self, program: Program, rule: str, work: RunWork) -> str | None:
        """Return why the board cannot run a program, None where it can."""
        try:
            self._board.capabilities.refuse(program, rule, self._board.name)
        except (DoesNotFit, NotSupported) as error:
            return str(error).partition("; ")[0]
        shape = self._board.drivers[0].shape
        beats = work.load.packed(work.clamped, shape.slots).beats
        return f"the program's rows take {beats} beats, {self._board.name} takes {shape.beats_max}" if beats > shape.beats_max else None

    def phi(self, request: PhiRequest) -> Choice:
        """Return where logits are measured."""
        if isinstance(request.logits, DeviceLogits):
            return Choice(False, f"auto: cpu, which measures logits on {request.logits.device} where they lie", None, None)
        work = PhiWork(request.count, request.entries, request.format)
        cpu = None if self._cpu.phi is None else self._cpu.phi.predict(work.on_cpu(self._threads), PARTS["cpu phi"])
        misfit = self.phi_misfit(request.first_entry + request.entries)
        if misfit is not None or cpu is None:
            return Choice(False, f"auto: cpu, since {misfit or 'its phi is not calibrated'}", cpu, None)
        return Choice.between(cpu, self.board_phi(work), self._board.name)

    def phi_misfit(self, entries: int) -> str | None:
        """Return why the board cannot measure rows that end there in the vocabulary, None where it can."""
        if "phi" not in self._board.capabilities.units or self._calibration.phi is None:
            return f"{self._board.name} has no phi unit"
        most = self._board.phi_drivers[0].shape.entries_max
        return f"the rows end at position {entries} of the vocabulary, {self._board.name} takes {most}" if entries > most else None

    def board_phi(self, work: PhiWork) -> Prediction:
        """Return what the board is expected to take for a measurement."""
        drivers, fit = self._board.phi_drivers, self._calibration.phi
        assert fit is not None
        cost = drivers[0].cost(work.entries, work.format)
        return fit.predict(work.on_board(cost, len(drivers), fit.seconds["cycles"]), PARTS["board phi"])

    def done(self, request: RunRequest, choice: Choice) -> None:
        """Note that a run has been done where it was to be."""
        form = _form(request, choice.on_board)
        with self._lock:
            known = self._made[choice.on_board].setdefault(request.program, set())
            # Of the forms for clamped spins backends keep the latest only.
            known -= {one for one in known if one[0] and form[0]}
            known.add(form)
            if choice.on_board:
                self._held = (request.program.digest, form[0])

    def failed(self) -> None:
        """Note that nothing is known of what the board holds."""
        with self._lock:
            self._held = None


def _form(request: RunRequest, on_board: bool) -> tuple[bytes, bool]:
    return request.clamped.tobytes(), not on_board and request.reads == 1 and request.program.weights.max_order <= 2


def shown_seconds(seconds: float) -> str:
    """Return a time with its unit, such as "1.2 ms"."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"
