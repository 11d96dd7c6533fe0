"""Lexer: a shell line as its simple commands, after the POSIX shell grammar as far as it says which programs run."""

from __future__ import annotations

import re
from typing import NamedTuple

from ebmhw.karl.shell.reach import ASSIGNED, Reach

LINE_CHARS = 2**16
"""Characters that are looked at of a line."""

_BLANK = re.compile(r"(?:[ \t\r\f\v]|\\\r?\n)+")
_PLAIN = re.compile(r"[^\s\\'\"`$()|&;<>]+")
_WHOLE = re.compile(r"[ \t]*([^\s\\'\"`$()|&;<>#][^\s\\'\"`$()|&;<>]*)(?=[ \t\n;|)]|\Z)")
_INSIDE = re.compile(r"[^\"\\`$]+")
_ANSI_QUOTED = re.compile(r"\$'((?:[^'\\]|\\.)*)'?", re.DOTALL)
_REDIRECT = re.compile(r"\d{0,4}(?:&>>?|<<<|<<-?|<>|<&|<(?!\()|>>|>\||>&|>(?!\())")
_NO_PARAMETERS = re.compile(r"\([ \t]*\)")

_RESERVED = frozenset({"if", "then", "else", "elif", "do", "while", "until", "!", "{", "}", "fi", "done", "esac"})
_DOUBLES = frozenset({"&&", "||", ";;", "|&"})
_NO_COMMAND = frozenset({"for", "case", "select", "function", "[[", "in"})

# What is open: a list of commands whose output is a part of a word, likewise in backticks, a subshell, the values of an array.
_SUBSTITUTION, _BACKTICK, _SUBSHELL, _ARRAY = "$", "`", "(", "="


class _Open(NamedTuple):
    kind: str
    words: list[str]
    word: list[str] | None
    quoted: bool
    target: str


def simple_commands(line: str) -> list[list[str]]:
    """Return the simple commands of a line, each as its words without quotes, redirections, assignments before it and reserved words.

    Those within subshells, substitutions, loops and branches are there too; comments and here-documents are not. A line that ends within quotes (as
    one that was cut does) is taken as if they were closed. Linear in the length of the line, of which the first `LINE_CHARS` count.
    """
    lexer = _Lexer(line[:LINE_CHARS], None)
    lexer.run()
    return lexer.commands


def reached_commands(line: str) -> list[list[str]]:
    """Return the simple commands of a line, as `simple_commands` does, without those that no run of it comes to."""
    reach = Reach()
    _Lexer(line[:LINE_CHARS], reach).run()
    return reach.reached()


