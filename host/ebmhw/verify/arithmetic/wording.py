"""Wording: plain words, and those that announce a goal or an answer, take back or suppose."""

from __future__ import annotations

from ebmhw.verify.arithmetic.reader import NOUNS_LIMIT, STARTS, Reader
from ebmhw.verify.arithmetic.stops import sep
from ebmhw.verify.arithmetic.token import Token
from ebmhw.verify.arithmetic.units import unit_named
from ebmhw.verify.arithmetic.words import ASKED, BREAKS, COMPARATIVES, LEADS, PREPOSITIONS, TURNS


def word(reader: Reader, index: int, token: Token) -> None:
    run = reader.run
    if run.tokens:
        if not reader.after:
            reader.drop_last()
            reader.finish("word")
            reader.lead = token
            return
        if reader.is_ is not None:
            reader.is_, reader.not_ = None, False
            reader.finish("word")
            reader.lead = token
            reader.opens = False
            return
        last = run.tokens[-1]
        following = reader.token(index + 1)
        value = token.value
        if value == "r" and following is not None and following.type == "NUM" and (run.relations or run.answers or run.opens):
            reader.operate(Token("OP", "rem", token.start, token.end))
            return
        if reader.verb and value in ("by", "from", "with") and following is not None and following.type in STARTS:
            return
        if last.end == token.start and last.type in ("NUM", "RPAR"):
            reader.poison()
            return
        if len(value) == 1 and value not in "ai" and following is not None and following.type in ("OP", "REL", "DASH"):
            reader.poison()
            return
        if value == "should" and run.relations:
            reader.wrong = reader.wrong or "claimed"
        if value in BREAKS:
            reader.finish("word")
            reader.lead = token
            if value in TURNS:
                reader.retracted.append(len(reader.found))
            return
        if value == "off" and last.type == "POST" and last.value == "%" and following is not None and following.type in STARTS:
            reader.operate(Token("OP", "off", token.start, token.end))
            return
        if not reader.nouns and value in COMPARATIVES:
            run.compares = True
        reader.nouns += 1
        reader.tied = reader.tied or value in PREPOSITIONS
        if reader.nouns > NOUNS_LIMIT:
            tied = reader.tied
            reader.finish("word")
            reader.lead, reader.tied = token, tied
        return
    reader.lead = token
    reader.bad = reader.tied = False
    if token.value in TURNS:
        reader.retracted.append(len(reader.found))
    if token.type != "SKIP" and not (reader.target and token.value in ("there", "you", "have", "fit", "equal", "do", "we", "would", "get")):
        if not (reader.answers and token.value in ASKED):
            reader.clear()
        reader.opens = False


def skip_word(reader: Reader, index: int, token: Token) -> None:
    if not reader.run.tokens or not reader.after or reader.is_ is not None:
        if not reader.run.tokens and not (reader.answers or reader.asks):
            reader.lead = token
        return
    reader.nouns += 1


def ask(reader: Reader, index: int, token: Token) -> None:
    if reader.run.tokens:
        if reader.after and reader.asks and token.value == "value":
            return
        reader.drop_last()
        reader.finish("word")
    if not reader.question:
        if token.value not in ("add", "subtract", "multiply", "divide"):
            reader.opens = False
            reader.lead = None
        return
    reader.asks = token.value
    reader.verb = token.value if token.value in ("add", "subtract", "multiply", "divide") else ""
    if token.value == "convert":
        following = reader.token(index + 1)
        if following is not None and following.type == "WORD" and (unit := unit_named(following.value)) is not None:
            reader.target = unit.name
            reader.skip = index + 2


def ask_is(reader: Reader, index: int, token: Token) -> None:
    if reader.run.tokens:
        if reader.after and token.value == "is":
            following = reader.token(index + 1)
            if following is not None and following.type == "NOT":
                reader.is_ = token
                return
        reader.finish("word")
        return
    if not reader.question and token.end - token.start > 4:
        reader.wrong = reader.wrong or "asked"
    reader.asked = True
    reader.opens = True
    reader.lead = None


