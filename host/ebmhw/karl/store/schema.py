"""Schema: the tables of a store, and how those of earlier versions become them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ebmhw.errors import NewerRecord, StoreError

APPLICATION_ID = 0x45424B54
"""In the file's header: this SQLite file is a store of trajectories."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Scores stand in columns only: scoring all records anew rewrites no body.
        """CREATE TABLE record (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            session TEXT NOT NULL,
            domain TEXT,
            skill TEXT,
            user TEXT,
            task TEXT,
            agent TEXT,
            model TEXT,
            started REAL,
            ended REAL,
            tools INTEGER NOT NULL,
            verified REAL,
            reward REAL,
            outcome REAL,
            process REAL,
            efficiency REAL,
            verification REAL,
            consistency REAL,
            advantage REAL,
            held_out INTEGER NOT NULL DEFAULT 0,
            trained REAL,
            noted TEXT,
            stored REAL NOT NULL,
            body BLOB NOT NULL
        )""",
        "CREATE INDEX record_session ON record (session, started)",
        "CREATE INDEX record_domain ON record (domain)",
    ),
)
"""Statements that make version n + 1 of version n."""


def version_of(connection: sqlite3.Connection, path: Path, migrations: tuple[tuple[str, ...], ...]) -> int:
    """Return the version of a store, 0 for a file without tables.

    Raises
    ------
    NewerRecord : a later version of the package made it
    StoreError : it is another program's database
    """
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if application == 0 and version == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
        return 0
    if application != APPLICATION_ID or version < 1:
        raise StoreError(f"{path}: this is an SQLite database, but no store of trajectories; give another path (it is left as it is)")
    if version > len(migrations):
        raise NewerRecord(
            f"{path}: the store has version {version}, this package reads up to {len(migrations)}; open it with a later ebmhw (it is left as it is)"
        )
    return version


def migrate(connection: sqlite3.Connection, version: int, migrations: tuple[tuple[str, ...], ...]) -> None:
    """Bring a store of ``version`` up to the last one; to be called within a transaction."""
    for statements in migrations[version:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(migrations)}")
