"""The nodes of a tree: constants, inputs, and the operation on two subtrees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, final

from ebmhw.coherence.eml.faults import decode_error, depth_exceeded, domain_error, told
from ebmhw.coherence.eml.function import finite
from ebmhw.errors import EmlError
from ebmhw.numbers import whole

MAX_DEPTH = 4
"""Operations from the root to a leaf, at most; deeper trees hardly train (Odrzywolek). A tree has 31 nodes at most."""

MAX_INPUTS = 65535
"""Inputs of a tree, at most; their number is encoded in 16 bits."""


@final
class EMLOp(IntEnum):
    """What a node is; the values are those of canonical dicts."""

    CONST = 0
    VAR_X = 1
    EML = 2


_MEMBERS = {EMLOp.CONST: ("const",), EMLOp.VAR_X: ("var_idx",), EMLOp.EML: ("left", "right")}


@final
@dataclass(frozen=True)
class EMLNode:
    """A constant (``const``), an input (``var_idx``), or eml(left, right); the members of other kinds are None.

    Raises
    ------
    EmlError
        eml.domain_error where a member is missing, too many, or no finite number; eml.depth_exceeded beyond `MAX_DEPTH`.
    """

    op: EMLOp
    const: float | None = None
    var_idx: int | None = None
    left: EMLNode | None = None
    right: EMLNode | None = None
    _depth: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        kind = whole(self.op)
        if kind not in set(EMLOp):
            raise domain_error(f"op of a node is {told(self.op)}; give 0 (CONST), 1 (VAR_X) or 2 (EML)")
        op = EMLOp(kind)
        object.__setattr__(self, "op", op)
        for name in ("const", "var_idx", "left", "right"):
            given, wanted = getattr(self, name) is not None, name in _MEMBERS[op]
            if given != wanted:
                remedy = "needs" if wanted else "does not take"
                raise domain_error(f"a node {op.name} {remedy} {name}; it is made of {' and '.join(_MEMBERS[op])}")
        if op is EMLOp.CONST:
            object.__setattr__(self, "const", finite(self.const, "const of a node"))
        elif op is EMLOp.VAR_X:
            index = whole(self.var_idx)
            if index is None or not 0 <= index < MAX_INPUTS:
                raise domain_error(f"var_idx of a node is {told(self.var_idx)}; give a whole number from 0 to {MAX_INPUTS - 1}")
            object.__setattr__(self, "var_idx", index)
        else:
            left, right = self.children()
            depth = 1 + max(left.depth(), right.depth())
            if depth > MAX_DEPTH:
                raise depth_exceeded(f"a tree of depth {depth} is too deep; at most {MAX_DEPTH}", depth=depth, max_depth=MAX_DEPTH)
            object.__setattr__(self, "_depth", depth)

    # --- structure

    def children(self) -> tuple[EMLNode, EMLNode]:
        """Return both subtrees of an EML node."""
        if not isinstance(self.left, EMLNode) or not isinstance(self.right, EMLNode):
            raise domain_error(f"left and right of a node are {told(self.left)} and {told(self.right)}; give nodes")
        return self.left, self.right

    def depth(self) -> int:
        """Return the operations from here to the farthest leaf, 0 for a leaf."""
        return self._depth

    def postfix(self) -> Iterator[EMLNode]:
        """Yield the nodes of this subtree, left before right before their parent."""
        if self.op is EMLOp.EML:
            for child in self.children():
                yield from child.postfix()
        yield self

    def nodes(self) -> int:
        """Return how many nodes this subtree has, leaves included."""
        return sum(1 for _ in self.postfix())

    def constants(self) -> list[float]:
        """Return the constants of this subtree from left to right."""
        return [node.const for node in self.postfix() if node.const is not None]

    def input_dim_required(self) -> int:
        """Return how many inputs this subtree needs: its largest var_idx and one, 0 without inputs."""
        return max((node.var_idx + 1 for node in self.postfix() if node.var_idx is not None), default=0)

    def with_constants(self, values: Iterator[float]) -> EMLNode:
        """Return this subtree with its constants replaced, from left to right, by the next of ``values``."""
        if self.op is EMLOp.CONST:
            return EMLNode(EMLOp.CONST, const=next(values))
        if self.op is EMLOp.VAR_X:
            return self
        left, right = self.children()
        return EMLNode(EMLOp.EML, left=left.with_constants(values), right=right.with_constants(values))

    def formula(self) -> str:
        """Return this subtree as text, such as "eml(x0, 1.0)"."""
        if self.op is EMLOp.CONST:
            return str(self.const)
        if self.op is EMLOp.VAR_X:
            return f"x{self.var_idx}"
        left, right = self.children()
        return f"eml({left.formula()}, {right.formula()})"

    # --- dicts

    def to_canonical_dict(self) -> dict[str, Any]:
        """Return this subtree as nested dicts; equal subtrees give equal dicts."""
        if self.op is EMLOp.CONST:
            return {"op": int(self.op), "const": self.const}
        if self.op is EMLOp.VAR_X:
            return {"op": int(self.op), "var_idx": self.var_idx}
        left, right = self.children()
        return {"op": int(self.op), "left": left.to_canonical_dict(), "right": right.to_canonical_dict()}

    @classmethod
    def from_dict(cls, d: Any) -> EMLNode:
        """Return the subtree that `to_canonical_dict` told.

        Raises
        ------
        EmlError
            eml.decode_error for anything else, eml.depth_exceeded beyond `MAX_DEPTH`, however deep it goes.
        """
        return cls._decoded(d, MAX_DEPTH)

    @classmethod
    def _decoded(cls, d: Any, deeper: int) -> EMLNode:
        if not isinstance(d, dict):
            raise decode_error(f"a node is {told(d)}; give the dict of to_canonical_dict()")
        kind = whole(d.get("op"))
        if kind not in set(EMLOp):
            raise decode_error(f"op of a node is {told(d.get('op'))}; it is 0 (CONST), 1 (VAR_X) or 2 (EML)")
        op = EMLOp(kind)
        if set(d) != {"op", *_MEMBERS[op]}:
            raise decode_error(
                f"the dict of a node {op.name} has other members than op, {', '.join(_MEMBERS[op])}; give what to_canonical_dict() told"
            )
        if op is EMLOp.EML:
            if not deeper:
                raise depth_exceeded(f"a tree is deeper than {MAX_DEPTH}", max_depth=MAX_DEPTH)
            return cls(op, left=cls._decoded(d["left"], deeper - 1), right=cls._decoded(d["right"], deeper - 1))
        try:
            return cls(op, **{_MEMBERS[op][0]: d[_MEMBERS[op][0]]})
        except EmlError as error:
            raise decode_error(str(error)) from None
