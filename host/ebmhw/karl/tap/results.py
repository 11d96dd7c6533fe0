"""Results: what a hook's JSON says about how a call of a tool ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

_HEAD_CHARS, _TAIL_CHARS = 2_000, 10_000
"""Of an output that are looked at: what runs tests says how many at its start or its end, and looking takes 0.4 ms for a thousand."""

_NESTED_CHARS = 1_000_000


class Result(NamedTuple):
    """How a call ended; None for what is not known.

    Attributes
    ----------
    success, exit_code, duration_s, created : as of `ebmhw.karl.trajectory.ToolEvent`
    output : what it printed, its start and end
    """

    success: bool | None
    exit_code: int | None
    duration_s: float | None
    created: bool | None
    output: str


def result_of(event: Mapping[str, Any], *, failed: bool, shell: bool, tells_failures: bool) -> Result:
    """Return the result of a call.

    Parameters
    ----------
    event : the hook's JSON
    failed : whether the hook is one for failures
    shell : whether the tool runs a shell's command
    tells_failures : whether the agent has hooks for failures, so that the other hook says that the call did not fail
    """
    response = event.get("tool_response", event.get("tool_output"))
    if isinstance(response, str) and response[:1] == "{" and len(response) <= _NESTED_CHARS:
        # Codex gives {"output": ..., "metadata": {"exit_code": ...}} as a text.
        with suppress(ValueError, RecursionError):
            response = json.loads(response)
    told: Mapping[str, Any] = response if isinstance(response, Mapping) else {}
    inner = told.get("metadata")
    more: Mapping[str, Any] = inner if isinstance(inner, Mapping) else {}
    error = event.get("error")
    output = _output(error if failed and isinstance(error, str) else response)
    exit_code = next((code for code in (_whole(told.get(n, more.get(n))) for n in ("exit_code", "exitCode", "returncode")) if code is not None), None)
    if exit_code is None and shell and (failed or not tells_failures):
        # Here, because its expressions take 2 ms to compile, and most hooks of Claude Code tell of calls that did not fail.
        from ebmhw.karl.readers.ends import exit_code_in

        exit_code = exit_code_in(output)
    duration = _duration(event, told, more)
    if failed:
        # Whoever was interrupted might have succeeded.
        return Result(None if event.get("is_interrupt") is True else False, exit_code, duration, None, output)
    success = _success(told, exit_code)
    if success is None and tells_failures and told.get("interrupted") is not True and not told.get("backgroundTaskId"):
        success = True
        # A code that the agent explains (grep that found nothing) is not 0.
        if shell and exit_code is None and not told.get("returnCodeInterpretation"):
            exit_code = 0
    kind = told.get("type")
    created = kind == "create" if kind in ("create", "update") else None
    return Result(success, exit_code, duration, created, output)


def _success(told: Mapping[str, Any], exit_code: int | None) -> bool | None:
    for name, good in (("is_error", False), ("isError", False), ("success", True)):
        if isinstance(told.get(name), bool):
            return told[name] is good
    return None if exit_code is None else exit_code == 0


def _duration(event: Mapping[str, Any], told: Mapping[str, Any], more: Mapping[str, Any]) -> float | None:
    for holder, name, unit in (
        (event, "duration_ms", 1e-3),
        (told, "durationMs", 1e-3),
        (told, "totalDurationMs", 1e-3),
        (more, "duration_seconds", 1.0),
    ):
        value = holder.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1e12:
            return float(value) * unit
    return None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31 else None


def _output(response: Any) -> str:
    """Return the text of a response, its start and its end."""
    if isinstance(response, str):
        return _ends(response)
    if isinstance(response, Mapping):
        parts = [response.get(name) for name in ("stdout", "output", "stderr", "content", "text", "error")]
        return "\n".join(_output(part) for part in parts if isinstance(part, str) and part)
    if isinstance(response, list):
        texts = [part.get("text") for part in response[:100] if isinstance(part, Mapping)]
        return "\n".join(_ends(text) for text in texts if isinstance(text, str))
    return ""


def _ends(text: str) -> str:
    return text if len(text) <= _HEAD_CHARS + _TAIL_CHARS else text[:_HEAD_CHARS] + "\n" + text[-_TAIL_CHARS:]
