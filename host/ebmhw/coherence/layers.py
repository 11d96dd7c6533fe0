"""LayeredTrace: how the residual stream moves from layer to layer, beside the trace of what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, final

import numpy as np

from ebmhw.coherence.known import FloatArray, floats, mean, mean_of
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import InvalidTrace, shown


@final
@dataclass(frozen=True)
class LayeredTrace:
    """A trace, and the layers before it.

    Attributes
    ----------
    final : the trace of the model's output
    layer_residual_cos : mean over tokens of the cosine between a layer's residual stream and that of the layer before, a number a pair of
        neighbours; None where no token has one (a vector of length 0, or with entries that are not finite)
    layer_attention_entropy : mean entropy of a layer's attention, nats; None without attentions
    n_layers : pairs of neighbours
    """

    final: CoherenceTrace
    layer_residual_cos: list[float | None]
    layer_attention_entropy: list[float | None] | None
    n_layers: int

    @property
    def residual_trajectory(self) -> list[float | None]:
        """The cosines, layer by layer."""
        return list(self.layer_residual_cos)

    @property
    def residual_mean(self) -> float | None:
        """Their mean."""
        return mean_of(self.layer_residual_cos)

    @property
    def residual_min(self) -> float | None:
        """The least of them."""
        return min((cosine for cosine in self.layer_residual_cos if cosine is not None), default=None)


def layered(trace: CoherenceTrace, hidden_states: Any, attentions: Any = None) -> LayeredTrace:
    """Return a trace with its layers.

    Parameters
    ----------
    trace : of T tokens
    hidden_states : two or more arrays (T, D) or (1, T, D), such as ``output_hidden_states`` of transformers for the positions of the trace
    attentions : arrays (..., S) of attention weights, a layer each; rows of zeros (masked queries) are left out

    Raises
    ------
    InvalidTrace
        for fewer than two layers, and for another shape, naming the layer.
    """
    states = [_of_layer(state, i, trace.n_tokens) for i, state in enumerate(_sequence(hidden_states, "hidden_states"))]
    if len(states) < 2:
        raise InvalidTrace(f"hidden_states hold {len(states)} layers; give two or more, cosines are between neighbours")
    for i, state in enumerate(states):
        if state.shape != states[0].shape:
            raise InvalidTrace(f"hidden_states[{i}] has shape {state.shape}, but the first has {states[0].shape}; give the same for all layers")
    cosines = [_cosine(before, after) for before, after in pairwise(states)]
    entropies = None if attentions is None else [_attention_entropy(weights, i) for i, weights in enumerate(_sequence(attentions, "attentions"))]
    return LayeredTrace(trace, cosines, entropies, len(cosines))


def _sequence(values: Any, what: str) -> Sequence[Any]:
    if not isinstance(values, (list, tuple)):
        raise InvalidTrace(f"{what} are a {type(values).__name__}; give a list or tuple, an array a layer")
    return values


def _floats(values: Any, what: str) -> FloatArray:
    try:
        return floats(values)
    except (TypeError, ValueError, OverflowError):
        raise InvalidTrace(f"{what} is {shown(values)}; give an array of numbers") from None


def _of_layer(state: Any, layer: int, tokens: int) -> FloatArray:
    array = _floats(state, f"hidden_states[{layer}]")
    if array.ndim == 3 and len(array) == 1:
        array = array[0]
    if array.ndim != 2 or len(array) != tokens:
        raise InvalidTrace(f"hidden_states[{layer}] has shape {array.shape}; the trace has {tokens} tokens, give ({tokens}, D)")
    return array


def _cosine(before: FloatArray, after: FloatArray) -> float | None:
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
        cosines = np.where(lengths > 0, (before * after).sum(axis=1) / lengths, np.nan)
    return mean(np.where(np.isfinite(cosines), np.clip(cosines, -1.0, 1.0), np.nan))


def _attention_entropy(weights: Any, layer: int) -> float | None:
    array = _floats(weights, f"attentions[{layer}]")
    if array.ndim < 2:
        raise InvalidTrace(f"attentions[{layer}] has shape {array.shape}; give (..., S), the last dimension a distribution")
    rows = array[np.isfinite(array).all(axis=-1)]
    if (rows < 0).any():
        raise InvalidTrace(f"attentions[{layer}] holds {shown(rows.min())}; weights are 0 or more")
    most = rows.max(axis=-1, keepdims=True, initial=0.0)
    rows = rows[most[:, 0] > 0] / most[most > 0][:, None]  # by the largest first: their sum may be beyond float64
    rows /= rows.sum(axis=-1, keepdims=True)
    return mean(-(rows * np.log(np.where(rows > 0, rows, 1.0))).sum(axis=-1))
