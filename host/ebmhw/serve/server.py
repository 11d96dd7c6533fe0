"""The MCP server: nine tools over standard input and output."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, final

import ebmhw
from ebmhw.errors import MissingExtra, shown
from ebmhw.redaction import without_secrets
from ebmhw.serve.arguments import check_size, checker
from ebmhw.serve.crew import AsyncCrew
from ebmhw.serve.domain_list import list_domains
from ebmhw.serve.limits import ServeLimits
from ebmhw.serve.refusal import Refusal
from ebmhw.serve.schemas import ToolSpec
from ebmhw.serve.stream import stream
from ebmhw.serve.tools import nine_tools
from ebmhw.serve.work import Answer, Call, Desk

_LOG = logging.getLogger("ebmhw.serve")

INSTRUCTIONS = (
    "Checks what language models write. Verdicts are VERIFIED, VIOLATED or UNKNOWN; nothing checked is UNKNOWN, never VERIFIED. verify_llm_output "
    "and verify_and_repair take answers in words, verify_code and its kin Python, score_agent_outputs several answers to one question."
)


def serve(desk: Desk | None = None, limits: ServeLimits | None = None) -> int:
    """Serve one MCP client over descriptors 0 and 1 until it closes them, or until SIGTERM or Ctrl-C; return the exit status.

    Raises
    ------
    MissingExtra
        where the mcp library is not there.
    ConfigError
        where standard input or output is closed.
    """
    try:
        import mcp.server.lowlevel  # noqa: F401  # whether it is there, before any stream is taken over
    except ImportError as error:
        raise MissingExtra(f"the MCP server needs {error.name}, which is missing: pip install 'ebmhw[mcp]'") from error
    from ebmhw.serve.descriptors import Descriptors

    with Descriptors() as wire, tempfile.TemporaryDirectory(prefix="ebmhw-serve-", ignore_cleanup_errors=True) as scratch:
        service = _Service(replace(desk or Desk(), scratch=scratch), limits or ServeLimits())
        return asyncio.run(service.run(wire.incoming, wire.outgoing))


@final
class _Service:
    """What is done for one client."""

    def __init__(self, desk: Desk, limits: ServeLimits) -> None:
        self._limits = limits
        self._tools: dict[str, ToolSpec] = {tool.name: tool for tool in nine_tools(limits)}
        self._checks: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {}
        self._desk = desk
        self._crew: AsyncCrew[Call, Answer] | None = None
        self._served = 0
        self._since = time.monotonic()

    async def run(self, incoming: int, outgoing: int) -> int:
        """Serve lines of the one descriptor with lines on the other."""
        from ebmhw.serve.incoming import Incoming
        from ebmhw.serve.outgoing import Outgoing

        loop = asyncio.get_running_loop()
        self._crew = AsyncCrew(self._desk, self._limits.workers, self._limits.waiting, self._limits.seconds)
        ended: list[int] = []
        source: Incoming | None = None

        def stop(number: int | None) -> None:
            if number is not None:
                ended.append(number)
                # A second one ends at once, as ever.
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_DFL)
            if source is not None:
                source.stop()

        def lost() -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(stop, None)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop, number)
        sink = Outgoing(outgoing, lost)
        source = Incoming(incoming, sink)
        server = self._server()
        loop.call_later(0.5, self._warm)
        try:
            await server.run(source, sink, server.create_initialization_options())
        finally:
            sink.end()
            self._crew.end()
        return 130 if signal.SIGINT in ended else 0

    def _warm(self) -> None:
        # The first call then does not wait for a process; half a second on, so that `initialize` does not share the processor with it.
        if self._crew is not None and not self._crew.busy and not self._served:
            self._crew.hire_ahead()

    def _server(self) -> Any:
        import mcp_types as types
        from mcp.server.lowlevel import Server
        from mcp.shared.exceptions import MCPError

        listed = types.ListToolsResult(
            tools=[
                types.Tool(
                    name=tool.name,
                    title=tool.title,
                    description=tool.description,
                    input_schema=tool.arguments,
                    output_schema=tool.answer,
                    annotations=types.ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False),
                )
                for tool in self._tools.values()
            ]
        )

        async def list_tools(context: Any, parameters: Any) -> types.ListToolsResult:
            return listed

        async def call_tool(context: Any, parameters: types.CallToolRequestParams) -> types.CallToolResult:
            tool = self._tools.get(parameters.name)
            if tool is None:
                known = ", ".join(self._tools)
                raise MCPError(types.INVALID_PARAMS, without_secrets(f"there is no tool {shown(parameters.name)}; there are {known}"))
            try:
                answer = await self._answer(tool, parameters.arguments or {}, context)
            except Refusal as refusal:
                answer = Answer(refusal.to_json(), True)
            except Exception as error:
                _LOG.exception("a fault in %s", tool.name)
                said = f"{type(error).__name__} in {tool.name}, a fault of ebmhw itself"
                answer = Answer(Refusal("internal", said, "report it with the lines on the server's standard error").to_json(), True)
            self._served += 1
            text = json.dumps(answer.content, ensure_ascii=True)
            return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=answer.content, is_error=answer.is_error)

        return Server("ebmhw", version=ebmhw.__version__, title="ebmhw", instructions=INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool)

    async def _answer(self, tool: ToolSpec, arguments: Mapping[str, Any], context: Any) -> Answer:
        assert self._crew is not None
        if tool.name not in self._checks:
            self._checks[tool.name] = checker(tool)
        given = self._checks[tool.name](arguments)
        for name in ("test_cases", "properties"):
            for index, item in enumerate(given.get(name, ())):
                check_size(f"{name}[{index}]", item, self._limits.characters)
        # From here, for the first check of all loads its library.
        until = time.monotonic() + self._limits.seconds
        if tool.quick:
            return Answer(self._health() if tool.name == "health_check" else list_domains())
        if tool.name == "verify_stream":
            self._crew.refuse_if_full()

            async def tell(done: int, total: int, event: Mapping[str, Any]) -> None:
                await context.session.report_progress(float(done), float(total), f"{event['id']}: {event['verdict']}")

            return Answer(await stream(self._crew, given, until, tell))
        return await self._crew.do(lambda seconds: Call(tool.name, given, seconds), until)

    def _health(self) -> dict[str, Any]:
        assert self._crew is not None
        return {
            "status": "busy" if self._crew.full else "ok",
            "version": ebmhw.__version__,
            "tools": list(self._tools),
            "limits": self._limits.to_json(),
            "calls_served": self._served,
            "calls_at_work": self._crew.busy,
            "calls_waiting": self._crew.waiting,
            "language_model": self._desk.llm is not None,
            "seconds_up": time.monotonic() - self._since,
        }
