"""Installing: the settings by which agents call the tap."""

from __future__ import annotations

import shlex
import sys
from typing import Any

from ebmhw.karl.tap.events import AGENTS, CLAUDE_CODE, CODEX, HOOKS

TIMEOUT_S = 10
"""After which an agent ends a hook; ours waits nowhere that long."""

_RUN = "import sys; sys.path[:] = filter(None, sys.path); from ebmhw.karl.tap.__main__ import run; run()"
"""As ``-m ebmhw.karl.tap``, but without the agent's folder on the path: a ``json.py`` in a repository would be run by every hook."""

_TOOLS = ("PostToolUse", "PostToolUseFailure")
_NOT_CODEX = ("PostToolUseFailure", "SessionEnd", "SubagentStop")
"""Hooks that Codex does not have: its sessions end when they have been idle (`ebmhw.karl.tap.folding.IDLE_S`)."""


def settings(agent: str = CLAUDE_CODE, python: str | None = None) -> dict[str, Any]:
    """Return the settings that make an agent call the tap: of ``settings.json`` for Claude Code, of ``hooks.json`` for Codex.

    Parameters
    ----------
    agent : "claude-code" or "codex"
    python : interpreter that has this package, the present one where it is None
    """
    if agent not in AGENTS:
        from ebmhw.errors import ConfigError, shown

        raise ConfigError(f"the agent is {shown(agent)}; give one of {', '.join(AGENTS)}")
    # -S would be faster still, but finds no installed package; -P is not known to Python 3.10.
    command = f"{shlex.quote(python or sys.executable)} -c {shlex.quote(_RUN)} --agent {agent}"
    hook = {"type": "command", "command": command, "timeout": TIMEOUT_S}
    names = [name for name in HOOKS if agent != CODEX or name not in _NOT_CODEX]
    return {"hooks": {name: [{**({"matcher": "*"} if name in _TOOLS else {}), "hooks": [hook]}] for name in names}}
