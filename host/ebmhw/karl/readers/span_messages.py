"""Messages of spans: those sent to a model and those that came back, in the old and new ways of the conventions of generative AI."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ebmhw.karl.readers.decoding import decoded
from ebmhw.karl.readers.members import items, mapping, name, text, written
from ebmhw.karl.readers.spans import Span

_INDEXED = re.compile(r"gen_ai\.(prompt|completion)\.(\d{1,4})\.(.{1,60})\Z")
_CALLED = re.compile(r"tool_calls\.(\d{1,3})\.(id|name|arguments)\Z")
_ROLES: Mapping[str, str] = {
    **{"system": "system", "developer": "system", "user": "user", "human": "user", "assistant": "assistant", "model": "assistant", "ai": "assistant"},
    **{"tool": "tool", "function": "tool"},
}
_EVENTS: Mapping[str, str] = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}


class Said(NamedTuple):
    """A message.

    Attributes
    ----------
    role : "system", "user", "assistant" or "tool"
    text : what it says
    calls : (id, tool, arguments) of the calls in it
    results : (id of the call, text) of the results in it
    """

    role: str
    text: str
    calls: tuple[tuple[str | None, str, str], ...] = ()
    results: tuple[tuple[str | None, str], ...] = ()


def messages_in(span: Span) -> tuple[list[Said], list[Said]]:
    """Return the messages that a span sent to a model (or agent), and those that came back."""
    attributes = span.attributes
    sent: list[Said] = []
    for member in ("gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.prompt", "input.value"):
        sent += _messages(attributes.get(member), "system" if member == "gen_ai.system_instructions" else "user")
    answered = _messages(attributes.get("gen_ai.output.messages", attributes.get("gen_ai.completion", attributes.get("output.value"))), "assistant")
    for own, details in span.events:
        content = details.get("gen_ai.event.content")
        details = {**details, **mapping(decoded(content))} if content is not None else details
        if own in _EVENTS:
            message = mapping(decoded(details.get("message"))) or details
            (answered if own == "gen_ai.choice" else sent).extend(_messages([{"role": _EVENTS[own], **message}], _EVENTS[own]))
        elif own == "gen_ai.content.prompt":
            sent += _messages(details.get("gen_ai.prompt"), "user")
        elif own == "gen_ai.content.completion":
            answered += _messages(details.get("gen_ai.completion"), "assistant")
        elif own == "gen_ai.client.inference.operation.details":
            sent += _messages(details.get("gen_ai.system_instructions"), "system") + _messages(details.get("gen_ai.input.messages"), "user")
            answered += _messages(details.get("gen_ai.output.messages"), "assistant")
    more_sent, more_answered = _indexed(attributes)
    return sent + more_sent, answered + more_answered


def _messages(value: Any, role: str) -> list[Said]:
    value = decoded(value)
    if isinstance(value, str):
        return [Said(role, value)] if value.strip() else []
    if isinstance(value, Mapping):
        value = value.get("messages") if isinstance(value.get("messages"), list) else [value]
    rows = items(value)
    # System instructions are parts without a role.
    if rows and role == "system" and all("role" not in mapping(row) for row in rows):
        rows = [{"role": role, "parts": rows}]
    found = []
    for row in rows:
        row = decoded(row)
        made = _message(row if isinstance(row, Mapping) else {"content": row}, role)
        if made is not None:
            found.append(made)
    return found


def _message(row: Mapping[str, Any], role: str) -> Said | None:
    own = row.get("role")
    kind = _ROLES.get(own.lower(), role) if isinstance(own, str) else role
    texts: list[str] = []
    calls: list[tuple[str | None, str, str]] = []
    results: list[tuple[str | None, str]] = []
    content = row.get("parts", row.get("content"))
    if isinstance(content, str) and kind == "tool":
        results.append((name(row.get("tool_call_id")) or name(row.get("id")), content))
    elif isinstance(content, str):
        texts.append(content)
    for part in items(content) or ([content] if isinstance(content, Mapping) else []):
        found = {"type": "text", "content": part} if isinstance(part, str) else mapping(part)
        sort = found.get("type")
        if sort in ("tool_call", "tool_use", "function_call"):
            calls.append(_called(found))
        elif sort in ("tool_call_response", "tool_result", "function_call_output"):
            answer = next((found[member] for member in ("response", "result", "content", "output") if member in found), "")
            results.append((name(found.get("id")) or name(found.get("tool_use_id")) or name(found.get("call_id")), _written(answer)))
        elif sort in (None, "text", "input_text", "output_text"):
            spoken = found.get("content", found.get("text"))
            if isinstance(spoken, str):
                texts.append(spoken)
    for call in items(decoded(row.get("tool_calls"))):
        calls.append(_called({**mapping(call), **mapping(mapping(call).get("function"))}))
    if not (texts or calls or results):
        return None
    return Said(kind, "\n\n".join(texts), tuple(calls), tuple(results))


def _called(found: Mapping[str, Any]) -> tuple[str | None, str, str]:
    given = next((found[member] for member in ("arguments", "input") if member in found), "")
    return name(found.get("id")) or name(found.get("call_id")), text(found.get("name")) or "unknown", _written(given)


def _written(value: Any) -> str:
    """Return a value as text: as it is, or as JSON; the same for a JSON text and what it says."""
    return written(decoded(value))


def _indexed(attributes: Mapping[str, Any]) -> tuple[list[Said], list[Said]]:
    """Return messages that stand in attributes with numbers in their names (gen_ai.prompt.0.content)."""
    rows: dict[str, dict[int, dict[str, Any]]] = {"prompt": {}, "completion": {}}
    for own, value in attributes.items():
        found = _INDEXED.match(own)
        if found is not None:
            rows[found[1]].setdefault(int(found[2]), {})[found[3]] = value
    made: dict[str, list[Said]] = {"prompt": [], "completion": []}
    for side, default in (("prompt", "user"), ("completion", "assistant")):
        for _, row in sorted(rows[side].items()):
            calls: dict[int, dict[str, Any]] = {}
            for member, value in row.items():
                part = _CALLED.match(member)
                if part is not None:
                    calls.setdefault(int(part[1]), {})[part[2]] = value
            found_message = _message(
                {**row, "content": decoded(row.get("content")), "tool_calls": [calls[place] for place in sorted(calls)]}, default
            )
            if found_message is not None:
                made[side].append(found_message)
    return made["prompt"], made["completion"]
