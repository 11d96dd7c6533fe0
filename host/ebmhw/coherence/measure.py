"""Logits to traces, through any backend's phi unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ebmhw.backends import get_backend
from ebmhw.coherence.clipped import reachable
from ebmhw.coherence.topk import top_mass
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import InvalidLogits, InvalidRun, shown
from ebmhw.phi.arguments import array_of
from ebmhw.phi.logits import logits_of

if TYPE_CHECKING:
    from ebmhw.backends import SamplerBackend

_LN2 = float(np.log(2.0))


def meter_of(backend: SamplerBackend | str | None) -> SamplerBackend:
    """Return a backend given as itself, by name, or as None for the default one."""
    if backend is None or isinstance(backend, str):
        return get_backend(backend)
    if not callable(getattr(backend, "phi", None)):
        raise InvalidRun(f"backend is {shown(backend)}; give one of get_backend(), its name, or None for the default one")
    return backend


def measured(
    logits: Any,
    token_ids: Any,
    backend: SamplerBackend | str | None = None,
    *,
    step: int = 0,
    sample_idx: int = 0,
    prev_phi: float | None = None,
    top_k: int | None = None,
) -> CoherenceTrace:
    """Return the trace of one completion.

    Parameters
    ----------
    logits : (T, V) in any dtype and array kind that ``backend.phi`` takes; row t is what token t was drawn from, that is, the model's output at
        the token before it. Rows without any finite entry become unknown.
    token_ids : (T,) the tokens that were drawn, 0..V-1, or -100 where one is unknown; None where none is known
    backend : a backend, its name, or None for the default one
    prev_phi : phi of the token before the first, which makes the change to it count
    top_k : measure the probability of the likeliest ``top_k`` tokens too

    Raises
    ------
    InvalidLogits
        for another shape, a vocabulary of 1, a token id out of range.
    """
    rows = logits_of(logits)
    if len(rows.shape) != 2:
        raise InvalidLogits(f"logits of shape {rows.shape} are not those of one completion; give (T, V)")
    records, shifts = reachable(rows, token_ids, meter_of(backend))
    ids = None if token_ids is None else array_of(token_ids, "chosen").astype(np.int64)
    mass = None if top_k is None else top_mass(rows, records, top_k, shifts)
    return CoherenceTrace.from_records(records, rows.shape[-1], step=step, sample_idx=sample_idx, prev_phi=prev_phi, token_ids=ids, top_k_mass=mass)


def compute_phi(
    logits: Any, *, backend: SamplerBackend | str | None = None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return phi (...), probabilities (..., V) and entropy in nats (...) of logits (..., V).

    Phi and entropy are the backend's; the probabilities are computed beside it in float64 and take 8 bytes an entry: who does not need them asks
    ``backend.phi``. Entries of NaN or +inf have probability 0; in rows without any finite entry everything is NaN.
    """
    rows = logits_of(logits)
    records = reachable(rows, None, meter_of(backend))[0]
    count = int(np.prod(rows.shape[:-1], dtype=np.int64))
    values = rows.doubles(np.arange(count, dtype=np.int64))
    values[~np.isfinite(values)] = -np.inf
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        probabilities = np.exp(values - values.max(axis=-1, keepdims=True, initial=-np.inf))
        probabilities /= probabilities.sum(axis=-1, keepdims=True)
    return records.phi, probabilities.reshape(rows.shape), records.entropy_bits * _LN2
