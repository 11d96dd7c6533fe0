"""Judging an argument: what clashes, what follows, what neither does; each answer a decision of the prover."""

from __future__ import annotations

from collections.abc import Sequence

from ebmhw.verify.claim import Claim
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.logic.components import Item, Part, considered, parts_of
from ebmhw.verify.logic.formulas import Form
from ebmhw.verify.logic.ground import Ground, TooLarge, walk
from ebmhw.verify.logic.rewriting import negated, swapped
from ebmhw.verify.prover import Decision, Prover
from ebmhw.verify.statement import Statement
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, Verdict

ITEMS_LIMIT = 60
"""Statements of one part of an argument that are decided together."""

CORE_LIMIT = 24
"""Statements among which the fewest that clash are searched one by one; more of the response are not judged, more of the question all named."""

SIZE_LIMIT = 3000
"""Clauses up to which the premises of a clash are searched one by one; a decision of so many takes a twentieth of a second."""


def judged(question: Sequence[Statement], response: Sequence[Statement], prover: Prover, deadline: Deadline) -> tuple[list[Claim], list[str]]:
    """Return the claims of a response, and the questions that it leaves open."""
    claims, goals = [], []
    answers = [statement for statement in considered(response) if statement.kind == "answer" and "value" in statement.content]
    asked = [statement for statement in question if statement.kind == "question"]
    # Where sentences of the question could not be read, what does not follow from the others may follow from them.
    whole = not any(statement.kind in ("unread", "limit") for statement in question)
    for part in parts_of(question, response):
        deadline.check("the check of an argument")
        found = _Argument(part, prover).claims()
        claims.extend(found)
        for goal in part.goals:
            if len(asked) == 1 and answers:
                claims.extend(_answer(answer, goal, part, prover, whole) for answer in answers[:1] if part.premises)
            elif part.premises and not found:
                goals.append(f"whether {goal.text}")
    for statement in asked:
        if "who" in statement.content:
            found, left_open = named(statement, question, response, prover, whole)
            claims.extend(found)
            goals.extend(left_open)
    claims.extend(_about_formula(statement, prover) for statement in considered(response) if statement.kind == "judgement")
    claims.extend(
        Claim(statement, UNKNOWN, f"a text of more than {statement.content['limit']} sentences; what comes here is not read")
        for statement in response
        if statement.kind == "limit"
    )
    return claims, goals


class _Checks:
    """Decides whether formulas can hold together, over one set of ground clauses."""

    def __init__(self, forms: Sequence[Form], prover: Prover, imports: bool = False) -> None:
        self._ground, self._prover = Ground(forms, imports), prover
        for form in forms:
            self._ground.literal(form)

    @property
    def size(self) -> int:
        """Clauses of a decision."""
        return len(self._ground.clauses)

    def together(self, forms: Sequence[Form], also_not: Form | None = None) -> Decision:
        """Return whether formulas, and the negation of one, can all hold."""
        literals = [self._ground.literal(form) for form in forms]
        if also_not is not None:
            literals.append(-self._ground.literal(also_not))
        return self._prover.decide(self._ground.formula(*literals))

    def same(self, one: Form, other: Form) -> bool:
        """Tell whether two formulas are one literal."""
        return self._ground.literal(one) == self._ground.literal(other)


