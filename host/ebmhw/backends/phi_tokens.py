"""TokenRows: rows of logits as the phi unit's packets, many at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.backends.bus import Beats
from ebmhw.backends.codec import PacketCodec
from ebmhw.contract.phi_formats import FORMATS
from ebmhw.contract.phi_unit import JOB_BYTES, JOBS
from ebmhw.contract.registers import WORD_BITS, WORD_BYTES

_LAYOUT = JOBS.layout("token")
_TOKEN = PacketCodec(_LAYOUT)
_FIXED_BYTES = _LAYOUT.fixed_words * WORD_BYTES
_JOB_ID, _CHOSEN = (_LAYOUT.bit_offset(name) // WORD_BITS for name in ("job_id", "chosen"))

Words = npt.NDArray[np.uint16] | npt.NDArray[np.uint32]


def row_beats(entries: int, format: str) -> int:
    """Return the beats of the job stream that so many entries take."""
    return -(-entries * _entry_bytes(format) // JOB_BYTES)


def _entry_bytes(format: str) -> int:
    return 4 if format == "float32" else 2


@final
@dataclass(frozen=True, eq=False)
class TokenRows:
    """Rows of logits of one format and length.

    Attributes
    ----------
    bits : the entries' bits (rows, entries), uint16 or, of float32, uint32
    format : of `FORMATS`
    chosen : uint32 (rows,), position of the chosen entry, NO_POSITION for none
    token_ids : uint32 (rows,), what records carry
    """

    bits: Words
    format: str
    chosen: npt.NDArray[np.uint32]
    token_ids: npt.NDArray[np.uint32]

    @property
    def entries(self) -> int:
        """Entries of a row."""
        return int(self.bits.shape[1])

    def part(self, rows: slice) -> TokenRows:
        """Return some of the rows."""
        return TokenRows(self.bits[rows], self.format, self.chosen[rows], self.token_ids[rows])

    def packets(self, inverse: int, partial: bool, first_entry: int) -> Beats:
        """Return a packet for each row, end to end: the fields that all share are as given."""
        beats = row_beats(self.entries, self.format)
        fields = {
            "job_id": 0,
            "entries": self.entries,
            "inverse": inverse,
            "format": FORMATS.index(self.format),
            "partial": int(partial),
            "chosen": 0,
            "first_entry": first_entry,
            "beats": beats,
        }
        head = _TOKEN.encode(fields, {})
        _TOKEN.put(head, {"length": _LAYOUT.words({"beats": beats})})
        packets = np.empty((self.bits.shape[0], _FIXED_BYTES + beats * JOB_BYTES), dtype=np.uint8)
        packets[:, :_FIXED_BYTES] = head.astype("<u8").view(np.uint8)
        words = packets.view("<u4")
        words[:, _JOB_ID], words[:, _CHOSEN] = self.token_ids, self.chosen
        entries: npt.NDArray[Any] = packets.view(f"<u{_entry_bytes(self.format)}")[:, _FIXED_BYTES // _entry_bytes(self.format) :]
        entries[:, : self.entries] = self.bits
        entries[:, self.entries :] = 0
        result: Beats = packets.reshape(-1).view("<u8").astype(np.uint64, copy=False)
        return result
