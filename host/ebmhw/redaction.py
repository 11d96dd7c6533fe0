"""What looks like a secret, and texts and values without it; for whatever leaves the machine or is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

REDACTED = "[redacted]"

_CUT = "..."
_DEPTH, _ITEMS = 50, 10_000
_BITS = 10_000
"""Python does not print integers of more than 4300 digits, about 14,000 bits."""

_ALWAYS = frozenset(
    {"secret", "secrets", "password", "passwd", "passphrase", "authorization", "bearer", "credential", "credentials", "apikey", "cookie"}
)
_IF_TEXT = frozenset({"key", "token", "auth", "session"})
"""Parts of names of both secrets and plain numbers (n_tokens, token_id, key=3): what stands there is taken for a secret only where it is text."""

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

# Every quantifier is bounded or over one class that what follows it does not hold: linear in the length of the text.
_SECRETS = re.compile(
    r"""
    \b(?: (?:sk|pk|rk)-[A-Za-z0-9_-]{16,200}
        | hf_[A-Za-z0-9]{16,200}
        | gh[pousr]_[A-Za-z0-9]{20,200} | github_pat_[A-Za-z0-9_]{20,200}
        | xox[abprs]-[A-Za-z0-9-]{10,200}
        | AKIA[0-9A-Z]{16}
        | AIza[A-Za-z0-9_-]{30,60}
        | eyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,2000}
      )
    | -----BEGIN\ [A-Z ]{0,30}PRIVATE\ KEY-----[A-Za-z0-9+/=\s]{0,20000}(?:-----END\ [A-Z ]{0,30}PRIVATE\ KEY-----)?
    """,
    re.VERBOSE,
)
_NAMED = re.compile(
    r"""(?i)\b(bearer\s{1,4}|(?:api[_-]?key|access[_-]?token|auth[_-]?token|password|passwd|secret)["']?\s{0,4}[=:]\s{0,4}["']?)([^\s"'&,;]{4,4000})"""
)
_IN_URL = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,20}://[^\s/:@]{1,200}:)[^\s/@]{1,200}@")


def without_secrets(text: str) -> str:
    """Return a text in which keys, tokens, passwords and private keys that give themselves away by their form are replaced."""
    text = _SECRETS.sub(REDACTED, text)
    text = _NAMED.sub(lambda found: found[1] + REDACTED, text)
    return _IN_URL.sub(lambda found: f"{found[1]}{REDACTED}@", text)


def redacted(value: Any) -> Any:
    """Return a value as JSON can hold it, without secrets: by the names of members, and by the form of texts.

    Members called password, authorization, api_key and the like go whatever they hold; of those called token or key only texts go, numbers
    (n_tokens, token_id) stay. What JSON cannot hold becomes its text; nesting beyond 50 levels, and what comes after 10,000 items, is cut.
    """
    return _redacted(value, _DEPTH, iter(range(_ITEMS)))


def _redacted(value: Any, depth: int, left: Iterator[int]) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if value.bit_length() <= _BITS else _CUT
    if isinstance(value, float):
        return float(value) if isfinite(value) else None
    if isinstance(value, str):
        return without_secrets(value)
    # A list that holds itself twice has 2^50 items within 50 levels.
    if depth == 0 or next(left, None) is None:
        return _CUT
    if isinstance(value, Mapping):
        pairs = ((_text(name), item) for name, item in value.items() if next(left, None) is not None)
        return {name: REDACTED if _is_secret(name, item) else _redacted(item, depth - 1, left) for name, item in pairs}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_redacted(item, depth - 1, left) for item in value if next(left, None) is not None]
    made = getattr(value, "tolist", None)
    if made is not None:
        try:
            return _redacted(made(), depth - 1, left)
        except Exception:  # a tensor on a device that is gone, an object that only looks like an array
            return f"a {type(value).__name__} that cannot be read"
    return _text(value)


def _text(value: Any) -> str:
    try:
        return without_secrets(str(value))
    except Exception:  # whatever a foreign __str__ raises; a log line must not fail for it
        return f"a {type(value).__name__} that cannot be shown"


def _is_secret(name: str, value: Any) -> bool:
    parts = {part.lower() for part in _PARTS.findall(name)}
    return bool(parts & _ALWAYS) or (bool(parts & _IF_TEXT) and isinstance(value, (str, bytes)))
