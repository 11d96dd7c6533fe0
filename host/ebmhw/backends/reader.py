"""PacketReader: an answer, packet by packet, refused unless it is what was due."""

from __future__ import annotations

from typing import Any, NoReturn, final

import numpy as np
import numpy.typing as npt

from ebmhw.backends.bus import Beats
from ebmhw.backends.codec import PacketCodec
from ebmhw.backends.units import UnitKind
from ebmhw.contract.packets import MAGIC
from ebmhw.contract.registers import WORD_BITS
from ebmhw.errors import ContractError, HardwareFault

Sections = dict[str, dict[str, npt.NDArray[Any]]]

HEAD = "head"
"""Field of the rows of `PacketReader.table` with the packet's header, uint64."""


@final
class PacketReader:
    """The answer of a unit to a batch of jobs, read from its beginning.

    Parameters
    ----------
    beats : the answer
    kind : of the unit
    backend : name for messages

    Raises
    ------
    HardwareFault
        By each method: the next packet is an error (the text says what its code means), or not what was due.
    """

    def __init__(self, beats: Beats, kind: UnitKind, backend: str) -> None:
        self._beats, self._kind, self._backend = beats, kind, backend
        self._at = 0

    def take(self, name: str, job_id: int, **expected: int) -> Sections:
        """Return the sections of the next packet, which is to have that name, job and these fields."""
        codec, packet = self._packet()
        kind = codec.layout.name
        try:
            fields, sections = codec.decode(packet)
        except ContractError as error:
            self.nonsense(str(error))
        if kind == "error":
            error_name = self._kind.error_names.get(fields["error"], f"code {fields['error']}")
            meaning = self._kind.meanings.get(error_name, "a code that this version does not know")
            self.fault(
                f"the {self._kind.noun} refused job {fields['job_id']} with the error '{error_name}' at beat {fields['beat']}: {meaning}", error_name
            )
        if kind != name:
            self.nonsense(f"the {self._kind.noun} answered job {job_id} with a packet '{kind}' where '{name}' was due")
        for field, value in {"job_id": job_id, **expected}.items():
            if fields[field] != value:
                self.nonsense(f"'{field}' of a packet '{name}' for job {job_id} is {fields[field]}, not {value}")
        return sections

    def table(self, name: str, rows: np.dtype[Any], job_ids: npt.NDArray[np.uint32]) -> npt.NDArray[Any]:
        """Return the next packets, one of that name for each job, as an array.

        Parameters
        ----------
        name : of packets without sections
        rows : dtype of a packet: its header as `HEAD`, then its fields, ``job_id`` among them
        job_ids : uint32 (jobs,)
        """
        layout = self._kind.unit.results.layout(name)
        header = MAGIC | layout.code << 16 | layout.version << 24 | layout.fixed_words << WORD_BITS
        beats, left = rows.itemsize // layout.beat_bytes, self._beats.size - self._at
        whole = min(job_ids.size, left // beats)
        raw = np.ascontiguousarray(self._beats[self._at : self._at + whole * beats], dtype="<u8")
        found: npt.NDArray[Any] = raw.view(rows)
        wrong = np.flatnonzero((found[HEAD] != header) | (found["job_id"] != job_ids[:whole]))
        good = int(wrong[0]) if wrong.size else whole
        self._at += good * beats
        # The first that is not as it should be, and any after it, is looked at for itself, to say what it is.
        for job_id in job_ids[good:].tolist():
            self.take(name, job_id)
        return found

    def end(self) -> None:
        """Refuse what follows the last job's answer."""
        if self._at < self._beats.size:
            self.nonsense(f"{self._beats.size - self._at} beats follow the answer to the last job")

    def _packet(self) -> tuple[PacketCodec, Beats]:
        """Return the next packet and what decodes it."""
        left = self._beats.size - self._at
        if not left:
            self.nonsense(f"the answer of the {self._kind.noun} ends before the last job is answered")
        head = int(self._beats[self._at])
        codec = self._kind.results.get(head >> 16 & 0xFF)
        if codec is None or head & 0xFFFF != MAGIC or head >> 24 & 0xFF != codec.layout.version:
            self.nonsense(f"the answer of the {self._kind.noun} has {head:#018x} at beat {self._at}, where a packet should begin")
        beats, rest = divmod(head >> WORD_BITS, codec.words_a_beat)
        if rest or not 0 < beats <= left:
            self.nonsense(f"a packet '{codec.layout.name}' announces {head >> WORD_BITS} words, {left} beats are left of the answer")
        packet = self._beats[self._at : self._at + beats]
        self._at += beats
        return codec, packet

    def nonsense(self, what: str) -> NoReturn:
        """Refuse the whole answer for what is said."""
        self.fault(
            f"{what}; nothing of the answer is used. Run again (the {self._kind.noun} is reset first); if it happens again, load the "
            f"{self._kind.noun} anew"
        )

    def fault(self, what: str, error: str | None = None) -> NoReturn:
        """Raise a HardwareFault; ``error`` is the name of the unit's code for it, where it has one."""
        raise HardwareFault(f"backend {self._backend!r}: {what}", error)
