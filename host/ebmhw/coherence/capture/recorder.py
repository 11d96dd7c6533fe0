"""PhiCapture: phi of every token that a model generates, while it does."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, final

from ebmhw.coherence.capture.attaching import CapturedGenerate, Session
from ebmhw.coherence.capture.captured import Captured, TokenPhi
from ebmhw.coherence.capture.lookup import traces_of
from ebmhw.coherence.capture.recording import Recording
from ebmhw.coherence.measure import meter_of
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import InvalidTrace, NotSupported, shown
from ebmhw.numbers import whole

if TYPE_CHECKING:
    from ebmhw.backends import SamplerBackend

__all__ = ["Captured", "PhiCapture", "TokenPhi"]


_MOST = 2**31 - 1
"""Largest number of calls kept, of tokens and of entries."""


@final
class PhiCapture:
    """Measures what models generate: attached to a model, it sees every call of its ``generate``, with the prompt as context.

    What is measured is the model's own distribution, before repetition penalties, temperature, top-k and whatever else shapes the choice; row t
    of it is what token t was drawn from. There is no second forward pass, and of the logits only those of the step at hand are referred to.
    Greedy search and sampling, batches, left padding, num_return_sequences and peft's models are followed; beams, assistants and guidance are
    refused with NotSupported. A model has one capture at a time, and generates in one thread at a time while it has.

    Parameters
    ----------
    backend : a backend, its name, or None for the default one
    on_token : called with each `TokenPhi` right after its token was chosen; what it raises ends the call of generate
    top_k : measure the probability of that many likeliest tokens too
    keep_calls : how many calls `calls` holds, the latest
    vocab_size : entries of a row that count, where the rest is padding; None for all
    """

    def __init__(
        self,
        *,
        backend: SamplerBackend | str | None = None,
        on_token: Callable[[TokenPhi], object] | None = None,
        top_k: int | None = None,
        keep_calls: int = 4,
        vocab_size: int | None = None,
    ) -> None:
        for name, value, least in (("top_k", top_k, 1), ("keep_calls", keep_calls, 1), ("vocab_size", vocab_size, 2)):
            number = whole(value)
            if value is not None and (number is None or not least <= number <= _MOST):
                raise InvalidTrace(f"{name} of a capture is {shown(value)}; give a whole number from {least} to {_MOST}")
        if on_token is not None and not callable(on_token):
            raise InvalidTrace(f"on_token of a capture is {shown(on_token)}; give a function that takes a TokenPhi, or None")
        self._backend, self._on_token, self._top_k, self._vocab_size = meter_of(backend), on_token, top_k, vocab_size
        self._calls: deque[Captured] = deque(maxlen=keep_calls)
        self._generate: CapturedGenerate | None = None

    @property
    def calls(self) -> tuple[Captured, ...]:
        """The latest calls of generate, oldest first; one that an error or an interrupt ended is there as far as it came."""
        return tuple(self._calls)

    def traces_for(self, completion_ids: Iterable[Any]) -> list[CoherenceTrace | None]:
        """Return the trace of each completion, given by its token ids; see `ebmhw.coherence.capture.lookup`."""
        return traces_of(self.calls, completion_ids)

    def attach(self, model: Any) -> None:
        """Follow every call of the model's generate from now on; of a model within peft's or accelerate's wrapper too.

        Raises
        ------
        NotSupported
            where this capture or this model is attached already, and for what is no causal model of transformers.
        """
        if self._generate is not None:
            raise NotSupported("this capture is attached to a model already; detach() it first, or make a PhiCapture for each model")
        inner = _within(model)
        before = getattr(inner, "generate", None)
        if before is None or not hasattr(inner, "register_forward_hook"):
            raise NotSupported(f"a {type(model).__name__} cannot be captured; give a causal language model of transformers, with generate")
        if isinstance(before, CapturedGenerate) and before.active:
            raise NotSupported("this model has a capture already; detach that one first, or use it: it sees every call")
        if getattr(inner.config, "is_encoder_decoder", False):
            raise NotSupported(f"{type(inner).__name__} has an encoder, whose prompt is no context of the decoder; give a causal language model")
        self._generate = CapturedGenerate(inner, before, Session(self._recording, self._on_token, self._calls.append))
        inner.generate = self._generate

    def detach(self) -> None:
        """Leave the model as it was; what was captured stays."""
        if self._generate is not None:
            self._generate.leave()
            self._generate = None

    @contextmanager
    def attached(self, model: Any) -> Iterator[PhiCapture]:
        """Attach for the length of a with block."""
        self.attach(model)
        try:
            yield self
        finally:
            self.detach()

    def _recording(self, prompt_ids: list[list[int]], ends: Collection[int]) -> Recording:
        return Recording(prompt_ids, ends, self._backend, self._vocab_size, self._top_k)


def _within(model: Any) -> Any:
    """Return the model whose generate does the work: that within accelerate's or torch's wrapper, and within peft's."""
    if not hasattr(model, "generate") and hasattr(model, "module"):
        model = model.module
    base = getattr(model, "get_base_model", None)
    return model if base is None else base()
