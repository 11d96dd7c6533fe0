"""Reader: the state of one pass over a token stream, and what every token may do to the run that is open."""

from __future__ import annotations

from typing import final

from ebmhw.verify.arithmetic.limits import TOKENS_LIMIT
from ebmhw.verify.arithmetic.token import Token
from ebmhw.verify.arithmetic.words import HALVES, LABELS, LEADS, RANGES

NOUNS_LIMIT = 8
"""Words that may follow a number before an operator or relation: "5 large red apples + 3 = 8"."""

STARTS = frozenset(("NUM", "LOOSE", "CUR", "LPAR", "FN", "LFN", "FRAC", "OPEN"))
"""Types of tokens that begin a value."""


@final
class Run:
    """Tokens that may be one statement, and what stood around them.

    Attributes
    ----------
    tokens : for the grammar
    relations : how many of them are relations
    cut : the first side is the rest of something larger ("x + 3 = 7")
    torn : the last side is the beginning of something larger ("= 40 + x")
    doubt : why a mismatch may not be an error, or ""
    opens : behind a stop, a line or the beginning: nothing stands before it in its sentence
    closes : what ended it: ".", "?", "\\n", ",", "word", ...
    nouns : indices of sides that have plain words behind a number
    asks, answers : the words that announce a goal or an answer, or ""
    target : the unit that the question asks for, or ""
    negated : behind "is not"
    leads : it begins with a relation ("= 42.")
    limit : a limit that it passes, or ""
    label : its first number may be a name ("Week 2 = ...")
    more : it says "5 more than" or "less than" without "is"
    compares : a word behind it says the direction of a difference
    """

    __slots__ = (
        "answers",
        "asks",
        "closes",
        "compares",
        "cut",
        "doubt",
        "label",
        "leads",
        "limit",
        "more",
        "negated",
        "nouns",
        "opens",
        "property",
        "question",
        "ranged",
        "relations",
        "target",
        "tokens",
        "torn",
    )  # fmt: skip

    def __init__(self) -> None:
        self.tokens: list[Token] = []
        self.relations = 0
        self.cut = self.torn = self.opens = self.negated = self.leads = self.label = self.question = self.ranged = False
        self.compares = self.more = False
        self.property = self.doubt = self.closes = self.asks = self.answers = self.target = self.limit = ""
        self.nouns: set[int] = set()


