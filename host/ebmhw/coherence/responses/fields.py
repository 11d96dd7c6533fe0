"""Members of responses, be they parsed JSON or objects of a client; InvalidTrace names the place of what is missing or of another type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ebmhw.errors import InvalidTrace, shown
from ebmhw.numbers import whole

TOKENS_LIMIT = 10_000_000


def member(node: Any, name: str) -> Any:
    """Return a member of a mapping or an attribute of an object, None where there is none."""
    if isinstance(node, Mapping):
        return node.get(name)
    try:
        return getattr(node, name, None)
    except Exception as error:  # whatever a foreign property raises
        raise InvalidTrace(f"{name} of a {type(node).__name__} cannot be read ({error}); give the response as it came") from None


def sequence(value: Any, place: str, remedy: str = "give the response as it came") -> Sequence[Any]:
    """Return a list or tuple, or what acts like one (vLLM's flat log-probabilities do)."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Sequence):
        raise InvalidTrace(f"{place} is {shown(value)}, not a list; {remedy}")
    if len(value) > TOKENS_LIMIT:
        raise InvalidTrace(f"{place} has {len(value)} entries; up to {TOKENS_LIMIT} are read")
    return value


def pick(values: Sequence[Any], index: Any, place: str) -> Any:
    """Return one of the choices of a response."""
    number = whole(index)
    if number is None or not 0 <= number < len(values):
        raise InvalidTrace(f"{place}[{shown(index)}] is not there, {place} has {len(values)}; give choice= a whole number from 0 up")
    return values[number]


def text(value: Any, place: str) -> str:
    """Return a text, "" for None."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidTrace(f"{place} is {shown(value)}, not a text; give the response as it came")
    return value


def logprob(value: Any, place: str, tolerance: float) -> float | None:
    """Return a log-probability in nats; None for null and NaN.

    -9999, which OpenAI documents for "very unlikely" and vLLM writes for -inf, and what is below, is -inf.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidTrace(f"{place} is {shown(value)}, not a number; give the response as it came")
    if value > tolerance:
        raise InvalidTrace(f"{place} is {shown(value)}; the logarithm of a probability is at most 0 (give tolerance= how far it may be off)")
    if value != value:
        return None
    return float("-inf") if value <= -9999 else min(0.0, float(value))
