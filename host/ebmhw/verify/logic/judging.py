"""Judging an argument: what clashes, what follows, what neither does; each answer a decision of the prover."""

from __future__ import annotations

from collections.abc import Sequence

from ebmhw.verify.claim import Claim
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.logic.answers import named, yes_or_no
from ebmhw.verify.logic.checks import Checks, conjuncts, contrary, is_connected, is_generic, is_literal, is_unread, unknown
from ebmhw.verify.logic.components import Item, Part, considered, parts_of
from ebmhw.verify.logic.formulas import Form
from ebmhw.verify.logic.ground import TooLarge, keys_of
from ebmhw.verify.logic.predicates import PASSING
from ebmhw.verify.logic.rewriting import negated, swapped
from ebmhw.verify.logic.words import word_set
from ebmhw.verify.prover import Prover
from ebmhw.verify.statement import Statement
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

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
    whole = not any(is_unread(statement) for statement in question)
    texts = [*question, *response]
    for part in parts_of(question, response):
        deadline.check("the check of an argument")
        found = _Argument(part, texts, prover).claims()
        claims.extend(found)
        for goal in part.goals:
            if len(asked) == 1 and answers:
                claims.extend(yes_or_no(answer, goal, part, prover, whole) for answer in answers[:1] if part.premises)
            elif part.premises and not found:
                goals.append(f"whether {goal.text}")
    for statement in asked:
        if "who" in statement.content and len(asked) == 1:
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


class _Argument:
    """The statements of one part."""

    def __init__(self, part: Part, texts: Sequence[Statement], prover: Prover) -> None:
        self._part, self._texts, self._prover = part, texts, prover

    def claims(self) -> list[Claim]:
        """Return the claims of this part."""
        items, premises = self._part.items, self._part.premises
        if not items or (len(items) + len(premises) == 1 and not is_connected(items[0].form)):
            return []
        try:
            if len(items) + len(premises) > ITEMS_LIMIT:
                raise TooLarge(f"{len(items) + len(premises)} statements bear on each other, more than {ITEMS_LIMIT}")
            others = [other for form in conjuncts([item.form for item in items]) if (other := contrary(form)) is not None]
            self._checks = Checks([*premises, *(item.form for item in items), *others], self._prover)
            return self._judged()
        except TooLarge as error:
            return [unknown(item.statement, f"not decided: {error}") for item in items if item.statement.kind == "conclusion" or len(items) == 1]

    def _judged(self) -> list[Claim]:
        items, premises = self._part.items, self._part.premises
        everything = self._checks.together([*premises, *(item.form for item in items)])
        blamed: dict[int, Claim] = {}
        if everything.satisfiable is None:
            return [unknown(item.statement, "not decided in time") for item in items]
        if everything.satisfiable is False:
            if premises and (given := self._checks.together(premises)).satisfiable is not True:
                reason = "what the question says cannot all be true" if given.satisfiable is False else "not decided in time"
                return [unknown(item.statement, reason, (given.key,)) for item in items]
            blamed = self._clashes()
        claims = [blamed[i] if i in blamed else self._follows(i, item, blamed) for i, item in enumerate(items)]
        return [claim for claim in claims if claim is not None]

    def _clashes(self) -> dict[int, Claim]:
        """Return a claim for one statement of each smallest set that clashes, until the rest can hold together.

        Bare plurals ("birds fly") have exceptions, so a clash that needs one of them is not held against anybody.
        """
        items, premises = self._part.items, self._part.premises
        strict = [form for form in premises if not is_generic(form)]
        blamed: dict[int, Claim] = {}
        for given, general in ((strict, False), (premises, True)):
            left = [i for i in range(len(items)) if i not in blamed and (general or not is_generic(items[i].form))]
            while left:
                clash = self._checks.together([*given, *(items[i].form for i in left)])
                if clash.satisfiable is not False:
                    break
                core = self._smallest(left, given)
                reasons = self._premises_of(core, given)
                concluded = [i for i in core if items[i].statement.kind == "conclusion"]
                culprit = (concluded or core)[-1]
                last = self._checks.together([*reasons, *(items[i].form for i in core)])
                excuse = None
                if general and not self._drawn_from(culprit, core):
                    excuse = "a general statement among these has exceptions"
                elif self._changed_meanwhile(core, reasons):
                    excuse = "something changed meanwhile"
                blamed[culprit] = self._clash(culprit, core, reasons, excuse, last.key)
                left.remove(culprit)
        return blamed

    def _drawn_from(self, culprit: int, core: Sequence[int]) -> bool:
        """Tell whether a conclusion is the contrary of what general statements lead to, where nothing speaks of an exception."""
        items = self._part.items
        if [i for i in core if items[i].statement.kind == "conclusion"] != [culprit] or any(is_unread(statement) for statement in self._texts):
            return False
        said = [*self._part.premises, *(item.form for item in items if item.statement.kind != "conclusion")]
        return self._checks.together(said).satisfiable is True

    def _changed_meanwhile(self, core: Sequence[int], reasons: Sequence[Form]) -> bool:
        """Tell whether only states of a thing clash ("the door is open", "the door is closed"), among sentences that may tell of a change."""
        forms = [*reasons, *(self._part.items[i].form for i in core)]
        if (
            len(forms) < 2
            or not all(is_literal(form) for form in forms)
            or not any(f"pred {state}" in keys_of(form) for form in forms for state in PASSING)
        ):
            return False
        rest = [
            statement for statement in self._texts if statement.kind != "answer" and not any(statement.content.get("form") == form for form in forms)
        ]
        return any(is_unread(statement) or _tells_of_action(statement) for statement in rest)

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

    def _clash(self, culprit: int, core: list[int], reasons: list[Form], excuse: str | None, key: str) -> Claim:
        items, item = self._part.items, self._part.items[culprit]
        others = [
            statement.text for form, statement in zip(self._part.premises, self._part.said, strict=True) if any(form is kept for kept in reasons)
        ]
        others += [items[i].statement.text for i in core if i != culprit]
        if excuse is not None:
            return unknown(item.statement, f"clashes with {_listed(others)}, unless {excuse}", (key,))
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
        if not concluding and any(self._checks.same(item.form, form) for form in conjuncts(premises)):
            return None  # it says again what the question says
        if concluding and any(other.statement.kind == "conclusion" and self._checks.same(item.form, other.form) for other in items[:i]):
            return None  # it says again what was concluded
        before = [other.form for j, other in enumerate(items[: i + 1 + item.rests_on_next]) if j != i and j not in blamed]
        context = [*premises, *(before if concluding else [])]
        if is_connected(item.form):
            alone = self._checks.together([], also_not=item.form)
            if alone.satisfiable is False:
                return Claim(item.statement, VERIFIED, "true whatever else is true", decisions=(alone.key,))
            if item.form[0] == "and" and len(items) == 1 and not premises and not any(map(is_connected, item.form[1:])):
                last = self._checks.together(item.form[1:-1], also_not=item.form[-1])
                if last.satisfiable is False and not any(self._checks.same(item.form[-1], part) for part in item.form[1:-1]):
                    return Claim(item.statement, VERIFIED, "its last part follows from the others", decisions=(last.key,))
        opposed = self._opposed(item, before)
        if opposed is not None:
            return opposed
        if not context or not (concluding or premises):
            return None if len(items) == 1 or not concluding else unknown(item.statement, "does not follow from what is said here")
        found = self._checks.together(context, also_not=item.form)
        if found.satisfiable is False:
            return Claim(item.statement, VERIFIED, "follows from what is said", decisions=(found.key,))
        if found.satisfiable is None:
            return unknown(item.statement, "not decided in time")
        if not concluding and (is_connected(item.form) or any(sign.isdigit() for sign in item.statement.text)):
            # A step on the way, or a fact with a number in it, that an argument only touches.
            return None
        return unknown(item.statement, "does not follow from what is said here", (found.key,))

    def _opposed(self, item: Item, before: Sequence[Form]) -> Claim | None:
        """Return the claim against "no a is b" where "every a is b" follows, or the other way round: both are true only where there is no a."""
        concluding = item.statement.kind == "conclusion"
        for part in conjuncts([item.form]):
            other = contrary(part)
            if other is None or (is_generic(part) and not concluding):
                continue
            said = [form for form in (*self._part.premises, *before) if concluding or not is_generic(form)]
            found = self._checks.together(said, also_not=other)
            if found.satisfiable is False and self._checks.together(said, also_not=part).satisfiable is True:
                fix = negated(item.statement.text, item.form, not concluding)
                return Claim(item.statement, VIOLATED, "the contrary follows from what is said", fix, item.statement.span, (found.key,))
        return None


