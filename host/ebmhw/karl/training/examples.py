"""Examples to train on: messages with a weight, as an export holds them."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ebmhw.errors import ConfigError, InvalidFile, shown

TRAIN, VALID = "train.jsonl", "valid.jsonl"

_LINE_BYTES = 2**24
_ROLES = ("system", "user", "assistant", "tool")


class Example(NamedTuple):
    """A conversation whose answers are learnt.

    Attributes
    ----------
    messages : of {"role": ..., "content": ...}, an assistant's among them
    weight : from 0 up
    """

    messages: tuple[Mapping[str, str], ...]
    weight: float = 1.0


def read_examples(folder: str | os.PathLike[str]) -> tuple[list[Example], list[Example]]:
    """Return what train.jsonl and valid.jsonl of an export as messages, completions or oversampled hold; the second need not be there.

    Raises
    ------
    ConfigError : there is no train.jsonl
    InvalidFile : a line is no example; the text names it
    """
    base = Path(folder)
    if not (base / TRAIN).is_file():
        raise ConfigError(f"data is {shown(str(base))}, a folder without {TRAIN}; give one that `ebmhw karl export` wrote", context={"key": "data"})
    valid = base / VALID
    return list(_lines(base / TRAIN)), list(_lines(valid)) if valid.is_file() else []


def as_example(value: Any, place: str) -> Example:
    """Return an example, or what a line of an export says, as an example; ``place`` starts what an InvalidFile says.

    A line {"prompt", "completion"} is the messages of both.
    """
    if isinstance(value, Example):
        value = {"messages": list(value.messages), "weight": value.weight}
    listed = _listed(value, place)
    messages = []
    for one in listed:
        role, content = (one.get("role"), one.get("content")) if isinstance(one, Mapping) else (None, None)
        if role not in _ROLES or not isinstance(content, str):
            raise InvalidFile(f"{place}: {shown(one)} is no message; give role, one of {', '.join(_ROLES)}, and content, a text")
        messages.append({"role": str(role), "content": content})
    if not any(one["role"] == "assistant" for one in messages):
        raise InvalidFile(f"{place}: no message is the assistant's, so that there is nothing to learn; leave the example out")
    weight = value.get("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not math.isfinite(weight) or weight < 0:
        raise InvalidFile(f"{place}: weight is {shown(weight)}; give a number from 0 up")
    return Example(tuple(messages), float(weight))


def _listed(value: Any, place: str) -> Sequence[Any]:
    """Return the messages of a line; InvalidFile for one of another form, by its name."""
    if isinstance(value, Mapping):
        for key, form in (("chosen", "dpo"), ("label", "kto")):
            if key in value:
                raise InvalidFile(f"{place}: this is a {form} export, which karl's training does not take; export with --as messages")
        prompt, completion = value.get("prompt"), value.get("completion")
        if isinstance(prompt, (list, tuple)):
            if completion is None:
                raise InvalidFile(f"{place}: this is a prompts export, which has nothing to learn; export with --as messages")
            if isinstance(completion, (list, tuple)):
                return [*prompt, *completion]
        elif isinstance(value.get("messages"), (list, tuple)):
            return list(value["messages"])
    raise InvalidFile(
        f"{place}: {shown(value)} is no example; give an object with messages, a list, or with prompt and completion, lists, and weight, a number"
    )


def order(count: int, seed: int, most: int) -> Iterator[int]:
    """Yield ``most`` numbers of examples: all of them in an order of their own, again and again; that of a round depends on nothing but the seed."""
    given = 0
    turn = 0
    while given < most:
        for place in np.random.default_rng([seed, turn]).permutation(count)[: most - given].tolist():
            yield place
            given += 1
        turn += 1


def digest(values: Sequence[Any]) -> str:
    """Return a hash of what JSON can hold."""
    made = hashlib.sha256()
    for value in values:
        made.update(json.dumps(value).encode())
        made.update(b"\n")
    return made.hexdigest()


def _lines(path: Path) -> Iterator[Example]:
    with open(path, "rb") as stream:
        number = 0
        while raw := stream.readline(_LINE_BYTES + 1):
            number += 1
            place = f"{path}:{number}"
            if len(raw) > _LINE_BYTES:
                raise InvalidFile(f"{place}: the line has more than {_LINE_BYTES} bytes; export it in parts")
            if not raw.strip():
                continue
            try:
                value = json.loads(raw)
            except (ValueError, RecursionError) as error:
                raise InvalidFile(f"{place}: this is no JSON ({type(error).__name__}); export it again") from None
            yield as_example(value, place)
