"""EMLTree: an expression with its inputs counted and its constants as a vector."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from ebmhw.coherence.eml.encoding import decoded, encoded
from ebmhw.coherence.eml.faults import domain_error, told
from ebmhw.coherence.eml.function import finite, numbers
from ebmhw.coherence.eml.nodes import MAX_INPUTS, EMLNode, EMLOp
from ebmhw.coherence.eml.tape import EMLGradients, Tape, gradients, tape_of, values
from ebmhw.coherence.known import FloatArray
from ebmhw.numbers import whole


@final
@dataclass(frozen=True, eq=False, repr=False)
class EMLTree:
    """An expression tree of depth 4 at most; it does not change, `with_params` returns another one.

    Attributes
    ----------
    root : the node at the top; where ``leaf_params`` are given, its constants are replaced by them
    input_dim : numbers that `forward` takes, 0 to 65535
    leaf_params : (P,) float64, read-only: the constants from left to right

    Raises
    ------
    EmlError
        eml.domain_error where the root reads inputs beyond ``input_dim``, or ``leaf_params`` are not as many finite numbers as it has constants.
    """

    root: EMLNode
    input_dim: int
    leaf_params: FloatArray = None  # type: ignore[assignment]  # an array once it is made

    def __post_init__(self) -> None:
        if not isinstance(self.root, EMLNode):
            raise domain_error(f"root of a tree is {told(self.root)}; give an EMLNode")
        size, needed = whole(self.input_dim), self.root.input_dim_required()
        if size is None or not needed <= size <= MAX_INPUTS:
            raise domain_error(f"input_dim of a tree is {told(self.input_dim)}; its nodes read {needed} inputs, give {needed} to {MAX_INPUTS}")
        object.__setattr__(self, "input_dim", size)
        constants = np.array(self.root.constants(), dtype=np.float64)
        if self.leaf_params is not None:
            params = numbers(self.leaf_params, "leaf_params")
            if params.shape != constants.shape or not np.isfinite(params).all():
                raise domain_error(f"leaf_params of a tree are {told(self.leaf_params)}; give {len(constants)} finite numbers, one for each constant")
            if params.tobytes() != constants.tobytes():
                object.__setattr__(self, "root", self.root.with_constants(iter(params.tolist())))
                constants = np.array(params)
        constants.flags.writeable = False
        object.__setattr__(self, "leaf_params", constants)

    def with_params(self, leaf_params: Any) -> EMLTree:
        """Return this tree with other constants (P,)."""
        return EMLTree(self.root, self.input_dim, leaf_params)

    def depth(self) -> int:
        """Return the operations from the root to the farthest leaf, 0 to 4."""
        return self.root.depth()

    def nodes(self) -> int:
        """Return how many nodes it has, 1 to 31."""
        return self.root.nodes()

    # --- values

    @cached_property
    def tape(self) -> Tape:
        """The nodes, children before parents; see `ebmhw.coherence.eml.tape`."""
        return tape_of(self.root)

    def forward(self, inputs: Any) -> float:
        """Return the value for inputs (input_dim,); eml.domain_error where it is unknown, for inputs that are read and NaN."""
        value = float(values(self.tape, self.leaf_params, self._row(inputs))[0])
        if value != value:
            raise domain_error("an input that the tree reads is unknown (NaN or None), and so is its value; forward_batch() tells that as NaN")
        return value

    def forward_batch(self, inputs: Any) -> FloatArray:
        """Return the values (B,) for inputs (B, input_dim), NaN where one that is read is NaN; nothing loops over the rows."""
        return values(self.tape, self.leaf_params, self._rows(inputs))

    def gradients(self, inputs: Any) -> EMLGradients:
        """Return values (B,) and derivatives by constants (B, P) and inputs (B, input_dim), exact, by reverse differentiation.

        They are 0 where an argument is at or beyond its limit (20 of exp, 1e-12 of ln), as the value does not change there.
        """
        return gradients(self.tape, self.leaf_params, self._rows(inputs))

    def grad_wrt_params(self, inputs: Any, target: float) -> FloatArray:
        """Return the gradient (P,) of (forward(inputs) - target)^2 / 2 by the constants, for inputs (input_dim,); exact."""
        known = gradients(self.tape, self.leaf_params, self._row(inputs))
        away: float = known.values[0] - finite(target, "target")
        return np.asarray(away * known.params[0])

    def grad_wrt_inputs(self, inputs: Any) -> FloatArray:
        """Return the gradient (input_dim,) of forward by the inputs; exact."""
        return np.asarray(gradients(self.tape, self.leaf_params, self._row(inputs)).inputs[0])

    def _row(self, inputs: Any) -> FloatArray:
        row = numbers(inputs, "inputs of a tree")
        if row.shape != (self.input_dim,):
            raise domain_error(f"inputs of a tree have shape {row.shape}; give ({self.input_dim},)")
        return row[None]

    def _rows(self, inputs: Any) -> FloatArray:
        rows = numbers(inputs, "inputs of a tree")
        if rows.ndim != 2 or rows.shape[1] != self.input_dim:
            raise domain_error(f"inputs of a tree have shape {rows.shape}; give (B, {self.input_dim})")
        return rows

    # --- identity

    def to_bytes(self) -> bytes:
        """Return the tree as bytes; see `ebmhw.coherence.eml.encoding`."""
        return encoded(self.root, self.input_dim)

    @classmethod
    def from_bytes(cls, b: Any) -> EMLTree:
        """Return the tree of bytes; EmlError (eml.decode_error, eml.depth_exceeded) for any others."""
        return cls(*decoded(b))

    def hash(self) -> str:
        """Return the SHA-256, 64 hexadecimal digits, of the canonical JSON of nodes, input_dim and constants rounded to 15 places."""
        content = {
            "root": self.root.to_canonical_dict(),
            "input_dim": self.input_dim,
            "leaf_params": [round(value, 15) for value in self.leaf_params.tolist()],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return self.to_bytes() == other.to_bytes() if isinstance(other, EMLTree) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def __repr__(self) -> str:
        return f"EMLTree({self.root.formula()}, input_dim={self.input_dim}, depth={self.depth()})"

    # --- some known ones

    @classmethod
    def identity(cls, input_dim: int) -> EMLTree:
        """Return the tree of the first input alone, depth 0."""
        return cls(_X, input_dim)

    @classmethod
    def identity_deep(cls, input_dim: int) -> EMLTree:
        """Return exp(ln(x)) of the first input, depth 4: x itself for x of 3.2e-8 to 4.8e8."""
        return cls(_eml(_ln(_X), _ONE), input_dim)

    @classmethod
    def exp_single(cls) -> EMLTree:
        """Return exp(x) = eml(x, 1), depth 1."""
        return cls(_eml(_X, _ONE), 1)

    @classmethod
    def ln_single(cls) -> EMLTree:
        """Return ln(x) = eml(1, eml(eml(1, x), 1)), depth 3, for x of 3.2e-8 to 7.3e9; beyond, e - ln(x) meets the limits of exp."""
        return cls(_ln(_X), 1)

    @classmethod
    def zero(cls) -> EMLTree:
        """Return ln(1) = 0, depth 3, of one input that it does not read."""
        return cls(_ln(_ONE), 1)


def _eml(left: EMLNode, right: EMLNode) -> EMLNode:
    return EMLNode(EMLOp.EML, left=left, right=right)


_ONE = EMLNode(EMLOp.CONST, const=1.0)
_X = EMLNode(EMLOp.VAR_X, var_idx=0)


def _ln(x: EMLNode) -> EMLNode:
    return _eml(_ONE, _eml(_eml(_ONE, x), _ONE))
