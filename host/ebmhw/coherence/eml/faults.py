"""The errors of expressions, by their codes."""

from __future__ import annotations

from typing import Any

from ebmhw.errors import EmlError, shown


def depth_exceeded(text: str, **context: Any) -> EmlError:
    """Return the error of a tree that is too deep."""
    return EmlError(text, "eml.depth_exceeded", context=context)


def domain_error(text: str, **context: Any) -> EmlError:
    """Return the error of a value that an expression cannot hold or take."""
    return EmlError(text, "eml.domain_error", context=context)


def decode_error(text: str, **context: Any) -> EmlError:
    """Return the error of bytes or a dict that are no tree."""
    return EmlError(text, "eml.decode_error", context=context)


def signature_mismatch(text: str, **context: Any) -> EmlError:
    """Return the error of bytes that a secret did not sign."""
    return EmlError(text, "eml.signature_mismatch", context=context)


def told(value: Any) -> str:
    """Return a value as it may stand in a message, containers by their kind only: printing one that is nested deeply fails."""
    return shown(value) if value is None or isinstance(value, (bool, int, float, str, bytes)) else f"a {type(value).__name__}"
