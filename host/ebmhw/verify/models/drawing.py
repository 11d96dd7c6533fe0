"""Drawing: chooses the tokens of rows that transformers generates, and keeps their log-probabilities."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, final

from ebmhw.errors import ModelError
from ebmhw.verify.models.language_model import Finish, Sampling


@final
class Row:
    """One text as far as it is generated; ``finish`` is None until it has ended.

    Attributes
    ----------
    tokens : all that were chosen, the end token too
    logprob : of all of them, nats
    """

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.logprob = 0.0
        self.ended = False
        self.finish: Finish = "length"


@final
class Drawing:
    """A logits processor and a stopping criterion that share the rows.

    transformers draws from the global generator of torch, and keeps the logits of all steps (200 MB for 32 rows of 32 tokens of a
    vocabulary of 49,152) where log-probabilities are wanted. Here each row has a generator of its own, and the processor leaves one token
    that is not impossible, so that the greedy choice that follows takes it.

    Parameters
    ----------
    seeds : one a row
    ends : tokens that end a text
    said : whether the tokens of a row have come to an end in another way; None where there is none
    """

    def __init__(self, seeds: Sequence[int], sampling: Sampling, ends: set[int], said: Callable[[Sequence[int]], bool] | None) -> None:
        import torch

        self.rows = [Row() for _ in seeds]
        self._sampling, self._ends, self._said = sampling, ends, said
        # On the CPU wherever the model is: the same seed gives the same random numbers on every device.
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def draw(self, input_ids: Any, scores: Any) -> Any:
        """Return scores (rows, vocabulary) of 0 for the chosen token and minus infinity for all others."""
        import torch

        logprobs = torch.log_softmax(scores.float(), dim=-1)
        temperature = self._sampling.temperature
        chosen = logprobs.argmax(dim=-1, keepdim=True) if temperature == 0 else self._drawn(logprobs / temperature)
        values = logprobs.gather(1, chosen)[:, 0].tolist()
        for row, token, value in zip(self.rows, chosen[:, 0].tolist(), values, strict=True):
            if row.ended:
                continue
            if not math.isfinite(value):
                raise ModelError("the model's logits are not numbers (NaN or infinite); its weights are damaged, or its number format is too small")
            row.tokens.append(token)
            row.logprob += value
            if token in self._ends or (self._said is not None and self._said(row.tokens)):
                row.ended, row.finish = True, "stop"
        return torch.full_like(scores, -torch.inf).scatter_(1, chosen, 0.0)

    def _drawn(self, logits: Any) -> Any:
        import torch

        uniforms = torch.cat([torch.rand(1, 1, generator=generator, dtype=torch.float64) for generator in self._generators])
        sums = torch.softmax(logits.double(), dim=-1).cumsum(dim=-1)
        # Sums grow at possible tokens only, so the first one above the level is possible.
        at = torch.searchsorted(sums, uniforms.to(sums.device) * sums[:, -1:], right=True)
        return at.clamp(max=logits.shape[1] - 1)

    def finished(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        """Return which rows (rows,) are done: ended, or out of time."""
        import torch

        if self._sampling.deadline.passed:
            self.end_all()
        return torch.tensor([row.ended for row in self.rows], device=input_ids.device)

    def end_all(self) -> None:
        """End the rows that have not, because time is over."""
        for row in self.rows:
            if not row.ended:
                row.ended, row.finish = True, "time"
