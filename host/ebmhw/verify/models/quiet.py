"""quiet: keeps transformers from writing to the terminal while it works for this package."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.Lock()
# How many threads want quiet, and what the first of them found.
_inside = 0
_found = (logging.WARNING, True)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep progress bars and advice of transformers off the terminal, in all threads; errors are raised, not logged."""
    from transformers.utils import logging as transformers_logging

    global _inside, _found
    with _LOCK:
        if _inside == 0:
            _found = (transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled())
            transformers_logging.set_verbosity(logging.ERROR)
            transformers_logging.disable_progress_bar()
        _inside += 1
    try:
        yield
    finally:
        with _LOCK:
            _inside -= 1
            if _inside == 0:
                level, bars = _found
                transformers_logging.set_verbosity(level)
                if bars:
                    transformers_logging.enable_progress_bar()
