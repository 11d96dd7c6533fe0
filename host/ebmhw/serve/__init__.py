"""serve: the tools of this package for programs that speak the Model Context Protocol, over standard input and output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebmhw.lazy import lazily

if TYPE_CHECKING:
    from ebmhw.serve.limits import ServeLimits
    from ebmhw.serve.server import serve
    from ebmhw.serve.tools import nine_tools, tool_table
    from ebmhw.serve.work import Desk

_HOMES = {"Desk": "work", "ServeLimits": "limits", "nine_tools": "tools", "serve": "server", "tool_table": "tools"}

__all__ = ["Desk", "ServeLimits", "nine_tools", "serve", "tool_table"]

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
