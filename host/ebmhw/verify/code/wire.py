"""Wire: two processes that call one another by messages, each message a tree of `values`; answers carry the numbers of what they answer.

This module runs inside the sandbox as well: it needs the standard library and `ebmhw.verify.code.values` only.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Mapping
from typing import Any

from ebmhw.verify.code.values import Decoder, Encoder, Other, Refused, parsed, refuse, written

MAX_SAID = 500
"""Characters of an exception's text."""
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class Broken(Exception):
    """The other side broke off, or wrote what is no message."""


class Raised(Exception):
    """What was asked for raised an exception on the other side.

    Attributes
    ----------
    kinds : names of its classes: its own first, then those of Python that it derives from
    said : its text, cut
    args_given : its arguments where they could be passed on, else (said,)
    line : of the other side's code, from 1; None where there is none
    """

    def __init__(self, kinds: list[str], said: str, args_given: tuple[Any, ...], line: int | None) -> None:
        super().__init__(said)
        self.kinds, self.said, self.args_given, self.line = kinds, said, args_given, line


def said_by(error: BaseException) -> str:
    """Return the text of an exception on one line, cut, without addresses and this machine's folders; the class where it has none."""
    try:
        text = str(error)
        # "cannot import name 'x' from 'm' (FILE)" would be another text on each machine.
        if isinstance(error, ImportError) and type(error.path) is str:
            text = text.replace(f" ({error.path})", "")
    except BaseException:
        text = ""
    return _ADDRESS.sub("", " ".join(text[: 4 * MAX_SAID].split()))[:MAX_SAID]


def kinds_of(error: BaseException) -> list[str]:
    """Return the names of an exception's classes: its own first, then those of Python."""
    kinds = type(error).__mro__
    return [str(kinds[0].__name__)[:100]] + [
        kind.__name__ for kind in kinds[1:] if getattr(builtins, kind.__name__, None) is kind and kind is not object
    ]


class Wire:
    """One end of a conversation of two processes.

    Parameters
    ----------
    receive, send : of messages; ``receive`` raises where none comes
    serve : does what the other side asks for: (operation, arguments) -> value
    export : the tree of a value that stays here; None where none may
    adopt : the value of a tree that stands for what stays on the other side, or was exported here
    line_of : the line of this side's code that raised an exception
    fatal : exceptions that end the conversation rather than being told to the other side

    Attributes
    ----------
    notes : what goes along with the next answer, JSON-able
    heard : what went along with the answers of the other side
    changed : whether the last answer changed an argument
    """

    def __init__(
        self,
        receive: Callable[[], bytes],
        send: Callable[[bytes], None],
        serve: Callable[[str, Any], Any],
        export: Other = refuse,
        adopt: Other = refuse,
        line_of: Callable[[BaseException], int | None] = lambda error: None,
        fatal: tuple[type[BaseException], ...] = (),
    ) -> None:
        self._receive, self._send = receive, send
        self._serve, self._export, self._adopt, self._line_of = serve, export, adopt, line_of
        self._fatal: tuple[type[BaseException], ...] = (Broken, *fatal)
        self._number = 0
        self.notes: list[Any] = []
        self.heard: list[Any] = []
        self.changed = False

    def ask(self, operation: str, *arguments: Any) -> Any:
        """Return what the other side answers; arguments that it changed are changed here as well.

        Raised for its exceptions, Refused for arguments that cannot be passed on, Broken for what is no answer.
        """
        self._number += 1
        number = self._number
        self.changed = False
        known: list[Any] = []
        tree = Encoder(known, self._export).encode(arguments)
        self._send(written(["ask", number, operation, tree]))
        while True:
            message = self._next()
            if message[0] == "ask":
                self._answer(message)
                continue
            if message[0] not in ("returned", "raised") or len(message) != 5 or message[1] != number:
                raise Broken("an answer does not belong to what was asked")
            self.heard.extend(message[4] if isinstance(message[4], list) else [])
            decoder = Decoder(known, self._adopt)
            try:
                value = decoder.decode(message[2]) if message[0] == "returned" else None
                decoder.restate(message[3])
                self.changed = any(state is not None for state in message[3])
                error = _raised(message[2]) if message[0] == "raised" else None
            except Refused as refused:
                raise Broken(str(refused)) from None
            if error is not None:
                raise error
            return value

    def answer_all(self) -> None:
        """Do what the other side asks for until it breaks off."""
        while True:
            message = self._next()
            if message[0] != "ask":
                raise Broken("an answer came where a question had to")
            self._answer(message)

    def _next(self) -> list[Any]:
        try:
            message = parsed(self._receive())
        except Refused as error:
            raise Broken(str(error)) from None
        if type(message) is not list or len(message) < 2 or type(message[1]) is not int:
            raise Broken("this is no message")
        return message

    def _answer(self, message: list[Any]) -> None:
        if len(message) != 4:
            raise Broken("this is no question")
        _, number, operation, tree = message
        known: list[Any] = []
        try:
            arguments = Decoder(known, self._adopt).decode(tree)
        except Refused as error:
            raise Broken(str(error)) from None
        count = len(known)
        before = _states(known, count, self._export)
        try:
            value = self._serve(operation, arguments)
            encoder = Encoder(known[:count], self._export)
            try:
                told = encoder.encode(value)
            except Refused as error:
                raise Refused(f"the result cannot be passed on: {error}") from None
            states = _changes(encoder, known, count, before)
            raw = written(["returned", number, told, states, self._noted()])
        except self._fatal:
            raise
        except BaseException as error:
            encoder = Encoder(known[:count], self._export)
            try:
                states = _changes(encoder, known, count, before)
                told = _told(error, self._line_of(error))
                raw = written(["raised", number, told, states, self._noted()])
            except Refused:
                raw = written(["raised", number, _told(error, None), [], self._noted()])
        self._send(raw)

    def _noted(self) -> list[Any]:
        noted = self.notes[:]
        self.notes.clear()
        return noted


