"""Words: tokens of a sentence, and the normal forms that make "isn't mortal" and "is not a mortal" meet."""

from __future__ import annotations

import re

TOKEN = re.compile(
    r"<->|<=>|-->|==>|->|=>|&&|\|\||>=|<=|!=|==|[A-Za-z][A-Za-z0-9_]*(?:['\u2019-][A-Za-z]+)*['\u2019]?|\d+(?:[.,:]\d+)*|[^\sA-Za-z0-9]"
)


def word_set(text: str) -> frozenset[str]:
    """Return the set of the words of a text."""
    return frozenset(text.split())


BE = word_set("is are was were am")
AUXILIARIES = BE | word_set("has have had does do did can could will would should shall must may might")
PRONOUNS = word_set(
    """
    it he she they we you i this that these those there everyone everybody everything someone somebody something
    """
)
DETERMINERS = word_set("the a an this that these those my your his her its our their")
ARTICLES = word_set("a an")
LETTER = re.compile(r"[A-Za-z]\d?'?\Z")
"""A sentence letter, such as p, Q or A1."""

HEDGES = word_set(
    """
    maybe perhaps possibly probably likely unlikely might may could suppose assume assuming say says said saying claim claims claimed think
    thinks thought believe believes believed want wants hope hopes seem seems seemed appear appears appeared guess unclear whether longer later
    initially eventually meanwhile sometimes usually often typically generally mostly almost nearly about according becomes became become when
    while until since yesterday today tomorrow now already still again most many few several what who which how why where whose whom let except
    besides otherwise depending unknown
    """
)
"""Words that make a sentence uncertain, timed, quoted or partial: it is then not read."""

_CONTRACTED = {"can't": "can", "won't": "will", "shan't": "shall", "cannot": "can"}
_IRREGULAR = {
    "men": "man", "women": "woman", "people": "person", "children": "child", "mice": "mouse", "geese": "goose", "feet": "foot", "teeth": "tooth",
    "oxen": "ox", "wolves": "wolf", "knives": "knife", "leaves": "leaf", "lives": "life", "wives": "wife", "thieves": "thief", "halves": "half",
    "species": "species", "series": "series", "fish": "fish", "sheep": "sheep", "deer": "deer", "buses": "bus", "gases": "gas",
}  # fmt: skip
_PASTS = {
    past: plain
    for pair in [
        "ate/eat",
        "became/become",
        "began/begin",
        "bit/bite",
        "blew/blow",
        "bought/buy",
        "broke/break",
        "brought/bring",
        "built/build",
        "came/come",
        "caught/catch",
        "chose/choose",
        "did/do",
        "drank/drink",
        "drew/draw",
        "drove/drive",
        "fell/fall",
        "fed/feed",
        "felt/feel",
        "flew/fly",
        "forgot/forget",
        "fought/fight",
        "found/find",
        "froze/freeze",
        "gave/give",
        "got/get",
        "grew/grow",
        "held/hold",
        "heard/hear",
        "hid/hide",
        "kept/keep",
        "knew/know",
        "left/leave",
        "lost/lose",
        "made/make",
        "met/meet",
        "paid/pay",
        "ran/run",
        "rang/ring",
        "rode/ride",
        "rose/rise",
        "sang/sing",
        "sank/sink",
        "sat/sit",
        "saw/see",
        "sent/send",
        "shook/shake",
        "shot/shoot",
        "slept/sleep",
        "slid/slide",
        "sold/sell",
        "spoke/speak",
        "spent/spend",
        "stole/steal",
        "stood/stand",
        "stuck/stick",
        "swam/swim",
        "swore/swear",
        "taught/teach",
        "threw/throw",
        "told/tell",
        "took/take",
        "understood/understand",
        "went/go",
        "woke/wake",
        "won/win",
        "wore/wear",
        "wrote/write",
    ]
    for past, plain in [pair.split("/")]
}
_NO_PASTS = word_set("hundred sacred naked wicked kindred hatred rugged crooked gifted talented limited")
_VERBS = {"has": "have", "does": "do", "goes": "go", "is": "be", "are": "be"}


def tokens_of(sentence: str) -> list[str]:
    """Return the words and signs of a sentence, contractions written out (``isn't`` gives ``is``, ``not``) and emphasis left out."""
    found: list[str] = []
    if "**" in sentence or "__" in sentence:
        sentence = sentence.replace("**", "").replace("__", "")
    for token in TOKEN.findall(sentence):
        if token[0].isalpha() and ("'" in token or "\u2019" in token or len(token) == 6):
            found.extend(_expanded(token.replace("\u2019", "'")))
        else:
            found.append(token)
    return found


def _expanded(token: str) -> list[str]:
    low = token.lower()
    if low in _CONTRACTED:
        return [_CONTRACTED[low], "not"]
    if low.endswith("n't"):
        return [token[:-3], "not"]
    if low in ("it's", "he's", "she's", "that's", "there's", "who's"):
        return [token[:-2], "is"]
    if low in ("they're", "we're", "you're"):
        return [token[:-3], "are"]
    return [token]


def lower(tokens: list[str]) -> list[str]:
    """Return tokens in small letters, except sentence letters, where p and P may be two."""
    return [token if len(token) == 1 else token.lower() for token in tokens]


def singular(word: str) -> str:
    """Return the singular of an English noun, and words that are none as they are."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is", "ous")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zzes")):
        return word[:-2]
    return word[:-1]


def is_plural(word: str) -> bool:
    """Tell whether a noun is a plural, as far as its form shows."""
    return singular(word) != word


def verb(word: str) -> str:
    """Return the plain form of a verb in the present: ``flies`` gives ``fly``."""
    if word in _VERBS:
        return _VERBS[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zzes", "oes")):
        return word[:-2]
    return word[:-1]


def past(word: str) -> str | None:
    """Return the plain form, without a final "e", of a verb in the past: ``went`` gives ``go``, ``closed`` gives ``clos``; None for other words."""
    if word in _PASTS:
        return stem(_PASTS[word])
    if len(word) < 5 or not word.endswith("ed") or word.endswith("eed") or word in _NO_PASTS:
        return None
    if word.endswith("ied"):
        return word[:-3] + "y"
    left = word[:-2]
    return left[:-1] if len(left) > 3 and left[-1] == left[-2] and left[-1] not in "sl" else left


def stem(word: str) -> str:
    """Return a plain verb without its final "e", as its past shows it."""
    return word[:-1] if word.endswith("e") and len(word) > 2 else word


def is_finite(word: str) -> bool:
    """Tell whether a word looks like a verb of the third person or of the past."""
    return verb(word) != word or word.endswith("ed") or word in _PASTS or word == "never"


def noun_key(tokens: list[str]) -> str:
    """Return the normal form of a noun phrase or adjective: no article, last word singular."""
    kept = list(tokens)
    while len(kept) > 1 and kept[0] in ARTICLES:
        kept = kept[1:]  # "a" alone is a letter: "all a are b"
    return " ".join([*kept[:-1], singular(kept[-1])]) if kept else ""


def subject_key(tokens: list[str]) -> str:
    """Return the normal form of a subject: in small letters, without "the"."""
    kept = [token.lower() for token in tokens]
    while len(kept) > 1 and kept[0] in ("the", "a", "an"):
        kept = kept[1:]
    return " ".join(kept)
