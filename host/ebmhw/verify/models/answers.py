"""What an OpenAI-compatible endpoint answers: JSON to completions, every part checked."""

from __future__ import annotations

import json
from typing import Any, Literal

from ebmhw.errors import ModelError, shown
from ebmhw.verify.models.http import Reply
from ebmhw.verify.models.language_model import Completion, Finish, check_unicode, checked_logprob, plain_answer


def model_names(reply: Reply, who: str) -> list[str]:
    """Return the names in the answer to /models."""
    data = _object(reply, who).get("data")
    names = [entry.get("id") for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []
    return [name for name in names if isinstance(name, str) and name and name.isprintable()]


def read_answer(reply: Reply, interface: Literal["chat", "completions"], who: str) -> list[Completion]:
    """Return the completions of a reply, those without text left out; raise ModelError where none is left."""
    answer = _object(reply, who)
    choices = answer.get("choices")
    if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
        raise ModelError(f"{who} answered JSON without a list of choices{reply.excerpt()}; is it compatible with OpenAI's interface?")
    usage = answer.get("usage")
    counted = usage.get("completion_tokens") if isinstance(usage, dict) and len(choices) == 1 else None
    found = []
    for choice in choices:
        given = _chat_text(choice.get("message")) if interface == "chat" else choice.get("text")
        text = plain_answer(given) if interface == "completions" and isinstance(given, str) else given
        if not isinstance(text, str) or not text.strip():
            continue
        check_unicode(text, who)
        logprobs = choice.get("logprobs")
        values = _chat_logprobs(logprobs) if interface == "chat" else _plain_logprobs(logprobs)
        logprob = _sum(values)
        tokens = len(values) if values else counted if isinstance(counted, int) and counted > 0 else None
        finish: Finish = "length" if choice.get("finish_reason") == "length" else "stop"
        found.append(Completion(text, logprob, tokens, finish))
    if not found:
        why = choices[0].get("finish_reason") if choices else None
        raise ModelError(
            f"{who} answered no text in {len(choices)} choices (finish_reason {shown(why)}){reply.excerpt()}; "
            "a model that reasons before it answers needs more max_tokens"
        )
    return found


def _object(reply: Reply, who: str) -> dict[str, Any]:
    if not reply.is_json:
        raise ModelError(f"{who} answered something else than JSON{reply.excerpt()}; is the address right? It mostly ends in /v1")
    try:
        found = json.loads(reply.body.decode())
    except UnicodeDecodeError as error:
        raise ModelError(f"{who} answered JSON that is not UTF-8 (byte {error.start} is {reply.body[error.start]:#04x}); look at its log") from None
    except RecursionError:
        raise ModelError(f"{who} answered JSON that is nested too deeply to be an answer; is it compatible with OpenAI's interface?") from None
    except ValueError as error:
        raise ModelError(f"{who} answered broken JSON ({error}){reply.excerpt()}; look at its log, then try again") from None
    if not isinstance(found, dict):
        raise ModelError(f"{who} answered JSON that is no object{reply.excerpt()}; is it compatible with OpenAI's interface?")
    return found


def _chat_text(message: object) -> object:
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, list):  # parts, of which some are text
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return content


def _chat_logprobs(logprobs: object) -> list[object]:
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    return [entry.get("logprob") if isinstance(entry, dict) else None for entry in content] if isinstance(content, list) else []


def _plain_logprobs(logprobs: object) -> list[object]:
    values = logprobs.get("token_logprobs") if isinstance(logprobs, dict) else None
    return list(values) if isinstance(values, list) else []


def _sum(values: list[object]) -> float | None:
    checked = [checked_logprob(value) for value in values]
    good = [value for value in checked if value is not None]
    return sum(good) if good and len(good) == len(values) else None
