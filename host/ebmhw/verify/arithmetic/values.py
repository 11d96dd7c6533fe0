"""Values: numbers, currencies, units, functions and brackets, as they come in a token stream."""

from __future__ import annotations

from ebmhw.verify.arithmetic.limits import DEPTH_LIMIT
from ebmhw.verify.arithmetic.reader import Reader
from ebmhw.verify.arithmetic.token import Token
from ebmhw.verify.arithmetic.units import unit_named
from ebmhw.verify.arithmetic.wording import word


def num(reader: Reader, index: int, token: Token) -> None:
    before = reader.token(index - 1)
    run = reader.run
    if before is not None and before.end == token.start and before.type in ("WORD", "OPAQUE", "SKIP", "NUM", "LOOSE") and before.start < token.start:
        remainder = before.value == "r" and run.tokens and run.tokens[-1].value == "rem"
        if not remainder:
            reader.poison()
            return
    if reader.is_ is not None:
        reader.settle()
        run = reader.run
    if reader.after and not _glue(reader, index, token):
        tied = reader.tied
        reader.finish("value")
        reader.tied = tied
        run = reader.run
    if token.type == "LOOSE":
        token = Token("NUM", token.value, token.start, token.end)
        run = reader.run
        if not (before is not None and before.type == "CUR"):
            run.doubt = run.doubt or "a space within a number may part two numbers"
    reader.begin()
    reader.run.tokens.append(token)
    reader.after = True


def _glue(reader: Reader, index: int, token: Token) -> bool:
    """Join a number to a value before it where that is one quantity, a list or a sum in words."""
    run = reader.run
    last = run.tokens[-1]
    if reader.verb and _joined(reader, index):
        return True
    if last.type == "UNIT" and not reader.nouns and index + 1 < len(reader.tokens) and reader.tokens[index + 1].type == "UNIT":
        one, other = unit_named(last.value), unit_named(reader.tokens[index + 1].value)
        if one is not None and other is not None and one.dimension == other.dimension and one.factor > other.factor:
            run.tokens.append(Token("OP", "+", token.start, token.start))
            return True
    return False


def _joined(reader: Reader, index: int) -> bool:
    before = reader.tokens[index - 1]
    if before.type in ("AND", "SEP", "IN") or (before.type == "WORD" and before.value in ("by", "from", "with")):
        sign = {"add": "+", "subtract": "-" if before.value == "and" else "rsub", "multiply": "*", "divide": "/"}[reader.verb]
        reader.run.tokens.append(Token("OP", sign, before.start, before.end))
        reader.nouns = 0
        return True
    return False


def cur(reader: Reader, index: int, token: Token) -> None:
    following = reader.token(index + 1)
    if following is not None and following.start - token.end <= 1 and following.type in ("NUM", "LOOSE"):
        after = reader.token(index + 2)
        num(reader, index + 1, following) if following.type == "NUM" else loose(reader, index + 1, following)
        if reader.run.tokens and reader.run.tokens[-1].end == following.end and not (after is not None and after.type in ("UNIT",)):
            reader.run.tokens.append(Token("UNIT", token.value, following.end, following.end))
        reader.skip = index + 2
    elif reader.after and reader.run.tokens and reader.run.tokens[-1].type == "NUM" and reader.run.tokens[-1].end == token.start:
        reader.run.tokens.append(Token("UNIT", token.value, token.start, token.end))


def loose(reader: Reader, index: int, token: Token) -> None:
    num(reader, index, Token("NUM", token.value, token.start, token.end))


def unit(reader: Reader, index: int, token: Token) -> None:
    if reader.after and reader.run.tokens and not reader.nouns and reader.run.tokens[-1].type in ("NUM", "POST", "RPAR"):
        reader.run.tokens.append(token)
    elif reader.after:
        reader.nouns += 1
    else:
        word(reader, index, token)


def post(reader: Reader, index: int, token: Token) -> None:
    if reader.after and reader.run.tokens and not reader.nouns:
        reader.run.tokens.append(token)


def percent(reader: Reader, index: int, token: Token) -> None:
    if not reader.after or reader.nouns:
        return
    following = reader.token(index + 1)
    last = reader.run.tokens[-1]
    modulo = following is not None and following.type == "NUM" and (last.end < token.start or following.start == token.end)
    if modulo and last.type == "NUM" and last.value != "100":
        reader.run.tokens.append(Token("OP", "mod", token.start, token.end))
        reader.after = False
    else:
        reader.run.tokens.append(Token("POST", "%", token.start, token.end))


def function(reader: Reader, index: int, token: Token) -> None:
    reader.settle()
    following = reader.token(index + 1)
    if token.type == "FRAC":
        if _fraction(reader, index, token):
            return
    elif token.value == "sqrt" and following is not None and following.value == "[":
        degree, closing = reader.token(index + 2), reader.token(index + 3)
        if degree is None or closing is None or degree.value not in ("2", "3") or closing.type != "RPAR":
            reader.poison()
            return
        token = Token("FN", "cbrt" if degree.value == "3" else "sqrt", token.start, closing.end)
        reader.skip = index + 4
    if reader.after and token.value in ("sqrt", "cbrt") and not reader.nouns and reader.run.tokens[-1].end == token.start:
        _doubt_juxtaposed(reader)
        reader.operate(Token("OP", "*", token.start, token.start))
    if reader.after:
        reader.finish("value")
    reader.begin()
    reader.run.tokens.append(token)
    if token.type == "LFN":
        reader.lists = True
    elif token.type == "FN" and token.end - token.start > 3:
        reader.words = True