class _Argument:
    """The statements of one part."""

    def __init__(self, part: Part, prover: Prover) -> None:
        self._part, self._prover = part, prover

    def claims(self) -> list[Claim]:
        """Return the claims of this part."""
        items, premises = self._part.items, self._part.premises
        if not items or (len(items) + len(premises) == 1 and not _connected(items[0].form)):
            return []
        try:
            if len(items) + len(premises) > ITEMS_LIMIT:
                raise TooLarge(f"{len(items) + len(premises)} statements bear on each other, more than {ITEMS_LIMIT}")
            self._checks = _Checks([*premises, *(item.form for item in items)], self._prover)
            return self._judged()
        except TooLarge as error:
            return [_unknown(item, f"not decided: {error}") for item in items if item.statement.kind == "conclusion" or len(items) == 1]

    def _judged(self) -> list[Claim]:
        items, premises = self._part.items, self._part.premises
        everything = self._checks.together([*premises, *(item.form for item in items)])
        blamed: dict[int, Claim] = {}
        if everything.satisfiable is None:
            return [_unknown(item, "not decided in time") for item in items]
        if everything.satisfiable is False:
            if premises and (given := self._checks.together(premises)).satisfiable is not True:
                reason = "what the question says cannot all be true" if given.satisfiable is False else "not decided in time"
                return [_unknown(item, reason, (given.key,)) for item in items]
            blamed = self._clashes()
        claims = [blamed[i] if i in blamed else self._follows(i, item, blamed) for i, item in enumerate(items)]
        return [claim for claim in claims if claim is not None]

    def _clashes(self) -> dict[int, Claim]:
        """Return a claim for one statement of each smallest set that clashes, until the rest can hold together.

        Bare plurals ("birds fly") have exceptions, so a clash that needs one of them is not held against anybody.
        """
        items, premises = self._part.items, self._part.premises
        strict = [form for form in premises if not _generic(form)]
        blamed: dict[int, Claim] = {}
        for given, general in ((strict, False), (premises, True)):
            left = [i for i in range(len(items)) if i not in blamed and (general or not _generic(items[i].form))]
            while left:
                clash = self._checks.together([*given, *(items[i].form for i in left)])
                if clash.satisfiable is not False:
                    break
                core = self._smallest(left, given)
                reasons = self._premises_of(core, given)
                concluded = [i for i in core if items[i].statement.kind == "conclusion"]
                culprit = (concluded or core)[-1]
                last = self._checks.together([*reasons, *(items[i].form for i in core)])
                blamed[culprit] = self._clash(culprit, core, reasons, UNKNOWN if general else VIOLATED, last.key)
                left.remove(culprit)
        return blamed

    def _smallest(self, left: list[int], given: list[Form]) -> list[int]:
        """Return statements that clash with what is given, none of which can be left out."""
        core = list(left)
        if len(core) > CORE_LIMIT:
            raise TooLarge(f"{len(core)} statements clash, more than {CORE_LIMIT}")
        for i in left:
            rest = [j for j in core if j != i]
            if self._checks.together([*given, *(self._part.items[j].form for j in rest)]).satisfiable is False:
                core = rest
        return core

    def _premises_of(self, core: list[int], given: list[Form]) -> list[Form]:
        kept = list(given)
        if len(kept) > CORE_LIMIT or self._checks.size > SIZE_LIMIT:
            return kept
        forms = [self._part.items[i].form for i in core]
        for form in given:
            rest = [other for other in kept if other is not form]
            if self._checks.together([*rest, *forms]).satisfiable is False:
                kept = rest
        return kept

    def _clash(self, culprit: int, core: list[int], reasons: list[Form], verdict: Verdict, key: str) -> Claim:
        items, item = self._part.items, self._part.items[culprit]
        others = [
            statement.text for form, statement in zip(self._part.premises, self._part.said, strict=True) if any(form is kept for kept in reasons)
        ]
        others += [items[i].statement.text for i in core if i != culprit]
        if verdict == UNKNOWN:
            return _unknown(item, f"clashes with {_listed(others)}, unless a general statement among these has exceptions", (key,))
        reason = f"clashes with {_listed(others)}" if others else "contradicts itself: it is false whatever else is true"
        context = [*reasons, *(items[i].form for i in core if i != culprit)]
        turned = swapped(item.statement.text, item.form)
        if turned is not None:
            other = [item.form[0], item.form[1], item.form[3], item.form[2]]
            if self._checks.together(context, also_not=other).satisfiable is not False:
                turned = None
        return Claim(
            item.statement,
            VIOLATED,
            reason,
            turned or negated(item.statement.text, item.form, item.statement.kind == "assertion"),
            item.statement.span,
            (key,),
        )

    def _follows(self, i: int, item: Item, blamed: dict[int, Claim]) -> Claim | None:
        items, premises = self._part.items, self._part.premises
        concluding = item.statement.kind == "conclusion"
        if not concluding and any(self._checks.same(item.form, form) for form in _conjuncts(premises)):
            return None  # it says again what the question says
        before = [other.form for j, other in enumerate(items[: i + 1 + item.rests_on_next]) if j != i and j not in blamed]
        context = [*premises, *(before if concluding else [])]
        if _connected(item.form):
            alone = self._checks.together([], also_not=item.form)
            if alone.satisfiable is False:
                return Claim(item.statement, VERIFIED, "true whatever else is true", decisions=(alone.key,))
        if not context or not (concluding or premises):
            return None if len(items) == 1 or not concluding else _unknown(item, "does not follow from what is said here")
        found = self._checks.together(context, also_not=item.form)
        if found.satisfiable is False:
            return Claim(item.statement, VERIFIED, "follows from what is said", decisions=(found.key,))
        if found.satisfiable is None:
            return _unknown(item, "not decided in time")
        if not concluding and (_connected(item.form) or any(sign.isdigit() for sign in item.statement.text)):
            # A step on the way, or a fact with a number in it, that an argument only touches.
            return None
        return _unknown(item, "does not follow from what is said here", (found.key,))


