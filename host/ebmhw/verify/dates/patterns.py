"""Patterns: what begins with a digit, with the name of a month, or with the first of several words that belong together."""

from __future__ import annotations

import re

DIGITS_LIMIT = 12
"""Digits of a count; longer numbers are no dates and no amounts."""

MONTH_NAMES = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
# Behind a name in full a full stop ends the sentence: "in May. 48 * 2 = 96".
_STOP = r"(?:(?<!uary)(?<!march)(?<!april)(?<!may)(?<!june)(?<!july)(?<!august)(?<!mber)(?<!ober)\.)?"
_S = r"[ \t\u00a0\u202f]{1,3}"
_YEAR = r"[0-9]{4}(?![0-9]|,[0-9]{3}|[.:][0-9])"
_BEFORE_YEAR = rf"{_S}|,{_S}?|{_S}of{_S}|{_S}in{_S}|,{_S}in{_S}"
_NO_NUMBER = r"(?![\w:/%$\u00b0-]|\.[0-9]|,[0-9]{3}(?![0-9]))"
_BE = "is|are|was|were|will|would"
_VERB = "be|fall|land|come|occur|happen|equal|have|contain|exist"
_NOT = rf"(?:{_S}not|n['\u2019]t)"

FROM_DIGIT = re.compile(
    rf"""
    (?P<ISO>(?<![\w./-])([0-9]{{4}})(?P<dash>[-/])([0-9]{{1,2}})(?P=dash)([0-9]{{1,2}})(?![\w/-]|[.][0-9]))
  | (?P<SLASH>(?<![\w./-])([0-9]{{1,2}})(?P<slash>[/.])([0-9]{{1,2}})(?P=slash)([0-9]{{4}})(?![\w/-]|[.][0-9]))
  | (?P<DMY>(?<![\w.,:/$-])(?P<dmy_day>[0-9]{{1,2}})(?P<dmy_th>st|nd|rd|th)?
      (?:(?:{_S}day)?(?P<dmy_of>{_S}of){_S}|{_S}|-)(?P<dmy_month>{MONTH_NAMES})\b\.?
      (?:(?:{_BEFORE_YEAR}|-)(?P<dmy_year>{_YEAR})(?!\w))?)
  | (?P<TIME>(?<![\w.:/-])(?P<hour>[0-9]{{1,2}}):(?P<minute>[0-5][0-9])(?![:0-9])(?:{_S}?(?P<half>[ap])(?:\.m\.|m\b))?)
  | (?P<HOUR>(?<![\w.:/$-])(?P<only>[0-9]{{1,2}}){_S}?(?P<only_half>[ap])(?:\.m\.|m\b))
  | (?P<NUMBER>(?<![\w.,:/$-])[0-9]{{1,{DIGITS_LIMIT}}}(?:,[0-9]{{3}}){{0,3}}(?:\.[0-9]{{1,3}})?(?![\w%\u00b0/:]|[.,][0-9]))
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A date, a time or a number; the group that ends last tells which."""

FROM_MONTH = re.compile(
    rf"""
    (?P<MDY>(?P<mdy_month>{MONTH_NAMES})\b{_STOP}{_S}(?:the{_S})?(?P<mdy_day>[0-9]{{1,2}})(?P<mdy_th>st|nd|rd|th)?{_NO_NUMBER}
      (?:(?:{_BEFORE_YEAR})(?P<mdy_year>{_YEAR})(?!\w))?)
  | (?P<MY>(?P<my_month>{MONTH_NAMES})\b{_STOP}(?:{_S}|,{_S}|{_S}of{_S})(?P<my_year>{_YEAR})(?!\w))
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A day or a year after the name of a month."""

PHRASE = re.compile(
    rf"""(?:
    (?P<DOW>(?:day|name){_S}of{_S}(?:the{_S})?week)
  | (?P<OLD>years?{_S}old)
  | (?P<THEYEAR>year{_S}(?P<year>[0-9]{{1,4}}(?![0-9]|,[0-9]{{3}}|[.:][0-9]))(?!\w))
  | (?P<LEAP>leap(?:{_S}|-)years?)
  | (?P<COMMON>(?:common|non-?leap|regular|normal|ordinary|standard){_S}years?)
  | (?P<SAMEYEAR>(?:of|in|within|during){_S}(?:the{_S}same|that|any|a{_S}single|one){_S}(?:calendar{_S})?year(?!{_S}[0-9]))
  | (?P<HOWMANY>how{_S}many)
  | (?P<HOWLONG>how{_S}(?:long|much{_S}time))
  | (?P<HOWOLD>how{_S}old)
  | (?P<SKIP>month(?={_S}of{_S}(?:{MONTH_NAMES})\b){_S}of)
  | (?P<NEXTDAY>(?:next|following){_S}(?:day|morning))
  | (?P<TODAY>today{_S}(?:is|was))
  | (?P<FROMNOW>from{_S}(?:now|today))
  | (?P<THEM>(?:between|separating){_S}(?:them|(?:the|these|those){_S}(?:(?:two|given){_S})?(?:dates|days|times)))
  | (?P<NUMBEROF>number{_S}of)
  | (?P<BEFORE>earlier{_S}than|prior{_S}to|ahead{_S}of)
  | (?P<AFTER>later{_S}than)
  | (?P<THERENT>there(?:{_S}(?:is|are|was|were){_S}no|{_S}(?:is|are){_NOT}(?:{_S}any)?))
  | (?P<THERE>there(?:{_S}(?:is|are|were|was|will{_S}be)|['\u2019]s)|(?:is|are|were|was){_S}there)
  | (?P<VALID>(?:valid|real|actual|existing|legitimate|possible){_S}(?:calendar{_S})?(?:date|day))
  | (?P<INVALID>(?:invalid|impossible|nonexistent|non-existent|fictional|imaginary){_S}(?:calendar{_S})?(?:date|day))
  | (?P<MISSING>(?:does|did|do){_NOT}{_S}exist)
  | (?P<HASNT>(?:does|did|do){_NOT}{_S}(?:have|contain))
  | (?P<ISNT>(?:{_BE}|does|did|do){_NOT}(?:{_S}(?:{_VERB})(?:{_S}on)?)?)
  | (?P<IS>(?:will|would){_S}(?:be|fall|land|come)(?:{_S}on)?)
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
"""Words that belong together, by the terminal of the grammar that they are."""

PHRASE_STARTS = frozenset(
    [
        "day",
        "name",
        "year",
        "years",
        "leap",
        "common",
        "non",
        "nonleap",
        "regular",
        "normal",
        "ordinary",
        "standard",
        "of",
        "in",
        "within",
        "during",
        "how",
        "number",
        "earlier",
        "prior",
        "ahead",
        "later",
        "there",
        "there's",
        "is",
        "are",
        "was",
        "were",
        "will",
        "would",
        "does",
        "did",
        "do",
        "isn't",
        "aren't",
        "wasn't",
        "weren't",
        "wouldn't",
        "doesn't",
        "didn't",
        "don't",
        "valid",
        "real",
        "actual",
        "existing",
        "legitimate",
        "possible",
        "invalid",
        "impossible",
        "nonexistent",
        "fictional",
        "imaginary",
        "month",
        "next",
        "following",
        "today",
        "from",
        "between",
        "separating",
    ]
)
"""Words that a phrase can begin with."""

BOX = re.compile(r"\\(?:boxed|text|textbf|mathbf|mathrm)\s{0,2}\{")
"""What LaTeX writes around an answer."""

PIECE = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?|[0-9]+|\n|[^\s*_`\"'\u201c\u201d\u2018\u2019]")
"""A word, digits, the end of a line or a sign; markup and quotation marks are left out."""
