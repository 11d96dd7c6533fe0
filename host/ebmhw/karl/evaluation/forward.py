"""What a model gives the tokens of an example, by one forward pass over it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ebmhw.errors import ModelError
from ebmhw.karl.training.tokens import Tokens


class Seen(NamedTuple):
    """What a model gave the tokens of an example that are judged.

    Attributes
    ----------
    logprob : (T,) float64, nats
    best : (T,) bool, whether the token was the likeliest, so that greedy decoding would have written it
    group : (T,) int64, as of `ebmhw.karl.training.tokens.Tokens`
    """

    logprob: npt.NDArray[np.float64]
    best: npt.NDArray[np.bool_]
    group: npt.NDArray[np.int64]


def seen(model: Any, rows: Iterable[Tokens], before: Callable[[], object] | None = None) -> Iterator[Seen]:
    """Yield what a model gives the target of each row; ``before`` is called before each forward pass.

    One row at a time, without padding: sums that are taken in another order give other last digits.

    Raises
    ------
    ModelError : a row is longer than the model's context
    """
    import torch

    inner = _inner(model)
    keeps = "logits_to_keep" in inspect.signature(type(inner).forward).parameters
    limit = context_of(model)
    with judging(model):
        for number, row in enumerate(rows):
            if before is not None:
                before()
            if limit is not None and len(row.ids) > limit:
                raise ModelError(f"row {number} has {len(row.ids)} tokens; the model holds {limit}: give max_tokens of {limit} or fewer")
            places = np.flatnonzero(row.target)
            groups = np.asarray(row.group, dtype=np.int64)[places]
            if not places.size:
                yield Seen(np.zeros(0), np.zeros(0, dtype=bool), groups)
                continue
            # Output p judges the token at p + 1.
            keep = len(row.ids) - int(places[0]) + 1
            ids = torch.tensor([row.ids], device=next(inner.parameters()).device)
            output = model(input_ids=ids, use_cache=False, **({"logits_to_keep": keep} if keeps else {}))
            logits = output.logits[0, -keep:].float()[torch.from_numpy(places - places[0])]
            chosen = ids[0, torch.from_numpy(places).to(ids.device)]
            likely = torch.log_softmax(logits, dim=-1).gather(1, chosen[:, None])[:, 0]
            yield Seen(likely.double().cpu().numpy(), (logits.argmax(dim=-1) == chosen).cpu().numpy(), groups)


def context_of(model: Any) -> int | None:
    """Return how many tokens a model holds, None where its configuration does not say."""
    limit = getattr(_inner(model).config.get_text_config(), "max_position_embeddings", None)
    return None if limit is None else int(limit)


def mean_nll(model: Any, rows: Iterable[Tokens]) -> float | None:
    """Return the mean over rows of the NLL a target token, nats; None where no row has one."""
    found = [-float(one.logprob.mean()) for one in seen(model, rows) if one.logprob.size]
    return sum(found) / len(found) if found else None


@contextmanager
def judging(model: Any) -> Iterator[None]:
    """Switch dropout and gradients off, and put back what each module had."""
    import torch

    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def _inner(model: Any) -> Any:
    base = getattr(model, "get_base_model", None)
    return model if base is None else base()
