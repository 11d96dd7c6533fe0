"""Tool calls in what a model wrote, in the forms that models write them in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, final

from ebmhw.coherence.rewards.completions import content_text, model_messages, structured_calls
from ebmhw.coherence.rewards.jsonscan import decoded, json_objects


@final
class ToolCall(NamedTuple):
    """A call of a tool.

    Attributes
    ----------
    name : of the tool
    arguments : by name; None where none are given, or what is given is no JSON object
    """

    name: str
    arguments: dict[str, Any] | None


@final
class Calls(NamedTuple):
    """What a completion calls.

    Attributes
    ----------
    calls : in order
    objects : JSON objects in it, calls or not
    """

    calls: tuple[ToolCall, ...]
    objects: int


def calls_in(completion: Any) -> Calls | None:
    """Return the tool calls of a completion, in the order in which the model wrote them; None for what is no completion.

    Read are, anywhere in a text, also within <tool_call> tags, fences or a list: {"name": ..., "arguments": {...}}, {"function": {...}} around
    one, and {"tool_calls": [...]} or {"function_call": {...}} around such; and the same in the "tool_calls" of a message. Arguments may be JSON
    as a text, as the OpenAI protocol has them. Messages of others, such as a tool's results, are not the model's and are not read.
    """
    found: list[ToolCall] = []
    objects = 0
    for value in _objects(completion):
        if value is _NO_COMPLETION:
            return None
        objects += 1
        found += _calls_of(value)
    return Calls(tuple(found), objects)


def extract_json(text: str) -> dict[str, Any] | None:
    """Return the first tool call in a text as a dict with a "name" and, where it has them, "arguments" (a dict where they are JSON as a text).

    None where there is none.
    """
    for span in json_objects(text):
        for call in _candidates(decoded(text, span)):
            told = dict(call)
            if isinstance(told.get("arguments"), str):
                arguments = _object(told["arguments"])
                told["arguments"] = told["arguments"] if arguments is None else arguments
            return told
    return None


_NO_COMPLETION = object()


def _objects(completion: Any) -> Iterator[Any]:
    if isinstance(completion, str):
        yield from (decoded(completion, span) for span in json_objects(completion))
        return
    messages = model_messages(completion)
    if messages is None:
        yield _NO_COMPLETION
        return
    for message in messages:
        text = content_text(message)
        yield from (decoded(text, span) for span in json_objects(text))
        yield from structured_calls(message)


def _calls_of(value: Any) -> list[ToolCall]:
    return [ToolCall(call["name"], _object(call.get("arguments"))) for call in _candidates(value)]


def _candidates(value: Any) -> list[Mapping[str, Any]]:
    """Return the calls that a JSON object is or holds, each a mapping with a text as its name."""
    if not isinstance(value, Mapping):
        return []
    listed = value.get("tool_calls")
    entries = listed if isinstance(listed, (list, tuple)) else ()
    found = [call for entry in entries for call in (_one(entry),) if call is not None]
    if not found:
        found = [call for call in (_one(value) or _one(value.get("function_call")),) if call is not None]
    return found


def _one(value: Any) -> Mapping[str, Any] | None:
    """Return a call, taken out of a "function" around it; None for what is none."""
    for call in (value, value.get("function") if isinstance(value, Mapping) else None):
        if isinstance(call, Mapping) and isinstance(call.get("name"), str):
            return call
    return None


def _object(arguments: Any) -> dict[str, Any] | None:
    if isinstance(arguments, str):
        text = arguments.strip()
        span = next(json_objects(text), None)
        return decoded(text, span) if span is not None and (span.start, span.end) == (0, len(text)) else None
    return dict(arguments) if isinstance(arguments, Mapping) else None
