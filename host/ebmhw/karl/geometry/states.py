"""States: sessions as sequences of vectors, of what was said, of what was called, and of the entropy of tokens."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ebmhw.errors import InvalidTrace, shown
from ebmhw.karl.geometry.embedding import hashed
from ebmhw.karl.trajectory import Trajectory
from ebmhw.numbers import real_numbers, whole

if TYPE_CHECKING:
    from ebmhw.coherence.trace import CoherenceTrace
    from ebmhw.phi.records import PhiRecords

Floats = npt.NDArray[np.float64]
Embed = Callable[[list[str]], Any]
"""Takes texts, returns an array with a row for each."""

ROLES = ("user", "assistant")
WINDOW = 16
SURPRISAL = 50.0
"""Nats that a token surprises at most: one of probability 0 surprises without end."""


def turn_states(trajectory: Trajectory, embed: Embed | None = None, *, roles: Collection[str] = ROLES) -> Floats:
    """Return a state for each turn that says something.

    Parameters
    ----------
    trajectory : the session; its turns are those of ``trajectory.turns``, as far as the source held them
    embed : embeds texts, such as a sentence encoder's; `ebmhw.karl.geometry.hashed` where it is None
    roles : whose turns count

    Returns
    -------
    (T, d) float64

    Raises
    ------
    InvalidTrace : ``embed`` returned something else than a finite row for each text
    """
    return _embedded([turn.text for turn in trajectory.turns if turn.role in roles and turn.text.strip()], embed)


def call_states(trajectory: Trajectory, embed: Embed | None = None) -> Floats:
    """Return a state for each call of a tool: of its name, its parameters and whether it succeeded; as of `turn_states`."""
    said = {True: "ok", False: "failed", None: "unknown"}
    return _embedded([" ".join((event.tool, *event.params.values(), said[event.success])) for event in trajectory.events], embed)


def token_states(source: PhiRecords | CoherenceTrace, window: int = WINDOW, *, scaled: bool = True) -> Floats:
    """Return a state for each window of tokens: its mean phi, entropy and surprisal, and the standard deviation of phi within it.

    Parameters
    ----------
    source : records of `backend.phi` (T,), or a trace; tokens of which something is unknown are left out, as are windows without any other
    window : tokens of a window, 1 or more; what is left at the end is one from half of that on
    scaled : each of the four divided by its standard deviation over the windows, so that none drowns the others (phi lies in [0, 1], entropy
        and surprisal in nats, the latter `SURPRISAL` at most)

    Returns
    -------
    (windows, 4) float64

    Raises
    ------
    InvalidTrace : records have more than one dimension, ``window`` is below 1
    """
    size = whole(window)
    if size is None or size < 1:
        raise InvalidTrace(f"window is {shown(window)}; give a whole number of tokens, 1 or more")
    phi, entropy, surprisal = _measures(source)
    rows = []
    for start in range(0, len(phi), size):
        part = slice(start, start + size)
        values = np.stack([phi[part], entropy[part], surprisal[part]])
        if 2 * values.shape[1] < size:
            continue
        values = values[:, np.isfinite(values).all(axis=0)]
        if values.shape[1]:
            rows.append([*values.mean(axis=1), values[0].std()])
    states = np.array(rows).reshape(-1, 4)
    if not scaled or not len(states):
        return states
    spread = states.std(axis=0)
    centred: Floats = (states - states.mean(axis=0)) / np.where(spread > 1e-12, spread, np.inf)
    return centred


def _measures(source: PhiRecords | CoherenceTrace) -> tuple[Floats, Floats, Floats]:
    from ebmhw.phi.records import PhiRecords

    if isinstance(source, PhiRecords):
        if len(source.shape) != 1:
            raise InvalidTrace(f"records have shape {source.shape}; give those of one sequence, (T,), such as records[0]")
        phi, entropy, surprisal = source.phi, source.entropy_bits * np.log(2.0), -source.chosen_logprob
    else:
        chances = source.selected_prob
        phi, entropy, surprisal = source.phi, source.entropy, -np.log(np.maximum(chances, np.exp(-SURPRISAL)))
    return phi, entropy, np.minimum(surprisal, SURPRISAL)


def _embedded(texts: Sequence[str], embed: Embed | None) -> Floats:
    if embed is None:
        return hashed(texts)
    if not texts:
        return np.zeros((0, 0))
    given = embed(list(texts))
    try:
        array = real_numbers(given, "embeddings")
    except (TypeError, ValueError) as error:
        raise InvalidTrace(f"what embed returned are no embeddings: {error}") from error
    if array.ndim != 2 or len(array) != len(texts):
        raise InvalidTrace(f"embed returned shape {array.shape} for {len(texts)} texts; it must return ({len(texts)}, d), a row for each")
    if not np.isfinite(array).all():
        raise InvalidTrace("embed returned NaN or infinity; it must return finite numbers")
    return array