def _fraction(reader: Reader, index: int, token: Token) -> bool:
    r"""Read "\frac12" and the mixed number "1\frac{1}{2}" as one number each; return whether that was done, or nothing can be read."""
    after = reader.after and not reader.nouns and token.start - reader.run.tokens[-1].end <= 1
    row = reader.tokens[index + 1 : index + 7]
    if row and row[0].type == "NUM" and row[0].start == token.end:
        if len(row[0].value) != 2 or not row[0].value.isdecimal() or row[0].value[1] == "0" or after:
            reader.poison()
        else:
            reader.skip = index + 2
            num(reader, index, Token("NUM", "/".join(row[0].value), token.start, row[0].end))
        return True
    if not after:
        return False
    last = reader.run.tokens[-1]
    above, below = (row[1].value, row[4].value) if len(row) == 6 else ("", "")
    if not (
        last.type == "NUM" and last.value.isdecimal() and above.isdecimal() and below.isdecimal() and len(last.value + above + below) < 20
        and [piece.type for piece in row] == ["LPAR", "NUM", "RPAR", "LPAR", "NUM", "RPAR"] and 0 < int(above) < int(below)
    ):  # fmt: skip
        reader.poison()
        return True
    reader.run.tokens[-1] = Token("NUM", f"{int(last.value) * int(below) + int(above)}/{int(below)}", last.start, row[5].end)
    reader.skip = index + 7
    return True


def _doubt_juxtaposed(reader: Reader) -> None:
    """Doubt "6 / 2(1 + 2)": whether the division or the product that has no sign comes first is not agreed upon."""
    tokens = reader.run.tokens
    depth = 0
    for position in range(len(tokens) - 1, max(-1, len(tokens) - 40), -1):
        kind = tokens[position].type
        depth += (kind == "RPAR") - (kind == "LPAR")
        if kind == "OP" and depth == 0:
            if tokens[position].value == "/":
                reader.run.doubt = reader.run.doubt or "whether its division or its product without a sign comes first is not agreed upon"
            if tokens[position].end > tokens[position].start:
                return


def lpar(reader: Reader, index: int, token: Token) -> None:
    before = reader.token(index - 1)
    glued = before is not None and before.end == token.start
    reader.settle()
    run = reader.run
    if reader.after:
        fraction = bool(reader.parens) and reader.parens[-1] == "between"
        if fraction:
            reader.parens[-1] = "below"
            run.tokens.append(token)
            reader.after = False
            return
        if glued and not reader.nouns and run.tokens[-1].type in ("NUM", "RPAR"):
            _doubt_juxtaposed(reader)
            if "." in run.tokens[-1].value:
                run.doubt = run.doubt or "its brackets may hold digits that repeat"
            reader.operate(Token("OP", "*", token.start, token.start))
        else:
            following = reader.token(index + 1)
            if following is not None and following.type == "OP" and following.value == "mod":
                run.doubt = run.doubt or "it is a congruence"
            reader.finish("(")
            reader.bad = True
            run = reader.run
    elif glued and before is not None and before.type in ("WORD", "OPAQUE", "X", "SKIP"):
        reader.poison()
        return
    frac = bool(run.tokens) and run.tokens[-1].type == "FRAC"
    if not run.tokens:
        opens = reader.opens
        reader.opens = True
        reader.begin()
        reader.opens = opens
    if len(reader.parens) >= DEPTH_LIMIT:
        run.limit = f"its parentheses are more than {DEPTH_LIMIT} deep"
        reader.parens.append("(")
        return
    reader.settle()
    run.tokens.append(token)
    reader.parens.append("above" if frac else "(")


def rpar(reader: Reader, index: int, token: Token) -> None:
    run = reader.run
    if not reader.parens:
        if reader.after:
            reader.finish(")")
            following = reader.token(index + 1)
            reader.bad = following is not None and (following.start == token.end or following.type in ("OP", "X"))
        elif run.tokens:
            reader.drop_last()
            reader.finish(")")
        reader.lead = None
        return
    if not reader.after:
        reader.poison()
        return
    if len(reader.parens) > DEPTH_LIMIT:
        reader.parens.pop()
        return
    kind = reader.parens.pop()
    run.tokens.append(token)
    reader.nouns = 0
    if kind == "above":
        reader.parens.append("between")
        following = reader.token(index + 1)
        if following is None or following.type != "LPAR":
            reader.poison()


def open(reader: Reader, index: int, token: Token) -> None:
    if reader.after:
        reader.finish("word")
        reader.bad = True


def close(reader: Reader, index: int, token: Token) -> None:
    if reader.after and reader.run.relations:
        reader.relate("=", token)
    elif reader.run.tokens:
        reader.finish(">>")
