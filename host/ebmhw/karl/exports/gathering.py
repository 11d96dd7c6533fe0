"""Examples gathered from sessions and from others, with why each that is left out is."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ebmhw.errors import ValidationError
from ebmhw.karl.exports.examples import checked_messages, example_of, prompt_messages, prompt_of
from ebmhw.karl.exports.rows import Example, digest
from ebmhw.karl.exports.settings import POSITIVE, Settings
from ebmhw.karl.exports.sources import SessionValues
from ebmhw.karl.exports.spool import Spool
from ebmhw.karl.exports.verdicts import FAILED, label_of, was_failed
from ebmhw.karl.selection.drawing import preference

REPEATED = "repeat the text of another"

LEAST_EVENTS = 2
"""Calls that a session needs to be an example of a plan."""


def gathered(
    values: Iterable[SessionValues], settings: Settings, excluded: frozenset[str], spool: Spool | None, left_out: Counter[str]
) -> tuple[list[Example], int, str]:
    """Return the examples of sessions, how many sessions there were, and a hash of all that was read of them.

    Without a ``spool`` their texts are not kept, and all have the number 0.
    """
    made: list[Example] = []
    seen: set[str] = set()
    inputs = hashlib.sha256()
    read = 0
    for value in values:
        read += 1
        trajectory = value.trajectory
        inputs.update(json.dumps([trajectory.id, value.advantage, value.reward, value.weight, trajectory.outcome.verified]).encode())
        reason = _reason_against(value, settings, excluded)
        if reason is None:
            asks = settings.format == "prompts"
            messages = prompt_messages(trajectory, settings.system) if asks else example_of(trajectory, settings.style, settings.system)["messages"]
            content = digest(messages)
            inputs.update(content.encode())
            known = f"{content}/{_what_else(value, settings.format)}"
            reason = REPEATED if known in seen else None
            seen.add(known)
        if reason is not None:
            left_out[reason] += 1
            continue
        number = 0 if spool is None else spool.add({"messages": messages, "domain": trajectory.domain_or_global})
        keys = (trajectory.task_key, _prompt_key(messages))
        made.append(
            Example(number, trajectory.id, keys, value.advantage, value.reward, value.weight, trajectory.outcome.verified, digest(messages[-1]))
        )
    return made, read, inputs.hexdigest()


def _what_else(value: SessionValues, format: str) -> str:
    """Return by what equal texts may both stand there: in pairs, which look at equal answers themselves, always; labels; tasks of prompts."""
    if format == "dpo":
        return value.trajectory.id
    return str(_label(value)) if format == "kto" else value.trajectory.task_key if format == "prompts" else ""


def _reason_against(value: SessionValues, settings: Settings, excluded: frozenset[str]) -> str | None:
    """Return why a session is left out, None where it is not."""
    trajectory = value.trajectory
    if trajectory.id in excluded:
        return "are excluded"
    if value.weight == 0.0:
        return "have weight 0"
    if settings.format != "prompts" and settings.style == "plan" and len(trajectory.events) < LEAST_EVENTS:
        return f"have fewer than {LEAST_EVENTS} calls"
    if settings.format in POSITIVE and not settings.failed and was_failed(trajectory.outcome.verified):
        return FAILED
    if settings.format in POSITIVE or (settings.format == "kto" and _label(value) is None):
        if value.advantage is None:
            return "have no advantage in their record"
        if settings.format == "kto":
            return "have the advantage 0, which is neither label"
        if not value.advantage > 0.0:
            return "have no advantage above 0"
    if not prompt_of(trajectory):
        return "have no prompt"
    if settings.style == "session" and not any(turn.role == "assistant" and turn.text.strip() for turn in trajectory.turns):
        return "have no turns of the agent"
    return None


def _label(value: SessionValues) -> bool | None:
    return label_of(value.trajectory.outcome.verified, value.advantage)


def _prompt_key(messages: Sequence[Mapping[str, str]]) -> str:
    """Return what equal prompts have in common, whatever their blanks and capitals."""
    asked = next(message["content"] for message in messages if message["role"] == "user")
    return "prompt:" + hashlib.sha256(" ".join(asked.split()).lower().encode("utf-8", "replace")).hexdigest()


def gathered_extras(extra: Iterable[Mapping[str, Any]], settings: Settings, spool: Spool, left_out: Counter[str]) -> list[Example]:
    """Return the examples by others, each content once."""
    made: list[Example] = []
    seen: set[str] = set()
    for number, one in enumerate(extra):
        if settings.format not in POSITIVE:
            raise ValidationError(f"extra is for the formats {', '.join(POSITIVE)}, not for {settings.format}; leave it out")
        messages = checked_messages(one, f"extra example {number}")
        content = digest(messages)
        if content in seen:
            left_out["are extra examples given twice"] += 1
            continue
        seen.add(content)
        place = spool.add({"messages": messages, "domain": "extra"})
        made.append(Example(place, f"extra:{content[:16]}", (_prompt_key(messages),), None, None, settings.extra_weight, extra=True))
    return made


def weighted(examples: list[Example]) -> list[Example]:
    """Return the examples with weights of mean 1: those given, else the softmax of their advantages."""
    if not examples:
        return []
    given = [example.weight for example in examples if example.weight is not None]
    if len(given) == len(examples):
        weights = np.array(given)
    elif all(example.advantage is not None for example in examples):
        weights = preference(np.array([example.advantage for example in examples], dtype=np.float64))
    else:
        return examples
    return [example._replace(weight=weight) for example, weight in zip(examples, (weights / weights.mean()).tolist(), strict=True)]
