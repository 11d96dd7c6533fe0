"""EMLCompositeReward: the coherence composite as a tree of exp and ln, which training can fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np

from ebmhw.coherence.eml import CLAMP_X, MAX_DEPTH, EMLNode, EMLTree, eml_scalar_reward
from ebmhw.coherence.eml.faults import decode_error, depth_exceeded, domain_error, told
from ebmhw.coherence.eml.fitting import features_of, reward_shape
from ebmhw.coherence.eml.function import finite, numbers
from ebmhw.coherence.eml.squash import bounds, loss_and_gradient, squashed
from ebmhw.coherence.known import FloatArray
from ebmhw.coherence.rewards.composite import RewardComponents, components_of
from ebmhw.coherence.trace import CoherenceTrace
from ebmhw.errors import EmlError
from ebmhw.numbers import whole

FEATURES = 3
"""Inputs of the tree: multiscale coherence, cloud quality and discontinuity score, each 0 to 1."""

FITTED = (0.334406, 0.925195, 3.14847, -1.09006, 0.629913, 1.55742, -4.47694)
"""Five constants, scale and shift: those of `ebmhw.coherence.eml.fitting.fitted`, which says how they were made.

On 2000 random traces that neither the fit nor the choice of the tree saw, its correlation with the phase-adaptive composite is .9855; that of
the static composite there is .973, of a linear regression .988.
"""

_MEMBERS = ("root", "input_dim", "leaf_params", "scale", "shift", "max_depth", "adam_m", "adam_v", "adam_t")


@final
class EMLCompositeReward:
    """A tree over (multiscale, cloud, discontinuity), squashed to a reward from 0 to 1; its constants, scale and shift can be fitted.

    Parameters
    ----------
    tree : of three inputs; None for the one of `FITTED`, whose reward grows with each of them
    max_depth : of the tree, at most
    scale, shift : reward = 1 / (1 + exp(-(scale tree(x) + shift))); None for those of `FITTED`, with a tree of one's own 1 and 0

    Raises
    ------
    EmlError
        eml.depth_exceeded where the tree is deeper, eml.domain_error where it does not take three inputs, or a number is none.
    """

    def __init__(self, tree: EMLTree | None = None, max_depth: int = 3, *, scale: float | None = None, shift: float | None = None) -> None:
        most = whole(max_depth)
        if most is None or not 0 <= most <= MAX_DEPTH:
            raise depth_exceeded(f"max_depth of a reward is {told(max_depth)}; give 0 to {MAX_DEPTH}")
        shape = EMLTree(reward_shape(), FEATURES, FITTED[:-2]) if tree is None else tree  # type: ignore[arg-type]
        if not isinstance(shape, EMLTree) or shape.input_dim != FEATURES:
            raise domain_error(f"tree of a reward is {shape if isinstance(shape, EMLTree) else told(shape)}; give an EMLTree of {FEATURES} inputs")
        if shape.depth() > most:
            raise depth_exceeded(
                f"a tree of depth {shape.depth()} is deeper than max_depth of the reward, {most}", depth=shape.depth(), max_depth=most
            )
        usual = FITTED[-2:] if tree is None else (1.0, 0.0)
        ends = [finite(usual[0] if scale is None else scale, "scale"), finite(usual[1] if shift is None else shift, "shift")]
        self.max_depth = most
        self._shape = shape
        self._params: FloatArray = np.concatenate([shape.leaf_params, ends])
        self._bounds = bounds(shape.root)
        self._first, self._second, self._steps = np.zeros(len(self._params)), np.zeros(len(self._params)), 0

    @property
    def parameters(self) -> FloatArray:
        """The tree's constants, scale and shift, as a copy; seven of the tree of `FITTED`."""
        return np.array(self._params)

    @property
    def tree(self) -> EMLTree:
        """The tree with its constants as they are now."""
        return self._shape.with_params(self._params[:-2])

    # --- scores

    def forward(self, features: Any) -> float:
        """Return the reward, 0 to 1, for (multiscale, cloud, discontinuity); EmlError where one that the tree reads is unknown."""
        row = numbers(features, "features of a reward")
        reward = float(self.forward_batch(row[None])[0]) if row.ndim == 1 else float("nan")
        if reward != reward:
            raise domain_error(f"features of a reward are {row.tolist() if row.size <= 8 else 'too many'}; give {FEATURES} numbers that are known")
        return reward

    def forward_batch(self, features: Any) -> FloatArray:
        """Return the rewards (B,) for features (B, 3), NaN where one that the tree reads is NaN."""
        return squashed(self._shape.tape, self._params, _rows(features))

    def score_from_trace(self, trace: CoherenceTrace) -> tuple[float | None, RewardComponents]:
        """Return the reward of a trace, 0 to 1, None where a feature that the tree reads is unknown, and the features by name."""
        features = np.array([features_of(trace)], dtype=np.float64)  # None becomes NaN
        reward = float(self.forward_batch(features)[0])
        return None if reward != reward else reward, components_of(trace)

    __call__ = score_from_trace

    # --- fitting

    def fit_step(self, inputs: Any, target: Any, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> dict[str, float]:
        """Make one step of Adam towards rewards for features, and return the loss after it and the norm of the gradient before it.

        Parameters
        ----------
        inputs, target : features (3,) and a reward, or (B, 3) and (B,); all known
        lr, beta1, beta2, eps : as of Adam; lr and eps above 0, the betas from 0 to below 1

        The loss is half the mean squared error of the reward, its gradient exact. Constants that ln takes are kept within .001 and 50, those
        that exp takes within -20 and 20, scale and shift within -50 and 50.

        Raises
        ------
        EmlError
            eml.domain_error for anything else.
        """
        rows = numbers(inputs, "features of a reward")
        features = _rows(rows[None] if rows.ndim == 1 else rows)
        targets = numbers(target, "target rewards")
        targets = np.atleast_1d(targets)
        if targets.shape != (len(features),) or not len(features) or not np.isfinite(features).all() or not np.isfinite(targets).all():
            raise domain_error(
                f"fitting takes features (B, {FEATURES}) and targets (B,), all known; these have shapes {features.shape} and {targets.shape}"
            )
        rate, floor = finite(lr, "lr"), finite(eps, "eps")
        decays = finite(beta1, "beta1"), finite(beta2, "beta2")
        if rate <= 0 or floor <= 0 or not all(0 <= decay < 1 for decay in decays):
            raise domain_error(
                f"lr {rate}, eps {floor}, beta1 {decays[0]} and beta2 {decays[1]} of Adam: give lr and eps above 0, betas from 0 to below 1"
            )
        tape = self._shape.tape
        _, gradient = loss_and_gradient(tape, self._params, features, targets)
        self._steps += 1
        self._first = decays[0] * self._first + (1 - decays[0]) * gradient
        self._second = decays[1] * self._second + (1 - decays[1]) * gradient * gradient
        step = self._first / (1 - decays[0] ** self._steps) / (np.sqrt(self._second / (1 - decays[1] ** self._steps)) + floor)
        self._params = np.clip(self._params - rate * step, *self._bounds)
        loss, _ = loss_and_gradient(tape, self._params, features, targets)
        return {"loss": loss, "grad_norm": float(np.linalg.norm(gradient))}

    # --- to keep

    def to_dict(self) -> dict[str, Any]:
        """Return tree, parameters and the state of Adam as JSON can hold them."""
        tree = self.tree
        return {
            "version": 1,
            "max_depth": self.max_depth,
            "root": tree.root.to_canonical_dict(),
            "input_dim": tree.input_dim,
            "leaf_params": tree.leaf_params.tolist(),
            "scale": float(self._params[-2]),
            "shift": float(self._params[-1]),
            "adam_m": self._first.tolist(),
            "adam_v": self._second.tolist(),
            "adam_t": self._steps,
        }

    @classmethod
    def from_dict(cls, d: Any) -> EMLCompositeReward:
        """Return the reward that `to_dict` told; EmlError (eml.decode_error, eml.depth_exceeded) for anything else."""
        if not isinstance(d, Mapping):
            raise decode_error(f"a reward is a {type(d).__name__}; give what to_dict() told")
        missing = [name for name in _MEMBERS if name not in d]
        if missing:
            raise decode_error(f"a reward lacks {', '.join(missing)}; give what to_dict() told, not a dict of carl-studio, whose squashing differs")
        root = EMLNode.from_dict(d["root"])
        try:
            reward = cls(EMLTree(root, d["input_dim"], d["leaf_params"]), d["max_depth"], scale=d["scale"], shift=d["shift"])
            moments = [numbers(d[name], name) for name in ("adam_m", "adam_v")]
        except EmlError as error:
            if error.code == "eml.depth_exceeded":
                raise
            raise decode_error(f"a reward cannot be read: {error}") from None
        steps, wanted = whole(d["adam_t"]), reward._params.shape
        if steps is None or steps < 0 or any(part.shape != wanted or not np.isfinite(part).all() for part in moments) or (moments[1] < 0).any():
            raise decode_error(f"the state of Adam does not fit: give adam_t from 0 up, adam_m and adam_v of {wanted[0]} numbers")
        reward._first, reward._second, reward._steps = moments[0], moments[1], steps
        return reward

    def __repr__(self) -> str:
        return f"EMLCompositeReward({self.tree!r}, scale={self._params[-2]:.4g}, shift={self._params[-1]:.4g})"


def make_eml_reward(tree: EMLTree | None = None, max_depth: int = 3) -> EMLCompositeReward:
    """Return an `EMLCompositeReward`; `make_carl_reward` takes it as its reward_class, and makes a reward function of TRL of it."""
    return EMLCompositeReward(tree, max_depth)


def eml_reward_from_trace(trace: CoherenceTrace) -> float | None:
    """Return 5 tanh(eml(multiscale coherence, 1 - mean phi) / 5), -5 to 5, None where one of them is unknown: a tree of depth 1, nothing to fit."""
    steady, mean = trace.multiscale_coherence, trace.phi_mean
    if steady is None or mean is None:
        return None
    return float(5.0 * np.tanh(eml_scalar_reward(min(steady, CLAMP_X), max(1.0 - mean, 1e-8)) / 5.0))


def _rows(features: Any) -> FloatArray:
    rows = numbers(features, "features of a reward")
    if rows.ndim != 2 or rows.shape[1] != FEATURES:
        raise domain_error(f"features of a reward have shape {rows.shape}; give (B, {FEATURES}): multiscale coherence, cloud quality, discontinuity")
    return rows
