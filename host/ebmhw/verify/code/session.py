"""Session: code under test, loaded in a sandbox, and the calls made of it, with values in and values out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, final

from ebmhw.errors import VerificationError, shown
from ebmhw.verify.code.attempts import FORBIDDEN, KIND
from ebmhw.verify.code.harness import STARTER, candidate_modules
from ebmhw.verify.code.proxies import Handle, handle_of
from ebmhw.verify.code.values import Refused
from ebmhw.verify.code.wire import Broken, Wire
from ebmhw.verify.code.wire import Raised as RaisedThere

if TYPE_CHECKING:
    from ebmhw.sandbox import Ended, Limits

GRACE = 2.0
"""Seconds beyond those that a process has left in which it has to take a message."""
START = 60.0
"""Seconds in which a process loads the harness, which are not the code's; 0.1 s on an idle machine."""
SWITCH = 0.05
"""Seconds of each answer that are not the code's: two changes of the process take 2 ms, and 30 ms with six programs on each processor."""


class Returned(NamedTuple):
    """A call that returned.

    Attributes
    ----------
    value : what it returned; objects of its own classes, generators and the like as a `Handle`
    args, kwargs : the arguments as they are after the call: the caller's own objects, changed in place as the call changed them
    """

    value: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Raised(NamedTuple):
    """A call that raised an exception.

    Attributes
    ----------
    kind : name of its class
    message : its text, cut
    line : of the code, from 1; None where it was raised outside of it
    kinds : ``kind``, then the classes of Python that it derives from
    """

    kind: str
    message: str
    line: int | None
    kinds: tuple[str, ...] = ()


class StoppedCall(NamedTuple):
    """A call that did not end, because the process did.

    Attributes
    ----------
    cause : why: "time", "memory", "output", ... (see `ebmhw.sandbox.Ended`), or "tampering" where what it said was no answer
    detail : in plain words
    """

    cause: str
    detail: str = ""


Outcome = Returned | Raised | StoppedCall


class Ending(Exception):
    """Ends a conversation with a process that has ended."""


