"""Prompts: whether one corrects what the agent did, or asks it to do it again, and what all of a session's say about its outcome.

English only. A prompt is read by its sentences: what it quotes (code, texts in quotation marks, lines of ">") is not what its author says, and of
questions only those count that ask for it ("can you undo that?").
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ebmhw.karl.trajectory import Outcome

CORRECTION, REDO = "correction", "redo"

HEAD_CHARS = 2000
"""Characters of a prompt that are read: who corrects says so first, and logs and files are pasted below."""

_SENTENCES = 60

_PLAIN = {0x2018: "'", 0x2019: "'", 0x2010: "-", 0x2011: "-", 0x2013: "-", 0x2014: "-"}
"""Typographic apostrophes and dashes, as keyboards have them."""

# Every quantifier is bounded, and so is the text.
_QUOTED = re.compile(
    r"""```[\s\S]{0,2000}?(?:```|\Z) | `[^`\n]{1,300}` | "[^"\n]{1,300}" | “[^”\n]{1,300}” | «[^»\n]{1,300}»
    | (?<!\w)'[^'\n]{1,300}'(?!\w) | ^[ \t]{0,8}>[^\n]{0,2000} | <(?P<tag>[a-z][a-z-]{1,30})>[\s\S]{0,2000}?</(?P=tag)>""",
    re.VERBOSE | re.MULTILINE,
)
_BETWEEN = re.compile(r"(?<=[.!?])[\s]{1,8}|\n{1,8}")

_THAT = r"(?:that|this|it|these|those|everything|your \w{1,20})"
_IS = (
    r"(?:(?:'s|'re| is| are| was| were| looks?| seems?)(?: (?:still|just|all|also|completely|totally|simply|clearly|plain|plainly|now|really)){0,2})"
)
_LEAD_WORD = r"ok|okay|hm+|um+|uh|ah|oh|wait|hey|sorry|well|but|and|so|no+|nope|nah|please|unfortunately|actually|still|thanks|hold on"
_LEAD = rf"(?:(?:{_LEAD_WORD})\b[ ,.!:;-]{{0,4}}){{0,4}}"
_CLAUSE = rf"(?:^|[,;:.!(] {{0,3}}| - |\bbut |\bi (?:think|believe|guess|fear) )(?:{_LEAD})"
"""Where a clause starts: "if it is wrong" tells nothing."""

_PIECE = (
    r"(?:file|approach|function|branch|one|place|direction|way|line|order|command|folder|directory|version|method|test|answer|repo|module|table"
    r"|name|path)"
)
_FIX = r"(?:fix|change|patch|code|solution|answer)"
_OFTEN = r"(?:(?:just|also|still|again|completely|totally|clearly) ){0,2}"

_FIRST = "|".join(  # how a sentence that corrects starts
    (
        r"(?:no+|nope|nah)\b[ ,.!:;-]{1,4}(?:wait|actually|i (?:mean|meant|want|wanted|said|asked|need|was)|not\b|instead)",
        r"(?:no+|nope|nah)\b[ ,.!:;-]{1,4}(?:please )?(?:don't|do not|stop|use|put|keep|leave|make)\b(?! (?:worry|mind|bother))",
        r"(?:no+|nope|nah)\b[ ,.!:;-]{1,4}(?:you (?:should|need|have|are|were|did|must)|(?:it|they) should|the other)",
        r"(?:no+|nope|nah)\b[ ,.!:;-]{1,4}(?:that|this)(?:'s| is) (?:not|the)",
        r"i meant\b",
        r"i (?:said|told you|asked)(?: (?:you|for|to|that|not))?\b(?! (?:yes|ok|thanks))",
        r"i (?:did not|didn't|never) (?:ask|want|mean|say|tell)",
        r"(?:stop|quit) \w{2,20}ing (?:my|the|that|this|it|them|these|those|so|all|any|new|\w{2,20}s)\b",
        r"(?:don't|do not) do (?:that|this|it)\b",
        rf"(?:the |that's the |this is the |it's the )?wrong {_PIECE}\b",
        r"(?:wrong|incorrect)(?: again)? {0,2}(?:[.!,:;]|$)",
        r"i (?:wanted|needed|meant) [^.!?;]{1,80}, not\b",
        r"you keep \w{2,20}ing\b",
        r"not (?:what i\b|like (?:that|this)\b|quite[,.:;]|(?:that|this) (?:one|file|way)\b)",
        r"actually[ ,]{1,3}(?:i (?:meant|wanted|need|asked|said)|that's not|no\b|don't|it should)",
        r"(?:what )?i (?:actually )?(?:wanted|meant) (?:was|is)\b",
        r"why did you (?:delete|remove|break|ignore|skip|overwrite|undo|drop|disable)\b",
    )
)
_ANYWHERE = "|".join(
    (
        rf"{_CLAUSE}{_THAT}{_IS} (?:wrong|incorrect|mistaken|broken|worse|not (?:right|correct|what (?:i|we)|it\b|true|working|how))",
        rf"{_CLAUSE}{_THAT}{_IS} (?:a|the) (?:mistake|opposite|wrong)",
        rf"{_CLAUSE}the \w{{1,20}}{_IS} (?:wrong|incorrect|not (?:right|correct))\b",
        rf"{_CLAUSE}{_THAT} (?:isn't|aren't|wasn't|weren't) (?:right|correct|what (?:i|we)|it\b|true|how|working)",
        rf"{_CLAUSE}(?:that|this|it|your {_FIX}) (?:still )?(?:did not|didn't|does not|doesn't|isn't|won't) (?:work|help|fix|compile|build|solve)",
        rf"{_CLAUSE}(?:that|this|it|your {_FIX}) still (?:fails|crashes|breaks|errors|hangs|shows|throws|gives)",
        rf"{_CLAUSE}the \w{{1,20}} still (?:fails|crashes|doesn't|does not|isn't|is not)\b",
        rf"{_CLAUSE}(?:that|this|it|your {_FIX}) (?:now |just )?(?:breaks|broke)\b",
        rf"{_CLAUSE}you (?:didn't|did not|haven't|have not|never|left out)\b",
        r"\bnot what i (?:asked|meant|wanted|said|need|had)",
        rf"\byou(?:'ve| have)? {_OFTEN}(?:broke|broken|forgot|forgotten|missed|misunderstood|misread|ignored|messed|screwed|skipped|overwrote)\b",
        rf"\byou(?:'ve| have)? {_OFTEN}got (?:it|that|this) wrong\b",
        rf"\byou(?:'re| are| were) {_OFTEN}(?:wrong|mistaken|incorrect|missing the point)",
        r"\byou (?:deleted|removed|changed|edited|used|picked|modified|renamed|moved) the wrong\b",
        r"\byou (?:(?:were|are) (?:not )?supposed to|should not have|shouldn't have)\b",
    )
)
_CORRECTIONS = re.compile(rf"^{_LEAD}(?:{_FIRST})|{_ANYWHERE}")

_ASKING = (
    r"(?:(?:can|could|would|will) (?:you|we) (?:please |just )?|(?:i'd like|i want|i need) you to |let's (?:just )?"
    r"|you (?:should|need to|must|have to) |just |then |now |maybe )"
)
_OURS = r"(?:that|this|it|all of (?:it|that|this)|them|these|those|everything|your|(?:the|my) last|the previous|the changes?|the edits?|what you)"
_ENDS = r"(?: please)? {0,2}(?:[.!,?;]|$)"
_AGAIN = "|".join(  # what is asked for
    (
        r"(?:re)?try (?:it |that |this |the \w{1,20} |once ){0,2}(?:again|once more|one more time|(?:another|a different) (?:way|approach))",
        rf"retry(?:{_ENDS}| (?:that|this|it|please)\b)",
        r"(?:give|have) (?:it|that|this) another (?:try|go|shot)",
        r"re-?do\b(?![/-])",
        r"do (?:it|that|this|the \w{1,20}) (?:all )?(?:over|again|once more)",
        rf"undo(?:{_ENDS}| {_OURS}\b)",
        rf"revert(?:{_ENDS}| (?:{_OURS}|back)\b)",
        r"(?:revert|go|switch|change (?:it|that|this)) back to (?:what|how|the (?:old|original|previous|first|earlier|last))\b",
        r"(?:revert|roll back|undo) (?:to the (?:old|original|previous|first|earlier|last)|the \w{1,20} you)\b",
        r"roll (?:it|that|this|everything|your \w{1,20}|the changes?) back\b",
        rf"roll ?back {_OURS}\b",
        r"(?:start|begin) (?:(?:all )?over|again|from scratch|afresh)\b",
        r"put (?:it|that|them|everything) back\b",
        r"(?:restore|bring back) (?:what you|the (?:old|original|previous|deleted|removed))\b",
        rf"(?:once more|one more time|again){_ENDS}",
    )
)
_REDOS = re.compile(rf"(?:^|[,;:.!?] {{0,3}}| - |\band |\bthen |\bso |\bplease ){_LEAD}{_ASKING}{{0,2}}(?:please )?/?(?:{_AGAIN})")

_FINE = re.compile(r"\bno\b[ ,.!:;-]{1,4}(?:that(?:'s| is)|this is|it(?:'s| is)) (?:all|fine|good|great|ok|okay|correct|right|perfect|enough)")
_WISH = re.compile(r"\b(?:can|could|would|will) (?:you|we)\b")
_RHETORICAL = re.compile(rf"^{_LEAD}(?:why did you|did(?:n't| not) i|i (?:said|asked|told)|no[ ,]|that's not|not what)")


_WORD = re.compile(r"[^\W\d_]{1,40}(?:'[a-z]{1,3})?(?![\w./\\(])")
_ENGLISH = frozenset(
    re.findall(
        r"[a-z']+",
        "about add after again all always and any are at be because before but call can change check code could create delete did do does doing "
        "done don't each edit everything explain fail fails file files find first fix for from function get give go good got great have help "
        "here hey hi hello how i'd i'll i'm if implement instead into isn't it it's its just keep know last let let's lgtm like line look make "
        "more my need never new next not nothing now of off on once one only open or other our out please problem push read really refactor "
        "remove rename revert right run same see set should show some something sounds still stop sure switch take tests than thank thanks that "
        "that's the them then there these they thing things think this those to too try two undo until up update us use using very want we well "
        "were what what's when where which why with without won't works would write wrong yeah yep yes yet you your",
    )
)
_SHARED = frozenset(re.findall(r"\w+", "a also an as commit continue error i in is me no nope ok okay perfect so test was will"))
"""English words that other languages have too: they count where there are two words at most."""


def asks_for(prompt: str) -> str | None:
    """Return what a prompt asks for: "correction", "redo", or None for neither; a prompt that is both is a correction, which weighs more.

    Takes time linear in the length of what it reads, of which there is `HEAD_CHARS` at most.
    """
    found = None
    for sentence in _sentences(prompt):
        asked = sentence.endswith("?")
        if _CORRECTIONS.search(sentence) and not _FINE.search(sentence) and (not asked or _RHETORICAL.match(sentence)):
            return CORRECTION
        if found is None and _REDOS.search(sentence) and (not asked or _WISH.search(sentence)):
            found = REDO
    return found


def outcome_of(prompts: Sequence[str], builds: Sequence[bool]) -> Outcome:
    """Return what is known of a session's outcome from what its user said and what its builds gave.

    Parameters
    ----------
    prompts : all of the session's, in their order; the first gives the task, later ones judge
    builds : whether each command that built passed, in their order, those left out of which that is not known

    Where a later prompt is in another language, correction, redo and continued are only known if another prompt tells.
    """
    later = [asks_for(prompt) for prompt in prompts[1:]]
    build = builds[-1] if builds else None
    if not later:
        return Outcome(build=build)
    corrections, redos = later.count(CORRECTION), later.count(REDO)
    plain = [in_english(prompt) for prompt, kind in zip(prompts[1:], later, strict=True) if kind is None]
    # What cannot be read may be a complaint: it is no praise.
    known = all(plain)
    return Outcome(
        correction=True if corrections else False if known else None,
        redo=True if redos else False if known else None,
        build=build,
        continued=True if any(plain) else False if known else None,
        corrections=corrections,
    )


def in_english(prompt: str) -> bool:
    """Tell whether a prompt is in words that `asks_for` would know: English, or no words at all (a path, a number, code)."""
    text = _QUOTED.sub(" ", prompt[:HEAD_CHARS].translate(_PLAIN).lower())
    words = _WORD.findall(text)
    return not words or any(word in _ENGLISH or (word in _SHARED and len(words) <= 2) for word in words)


def _sentences(prompt: str) -> list[str]:
    text = prompt[:HEAD_CHARS].translate(_PLAIN).lower()
    return [" ".join(sentence.split()) for sentence in _BETWEEN.split(_QUOTED.sub(" quoted ", text), _SENTENCES)[:_SENTENCES] if sentence.strip()]
