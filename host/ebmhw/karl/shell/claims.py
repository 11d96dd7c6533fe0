"""Claims: what the output of a line cannot be believed for, since the line itself prints it, and programs that it says are not there."""

from __future__ import annotations

import re

from ebmhw.karl.shell.outputs import HEAD_CHARS, collected

_CHARS = 2**14
_PIECES = re.compile(r"""['"`\n\r]|\\[nrte]|\\033|\\x1b|\b(?:echo|printf)\s(?:-[neE]+\s)?""")
_FILLED = re.compile(r"%[-0-9]{0,9}[sdiu]|\$\{?\w{1,60}\}?|\$\([^()]{0,200}\)")
_PRINTS = re.compile(r"\b(?:echo|printf|print|puts|say|log|write|cat|tee|yes|seq)\b|<<")

_LACKS = ("not found", "No such file", "Permission denied", "can't open file")
_NAME = r"[\"'\u2018`]?([^\s\"'\u2018\u2019`:]{1,200})[\"'\u2019`]?"
_SHELL = r"(?:\S{0,60}/)?(?:ba|z|da|k|a)?sh: (?:line \d{1,9}: |\d{1,9}: )?"
_NOT_THERE = re.compile(
    rf"(?:{_SHELL})?{_NAME}: command not found\s*\Z|(?:{_SHELL})?command not found: {_NAME}\s*\Z"
    rf"|{_SHELL}{_NAME}: (?:not found|No such file or directory|Permission denied)\s*\Z"
    rf"|(?:env|xargs|nohup|nice|make|timeout: failed to run command|sudo):? {_NAME}: (?:command not found|No such file or directory)\s*\Z"
    rf"|\S{{0,200}}python\S{{0,20}}: can't open file {_NAME}"
)
_LINES = 400


def prints_result(command: str) -> bool:
    """Tell whether a line holds a text to be printed that looks like the result of a test run: ``echo '3 passed in 0.1s'``."""
    if _PRINTS.search(command) is None:
        return False
    return collected("\n".join(_pieces(command))) is not None


def without_prints(command: str, output: str) -> str:
    """Return an output without the lines that the line holds."""
    own = {piece.strip() for piece in _pieces(command)}
    return "\n".join(line for line in output.splitlines() if line.strip() not in own)


def missing(output: str) -> list[str]:
    """Return the programs that an output says are not there, of its first 400 lines."""
    if not any(text in output for text in _LACKS):
        return []
    found = []
    for line in output[:HEAD_CHARS].splitlines()[:_LINES]:
        match = _NOT_THERE.match(line[:600])
        if match is not None:
            found.append(next(name for name in match.groups() if name))
    return found


def _pieces(command: str) -> list[str]:
    pieces = []
    for piece in _PIECES.split(_FILLED.sub("1", command[:_CHARS])):
        # With the space that some runners put before their lines, too.
        pieces += [piece.strip(), f"  {piece.strip()}"]
    return pieces
