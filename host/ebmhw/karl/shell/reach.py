"""Reach: which commands of a shell line no run of it comes to, as far as the line itself says so.

``true || a``, ``false && a``, ``exit; a``, ``if false; then a; fi``, ``f() { a; }`` without a call of f. A command whose end is not known may end
either way, so that what is taken for never reached is not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import final

ASSIGNED = re.compile(r"[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=")

_NAME = re.compile(r"[^\s;&|()`$\"'{}]+")
_KNOWN = {"true": True, ":": True, "false": False}
_LOOPS = {"while": False, "until": True, "for": False, "select": False}
"""{loop: how its condition ends where its body is not reached}."""

_CLOSES = {"fi": ("if",), "done": tuple(_LOOPS), "esac": ("case",), "}": ("{", "f")}
_LISTED = frozenset({"for", "select", "case"})
_FUNCTION = "f"


@final
class _Frame:
    """A list of commands: of the line, a group, a subshell, a branch, a loop or a function.

    Attributes
    ----------
    kind : the word or sign that opened it
    cut : whether no run comes to it
    certain : whether every run that comes to the list around it comes to it, in the same shell
    dead : whether no run comes to what follows in it
    ends : whether the last command ends the shell
    status : how the last pipeline ended: well, badly, or not known
    operator : what stands before the next command
    skipped, piped, negated, before, prior : of the pipeline at hand; the latter two are the operator and the status before it
    taken : of a branch, whether an earlier condition surely held; of a function, whether its body is a subshell
    """

    __slots__ = (
        "before",
        "certain",
        "commands",
        "cut",
        "dead",
        "ends",
        "kind",
        "negated",
        "operator",
        "piped",
        "prior",
        "skipped",
        "status",
        "taken",
    )

    def __init__(self, kind: str, cut: bool, certain: bool, commands: list[list[str]]) -> None:
        self.kind, self.cut, self.certain, self.commands = kind, cut, certain, commands
        self.dead = self.ends = self.skipped = self.piped = self.negated = self.taken = False
        self.status: bool | None = None
        self.prior: bool | None = None
        self.operator = self.before = ";"


@final
class Reach:
    """Follows the lists of a line as its lexer meets them."""

    def __init__(self) -> None:
        self.frames = [_Frame("", cut=False, certain=True, commands=[])]
        self.bodies: dict[str, list[list[list[str]]]] = {}
        self.name: str | None = None  # of the function whose body comes next
        self.negates = False

    def reserved(self, words: Sequence[str]) -> int:
        """Take in the reserved words and assignments that a command starts with, and return where it starts."""
        start = 0
        while start < len(words):
            word = words[start]
            if word == "function" and start + 1 < len(words):
                self.name = words[start + 1]
                start += 1
            elif word == "!":
                self.negates = not self.negates
            elif word in ("if", "while", "until", "{"):
                self._open(word)
            elif word in ("then", "else", "elif", "do"):
                self._branch(word)
            elif word in _CLOSES:
                if self.frames[-1].kind in _CLOSES[word] and not self._within_subshell():
                    self._end(self.frames.pop())
            elif not ASSIGNED.match(word):
                break
            start += 1
        return start

    def command(self, words: list[str], runs: bool) -> None:
        """Take in a command without the words of `reserved`; ``runs``: whether it is one, or the head of a loop or the like."""
        if not words:
            self._begin()
            self._finish(None)
        elif words[0] in _LISTED:
            self._open(words[0])
            # "for x in; do": nothing to go through.
            self.frames[-1].status = False if words[0] == "for" and len(words) == 3 and words[2] == "in" else None
        else:
            reached = self._begin()
            frame = self.frames[-1]
            own = words[0].rpartition("/")[2]
            certain = reached and self._certain(frame)
            self._finish(_KNOWN.get(own))
            frame.ends = certain and (own == "exit" or (own == "exec" and len(words) > 1))
            if reached and runs:
                frame.commands.append(words)

    def separator(self, sign: str) -> None:
        """Take in what ends a command: ``; & | && || ;;``, a newline, or the parenthesis behind a pattern."""
        frame = self.frames[-1]
        if sign == "\n" and frame.operator != ";":
            return
        if frame.ends and sign not in ("|", "&"):
            frame.dead = True
        frame.ends = False
        if sign in ("&", "|"):
            # It ran beside this shell; a pipe ends as all of it (pipefail) or its last command does.
            frame.status = None
        frame.operator = sign if sign in ("&&", "||", "|") else ";"

    def define(self, name: str) -> None:
        """Take in the name of a function: ``name ()``."""
        self.name = name

    def open(self, kind: str) -> None:
        """Take in the start of a subshell or of a substitution, whose commands run where the command runs of which it is a part."""
        if kind == "(":
            self._open(kind)
        else:
            frame = self.frames[-1]
            self.frames.append(_Frame("$", cut=not self._reached(frame, self._skips(frame)), certain=False, commands=frame.commands))

    def close(self) -> None:
        """Take in the end of what was opened last, and of the lists within it that have none."""
        while len(self.frames) > 1:
            frame = self.frames.pop()
            if frame.kind == "$":
                return
            if frame.kind == "(" or (frame.kind == _FUNCTION and frame.taken):
                self._end(frame)
                return

    def within_case(self) -> bool:
        """Tell whether a parenthesis that closes stands behind a pattern."""
        return self.frames[-1].kind == "case"

    def reached(self) -> list[list[str]]:
        """Return the commands that a run may come to; those of functions are there where any of these names the function."""
        found = list(self.frames[0].commands)
        for words in found:
            if not self.bodies:
                break
            for word in words:
                for name in _NAME.findall(word):
                    for body in self.bodies.pop(name, ()):
                        found.extend(body)
        return found

    def _open(self, kind: str) -> None:
        reached = self._begin()
        frame = self.frames[-1]
        commands, certain = frame.commands, reached and kind == "{" and self._certain(frame)
        subshell = kind == "("
        if self.name is not None:
            commands = []
            self.bodies.setdefault(self.name, []).append(commands)
            self.name, kind, certain = None, _FUNCTION, False
        self.frames.append(_Frame(kind, not reached, certain, commands))
        self.frames[-1].taken = subshell and kind == _FUNCTION

    def _within_subshell(self) -> bool:
        return self.frames[-1].kind == _FUNCTION and self.frames[-1].taken

    def _end(self, frame: _Frame) -> None:
        self._finish(frame.status if frame.kind in ("{", "(") and not frame.dead else None)
        self.frames[-1].ends = frame.certain and (frame.dead or frame.ends)

    def _branch(self, word: str) -> None:
        frame = self.frames[-1]
        if frame.kind == "if" and word != "do":
            if word == "then":
                frame.dead = frame.taken or frame.status is False
                frame.taken = frame.taken or frame.status is True
            else:
                frame.dead = frame.taken
        elif frame.kind in _LOOPS and word == "do":
            frame.dead = frame.status is _LOOPS[frame.kind]
        frame.status, frame.operator, frame.ends = None, ";", False

    def _begin(self) -> bool:
        frame = self.frames[-1]
        if frame.operator == "|":
            frame.piped = True
        else:
            frame.skipped, frame.piped, frame.negated = self._skips(frame), False, self.negates
            frame.before, frame.prior = frame.operator, frame.status
        self.negates = False
        return self._reached(frame, frame.skipped)

    def _finish(self, status: bool | None) -> None:
        frame = self.frames[-1]
        own = None if status is None or frame.piped else status != frame.negated
        if frame.skipped:
            own = frame.prior
        elif frame.prior is None and own is (frame.before == "&&") and frame.before != ";":
            # "a && true" ends as a does.
            own = None
        frame.status, frame.operator = own, ";"

    @staticmethod
    def _skips(frame: _Frame) -> bool:
        if frame.operator == "|":
            return frame.skipped
        return (frame.operator == "&&" and frame.status is False) or (frame.operator == "||" and frame.status is True)

    @staticmethod
    def _reached(frame: _Frame, skipped: bool) -> bool:
        return not (frame.cut or frame.dead or skipped)

    @staticmethod
    def _certain(frame: _Frame) -> bool:
        if frame.piped or frame.kind == "case":
            return False
        return frame.before == ";" or frame.prior is (frame.before == "&&")
