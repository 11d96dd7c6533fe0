"""FileTask: prompts and their answers from a file, a JSON object a line."""

from __future__ import annotations

import hashlib
import math
import os
import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import final

from ebmhw.coherence.tasks.answers import stated_number
from ebmhw.coherence.tasks.records import Record, read_records
from ebmhw.coherence.tasks.task import Example, Reward, Task, TaskReward, check_request, completion_text, rounds
from ebmhw.errors import ConfigError, InvalidFile, ValidationError, shown

MATCHES = ("exact", "contains")
"""How a text answers: it is the answer, or holds it; letter case, runs of blanks and closing punctuation aside."""

EVAL_SHARE = 4
"""One prompt in so many is of the split "eval", picked by a hash, where the file does not say."""


@final
class FileTask(Task):
    """Prompts of a JSON-lines file.

    Keys of a line: "prompt" (a text, or messages {"role", "content"}); "answer" (a text, or a number) or "expected_tools" (names of tools, or
    one) or both; where it has them, "chain_length" (how many calls the task takes, 0 where a call would be wrong), "split" ("train" or "eval")
    and "id". Other keys become columns of the dataset, for reward functions that read them.

    Lines without "split" are divided by a hash of their prompt, so that a line stays where it is when others come or go: one prompt in
    `EVAL_SHARE` is of "eval", the others are of "train". Which these are is chance: of 40 lines some 10. Prompts that are the same, blanks aside,
    belong to one split, and where one of their lines names it, to that. A training run with a gate of 32 examples needs 32 lines of "eval".

    The score is 1 where the answer is given: a number where the completion states it (see `ebmhw.coherence.tasks.answers`), a text where
    the completion matches it; without an answer, where the first tool called is expected. Else it is 0. An answer without letters and digits is
    compared as it is.

    Parameters
    ----------
    path : the file
    match : one of `MATCHES`

    Raises
    ------
    ConfigError : an unknown ``match``
    InvalidFile : a file that cannot be read, a line that is no record, a prompt with two splits; the text starts with ``path:line:``
    """

    def __init__(self, path: str | os.PathLike[str], match: str = "exact") -> None:
        if match not in MATCHES:
            raise ConfigError(f"match of a task from a file is {shown(match)}; give one of {', '.join(MATCHES)}")
        self.path, self.match = os.fspath(path), match
        self._records = read_records(self.path)
        extra = dict.fromkeys(name for record in self._records for name in record.columns)
        self._columns = {name: None for name in ("answer", "expected_tools", "chain_length", *extra)}
        self._by_split: dict[str, list[Record]] = {"train": [], "eval": []}
        given = _given_splits(self._records, self.path)
        for record in self._records:
            self._by_split[given.get(_key(record)) or _split(record)].append(record)

    @property
    def name(self) -> str:
        return os.path.splitext(os.path.basename(self.path))[0]

    def examples(self, split: str, count: int, seed: int = 0) -> list[Example]:
        number = check_request(split, count)
        records = self._by_split[split]
        if len(records) < (number if split == "eval" else 1):
            raise ValidationError(self._too_few(split, number))

        def order(turn: int) -> list[Example]:
            return [self._example(record) for record in random.Random(f"{seed} {split} {turn}").sample(records, len(records))]

        return rounds(order, number, split, self.name)

    def score(self, example: Example, completion: str) -> float | None:
        text = completion_text(completion)
        answer, tools = example.columns.get("answer"), example.columns.get("expected_tools")
        if answer is not None:
            if not isinstance(answer, str) or not answer.strip():
                raise ValidationError(f"column 'answer' of an example of the task {self.name} is {shown(answer)}; give a text that is not blank")
            number = _number(answer)
            if number is not None:
                return float(stated_number(text) == number)
            # Without signs of closing an answer such as "*" would be nothing, which every completion holds.
            said, wanted = (_plain(text), _plain(answer)) if any(map(str.isalnum, answer)) else (text.strip(), answer.strip())
            return float(said == wanted if self.match == "exact" else wanted in said)
        if tools is None:
            return None
        from ebmhw.coherence.rewards import extract_json
        from ebmhw.coherence.rewards.reward import names_entry

        call = extract_json(text)
        return float(call is not None and call.get("name") in (names_entry(tools, "expected_tools") or ()))

    def rewards(self) -> list[tuple[Reward, float]]:
        """Return the task's score, and where the file names tools the rewards for calling them."""
        found: list[tuple[Reward, float]] = []
        if any(record.answer is not None for record in self._records):
            found.append((TaskReward(self), 2.0))
        if any(record.expected_tools is not None for record in self._records):
            found += _tool_rewards()
        return found

    def _too_few(self, split: str, asked: int) -> str:
        there, lines = len(self._by_split[split]), len(self._records)
        wanted, share = (asked, 1 / EVAL_SHARE) if split == "eval" else (1, 1 - 1 / EVAL_SHARE)
        mark = f'"split": "{split}"'
        fewer = f", or ask for {there} at most" if there else ""
        fewer += "; a training run asks for gate.examples, 10 at least, and for none with gate: null" if split == "eval" else ""
        return (
            f"{wanted} example{'' if wanted == 1 else 's'} of the split {split!r} of task {self.name} {'is' if wanted == 1 else 'are'} asked for; of "
            f"{self.path}, {lines} line{'' if lines == 1 else 's'}, it has {there}. A line without 'split' is of 'eval' where a hash of its prompt "
            f"says so, 1 in {EVAL_SHARE}, else of 'train': give some {lines_for(wanted, share)} lines in all, or write {mark} into "
            f"{wanted} of them{fewer}"
        )

    def _example(self, record: Record) -> Example:
        # Arrow wants one type a column; numbers and texts both become texts, which _number() reads back.
        known = {"answer": record.answer, "expected_tools": record.expected_tools, "chain_length": record.chain_length}
        return Example(record.prompt, self._columns | known | record.columns)


