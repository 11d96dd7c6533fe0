"""Texts that commands read: from the command line, from files, from standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ebmhw.errors import InvalidFile
from ebmhw.verify.pipeline import TEXT_LIMIT

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

BYTE_LIMIT = 4 * TEXT_LIMIT
"""Of a file of text; UTF-8 takes up to 4 bytes a character."""

domains_option: Decorator = click.option(
    "--domains",
    metavar="NAME,...",
    help="What to check: code, execution (needs a specification), programs (needs constraints), dates, facts (needs knowledge), arithmetic, logic, "
    "grounding.  [default: all but grounding]",
)
knowledge_option: Decorator = click.option("--knowledge", metavar="FILE", help="Knowledge file that facts are checked against.")
llm_option: Decorator = click.option(
    "--llm", metavar="MODEL", help="Language model that tries again: smollm2, http://host/v1#name, or a folder of transformers."
)
max_repairs_option: Decorator = click.option("--max-repairs", type=click.IntRange(0), default=3, show_default=True, help="Attempts at a repair.")


def names(value: str | None) -> tuple[str, ...] | None:
    """Return the names of a list with commas."""
    return None if value is None else tuple(name.strip() for name in value.split(",") if name.strip())


def given(value: str | None, option: str) -> str | None:
    """Return a text given as itself, as @FILE, or as - for standard input."""
    if value == "-":
        return read_text("-")
    if value is not None and value.startswith("@"):
        return read_text(value[1:])
    if value is not None and len(value) < 256 and "\n" not in value and os.path.isfile(value):
        click.echo(f"note: {option} is checked as the text {value!r}; {option} @{value} reads the file of that name", err=True)
    return value


def from_file(path: str | None) -> str | None:
    """Return the text of a file, - for standard input, or None where none is named."""
    return None if path is None else read_text(path)


def read_text(path: str) -> str:
    """Return the text of a file, - for standard input, exactly but for a byte order mark.

    Raises
    ------
    InvalidFile
        where it cannot be read, is no UTF-8, or has more than `BYTE_LIMIT` bytes.
    """
    raw = read_bytes(path, BYTE_LIMIT)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InvalidFile(f"{_name(path)}:{line}: byte {error.start} of the file is no UTF-8; write it in UTF-8") from None


def read_bytes(path: str, limit: int) -> bytes:
    """Return the bytes of a file, - for standard input."""
    try:
        if path == "-":
            raw = sys.stdin.buffer.read(limit + 1)
        else:
            with Path(path).open("rb") as stream:
                raw = stream.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidFile(f"{_name(path)}: cannot be read: {reason}; name a file of text") from None
    if len(raw) > limit:
        raise InvalidFile(f"{_name(path)}: there are more than {limit} bytes; that many are read: split it")
    return raw


def _name(path: str) -> str:
    return "standard input" if path == "-" else path
