"""Expressions of propositional logic: immutable, built from Python with operators; nothing here recurses, however deep they nest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar, final

from ebmhw.errors import InvalidModel, shown

NODES_LIMIT = 1_000_000
"""Distinct nodes of one expression."""


class Expression(ABC):
    """A proposition: a variable, or an operator over operands. ~a, a & b, a | b, a ^ b, a >> b (implies) build further ones.

    Equal if of the same shape. An expression may be an operand many times: work goes by distinct objects.

    Attributes
    ----------
    operands : expressions, () for a variable
    name : of a variable, "" for an operator
    """

    __slots__ = ("_hash", "name", "operands")
    symbol: ClassVar[str] = ""
    operands: tuple[Expression, ...]
    name: str

    def _set(self, operands: Sequence[Expression], name: str = "") -> None:
        for operand in operands:
            if not isinstance(operand, Expression):
                raise InvalidModel(f"an operand of {type(self).__name__} is {shown(operand)}; give expressions, such as Var('p')")
        object.__setattr__(self, "operands", tuple(operands))
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "_hash", hash((type(self).__name__, name, self.operands)))

    @abstractmethod
    def value(self, truths: Sequence[bool]) -> bool:
        """Return the truth of an operator over operands of these truths, or of a variable of this one."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an expression does not change; build a new one instead of setting {name}")

    def __invert__(self) -> Not:
        return Not(self)

    def __and__(self, other: Expression) -> And:
        return And(self, other)

    def __or__(self, other: Expression) -> Or:
        return Or(self, other)

    def __xor__(self, other: Expression) -> Xor:
        return Xor(self, other)

    def __rshift__(self, other: Expression) -> Implies:
        return Implies(self, other)

    def __hash__(self) -> int:
        held: int = object.__getattribute__(self, "_hash")
        return held

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Expression):
            return NotImplemented
        pending: list[tuple[Expression, Expression]] = [(self, other)]
        seen: set[tuple[int, int]] = set()
        while pending:
            a, b = pending.pop()
            if a is b or (id(a), id(b)) in seen:
                continue
            if hash(a) != hash(b) or type(a) is not type(b) or a.name != b.name or len(a.operands) != len(b.operands):
                return False
            seen.add((id(a), id(b)))
            pending += zip(a.operands, b.operands, strict=True)
        return True

    def __str__(self) -> str:
        """Return text that `parse` reads; cut with "..." beyond 10,000 characters."""
        parts: list[str] = []
        length = 0
        pending: list[Expression | str] = [self]
        while pending and length <= 10_000:
            item = pending.pop()
            if isinstance(item, str):
                parts.append(item)
                length += len(item)
            else:
                pending += reversed(item._pieces(item is self))
        return "".join(parts) if not pending else "".join(parts)[:10_000] + "..."

    def _pieces(self, outermost: bool) -> list[Expression | str]:
        if not self.operands:
            return [self.name or ("false" if isinstance(self, (Or, Xor)) else "true")]
        inner: list[Expression | str] = []
        for operand in self.operands:
            inner += [f" {self.symbol} ", operand] if inner else [operand]
        if len(self.operands) == 1 and not isinstance(self, Not):
            return inner  # And(p), Or(p), Xor(p) say what p says
        return inner if outermost else ["(", *inner, ")"]

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self}"

    def __reduce__(self) -> tuple[Callable[[Sequence[tuple[str, tuple[int, ...], str]]], Expression], tuple[object]]:
        numbers: dict[int, int] = {}
        rows: list[tuple[str, tuple[int, ...], str]] = []
        for node in postorder(self):
            numbers[id(node)] = len(rows)
            rows.append((type(node).__name__, tuple(numbers[id(x)] for x in node.operands), node.name))
        return _rebuilt, (rows,)


