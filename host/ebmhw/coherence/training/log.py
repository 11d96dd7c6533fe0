"""Log: JSON lines that are appended as they come, and cut where a run goes on from an earlier step."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, final

from ebmhw.errors import InvalidFile
from ebmhw.files import write_whole


@final
class Log:
    """A file with a JSON object a line, each with its "step"; opened for every line, so that nothing is held back.

    Parameters
    ----------
    path : the file, which need not be there yet
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, record: Mapping[str, Any]) -> None:
        """Append a line; numbers that JSON cannot hold become null."""
        # ASCII: U+2028 and the like end lines for some readers.
        line = json.dumps(_plain(record), allow_nan=False) + "\n"
        with open(self.path, "ab") as stream:
            stream.write(line.encode("ascii"))

    def cut_after(self, step: int) -> int:
        """Leave out the lines of later steps, and lines that are no record (a killed process wrote half of one); return how many went."""
        if not self.path.exists():
            return 0
        kept, dropped = [], 0
        with open(self.path, "rb") as stream:
            for raw in stream:
                record = _record(raw)
                at = None if record is None else record.get("step")
                if isinstance(at, int) and at <= step and raw.endswith(b"\n"):
                    kept.append(raw)
                else:
                    dropped += 1
        if dropped:
            write_whole(self.path, lambda stream: stream.writelines(kept))
        return dropped

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield the lines.

        Raises
        ------
        InvalidFile : a line is no JSON object, naming it
        """
        if not self.path.exists():
            return
        with open(self.path, "rb") as stream:
            for number, raw in enumerate(stream, 1):
                record = _record(raw)
                if record is None:
                    raise InvalidFile(f"{os.fspath(self.path)}:{number}: this is no JSON object; resume the run, which cuts such lines")
                yield record


def _record(raw: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    made = getattr(value, "tolist", None)
    if made is not None:
        return _plain(made())
    return None if isinstance(value, float) and not math.isfinite(value) else value
