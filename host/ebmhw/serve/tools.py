"""The nine tools: names, arguments and answers as a client is told of them, and the same as a table."""

from __future__ import annotations

from ebmhw.serve.answer_tools import answer_tools
from ebmhw.serve.code_tools import code_tools
from ebmhw.serve.limits import ServeLimits
from ebmhw.serve.schemas import ToolSpec, answer, arguments


def nine_tools(limits: ServeLimits) -> tuple[ToolSpec, ...]:
    """Return the nine tools with these limits in their schemas."""
    *checks, score = answer_tools(limits)
    return (*code_tools(limits), *checks, *_quick_tools(), score)


def _quick_tools() -> tuple[ToolSpec, ...]:
    return (
        ToolSpec(
            "list_domains",
            "What can be checked",
            "List the domains that answers can be checked by, and which are asked where none is named.",
            arguments([]),
            answer(["domains"], domains={"type": "array"}),
            quick=True,
        ),
        ToolSpec(
            "health_check",
            "Is the server well",
            "Tell version, limits, tools and what the server is at.",
            arguments([]),
            answer(["status", "version", "tools", "limits"], status={"enum": ["ok", "busy"]}, version={"type": "string"}),
            quick=True,
        ),
    )


def tool_table(limits: ServeLimits | None = None) -> str:
    """Return the tools as a table of Markdown: name, what it does, its arguments with those that may be left out in brackets."""
    rows = ["| Tool | What it does | Arguments |", "| --- | --- | --- |"]
    for tool in nine_tools(ServeLimits() if limits is None else limits):
        needed = tool.arguments["required"]
        told = ", ".join(f"`{name}`" if name in needed else f"[`{name}`]" for name in tool.arguments["properties"])
        rows.append(f"| `{tool.name}` | {tool.description} | {told or 'none'} |")
    return "\n".join(rows)
