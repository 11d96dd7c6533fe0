"""readers: sessions out of the logs that agents write, whatever their format, as trajectories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.karl.readers.formats import FORMATS
    from ebmhw.karl.readers.reader import Problem, Reader, Report
    from ebmhw.karl.readers.reading import UnreadLines, read_traces
    from ebmhw.karl.readers.session import SessionBuilder

_HOMES = {
    "FORMATS": "formats",
    "Problem": "reader",
    "Reader": "reader",
    "Report": "reader",
    "SessionBuilder": "session",
    "UnreadLines": "reading",
    "read_traces": "reading",
}

__all__ = ["FORMATS", "Problem", "Reader", "Report", "SessionBuilder", "UnreadLines", "read_traces"]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
