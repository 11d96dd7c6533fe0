"""static: what the text of Python code proves about it, without running it."""

from ebmhw.verify.code.static.domain import Code

__all__ = ["Code"]
