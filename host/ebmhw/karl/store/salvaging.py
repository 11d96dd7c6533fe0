"""Salvaging: the rows of a store, those behind damaged pages included."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from ebmhw.errors import StoreError
from ebmhw.karl.readers.reader import Problem, Report
from ebmhw.karl.store.database import Database

MISSES = 10_000
"""Numbers in a row without a record that can be read, after which there are taken to be no more; 0.5 s or so."""


def salvaged(database: Database, columns: str, where: str, values: list[Any], report: Report) -> Iterator[Any]:
    """Yield rows in their order; from where the file is damaged on, one by one, with damaged pages reported and left out."""
    number = 0
    try:
        for at, *row in database.streamed(f"SELECT number, {columns} FROM record WHERE {where} ORDER BY number", values):
            number = at
            yield row
        return
    except StoreError as error:
        if not isinstance(error.__cause__, sqlite3.DatabaseError) or isinstance(error.__cause__, sqlite3.OperationalError):
            raise
        report(_told(database, error))
    unread = misses = 0
    while misses < MISSES:
        number += 1
        misses += 1
        try:
            rows = database.rows(f"SELECT {where}, {columns} FROM record WHERE number = ?", [*values, number])
        except StoreError:
            unread += 1
            continue
        if rows:
            misses = 0
            matches, *row = rows[0]
            if matches:
                yield row
    report(Problem(str(database.path), None, f"{unread} places for records lie on damaged pages; what stood there is left out"))


def _told(database: Database, error: Exception) -> Problem:
    return Problem(str(database.path), None, str(error).removeprefix(f"{database.path}: "))