def answer(reader: Reader, index: int, token: Token) -> None:
    if reader.run.tokens:
        if reader.after and reader.is_ is not None and not reader.not_ and reader.run.relations == 0:
            reader.run.answers = reader.run.answers or "is the answer"
            reader.is_ = None
        reader.drop_last()
        reader.finish("word")
    reader.answers = token.value if reader.opens or token.type == "ANSWER" or _leads(reader, index) else ""
    if not reader.answers:
        reader.lead = token
        reader.opens = False


def _leads(reader: Reader, index: int) -> bool:
    """Return whether what stands before a word leads up to it: nothing, or "so the"."""
    lead = reader.lead
    if lead is not None and lead.type == "SKIP":
        while index > 0 and reader.tokens[index - 1].type == "SKIP":
            index -= 1
        lead = reader.token(index - 1)
    return lead is None or lead.value in LEADS


def result(reader: Reader, index: int, token: Token) -> None:
    if reader.run.tokens and reader.after:
        word(reader, index, token)
        return
    answer(reader, index, token)


def value_of(reader: Reader, index: int, token: Token) -> None:
    if reader.run.tokens:
        word(reader, index, token)
    elif reader.question:
        reader.asks = reader.asks or "value"
    elif token.value == "answer" and (following := reader.token(index + 1)) is not None and following.type in ("WORD", "SKIP"):
        reader.answers = "answer"


def yes(reader: Reader, index: int, token: Token) -> None:
    if token.value == "wrong":
        before, following = reader.token(index - 1), reader.token(index + 1)
        if (before is not None and before.type not in ("STOP", "LINE")) or (following is not None and following.value == ":"):
            call_wrong(reader, index, token)
    if reader.run.tokens:
        word(reader, index, token)
        return
    if reader.opens or reader.answers:
        reader.yes.append((token, token.type == "YES"))
    if token.type == "NO" or token.value == "correct":
        reader.lead = token
    reader.clear()


def in_word(reader: Reader, index: int, token: Token) -> None:
    run = reader.run
    if reader.after and reader.verb:
        return
    if reader.after and reader.lists:
        sep(reader, index, token)
        return
    if reader.after and run.asks:
        following = reader.token(index + 1)
        if following is not None and following.type in ("WORD", "UNIT") and (unit := unit_named(following.value)) is not None:
            run.target = unit.name
            reader.skip = index + 2
            reader.finish(reader.tokens[index + 2].value if index + 2 < len(reader.tokens) else "end", index + 2)
            return
    if run.tokens:
        word(reader, index, token)
        return
    if not (reader.asks or reader.answers):
        reader.lead = token
        reader.opens = False


def if_word(reader: Reader, index: int, token: Token) -> None:
    if reader.run.tokens:
        word(reader, index, token)
    reader.lead = token
    reader.opens = False


def wrong_word(reader: Reader, index: int, token: Token) -> None:
    call_wrong(reader, index, token)
    word(reader, index, token)


def call_wrong(reader: Reader, index: int, token: Token) -> None:
    """Note that a sentence speaks of an error; "That is wrong." speaks of the one before it."""
    denies = token.value == "wrong"
    reader.wrong = "denied" if denies else reader.wrong or token.value or "claimed"
    if denies and len(reader.found) == reader.sentence and not reader.run.tokens:
        reader.wrong_before = any(before.type == "IT" for before in reader.tokens[max(0, index - 3) : index])


def system(reader: Reader, index: int, token: Token) -> None:
    reader.foreign = True
    word(reader, index, token)


def wait(reader: Reader, index: int, token: Token) -> None:
    if reader.run.tokens:
        reader.drop_last()
        reader.finish("word")
    reader.retracted.append(len(reader.found))
    reader.opens = True
    reader.lead = None
