"""What looks like a secret, and texts and values without it; for whatever leaves the machine or is kept.

A secret is known by its form (keys of well-known services, private keys, passwords in addresses), by the name it is given in a text
(``DB_PASSWORD=...``, ``"token": "..."``, ``Authorization: ...``, ``--password ...``), or by the name of the member that holds it. What has neither
form nor name is not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Any

REDACTED = "[redacted]"

_CUT = "..."
_DEPTH, _ITEMS = 50, 10_000
_BITS = 10_000
"""Python does not print integers of more than 4300 digits, about 14,000 bits."""

_ALWAYS = frozenset(
    {
        *("secret", "secrets", "password", "passwords", "passwd", "pwd", "passphrase", "authorization", "bearer", "credential", "credentials"),
        *("apikey", "cookie", "cookies"),
    }
)
_IF_TEXT = frozenset({"key", "token", "auth", "session", "pass"})
"""Parts of names of both secrets and plain numbers (n_tokens, token_id, key=3): of what stands there only texts are taken for secrets."""

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

# Every quantifier is bounded, or over a class that what follows it does not hold: linear in the length of the text.
_FORMS = re.compile(
    r"""
    (?<![A-Za-z0-9])(?:
          (?:sk|pk|rk)-[A-Za-z0-9_-]{16,200} | (?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,200}
        | hf_[A-Za-z0-9]{16,200} | npm_[A-Za-z0-9]{20,200} | glpat-[A-Za-z0-9_-]{16,200}
        | gh[pousr]_[A-Za-z0-9]{20,200} | github_pat_[A-Za-z0-9_]{20,200}
        | xox[abprs]-[A-Za-z0-9-]{10,200}
        | AKIA[0-9A-Z]{16}
        | AIza[A-Za-z0-9_-]{30,60}
        | eyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,2000}
      )
    | -----BEGIN\ [A-Z ]{0,30}PRIVATE\ KEY-----(?:(?!-----END)[\s\S]){0,20000}(?:-----END\ [A-Z ]{0,30}PRIVATE\ KEY-----)?
    """,
    re.VERBOSE,
)

_QUOTE = r"""(?:\\{0,4}["'])"""
_VALUE = r"""(?:(?P<quote>\\{0,4}["'])(?:(?!(?P=quote))[^\r\n]){1,4000}|[^\s"'&,;\\)}\]][^\s"'&,;\\]{0,4000})"""
_STRONG = (
    r"(?:(?:api|access|secret|private|client|encryption|signing)[_-]?key(?:[_-]?id)?|(?:access|auth|refresh|session|bot|id)[_-]?token"
    r"|password|passwd|passphrase|credentials?|secret)"
)
# A heading of HTTP: all of its line, whose parts are anybody's.
_HEADER = re.compile(r"""(?i)((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-auth-token)(["']?\s{0,4}[:=]\s{0,4}["']?)[^\r\n"']{1,4000}""")
_BEARER = re.compile(r"(?i)\b(bearer\s{1,4})[A-Za-z0-9._~+/=-]{4,4000}")
_NAMED = re.compile(rf"(?i)(?P<head>{_STRONG}[A-Za-z0-9_]{{0,20}}{_QUOTE}?\s{{0,4}}[=:]\s{{0,4}}){_VALUE}")
# Names that are plain words too: where they are assigned to without blanks, or as members of JSON; numbers stay.
_WEAK = re.compile(
    rf"(?i)(?P<head>(?<![A-Za-z])(?:token|key|auth|session|pass|pwd)(?:{_QUOTE}\s{{0,4}}:\s{{0,4}}(?=\\{{0,4}}[\"'])|=))"
    rf"(?![-+.\d]{{1,40}}(?![\w.])){_VALUE}"
)
_ENVIRONMENT = re.compile(rf"(?P<head>\b[A-Z0-9_]{{0,40}}_(?:TOKEN|KEY|AUTH|PASS|PWD)\s{{0,4}}[=:]\s{{0,4}})(?![-+.\d]{{1,40}}(?![\w.])){_VALUE}")
_OPTION = re.compile(rf"(?P<head>(?<![\w-])--?(?:[a-z]{{1,20}}-){{0,3}}(?:password|passwd|passphrase|token|secret|key|auth)[ =]){_VALUE}")
_IN_URL = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,20}://[^\s/:@]{1,200}:)[^\s/@]{1,200}@")

_LONE_OPTION = re.compile(r"--?(?:[a-z]{1,20}-){0,3}(?:password|passwd|passphrase|token|secret|key|auth)\Z")


# Letters that each of the expressions needs: looking for them takes a hundredth of its time, and most texts hold none. Case folded, as the
# expressions know the long s and the sign of kelvin for s and k.
_MARKS: tuple[tuple[re.Pattern[str], tuple[str, ...], tuple[str, ...]], ...] = (
    (_NAMED, ("=", ":"), ("key", "token", "passw", "passphrase", "credential", "secret")),
    (_ENVIRONMENT, ("=", ":"), ("_token", "_key", "_auth", "_pass", "_pwd")),
    (_WEAK, ("=", ":"), ("token", "key", "auth", "session", "pass", "pwd")),
    (_OPTION, ("-",), ("password", "passwd", "passphrase", "token", "secret", "key", "auth")),
)
_FORM_MARKS = ("k-", "k_", "hf_", "npm_", "glpat-", "gh", "github_pat_", "xox", "akia", "aiza", "eyj", "-----begin")
_HEADER_MARKS = ("authorization", "cookie", "x-api-key", "x-auth-token")


def without_secrets(text: str) -> str:
    """Return a text in which keys, tokens, passwords and private keys that give themselves away by form or name are replaced."""
    folded = text.casefold()
    if _any(_FORM_MARKS, folded):
        text = _FORMS.sub(REDACTED, text)
    if _any(_HEADER_MARKS, folded):
        text = _HEADER.sub(lambda found: f"{found[1]}{found[2]}{REDACTED}", text)
    if "bearer" in folded:
        text = _BEARER.sub(lambda found: found[1] + REDACTED, text)
    for named, signs, words in _MARKS:
        if _any(signs, folded) and _any(words, folded):
            text = named.sub(lambda found: f"{found['head']}{found['quote'] or ''}{REDACTED}", text)
    return _IN_URL.sub(lambda found: f"{found[1]}{REDACTED}@", text) if "://" in text else text


def _any(marks: tuple[str, ...], folded: str) -> bool:
    return any(mark in folded for mark in marks)


def redacted(value: Any, items: int = _ITEMS) -> Any:
    """Return a value as JSON can hold it, without secrets: by the names of members, and by the form of texts.

    Members called password, authorization, api_key and the like go whatever they hold; of those called token or key only texts go, also those in
    lists and mappings there, numbers (n_tokens, token_id) stay. What JSON cannot hold becomes its text; nesting beyond 50 levels, and what comes
    after ``items`` items, is cut.
    """
    return _redacted(value, _DEPTH, iter(range(items)), False)


def _redacted(value: Any, depth: int, left: Iterator[int], hidden: bool) -> Any:
    """Return a value without secrets; ``hidden``: all of its texts are."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if value.bit_length() <= _BITS else _CUT
    if isinstance(value, float):
        return float(value) if isfinite(value) else None
    if isinstance(value, str):
        return REDACTED if hidden else without_secrets(value)
    # A list that holds itself twice has 2^50 items within 50 levels.
    if depth == 0 or next(left, None) is None:
        return _CUT
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        pairs = ((_text(name), item) for name, item in value.items() if next(left, None) is not None)
        return {name: _member(name, item, depth - 1, left, hidden) for name, item in pairs}
    if isinstance(value, (list, tuple, set, frozenset)):
        return _listed(value, depth - 1, left, hidden)
    made = getattr(value, "tolist", None)
    if made is not None:
        try:
            return _redacted(made(), depth - 1, left, hidden)
        except Exception:  # a tensor on a device that is gone, an object that only looks like an array
            return f"a {type(value).__name__} that cannot be read"
    return REDACTED if hidden else _text(value)


def _member(name: str, value: Any, depth: int, left: Iterator[int], hidden: bool) -> Any:
    parts = {part.lower() for part in _PARTS.findall(name)}
    if parts & _ALWAYS:
        return REDACTED
    # A session is a record as often as a secret.
    by_name = parts & (_IF_TEXT if isinstance(value, (str, bytes, bytearray)) else _IF_TEXT - {"session"})
    return _redacted(value, depth, left, hidden or bool(by_name))


def _listed(values: Iterable[Any], depth: int, left: Iterator[int], hidden: bool) -> list[Any]:
    """Return the items of a list; what follows an option such as "--password" is a secret."""
    told: list[Any] = []
    named = False
    for value in values:
        if next(left, None) is None:
            break
        told.append(_redacted(value, depth, left, hidden or named))
        named = isinstance(value, str) and _LONE_OPTION.match(value) is not None
    return told


def _text(value: Any) -> str:
    try:
        return without_secrets(str(value))
    except Exception:  # whatever a foreign __str__ raises; a log line must not fail for it
        return f"a {type(value).__name__} that cannot be shown"
