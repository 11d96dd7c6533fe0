"""How deeply a text nests as Python, told from its tokens: what parser and analysis walk by recursion must be bounded before they start."""

from __future__ import annotations

import re

DEEPEST = 200
"""Levels that are read. Python 3.10 builds its tree by C recursion without a limit of its own; pyflakes takes four frames a level of its 1,000."""

LONGEST_NUMBER = 4300
"""Digits of a decimal number that Python reads; beyond, reading one took time quadratic in them."""

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\r\n]*)
      | (?P<string>[A-Za-z]{0,3}(?:\"\"\"(?:[^\\]|\\[\s\S])*?(?:\"\"\"|\Z)|'''(?:[^\\]|\\[\s\S])*?(?:'''|\Z)
                   |"(?:[^"\\\r\n]|\\[\s\S])*(?:"|$|\Z)|'(?:[^'\\\r\n]|\\[\s\S])*(?:'|$|\Z)))
      | (?P<number>\d[\d_]*)
      | (?P<word>\w+)
      | (?P<line>[\r\n]+)
      | (?P<open>[\[({])
      | (?P<close>[\])}])
      | (?P<comma>[,;])
      | (?P<mark>[-+*/%@&|^~.<>=!:])""",
    re.VERBOSE | re.MULTILINE,
)
_DEEPER = frozenset({"not", "lambda", "if", "else", "await", "yield", "for", "in", "is", "and", "or"})
_FORMATTED = re.compile(r"[rR]?[fFtT]")
_HELD = re.compile(r"\{[^{}]*")
_MARKS = re.compile(r"[-+*/%@&|^~.(\[]|\b(?:not|lambda|if|await)\b")


def deepest(code: str) -> int:
    """Return a bound on the levels of the tree that Python makes of a text: no less than there are, often more; time is linear.

    Brackets count, the operators before and behind each other between two commas, indented blocks, and branches of one if; 10^9 stands for a
    number of more than 4,300 digits.
    """
    most, open_counts, count, total = 0, [0], 0, 0
    blocks: list[list[int]] = []
    fresh = True
    start = 0
    for match in _TOKEN.finditer(code):
        kind, text = match.lastgroup, match.group()
        if kind == "line":
            start = match.end()
            if len(open_counts) == 1:
                fresh, total, open_counts = True, 0, [0]
            continue
        if kind == "comment":
            continue
        if fresh:
            fresh = False
            _enter(blocks, match.start() - start, text)
            count = sum(block[1] for block in blocks)
        if kind == "open":
            open_counts.append(0)
            total += 1
        elif kind == "close":
            if len(open_counts) > 1:
                total -= open_counts.pop() + 1
            # a call or an index goes around what stands before it
            open_counts[-1] += 1
            total += 1
        elif kind == "comma":
            total -= open_counts[-1]
            open_counts[-1] = 0
        elif kind == "number":
            if len(text) > LONGEST_NUMBER:
                return 10**9
        elif kind == "string":
            if "{" in text and _FORMATTED.match(text):
                most = max(most, total + count + max((len(_MARKS.findall(held)) for held in _HELD.findall(text)), default=0))
        elif kind == "mark" or text in _DEEPER:
            open_counts[-1] += 1
            total += 1
        most = max(most, total + count)
    return most


def _enter(blocks: list[list[int]], indent: int, word: str) -> None:
    """Note the line that begins here: blocks as [indent, levels], one for each indentation that is open."""
    while blocks and blocks[-1][0] > indent:
        blocks.pop()
    if not blocks or blocks[-1][0] < indent:
        blocks.append([indent, 1])
    elif word in ("elif", "except"):
        blocks[-1][1] += 1
    elif word not in ("else", "finally", "case"):
        blocks[-1][1] = 1
