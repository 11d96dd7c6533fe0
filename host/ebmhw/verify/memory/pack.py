"""Pack: a memory as JSON, read strictly; the form of both its own file and of what is carried elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import stat
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, final

import ebmhw
from ebmhw.errors import InvalidFile, NewerRecord, VerificationError, shown
from ebmhw.files import write_whole
from ebmhw.verify.members import decoded
from ebmhw.verify.memory.state import CHECKS, COUNTERS, MOST, NAME_LENGTH, NAMES, TEXT_LENGTH, Check, Count, Counted, Fix, State, to_json
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED

SCHEMA, VERSION = "ebmhw-session-memory", 1

BYTES = 2**27
"""Of a file at most; a full one without texts has 25 MB."""

_HASH = re.compile(r"[0-9a-f]{64}")
_SOURCE = re.compile(r"[0-9a-f]{32}")
_METHODS = ("exact", "search", "model")


class Pack(NamedTuple):
    """What a file of a memory holds.

    Attributes
    ----------
    state : counters and checks
    source : under which the file's own sessions count; None in what was exported
    home : of which file at which place it is that; None in what was exported
    """

    state: State
    source: str | None
    home: str | None


def path_of(path: object) -> Path:
    """Return a path; VerificationError for what is none."""
    try:
        return Path(os.fsdecode(path))  # type: ignore[arg-type]
    except TypeError:
        raise VerificationError(f"{shown(path)} is no path; give one as a text") from None


def home_of(path: Path) -> str:
    """Return a hash of machine and path: a copy of the file elsewhere counts under a source of its own."""
    return hashlib.sha256(f"{socket.gethostname()}\n{os.path.realpath(path)}".encode("utf-8", "surrogateescape")).hexdigest()


def write_pack(path: Path, pack: Pack) -> None:
    """Write a pack, whole or not at all; VerificationError where it cannot be."""
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "ebmhw": ebmhw.__version__,
        "source": pack.source,
        "home": pack.home,
        **to_json(pack.state),
    }
    content["digest"] = _digest(content)
    raw = json.dumps(content, separators=(",", ":")).encode("ascii") + b"\n"
    if len(raw) > BYTES:
        raise VerificationError(f"{path}: the memory has {len(raw)} bytes, and {BYTES} can be read again; keep no texts, or start another one")
    try:
        write_whole(path, lambda stream: stream.write(raw))
    except OSError as error:
        raise VerificationError(f"{path} cannot be written ({error.strerror or error}); what was there is as it was: give another path") from error


def read_pack(path: Path) -> Pack:
    """Return what a file holds.

    Raises
    ------
    InvalidFile
        for what is no pack, with the place within it.
    NewerRecord
        for one of a later version.
    """
    content = decoded(_bytes(path), str(path))
    reader = _Reader(path)
    fields = reader.members(content, "", None)
    if fields.get("schema") != SCHEMA:
        reader.fail("schema", fields.get("schema"), f"{SCHEMA!r}; this is no memory of ebmhw")
    version = fields.get("version")
    if type(version) is int and version > VERSION:
        raise NewerRecord(
            f"{path}: version {shown(version)} of a memory is later than {VERSION}, the last known here; it is as it was: upgrade ebmhw"
        )
    if type(version) is not int or version != VERSION:
        reader.fail("version", version, f"{VERSION}")
    fields = reader.members(content, "", ("schema", "version", "ebmhw", "source", "home", "counters", "checks", "digest"))
    reader.text(fields["ebmhw"], "ebmhw")
    source = None if fields["source"] is None else reader.matching(fields["source"], "source", _SOURCE)
    home = None if fields["home"] is None else reader.matching(fields["home"], "home", _HASH)
    counters: dict[Counted, Count] = {}
    for at, record in enumerate(reader.items(fields["counters"], "counters", COUNTERS)):
        counted, count = reader.counter(record, f"counters/{at}")
        if counted in counters:
            reader.fail(f"counters/{at}", counted.name, "a counter that is there once")
        counters[counted] = count
    checks: dict[str, Check] = {}
    for at, record in enumerate(reader.items(fields["checks"], "checks", CHECKS)):
        check = reader.check(record, f"checks/{at}")
        if check.key in checks:
            reader.fail(f"checks/{at}", check.key, "a check that is there once")
        checks[check.key] = check
    if _digest(content) != fields["digest"]:
        raise InvalidFile(f"{path}: the digest is not that of the content; the file was damaged or changed by hand, and nothing was taken from it")
    return Pack(State(counters, checks), source, home)


def _digest(content: dict[str, Any]) -> str:
    """Return a checksum of all but the digest; it finds damage, not forgery."""
    rest = {name: value for name, value in content.items() if name != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


def _bytes(path: Path) -> bytes:
    try:
        # Without waiting: what lies there may be a pipe.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except (OSError, ValueError) as error:
        raise InvalidFile(f"{path}: it cannot be read: {getattr(error, 'strerror', None) or error}; give the path of a memory or a pack") from None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise InvalidFile(f"{path}: this is no regular file; give the path of a memory or a pack")
        with os.fdopen(handle, "rb", closefd=False) as stream:
            raw = stream.read(BYTES + 1)
    except OSError as error:
        raise InvalidFile(f"{path}: it cannot be read: {error.strerror or error}") from None
    finally:
        os.close(handle)
    if len(raw) > BYTES:
        raise InvalidFile(f"{path}: it has more than {BYTES} bytes, and a memory has no more; this is none")
    return raw


@final
class _Reader:
    """Takes values that are what they must be, and names the place of what is not."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def fail(self, place: str, value: object, wanted: str) -> NoReturn:
        raise InvalidFile(f"{self._path}: {place or 'the whole'} is {shown(value)}; it must be {wanted}")

    def members(self, value: object, place: str, names: tuple[str, ...] | None) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.fail(place, value, "an object")
        if names is not None and set(value) != set(names):
            odd = sorted(set(value) ^ set(names))[0]
            self.fail(f"{place}/{odd}".lstrip("/")[:200], value.get(odd, "missing"), f"there where it belongs; the members are {', '.join(names)}")
        return value

    def items(self, value: object, place: str, most: int) -> list[Any]:
        if not isinstance(value, list) or len(value) > most:
            self.fail(place, value, f"a list of at most {most} items")
        return value

    def text(self, value: object, place: str, most: int = NAME_LENGTH) -> str:
        if not isinstance(value, str) or len(value) > most:
            self.fail(place, value, f"a text of at most {most} characters")
        return value

    def matching(self, value: object, place: str, pattern: re.Pattern[str]) -> str:
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            self.fail(place, value, f"hexadecimal digits as {pattern.pattern}")
        return value

    def one_of(self, value: object, place: str, options: tuple[str, ...]) -> Any:
        if not isinstance(value, str) or value not in options:
            self.fail(place, value, f"one of {', '.join(options)}")
        return value

    def number(self, value: object, place: str) -> int:
        if type(value) is not int or not 0 <= value <= MOST:
            self.fail(place, value, f"a whole number from 0 to {MOST}")
        return value

    def counter(self, value: object, place: str) -> tuple[Counted, Count]:
        fields = self.members(value, place, (*Counted._fields, *Count._fields))
        texts = [self.text(fields[name], f"{place}/{name}") for name in ("kind", "name")]
        if not all(texts) or not all(map(str.isprintable, texts)):
            self.fail(place, texts, "named by printable texts")
        count = Count(*(self.number(fields[name], f"{place}/{name}") for name in Count._fields))
        if count.caught > count.tried:
            self.fail(f"{place}/caught", count.caught, f"at most tried, {count.tried}")
        return Counted(self.matching(fields["source"], f"{place}/source", _SOURCE), *texts), count

    def check(self, value: object, place: str) -> Check:
        fields = self.members(value, place, tuple(Check.__dataclass_fields__))
        violated = [self.items(one, f"{place}/violated", 2) for one in self.items(fields["violated"], f"{place}/violated", NAMES)]
        if any(len(one) != 2 for one in violated):
            self.fail(f"{place}/violated", violated, "pairs of domain and kind")
        return Check(
            **{name: self.matching(fields[name], f"{place}/{name}", _HASH) for name in ("question", "response", "shape", "certificate")},
            given=None if fields["given"] is None else self.matching(fields["given"], f"{place}/given", _HASH),
            verdict=self.one_of(fields["verdict"], f"{place}/verdict", (VERIFIED, VIOLATED, UNKNOWN)),
            domains=self._texts(fields["domains"], f"{place}/domains"),
            violated=tuple((self.text(one[0], f"{place}/violated"), self.text(one[1], f"{place}/violated")) for one in violated),
            failed=self._texts(fields["failed"], f"{place}/failed"),
            version=self.text(fields["version"], f"{place}/version"),
            fix=self._fix(fields["fix"], f"{place}/fix"),
            at=self.number(fields["at"], f"{place}/at"),
            texts=self._kept(fields["texts"], f"{place}/texts"),
        )

    def _texts(self, value: object, place: str) -> tuple[str, ...]:
        return tuple(self.text(one, place) for one in self.items(value, place, NAMES))

    def _fix(self, value: object, place: str) -> Fix | None:
        if value is None:
            return None
        fields = self.members(value, place, Fix._fields)
        return Fix(
            self.one_of(fields["method"], f"{place}/method", _METHODS),
            self.matching(fields["response"], f"{place}/response", _HASH),
            self.one_of(fields["verdict"], f"{place}/verdict", (VERIFIED, VIOLATED, UNKNOWN)),
        )

    def _kept(self, value: object, place: str) -> tuple[str, str] | None:
        if value is None:
            return None
        texts = self.items(value, place, 2)
        if len(texts) != 2:
            self.fail(place, texts, "question and response")
        return self.text(texts[0], place, TEXT_LENGTH), self.text(texts[1], place, TEXT_LENGTH)
