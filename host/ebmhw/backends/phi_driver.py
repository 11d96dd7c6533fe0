"""PhiDriver: one phi unit behind a bus."""

from __future__ import annotations

from typing import Any, final

from ebmhw.backends.bus import Bus
from ebmhw.backends.identity import PhiShape, identify_phi
from ebmhw.backends.phi_answers import Answers, answer_beats, take_answers
from ebmhw.backends.phi_tokens import TokenRows, row_beats
from ebmhw.backends.unit_driver import UnitDriver
from ebmhw.backends.units import PHI
from ebmhw.contract.phi_unit import JOB_BYTES, JOBS, RESULT_BYTES
from ebmhw.contract.registers import WORD_BYTES

_FIELD_BEATS = JOBS.layout("token").fixed_words * WORD_BYTES // JOB_BYTES

_FINISH_CYCLES = 150
"""A short row takes so many cycles, in which the answer to the one before it is made (1,600 rows of up to 64 entries: 239,663 cycles)."""


@final
class PhiDriver(UnitDriver):
    """Measures rows of logits on one phi unit.

    Parameters
    ----------
    bus, backend : as of `UnitDriver`

    Attributes
    ----------
    shape : the parameters of the unit

    Raises
    ------
    BackendUnavailable
        What answers is no phi unit, or one of another contract.
    """

    def __init__(self, bus: Bus, backend: str) -> None:
        self.shape: PhiShape = identify_phi(bus, backend)
        super().__init__(bus, backend, PHI, self.shape.build)

    def _forget(self) -> None:
        """Nothing outlives an exchange."""

    def _state(self) -> dict[str, Any]:
        return {}

    def cost(self, entries: int, format: str) -> tuple[int, int]:
        """Return an estimate of a row: words of 64 bits on both streams, and cycles of the unit."""
        beats = _FIELD_BEATS + row_beats(entries, format)
        return beats * JOB_BYTES // RESULT_BYTES + answer_beats("partial"), max(beats, _FINISH_CYCLES)

    def records(self, rows: TokenRows, inverse: int, seconds: float) -> Answers:
        """Return the records of rows that are whole vocabularies, in one exchange with the unit.

        Parameters
        ----------
        rows : at least one, of 2 or more entries
        inverse : INV of the vocabulary
        seconds : how long it may take

        Returns
        -------
        RECORD (rows,).

        Raises
        ------
        HardwareFault
            The unit refused a packet or answered nonsense.
        CoreStalled
            It did not answer in time. After either, the next call begins with a reset.
        """
        return self._answers("record", rows, inverse, 0, seconds)

    def partials(self, rows: TokenRows, first_entry: int, seconds: float) -> Answers:
        """Return the partials, PARTIAL (rows,), of rows that are shards from position ``first_entry`` on; otherwise as `records`."""
        return self._answers("partial", rows, 0, first_entry, seconds)

    def _answers(self, name: str, rows: TokenRows, inverse: int, first_entry: int, seconds: float) -> Answers:
        jobs = rows.packets(inverse, name == "partial", first_entry)
        with self._batch():
            reader = self._exchange(jobs, rows.bits.shape[0] * answer_beats(name), seconds)
            return take_answers(reader, name, rows, inverse, first_entry)
