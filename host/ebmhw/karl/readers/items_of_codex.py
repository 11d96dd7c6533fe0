"""Items of Codex's rollouts: what their user typed, which patch or commands a call holds, and what an output says about success."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ebmhw.karl.patches import PATCH, PATCH_CHARS
from ebmhw.karl.readers.agent_tools import command_of
from ebmhw.karl.readers.members import first_text, mapping

START_CHARS = 400
"""Of an output, in which Codex says how it ended."""

_SCRIPTED = re.compile(r"""\bcmd["']?\s{0,4}:\s{0,4}(["'`])((?:\\.|(?!\1)[^\\]){1,4000})\1""")
"""Commands within a script that calls tools, as of tools.exec_command({cmd: "..."})."""

_ABORTED = ("aborted by user", "aborted")


def typed(item: Mapping[str, Any]) -> object:
    """Return the parts of a message that its user typed: all where the message does not tell them from those of the program."""
    content = item.get("content")
    kinds = mapping(item.get("internal_chat_message_metadata_passthrough")).get("content_item_kinds")
    if not isinstance(content, list) or not isinstance(kinds, list) or len(kinds) != len(content):
        return content
    return [part for part, kind in zip(content, kinds, strict=True) if kind == "user.text"]


def scripted(script: str) -> tuple[str, dict[str, str]]:
    """Return tool and arguments of a script that calls tools: of the patch or the commands in it, else of the script itself."""
    if PATCH in script and "apply_patch" in script:
        return "apply_patch", {"input": script.replace("\\n", "\n")}
    commands = [found[2].replace("\\n", "\n").replace('\\"', '"') for found in _SCRIPTED.finditer(script)]
    return ("exec_command", {"command": "\n".join(commands)}) if commands else ("exec", {"description": script})


def patch_in(name: object, arguments: Mapping[str, Any], raw: object) -> str | None:
    """Return the patch that a call applies, None where it applies none: as a tool of its own, or through a shell."""
    if name == "apply_patch":
        return (first_text(arguments, "input", "patch") or (raw if isinstance(raw, str) else ""))[:PATCH_CHARS]
    command = command_of(arguments)
    if command is not None and command.lstrip().startswith("apply_patch") and PATCH in command:
        return command[:PATCH_CHARS]
    return None


def success_in(spoken: str) -> bool | None:
    """Return what an output without an exit code says about success."""
    start = spoken[:START_CHARS].lstrip()
    if start.startswith(("Success.", "Done!", "Script completed")):
        return True
    lowered = start.lower()
    if lowered.startswith(_ABORTED):
        return None
    if lowered.startswith(
        ("failed", "error", "apply_patch verification failed", "patch rejected", "execution error", "unsupported call", "err:", "script failed")
    ):
        return False
    return None
