"""Trial: one run of a program against a specification, from loading to the last property."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, final

from ebmhw.errors import EbmhwError, MissingExtra, SandboxUnavailable
from ebmhw.verify.code.comparing import is_exception, is_rounded, raised_as, same
from ebmhw.verify.code.judgements import Found, doubted, excused, of_checks, of_exception, of_stop
from ebmhw.verify.code.program import Program, taken_apart
from ebmhw.verify.code.session import Outcome, Raised, Returned, Session, StoppedCall
from ebmhw.verify.code.showing import shown, shown_call
from ebmhw.verify.code.specification import Specification, Test
from ebmhw.verify.code.testing import Judge
from ebmhw.verify.code.values import decode, encode
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, Verdict

if TYPE_CHECKING:
    from ebmhw.verify.code.properties.ranking import Memory

MAX_STOPS = 20
"""Processes that the code may end by a test of its own before the tests that are left are not run; each takes 0.1 s to start."""

MEMORY = 512 * 2**20
"""Bytes of a process unless the specification says otherwise."""


@final
class Trial:
    """One run of a program against a specification; a context manager, which ends what it started.

    Parameters
    ----------
    program : Python
    specification : what it must do
    question : what was asked, for examples and properties
    deadline : of the whole; the specification's timeout bounds what the code computes
    history : what properties caught before, which orders them; what they catch is noted in it
    """

    def __init__(self, program: Program, specification: Specification, question: str, deadline: Deadline, history: Memory | None = None) -> None:
        self._history = history
        self._program, self._specification, self._question, self._deadline = program, specification, question, deadline
        self._left = specification.timeout
        self._session: Session | None = None
        self._notes: list[tuple[str, int, str]] = []
        self._stops = 0
        self._loading: tuple[str, ...] = ()  # what loading tried in vain, which may make any call fail
        self._entry = specification.entry_point
        self._line = program.names.get(self._entry) if self._entry is not None else None

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    def findings(self) -> list[Found]:
        """Return what was found, in the order in which it was asked.

        Raises
        ------
        SandboxUnavailable
            where the code cannot be confined here, or is allowed more memory than this machine has.
        """
        _check_memory(self._specification.memory)
        session = self._opened()
        loaded = self._loaded(session.loaded)
        if loaded is not None:
            return [excused(loaded, self._loading)]
        entry = self._entry
        if entry is not None and not any(name == entry for name, *_ in session.loaded.value):  # type: ignore[union-attr]
            there = ", ".join(self._program.names) or "nothing"
            return [Found("run", None, VIOLATED, f"the code does not define {entry}; it defines {there}", {"entry_point": entry})]
        given = [self._tested(test, "test", {"number": i}) for i, test in enumerate(self._specification.tests)]
        if self._specification.checks is not None:
            given.append(self._checked(self._specification.checks))
        examples = self._examples(bool(given) and all(one.verdict == VERIFIED for one in given))
        properties = self._properties()
        self._close()
        seen = [Found(kind, line, VIOLATED, text, {"line": line}) for kind, line, text in self._notes]
        found = [*given, *examples, *properties, *seen]
        if not found:
            reason = "the code runs, and nothing says what it must do; give tests, checks or properties"
            found = [Found("run", self._line, UNKNOWN, reason, {"entry_point": entry})]
        return found

    def _limits(self, seconds: float) -> Any:
        from ebmhw.sandbox import Limits

        return Limits(seconds=max(seconds, 0.01), memory=self._specification.memory or MEMORY)

    def _opened(self) -> Session:
        """Return a session that has not stopped."""
        if self._session is None or self._session.stopped is not None:
            self._close()
            self._deadline.check("running the code")
            spec = self._specification
            limits = self._limits(min(self._left, self._deadline.left))
            self._session = Session(self._program.code, limits, spec.packages, spec.instrument, seed=spec.seed)
            self._loading = tuple(self._session.forbidden)
        self._session.forbidden.clear()
        return self._session

    def _close(self) -> None:
        if self._session is not None:
            self._stops += self._session.stopped is not None
            self._session.close()
            self._left -= self._session.busy
            self._notes += [note for note in self._session.notes if note not in self._notes]
            self._session = None

    def _over(self) -> bool:
        """Tell whether the code has used up its time, in a session that stopped."""
        return self._session is not None and self._session.stopped is not None and self._left - self._session.busy <= 0.01

    def _loaded(self, loaded: Outcome) -> Found | None:
        if isinstance(loaded, Returned):
            return None
        content = {"entry_point": self._entry}
        if isinstance(loaded, StoppedCall):
            verdict, why = self._of_stop(loaded)
            return Found("run", None, verdict, f"while the code was loaded, {why}", content)
        verdict, why = of_exception(loaded, self._specification)
        return Found("run", loaded.line, verdict, f"loading the code raised {why}", content)

    def _of_stop(self, outcome: StoppedCall) -> tuple[Verdict, str]:
        if outcome.cause in ("time", "cpu"):
            self._deadline.check("running the code")
        return of_stop(outcome, self._specification)

    def _tried(self) -> tuple[str, ...]:
        """Return what the code tried in vain while it was loaded and since it was last made ready for a call."""
        return (*self._loading, *(self._session.forbidden if self._session is not None else ()))

    def _tested(self, test: Test, kind: str, content: Mapping[str, Any]) -> Found:
        return excused(self._called(test, kind, content), self._tried())

    def _called(self, test: Test, kind: str, content: Mapping[str, Any]) -> Found:
        assert self._entry is not None
        args, kwargs = decode(encode((list(test.args), dict(test.kwargs))))
        call = shown_call(self._entry, args, kwargs)
        wanted = f"raise {_exception(test.expected)}" if is_exception(test.expected) else shown(test.expected)
        told: dict[str, Any] = {**content, "call": call, "expected": wanted, "got": None}
        if self._over():
            return Found(kind, self._line, UNKNOWN, f"{call} was not run: the code had used up its time", told)
        if self._stops + (self._session is not None and self._session.stopped is not None) >= MAX_STOPS:
            return Found(kind, self._line, UNKNOWN, f"{call} was not run: the code had ended {MAX_STOPS} processes", told)
        session = self._opened()
        if not isinstance(session.loaded, Returned):
            verdict, why = (
                self._of_stop(session.loaded) if isinstance(session.loaded, StoppedCall) else of_exception(session.loaded, self._specification)
            )
            return Found(kind, self._line, verdict, f"{call} was not run: when the code was loaded again, {why}", told)
        outcome = session.call(self._entry, args, kwargs)
        line = self._line
        if isinstance(outcome, StoppedCall):
            verdict, why = self._of_stop(outcome)
            return Found(kind, line, verdict, f"{call}: {why}; expected {wanted}", told)
        if isinstance(outcome, Raised):
            told["got"] = f"raise {outcome.kind}"
            if is_exception(test.expected) and raised_as(outcome, test.expected):
                return Found(kind, line, VERIFIED, f"{call} raises {outcome.kind}, as expected", told)
            verdict, why = of_exception(outcome, self._specification)
            hint = ""
            if outcome.kind == "TypeError" and not test.kwargs and taken_apart(self._program.code, self._entry, test.args):
                hint = f"; the test gives {self._entry} {len(test.args)} arguments: did you mean ({shown(list(test.args))},)?"
            return Found(kind, outcome.line or line, verdict, f"{call} raised {why}; expected {wanted}{hint}", told)
        got = told["got"] = shown(outcome.value)
        if not is_exception(test.expected) and same(outcome.value, test.expected, test.abs, test.rel):
            return Found(kind, line, VERIFIED, f"{call} == {got}", told)
        if got == wanted:
            got = told["got"] = f"{got} of type {type(outcome.value).__name__}"
        return Found(kind, line, VIOLATED, f"{call} gave {got}; expected {wanted}", told)

    def _judge(self, packages: Sequence[str], spare: float) -> Judge:
        from ebmhw.sandbox import Limits

        # More than the code has, so that where both are busy with one another it is the code's time that ends, in each run.
        seconds = min(3 * self._specification.timeout + spare, max(self._deadline.left, 0.01))
        return Judge(Limits(seconds=seconds, memory=MEMORY), packages)

    def _checked(self, checks: str) -> Found:
        content: dict[str, Any] = {"checks": checks}
        if self._over():
            return Found("test", self._line, UNKNOWN, "the checks were not run: the code had used up its time", content)
        session = self._opened()
        with self._judge(self._specification.packages, 5.0) as judge:
            judged = judge.checks(session, checks, setup=self._specification.setup or "", entry_point=self._entry)
        self._deadline.check("the checks")
        verdict, reason, line = of_checks(judged, session.stopped, self._specification)
        return excused(Found("test", line or self._line, verdict, reason, content), self._tried())

    def _examples(self, passed: bool) -> list[Found]:
        """Return what became of examples that question and docstring give; one that fails where all tests pass speaks against the question."""
        if not self._specification.infer or self._entry is None:
            return []
        from ebmhw.verify.code.properties.prompt import read_prompt

        prompt = read_prompt(self._program.code, self._question, self._entry)
        found = []
        for number, (args, value) in enumerate(prompt.examples if prompt is not None else ()):
            try:
                test = Test(args, decode(encode(value)))
                encode(args)
            except ValueError:
                continue
            one = self._tested(test, "example", {"number": number})
            if one.verdict == VIOLATED and passed:
                one = one._replace(verdict=UNKNOWN, reason=f"{one.reason}: an example that contradicts the tests, which all pass")
            elif one.verdict == VIOLATED and is_rounded(one.content["got"], test.expected):
                one = one._replace(verdict=UNKNOWN, reason=f"{one.reason}, which may be rounded")
            found.append(one)
        return found

    def _properties(self) -> list[Found]:
        spec = self._specification
        if self._entry is None or not (spec.properties or spec.infer) or self._over():
            return []
        from ebmhw.verify.code.properties.asking import PACKAGES, prepare, property_claims

        tests = [(test.args, test.expected) for test in spec.tests if not test.kwargs and not is_exception(test.expected)]
        try:
            asked = prepare(self._program.code, self._question, self._entry, spec.properties, tests, spec.infer)
        except MissingExtra as error:
            return [Found("property", self._line, UNKNOWN, str(error), {})]
        if not asked.properties:
            return []
        session = self._opened()
        entry = self._entry

        def run(source: str, message: dict[str, Any]) -> Any:
            outcomes = judge.run(session, source, message, entry)
            if isinstance(outcomes, StoppedCall):
                raise _JudgeStopped(f"the search for properties was stopped: {outcomes.detail or outcomes.cause}")
            return outcomes

        seconds = min(spec.timeout, self._deadline.left)
        try:
            with self._judge((*PACKAGES, *spec.packages), 20.0) as judge:
                findings = property_claims(run, asked, spec.seed, seconds, self._history)
                noticed = judge.noticed
        except _JudgeStopped as error:
            self._deadline.check("the search for properties")
            return [Found("property", self._line, UNKNOWN, str(error), {})]
        found = [excused(Found("property", self._line, one.verdict, one.reason, one.content()), self._tried()) for one in findings]
        return [doubted(one, noticed, spec) if one.verdict == VERIFIED else one for one in found]


class _JudgeStopped(EbmhwError):
    """The judge's process ended before it said what it found."""


def _check_memory(allowed: int | None) -> None:
    """Refuse to give the code more memory than there is: who wrote a specification need not be who runs it."""
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else None
    if allowed is not None and there is not None and allowed > there:
        raise SandboxUnavailable(
            f"the specification allows the code {allowed} bytes of memory, and this machine has {there}; run it on a larger one, or allow less"
        )


def _exception(expected: Any) -> str:
    return expected.__name__ if isinstance(expected, type) else shown(expected)
