"""Reading: logs of ours, of TRL and transformers, and of the peer, from a file or a folder, once or while they are written."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Protocol

from ebmhw.coherence.observe import trackio_log
from ebmhw.coherence.observe.beside import LOG
from ebmhw.coherence.observe.document_log import DocumentLog
from ebmhw.coherence.observe.lines_log import LinesLog
from ebmhw.coherence.observe.run import Run
from ebmhw.coherence.observe.schema import ALIASES
from ebmhw.errors import InvalidFile

LOGS = (LOG, "trainer_state.json", "checkpoint-*/trainer_state.json", "traces.jsonl")
"""Files of a folder that are looked for, in this order; of the checkpoints the one with the highest number is taken."""

_NUMBER = re.compile(r"checkpoint-(\d{1,15})\Z")


class LogReader(Protocol):
    """Something that fills a run and can be asked again."""

    @property
    def run(self) -> Run:
        """What was read so far."""

    def poll(self) -> int:
        """Read what is new and return how many records were of use."""

    def close(self) -> None:
        """Let go of what is open; a last line without an end is read."""


def read_run(path: str | os.PathLike[str], name: str | None = None, vocab_size: int | None = None) -> Run:
    """Return the run of a log.

    Parameters
    ----------
    path : a file of JSON lines (or of lines that transformers printed), a trainer_state.json, a folder with one of `LOGS`,
        or trackio:PROJECT/RUN
    name : of the run; else that of the folder, of the file where it is not one of `LOGS`
    vocab_size : entries of a distribution, for phi of logs that only have the entropy

    Raises
    ------
    InvalidFile
        for what is not there or cannot be read, and a log without any usable record.
    """
    reader = open_log(path, name, vocab_size)
    if isinstance(reader, (LinesLog, DocumentLog)) and not reader.path.exists():
        raise InvalidFile(f"{reader.path}: there is no such file; check the path, or wait for it with --follow")
    try:
        while reader.poll():
            pass
    finally:
        reader.close()
    if not len(reader.run):
        file = str(reader.path) if isinstance(reader, (LinesLog, DocumentLog)) else str(path)
        raise InvalidFile(f"{file}: {nothing_usable(reader.run, file)}")
    return reader.run


def nothing_usable(run: Run, file: str) -> str:
    """Return what is to be said of a log that has no step, and whose path ``file`` the reader was told already."""
    known = ", ".join(keys[0] for keys in ALIASES.values() if keys[0] in ("reward", "loss", "coherence/phi_mean", "entropy_mean"))
    found = "; ".join(run.problems.told(file)) or "it is empty"
    return f"no line holds a figure of a training step ({found}); give JSON objects, one a line, with step and keys such as {known}, entropy, kl"


def open_log(path: str | os.PathLike[str], name: str | None = None, vocab_size: int | None = None) -> LogReader:
    """Return the reader of a log; its file need not be there yet, but a folder must hold one of `LOGS`."""
    if isinstance(path, str) and path.startswith(trackio_log.PREFIX):
        return trackio_log.TrackioLog(path, name, vocab_size)
    where = Path(path)
    file = _log_of(where) if where.is_dir() else where
    run = Run(name or _name_of(where, file), vocab_size)
    if file.name.endswith(".json"):
        return DocumentLog(file, run)
    return LinesLog(file, run)


def log_of(folder: Path) -> Path | None:
    """Return the log of a folder, None where it has none."""
    for pattern in LOGS:
        found = sorted(folder.glob(pattern), key=lambda file: (_checkpoint(file), file.name))
        if found:
            return found[-1]
    return None


def _log_of(folder: Path) -> Path:
    found = log_of(folder)
    if found is not None:
        return found
    raise InvalidFile(f"{folder}: the folder has none of {', '.join(LOGS)}; name the file of the log")


def _checkpoint(file: Path) -> int:
    match = _NUMBER.match(file.parent.name)
    return int(match.group(1)) if match else -1


def _name_of(where: Path, file: Path) -> str:
    usual = file.name in {Path(pattern).name for pattern in LOGS}
    folder = file.resolve().parent if usual else None
    if folder is not None and _NUMBER.match(folder.name):
        folder = folder.parent
    return (folder.name if folder is not None else file.stem) or str(where)
