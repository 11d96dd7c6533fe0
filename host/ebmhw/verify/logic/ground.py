"""Ground clauses: what formulas mean, as propositional clauses that a complete solver can decide.

The fragment is propositional logic over atoms, monadic statements (every, some, is) and strict weak orders (more, same, top) with their
negations and any connectives. Each quantified formula gets a propositional variable, equivalent to it: where it is false, or "some" is true, an
individual of its own is the witness. No function symbol arises, so by Herbrand's theorem the universal halves need only the named individuals,
those witnesses, and one arbitrary individual: the clauses are satisfiable if and only if the formulas are. Orders are total preorders on the
names that an axis compares; "top" means above every other of those names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import permutations
from typing import TYPE_CHECKING, final

from ebmhw.verify.logic.formulas import Form

if TYPE_CHECKING:
    from ebmhw.problems.formula import Formula

CLAUSES_LIMIT = 20_000
"""Clauses of one check; above, its statements are not decided."""

NAMES_LIMIT = 20
"""Names that one axis may order: n of them need 2 n^3 clauses."""


class TooLarge(Exception):
    """The statements need more clauses than are decided; the text says of what there are too many."""


def keys_of(form: Form) -> set[str]:
    """Return what a formula is about: its atoms, predicates and ordered pairs of axis and name; formulas without a common key cannot clash."""
    keys: set[str] = set()
    stack = [form]
    while stack:
        node = stack.pop()
        head = node[0]
        if head == "var":
            keys.add(f"var {node[1]}")
        elif head == "is":
            keys.add(f"pred {node[2]}")
        elif head == "every":
            keys.update(f"pred {name}" for _, name in [*node[1], node[2]])
        elif head == "some":
            keys.update(f"pred {name}" for _, name in node[1])
        elif head in ("more", "same"):
            keys.update((f"order {node[1]} {node[2]}", f"order {node[1]} {node[3]}"))
        elif head == "top":
            keys.add(f"order {node[1]} {node[3]}")
        else:
            stack.extend(node[1:])
    return keys


def walk(forms: Iterable[Form]) -> list[Form]:
    """Return all parts of formulas that are no connectives, in order."""
    found, stack = [], list(forms)[::-1]
    while stack:
        node = stack.pop()
        if node[0] in ("var", "is", "every", "some", "more", "same", "top"):
            found.append(node)
        else:
            stack.extend(child for child in reversed(node[1:]) if isinstance(child, list))
    return found


@final
class Ground:
    """The clauses that define what a set of formulas means; `literal` gives the literal that is equivalent to one of them.

    Parameters
    ----------
    forms : every formula that will be asked about
    imports : whether each term of an "every" has a member ("all unicorns are white" then says that there are some)

    Raises
    ------
    TooLarge
        for more than CLAUSES_LIMIT clauses, or more than NAMES_LIMIT names on one axis.
    """

    def __init__(self, forms: Sequence[Form], imports: bool = False) -> None:
        self.clauses: list[tuple[int, ...]] = []
        self._atoms: dict[tuple[str, ...], int] = {}
        self._literals: dict[str, int] = {}
        self.variables = 0
        parts = walk(forms)
        self._people = list(dict.fromkeys(part[1] for part in parts if part[0] == "is"))
        quantified = list({repr(part[:3]): part for part in parts if part[0] in ("every", "some")}.values())
        members = list(dict.fromkeys(tuple(map(tuple, part[1])) for part in quantified if imports and part[0] == "every" and part[1]))
        if quantified:
            self._people = [*self._people, "*", *(f"*{i}" for i in range(len(quantified) + len(members)))]
        self._witnesses = {repr(part[:3]): f"*{i}" for i, part in enumerate(quantified)}
        axes: dict[str, list[str]] = {}
        for part in parts:
            if part[0] in ("more", "same", "top"):
                names = axes.setdefault(part[1], [])
                names.extend(name for name in part[2 if part[0] != "top" else 3 :] if name not in names)
        self._axes = axes
        for axis, names in axes.items():
            if len(names) > NAMES_LIMIT:
                raise TooLarge(f"{len(names)} names are compared, more than {NAMES_LIMIT}")
            self._order(axis, names)
        for i, terms in enumerate(members):
            for sign, name in terms:
                atom = self._atom("is", f"*{len(quantified) + i}", name)
                self._add(atom if sign else -atom)

    def literal(self, form: Form) -> int:
        """Return the literal that is equivalent to a formula; formulas are at most `formulas.DEPTH_LIMIT` x 2 deep."""
        key = repr(form)
        found = self._literals.get(key)
        if found is None:
            found = self._literals[key] = self._define(form)
        return found

    def formula(self, *literals: int) -> Formula:
        """Return the formula that says: these literals hold, with what they mean."""
        from ebmhw.problems.formula import Formula

        return Formula(max(self.variables, 1), [*self.clauses, *((literal,) for literal in literals)], split_above=8)

    def _new(self) -> int:
        self.variables += 1
        return self.variables

    def _add(self, *literals: int) -> None:
        if len(self.clauses) >= CLAUSES_LIMIT:
            raise TooLarge(f"more than {CLAUSES_LIMIT} clauses are needed")
        self.clauses.append(literals)

    def _atom(self, *key: str) -> int:
        if key not in self._atoms:
            self._atoms[key] = self._new()
        return self._atoms[key]

    def _order(self, axis: str, names: list[str]) -> None:
        """Add the laws of a strict weak order: asymmetric, transitive, and what is not above b, which is not above c, is not above c."""

        def above(one: str, other: str) -> int:
            return self._atom("more", axis, one, other)

        for one, other in permutations(names, 2):
            if one < other:
                self._add(-above(one, other), -above(other, one))
        for one, two, three in permutations(names, 3):
            self._add(-above(one, two), -above(two, three), above(one, three))
            self._add(above(one, two), above(two, three), -above(one, three))

    def _define(self, form: Form) -> int:
        head = form[0]
        if head == "not":
            return -self.literal(form[1])
        if head in ("var", "is"):
            return self._atom(*form)
        if head in ("true", "false"):
            known = self._atom("true")
            if (known,) not in self.clauses:
                self._add(known)
            return known if head == "true" else -known
        if head in ("and", "or"):
            parts = [self.literal(part) for part in form[1:]]
            return self._all(parts) if head == "and" else -self._all([-part for part in parts])
        if head in ("if", "iff", "xor"):
            left, right = self.literal(form[1]), self.literal(form[2])
            if head == "if":
                return -self._all([left, -right])
            fresh = self._new()
            for clause in ((-fresh, -left, right), (-fresh, left, -right), (fresh, left, right), (fresh, -left, -right)):
                self._add(*clause)
            return fresh if head == "iff" else -fresh
        if head == "more":
            # Nothing is above itself.
            return self._atom("more", *form[1:]) if form[2] != form[3] else self.literal(["false"])
        if head == "same":
            pair = [(form[2], form[3]), (form[3], form[2])]
            return self._all([-self._atom("more", form[1], *names) for names in pair]) if form[2] != form[3] else self.literal(["true"])
        if head == "top":
            others = [name for name in self._axes[form[1]] if name != form[3]]
            return self._all([self._atom("more", form[1], *((form[3], name) if form[2] > 0 else (name, form[3]))) for name in others])
        return self._every(form) if head == "every" else -self._every(["every", form[1][:-1], [not form[1][-1][0], form[1][-1][1]]], repr(form[:3]))

    def _all(self, parts: list[int]) -> int:
        """Return a new literal that is equivalent to all parts together."""
        fresh = self._new()
        for part in parts:
            self._add(-fresh, part)
        self._add(fresh, *(-part for part in parts))
        return fresh

    def _every(self, form: Form, key: str | None = None) -> int:
        """Return a literal for "every a that is b is c": each individual obeys it, or this formula's witness does not."""
        fresh, witness = self._new(), self._witnesses[key or repr(form[:3])]
        for person in self._people:
            self._add(-fresh, *(self._signed(person, not sign, name) for sign, name in form[1]), self._signed(person, *form[2]))
        for sign, name in [*form[1], [not form[2][0], form[2][1]]]:
            self._add(fresh, self._signed(witness, sign, name))
        return fresh

    def _signed(self, person: str, sign: bool, name: str) -> int:
        atom = self._atom("is", person, name)
        return atom if sign else -atom
