"""BoundedTrace: what can be said of every token of a completion by the likeliest tokens alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.coherence.bounds.interval import Interval
from ebmhw.coherence.checks import check_range, ids_of
from ebmhw.coherence.constants import DEFECT_THRESHOLD
from ebmhw.coherence.known import FloatArray, mean, plain, vector
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import InvalidTrace, shown
from ebmhw.numbers import whole

_ARRAYS = ("entropy_low", "entropy_high", "selected_prob")


@final
@dataclass(frozen=True, eq=False, repr=False)
class BoundedTrace:
    """Entropy and phi along the tokens of one completion, each between two bounds.

    NaN stands for what is unknown and is never part of a mean; a measure of which nothing is known is None. All arrays are read-only.

    Attributes
    ----------
    entropy_low, entropy_high : (T,) nats
    selected_prob : (T,), the probability of the token that was chosen
    vocab_size : entries of a distribution, 2 or more
    tokens : T texts; empty where nobody gave them
    token_ids : (T,) int64, -100 where unknown; None where nobody gave them
    """

    entropy_low: FloatArray
    entropy_high: FloatArray
    selected_prob: FloatArray
    vocab_size: int
    tokens: tuple[str, ...] = ()
    token_ids: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        size = whole(self.vocab_size)
        if size is None or size < 2:
            raise InvalidTrace(f"vocab_size of a trace is {shown(self.vocab_size)}; phi = 1 - H / ln V needs 2 entries or more")
        object.__setattr__(self, "vocab_size", int(size))
        for name, most in zip(_ARRAYS, (log(size), log(size), 1.0), strict=True):
            object.__setattr__(self, name, vector(getattr(self, name), name))
            check_range(getattr(self, name), name, 0.0, most)
        if self.token_ids is not None:
            object.__setattr__(self, "token_ids", ids_of(self.token_ids, size))
        if not isinstance(self.tokens, (list, tuple)) or not all(isinstance(token, str) for token in self.tokens):
            raise InvalidTrace(f"tokens of a trace are {shown(self.tokens)}; give texts")
        object.__setattr__(self, "tokens", tuple(self.tokens))
        for name in (*_ARRAYS, "token_ids", "tokens"):
            values = getattr(self, name)
            absent = values is None or (name == "tokens" and not values)
            if not absent and len(values) != self.n_tokens:
                raise InvalidTrace(f"{name} of a trace has {len(values)} values, but entropy_low has {self.n_tokens}; give one a token")
        bad = np.flatnonzero(~(self.entropy_low <= self.entropy_high) & ~(np.isnan(self.entropy_low) & np.isnan(self.entropy_high)))
        if bad.size:
            i = int(bad[0])
            raise InvalidTrace(
                f"entropy of token {i} is {self.entropy_low[i]:g} to {self.entropy_high[i]:g}; give the smaller bound first, or neither"
            )

    @property
    def n_tokens(self) -> int:
        """T."""
        return len(self.entropy_low)

    @property
    def phi_low(self) -> FloatArray:
        """The least that phi can be, (T,)."""
        return np.clip(1 - self.entropy_high / log(self.vocab_size) - _OUTWARD, 0.0, 1.0)

    @property
    def phi_high(self) -> FloatArray:
        """The most that phi can be, (T,)."""
        return np.clip(1 - self.entropy_low / log(self.vocab_size) + _OUTWARD, 0.0, 1.0)

    @property
    def phi_mean(self) -> Interval | None:
        """What the mean of phi lies between."""
        return _between(self.phi_low, self.phi_high)

    @property
    def entropy_mean(self) -> Interval | None:
        """What the mean entropy lies between, nats."""
        return _between(self.entropy_low, self.entropy_high)

    @property
    def cloud_quality(self) -> Interval | None:
        """What the mean of selected_prob times phi lies between."""
        return _between(self.selected_prob * self.phi_low, self.selected_prob * self.phi_high)

    @property
    def surprisal_mean(self) -> float | None:
        """Mean of -ln selected_prob, nats, which needs no bounds."""
        return mean(-np.log(np.maximum(self.selected_prob, 5e-324)))

    @property
    def delta_phi_low(self) -> FloatArray:
        """The least that each change of phi can be, (T - 1,)."""
        return self.phi_low[1:] - self.phi_high[:-1]

    @property
    def delta_phi_high(self) -> FloatArray:
        """The most that each change of phi can be, (T - 1,)."""
        return self.phi_high[1:] - self.phi_low[:-1]

    @property
    def n_crystallizations(self) -> tuple[int, int]:
        """Changes that are surely above `DEFECT_THRESHOLD`, and those that may be."""
        return int((self.delta_phi_low > DEFECT_THRESHOLD).sum()), int((self.delta_phi_high > DEFECT_THRESHOLD).sum())

    @property
    def n_meltings(self) -> tuple[int, int]:
        """Changes that are surely below minus `DEFECT_THRESHOLD`, and those that may be."""
        return int((self.delta_phi_high < -DEFECT_THRESHOLD).sum()), int((self.delta_phi_low < -DEFECT_THRESHOLD).sum())

    def middle(self) -> CoherenceTrace:
        """Return a trace of entropies half-way between the bounds, to look at: its phi is off by half of phi_high - phi_low at most.

        Measures that are no means (events, multiscale coherence, the reward) have no such bound there.
        """
        middle = (self.entropy_low + self.entropy_high) / 2
        phi = 1 - middle / log(self.vocab_size)
        return CoherenceTrace.of_fields(np.clip(phi, 0.0, 1.0), middle, self.selected_prob, self.vocab_size, token_ids=self.token_ids)

    def to_dict(self) -> dict[str, Any]:
        """Return the arrays, and the bounds of the means, as JSON can hold them; None for what is unknown."""
        told: dict[str, Any] = {"vocab_size": self.vocab_size, "n_tokens": self.n_tokens, "surprisal_mean": self.surprisal_mean}
        for name in ("phi_mean", "entropy_mean", "cloud_quality"):
            between = getattr(self, name)
            told[name] = None if between is None else list(between)
        told |= {name: plain(getattr(self, name)) for name in (*_ARRAYS, "phi_low", "phi_high")}
        if self.tokens:
            told["tokens"] = list(self.tokens)
        if self.token_ids is not None:
            told["token_ids"] = self.token_ids.tolist()
        return told

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> BoundedTrace:
        """Return the trace that `to_dict` told."""
        needed = (*_ARRAYS, "vocab_size")
        if not isinstance(d, Mapping):
            raise InvalidTrace(f"a trace is {shown(d)}; give the mapping that to_dict() told")
        missing = [name for name in needed if name not in d]
        if missing:
            raise InvalidTrace(f"a trace lacks {', '.join(missing)}; give what to_dict() told")
        return cls(**{name: d[name] for name in needed}, tokens=d.get("tokens", ()), token_ids=d.get("token_ids"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BoundedTrace):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # equal by content, like arrays

    def __repr__(self) -> str:
        between = self.phi_mean
        told = "unknown" if between is None else f"{between.low:.3f} to {between.high:.3f}"
        return f"BoundedTrace({self.n_tokens} tokens, phi {told})"


_OUTWARD = 2.0**-40


def _between(low: FloatArray, high: FloatArray) -> Interval | None:
    least, most = mean(low), mean(high)
    return None if least is None or most is None else Interval(least - _OUTWARD, most + _OUTWARD)
