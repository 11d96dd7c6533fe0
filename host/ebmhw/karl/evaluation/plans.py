"""Where a plan names its tools."""

from __future__ import annotations

import re

# "3. [ok] Read src/a.py", the form of `ebmhw.karl.exports.plans`; a status may be missing.
_STEP = re.compile(r"^[ \t]{0,8}\d{1,6}\.[ \t]{1,4}(?:\[[a-z?]{1,8}\][ \t]{1,4})?([^\s:\[][^\s:]{0,199})", re.MULTILINE | re.ASCII)


def tool_spans(plan: str) -> list[tuple[int, int]]:
    """Return from which character to which each step of a plan names its tool.

    >>> [("1. [ok] Read a.py\\n2. [?] Bash: make")[first:last] for first, last in tool_spans("1. [ok] Read a.py\\n2. [?] Bash: make")]
    ['Read', 'Bash']
    """
    return [found.span(1) for found in _STEP.finditer(plan)]
