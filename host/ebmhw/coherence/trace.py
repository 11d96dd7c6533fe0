"""CoherenceTrace: what is known of every token of one completion, and the measures that follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from ebmhw.coherence import events, sketches
from ebmhw.coherence.checks import SLACK, check_changes, check_range, earlier_of, ids_of, positions_of, whole_numbers
from ebmhw.coherence.clipped import measurable
from ebmhw.coherence.constants import STATIC_WEIGHTS
from ebmhw.coherence.known import FloatArray, mean, plain, std, vector
from ebmhw.coherence.scales import multiscale_coherence, scale_coherence
from ebmhw.errors import InvalidTrace, shown
from ebmhw.numbers import whole

if TYPE_CHECKING:
    from ebmhw.coherence.snapshot import CoherenceSnapshot
    from ebmhw.phi import PhiRecords

_LN2 = log(2)

_TOLD = (
    *("step", "sample_idx", "vocab_size", "n_tokens", "phi_mean", "phi_std", "entropy_mean", "cloud_quality", "multiscale_coherence"),
    *("discontinuity_score", "n_crystallizations", "n_meltings", "defect_density", "surprisal_mean"),
)
"""Measures of `CoherenceTrace.to_dict`."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class CoherenceTrace:
    """Phi along the tokens of one completion.

    NaN stands for what is unknown (a row without any valid logit or with its largest beyond the unit's range, a token without a known id) and is
    never part of a mean; a measure of which nothing is known is None. All arrays are read-only.

    Attributes
    ----------
    phi : (T,), 0 (uniform) to 1 (certain)
    entropy : (T,), nats
    selected_prob : (T,), the probability of the token that was chosen
    delta_phi : (T - 1,) changes of phi between neighbours; (T,) where the first is the change from what came before the trace
    vocab_size : entries of a distribution, 2 or more
    n_tokens : T
    step, sample_idx : of the training step, and within its batch
    token_ids : (T,) int64, -100 where unknown; None where nobody gave them
    top_k_mass : (T,), the probability of the k likeliest tokens together; None where it was not measured
    """

    phi: FloatArray
    entropy: FloatArray
    selected_prob: FloatArray
    delta_phi: FloatArray
    vocab_size: int
    n_tokens: int
    step: int = 0
    sample_idx: int = 0
    token_ids: npt.NDArray[np.int64] | None = None
    top_k_mass: FloatArray | None = None

    def __post_init__(self) -> None:
        for name in ("vocab_size", "n_tokens", "step", "sample_idx"):
            value = whole(getattr(self, name))
            if value is None:
                raise InvalidTrace(f"{name} of a trace is {shown(getattr(self, name))}; give a whole number")
            object.__setattr__(self, name, int(value))
        count, size = self.n_tokens, self.vocab_size
        if size < 2:
            raise InvalidTrace(f"vocab_size of a trace is {shown(size)}; phi = 1 - H / ln V needs 2 entries or more")
        for name in ("phi", "entropy", "selected_prob", "delta_phi"):
            object.__setattr__(self, name, vector(getattr(self, name), name))
        if count != len(self.phi):
            raise InvalidTrace(f"n_tokens of a trace is {shown(self.n_tokens)}, but phi has {len(self.phi)} values; give one a token")
        if self.top_k_mass is not None:
            object.__setattr__(self, "top_k_mass", vector(self.top_k_mass, "top_k_mass"))
        if self.token_ids is not None:
            object.__setattr__(self, "token_ids", ids_of(self.token_ids, size))
        for name in ("entropy", "selected_prob", "top_k_mass", "token_ids"):
            values = getattr(self, name)
            if values is not None and len(values) != count:
                raise InvalidTrace(f"{name} of a trace has {len(values)} values, but phi has {count}; give one a token")
        if len(self.delta_phi) not in {max(count - 1, 0), count}:
            raise InvalidTrace(
                f"delta_phi of a trace has {len(self.delta_phi)} values for {count} tokens; give T - 1, or T with the change before the first"
            )
        most = {"phi": 1.0, "selected_prob": 1.0, "top_k_mass": 1.0, "entropy": log(size)}
        for name, high in most.items():
            if getattr(self, name) is not None:
                check_range(getattr(self, name), name, 0.0, high)
        check_changes(self.phi, self.delta_phi)

    # --- made of

    @classmethod
    def of_fields(
        cls,
        phi: FloatArray,
        entropy: FloatArray,
        selected_prob: FloatArray,
        vocab_size: int,
        *,
        step: int = 0,
        sample_idx: int = 0,
        prev_phi: float | None = None,
        token_ids: npt.NDArray[np.int64] | None = None,
        top_k_mass: FloatArray | None = None,
    ) -> CoherenceTrace:
        """Return the trace of these tokens; with ``prev_phi``, phi of the token before them, the first change counts too."""
        before = np.empty(0) if prev_phi is None else earlier_of(prev_phi)
        delta = np.diff(np.concatenate([before, phi])) if len(phi) else np.empty(0)
        return cls(phi, entropy, selected_prob, delta, vocab_size, len(phi), step, sample_idx, token_ids, top_k_mass)

    @classmethod
    def from_records(
        cls,
        records: PhiRecords,
        vocab_size: int,
        *,
        step: int = 0,
        sample_idx: int = 0,
        prev_phi: float | None = None,
        token_ids: npt.NDArray[np.int64] | None = None,
        top_k_mass: FloatArray | None = None,
    ) -> CoherenceTrace:
        """Return the trace of records (T,) of ``backend.phi``, measured with the tokens that were chosen.

        Rows of which a record tells nothing (`ebmhw.coherence.clipped`) become unknown.
        """
        if len(records.shape) != 1:
            raise InvalidTrace(f"records of shape {records.shape} are not those of one completion; give (T,)")
        known = measurable(records)
        return cls.of_fields(
            np.where(known, records.phi, np.nan),
            np.where(known, records.entropy_bits * _LN2, np.nan),
            np.where(known, np.exp(records.chosen_logprob), np.nan),
            vocab_size,
            step=step,
            sample_idx=sample_idx,
            prev_phi=prev_phi,
            token_ids=token_ids,
            top_k_mass=top_k_mass,
        )

    @classmethod
    def from_logits(
        cls, logits: Any, token_ids: Any, step: int = 0, sample_idx: int = 0, prev_phi: float | None = None, *, backend: Any = None
    ) -> CoherenceTrace:
        """Return the trace of logits (T, V), row t being what token t was drawn from; see `ebmhw.coherence.measure.measured`."""
        from ebmhw.coherence.measure import measured

        return measured(logits, token_ids, backend, step=step, sample_idx=sample_idx, prev_phi=prev_phi)

    @classmethod
    def from_entropy(
        cls, entropy: Any, selected_logprobs: Any, vocab_size: int, step: int = 0, sample_idx: int = 0, prev_phi: float | None = None
    ) -> CoherenceTrace:
        """Return the trace of entropies (T,) and log-probabilities of the chosen tokens (T,), both in nats; None or NaN where unknown."""
        size = whole(vocab_size)
        if size is None or size < 2:
            raise InvalidTrace(f"vocab_size is {shown(vocab_size)}; phi = 1 - H / ln V needs 2 entries or more")
        nats, logprobs = vector(entropy, "entropy"), vector(selected_logprobs, "selected_logprobs")
        most = log(size)
        bad = np.flatnonzero((nats < -SLACK) | (nats > most * (1 + SLACK)))
        if bad.size:
            raise InvalidTrace(f"entropy[{int(bad[0])}] is {shown(nats[bad[0]])} nats; over {size} entries it is 0 to {most:.4f}; give nats")
        bad = np.flatnonzero(logprobs > SLACK)
        if bad.size:
            raise InvalidTrace(f"selected_logprobs[{int(bad[0])}] is {shown(logprobs[bad[0]])}; the logarithm of a probability is at most 0")
        phi = np.clip(1.0 - nats / most, 0.0, 1.0)
        return cls.of_fields(phi, nats, np.exp(np.minimum(logprobs, 0.0)), size, step=step, sample_idx=sample_idx, prev_phi=prev_phi)

    # --- phi and entropy

    @property
    def phi_mean(self) -> float | None:
        """Mean of phi."""
        return mean(self.phi)

    @property
    def phi_std(self) -> float | None:
        """Population standard deviation of phi."""
        return std(self.phi)

    @property
    def entropy_mean(self) -> float | None:
        """Mean entropy, nats."""
        return mean(self.entropy)

    @property
    def entropy_std(self) -> float | None:
        """Population standard deviation of the entropy, nats."""
        return std(self.entropy)

    @property
    def surprisal(self) -> FloatArray:
        """-ln of the chosen tokens' probabilities, (T,) nats; that of a probability that underflowed is the largest that float64 knows, 745."""
        return -np.log(np.maximum(self.selected_prob, 5e-324))

    @property
    def surprisal_mean(self) -> float | None:
        """Mean surprisal, nats."""
        return mean(self.surprisal)

    @property
    def surprisal_std(self) -> float | None:
        """Population standard deviation of the surprisal, nats."""
        return std(self.surprisal)

    @property
    def cloud_quality(self) -> float | None:
        """Mean of selected_prob times phi, 0 to 1."""
        return mean(self.selected_prob * self.phi)

    # --- scales

    @cached_property
    def scale_coherence(self) -> dict[int, float]:
        """{j: steadiness of phi on blocks of 2^j tokens}; see `ebmhw.coherence.scales`."""
        return scale_coherence(self.phi)

    @property
    def multiscale_coherence(self) -> float | None:
        """Mean of `scale_coherence`, weighted by 2^(j/2)."""
        return multiscale_coherence(self.scale_coherence)

    # --- events

    @property
    def earlier_phi(self) -> FloatArray:
        """Phi before each change of `delta_phi`."""
        if not len(self.delta_phi):
            return np.empty(0)
        if len(self.delta_phi) < self.n_tokens:
            return self.phi[:-1]
        return np.concatenate([self.phi[:1] - self.delta_phi[:1], self.phi[:-1]])

    @property
    def n_crystallizations(self) -> int:
        """Changes of phi above `DEFECT_THRESHOLD`."""
        return int(events.crystallizations(self.delta_phi).sum())

    @property
    def n_meltings(self) -> int:
        """Changes of phi below minus `DEFECT_THRESHOLD`."""
        return int(events.meltings(self.delta_phi).sum())

    @property
    def n_defects(self) -> int:
        """Crystallizations and meltings."""
        return self.n_crystallizations + self.n_meltings

    @property
    def defect_density(self) -> float:
        """Events a token; 0 without tokens."""
        return self.n_defects / max(self.n_tokens, 1)

    @cached_property
    def discontinuity_score(self) -> float:
        """Mean score of the events, 0 to 1, .5 where there is none; see `ebmhw.coherence.events`."""
        return events.discontinuity_score(self.earlier_phi, self.delta_phi)

    def crystallization_positions(self) -> npt.NDArray[np.int64]:
        """Return which changes are crystallizations, indices into `delta_phi`."""
        return np.flatnonzero(events.crystallizations(self.delta_phi)).astype(np.int64)

    def melting_positions(self) -> npt.NDArray[np.int64]:
        """Return which changes are meltings, indices into `delta_phi`."""
        return np.flatnonzero(events.meltings(self.delta_phi)).astype(np.int64)

    def transition_sharpness(self, positions: Any) -> float | None:
        """Return the mean of abs(delta_phi) at these positions, those beyond its end left out; None where nothing is known there."""
        return mean(np.abs(self.delta_phi[positions_of(positions, len(self.delta_phi))]))

    # --- rewards and order

    def carl_reward(
        self,
        w_coherence: float = STATIC_WEIGHTS.multiscale,
        w_cloud: float = STATIC_WEIGHTS.cloud,
        w_discontinuity: float = STATIC_WEIGHTS.discontinuity,
    ) -> float | None:
        """Return the weighted sum of multiscale coherence, cloud quality and discontinuity score; None where one is unknown."""
        steady, cloud = self.multiscale_coherence, self.cloud_quality
        if steady is None or cloud is None:
            return None
        return w_coherence * steady + w_cloud * cloud + w_discontinuity * self.discontinuity_score

    def kuramoto_R(self) -> float:
        """Return abs(mean exp(i pi phi)), 0 to 1, and 0 with fewer than two known tokens.

        It is 1 wherever phi is the same at all tokens, be that 0: it cannot tell order from noise. `ebmhw.coherence.order.index` can.
        """
        return _resultant(self.phi)

    def kuramoto_R_at(self, positions: Any) -> float:
        """Return the same over the tokens at these positions, those beyond the end left out."""
        return _resultant(self.phi[positions_of(positions, self.n_tokens)])

    def segment_phi_means(self, boundaries: Sequence[int]) -> list[float | None]:
        """Return the mean of phi from each boundary to the next, ascending positions, the last one to the end; of all where none is given.

        None for a segment in which nothing is known.
        """
        starts = whole_numbers(boundaries)
        if starts is None or (starts.size and starts.min() < 0) or (np.diff(starts.astype(np.float64)) < 0).any():
            raise InvalidTrace(f"boundaries of segments are {shown(boundaries)}; give ascending positions from 0 up")
        if not starts.size:
            return [self.phi_mean]
        known = starts.tolist()
        ends = [*known[1:], self.n_tokens]
        return [mean(self.phi[start:end]) for start, end in zip(known, ends, strict=True)]

    # --- to look at, and to keep

    def sparkline(self, width: int = 60) -> str:
        """Return phi as a line of block characters, blank at 0 and full at 1, "?" where unknown; at most ``width`` tokens, evenly spaced."""
        return sketches.sparkline(self.phi, width, 0.0, 1.0)

    def entropy_sparkline(self, width: int = 60) -> str:
        """Return the entropy likewise, from its least to its largest value."""
        return sketches.sparkline(self.entropy, width)

    def defect_map(self, width: int = 60) -> str:
        """Return the changes as a line: "+" for a crystallization, "-" for a melting, a middle dot for none, "?" where unknown."""
        return sketches.defect_map(self.delta_phi, width)

    def to_snapshot(self, advantages: Any = None) -> CoherenceSnapshot:
        """Return the trace's measures without its arrays."""
        from ebmhw.coherence.snapshot import snapshot_of

        return snapshot_of(self, advantages)

    def to_dict(self, include_arrays: bool = True) -> dict[str, Any]:
        """Return the measures, and the arrays unless told otherwise, as JSON can hold them; None for what is unknown."""
        told: dict[str, Any] = {name: getattr(self, name) for name in _TOLD}
        told["carl_reward"] = self.carl_reward()
        if include_arrays:
            told |= {name: plain(getattr(self, name)) for name in ("phi", "entropy", "selected_prob", "delta_phi")}
            if self.token_ids is not None:
                told["token_ids"] = self.token_ids.tolist()
            if self.top_k_mass is not None:
                told["top_k_mass"] = plain(self.top_k_mass)
        return told

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> CoherenceTrace:
        """Return the trace that `to_dict` told, arrays included; what else is in ``d`` is not looked at."""
        needed = ("phi", "entropy", "selected_prob", "delta_phi", "vocab_size", "n_tokens")
        if not isinstance(d, Mapping):
            raise InvalidTrace(f"a trace is {shown(d)}; give the mapping that to_dict() told, its arrays included")
        missing = [name for name in needed if name not in d]
        if missing:
            raise InvalidTrace(f"a trace lacks {', '.join(missing)}; give what to_dict() told, its arrays included")
        others = {name: d[name] for name in ("step", "sample_idx", "token_ids", "top_k_mass") if name in d}
        return cls(**{name: d[name] for name in needed}, **others)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CoherenceTrace):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # equal by content, like arrays

    def __repr__(self) -> str:
        numbers = {"phi": self.phi_mean, "cloud": self.cloud_quality, "coherence": self.multiscale_coherence, "reward": self.carl_reward()}
        told = ", ".join(f"{name} {'unknown' if value is None else f'{value:.3f}'}" for name, value in numbers.items())
        return f"CoherenceTrace({self.n_tokens} tokens, {told}, {self.n_crystallizations} crystallizations, {self.n_meltings} meltings)"


def _resultant(phi: FloatArray) -> float:
    known = phi[~np.isnan(phi)]
    return float(abs(np.exp(1j * np.pi * known).mean())) if known.size > 1 else 0.0