@final
class Session:
    """Code loaded in a sandbox of its own as the module "candidate"; a context manager.

    Nothing that the process says is trusted: values are read by `ebmhw.verify.code.values`, answers must carry their question's number, and every
    wait has a limit. After a stop each call says so; a new session begins anew.

    Parameters
    ----------
    code : Python
    limits : of the process (see `ebmhw.sandbox.Limits`); ``limits.seconds`` bounds what it computes in all, loading included
    packages : names of packages that it may import
    instrument : whether annotations, bounds and returns are checked at run time; what is found is in ``notes``
    seed : of its ``random``

    Attributes
    ----------
    loaded : how loading ended: `Returned`, whose value is a list of [name, what it is, bases], `Raised` or `StoppedCall`
    notes : what instrumentation found, each once: (kind, line, text)
    forbidden : what it tried that the sandbox never allows, each once, until it is cleared: audit events (see `ebmhw.verify.code.attempts`)
    calls : made of names and objects of the code
    busy : seconds that the process took for what was asked of it, ``SWITCH`` of each answer left out: limits are of these
    elapsed : the same by the wall clock, nothing left out

    Raises
    ------
    SandboxUnavailable
        where this machine cannot confine it.
    """

    def __init__(self, code: str, limits: Limits | None = None, packages: Sequence[str] = (), instrument: bool = False, *, seed: int = 0) -> None:
        from dataclasses import replace

        from ebmhw.sandbox import Confined, Limits

        if not isinstance(code, str):
            raise VerificationError(f"the code is {shown(code)}; give a str")
        given = Limits() if limits is None else limits
        self.limits = given
        self.notes: list[tuple[str, int, str]] = []
        self.forbidden: list[str] = []
        self.calls, self.busy, self.elapsed = 0, 0.0, 0.0
        self.stopped: StoppedCall | None = None
        self._left = given.seconds
        # A judge may think between two calls; what the process computes is bounded by `_left` and by its processor time.
        wider = replace(given, seconds=min(86400.0, 5 * given.seconds + 120), cpu_seconds=min(86400, given.processor_seconds + 2))
        self._confined = Confined(STARTER, wider, packages=tuple(packages))
        self._wire = Wire(self._receive, self.send, self._serve, self._export, self._adopt, fatal=(Ending, KeyboardInterrupt))
        self._functions: list[Any] = []
        self._call_left: float | None = None
        self._starting = True
        self._confined.__enter__()
        with suppress(Ending):
            self.send(candidate_modules())
        self._asked((), {}, None, "ready")
        self._starting = False
        self.loaded = self._asked((), {}, None, "load", code, seed, instrument)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process; a second time nothing happens."""
        if self.stopped is None:
            self.stopped = StoppedCall("exit", "the session was closed")
        self._confined.__exit__(None, None, None)

    def finish(self) -> Ended:
        """End the process and return how it ended and what it used."""
        ended = self._confined.end(0)
        self.close()
        return ended

    def call(self, name: str, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None, seconds: float | None = None) -> Outcome:
        """Return what a call of a name of the code made of arguments; what an async function gives is awaited there.

        Parameters
        ----------
        name : a function or class that the code defines, or a `Handle`
        args, kwargs : values (see `ebmhw.verify.code.values`), handles, and functions, which the code can call back
        seconds : that the call may compute, of those that are left; None for all of these

        Raises
        ------
        Refused
            for an argument that cannot be passed on.
        """
        given, named = list(args), dict(kwargs or {})
        self.calls += 1
        return self._asked(given, named, seconds, "result", name, given, named)

    def do(self, operation: str, *arguments: Any, seconds: float | None = None) -> Outcome:
        """Return what an operation, such as "next", "repr" or "get", made of handles (see `ebmhw.verify.code.candidate_process`)."""
        return self._asked((), {}, seconds, operation, *arguments)

    def _asked(self, args: Sequence[Any], kwargs: dict[str, Any], seconds: float | None, operation: str, *arguments: Any) -> Outcome:
        if self.stopped is not None:
            return self.stopped
        self._call_left = seconds
        try:
            value = self._wire.ask(operation, *arguments)
            return Returned(value, tuple(args), kwargs)
        except RaisedThere as error:
            return Raised(error.kinds[0], error.said, error.line, tuple(error.kinds))
        except Ending:
            assert self.stopped is not None
            return self.stopped
        except Broken as error:
            return self.stop("tampering", str(error))
        finally:
            self._call_left = None
            self._take_notes()

    def tried(self, operation: str, *arguments: Any) -> Any:
        """Do an operation for a `Handle`: with exceptions."""
        outcome = self.do(operation, *arguments)
        if isinstance(outcome, Returned):
            return outcome.value
        if isinstance(outcome, Raised):
            from ebmhw.verify.code.wire import rebuilt

            raise rebuilt(RaisedThere([outcome.kind, *outcome.kinds], outcome.message, (outcome.message,), outcome.line))
        raise VerificationError(f"the session has stopped: {outcome.cause}; open a new one")

    def lean(self, operation: str, kind: str) -> None:
        """Take note of nothing: who holds the handles of a session knows whose word theirs is."""

    def send(self, message: bytes) -> None:
        """Send the process a message as it is."""
        from ebmhw.sandbox import Stopped

        try:
            self._confined.send(message, START if self._starting else max(self._left, 0.001) + GRACE)
        except Stopped as error:
            self._ended(error.ended)
            raise Ending from None

    def raw(self) -> bytes:
        """Return the next message of the process as it is, unchecked."""
        from ebmhw.sandbox import Stopped

        allowed = START if self._starting else self._left if self._call_left is None else min(self._left, self._call_left)
        started = time.monotonic()
        try:
            return self._confined.receive(max(allowed, 0.001) + SWITCH)
        except Stopped as error:
            self._ended(error.ended)
            raise Ending from None
        finally:
            waited = 0.0 if self._starting else time.monotonic() - started
            took = max(0.0, waited - SWITCH)
            self.elapsed += waited
            self.busy += took
            self._left -= took
            if self._call_left is not None:
                self._call_left -= took

    _receive = raw

    def stop(self, cause: str, detail: str) -> StoppedCall:
        """End the process and remember why."""
        if self.stopped is None:
            self.stopped = StoppedCall(cause, detail)
            self._confined.end()
        return self.stopped

    def _ended(self, ended: Any) -> None:
        if self.stopped is None:
            self.stopped = StoppedCall(ended.cause, ended.told())

    def note(self, heard: Sequence[Any]) -> None:
        """Take what instrumentation found, and what was tried; what is no note is left out, for the process may say anything."""
        for one in heard:
            if not (type(one) is list and len(one) == 3 and type(one[0]) is str and type(one[1]) is int and type(one[2]) is str):
                continue
            if one[0] == KIND and one[2] in FORBIDDEN:
                if one[2] not in self.forbidden:
                    self.forbidden.append(one[2])
            elif one[0] in KINDS:
                found = (one[0], one[1], one[2][:500])
                if found not in self.notes and len(self.notes) < 1000:
                    self.notes.append(found)

    def _take_notes(self) -> None:
        heard, self._wire.heard = self._wire.heard, []
        self.note(heard)

    def _serve(self, operation: str, arguments: Any) -> Any:
        if operation != "callback" or len(arguments) != 3 or type(arguments[0]) is not int or not 0 <= arguments[0] < len(self._functions):
            raise Broken("the code asked for what is not done here")
        number, args, kwargs = arguments
        return self._functions[number](*args, **kwargs)

    def _export(self, value: Any) -> Any:
        if isinstance(value, Handle):
            return {"object": value._number}
        if callable(value) and not isinstance(value, type):
            self._functions.append(value)
            return {"callback": len(self._functions) - 1}
        raise Refused(f"a {type(value).__name__} cannot be passed to the code; give built-in values, functions, or objects that it made itself")

    def _adopt(self, tree: Any) -> Any:
        tag, body = next(iter(tree.items()))
        if tag == "callback" and type(body) is int and 0 <= body < len(self._functions):
            return self._functions[body]
        return handle_of(self, tree)


KINDS = ("type", "bounds", "return")
"""Of what instrumentation finds."""
