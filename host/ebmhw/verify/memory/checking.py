"""What may stand in a memory: names, texts, and how many counters."""

from __future__ import annotations

from ebmhw.errors import VerificationError, shown
from ebmhw.redaction import without_secrets
from ebmhw.verify.memory.state import COUNTERS, NAME_LENGTH, State


def check_size(state: State) -> None:
    """Refuse more counters than a memory holds."""
    if len(state.counters) > COUNTERS:
        raise VerificationError(f"together there would be {len(state.counters)} counters, and a memory holds {COUNTERS}; start another memory")


def check_name(value: object, what: str) -> None:
    """Refuse what is no short printable text, or looks like a secret."""
    if not isinstance(value, str) or not 0 < len(value) <= NAME_LENGTH or not value.isprintable():
        raise VerificationError(f"{what} is {shown(value)}; give a printable text of 1 to {NAME_LENGTH} characters")
    if without_secrets(value) != value:
        raise VerificationError(f"{what} holds what looks like a secret; give it another name")


def checked_text(value: object, what: str) -> str:
    """Return a text; VerificationError for what is none."""
    if not isinstance(value, str):
        raise VerificationError(f"the {what} is {shown(value)}; give a str")
    return value
