"""FileTask: prompts and their answers from a file, a JSON object a line."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable
from fractions import Fraction
from typing import final

from ebmhw.coherence.tasks.answers import stated_number
from ebmhw.coherence.tasks.records import Record, read_records
from ebmhw.coherence.tasks.task import Example, Reward, Task, TaskReward, check_request, rounds
from ebmhw.errors import ConfigError, shown

MATCHES = ("exact", "contains")
"""How a text answers: it is the answer, or holds it; letter case, runs of blanks and closing punctuation aside."""

EVAL_SHARE = 4
"""One prompt in so many is of the split "eval", picked by a hash, where the file does not say."""


@final
class FileTask(Task):
    """Prompts of a JSON-lines file.

    Keys of a line: "prompt" (a text, or messages {"role", "content"}); "answer" (a text, or a number) or "expected_tools" (names of tools, or
    one) or both; where it has them, "chain_length" (how many calls the task takes, 0 where a call would be wrong), "split" ("train" or "eval")
    and "id". Other keys become columns of the dataset, for reward functions that read them. Prompts that are the same belong to one split.

    The score is 1 where the answer is given: a number where the completion states it (see `ebmhw.coherence.tasks.answers`), a text where
    the completion matches it; without an answer, where the first tool called is expected. Else it is 0.

    Parameters
    ----------
    path : the file
    match : one of `MATCHES`

    Raises
    ------
    ConfigError : an unknown ``match``
    InvalidFile : a file that cannot be read, or a line that is no record; the text starts with ``path:line:``
    """

    def __init__(self, path: str | os.PathLike[str], match: str = "exact") -> None:
        if match not in MATCHES:
            raise ConfigError(f"match of a task from a file is {shown(match)}; give one of {', '.join(MATCHES)}")
        self.path, self.match = os.fspath(path), match
        self._records = read_records(self.path)
        extra = dict.fromkeys(name for record in self._records for name in record.columns)
        self._columns = {name: None for name in ("answer", "expected_tools", "chain_length", *extra)}
        self._by_split: dict[str, list[Record]] = {"train": [], "eval": []}
        given = {_key(record): record.split for record in self._records if record.split is not None}
        for record in self._records:
            self._by_split[given.get(_key(record)) or _split(record)].append(record)

    @property
    def name(self) -> str:
        return os.path.splitext(os.path.basename(self.path))[0]

    def examples(self, split: str, count: int, seed: int = 0) -> list[Example]:
        number = check_request(split, count)
        records = self._by_split[split]

        def order(turn: int) -> list[Example]:
            return [self._example(record) for record in random.Random(f"{seed} {split} {turn}").sample(records, len(records))]

        return rounds(order, number, split, self.name)

    def score(self, example: Example, completion: str) -> float | None:
        answer, tools = example.columns.get("answer"), example.columns.get("expected_tools")
        if answer is not None:
            number = _number(answer)
            if number is not None:
                return float(stated_number(completion) == number)
            said, wanted = _plain(completion), _plain(str(answer))
            return float(said == wanted if self.match == "exact" else wanted in said)
        if tools is None:
            return None
        from ebmhw.coherence.rewards import extract_json

        call = extract_json(completion)
        return float(call is not None and call.get("name") in tools)

    def rewards(self) -> list[tuple[Reward, float]]:
        """Return the task's score, and where the file names tools the rewards for calling them."""
        found: list[tuple[Reward, float]] = []
        if any(record.answer is not None for record in self._records):
            found.append((TaskReward(self), 2.0))
        if any(record.expected_tools is not None for record in self._records):
            found += _tool_rewards()
        return found

    def _example(self, record: Record) -> Example:
        # Arrow wants one type a column; numbers and texts both become texts, which _number() reads back.
        known = {"answer": record.answer, "expected_tools": record.expected_tools, "chain_length": record.chain_length}
        return Example(record.prompt, self._columns | known | record.columns)


def _tool_rewards() -> list[tuple[Reward, float]]:
    from ebmhw.coherence import rewards

    names = ("tool_call_format_reward", "tool_selection_reward", "chain_completion_reward")
    offered: list[Callable[..., list[float | None]]] = [getattr(rewards, name) for name in names]
    return [(reward, rewards.TASK_REWARDS[name]) for name, reward in zip(names, offered, strict=True)]


def _key(record: Record) -> str:
    return "\n".join(f"{message['role']}: {message['content']}" for message in record.prompt)


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
