"""Completions as TRL gives them: a text, or chat messages; what of them the model wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# Who speaks in a conversation besides the model. A message without a role is the model's.
_OTHERS = ("system", "developer", "user", "tool", "function", "ipython")

PART_LIMIT = 100_000
"""Values within a message that are looked at."""


def extract_text(completion: Any) -> str:
    """Return a completion's text: itself, or the content of the last message of the model that has some; "" where nothing is text."""
    for text in reversed(written_texts(completion) or []):
        if text:
            return text
    return ""


def written_texts(completion: Any) -> list[str] | None:
    """Return the contents of the model's messages, "" for one without; a plain text is one message. None for what is no completion."""
    if isinstance(completion, str):
        return [completion]
    messages = model_messages(completion)
    return None if messages is None else [content_text(message) for message in messages]


def model_messages(completion: Any) -> list[Mapping[str, Any]] | None:
    """Return those messages of a conversation that the model wrote: not a tool's results; None for what is no conversation."""
    if isinstance(completion, Mapping):
        completion = [completion]
    if not isinstance(completion, (list, tuple)) or not all(isinstance(message, Mapping) for message in completion):
        return None
    return [message for message in completion if message.get("role") not in _OTHERS]


def content_text(message: Mapping[str, Any]) -> str:
    """Return a message's content: a text, or the texts of its parts one after another."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if not isinstance(content, (list, tuple)):
        return ""
    parts = [part.get("text") if isinstance(part, Mapping) else part for part in content]
    return "".join(part for part in parts if isinstance(part, str))


def structured_calls(message: Mapping[str, Any]) -> list[Any]:
    """Return the tool calls that stand beside a message's content, as chat templates parse them: its "tool_calls" or "function_call"."""
    calls = message.get("tool_calls")
    if isinstance(calls, (list, tuple)):
        return list(calls)
    single = message.get("function_call")
    return [] if single is None else [single]


def texts_within(value: Any) -> Iterator[str | None]:
    """Yield every text within nested values, keys included, and numbers as JSON writes them; at last None where something was not looked at.

    That is the case beyond `PART_LIMIT` values (so also for a value within itself), and for a value that JSON does not know.
    """
    waiting, seen, whole = [value], 0, True
    while waiting and seen < PART_LIMIT:
        part = waiting.pop()
        seen += 1
        if isinstance(part, str):
            yield part
        elif isinstance(part, Mapping):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, (list, tuple)):
            waiting += part
        elif isinstance(part, bool):
            yield "true" if part else "false"
        elif isinstance(part, (int, float)):
            yield _number(part)
        elif part is not None:
            whole = False
    if waiting or not whole:
        yield None


def _number(value: float) -> str:
    try:
        return repr(value)
    except ValueError:  # Python does not print integers of more than 4300 digits
        return hex(int(value))
