"""A completion as one self-contained HTML page: its tokens coloured by phi, phi along them, events, numbers."""

from ebmhw.coherence.page.page import Sheet, write_page

__all__ = ["Sheet", "write_page"]
