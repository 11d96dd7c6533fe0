"""What agents' hooks send, as Claude Code and Codex document and send it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def hook(name: str, session: str = "s1", **members: Any) -> dict[str, Any]:
    """Return the JSON of a hook."""
    return {
        "session_id": session,
        "transcript_path": "/nowhere/t.jsonl",
        "cwd": "/nowhere",
        "permission_mode": "default",
        "hook_event_name": name,
        **members,
    }


def prompt(text: str, session: str = "s1", **members: Any) -> dict[str, Any]:
    """Return the JSON of a prompt."""
    return hook("UserPromptSubmit", session, prompt=text, **members)


def called(tool: str, given: dict[str, Any], response: Any = None, session: str = "s1", **members: Any) -> dict[str, Any]:
    """Return the JSON of a call that went well."""
    return hook("PostToolUse", session, tool_name=tool, tool_input=given, tool_response=response, **members)


def bash(command: str, stdout: str = "", session: str = "s1", **members: Any) -> dict[str, Any]:
    """Return the JSON of a shell command that went well."""
    response = {"stdout": stdout, "stderr": "", "interrupted": False, "isImage": False, "noOutputExpected": False}
    return called("Bash", {"command": command}, response, session, **members)


def failed(tool: str, given: dict[str, Any], error: str, session: str = "s1", **members: Any) -> dict[str, Any]:
    """Return the JSON of a call that failed."""
    return hook("PostToolUseFailure", session, tool_name=tool, tool_input=given, error=error, **{"is_interrupt": False, **members})


def ended(session: str = "s1", **members: Any) -> dict[str, Any]:
    """Return the JSON of a session's end."""
    return hook("SessionEnd", session, reason="other", **members)


def run_tap(home: Path, data: bytes | dict[str, Any], *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the hook command on an event."""
    given = data if isinstance(data, bytes) else json.dumps(data).encode()
    return subprocess.run(
        [sys.executable, "-m", "ebmhw.karl.tap", *arguments],
        input=given,
        env={**os.environ, "EBMHW_KARL_HOME": str(home), **environment},
        capture_output=True,
        timeout=60,
        check=False,
    )
