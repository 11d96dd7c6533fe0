"""The grammar of sentences about dates: what a run of tokens says, as content that can be judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal

from lark import Lark
from lark.exceptions import UnexpectedToken
from lark.lexer import Lexer
from lark.lexer import Token as LarkToken

from ebmhw.verify.dates.contents import Contents
from ebmhw.verify.dates.parts import Part
from ebmhw.verify.dates.scan import Token

TOKENS_LIMIT = 40
"""Tokens of one statement; longer ones are not read."""

Start = Literal["claim", "question", "answer"]

_TERMINALS = (
    "DATE MDAY MYEAR MONTH YEAR WDAY TIME NUMBER UNIT IS ISNT HAS HASNT WILL DO FALL BE AFTER BEFORE FROM TO BETWEEN AND OR OF FOR IN WHAT EXISTS "
    "MISSING IT ITIS ADD SUBTRACT DIFFERENCE DATEWORD PLUS MINUS LONG APART BORN NOT PRECEDES FOLLOWS DOW LEAP COMMON SAMEYEAR HOWMANY HOWLONG "
    "NUMBEROF HOWOLD NEXTDAY TODAY FROMNOW THEM LATER EARLIER PASS LASTS START "
    "FINISH EVENT PERSON SO WHEN AGO THERENT THERE VALID INVALID OLD YES NO COMMA COLON OPEN CLOSE DASH"
)
"""OTHER and END are types of tokens too, and in no sentence that is read."""

_GRAMMAR = f"""
claim: points is_ point (in_ point)?          -> same
     | in_ span COMMA? point is_ point        -> same_in
     | points OPEN point CLOSE                -> same_aside
     | points is_ kind                        -> leap
     | points is_ relation point SAMEYEAR?    -> order
     | points verb point SAMEYEAR?            -> order
     | points is_ duration relation point     -> apart_by
     | points is_ duration APART              -> apart
     | points is_ duration LONG               -> length
     | points is_ validity                    -> valid
     | points existence                       -> exists
     | THERENT point                          -> exists
     | points has duration (in_ span)?        -> length
     | kind has duration                      -> length_of_kind
     | in_ span COMMA? point has duration     -> length_in
     | there duration in_ span (in_ span)?    -> there_in
     | in_ span COMMA? there duration         -> in_there
     | there duration between                 -> there_between
     | between COMMA? there duration          -> between_there
     | between is_ duration                   -> between_is
     | point DASH point is_ duration          -> dash_is
     | point TO point is_ duration            -> dash_is
     | measure between is_ amount             -> between_is
     | NUMBEROF UNIT in_ span is_ amount      -> number_in
     | DATEWORD? step relation point is_ point -> shift
     | point PLUS duration is_ point          -> plus
     | point MINUS duration is_ point         -> minus
     | ADD duration TO point is_ point        -> add
     | SUBTRACT duration FROM point is_ point -> subtract
     | DOW (FOR | OF | IN)? point is_ point   -> weekday_of
     | UNIT duration relation point is_ point -> shift_of_day
     | in_ duration FROM point COMMA? IT? is_ point -> shift_in
     | point COMMA? IT is_ point              -> same_then
     | it_is point point                      -> same_on
     | it_is duration between                 -> there_between
     | between COMMA? it_is duration          -> between_there
     | between COMMA? duration PASS           -> between_pass
     | duration PASS between                  -> pass_between
     | event lasting LASTS duration           -> event_lasts
     | between LASTS duration                 -> event_lasts
     | BORN IN? point is_ amount OLD? IN? point -> age

question: WHAT (DOW | UNIT) (is_ | be_it) point            -> ask_weekday
        | DOW (FOR | OF | IN)? point                      -> ask_weekday
        | WHAT (DOW | UNIT) (DO | WILL) point (FALL | BE) -> ask_weekday
        | WHAT is_ DOW (FOR | OF | IN)? point             -> ask_weekday
        | HOWMANY UNIT (IS | THERE | IN)? in_ span        -> ask_length
        | HOWMANY UNIT THERE in_ span in_ span            -> ask_length_in
        | HOWMANY UNIT (DO point)? HAS in_ span           -> ask_length
        | HOWMANY UNIT DO point HAS                       -> ask_length
        | WHAT is_ NUMBEROF UNIT in_ span                 -> ask_length
        | HOWMANY UNIT (IS | THERE | PASS | IS IT)? between -> ask_between
        | HOWMANY UNIT APART is_ point AND point          -> ask_apart
        | HOWMANY UNIT (BEFORE | AFTER) point is_ point   -> ask_apart
        | WHAT is_ NUMBEROF UNIT between                  -> ask_between
        | WHAT is_ DIFFERENCE (IN UNIT)? between          -> ask_time
        | HOWLONG (IS | IS IT | PASS)? between            -> ask_time
        | event COMMA? HOWLONG is_ EVENT                  -> ask_event
        | event COMMA? HOWLONG DO (IT | EVENT) LASTS      -> ask_event
        | event COMMA? HOWMANY UNIT DO (IT | EVENT) LASTS -> ask_event
        | START point AND? LASTS duration COMMA? WHEN DO (IT | EVENT) FINISH -> ask_end
        | START point AND? LASTS duration COMMA? WHAT DIFFERENCE DO (IT | EVENT) FINISH -> ask_end
        | TODAY point COMMA? WHAT (DATEWORD | UNIT | DOW)? ask_be when -> ask_then
        | WHAT (DATEWORD | UNIT | DOW) be_it step relation point -> ask_shift
        | WHAT DIFFERENCE is_ step relation point         -> ask_shift
        | WHAT DIFFERENCE be_it step relation point       -> ask_shift
        | WHAT DOW is_ step relation point                -> ask_shift
        | WHAT (DATEWORD | UNIT)? is_ sooner (COMMA | COLON)? point COMMA? OR point -> ask_which
        | HOWOLD (IS | WILL) (PERSON | IT) BORN IN? point BE? COMMA? IN? point -> ask_age
        | HOWLONG IT IS between                           -> ask_time
        | WHAT (DATEWORD | UNIT) is_ step relation point  -> ask_shift
        | WHAT is_ DATEWORD? step relation point          -> ask_shift
        | WHAT (DATEWORD | UNIT) is_ relation point       -> ask_next
        | WHAT is_ point PLUS duration                    -> ask_plus
        | WHAT is_ point MINUS duration                   -> ask_minus
        | IS point kind                                   -> ask_leap
        | IS point relation point SAMEYEAR?               -> ask_order
        | IS point point                                  -> ask_same
        | IS point validity                               -> ask_valid
        | DO point EXISTS                                 -> ask_exists
        | DO point (FALL | BE | IS) relation point SAMEYEAR? -> ask_order
        | DO point FALL point                             -> ask_same
        | DO point HAS duration                           -> ask_has
        | THERE point                                     -> ask_there_is
        | THERE duration in_ span                         -> ask_there_in
        | THERE duration between                          -> ask_there_between

