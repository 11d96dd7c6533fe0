"""What looks like a secret, and texts and values without it; for whatever leaves the machine or is kept.

A secret is known by its form (keys of well-known services, private keys, passwords in addresses), by the name it is given in a text
(``DB_PASSWORD=...``, ``"token": "..."``, ``Authorization: ...``, ``--password ...``), or by the name of the member that holds it. What has neither
form nor name is not found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import isfinite
from typing import Any, NamedTuple

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
        | A[KS]IA[0-9A-Z]{16}
        | AIza[A-Za-z0-9_-]{30,60}
        | eyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,2000}
        | dckr_(?:pat|oat)_[A-Za-z0-9_-]{10,200} | pypi-Ag[A-Za-z0-9_-]{12,1000} | AGE-SECRET-KEY-1[A-Z0-9]{8,100}
        | SG\.[A-Za-z0-9_-]{10,100}\.[A-Za-z0-9_-]{10,100} | ya29\.[A-Za-z0-9._-]{16,2000}
        | hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{6,200} | discord(?:app)?\.com/api/webhooks/[0-9]{1,30}/[A-Za-z0-9_-]{6,200}
      )
    | -----BEGIN\ [A-Z ]{0,30}PRIVATE\ KEY(?:\ BLOCK)?-----(?:(?!-----END)[\s\S]){0,20000}(?:-----END\ [A-Z ]{0,30}PRIVATE\ KEY(?:\ BLOCK)?-----)?
    """,
    re.VERBOSE,
)

