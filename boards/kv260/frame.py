"""The frame of a command: errors are told on stderr, and a stop from outside ends it in order."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import Any

from ebmhw.errors import EbmhwError


def framed(action: Callable[[], object], stopped: str, name: str = "error") -> int:
    """Do what a command does; returns 0, 1 after an error, told behind ``name``, or 130 after Ctrl-C or SIGTERM, of which ``stopped`` is told."""
    # A stop from outside ends the tool that runs as Ctrl-C does.
    before = signal.signal(signal.SIGTERM, _interrupted)
    try:
        action()
    except EbmhwError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(stopped, file=sys.stderr)
        return 130
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


def tell(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def _interrupted(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