def rebuilt(raised: Raised, own: Mapping[str, type[BaseException]] | None = None) -> BaseException:
    """Return the exception as Python has it: of the nearest class that is known here, ``own`` ones included, with the same text."""
    for name in raised.kinds:
        kind = (own or {}).get(name) or getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            for given in (raised.args_given, (raised.said,)):
                try:
                    made = kind(*given)
                except Exception:
                    continue
                if isinstance(made, BaseException):
                    return made
    return Exception(raised.said)


def _states(known: list[Any], count: int, export: Other) -> list[Any]:
    if not count:
        return []
    encoder = Encoder(known[:count], export)
    return [encoder.state(value) for value in known[:count]]


def _changes(encoder: Encoder, known: list[Any], count: int, before: list[Any]) -> list[Any]:
    """Return the state of each container that was passed in, null for those that are as they were."""
    if not count:
        return []
    after = []
    # Written apart first: what did not change must not take part in the numbering of new containers.
    probe = Encoder(known[:count], encoder.other)
    for value, earlier in zip(known[:count], before, strict=True):
        now = probe.state(value)
        after.append(None if now == earlier and repr(now) == repr(earlier) else encoder.state(value))
    return after


def _told(error: BaseException, line: int | None) -> dict[str, Any]:
    if isinstance(error, Raised):
        return {"kinds": error.kinds, "said": error.said, "args": Encoder().encode(error.args_given), "line": line}
    said = said_by(error)
    try:
        arguments = Encoder().encode(tuple(error.args))
        if len(written(arguments)) > 4 * MAX_SAID:
            arguments = {"tuple": [said]}
    except Exception:
        arguments = {"tuple": [said]}
    return {"kinds": kinds_of(error), "said": said, "args": arguments, "line": line}


def _raised(told: Any) -> Raised:
    """Return the exception that a message tells of; Broken where it tells of none."""
    if type(told) is not dict or set(told) != {"kinds", "said", "args", "line"}:
        raise Broken("an exception is not told as one")
    kinds, said, line = told["kinds"], told["said"], told["line"]
    if type(kinds) is not list or not kinds or len(kinds) > 100 or not all(type(kind) is str and len(kind) <= 100 for kind in kinds):
        raise Broken("an exception has no classes")
    if type(said) is not str or len(said) > MAX_SAID or not (line is None or (type(line) is int and 0 < line < 2**31)):
        raise Broken("an exception is not told as one")
    arguments = Decoder().decode(told["args"])
    if type(arguments) is not tuple:
        raise Broken("an exception has no arguments")
    return Raised(kinds, said, arguments, line)


def checked(raw: bytes, known: list[Any], opaque: Other) -> list[Any]:
    """Return a message of a hostile process once it is one that `Wire` reads without error; Broken or Refused where it is none.

    Parameters
    ----------
    known : stand-ins for the containers that went along with the question it may answer, changed as the answer says
    opaque : what stands for an object of that process; Refused where it is none
    """
    message = parsed(raw)
    if type(message) is not list or len(message) < 2 or type(message[1]) is not int:
        raise Broken("this is no message")
    if message[0] == "ask" and len(message) == 4 and type(message[2]) is str:
        if type(Decoder(None, opaque).decode(message[3])) is not tuple:
            raise Broken("this is no question")
        return message
    if message[0] not in ("returned", "raised") or len(message) != 5 or type(message[4]) is not list:
        raise Broken("this is no message")
    decoder = Decoder(known, opaque)
    if message[0] == "returned":
        decoder.decode(message[2])
    decoder.restate(message[3])
    if message[0] == "raised":
        _raised(message[2])
    return message
