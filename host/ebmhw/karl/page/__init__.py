"""page: what the store holds and what was chosen, as one file of HTML to look at."""

from __future__ import annotations

from ebmhw.karl.page.page import Report, write_report

__all__ = ["Report", "write_report"]
