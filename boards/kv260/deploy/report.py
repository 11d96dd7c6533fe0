"""What a deploy tells while it goes on: each step with its time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, final

from boards.kv260.deploy.text import clean
from ebmhw.errors import EbmhwError


@final
class Report:
    """Lines for a reader, and the same as one JSON object.

    Parameters
    ----------
    lines : where the lines go
    """

    def __init__(self, lines: IO[str]) -> None:
        self._lines = lines
        self._start = time.monotonic()
        self.data: dict[str, Any] = {"steps": []}

    def tell(self, text: str) -> None:
        """Write a line with the time since the beginning."""
        print(f"[{time.monotonic() - self._start:6.1f} s] {clean(text)}", file=self._lines, flush=True)

    def more(self, text: str) -> None:
        """Write a line that belongs to the one before."""
        print(f"             {clean(text)}", file=self._lines, flush=True)

    @contextmanager
    def step(self, name: str) -> Iterator[dict[str, Any]]:
        """Time a step; what the body puts under "said" is shown behind it."""
        start = time.monotonic()
        made: dict[str, Any] = {"step": name, "state": "failed"}
        self.data["steps"].append(made)
        try:
            yield made
        except BaseException as error:
            self._close(made, start, "interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
            raise
        self._close(made, start, "ok")

    def _close(self, made: dict[str, Any], start: float, state: str) -> None:
        made["state"], made["seconds"] = state, round(time.monotonic() - start, 3)
        said = f": {made['said']}" if made.get("said") else ""
        self.tell(f"{made['step']}: {state} ({made['seconds']:.1f} s){said}")

    def failed(self, error: EbmhwError) -> None:
        """Put an error into the data, and tell it."""
        self.data["error"] = {"code": error.code, "message": clean(str(error))}
        self.tell(f"FAILED: {error}")

    def to_json(self) -> str:
        """Return all of it as JSON."""
        return json.dumps(self.data, indent=2, allow_nan=False)
