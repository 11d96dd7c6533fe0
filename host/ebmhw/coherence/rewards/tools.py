"""ToolRegistry: the tools that a model may call, and what arguments each takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, final

from ebmhw.coherence.rewards.calls import ToolCall
from ebmhw.coherence.rewards.schema import Schema, checked_schema, fits
from ebmhw.errors import ValidationError, shown


@final
class ToolRegistry:
    """Tools by name, each with a JSON schema of its arguments (see `ebmhw.coherence.rewards.schema` for the part that is known).

    Parameters
    ----------
    tools : {name: schema of the arguments}, as in {"read_file": {"required": ["path"]}}; or the list that chat templates take, of
        {"type": "function", "function": {"name": ..., "parameters": schema}}, or of such functions alone

    Raises
    ------
    ValidationError
        for anything else, two tools of one name, or a schema beyond the known part.
    """

    def __init__(self, tools: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
        self._schemas: dict[str, Schema] = {}
        for name, schema in _named(tools):
            if name in self._schemas:
                raise ValidationError(f"two tools are named {shown(name)}; give each its own name")
            self._schemas[name] = {"type": ["object"], **checked_schema(schema, f"tool {shown(name)}")}

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._schemas

    def __iter__(self) -> Iterator[str]:
        return iter(self._schemas)

    def __len__(self) -> int:
        return len(self._schemas)

    def accepts(self, call: ToolCall) -> bool:
        """Tell whether a call names one of these tools and its arguments are what that takes."""
        schema = self._schemas.get(call.name)
        return schema is not None and call.arguments is not None and fits(call.arguments, schema)

    def __repr__(self) -> str:
        return f"ToolRegistry({', '.join(self._schemas)})"


def _named(tools: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(tools, Mapping):
        listed: list[tuple[Any, Any]] = list(tools.items())
    elif isinstance(tools, (list, tuple)):
        functions = [tool.get("function") or tool if isinstance(tool, Mapping) else tool for tool in tools]
        bad = next((tool for tool in functions if not isinstance(tool, Mapping) or "name" not in tool), None)
        if bad is not None:
            raise ValidationError(f'a tool is {shown(bad)}; give {{"type": "function", "function": {{"name": ..., "parameters": schema}}}}')
        listed = [(tool["name"], tool.get("parameters") or {}) for tool in functions]
    else:
        raise ValidationError(f"tools are {shown(tools)}; give a dict of schemas by name, or a list of tools")
    for name, schema in listed:
        if not isinstance(name, str) or not name:
            raise ValidationError(f"the name of a tool is {shown(name)}; give a text that is not empty")
        yield name, schema


DEFAULT_TOOLS = ToolRegistry(
    {
        "read_file": {"required": ["path"]},
        "write_file": {"required": ["path", "content"]},
        "list_directory": {"required": ["path"]},
        "web_search": {"required": ["query"]},
        "execute_code": {"required": ["code"]},
        "search_codebase": {"required": ["pattern"]},
        "run_shell": {"required": ["command"]},
        "git_operation": {"required": ["operation"]},
    }
)
"""The eight tools of carl-studio 0.21.1, and the arguments that each needs."""


def registry_of(entry: Any, default: ToolRegistry) -> ToolRegistry:
    """Return the registry of an entry of a dataset's column "tools", the default where it is None."""
    if entry is None:
        return default
    return entry if isinstance(entry, ToolRegistry) else ToolRegistry(entry)
