"""Rows of the formats: what stands in a line of a file for a trainer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from ebmhw.files import write_whole
from ebmhw.karl.exports.spool import Spool, as_line
from ebmhw.karl.exports.verdicts import label_of

if TYPE_CHECKING:
    from ebmhw.karl.exports.pairs import Pair


class Example(NamedTuple):
    """What is known of an example besides its text, which stands in the spool.

    Attributes
    ----------
    number : in the spool
    id : of its session, or of what else it is from
    keys : by which it belongs together with others (`grouped`): its task, its prompt
    advantage, reward : of its session; None where they are not asked for
    weight : in training, None before it is known
    verified : the session's verified outcome, None where it is not known
    answer : hash of the last message
    extra : whether it is no session's
    """

    number: int
    id: str
    keys: tuple[str, ...]
    advantage: float | None
    reward: float | None
    weight: float | None
    verified: float | None = None
    answer: str = ""
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


def completion_rows(examples: Sequence[Example], spool: Spool) -> Iterator[Row]:
    """Yield {"prompt", "completion", "weight"} of each example, the completion its last message."""
    for example in examples:
        messages = spool[example.number]["messages"]
        yield Row({"prompt": messages[:-1], "completion": messages[-1:], "weight": example.weight}, (example.id,))


def pair_rows(pairs: Sequence[Pair], spool: Spool) -> Iterator[Row]:
    """Yield {"prompt", "chosen", "rejected", "margin"} of each pair; the prompt is that of the chosen one."""
    for pair in pairs:
        better, worse = spool[pair.better.number]["messages"], spool[pair.worse.number]["messages"]
        yield Row({"prompt": better[:-1], "chosen": better[-1:], "rejected": worse[-1:], "margin": pair.margin}, (pair.better.id, pair.worse.id))


def label_rows(examples: Sequence[Example], spool: Spool) -> Iterator[Row]:
    """Yield {"prompt", "completion", "label"}, the label True for good sessions (`label_of`)."""
    for example in examples:
        messages = spool[example.number]["messages"]
        yield Row({"prompt": messages[:-1], "completion": messages[-1:], "label": label_of(example.verified, example.advantage)}, (example.id,))


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


def known(value: float | None) -> float:
    """Return a value that is known by now."""
    assert value is not None
    return value
