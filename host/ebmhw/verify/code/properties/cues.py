"""Cues: words that say something of a result without defining it; each property must also hold of the examples, and says only what its words say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ebmhw.verify.code.properties.prompt import Prompt
from ebmhw.verify.code.properties.property import Property
from ebmhw.verify.code.properties.words import Sentence


class Cue(NamedTuple):
    """Words, and what they say of a result.

    Attributes
    ----------
    name : of the property
    words : a regular expression of a sentence's words (see `Sentence`)
    definition : what they say
    body : Python that raises where it does not hold; {one} is the first parameter of ``takes``
    takes : the class of values that a parameter must have in all examples, or None
    gives : the classes of values that the result must have in all examples
    unless : words anywhere in the description that withdraw it, as a regular expression
    examples : how many examples it needs
    """

    name: str
    words: str
    definition: str
    body: str
    takes: type | None = None
    gives: tuple[type, ...] = ()
    unless: str = r"(?!)"
    examples: int = 1


_LINES = (
    Cue(
        "truth value",
        r"(returns?|should return) true\b.*|whether or not|^(check|checks|test|determine|evaluate) (if|whether)",
        "its result is True or False",
        "if plain(got) is not True and plain(got) is not False: raise Broken(got, 'is not', 'True or False', '')",
        None,
        (bool,),
        r"\bstring\b.*\byes\b",
        2,
    ),
    Cue(
        "a number of things",
        r"^((return|count|find|output|compute)s? ?)?(number of|how many|count of)|(return|count|find)s? (number of|how many)",
        "its result is a whole number of at least 0",
        "if not isinstance(got, int) or got < 0: raise Broken(got, 'is not', 'a whole number of at least 0', '')",
        None,
        (int,),
        r"-\d|minus|negative|signed|degrees",
    ),
    Cue(
        "ascending",
        r"returns? sorted (list|unique)|sorted in (ascending|increasing) order|in (ascending|increasing) order$",
        "its result is in ascending order",
        "if any(x > y for x, y in zip(got, got[1:])): raise Broken(got, 'is not', 'in ascending order', '')",
        None,
        (list, tuple),
        r"descending|decreasing|reverse|\bif\b|\bsum\b|\bones\b|\blength\b|whether"
        r"|(given|takes?|input|from|into|with) (\w+ ){0,4}(sorted )?in (asc|inc)",
        2,
    ),
    Cue(
        "distinct",
        r"returns? (sorted )?(list of )?unique|without duplicates|remove all elements that occur more than once",
        "no element of its result stands in it twice",
        "if any(got.count(x) > 1 for x in got): raise Broken(got, 'is not', 'without repeated elements', '')",
        None,
        (list, tuple),
    ),
    Cue(
        "part of the argument",
        r"^(filter|remove|delete|return only|from list of \w+ remove)",
        "its result holds elements of its argument, in their order",
        "if not subsequence(got, before): raise Broken(got, 'is not', 'made of elements of ' + repr(before) + ' in their order', '')",
        list,
        (list,),
        r"\bsort|revers|replace|\border of\b|duplic|unique|distinct",
    ),
    Cue(
        "rearrangement",
        r"returns? (list|it|copy of (given )?(list|array)) (in \w+ order|after sorting)|^sorts? (given )?(list|array)|have to sort (list|array)",
        "its result holds the elements of its argument",
        "if counted(got) != counted(before): raise Broken(got, 'is not', 'a rearrangement of ' + repr(before), '')",
        list,
        (list,),
        r"\bunique|distinct|duplic|remov|filter|delet|discard|ignor|drop|without|\bonly\b.*\belements\b|\b(first|last|top|largest|smallest) \w+",
        2,
    ),
    Cue(
        "same length",
        r"elements incremented by|array of same length|list of same length|each element (is|replaced)|for each (of )?(group|element|number)",
        "its result is as long as its argument",
        "if len(got) != len(before): raise Broken(got, 'is not', 'of length ' + str(len(before)), '')",
        list,
        (list,),
        r"filter|remov|less than|greater|\bonly\b|skip|drop|discard|duplic|unique|distinct|ignor",
        2,
    ),
    Cue(
        "palindrome",
        r"^(find|return|returns) (shortest|longest|smallest|next) palindrome",
        "its result is a palindrome",
        "if str(got) != str(got)[::-1]: raise Broken(got, 'is not', 'a palindrome', '')",
        None,
        (str, int),
    ),
    Cue(
        "starts with the argument",
        r"(palindrome|string|word) that (begins|starts) with (supplied|given) string",
        "its result starts with its argument",
        "if not got.startswith(before): raise Broken(got, 'does not start with', repr(before), '')",
        str,
        (str,),
    ),
    Cue(
        "one of the elements",
        r"^(out of list of \w+ )?returns? ((longest|shortest) (one|word|string|text|element|item|name|list)\b|word with maximum number"
        r"|(2nd|second) (smallest|largest) element)",
        "its result is an element of its argument, or None",
        "if got is not None and got not in before: raise Broken(got, 'is not', 'an element of ' + repr(before), '')",
        list,
        (),
        r"\bthat (can|could|is not|do|does)|concatenat|combin|common|prefix|suffix|substring|sub-?sequence",
    ),
    Cue(
        "leaves its argument",
        r"don't change (given|input|original)|(do|does|should|must) not (change|modify|mutate) (given|input|original|its|argument)",
        "it does not change its arguments",
        "if kept != before: raise Broken(kept, 'is not as it was', repr(before), '')",
        list,
        (),
    ),
)


def implied(prompt: Prompt, said: Sequence[Sentence], hull: Mapping[str, str]) -> list[Property]:
    """Return what the words of a prompt say of its function's result, where the examples are of the classes that the words ask for."""
    found = []
    whole = " ".join(sentence.text for sentence in said)
    for cue in _LINES:
        match = next(filter(None, (re.search(cue.words, sentence.text) for sentence in said)), None)
        if match is None or re.search(cue.unless, whole) or len(prompt.examples) < cue.examples:
            continue
        if cue.gives and not all(_is(value, cue.gives) for _, value in prompt.examples):
            continue
        one = _parameter(prompt, cue.takes)
        if cue.takes is not None and one is None:
            continue
        names = ", ".join(prompt.parameters)
        before = f"    before = deepcopy({one})\n" if one else ""
        kept = f"    kept = {one}\n" if "kept" in cue.body else ""
        source = f"def prop(f, {names}):\n{before}    got = f({names})\n{kept}    {cue.body}\n"
        found.append(Property(cue.name, cue.definition, source, hull, "implied", supported=True, lenient=True, cue=match.group()))
    return found


def _is(value: Any, classes: tuple[type, ...]) -> bool:
    return isinstance(value, classes) and (bool in classes or not isinstance(value, bool))


def _parameter(prompt: Prompt, kind: type | None) -> str | None:
    """Return the only parameter that has values of a class in all examples; None where there is none, or several."""
    if kind is None:
        return None
    columns = zip(prompt.parameters, zip(*(arguments for arguments, _ in prompt.examples), strict=True), strict=True)
    suiting = [name for name, column in columns if all(isinstance(value, kind) for value in column)]
    return suiting[0] if len(suiting) == 1 else None