@final
class Var(Expression):
    """A variable, named by a word: letters, digits, underscores and primes, the first no digit; not a word that is an operator."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or not name.rstrip("'").isidentifier() or len(name) > 200 or name.lower() in WORDS:
            raise InvalidModel(f"a variable is named {shown(name)}; give a word such as rain_1 that is no operator")
        self._set((), name)

    def value(self, truths: Sequence[bool]) -> bool:
        """Return the truth given."""
        return truths[0]


@final
class Not(Expression):
    """The negation of an expression."""

    __slots__ = ()
    symbol = "not"

    def __init__(self, operand: Expression) -> None:
        self._set((operand,))

    def value(self, truths: Sequence[bool]) -> bool:
        """Return whether the operand is false."""
        return not truths[0]

    def _pieces(self, outermost: bool) -> list[Expression | str]:
        return ["not ", self.operands[0]] if outermost else ["(not ", self.operands[0], ")"]


@final
class And(Expression):
    """All of any number of expressions; And() is true."""

    __slots__ = ()
    symbol = "and"

    def __init__(self, *operands: Expression) -> None:
        self._set(operands)

    def value(self, truths: Sequence[bool]) -> bool:
        """Return whether all operands are true."""
        return all(truths)


@final
class Or(Expression):
    """At least one of any number of expressions; Or() is false."""

    __slots__ = ()
    symbol = "or"

    def __init__(self, *operands: Expression) -> None:
        self._set(operands)

    def value(self, truths: Sequence[bool]) -> bool:
        """Return whether an operand is true."""
        return any(truths)


@final
class Xor(Expression):
    """An odd number of any number of expressions; Xor() is false."""

    __slots__ = ()
    symbol = "xor"

    def __init__(self, *operands: Expression) -> None:
        self._set(operands)

    def value(self, truths: Sequence[bool]) -> bool:
        """Return whether an odd number of operands is true."""
        return sum(truths) % 2 == 1


@final
class Implies(Expression):
    """If the first expression, then the second."""

    __slots__ = ()
    symbol = "->"

    def __init__(self, premise: Expression, conclusion: Expression) -> None:
        self._set((premise, conclusion))

    def value(self, truths: Sequence[bool]) -> bool:
        """Return whether the first operand is false or the second true."""
        return truths[1] or not truths[0]


@final
class Iff(Expression):
    """Both expressions or neither."""

    __slots__ = ()
    symbol = "<->"

    def __init__(self, first: Expression, second: Expression) -> None:
        self._set((first, second))

    def value(self, truths: Sequence[bool]) -> bool:
        """Return whether both operands are equally true."""
        return truths[0] == truths[1]


WORDS = frozenset({"not", "and", "or", "xor", "implies", "iff", "true", "false"})
"""Words that are no variables, in any case."""

_KINDS: dict[str, Callable[..., Expression]] = {kind.__name__: kind for kind in (Not, And, Or, Xor, Implies, Iff)}


def _rebuilt(rows: Sequence[tuple[str, tuple[int, ...], str]]) -> Expression:
    nodes: list[Expression] = []
    for kind, operands, name in rows:
        nodes.append(Var(name) if kind == "Var" else _KINDS[kind](*(nodes[i] for i in operands)))
    return nodes[-1]


def postorder(*roots: Expression) -> Iterator[Expression]:
    """Yield every distinct node of some expressions once, operands before what holds them, in the order of the text.

    Raises
    ------
    InvalidModel
        beyond NODES_LIMIT nodes.
    """
    done: set[int] = set()
    pending = [(root, False) for root in reversed(roots)]
    while pending:
        node, expanded = pending.pop()
        if id(node) in done:
            continue
        if not expanded:
            pending.append((node, True))
            pending += [(operand, False) for operand in reversed(node.operands) if id(operand) not in done]
            if len(pending) > 4 * NODES_LIMIT:
                raise InvalidModel(f"an expression has more than {NODES_LIMIT} nodes; give smaller ones")
            continue
        done.add(id(node))
        if len(done) > NODES_LIMIT:
            raise InvalidModel(f"an expression has more than {NODES_LIMIT} nodes; give smaller ones")
        yield node


def variables(*roots: Expression) -> tuple[str, ...]:
    """Return the names of all variables in the order of their first appearance."""
    return tuple(dict.fromkeys(node.name for node in postorder(*roots) if isinstance(node, Var)))


def evaluate(expression: Expression, truths: Mapping[str, bool]) -> bool:
    """Return the truth of an expression where each variable has the truth given.

    Raises
    ------
    InvalidModel
        for a variable without one.
    """
    return truth_of_all([expression], truths)[id(expression)]


def truth_of_all(roots: Sequence[Expression], truths: Mapping[str, bool]) -> dict[int, bool]:
    """Return the truth of each node of some expressions, by its id; errors as `evaluate`."""
    found: dict[int, bool] = {}
    for node in postorder(*roots):
        if isinstance(node, Var):
            given = truths.get(node.name)
            if given is None:
                raise InvalidModel(f"variable {node.name} has no truth; give all of them, True or False")
            found[id(node)] = node.value([bool(given)])
        else:
            found[id(node)] = node.value([found[id(operand)] for operand in node.operands])
    return found
