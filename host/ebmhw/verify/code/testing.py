"""Judge: test code and searches for counterexamples, run in a sandbox of their own against a session.

What the two processes say to one another goes through here: each message of the code under test is checked before it is passed on, answers must
carry the number of their question, and each process has its own clock. Whether an assertion holds is decided in the judge's process, which the code
under test cannot reach.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, final

from ebmhw.errors import VerificationError
from ebmhw.verify.code.harness import STARTER, judge_modules
from ebmhw.verify.code.proxies import STOPPED, opaque
from ebmhw.verify.code.session import GRACE, Ending, Returned, Session, StoppedCall
from ebmhw.verify.code.values import Decoder, Encoder, Refused, parsed, written
from ebmhw.verify.code.wire import Broken, checked

if TYPE_CHECKING:
    from ebmhw.sandbox import Limits


class Judged(NamedTuple):
    """What a judge came to.

    Attributes
    ----------
    ended : "passed", or why not: "failed" (an assertion), "raised" (by the code under test), "raises" (in the test code, after a call), "broken" (the
        test code itself is wrong), "refused" (it passes what cannot be passed), "stopped" (the code under test was), "judge" (its own process was)
    said : the exception's text, or the cause of a stop
    calls : of the code under test, as counted here
    told : further members as `ebmhw.verify.code.judge_process` tells them
    """

    ended: str
    said: str
    calls: int
    told: Mapping[str, Any]


@final
class Judge:
    """A sandbox for test code; a context manager.

    Parameters
    ----------
    limits : of its process; ``limits.seconds`` bounds what it computes itself, the time of calls not counted
    packages : names of packages that the test code may import

    Attributes
    ----------
    noticed : what the last `run` noticed of the code under test (see `ebmhw.verify.code.judge_process`)

    Raises
    ------
    SandboxUnavailable
        where this machine cannot confine it.
    """

    def __init__(self, limits: Limits | None = None, packages: Sequence[str] = ()) -> None:
        from dataclasses import replace

        from ebmhw.sandbox import Confined, Limits, Stopped

        given = Limits() if limits is None else limits
        self._left = given.seconds
        self.stopped: StoppedCall | None = None
        self.noticed: Mapping[str, Any] = {}
        wider = replace(given, seconds=min(86400.0, 2 * given.seconds + 120), cpu_seconds=min(86400, given.processor_seconds + 2))
        self._confined = Confined(STARTER, wider, packages=tuple(packages))
        self._confined.__enter__()
        try:
            self._confined.send(judge_modules())
        except Stopped as error:
            self.stopped = StoppedCall(error.ended.cause, error.ended.told())

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._confined.__exit__(None, None, None)

    def checks(self, session: Session, checks: str, *, setup: str = "", entry_point: str | None = None) -> Judged:
        """Run test code against a session; its functions check(candidate) and test_...() are called.

        Parameters
        ----------
        checks, setup : Python; ``setup`` runs first, and what it defines is not the code's own
        entry_point : name that test code knows as ``candidate`` as well; None where it calls the code's names only
        """
        names = session.loaded.value if isinstance(session.loaded, Returned) else []
        before = session.calls
        told = self._asked(session, "checks", setup, checks, entry_point, names)
        calls = session.calls - before
        if isinstance(told, StoppedCall):
            return Judged("judge", told.cause, calls, {})
        if not isinstance(told, dict) or told.get("ended") not in ("passed", "failed", "raised", "raises", "broken", "refused", "stopped"):
            return Judged("judge", "tampering", calls, {})
        return Judged(told["ended"], str(told.get("said", "")), calls, told)

    def run(self, session: Session, source: str, asked: Any, entry_point: str, *, name: str = "runner") -> Any:
        """Return what a program's ``run(call, asked)`` returns, where ``call(args, kwargs)`` calls the session; StoppedCall where the judge stopped.

        Parameters
        ----------
        source : of the program: standard library, and the packages of this judge
        asked : a value, passed on as it is
        entry_point : the name that is called; a call gives ("returned", value, args after it), ("raised", kind, message) or ("stopped", cause)

        Raises
        ------
        VerificationError
            where the program itself raises an exception, naming it.
        """
        told = self._asked(session, "run", source, name, asked, entry_point)
        if isinstance(told, StoppedCall):
            return told
        self.noticed = told
        return told["found"]

    def _asked(self, session: Session, operation: str, *arguments: Any) -> Any:
        if self.stopped is not None:
            return self.stopped
        try:
            self._send(written(["ask", 0, operation, Encoder().encode(arguments)]))
            message = self._relayed(session)
            value = Decoder(None, opaque).decode(message[2]) if message[0] == "returned" else None
        except Ending:
            return self.stopped
        except (Broken, Refused) as error:
            return self._stop("tampering", str(error))
        if message[0] == "raised":
            raise VerificationError(f"the judge's program failed: {message[2].get('kinds', ['?'])[0]}: {message[2].get('said')}")
        return value

    def _relayed(self, session: Session) -> list[Any]:
        """Pass messages between the two until the judge answers what was asked of it; return that answer."""
        # What is open, innermost last: a question of the judge to the code, or of the code to a function of the judge.
        asked: list[tuple[str, int, list[Any]]] = []
        while True:
            raw = self._receive()
            message = parsed(raw)
            if type(message) is not list or len(message) not in (4, 5):
                raise Broken("the judge wrote what is no message")
            if message[0] != "ask":
                if message[1] == 0:
                    return message
                if not asked or asked.pop()[:2] != ("code", message[1]):
                    raise Broken("an answer of the judge does not belong to what was asked")
            else:
                asked.append(("judge", message[1], _containers(message[3])))
                session.calls += message[2] in ("call", "result")
            answer = self._of_code(session, raw, asked)
            if answer is None:  # the code was stopped: what the judge asked last is answered so
                stop = session.stopped
                assert stop is not None
                told: dict[str, Any] = {"kinds": [STOPPED], "said": stop.cause, "args": {"tuple": []}, "line": None}
                answer = written(["raised", asked.pop()[1], told, [], []])
            self._send(answer)

    def _of_code(self, session: Session, raw: bytes, asked: list[tuple[str, int, list[Any]]]) -> bytes | None:
        """Return what the code says to a message, checked; None where it was stopped."""
        if session.stopped is not None:
            return None
        try:
            session.send(raw)
            answer = session.raw()
            kind, number, known = asked[-1]
            try:
                message = checked(answer, known, opaque_object)
            except (Broken, Refused) as error:
                session.stop("tampering", str(error))
                return None
        except Ending:
            return None
        if message[0] == "raised" and STOPPED in message[2]["kinds"]:
            session.stop("tampering", "it gave an exception the name of its own end")
            return None
        if message[0] == "ask":
            if message[2] != "callback":
                session.stop("tampering", "the code asked for what is not done here")
                return None
            asked.append(("code", message[1], []))
            return answer
        if (kind, number) != ("judge", message[1]):
            session.stop("tampering", "an answer does not belong to what was asked")
            return None
        asked.pop()
        session.note(message[4])
        return answer

    def _send(self, message: bytes) -> None:
        from ebmhw.sandbox import Stopped

        try:
            self._confined.send(message, max(self._left, 0.001) + GRACE)
        except Stopped as error:
            self.stopped = StoppedCall(error.ended.cause, error.ended.told())
            raise Ending from None

    def _receive(self) -> bytes:
        from ebmhw.sandbox import Stopped

        started = time.monotonic()
        try:
            return self._confined.receive(max(self._left, 0.001))
        except Stopped as error:
            self.stopped = StoppedCall(error.ended.cause, error.ended.told())
            raise Ending from None
        finally:
            self._left -= time.monotonic() - started

    def _stop(self, cause: str, detail: str) -> StoppedCall:
        if self.stopped is None:
            self.stopped = StoppedCall(cause, detail)
            self._confined.end()
        return self.stopped


def opaque_object(tree: Any) -> Any:
    """Return a stand-in for what stays in one of the two processes; Refused for what is no object of the code and no function of the judge."""
    tag, body = next(iter(tree.items()))
    if not (tag in ("callback", "object") and type(body) is int and body >= 0):
        opaque(tree)
    return _StandIn()


class _StandIn:
    """What the judge or the code knows and this process need not."""


def _containers(tree: Any) -> list[Any]:
    known: list[Any] = []
    Decoder(known, opaque_object).decode(tree)
    return known
