"""CoherenceProbe: completions in, snapshots and traces out, one vocabulary, one backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from ebmhw.coherence.constants import UNKNOWN_TOKEN
from ebmhw.coherence.measure import measured, meter_of
from ebmhw.coherence.snapshot import CoherenceSnapshot
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import InvalidLogits, InvalidTrace, shown
from ebmhw.numbers import whole
from ebmhw.phi.logits import logits_of

if TYPE_CHECKING:
    from ebmhw.backends import SamplerBackend
    from ebmhw.coherence.layers import LayeredTrace


@final
class CoherenceProbe:
    """Measures completions one after the other.

    As in carl-core the change of phi from the last token of one call to the first of the next counts as one of the latter's changes; `reset`
    forgets the last token, and ``continuous=False`` starts every call anew, which unrelated completions want.

    Parameters
    ----------
    vocab_size : entries of a row of logits, 2 or more; logits of another width are refused
    top_k : tokens of `CoherenceSnapshot.top_k_mass`
    backend : a backend, its name, or None for the default one
    """

    def __init__(self, vocab_size: int, top_k: int = 10, *, backend: SamplerBackend | str | None = None, continuous: bool = True) -> None:
        size, most = whole(vocab_size), whole(top_k)
        if size is None or size < 2:
            raise InvalidTrace(f"vocab_size of a probe is {shown(vocab_size)}; phi = 1 - H / ln V needs a vocabulary of 2 or more")
        if most is None or most < 1:
            raise InvalidTrace(f"top_k of a probe is {shown(top_k)}; give a whole number from 1 up")
        self.vocab_size, self.top_k, self.continuous = size, most, continuous
        self.backend = meter_of(backend)
        self._last_phi: float | None = None

    def reset(self) -> None:
        """Forget the last token."""
        self._last_phi = None

    def measure(self, logits: Any, token_ids: Any, step: int = 0, advantages: Any = None) -> CoherenceSnapshot:
        """Return the measures of logits (T, V) and the tokens (T,) drawn from them; ``advantages`` are a trainer's, (T,) or (n,)."""
        return self._measured(logits, token_ids, step, 0, self.top_k).to_snapshot(advantages)

    def measure_trace(self, logits: Any, token_ids: Any, step: int = 0, sample_idx: int = 0) -> CoherenceTrace:
        """Return the trace of logits (T, V) and the tokens (T,) drawn from them; see `ebmhw.coherence.measure.measured`."""
        return self._measured(logits, token_ids, step, sample_idx, None)

    def measure_from_entropy(self, entropy: Any, selected_logprobs: Any, step: int = 0, sample_idx: int = 0) -> CoherenceTrace:
        """Return the trace of entropies and log-probabilities that a trainer has computed already, both (T,) in nats."""
        return self._after(CoherenceTrace.from_entropy(entropy, selected_logprobs, self.vocab_size, step, sample_idx, prev_phi=self._previous))

    def measure_multi_layer(
        self,
        hidden_states: Any,
        logits: Any,
        token_ids: Any,
        *,
        step: int = 0,
        sample_idx: int = 0,
        include_attention_entropy: bool = False,
        attentions: Any = None,
    ) -> LayeredTrace:
        """Return the trace together with how the residual stream moves from layer to layer; see `ebmhw.coherence.layers`."""
        from ebmhw.coherence.layers import layered

        return layered(self.measure_trace(logits, token_ids, step, sample_idx), hidden_states, attentions if include_attention_entropy else None)

    @property
    def _previous(self) -> float | None:
        return self._last_phi if self.continuous else None

    def _measured(self, logits: Any, token_ids: Any, step: int, sample_idx: int, top_k: int | None) -> CoherenceTrace:
        rows = logits_of(logits)
        if rows.shape and rows.shape[-1] != self.vocab_size:
            raise InvalidLogits(
                f"logits have {rows.shape[-1]} entries a row, but this probe has a vocabulary of {self.vocab_size}; "
                f"give CoherenceProbe(vocab_size={rows.shape[-1]}), or logits[..., :{self.vocab_size}] where the rest is padding"
            )
        if token_ids is None:
            raise InvalidLogits(f"token_ids are missing; give the tokens (T,) that were drawn, {UNKNOWN_TOKEN} where one is unknown")
        return self._after(measured(rows, token_ids, self.backend, step=step, sample_idx=sample_idx, prev_phi=self._previous, top_k=top_k))

    def _after(self, trace: CoherenceTrace) -> CoherenceTrace:
        if trace.n_tokens:
            last = float(trace.phi[-1])
            self._last_phi = None if last != last else last
        return trace
