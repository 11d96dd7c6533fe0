"""Recording: one call of generate, step by step, as records of the phi unit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.coherence.capture.captured import Captured, TokenPhi
from ebmhw.coherence.capture.mass import likeliest_mass
from ebmhw.coherence.clipped import measurable
from ebmhw.coherence.constants import UNKNOWN_TOKEN
from ebmhw.coherence.known import FloatArray, plain
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.phi import PhiRecords

if TYPE_CHECKING:
    from ebmhw.backends import SamplerBackend

_LN2 = float(np.log(2.0))


@final
class Recording:
    """The rows of a batch, as far as they are generated; holds records and ids, never logits.

    Parameters
    ----------
    prompt_ids : of each row
    ends : token ids that end a text
    backend : measures
    vocab_size : entries that count, None for all; a token beyond them has no known probability
    top_k : measure the probability of that many likeliest tokens too, None for not
    """

    def __init__(
        self, prompt_ids: Sequence[Sequence[int]], ends: Collection[int], backend: SamplerBackend, vocab_size: int | None, top_k: int | None
    ) -> None:
        self._prompts = [list(row) for row in prompt_ids]
        self._ends = np.array(sorted(ends), dtype=np.int64)
        self._backend, self._vocab_size, self._top_k = backend, vocab_size, top_k
        self._entries = 0
        self._records: list[npt.NDArray[np.void]] = []
        self._tokens: list[npt.NDArray[np.int64]] = []
        self._mass: list[FloatArray] = []
        self._live = np.ones(len(self._prompts), dtype=np.bool_)
        self._lengths = np.zeros(len(self._prompts), dtype=np.int64)

    @property
    def steps(self) -> int:
        """Tokens of the longest row."""
        return len(self._tokens)

    @property
    def rows(self) -> int:
        """Rows of the batch."""
        return len(self._prompts)

    def step(self, logits: Any, tokens: Sequence[int], stopped: Sequence[bool] | None = None) -> npt.NDArray[np.int64]:
        """Record a token of each row that has not ended, and return which rows these are.

        Parameters
        ----------
        logits : (rows, V), what the model gave; not kept
        tokens : (rows,) what was chosen
        stopped : (rows,) whether something else than a token ends the row here
        """
        ids, live = np.asarray(tokens, dtype=np.int64), self._live
        self._entries = int(logits.shape[-1]) if self._vocab_size is None else self._vocab_size
        chosen = np.where(live & (ids < self._entries), ids, UNKNOWN_TOKEN)
        records = self._backend.phi(logits, chosen=chosen, vocab_size=self._vocab_size, mask=None if live.all() else live)
        if self._top_k is not None:
            self._mass.append(likeliest_mass(logits[:, : self._entries], records, self._top_k))
        # From here on the step is there as a whole.
        self._records.append(records.array)
        self._tokens.append(ids)
        self._lengths += live
        self._live = live & ~np.isin(ids, self._ends)
        if stopped is not None:
            self._live &= ~np.asarray(stopped, dtype=np.bool_)
        return np.flatnonzero(live)

    def latest(self, rows: npt.NDArray[np.int64]) -> list[TokenPhi]:
        """Return the tokens of the last step."""
        records, tokens = PhiRecords(self._records[-1][rows]), self._tokens[-1][rows]
        known = measurable(records)
        numbers = (records.phi, records.entropy_bits * _LN2, np.exp(records.chosen_logprob))
        fields = [plain(np.where(known, values, np.nan)) for values in numbers]
        return [TokenPhi(row, self.steps - 1, token, *of_it) for row, token, *of_it in zip(rows.tolist(), tokens.tolist(), *fields, strict=True)]

    def captured(self, complete: bool = True) -> Captured:
        """Return all rows as they are now."""
        completions, traces = [], []
        for row, length in enumerate(self._lengths.tolist()):
            ids = np.array([tokens[row] for tokens in self._tokens[:length]], dtype=np.int64)
            completions.append(ids.tolist())
            traces.append(self._trace(row, length, ids))
        return Captured(self._prompts, completions, traces, complete)

    def _trace(self, row: int, length: int, ids: npt.NDArray[np.int64]) -> CoherenceTrace:
        known = np.where(ids < self._entries, ids, UNKNOWN_TOKEN)
        mass = np.array([step[row] for step in self._mass[:length]]) if self._top_k is not None else None
        if not length:
            nothing = np.empty(0)
            return CoherenceTrace.of_fields(nothing, nothing, nothing, max(2, self._entries), sample_idx=row, token_ids=known, top_k_mass=mass)
        records = PhiRecords(np.stack([records[row] for records in self._records[:length]]))
        return CoherenceTrace.from_records(records, self._entries, sample_idx=row, token_ids=known, top_k_mass=mass)