def _tells_of_action(statement: Statement) -> bool:
    """Tell whether a statement says that something does something, rather than is something."""
    form = statement.content.get("form")
    return form is not None and any(key[:5] == "pred " and key[5:].split()[0] not in _STATES for key in keys_of(form))


_STATES = word_set("is was have like love know need want own can will must should")


def _about_formula(statement: Statement, prover: Prover) -> Claim:
    """Return the claim that a formula is a tautology, a contradiction, satisfiable or contingent."""
    form, says = statement.content["form"], statement.content["says"]
    try:
        checks = Checks([form], prover)
        true, false = checks.together([form]), checks.together([], also_not=form)
    except TooLarge as error:
        return unknown(statement, f"not decided: {error}")
    if true.satisfiable is None or false.satisfiable is None:
        return unknown(statement, "not decided in time")
    is_a = "contradiction" if not true.satisfiable else "tautology" if not false.satisfiable else "contingent"
    right = is_a == says or (says == "satisfiable" and is_a != "contradiction")
    words = {
        "contradiction": "it is false in every case",
        "tautology": "it is true in every case",
        "contingent": "it is true in some cases and false in others",
    }
    return Claim(statement, VERIFIED if right else VIOLATED, words[is_a], decisions=(true.key, false.key))


def _listed(texts: Sequence[str]) -> str:
    quoted = [f'"{text}"' for text in texts]
    if len(quoted) > 6:
        quoted = [*quoted[:5], f"{len(quoted) - 5} more"]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " and " + quoted[-1] if quoted else "nothing"