answer: said? (point | duration | NUMBER | kind | validity) -> answer
      | said? NUMBER OLD                        -> answer_age
      | said? duration (LONG | APART)           -> answer_in
      | point is_ sooner                        -> answer_which
      | there duration THEM                     -> answer_in
      | IT has duration                         -> answer
      | IT existence                            -> answer
      | there duration                          -> answer
      | said? YES                               -> yes
      | said? NO                                -> no
said: (IT | EVENT) (is_ | LASTS | FINISH) | measure THEM is_ | IT COLON | ITIS | DOW is_ | measure is_ | DATEWORD is_ | UNIT is_ | is_

points: point ((COMMA | AND | COMMA AND) point)*
point: DATE | MDAY | MYEAR | MONTH | YEAR | WDAY | TIME
duration: part ((AND | COMMA)? part)*
part: count UNIT
amount: duration | count
count: NUMBER | YEAR
step: duration | UNIT
span: point | kind | UNIT
kind: LEAP | COMMON
relation: BEFORE | AFTER | FROM
sooner: EARLIER | LATER
event: START point (COMMA | AND | COMMA AND)? FINISH point NEXTDAY?
lasting: (COMMA? SO)? (IT | EVENT)?
it_is: IT is_ | ITIS
be_it: IS IT | WILL IT BE
ask_be: IS IT | IS DATEWORD | IS UNIT | IS DOW | WILL IT BE | WILL DATEWORD BE | WILL UNIT BE | WILL DOW BE
when: IN duration | duration FROMNOW | duration AGO | duration LATER
verb: PRECEDES | FOLLOWS
between: BETWEEN point AND point | FROM point TO point NEXTDAY?
measure: DIFFERENCE | NUMBEROF UNIT | DIFFERENCE UNIT
validity: VALID | INVALID
existence: EXISTS | MISSING
is_: IS | ISNT | IS NOT
has: HAS | HASNT
there: THERE | THERENT
in_: IN
%declare {_TERMINALS}
"""


class _Fed(Lexer):  # type: ignore[misc]  # as above
    """Stands where Lark wants a lexer; tokens are fed by hand."""

    def __init__(self, lexer_conf: Any) -> None:
        pass

    def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[LarkToken]:
        return iter(())


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, start=["claim", "question", "answer"], parser="lalr", lexer=_Fed, maybe_placeholders=False, transformer=Contents())


@lru_cache(maxsize=3)
def _fresh(start: Start) -> Any:
    """Return the state of a parse before its first token; parses are copies of it."""
    return _parser().parse_interactive(start=start).parser_state


@lru_cache(maxsize=3)
def first_types(start: Start) -> frozenset[str]:
    """Return the types of token that a sentence of this kind may begin with."""
    state = _fresh(start)
    return frozenset(name for name in state.parse_conf.states[state.position] if name.isupper())


def longest(start: Start, tokens: Sequence[Token], at: int, ends: Callable[[int], bool]) -> tuple[Part | None, int]:
    """Return what the longest run of tokens from ``at`` says and where it ends; ``ends`` tells whether a run may end before a token.

    Where no run says anything: None and the next place to try, half a limit further where even the limit did not tell, so that lists without end cost
    no more than their length.
    """
    state = _fresh(start).copy(deepcopy_values=False)
    found: tuple[Part | None, int] = (None, at + 1)
    for index in range(at, min(at + TOKENS_LIMIT, len(tokens))):
        try:
            state.feed_token(tokens[index])
        except UnexpectedToken:
            return found
        if ends(index + 1) and _may_end(state):
            content = state.copy(deepcopy_values=False).feed_token(LarkToken("$END", ""), True)
            if content is not None:
                found = content, index + 1
    return found if found[0] is not None else (None, at + TOKENS_LIMIT // 2)


def _may_end(state: Any) -> bool:
    """Return whether a parse would accept its end here: the reductions alone, on a copy of the stack of states."""
    states, end = state.parse_conf.states, state.parse_conf.end_state
    stack = list(state.state_stack)
    while stack[-1] != end:
        action = states[stack[-1]].get("$END")
        if action is None:
            return False
        rule = action[1]
        if rule.expansion:
            del stack[-len(rule.expansion) :]
        stack.append(states[stack[-1]][rule.origin.name][1])
    return True
