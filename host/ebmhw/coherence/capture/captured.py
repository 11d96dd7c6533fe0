"""What was captured: tokens as they come, and the completions of one call of generate."""

from __future__ import annotations

from typing import NamedTuple

from ebmhw.coherence.trace import CoherenceTrace


class TokenPhi(NamedTuple):
    """A token that was just generated; None for what is unknown.

    Attributes
    ----------
    row : of the batch
    position : 0 for the first token after the prompt
    token_id : the token
    phi, entropy : of the distribution that the model gave before it, entropy in nats
    prob : the token's probability there
    """

    row: int
    position: int
    token_id: int
    phi: float | None
    entropy: float | None
    prob: float | None


class Captured(NamedTuple):
    """A call of generate, by rows of its batch (with num_return_sequences, that many rows a prompt).

    Attributes
    ----------
    prompt_ids : without padding
    completion_ids : up to the first token that ends a text, that one among them, without padding
    traces : a token of the completion each
    complete : False where an error or an interrupt ended the call; then completions are what there was
    """

    prompt_ids: list[list[int]]
    completion_ids: list[list[int]]
    traces: list[CoherenceTrace]
    complete: bool = True