_QUOTE = r"""(?:\\{0,4}["'])"""
_VALUE = r"""(?:(?P<quote>\\{0,4}["'])(?:(?!(?P=quote))[^\r\n]){1,4000}|[^\s"'&,;\\)}\]\[{][^\s"'&,;\\]{0,4000})"""
_STRONG = (
    r"(?:(?:api|access|secret|private|client|encryption|signing|account|shared)[_-]?key(?:[_-]?id)?|(?:access|auth|refresh|session|bot|id)[_-]?token"
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
# Lists and objects that are named so are hidden whole (`_without_enclosed`).
_ENCLOSED = re.compile(rf"(?i){_STRONG}[A-Za-z0-9_]{{0,20}}{_QUOTE}?\s{{0,4}}[=:]\s{{0,4}}[\[{{]")
# Prose and code have words behind "token:" (of Float32Array, one number is a part); long ones with digits at two places are none.
_TOKEN = re.compile(
    r"(?i)(?P<head>(?<![a-z])token\s{0,2}:\s{1,4})(?=[a-z_+/=-]{0,100}[0-9]{1,100}[a-z_+/=-]{1,100}[0-9])(?=[0-9_+/=-]{0,100}[a-z])"
    r"(?P<quote>)[a-z0-9_+/=-]{16,4000}"
)
_OPTION = re.compile(
    rf"(?P<head>(?<![\w-])--?(?:[a-z]{{1,20}}-){{0,3}}(?:password|passwd|passphrase|token|secret|key|auth)[ =](?:<{{1,3}}\s{{0,4}})?(?!<)){_VALUE}"
)
_LINE = r"[^\r\n|;&]{0,300}?\s"
_COMMAND = re.compile(
    rf"""(?P<head>\bcurl\b{_LINE}(?:-[a-zA-Z]{{0,6}}u|--user|--proxy-user)[ =]{{0,2}}["']?[^\s:"']{{1,100}}:"""
    rf"|\b(?:mysql|mariadb)(?:dump|admin|import)?\b{_LINE}-p(?=\S)|\bsshpass\s{{1,4}}-p\s{{0,4}}"
    rf"|\b(?:docker|podman|nerdctl|helm|buildah|skopeo|oras|az|cf)\s{{1,4}}(?:[a-z]{{1,20}}\s{{1,4}})?login\b{_LINE}-p[ =]"
    rf"|\bset(?:x|env|[ ]-[a-zA-Z]{{1,4}})\s{{1,4}}[A-Z0-9_]{{0,40}}(?:TOKEN|KEY|SECRET|PASSWORD|PASS|PWD)\s{{1,4}}"
    rf"|\b_(?:authToken|auth|password)\s{{1,4}}"
    rf"|[?&](?i:sig|signature|x-amz-signature|x-goog-signature)=){_VALUE}"
)
# Of .netrc, whose prose has "machine" and "password" too, but hardly at such places.
_ACCOUNT = r"(?:login|account)\s{1,20}\S{1,200}\s{1,20}"
_NETRC = re.compile(
    rf"(?P<head>(?:\bmachine\s{{1,20}}\S{{1,200}}\s{{1,20}}(?:{_ACCOUNT}){{1,2}}|^[ \t]{{0,8}}default\s{{1,20}}(?:{_ACCOUNT}){{1,2}})"
    rf"password\s{{1,20}}){_VALUE}",
    re.MULTILINE,
)
_IN_URL = re.compile(r"""(?i)\b([a-z][a-z0-9+.-]{0,20}://[^\s/:@]{0,200}:)[^\s/"'<>]{1,200}@""")
_ALONE_IN_URL = re.compile(r"(?i)(://)(?=[a-z_-]{0,200}[0-9])[a-z0-9_-]{16,200}@")
"""Names of users are shorter, or hold no digits."""

_BRACKET = re.compile(r"[\[\]{}]")
_ENCLOSED_CHARS = 4000

_LONE_OPTION = re.compile(r"--?(?:[a-z]{1,20}-){0,3}(?:password|passwd|passphrase|token|secret|key|auth)\Z")


class _Step(NamedTuple):
    """A replacement in texts.

    Attributes
    ----------
    pattern : what is looked for
    put : what stands there then
    marks : letters that the pattern needs: one of each of the groups, in a text whose case is folded
    """

    pattern: re.Pattern[str]
    put: Callable[[re.Match[str]], str]
    marks: tuple[tuple[str, ...], ...]

    def replaced(self, text: str) -> str:
        """Return a text with everything replaced that the pattern finds."""
        return _without_enclosed(text) if self.pattern is _ENCLOSED else self.pattern.sub(self.put, text)


def _value(found: re.Match[str]) -> str:
    return f"{found['head']}{found['quote'] or ''}{REDACTED}"


_SIGNS = ("=", ":")
_NAMES = ("key", "token", "passw", "passphrase", "credential", "secret")
_OPTIONS = ("password", "passwd", "passphrase", "token", "secret", "key", "auth")
_FORM_MARKS = (
    *("k-", "k_", "hf_", "npm_", "glpat-", "gh", "github_pat_", "xox", "akia", "asia", "aiza", "eyj", "-----begin"),
    *("dckr_", "pypi-ag", "age-secret-key-", "sg.", "ya29.", "hooks.slack.com/", "/api/webhooks/"),
)
_COMMANDS = ("curl", "mysql", "mariadb", "sshpass", "login", "setx", "setenv", "set -", "_auth", "_password", "sig=", "signature=")

# Looking for the marks takes a hundredth of a pattern's time, and most texts hold none. Case folded, as the patterns know the long s and the sign of
# kelvin for s and k.
_STEPS = (
    _Step(_FORMS, lambda found: REDACTED, (_FORM_MARKS,)),
    _Step(_HEADER, lambda found: f"{found[1]}{found[2]}{REDACTED}", (("authorization", "cookie", "x-api-key", "x-auth-token"),)),
    _Step(_BEARER, lambda found: found[1] + REDACTED, (("bearer",),)),
    _Step(_ENCLOSED, _value, (_SIGNS, ("[", "{"), _NAMES)),
    _Step(_NAMED, _value, (_SIGNS, _NAMES)),
    _Step(_ENVIRONMENT, _value, (_SIGNS, ("_token", "_key", "_auth", "_pass", "_pwd"))),
    _Step(_WEAK, _value, (_SIGNS, ("token", "key", "auth", "session", "pass", "pwd"))),
    _Step(_TOKEN, _value, ((":",), ("token",))),
    _Step(_OPTION, _value, (("-",), _OPTIONS)),
    _Step(_COMMAND, _value, (_COMMANDS,)),
    _Step(_NETRC, _value, (("machine", "default"), ("password",))),
    _Step(_IN_URL, lambda found: f"{found[1]}{REDACTED}@", (("://",), ("@",))),
    _Step(_ALONE_IN_URL, lambda found: f"{found[1]}{REDACTED}@", (("://",), ("@",))),
)


def without_secrets(text: str) -> str:
    """Return a text in which keys, tokens, passwords and private keys that give themselves away by form or name are replaced."""
    folded = text.casefold()
    for step in _STEPS:
        if all(any(mark in folded for mark in group) for group in step.marks):
            text = step.replaced(text)
    return text


def _without_enclosed(text: str) -> str:
    """Return a text without what stands between the brackets of lists and objects that are named as secrets are."""
    parts: list[str] = []
    at = 0
    while True:
        found = _ENCLOSED.search(text, at)
        if found is None:
            return "".join((*parts, text[at:]))
        if text.startswith(REDACTED, found.end() - 1):
            parts.append(text[at : found.end()])
            at = found.end()
            continue
        end, depth = found.end(), 1
        for bracket in _BRACKET.finditer(text, end, end + _ENCLOSED_CHARS):
            depth += 1 if bracket[0] in "[{" else -1
            if depth == 0:
                end = bracket.start()
                break
        else:
            end = min(len(text), end + _ENCLOSED_CHARS)
        inner = text[found.end() : end]
        parts += [text[at : found.end()], REDACTED if inner.strip() else inner]
        at = end


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
