"""Examples: sessions as chat messages to learn from; what a session earned is never part of them."""

from __future__ import annotations

import json
from typing import Any

from ebmhw.errors import ValidationError, shown
from ebmhw.karl.exports.control import without_marks
from ebmhw.karl.exports.plans import plan_of
from ebmhw.karl.trajectory import Trajectory
from ebmhw.redaction import without_secrets

SYSTEM = (
    "You plan work for a coding agent. Answer with the calls of tools that do the task, one a line, numbered, each with its tool and its argument: "
    "look before you change something, and check what you changed."
)

PROMPT_CHARS = 4000
"""Characters of the user's message, as far as a session kept them."""

STYLES = ("plan", "session")

Message = dict[str, str]


def example_of(trajectory: Trajectory, style: str = "plan", system: str = SYSTEM) -> dict[str, list[Message]]:
    """Return {"messages": [{"role": ..., "content": ...}, ...]}, without secrets and without marks of chat templates (`without_marks`).

    Parameters
    ----------
    trajectory : the session
    style : "plan": the system's message, the prompt, and as the answer the plan of its first 20 calls (`plan_of`). "session": what was said, each of
        the agent's turns followed by its calls as <tool_call>{"name": ..., "arguments": ...}</tool_call>, up to the agent's last turn
    system : "" for no message of the system (a session's own is kept)

    Raises
    ------
    ValidationError : the session has no prompt, or nothing of the agent that could be learned
    """
    if style not in STYLES:
        raise ValidationError(f"style is {shown(style)}; give one of {', '.join(STYLES)}")
    messages = _plan(trajectory, system) if style == "plan" else _session(trajectory)
    if system and messages[0]["role"] != "system":
        messages.insert(0, {"role": "system", "content": system})
    return {"messages": messages}


def prompt_of(trajectory: Trajectory) -> str:
    """Return what was asked first, without secrets and marks, at most `PROMPT_CHARS` characters; "" where it was not kept.

    The user's first turn where that holds more of the same than the prompt, which is cut at 500 characters.
    """
    text = trajectory.prompt
    first = next((turn.text for turn in trajectory.turns if turn.role == "user"), "")
    if len(first) > len(text) and first.lstrip().startswith(text.strip()):
        text = first
    return without_marks(without_secrets(text[:PROMPT_CHARS])).strip()


def prompt_messages(trajectory: Trajectory, system: str = SYSTEM) -> list[Message]:
    """Return what comes before the answer in an example of style "plan"; ValidationError for a session without a prompt."""
    prompt = prompt_of(trajectory)
    if not prompt:
        raise ValidationError(f"{trajectory.id} has no prompt; an example needs what was asked")
    return [*([{"role": "system", "content": system}] if system else []), {"role": "user", "content": prompt}]


def _plan(trajectory: Trajectory, system: str) -> list[Message]:
    messages, plan = prompt_messages(trajectory, system), plan_of(trajectory.events, trajectory.cwd)
    if not plan:
        raise ValidationError(f"{trajectory.id} has no calls of tools; a plan needs some, style 'session' takes what was said")
    return [*messages, {"role": "assistant", "content": without_marks(plan)}]


def _session(trajectory: Trajectory) -> list[Message]:
    calls: dict[int, list[str]] = {}
    for event in trajectory.events:
        if event.turn is not None:
            told = {"name": event.tool, "arguments": {key: without_secrets(value) for key, value in event.params.items()}}
            calls.setdefault(event.turn, []).append(f"<tool_call>{json.dumps(told, ensure_ascii=False)}</tool_call>")
    messages: list[Message] = []
    for place, turn in enumerate(trajectory.turns):
        parts = [without_secrets(turn.text).strip(), *(calls.get(place, []) if turn.role == "assistant" else [])]
        content = without_marks("\n".join(part for part in parts if part))
        if not content or (turn.role == "system" and messages):
            continue
        if messages and messages[-1]["role"] == turn.role and turn.role != "tool":
            messages[-1]["content"] += "\n" + content
        else:
            messages.append({"role": turn.role, "content": content})
    while messages and messages[-1]["role"] != "assistant":
        messages.pop()
    roles = [message["role"] for message in messages]
    if "assistant" not in roles:
        raise ValidationError(f"{trajectory.id} has no turns of the agent; style 'plan' takes its calls alone")
    if "user" not in roles[: roles.index("assistant")]:
        prompt = prompt_of(trajectory)
        if not prompt:
            raise ValidationError(f"{trajectory.id} has no prompt; an example needs what was asked")
        messages.insert(1 if roles[0] == "system" else 0, {"role": "user", "content": prompt})
    return messages


def checked_messages(example: Any, place: str) -> list[Message]:
    """Return the messages of an example by others, without secrets; ValidationError for what is none."""
    messages = example.get("messages") if isinstance(example, dict) else None
    if not isinstance(messages, list) or not messages:
        raise ValidationError(f"{place} is {shown(example)}; give {{'messages': [{{'role': ..., 'content': ...}}, ...]}}")
    made: list[Message] = []
    for message in messages:
        role, content = (message.get("role"), message.get("content")) if isinstance(message, dict) else (None, None)
        if role not in ("system", "user", "assistant", "tool") or not isinstance(content, str) or not content.strip():
            raise ValidationError(f"{place} has the message {shown(message)}; give a role (system, user, assistant, tool) and a text as content")
        made.append({"role": role, "content": without_marks(without_secrets(content))})
    if made[-1]["role"] != "assistant" or "user" not in [message["role"] for message in made]:
        raise ValidationError(f"{place} has no user's message that an assistant's answers at its end; give both")
    return made
