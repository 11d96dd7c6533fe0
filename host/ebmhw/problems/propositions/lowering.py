"""Lowering: expressions as clauses and parities over bits; directly where that is short, by a bit that stands for a part where not.

A bit of its own is equivalent to its part (Tseitin's definitions, in both directions), so that each assignment of the variables that
satisfies the expressions extends to one state only. A parity of any number of bits is one product of spins and is kept whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple, final

from ebmhw.problems.penalties import Penalties
from ebmhw.problems.propositions.expressions import And, Expression, Iff, Implies, Not, Or, Var, Xor, postorder, variables

Clause = tuple[int, ...]

DIRECT_CLAUSES = 8
"""Clauses that a part may take when it is multiplied out; beyond, its operands get bits of their own."""

_DIRECT_PARITY = 3
"""Literals of a parity that is written as clauses, 2^(k - 1) of them, within others."""


class _Form(NamedTuple):
    """A part: clauses that say it holds, clauses that say it does not, and, where it is one, the literals an even or odd number of which hold."""

    holds: tuple[Clause, ...]
    fails: tuple[Clause, ...]
    parity: tuple[Clause, bool] | None


@final
class Lowering:
    """The constraints of some expressions that must hold.

    Attributes
    ----------
    penalties : the constraints
    names : of the variables; name i is bit i + 1, and definitions lie behind
    definitions : (bit, the expression that it is equivalent to)
    """

    def __init__(self, expressions: Sequence[Expression]) -> None:
        self.names = variables(*expressions)
        self.definitions: list[tuple[int, Expression]] = []
        self.penalties = Penalties()
        # A model has a spin at least; nothing is said of one that stands for no variable.
        bits = self.penalties.bits(max(1, len(self.names)))
        self._variables = dict(zip(self.names, bits, strict=False))
        self._forms: dict[int, _Form] = {}
        held = list(_conjuncts(expressions))
        for node in postorder(*(node for node, _ in held)):
            self._forms[id(node)] = self._form(node)
        for node, sign in held:
            form = self._forms[id(node)]
            if form.parity is not None and len(form.parity[0]) > 1:
                self.penalties.parity(form.parity[0], form.parity[1] == sign)
            else:
                for clause in form.holds if sign else form.fails:
                    self.penalties.clause(clause)

    def _form(self, node: Expression) -> _Form:
        if isinstance(node, Var):
            return _literal(self._variables[node.name])
        if isinstance(node, Not):
            return _negated(self._forms[id(node.operands[0])])
        if isinstance(node, (Xor, Iff)):
            return self._parity(node.operands, isinstance(node, Xor))
        if isinstance(node, Implies):
            return _negated(self._all(node.operands, [True, False]))
        if isinstance(node, Or):
            return _negated(self._all(node.operands, [False] * len(node.operands)))
        return self._all(node.operands, [True] * len(node.operands))

    def _parity(self, operands: Iterable[Expression], odd: bool) -> _Form:
        literals: dict[int, bool] = {}
        for operand in operands:
            form = self._forms[id(operand)]
            if form.parity is None:
                form = self._defined(operand)
            assert form.parity is not None
            members, its_odd = form.parity
            odd = odd == its_odd
            for bit in members:
                literals[bit] = not literals.get(bit, False)
        return _parity(tuple(sorted(bit for bit, kept in literals.items() if kept)), odd)

    def _all(self, operands: Sequence[Expression], signs: Sequence[bool]) -> _Form:
        """Return the form of the conjunction of operands, negated where their sign is False."""
        forms = []
        for operand, sign in zip(operands, signs, strict=True):
            form = self._forms[id(operand)]
            if form.parity is not None and len(form.parity[0]) > _DIRECT_PARITY:
                form = self._defined(operand)
            forms.append(form if sign else _negated(form))
        sizes = [max(1, len(form.fails)) for form in forms]
        for place in sorted(range(len(forms)), key=lambda i: -sizes[i]):
            if sizes[place] == 1 or math.prod(sizes) <= DIRECT_CLAUSES:
                break
            form = self._defined(operands[place])
            forms[place] = form if signs[place] else _negated(form)
            sizes[place] = 1
        holds = _simplified(clause for form in forms for clause in form.holds)
        fails = _simplified(tuple(x for clause in chosen for x in clause) for chosen in product(*(form.fails for form in forms)))
        single = len(holds) == len(holds[0]) == 1 if holds else False
        return _literal(holds[0][0]) if single else _Form(holds, fails, ((), False) if not holds else ((), True) if holds == ((),) else None)

    def _defined(self, node: Expression) -> _Form:
        """Return the form of a bit that is equivalent to an expression, made once."""
        form = self._forms[id(node)]
        if form.parity is not None and len(form.parity[0]) <= 1:
            return form
        bit = self.penalties.bit()
        self.definitions.append((bit, node))
        if form.parity is not None:
            # The bit and the rest together: even where the bit stands for an odd number.
            self.penalties.parity((*form.parity[0], bit), not form.parity[1])
        else:
            for clause in form.holds:
                self.penalties.clause((*clause, -bit))
            for clause in form.fails:
                self.penalties.clause((*clause, bit))
        self._forms[id(node)] = _literal(bit)
        return self._forms[id(node)]


def _conjuncts(expressions: Sequence[Expression]) -> Iterable[tuple[Expression, bool]]:
    """Yield parts that must hold (True) or fail (False), each once, which together say what the expressions say."""
    pending = [(expression, True) for expression in reversed(expressions)]
    done: set[tuple[int, bool]] = set()
    while pending:
        node, sign = pending.pop()
        if (id(node), sign) in done:
            continue
        done.add((id(node), sign))
        if isinstance(node, Not):
            pending.append((node.operands[0], not sign))
        elif isinstance(node, And if sign else Or):
            pending += [(operand, sign) for operand in reversed(node.operands)]
        elif isinstance(node, Implies) and not sign:
            pending += [(node.operands[1], False), (node.operands[0], True)]
        else:
            yield node, sign


def _literal(literal: int) -> _Form:
    return _Form(((literal,),), ((-literal,),), ((abs(literal),), literal > 0))


def _negated(form: _Form) -> _Form:
    return _Form(form.fails, form.holds, form.parity and (form.parity[0], not form.parity[1]))


def _parity(bits: Clause, odd: bool) -> _Form:
    """Return the form of an odd, or even, number of true bits, distinct; its clauses only where they are few."""
    if not bits:
        return _Form(((),), (), (bits, True)) if odd else _Form((), ((),), (bits, False))
    if len(bits) > _DIRECT_PARITY:
        return _Form((), (), (bits, odd))
    # Each clause excludes one row: true bits are negated in it.
    rows: tuple[list[Clause], list[Clause]] = ([], [])
    for row in product((False, True), repeat=len(bits)):
        rows[(sum(row) % 2 == 1) == odd].append(tuple(-bit if true else bit for bit, true in zip(bits, row, strict=True)))
    return _Form(tuple(rows[False]), tuple(rows[True]), (bits, odd))


def _simplified(clauses: Iterable[Clause]) -> tuple[Clause, ...]:
    """Return clauses without repetition, without those that always hold; the empty one alone where it is among them."""
    found: dict[Clause, None] = {}
    for clause in clauses:
        members = dict.fromkeys(clause)
        if not any(-literal in members for literal in members):
            found[tuple(members)] = None
    return ((),) if () in found else tuple(found)