def _tool_rewards() -> list[tuple[Reward, float]]:
    from ebmhw.coherence import rewards

    names = ("tool_call_format_reward", "tool_selection_reward", "chain_completion_reward")
    offered: list[Callable[..., list[float | None]]] = [getattr(rewards, name) for name in names]
    return [(reward, rewards.TASK_REWARDS[name]) for name, reward in zip(names, offered, strict=True)]


def lines_for(wanted: int, share: float) -> int:
    """Return how many different prompts hold ``wanted`` of a split in 98 files of 100 or more, each being of it with probability ``share``.

    The least n with n share - 2.33 sqrt(n share (1 - share)) >= wanted - .5: the normal distribution in place of the binomial one.
    """
    # A quadratic in sqrt(n); the half is the correction for continuity.
    spread = 2.33 * math.sqrt(share * (1 - share))
    root = (spread + math.sqrt(spread * spread + 4 * share * (wanted - 0.5))) / (2 * share)
    return math.ceil(root * root)


def _given_splits(records: Sequence[Record], path: str) -> dict[str, str]:
    """Return the splits that records name, by their prompts."""
    found: dict[str, Record] = {}
    for record in records:
        if record.split is None:
            continue
        first = found.setdefault(_key(record), record)
        if first.split != record.split:
            raise InvalidFile(
                f"{path}:{record.line}: 'split' is {shown(record.split)}, but line {first.line} has the same prompt (blanks aside) with "
                f"{shown(first.split)}; give both one split, or what is trained is also judged"
            )
    return {key: record.split for key, record in found.items() if record.split is not None}


def _key(record: Record) -> str:
    """Return what prompts share that are the same but for blanks."""
    return "\n".join(f"{message['role']}: {' '.join(message['content'].split())}" for message in record.prompt)


def _split(record: Record) -> str:
    return "eval" if hashlib.blake2b(_key(record).encode(), digest_size=1).digest()[0] % EVAL_SHARE == 0 else "train"


def _number(answer: str) -> Fraction | None:
    """Return an answer as a number where it is nothing else."""
    plain = answer.strip().replace(",", "")
    if not plain or len(plain) > 30 or plain.strip("0123456789.-"):
        return None
    try:
        return Fraction(plain)
    except ValueError:
        return None


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold().strip(" .!\"'`*")
