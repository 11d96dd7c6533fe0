"""AutoBackend: the CPU and a board, each run on the one that is expected to be done first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, final

import numpy as np
import numpy.typing as npt

from ebmhw.backends.auto.calibration import Calibrations, board_key, cpu_key, design_key, read_calibrations
from ebmhw.backends.auto.chooser import Choice, Chooser
from ebmhw.backends.auto.prospect import Prospect
from ebmhw.backends.base import SamplerBackend
from ebmhw.backends.capabilities import Capabilities
from ebmhw.backends.core import CoreBackend
from ebmhw.backends.cpu import CpuBackend
from ebmhw.backends.draws import Draws
from ebmhw.backends.request import RunRequest
from ebmhw.backends.stop import Stop
from ebmhw.errors import ConfigError, CoreStalled, HardwareFault
from ebmhw.phi.request import PhiRequest

if TYPE_CHECKING:
    from ebmhw.backends.submission import Fits, Outcome

_Result = TypeVar("_Result")


@final
class AutoBackend(SamplerBackend):
    """The CPU and a board: the same bits from either, so that each run is done where it is expected to take less time.

    A board that fails in the middle of a run is an error, and no reason to begin again on the CPU behind anybody's back.

    Parameters
    ----------
    cpu, board : the backends
    chooser : says which
    """

    def __init__(self, cpu: SamplerBackend, board: CoreBackend, chooser: Chooser) -> None:
        self.cpu, self.board, self.chooser = cpu, board, chooser

    @property
    def name(self) -> str:
        return "auto"

    @property
    def capabilities(self) -> Capabilities:
        """What the CPU takes, which is more than any board does."""
        return self.cpu.capabilities

    def _execute(self, request: RunRequest) -> Draws:
        return self._executed(request, self.chooser.run(request))

    def _executed(self, request: RunRequest, choice: Choice) -> Draws:
        backend = self.board if choice.on_board else self.cpu
        draws = self._guarded(choice, lambda: backend._execute(request))
        self._note(request, choice, draws)
        return draws

    def _execute_some(self, first: RunRequest, more: Callable[[Fits], RunRequest | None]) -> list[Outcome]:
        choice = self.chooser.run(first)
        if not choice.on_board:
            return [self._executed(first, choice)]
        taken = [(first, choice)]
        candidate = choice

        def next_one(fits: Fits) -> RunRequest | None:
            def joins(request: RunRequest) -> bool:
                nonlocal candidate
                candidate = self.chooser.run(request)
                # What is better off on the CPU waits for its turn there.
                return candidate.may_join and fits(request)

            found = more(joins)
            if found is not None:
                taken.append((found, replace(candidate, on_board=True)))
            return found

        outcomes = self._guarded(choice, lambda: self.board._execute_some(first, next_one))
        for (request, chosen), outcome in zip(taken, outcomes, strict=True):
            if isinstance(outcome, Draws):
                self._note(request, chosen, outcome)
        return [self._told(choice, outcome) if isinstance(outcome, HardwareFault) else outcome for outcome in outcomes]

    def _note(self, request: RunRequest, choice: Choice, draws: Draws) -> None:
        self.chooser.done(request, choice)
        draws.info.update(self._used(choice))

    def _used(self, choice: Choice) -> dict[str, Any]:
        expected = {"cpu": choice.cpu, self.board.name: choice.board}
        return {
            "backend": self.board.name if choice.on_board else self.cpu.name,
            "chosen_because": choice.because,
            "expected_s": {name: None if one is None else one.seconds for name, one in expected.items()},
        }

    def _measured(self, request_of: Callable[[Stop], PhiRequest], dtype: np.dtype[Any]) -> tuple[npt.NDArray[np.void], dict[str, Any]]:
        array, info = super()._measured(request_of, dtype)
        if not info["rows"]:
            info.update(backend=self.cpu.name, chosen_because="auto: cpu, since there is no row to measure")
        return array, info

    def _phi(self, request: PhiRequest) -> npt.NDArray[np.void]:
        choice = self.chooser.phi(request)
        backend = self.board if choice.on_board else self.cpu
        array = self._guarded(choice, lambda: backend._phi(request))
        request.info.update(self._used(choice))
        return array

    def _guarded(self, choice: Choice, work: Callable[[], _Result]) -> _Result:
        """Do some work; what fails on the board says so, with what to do."""
        try:
            return work()
        except HardwareFault as error:
            raise self._told(choice, error) from error

    def _told(self, choice: Choice, error: HardwareFault) -> HardwareFault:
        """Return the error with what to do."""
        self.chooser.failed()
        text = (
            f"{error} ({choice.because}; auto does not begin again elsewhere by itself: run it with get_backend('cpu'), whose results are "
            "the same, or look at the board with `ebmhw board status` and `ebmhw board selftest`)"
        )
        told = CoreStalled(text, error.arrived) if isinstance(error, CoreStalled) else HardwareFault(text, error.error)
        told.__cause__ = error
        return told


def auto_with(cpu: CpuBackend, prospect: Prospect, calibrations: Calibrations | None = None) -> SamplerBackend:
    """Return an `AutoBackend` of the CPU and a board, or the CPU, which then says why.

    The calibration is asked first; only then is the board's library loaded and a register read. The programmable logic is left as it is.

    Parameters
    ----------
    cpu, prospect : the CPU and the board
    calibrations : None takes this user's
    """
    try:
        known = calibrations if calibrations is not None else read_calibrations()
    except ConfigError as error:
        return _cpu_since(cpu, str(error))
    own = known.find("cpu", cpu_key(cpu.threads, cpu.instruction_set))
    record = known.find(prospect.name, design_key(prospect.build))
    missing = [one for one in (own, record) if isinstance(one, str)]
    if isinstance(own, str) or isinstance(record, str):
        return _cpu_since(cpu, f"a design of ebmhw is loaded, but {' and '.join(dict.fromkeys(missing))}")
    board = prospect.connected()
    if isinstance(board, str):
        return _cpu_since(cpu, board)
    # The board's clock is known only now.
    record = known.find(prospect.name, board_key(board))
    if isinstance(record, str):
        return _cpu_since(cpu, record)
    return AutoBackend(cpu, board, Chooser(own, cpu.threads, board, record))


def _cpu_since(cpu: CpuBackend, why: str) -> CpuBackend:
    cpu.chosen_because = f"auto: the CPU, since {why}"
    return cpu
