"""Trial: one run of a program against a specification, from loading to the last property."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, final

from ebmhw.errors import EbmhwError, MissingExtra
from ebmhw.verify.code.comparing import is_exception, raised_as, same
from ebmhw.verify.code.program import Program
from ebmhw.verify.code.proxies import shown, shown_call
from ebmhw.verify.code.session import Outcome, Raised, Returned, Session, StoppedCall
from ebmhw.verify.code.specification import Specification, Test
from ebmhw.verify.code.testing import Judge, Judged
from ebmhw.verify.code.values import decode, encode
from ebmhw.verify.deadline import Deadline
from ebmhw.verify.verdict import UNKNOWN, VERIFIED, VIOLATED, Verdict

BLAMED = frozenset({"time", "cpu", "memory", "output", "files", "threads", "signal", "exit", "tampering"})
"""Causes of a stop that are the code's own doing; the others are the sandbox's."""

MEMORY = 512 * 2**20
"""Bytes of a process unless the specification says otherwise."""


class Found(NamedTuple):
    """What a trial found: the claim's kind, the line of the code that it is about, verdict, reason and content."""

    kind: str
    line: int | None
    verdict: Verdict
    reason: str
    content: dict[str, Any]


@final
class Trial:
    """One run of a program against a specification; a context manager, which ends what it started.

    Parameters
    ----------
    program : Python
    specification : what it must do
    question : what was asked, for examples and properties
    deadline : of the whole; the specification's timeout bounds what the code computes
    """

    def __init__(self, program: Program, specification: Specification, question: str, deadline: Deadline) -> None:
        self._program, self._specification, self._question, self._deadline = program, specification, question, deadline
        self._left = specification.timeout
        self._session: Session | None = None
        self._notes: list[tuple[str, int, str]] = []
        self._entry = specification.entry_point
        self._line = program.names.get(self._entry) if self._entry is not None else None

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    def findings(self) -> list[Found]:
        """Return what was found, in the order in which it was asked."""
        session = self._opened()
        loaded = self._loaded(session.loaded)
        if loaded is not None:
            return [loaded]
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
        return self._session

    def _close(self) -> None:
        if self._session is not None:
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
            verdict, why = self._stopped(loaded)
            return Found("run", None, verdict, f"while the code was loaded, {why}", content)
        verdict, why = self._raised(loaded)
        return Found("run", loaded.line, verdict, f"loading the code raised {why}", content)

    def _stopped(self, outcome: StoppedCall) -> tuple[Verdict, str]:
        """Return whether a stop is the code's doing, and what happened in words."""
        if outcome.cause in ("time", "cpu"):
            self._deadline.check("running the code")
            return VIOLATED, f"it did not end within its time ({self._specification.timeout:g} s in all)"
        words = {
            "memory": "it used up its memory",
            "output": "it wrote more output than allowed",
            "files": "it wrote more to files than allowed",
            "exit": "the code ended the process",
            "tampering": f"the code tampered with its process: {outcome.detail}",
        }
        return (VIOLATED if outcome.cause in BLAMED else UNKNOWN), words.get(outcome.cause, outcome.detail)

    def _raised(self, outcome: Raised) -> tuple[Verdict, str]:
        """Return whether an exception is the code's doing, and the exception in words."""
        where = f" (line {outcome.line})" if outcome.line is not None else ""
        said = f"{outcome.kind}: {outcome.message}{where}" if outcome.message else f"{outcome.kind}{where}"
        if "ModuleNotFoundError" in outcome.kinds:
            missing = outcome.message.partition("'")[2].partition("'")[0].partition(".")[0]
            if missing and missing not in sys.stdlib_module_names and missing not in self._specification.packages:
                return UNKNOWN, f"{said}; the specification does not allow this package: name it in packages, if the code may use it"
        if "PermissionError" in outcome.kinds:
            return UNKNOWN, f"{said}; the sandbox does not allow it"
        return VIOLATED, said

    def _tested(self, test: Test, kind: str, content: Mapping[str, Any]) -> Found:
        assert self._entry is not None
        args, kwargs = decode(encode((list(test.args), dict(test.kwargs))))
        call = shown_call(self._entry, args, kwargs)
        wanted = f"raise {_exception(test.expected)}" if is_exception(test.expected) else shown(test.expected)
        told: dict[str, Any] = {**content, "call": call, "expected": wanted, "got": None}
        if self._over():
            return Found(kind, self._line, UNKNOWN, f"{call} was not run: the code had used up its time", told)
        session = self._opened()
        if not isinstance(session.loaded, Returned):
            verdict, why = self._stopped(session.loaded) if isinstance(session.loaded, StoppedCall) else self._raised(session.loaded)
            return Found(kind, self._line, verdict, f"{call} was not run: when the code was loaded again, {why}", told)
        outcome = session.call(self._entry, args, kwargs)
        line = self._line
        if isinstance(outcome, StoppedCall):
            verdict, why = self._stopped(outcome)
            return Found(kind, line, verdict, f"{call}: {why}; expected {wanted}", told)
        if isinstance(outcome, Raised):
            told["got"] = f"raise {outcome.kind}"
            if is_exception(test.expected) and raised_as(outcome, test.expected):
                return Found(kind, line, VERIFIED, f"{call} raises {outcome.kind}, as expected", told)
            verdict, why = self._raised(outcome)
            return Found(kind, outcome.line or line, verdict, f"{call} raised {why}; expected {wanted}", told)
        got = told["got"] = shown(outcome.value)
        if not is_exception(test.expected) and same(outcome.value, test.expected, test.abs, test.rel):
            return Found(kind, line, VERIFIED, f"{call} == {got}", told)
        if got == wanted:
            got = told["got"] = f"{got} of type {type(outcome.value).__name__}"
        return Found(kind, line, VIOLATED, f"{call} gave {got}; expected {wanted}", told)

    def _judge(self, packages: Sequence[str] = ()) -> Judge:
        from ebmhw.sandbox import Limits

        return Judge(Limits(seconds=min(self._specification.timeout, max(self._deadline.left, 0.01)), memory=MEMORY), packages)

    def _checked(self, checks: str) -> Found:
        content: dict[str, Any] = {"checks": checks}
        if self._over():
            return Found("test", self._line, UNKNOWN, "the checks were not run: the code had used up its time", content)
        session = self._opened()
        with self._judge(self._specification.packages) as judge:
            judged = judge.checks(session, checks, setup=self._specification.setup or "", entry_point=self._entry)
        self._deadline.check("the checks")
        verdict, reason, line = self._of_checks(judged, session)
        return Found("test", line or self._line, verdict, reason, content)

    def _of_checks(self, judged: Judged, session: Session) -> tuple[Verdict, str, int | None]:
        told = judged.told
        at, last = told.get("line"), told.get("last")
        place = f"line {at} of the {told.get('where')}" if at is not None else "the checks"
        text = f" ({told['text']})" if told.get("text") else ""
        after = f"; {last}" if last else ""
        if session.stopped is not None:
            verdict, why = self._stopped(session.stopped)
            return verdict, f"the checks did not end: {why}{after}", None
        if judged.ended == "passed":
            if not judged.calls:
                return UNKNOWN, "the checks never called the code: nothing was checked", None
            return VERIFIED, f"the checks passed, with {judged.calls} call{'s' if judged.calls > 1 else ''} of the code", None
        if judged.ended == "failed":
            said = f": {judged.said}" if judged.said else ""
            verdict = VIOLATED if judged.calls else UNKNOWN
            return verdict, f"an assertion failed at {place}{text}{said}{after}", None
        if judged.ended == "raised":
            line = told.get("candidate_line")
            verdict, why = self._raised(Raised(str(told.get("kind")), judged.said, line, (str(told.get("kind")),)))
            return verdict, f"the code raised {why} at {place}{text}{after}", line
        if judged.ended == "raises":
            return VIOLATED, f"what the code gave led to {judged.said} at {place}{text}{after}", None
        if judged.ended == "broken":
            return UNKNOWN, f"the checks themselves failed at {place}: {judged.said}", None
        if judged.ended == "refused":
            return UNKNOWN, f"the checks pass what cannot be passed, at {place}: {judged.said}", None
        return UNKNOWN, f"the checks did not come to an end: their own process was stopped ({judged.said})", None

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
            found.append(one)
        return found

    def _properties(self) -> list[Found]:
        spec = self._specification
        if self._entry is None or not (spec.properties or spec.infer) or self._over():
            return []
        from ebmhw.verify.code.properties.prepare import PACKAGES, prepare, property_claims

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
            with self._judge(PACKAGES) as judge:
                findings = property_claims(run, asked, spec.seed, seconds)
        except _JudgeStopped as error:
            self._deadline.check("the search for properties")
            return [Found("property", self._line, UNKNOWN, str(error), {})]
        return [Found("property", self._line, one.verdict, one.reason, one.content()) for one in findings]


class _JudgeStopped(EbmhwError):
    """The judge's process ended before it said what it found."""


def _exception(expected: Any) -> str:
    return expected.__name__ if isinstance(expected, type) else shown(expected)
