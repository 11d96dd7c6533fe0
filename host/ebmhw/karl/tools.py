"""Tools: one name for what different agents call differently, their categories, and the parameters that are kept of a call."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ebmhw.redaction import REDACTED, without_secrets

BASH, EDIT, READ, GLOB, GREP, WRITE, NOTEBOOK = "Bash", "Edit", "Read", "Glob", "Grep", "Write", "NotebookEdit"

ALIASES: Mapping[str, str] = {
    **dict.fromkeys(("exec_command", "shell_command", "run_shell_command", "bash", "shell", "local_shell", "execute_bash", "run_terminal_cmd"), BASH),
    **dict.fromkeys(("apply_patch", "apply_diff", "replace", "edit", "multiedit", "edit_file", "str_replace", "search_replace"), EDIT),
    **dict.fromkeys(("read_file", "read", "view_file", "open_file"), READ),
    **dict.fromkeys(("list_files", "list_directory", "glob", "ls", "list_dir"), GLOB),
    **dict.fromkeys(("search_files", "grep_search", "grep"), GREP),
    **dict.fromkeys(("write_file", "create_file", "write"), WRITE),
    "notebookedit": NOTEBOOK,
}
"""{what an agent calls a tool, in lower case: our name}."""

WRITES = frozenset({EDIT, WRITE, NOTEBOOK})
"""Tools that change a file: mutations."""

RESEARCH = frozenset({READ, GREP, GLOB, "WebSearch", "WebFetch"})

KEYS: Mapping[str, tuple[str, ...]] = {
    "file_path": ("file_path", "path", "filepath", "filename", "file_name", "file", "notebook_path", "absolute_path", "relative_workspace_path"),
    "command": ("command", "cmd"),
    "pattern": ("pattern", "regex"),
    "query": ("query",),
    "url": ("url", "uri"),
    "description": ("description",),
}
"""{name of a parameter that is kept: what agents call it}."""

PARAM_CHARS = 200
"""Characters that are kept of a parameter."""

_READ_CHARS = 4000
"""Characters that are looked through for secrets before a text is cut, so that the rest of one is not kept: forms of secrets are shorter."""

NAME_CHARS = 200

_SESSION_CHARS = 500


def canonical(name: object) -> str:
    """Return our name of a tool: that of `ALIASES`, letter case aside, else its own, without secrets and blanks around it; "unknown" for none."""
    return _canonical(name) if isinstance(name, str) else "unknown"


@lru_cache(maxsize=4096)
def _canonical(name: str) -> str:
    own = name.strip()[:NAME_CHARS]
    # A name is text by others too: some agents put a whole command there.
    return ALIASES.get(own.lower()) or cut(name.strip(), NAME_CHARS) or "unknown"


def category(tool: str) -> str:
    """Return "R" for research, "M" for mutation, "X" for execution, "O" for other tools; as of `canonical`."""
    return "M" if tool in WRITES else "X" if tool == BASH else "R" if tool in RESEARCH else "O"


def key_params(arguments: object) -> dict[str, str]:
    """Return the parameters of a call that are kept: those of `KEYS`, as texts without secrets, `PARAM_CHARS` characters each."""
    if not isinstance(arguments, Mapping):
        return {}
    kept: dict[str, str] = {}
    for key, names in KEYS.items():
        for name in names:
            value = arguments.get(name)
            text = "" if value is None else cut(_text(value), PARAM_CHARS)
            if text:
                kept[key] = text
                break
    return kept


def cut(text: str, limit: int) -> str:
    """Return the first ``limit`` characters of a text without secrets."""
    read = text[: max(_READ_CHARS, 2 * limit)]
    told = without_secrets(read)
    if len(read) < len(text) and told != read:
        # Half a secret at the end of what was read is none by its form, and moves into the limit where what stands before it became shorter.
        words = read.rstrip()
        told = without_secrets(words[: len(words) - len(words.split()[-1])]) if words == read else told
        told = told or REDACTED
    return told[:limit]


def session_name(name: str) -> str:
    """Return the name of a session as it is kept: itself, or a hash of one that holds a secret, is long or is no text: names tell sessions apart."""
    kept = name.encode("utf-8", "replace").decode("utf-8")
    if kept == name and len(kept) <= _SESSION_CHARS and without_secrets(kept) == kept:
        return kept
    return f"session-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value[:100]):
        # ["bash", "-lc", "make test"] is what runs "make test".
        if len(value) == 3 and value[1] in ("-c", "-lc") and value[0].rpartition("/")[2] in ("bash", "sh", "zsh"):
            return str(value[2])
        return " ".join(value[:100])
    return str(value)[: _READ_CHARS + 1]