class _Lexer:
    def __init__(self, line: str, reach: Reach | None) -> None:
        self.line, self.place, self.reach = line, 0, reach
        self.commands: list[list[str]] = []
        self.words: list[str] = []
        self.word: list[str] | None = None
        self.quoted = False
        self.target = ""  # the redirection whose target the next word is
        self.open: list[_Open] = []
        self.documents: list[str] = []

    def run(self) -> None:
        end = len(self.line)
        while self.place < end:
            if self.quoted:
                self._within_quotes()
            else:
                self._outside()
        while self.open:
            self._close()
        self._end_command()

    def _outside(self) -> None:
        line, place = self.line, self.place
        if self.word is None and (found := _WHOLE.match(line, place)) is not None:
            # Most words are plain, and most of the time goes into them.
            if self.target:
                self._add(found[1])
                self._end_word()
            else:
                self.words.append(found[1])
            self.place = found.end()
            return
        letter = line[place]
        if (found := _BLANK.match(line, place)) is not None:
            self._end_word()
            self.place = found.end()
        elif letter == "\n":
            self._end_command()
            if self.reach is not None:
                self.reach.separator("\n")
            self.place += 1
            self._skip_documents()
        elif letter == "#" and self.word is None:
            end = line.find("\n", place)
            self.place = len(line) if end < 0 else end
        elif (self.word is None or letter in "<>") and (found := _REDIRECT.match(line, place)) is not None:
            self._end_word()
            self.target = found[0].lstrip("0123456789")
            self.place = found.end()
        elif (found := _PLAIN.match(line, place)) is not None:
            self._add(found[0])
            self.place = found.end()
        elif letter == "'":
            end = line.find("'", place + 1)
            end = len(line) if end < 0 else end
            self._add(line[place + 1 : end])
            self.place = end + 1
        elif letter == '"':
            self._add("")
            self.quoted = True
            self.place += 1
        elif letter == "\\":
            self._add(line[place + 1 : place + 2])
            self.place += 2
        elif letter in "$`<>":
            self._substitution(letter)
        elif letter == "(":
            self._parenthesis()
        elif letter == ")" and self.open and self.open[-1].kind != _BACKTICK:
            if not self._behind_pattern():
                self._close()
            self.place += 1
        else:  # ; | & ) and their doubles
            self._end_command()
            sign = line[place : place + 2]
            if sign not in _DOUBLES:
                sign = letter
            if self.reach is not None:
                self.reach.separator("|" if sign == "|&" else sign)
            self.place += len(sign)

    def _within_quotes(self) -> None:
        found = _INSIDE.match(self.line, self.place)
        if found is not None:
            self._add(found[0])
            self.place = found.end()
            return
        letter = self.line[self.place]
        if letter == '"':
            self.quoted = False
            self.place += 1
        elif letter == "\\":
            self._add(self.line[self.place + 1 : self.place + 2])
            self.place += 2
        else:
            self._substitution(letter)

    def _substitution(self, letter: str) -> None:
        if letter == "`":
            if self.open and self.open[-1].kind == _BACKTICK:
                self._close()
            else:
                self._add("")
                self._push(_BACKTICK)
            self.place += 1
        elif self.line.startswith("(", self.place + 1):
            self._add("")
            self._push(_SUBSTITUTION)
            self.place += 2
        elif not self.quoted and (found := _ANSI_QUOTED.match(self.line, self.place)) is not None:
            self._add(found[1])
            self.place = found.end()
        else:
            self._add(letter)
            self.place += 1

    def _parenthesis(self) -> None:
        if self.word and self.word[-1].endswith("="):
            self._push(_ARRAY)
        elif self.reach is not None and (found := _NO_PARAMETERS.match(self.line, self.place)) is not None and (self.word or self.words):
            self._end_word()
            self.reach.reserved(self.words)
            self.reach.define(self.words[-1] if self.words else "")
            self.words, self.place = [], found.end()
            return
        else:
            self._end_command()
            self._push(_SUBSHELL)
        self.place += 1

    def _behind_pattern(self) -> bool:
        if self.reach is None or self.open[-1].kind == _ARRAY:
            return False
        self._end_command()
        if not self.reach.within_case():
            return False
        self.reach.separator(")")
        return True

    def _push(self, kind: str) -> None:
        if self.reach is not None:
            self.words = self.words[self.reach.reserved(self.words) :]
            self.reach.open(kind)
        self.open.append(_Open(kind, self.words, self.word, self.quoted, self.target))
        self.words, self.word, self.quoted, self.target = [], None, False, ""

    def _close(self) -> None:
        if self.open[-1].kind == _ARRAY:
            self.words, self.word = [], None
        self._end_command()
        if self.reach is not None:
            self.reach.close()
        _, self.words, self.word, self.quoted, self.target = self.open.pop()

    def _add(self, text: str) -> None:
        if self.word is None:
            self.word = []
        self.word.append(text)

    def _end_word(self) -> None:
        if self.word is None:
            return
        word, self.word = "".join(self.word), None
        if self.target in ("<<", "<<-"):
            self.documents.append(word)
        elif not self.target:
            self.words.append(word)
        self.target = ""

    def _end_command(self) -> None:
        self._end_word()
        self.target = ""
        words, self.words = self.words, []
        if self.reach is not None:
            if words:
                rest = words[self.reach.reserved(words) :]
                if rest or ASSIGNED.match(words[-1]):
                    self.reach.command(rest, not rest or rest[0] not in _NO_COMMAND)
            return
        start = 0
        while start < len(words) and (words[start] in _RESERVED or ASSIGNED.match(words[start])):
            start += 1
        if start < len(words) and words[start] == "function":
            start += 3 if words[start + 2 : start + 3] == ["{"] else len(words)
        if start < len(words) and words[start] not in _NO_COMMAND:
            self.commands.append(words[start:])

    def _skip_documents(self) -> None:
        for mark in self.documents:
            while self.place < len(self.line):
                end = self.line.find("\n", self.place)
                end = len(self.line) if end < 0 else end
                found = self.line[self.place : end].strip() == mark
                self.place = end + 1
                if found:
                    break
        self.documents = []
