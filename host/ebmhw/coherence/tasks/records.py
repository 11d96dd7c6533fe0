"""Records: the lines of a task's file, checked."""

from __future__ import annotations

import json
import math
import os
from typing import Any, NamedTuple

from ebmhw.errors import InvalidFile, shown
from ebmhw.verify.members import decoded

FILE_BYTES = 2**30
LINE_BYTES = 2**20
RECORDS = 1_000_000
_ROLES = ("system", "user", "assistant", "tool")
_OWN = ("prompt", "answer", "expected_tools", "chain_length", "split", "id")
# What reward functions get from TRL among their arguments, and from a training run of ours.
_TAKEN = ("traces", "completion", "completions", "prompts", "completion_ids", "trainer_state", "log_extra", "log_metric", "environments")


class Record(NamedTuple):
    """A line of a task's file.

    Attributes
    ----------
    prompt : messages; a text is one of the user
    answer : as text, or None
    expected_tools : names, or None
    chain_length : calls that the task takes, or None
    split : "train", "eval" or None
    columns : further keys and their values
    line : its number in the file, from 1
    """

    prompt: list[dict[str, str]]
    answer: str | None
    expected_tools: list[str] | None
    chain_length: int | None
    split: str | None
    columns: dict[str, Any]
    line: int


def read_records(path: str) -> list[Record]:
    """Return the records of a file; blank lines are skipped.

    Raises
    ------
    InvalidFile
        naming the file and the line that is wrong, or a file that cannot be read or holds no record.
    """
    found = []
    try:
        size = _size(path)
        if size > FILE_BYTES:
            raise InvalidFile(f"{path}: the file has {size} bytes; up to {FILE_BYTES} are read: split it")
        with open(path, "rb") as stream:
            number = 0
            while raw := stream.readline(LINE_BYTES + 1):
                number += 1
                place = f"{path}:{number}"
                if len(raw) > LINE_BYTES:
                    raise InvalidFile(f"{place}: the line has more than {LINE_BYTES} bytes; give shorter ones")
                if raw.strip():
                    found.append(_record(raw, place, number))
                if len(found) > RECORDS:
                    raise InvalidFile(f"{place}: the file has more than {RECORDS} records; split it")
    except OSError as error:
        raise InvalidFile(f"{path}: cannot be read: {error.strerror or error}; give a file of JSON lines") from None
    if not found:
        raise InvalidFile(f"{path}: the file holds no record; give a JSON object a line, with 'prompt' and 'answer' or 'expected_tools'")
    return found


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except ValueError:  # a NUL, or half of a pair of UTF-16, which no file has in its name
        raise InvalidFile(f"{shown(path)}: no file can be called so; give the path of a file of JSON lines") from None


def _record(raw: bytes, place: str, number: int) -> Record:
    data = _decoded(raw, place)
    if not isinstance(data, dict):
        raise InvalidFile(f"{place}: the line is no JSON object; give one with 'prompt' and 'answer' or 'expected_tools'")
    answer, tools, length, split = (data.get(name) for name in ("answer", "expected_tools", "chain_length", "split"))
    if answer is not None and (isinstance(answer, bool) or not isinstance(answer, (str, int, float))):
        raise InvalidFile(f"{place}: 'answer' is {shown(answer)}; give a text or a number")
    if isinstance(answer, float) and not math.isfinite(answer):
        raise InvalidFile(f"{place}: 'answer' is {shown(answer)}, which no completion can state; give a finite number, or a text")
    if isinstance(answer, str) and not answer.strip():
        raise InvalidFile(f"{place}: 'answer' is {shown(answer)}, which every completion holds; give a text that is not blank, or leave it out")
    tools = [tools] if isinstance(tools, str) else tools
    if tools is not None and (not isinstance(tools, list) or not all(isinstance(tool, str) and tool for tool in tools)):
        raise InvalidFile(f"{place}: 'expected_tools' is {shown(tools)}; give a list of names of tools")
    if length is not None and (isinstance(length, bool) or not isinstance(length, int) or not 0 <= length <= 1000):
        raise InvalidFile(f"{place}: 'chain_length' is {shown(length)}; give a whole number, 0 to 1000")
    if split not in (None, "train", "eval"):
        raise InvalidFile(f"{place}: 'split' is {shown(split)}; give 'train' or 'eval', or leave it out")
    if answer is None and tools is None:
        raise InvalidFile(f"{place}: neither 'answer' nor 'expected_tools' is there; give one, or no completion can be scored")
    for name in data:
        if name in _TAKEN:
            raise InvalidFile(f"{place}: {shown(name)} is a name that TRL or a training run uses itself; call the key something else")
    columns = {name: value for name, value in data.items() if name not in _OWN}
    return Record(_prompt(data.get("prompt"), place), None if answer is None else str(answer), tools, length, split, columns, number)


def _prompt(prompt: Any, place: str) -> list[dict[str, str]]:
    if isinstance(prompt, str) and prompt.strip():
        return [{"role": "user", "content": prompt}]
    if not isinstance(prompt, list) or not prompt:
        raise InvalidFile(f"{place}: 'prompt' is {shown(prompt)}; give a text, or a list of messages {{'role', 'content'}}")
    for message in prompt:
        if not isinstance(message, dict) or message.get("role") not in _ROLES or not isinstance(message.get("content"), str):
            raise InvalidFile(f"{place}: a message of 'prompt' is {shown(message)}; give 'role' ({', '.join(_ROLES)}) and 'content' (a text)")
    return [{"role": message["role"], "content": message["content"]} for message in prompt]


def _decoded(raw: bytes, place: str) -> Any:
    data = decoded(raw, place)
    if b"\\ud" in raw.lower():
        _refuse_halves(data, place)
    return data


def _refuse_halves(data: Any, place: str) -> None:
    """Refuse one half of a pair of UTF-16 without the other, as "\\ud800": no character, so neither UTF-8 nor a tokenizer can hold it."""
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise InvalidFile(f"{place}: {half} is half of a pair of UTF-16 and no character; give both halves, or leave it out") from None
