"""Formats: the readers by the names that users give to them, in the order in which a file is tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import final

from ebmhw.karl.readers.reader import Reader

_CLASSES = {
    "claude-code": ("claude_code", "ClaudeCodeReader"),
    "claude-hooks": ("claude_hooks", "ClaudeHooksReader"),
    "codex": ("codex", "CodexReader"),
    "atif": ("atif", "AtifReader"),
    "swe-agent": ("swe_agent", "SweAgentReader"),
    "openhands": ("openhands", "OpenHandsReader"),
    "openai": ("openai_messages", "OpenAiReader"),
    "otel": ("otel", "OtelReader"),
    "karl": ("karl_records", "KarlReader"),
}


@final
class Formats(Mapping[str, type[Reader]]):
    """{name: class of its reader}; a class is imported when it is first asked for."""

    def __getitem__(self, name: str) -> type[Reader]:
        """Return the class of a format."""
        module, kind = _CLASSES[name]
        found: type[Reader] = getattr(import_module(f"ebmhw.karl.readers.{module}"), kind)
        return found

    def __iter__(self) -> Iterator[str]:
        """Yield the names, in the order of detection."""
        return iter(_CLASSES)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(_CLASSES)


FORMATS = Formats()
