"""Pairs of "dpo": two sessions of one task, of which one did better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ebmhw.karl.exports.rows import Example, known
from ebmhw.karl.exports.settings import Settings
from ebmhw.karl.exports.verdicts import was_failed

PAIRS_LIMIT = 16
"""Pairs of one task: of n trials there are up to n^2 / 2, and a task of many trials would outweigh all others."""

ALONE = "are the only session of their task"
EVEN = "have no session of their task that did better or worse"
SAME = "answer as those of their task that did better or worse"
BEYOND = f"are beyond the {PAIRS_LIMIT} widest pairs of their task"

# Ends of the ranked trials that can be among the widest pairs, with room for equal answers.
_ENDS = 4 * PAIRS_LIMIT


class Pair(NamedTuple):
    """Two sessions of one task.

    Attributes
    ----------
    better, worse : the sessions
    margin : how much better: of verified outcomes where both are known, else of rewards; above 0
    """

    better: Example
    worse: Example
    margin: float


def paired(examples: Sequence[Example], margin: float, left_out: Counter[str]) -> list[Pair]:
    """Return the pairs of each task, those by verified outcomes first, then the widest; ``left_out`` counts why sessions are in none.

    Where both sessions are verified, the verified outcome orders them, without a margin: equal outcomes, and two that failed, are no pair. Else their
    rewards do, which have to differ by ``margin`` at least; a session that was verified as failed is never the better one. A pair of answers that a
    task has already, and one of equal answers, is left out.
    """
    tasks: dict[str, list[Example]] = {}
    for example in examples:
        tasks.setdefault(example.keys[0], []).append(example)
    pairs: list[Pair] = []
    for trials in tasks.values():
        wanted = sorted(_ordered(trials, margin), key=_rank)
        found = _distinct(wanted)
        inside = {example.id for pair in found for example in pair[:2]}
        near = {example.id for pair in wanted for example in pair[:2]}
        for example in trials:
            if example.id not in inside:
                full = len(found) == PAIRS_LIMIT
                left_out[ALONE if len(trials) == 1 else BEYOND if full else SAME if example.id in near else EVEN] += 1
        pairs += found
    return pairs


def in_pairs(examples: Sequence[Example], settings: Settings, left_out: Counter[str]) -> tuple[list[Example], list[Pair]]:
    """Return the examples that are in pairs, in their order, and the pairs."""
    pairs = paired(examples, settings.margin, left_out)
    inside = {example.id for pair in pairs for example in pair[:2]}
    return [example for example in examples if example.id in inside], pairs


def _ordered(trials: Sequence[Example], margin: float) -> Iterator[Pair]:
    """Yield every pair of one task of which one is known to be better, as far as the ends of what is ranked go."""
    judged = sorted((one for one in trials if one.verified is not None), key=lambda one: (-known(one.verified), -known(one.reward), one.id))
    for better in judged[:_ENDS]:
        if not was_failed(better.verified):
            for worse in judged[-_ENDS:]:
                if known(better.verified) > known(worse.verified):
                    yield Pair(better, worse, known(better.verified) - known(worse.verified))
    by_reward = sorted(trials, key=lambda one: (-known(one.reward), one.id))
    open_ = [one for one in by_reward if one.verified is None]
    good = [one for one in by_reward if one.verified is not None and not was_failed(one.verified)]
    rest = [one for one in by_reward if one.verified is not None]
    for above, below in ((open_, open_), (open_, rest), (good, open_)):
        for better in above[:_ENDS]:
            for worse in below[-_ENDS:]:
                gap = known(better.reward) - known(worse.reward)
                if gap > 0 and gap >= margin:
                    yield Pair(better, worse, gap)


def _distinct(wanted: Sequence[Pair]) -> list[Pair]:
    found: list[Pair] = []
    seen: set[frozenset[str]] = set()
    for pair in wanted:
        answers = frozenset((pair.better.answer, pair.worse.answer))
        if len(answers) == 2 and answers not in seen and len(found) < PAIRS_LIMIT:
            seen.add(answers)
            found.append(pair)
    return found


def _rank(pair: Pair) -> tuple[bool, float, float, str, str]:
    better, worse = pair.better, pair.worse
    by_reward = better.verified is None or worse.verified is None
    return by_reward, -pair.margin, known(worse.reward) - known(better.reward), better.id, worse.id