def _answer(answer: Statement, goal: Statement, part: Part, prover: Prover, whole: bool) -> Claim:
    """Return the claim that yes or no makes about the only question."""
    form, yes = goal.content["form"], answer.content["value"]
    item = Item(answer, form, False)
    try:
        checks = _Checks([*part.premises, form], prover)
        if (given := checks.together(part.premises)).satisfiable is not True:
            return _unknown(item, "what the question says cannot all be true" if given.satisfiable is False else "not decided in time", (given.key,))
        holds, fails = checks.together(part.premises, also_not=form), checks.together([*part.premises, form])
    except TooLarge as error:
        return _unknown(item, f"not decided: {error}")
    generic = any(_generic(premise) for premise in part.premises)
    follows = goal.content["follows"]
    if holds.satisfiable is False:
        return _yes_or_no(answer, yes, "it follows from what the question says", holds.key, generic)
    if fails.satisfiable is False and not follows:
        return _yes_or_no(answer, not yes, "what the question says rules it out", fails.key, generic)
    if holds.satisfiable is None or fails.satisfiable is None:
        return _unknown(item, "not decided in time")
    if follows and whole and not any(_opaque(premise) for premise in part.premises):
        members = _Checks([*part.premises, form], prover, imports=True).together(part.premises, also_not=form)
        if members.satisfiable is True:
            return _yes_or_no(answer, not yes, "there is a case in which all premises are true and this is false", members.key, generic)
        return _unknown(item, "whether it follows depends on whether there are such things at all", (holds.key,))
    return _unknown(item, "does not follow from what the question says, and neither does the contrary", (holds.key, fails.key))


def _yes_or_no(answer: Statement, right: bool, reason: str, key: str, generic: bool) -> Claim:
    if right:
        return Claim(answer, VERIFIED, reason, decisions=(key,))
    if generic:
        return Claim(answer, UNKNOWN, f"{reason}, unless a general statement has exceptions", decisions=(key,))
    other = {"yes": "no", "no": "yes", "true": "false", "false": "true"}[answer.text.lower()]
    return Claim(answer, VIOLATED, reason, other.capitalize() if answer.text[0].isupper() else other, answer.span, (key,))


def _about_formula(statement: Statement, prover: Prover) -> Claim:
    """Return the claim that a formula is a tautology, a contradiction, satisfiable or contingent."""
    form, says = statement.content["form"], statement.content["says"]
    item = Item(statement, form, False)
    try:
        checks = _Checks([form], prover)
        true, false = checks.together([form]), checks.together([], also_not=form)
    except TooLarge as error:
        return _unknown(item, f"not decided: {error}")
    if true.satisfiable is None or false.satisfiable is None:
        return _unknown(item, "not decided in time")
    is_a = "contradiction" if not true.satisfiable else "tautology" if not false.satisfiable else "contingent"
    right = is_a == says or (says == "satisfiable" and is_a != "contradiction")
    words = {
        "contradiction": "it is false in every case",
        "tautology": "it is true in every case",
        "contingent": "it is true in some cases and false in others",
    }
    return Claim(statement, VERIFIED if right else VIOLATED, words[is_a], decisions=(true.key, false.key))


def _unknown(item: Item, reason: str, decisions: tuple[str, ...] = ()) -> Claim:
    return Claim(item.statement, UNKNOWN, reason, decisions=decisions)


def _conjuncts(forms: Sequence[Form]) -> list[Form]:
    """Return formulas with those that "and" joins one by one."""
    found, stack = [], list(forms)
    while stack:
        form = stack.pop()
        found.append(form)
        if form[0] == "and":
            stack.extend(form[1:])
    return found


def _generic(form: Form) -> bool:
    """Tell whether a formula rests on a bare plural."""
    return any(part[0] == "every" and len(part) > 3 for part in walk([form]))


def _opaque(form: Form) -> bool:
    """Tell whether part of a formula is a clause that was not looked into."""
    return any(part[0] == "var" and " " in part[1] for part in walk([form]))


def _connected(form: Form) -> bool:
    """Tell whether a formula says more than that one thing is so or not, and may thus be true or false by its form."""
    inner = form[1] if form[0] == "not" else form
    return inner[0] in ("and", "or", "xor", "if", "iff", "true", "false") or (inner[0] in ("more", "same") and inner[2] == inner[3])


def _listed(texts: Sequence[str]) -> str:
    quoted = [f'"{text}"' for text in texts]
    if len(quoted) > 6:
        quoted = [*quoted[:5], f"{len(quoted) - 5} more"]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " and " + quoted[-1] if quoted else "nothing"