@final
class Reader:
    """The state of a pass over the tokens of a text.

    Parameters
    ----------
    tokens : of the text
    question : whether the text is a question
    """

    def __init__(self, tokens: list[Token], question: bool) -> None:
        self.tokens, self.question = tokens, question
        self.found: list[Run] = []
        self.yes: list[tuple[Token, bool]] = []
        self.retracted: list[int] = []
        """How many runs had been found at each "wait", "actually", ..."""
        self.wrong_runs: list[tuple[int, int, str]] = []
        """Runs of a sentence that says that something is wrong, claimed or asked: (first, behind the last, how)."""
        self.run = Run()
        self.after = False
        self.nouns = 0
        self.parens: list[str] = []
        self.lists = self.words = False
        self.is_: Token | None = None
        self.not_ = False
        self.bad = False
        self.opens = True
        self.lead: Token | None = None
        self.asks = self.answers = self.target = self.verb = ""
        self.wrong_before = self.foreign = self.choice = False
        self.previous = self.not_end = 0
        self.wrong = ""
        """ "denied", "claimed", "asked" or (of versions) "version", where the sentence says so of what it holds."""
        self.about = self.asked = self.dashed = self.tied = False
        self.sentence = 0
        self.skip = 0

    def token(self, index: int) -> Token | None:
        """Return a token by its index, None where there is none."""
        return self.tokens[index] if 0 <= index < len(self.tokens) else None

    def begin(self) -> None:
        """Note what stands before the first token of a run."""
        run = self.run
        self.settle()
        if run.tokens:
            return
        run.opens = self.opens or (bool(self.asks or self.answers))
        run.cut = self.bad
        if self.dashed:
            run.doubt = run.doubt or "a dash stands before it"
        elif self.tied:
            run.doubt = run.doubt or "it may belong to the number before it"
        self.bad = self.dashed = self.tied = False
        run.asks, run.answers, run.target = self.asks, self.answers, self.target
        run.question = self.asked
        if self.about:
            run.answers = run.answers and "about " + run.answers
        lead = self.lead
        if lead is not None and not self.opens:
            if lead.type in ("WORD", "SKIP", "RESULT", "PER", "IN", "OF", "MORE", "LFN", "UNIT"):
                word = lead.value
                run.label = word in LABELS or (lead.type == "WORD" and word not in LEADS) or lead.type in ("PER", "IN", "OF", "MORE")
                run.ranged = word in RANGES
                if word in HALVES or lead.type in ("OF", "PER", "MORE", "IN", "LFN"):
                    run.doubt = run.doubt or f'what stands before it ("{word or lead.type.lower()}") may be a part of it'
            elif lead.type == "IF":
                run.doubt = "it is only supposed"
            elif lead.type == "NOT":
                run.doubt = "it is said not to hold"

    def settle(self) -> None:
        """Turn an "is" that waits into a relation, now that a value follows."""
        if self.is_ is None:
            return
        run = self.run
        if run.tokens and self.after:
            token = self.is_
            if self.not_:
                token = Token("IS", token.value, token.start, self.not_end)
            self.relate("!=" if self.not_ else ("~" if self.about else "="), token, worded=True)
        self.is_ = None
        self.not_ = self.about = False

    def relate(self, sign: str, token: Token, worded: bool = False) -> None:
        """Add a relation behind a value; within parentheses the run begins behind the last that is open."""
        run = self.run
        if self.parens:
            depth = 0
            for position in range(len(run.tokens) - 1, -1, -1):
                kind = run.tokens[position].type
                depth += (kind == "RPAR") - (kind == "LPAR")
                if depth < 0:
                    break
            inner = Run()
            inner.tokens, inner.nouns, inner.opens = run.tokens[position + 1 :], run.nouns, True
            inner.limit = run.limit
            self.run = run = inner
            self.parens.clear()
        if self.nouns:
            run.nouns.add(run.relations)
        if run.more and not worded:
            run.doubt = run.doubt or '"more than" may compare'
        if worded and run.relations == 0 and not run.limit:
            self.word_relation(run)
        run.tokens.append(Token("REL", sign, token.start, token.end))
        run.relations += 1
        if len(run.tokens) > TOKENS_LIMIT:
            self.cut_short()
        self.after, self.nouns, self.lists, self.tied, self.words = False, 0, False, False, False

    def word_relation(self, run: Run) -> None:
        """Doubt "is" behind what may be a range or a size: "10 - 20 is", "3 x 4 boards is"."""
        operators = [token.value for token in run.tokens if token.type == "OP"]
        if not run.doubt and run.label and not run.question:
            run.doubt = "the words before it may belong to it"
        if operators == ["*"] and self.nouns and not run.question:
            run.doubt = run.doubt or "it may be a size"

    def operate(self, token: Token) -> None:
        run = self.run
        if self.lists and not self.parens:
            run.doubt = run.doubt or "it is not plain where the list ends"
        if self.nouns:
            run.nouns.add(run.relations)
        run.tokens.append(token)
        if token.value in "+-" and self.words and not self.parens:
            run.doubt = run.doubt or 'what "half of" and its like take is not plain'
        self.after, self.nouns, self.tied = False, 0, False
        if len(run.tokens) > TOKENS_LIMIT:
            self.cut_short()

    def cut_short(self) -> None:
        """Keep no more than the limit of a run that is too long to be judged."""
        self.run.limit = f"it has more than {TOKENS_LIMIT:,} numbers and signs"
        del self.run.tokens[TOKENS_LIMIT:]

    def poison(self) -> None:
        """Drop the side that is open: it holds something that is no number. The sides before it stay."""
        if self.run.tokens:
            self.drop_side()
            self.finish("opaque")
        self.clear()
        self.bad, self.opens, self.lead = True, False, None

    def drop_side(self) -> None:
        run = self.run
        if run.relations:
            while run.tokens and run.tokens[-1].type != "REL":
                run.tokens.pop()
        else:
            run.tokens.clear()
        run.torn = True

    def drop_last(self, keep: bool = False) -> None:
        """Drop the side that is open where it ends in an operator; a relation alone is dropped without the sides before it."""
        run = self.run
        if run.tokens and run.tokens[-1].type != "REL":
            self.drop_side()
        if keep and run.tokens and run.tokens[-1].type == "REL" and run.relations == 1:
            run.asks = run.asks or "value"

    def finish(self, closes: str, index: int | None = None) -> None:
        """End the run; keep it where it may be a statement."""
        run = self.run
        tokens = run.tokens
        self.is_, self.not_ = None, False
        if self.nouns:
            run.nouns.add(run.relations)
        while tokens and tokens[-1].type == "REL":
            tokens.pop()
            run.relations -= 1
            run.torn = True
        run.closes = closes
        if self.parens and tokens and not run.limit:
            # An open bracket that nothing closes: what stands before it is torn, what stands in it is a run of its own only with a relation.
            tokens.clear()
        if (
            tokens
            and (run.relations or run.asks or run.answers or run.opens or run.question or run.limit or tokens[-1].type == "PROP" or run.property)
        ) or any(token.type == "PROPBY" for token in tokens):
            self.found.append(run)
        self.parens.clear()
        self.run = Run()
        self.after = self.lists = self.words = self.tied = False
        self.nouns = 0
        self.opens = False
        self.lead = None
        self.clear()

    def clear(self) -> None:
        self.asks = self.answers = self.target = self.verb = ""
        self.about = self.asked = False

    def end_sentence(self) -> None:
        count = len(self.found)
        if self.wrong:
            self.wrong_runs.append((self.previous if self.wrong_before else self.sentence, count, self.wrong))
            self.wrong, self.wrong_before = "", False
        if count > self.sentence:
            self.previous = self.sentence
        self.sentence = count
