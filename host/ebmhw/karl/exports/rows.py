"""Rows of the formats: what stands in a line of a file for a trainer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from ebmhw.files import write_whole
from ebmhw.karl.exports.spool import Spool, as_line

PAIRS_LIMIT = 16
"""Pairs of one task in "dpo": of n trials there are up to n^2 / 2, and a task of many trials would outweigh all others."""


class Example(NamedTuple):
    """What is known of an example besides its text, which stands in the spool.

    Attributes
    ----------
    number : in the spool
    id : of its session, or of what else it is from
    keys : by which it belongs together with others (`grouped`): its task, its prompt
    advantage, reward : of its session; None where they are not asked for
    weight : in training, None before it is known
    extra : whether it is no session's
    """

    number: int
    id: str
    keys: tuple[str, ...]
    advantage: float | None
    reward: float | None
    weight: float | None
    extra: bool = False


class Row(NamedTuple):
    """A line of a file.

    Attributes
    ----------
    data : what it says
    ids : of the examples that it is made of
    """

    data: dict[str, Any]
    ids: tuple[str, ...]


def message_rows(examples: Sequence[Example], spool: Spool) -> Iterator[Row]:
    """Yield {"messages", "weight"} of each example."""
    for example in examples:
        yield Row({"messages": spool[example.number]["messages"], "weight": example.weight}, (example.id,))


def copied_rows(examples: Sequence[Example], order: Sequence[int], spool: Spool) -> Iterator[Row]:
    """Yield {"messages"} of the examples in an order, which names one as often as it is copied."""
    for place in order:
        yield Row({"messages": spool[examples[place].number]["messages"]}, (examples[place].id,))


def pair_rows(examples: Sequence[Example], margin: float, spool: Spool) -> Iterator[Row]:
    """Yield {"prompt", "chosen", "rejected", "margin"}: pairs of one task whose rewards differ by ``margin`` at least, of each task the widest first.

    A pair of answers that a task has already, and one of equal answers, is left out. The prompt is that of the chosen one.
    """
    tasks: dict[str, list[Example]] = {}
    for example in examples:
        tasks.setdefault(example.keys[0], []).append(example)
    for trials in tasks.values():
        ranked = sorted(trials, key=lambda example: (-_known(example.reward), example.id))
        yield from _pairs_of(ranked, margin, spool)


def label_rows(examples: Sequence[Example], spool: Spool) -> Iterator[Row]:
    """Yield {"prompt", "completion", "label"}, the label True for advantages above 0."""
    for example in examples:
        messages = spool[example.number]["messages"]
        yield Row({"prompt": messages[:-1], "completion": messages[-1:], "label": _known(example.advantage) > 0}, (example.id,))


def prompt_rows(examples: Sequence[Example], spool: Spool) -> Iterator[Row]:
    """Yield {"prompt", "task", "domain", "session"} of each example."""
    for example in examples:
        kept = spool[example.number]
        data = {"prompt": kept["messages"], "task": example.keys[0], "domain": kept["domain"], "session": example.id}
        yield Row(data, (example.id,))


class Written(NamedTuple):
    """A file of rows.

    Attributes
    ----------
    rows : lines
    ids : of the examples in them, each once, in order
    sha256 : of the file, hex
    """

    rows: int
    ids: tuple[str, ...]
    sha256: str


def write_rows(path: Path, rows: Iterator[Row]) -> Written:
    """Write rows as a file of JSON lines, whole."""
    sha, ids, count = hashlib.sha256(), dict[str, None](), 0

    def write(stream: IO[bytes]) -> None:
        nonlocal count
        for row in rows:
            line = as_line(row.data)
            stream.write(line)
            sha.update(line)
            ids.update(dict.fromkeys(row.ids))
            count += 1

    write_whole(path, write)
    return Written(count, tuple(ids), sha.hexdigest())


def digest(value: Any) -> str:
    """Return the SHA-256 (hex) of a value as JSON."""
    return hashlib.sha256(json.dumps(value, ensure_ascii=True, sort_keys=True).encode()).hexdigest()


def _pairs_of(ranked: Sequence[Example], margin: float, spool: Spool) -> Iterator[Row]:
    """Yield the pairs of one task, widest first; of n trials only the ends that can be among them are looked at."""
    ends = range(min(len(ranked), PAIRS_LIMIT * 4))
    wide = sorted(
        ((_known(ranked[i].reward) - _known(ranked[-1 - j].reward), i, len(ranked) - 1 - j) for i in ends for j in ends if i < len(ranked) - 1 - j),
        key=lambda pair: (-pair[0], pair[1], -pair[2]),
    )
    seen: set[tuple[str, str]] = set()
    for gap, i, j in wide:
        if gap < margin or gap <= 0 or len(seen) == PAIRS_LIMIT:
            break
        better, worse = spool[ranked[i].number]["messages"], spool[ranked[j].number]["messages"]
        pair = (digest(better[-1]), digest(worse[-1]))
        if pair[0] == pair[1] or pair in seen or pair[::-1] in seen:
            continue
        seen.add(pair)
        yield Row({"prompt": better[:-1], "chosen": better[-1:], "rejected": worse[-1:], "margin": gap}, (ranked[i].id, ranked[j].id))


def _known(value: float | None) -> float:
    assert value is not None
    return value
