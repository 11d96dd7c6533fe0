"""The runner of properties: draws arguments with Hypothesis, calls the candidate through a function, and finds the smallest arguments that break one.

It is executed as it stands in the judge's process, beside Python's own library, Hypothesis and `relations`; nothing else of
ebmhw is there.
"""

from __future__ import annotations

import ast
import builtins
import copy
import time
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn

from ebmhw.verify.code.asserting import REACHED, Reached, Telling, is_truth, why_nothing
from ebmhw.verify.code.properties.relations import Broken, agree, alike, assume, counted, leave_out, meant, plain, same, subsequence

MAX_TRIES_AFTER_FAILURE = 500
"""Calls of a property while the smallest failing arguments are looked for."""

SWITCH = 0.05
"""Seconds of a call that are not the candidate's: two changes of the process take 2 ms, and 30 ms with six programs on each processor."""

REPEATS = 25
"""Arguments with which a function is called twice to see whether it is deterministic."""

LONGEST = 300
"""Characters of a value in a reason."""

Call = Callable[[tuple[Any, ...], dict[str, Any]], tuple[Any, ...]]
"""Calls the candidate: ("returned", value, args) with the arguments as they are after the call, ("raised", kinds, message) with the name of the
exception's class or the names of its classes, or ("stopped", cause)."""


class Stopped(BaseException):
    """The candidate was stopped at a limit; Hypothesis lets it through, so that nothing is tried again."""

    def __init__(self, cause: str, lasted: float) -> None:
        super().__init__(cause)
        self.cause, self.lasted = cause, lasted


class Enough(BaseException):
    """The search for smaller arguments, or for arguments at all, is over."""


class _Telling(Telling):
    """Lets ``assert a < b`` tell both sides, and that it was reached."""

    words: ClassVar[dict[type, str]] = {
        ast.Eq: "==",
        ast.NotEq: "!=",
        ast.Lt: "<",
        ast.LtE: "<=",
        ast.Gt: ">",
        ast.GtE: ">=",
        ast.In: "in",
        ast.NotIn: "not in",
    }

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        test = node.test
        if not isinstance(test, ast.Compare) or len(test.ops) != 1 or type(test.ops[0]) not in self.words:
            return super().visit_Assert(node)
        word = self.words[type(test.ops[0])]
        said = ast.unparse(node.test)
        told = ast.parse(f"_left_ = {REACHED}(0)\n_right_ = 0\nif not (_left_ {word} _right_): raise _Broken_(_left_, {word!r}, _right_, {said!r})")
        for new in ast.walk(told):
            if hasattr(new, "lineno"):
                ast.copy_location(new, node)
        told.body[0].value.args[0], told.body[1].value = test.left, test.comparators[0]  # type: ignore[attr-defined]
        return ast.copy_location(ast.If(test=ast.Constant(True), body=told.body, orelse=[]), node)


def run(call: Call, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what became of each property, in order.

    Parameters
    ----------
    call : calls the candidate
    asked : {"properties": [{"name", "source", "given": {parameter: strategy}, "supported": bool, "lenient": bool, "written": bool}],
        "examples": [[args, value]], "seed", "max_examples", "seconds"}; a supported property must hold of the examples, else it is not asked; a
        lenient one takes exceptions for nothing, but for a name without a value; a written one (as by default none is) may be mistaken itself: what
        it raises on its own is not the candidate's fault, and it has to assert something. The seconds are those of calls, without `SWITCH` for
        each; nothing is tried after them. The candidate must be given twice as many, so that a call that is stopped has lasted as long on its own,
        which is then its own fault

    Returns
    -------
    list of {"name", "outcome", "tried", ...}, outcome one of "held", "broken", "stopped", "flaky", "rejected" (no arguments were allowed),
        "uncalled" (it never called the candidate), "silent" (it asserted nothing), "failed" (a mistake of its own, with "line" and "reason"),
    "unsupported", "unreadable" (its source failed), "late" (the time was over), "untried" (the candidate was stopped before)
    """
    import hypothesis  # noqa: F401  (half a second that is not the candidate's)

    calls = _Calls(call, asked["seconds"])
    found: list[dict[str, Any]] = []
    for one in asked["properties"]:
        stopped = any("cause" in other for other in found)
        found.append({"name": one["name"], "outcome": "untried", "tried": 0} if stopped else _run_one(calls, one, asked))
    return found


class _Calls:
    """Calls of the candidate, with the time that they take and the answers that several properties ask for."""

    def __init__(self, call: Call, seconds: float) -> None:
        self.call, self.left = call, seconds
        self.known: dict[str, tuple[Any, ...]] = {}
        self.drawn: dict[str, list[dict[str, Any]]] = {}

    def answer(self, args: tuple[Any, ...], kwargs: dict[str, Any], again: bool) -> tuple[tuple[Any, ...], float]:
        """Return what a call gave, and how long it lasted; ``again`` where an answer that is known already must not do."""
        key = repr((args, kwargs))
        if not again and key in self.known:
            return copy.deepcopy(self.known[key]), 0.0
        began = time.monotonic()
        given = self.call(args, kwargs)
        lasted = time.monotonic() - began
        self.left -= max(0.0, lasted - SWITCH)
        if not again and given[0] != "stopped" and _is_plain(given[1:]):
            self.known[key] = copy.deepcopy(given)
        return given, lasted


def _is_plain(value: Any) -> bool:
    """Tell whether a value is built of Python's own, so that a copy of it is as good."""
    if isinstance(value, (list, tuple)):
        return type(value) in (list, tuple) and all(map(_is_plain, value))
    if isinstance(value, dict):
        return type(value) is dict and all(map(_is_plain, value)) and all(map(_is_plain, value.values()))
    return value is None or type(value) in (bool, int, float, complex, str, bytes, set, frozenset)


def _run_one(calls: _Calls, one: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    if calls.left < 0:
        return {"name": one["name"], "outcome": "late", "tried": 0}
    try:
        prop, strategy, reached = _built(one)
        if one["supported"] and not _supported(prop, one, asked["examples"]):
            return {"name": one["name"], "outcome": "unsupported", "tried": 0}
    except Exception as error:
        return {"name": one["name"], "outcome": "unreadable", "tried": 0, "reason": _said(error)}
    trial = _Trial(calls, prop, one, asked)
    outcome = trial.outcome(strategy)
    if one.get("written") and outcome["outcome"] in ("held", "rejected"):
        outcome = trial.doubted(outcome, reached)
    return {"name": one["name"], **outcome}


def _built(one: dict[str, Any]) -> tuple[Callable[..., Any], Any, Reached]:
    from hypothesis import strategies as st

    reached = Reached()
    scope: dict[str, Any] = {
        REACHED: reached,
        "_Broken_": Broken,
        "Broken": Broken,
        "assume": assume,
        "st": st,
        "same": same,
        "agree": agree,
        "alike": alike,
        "meant": meant,
        "subsequence": subsequence,
        "counted": counted,
        "plain": plain,
        "deepcopy": copy.deepcopy,
        "__name__": "property",
    }
    tree = ast.parse(one["source"])
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            function.returns = None
            for parameter in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]:
                parameter.annotation = None
    exec(compile(ast.fix_missing_locations(_Telling().visit(tree)), "<property>", "exec"), scope)
    return scope["prop"], st.fixed_dictionaries({name: eval(text, scope) for name, text in one["given"].items()}), reached


def _supported(prop: Callable[..., Any], one: dict[str, Any], examples: list[Any]) -> bool:
    """Tell whether a property holds of every example, the value that the example gives taken for what the candidate returns."""
    from hypothesis.errors import UnsatisfiedAssumption

    for arguments, value in examples:
        if len(arguments) != len(one["given"]):
            continue
        try:
            prop(lambda *_, value=value: copy.deepcopy(value), *copy.deepcopy(arguments))
        except UnsatisfiedAssumption:
            continue
        except Exception:
            return False
    return True


class _Trial:
    """The trial of one property."""

    def __init__(self, calls: _Calls, prop: Callable[..., Any], one: dict[str, Any], asked: dict[str, Any]) -> None:
        self.calls, self.prop, self.one, self.asked = calls, prop, one, asked
        self.most = min(REPEATS, asked["max_examples"]) if one["lenient"] and one["name"] == "deterministic" else asked["max_examples"]
        self.tried = self.after = 0
        self.seen: list[tuple[str, str]] = []
        self.worst: dict[str, Any] | None = None
        self.raised: BaseException | None = None
        self.asked_once = self.called = self.told = False
        self.mistake: dict[str, Any] | None = None
        self.shown = ""

    def doubted(self, outcome: dict[str, Any], reached: Reached) -> dict[str, Any]:
        """Return the outcome of a written property that nothing breaks; one that says nothing of the candidate does not hold."""
        if self.mistake is not None:
            return {"outcome": "failed", "tried": self.tried, **self.mistake}
        if outcome["outcome"] != "held":
            return outcome
        if not self.called:
            return {"outcome": "uncalled", "tried": self.tried}
        nothing = None if self.told else why_nothing(_used(self.one["source"]), reached.once)
        return outcome if nothing is None else {"outcome": "silent", "tried": self.tried, "reason": nothing}

    def outcome(self, strategy: Any) -> dict[str, Any]:
        """Try arguments that properties with the same strategies share; search for the smallest ones only where some of them break it."""
        from hypothesis import errors

        try:
            if self.holds(self.shared(strategy)):
                return {"outcome": "held", "tried": self.tried}
            met, self.worst, self.tried = self.worst, None, 0
            try:
                self.given(strategy, self.attempt, shrink=True)()
            except Enough:
                if self.worst is None:
                    return {"outcome": "late", "tried": self.tried}
            if self.worst is None and met is not None:
                return {"outcome": "flaky", **met, "tried": self.tried}
        except Stopped as stopped:
            blamed = stopped.cause not in ("time", "cpu") or stopped.lasted >= 0.9 * self.asked["seconds"]
            return {"outcome": "stopped" if blamed else "late", "cause": stopped.cause, "arguments": self.shown, "tried": self.tried}
        except Enough:
            return {"outcome": "late", "tried": self.tried}
        except errors.Unsatisfiable:
            return {"outcome": "rejected", "tried": 0}
        except errors.Flaky:
            return {"outcome": "flaky", **(self.worst or {}), "tried": self.tried}
        except Exception as error:
            if self.worst is None:
                return {"outcome": "unreadable", "tried": self.tried, "reason": _said(error)}
        if self.worst is not None:
            return {"outcome": "broken", **self.worst, "tried": self.tried}
        return {"outcome": "held" if self.tried else "rejected", "tried": self.tried}

    def given(self, strategy: Any, function: Callable[[dict[str, Any]], None], shrink: bool) -> Callable[[], None]:
        """Return a function that calls another with arguments that Hypothesis draws."""
        import hypothesis
        from hypothesis import HealthCheck, Phase, Verbosity

        settings = hypothesis.settings(
            max_examples=self.asked["max_examples"],
            database=None,
            deadline=None,
            derandomize=False,
            report_multiple_bugs=False,
            print_blob=False,
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        )
        made: Callable[[], None] = hypothesis.seed(self.asked["seed"])(settings(hypothesis.given(strategy)(function)))
        return made

    def shared(self, strategy: Any) -> list[dict[str, Any]]:
        """Return the arguments that are drawn for these strategies, once for all properties that have them."""
        key = repr(self.one["given"])
        if key not in self.calls.drawn:
            found: list[dict[str, Any]] = []
            self.given(strategy, lambda drawn: found.append(copy.deepcopy(drawn)), shrink=False)()
            self.calls.drawn[key] = found
        return self.calls.drawn[key]

    def holds(self, arguments: list[dict[str, Any]]) -> bool:
        """Tell whether the property holds for arguments, and allows at least a third of them."""
        from hypothesis.errors import UnsatisfiedAssumption

        some = arguments[: self.most]
        for drawn in some:
            try:
                self.attempt(drawn)
            except UnsatisfiedAssumption:
                continue
            except Exception:
                return False
        return self.tried > 0 and 3 * self.tried >= len(some)

    def attempt(self, drawn: dict[str, Any]) -> None:
        from hypothesis.errors import UnsatisfiedAssumption

        if self.calls.left < 0 and self.worst is None:
            raise Enough
        self.after += self.worst is not None
        if self.after > MAX_TRIES_AFTER_FAILURE:
            raise Enough
        self.seen, self.raised, self.asked_once = [], None, False
        self.shown = ", ".join(f"{name} = {_shown(value)}" for name, value in drawn.items())
        try:
            returned = self.prop(self.candidate, **copy.deepcopy(drawn))
            if self.one.get("written") and returned is not None:
                self.returned(returned)
        except UnsatisfiedAssumption:
            raise
        except Exception as error:
            if self.one.get("written") and not self.blames(error):
                self.mistaken(error)
            if error is self.raised and self.one["lenient"] and type(error).__name__ not in ("NameError", "UnboundLocalError"):
                leave_out()
            found = {"arguments": self.shown, "calls": self.seen[-3:], **self._how(error)}
            if self.worst is None or (len(self.shown), self.shown) <= (len(self.worst["arguments"]), self.worst["arguments"]):
                self.worst = found
            raise
        self.tried += 1

    def returned(self, value: Any) -> None:
        """Take a truth value that a property returns for what it asserts."""
        if not is_truth(value):
            raise TypeError(f"it returned {_shown(value)}, which is neither True, False nor None")
        self.told = True
        if not value:
            raise AssertionError("the property is False")

    def blames(self, error: Exception) -> bool:
        """Tell whether an exception of a written property speaks against the candidate, not against the property."""
        if not self.asked_once:
            return False
        if error is self.raised or isinstance(error, AssertionError):
            return True
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        # An object of the candidate's own, such as a generator, raised it.
        if frame is not None and frame.tb_frame.f_globals.get("__name__") == "ebmhw.verify.code.remote":
            return True
        if frame is not None and frame.tb_frame.f_code.co_filename == "<property>":
            raising = (node for node in ast.walk(ast.parse(self.one["source"])) if isinstance(node, ast.Raise))
            if any(node.lineno <= frame.tb_lineno <= (node.end_lineno or node.lineno) for node in raising):
                return True
        # That a value is missing is the candidate's doing.
        nothing = any(got == "None" for _, got in self.seen)
        return nothing and isinstance(error, (TypeError, AttributeError)) and "NoneType" in str(error)

    def mistaken(self, error: Exception) -> NoReturn:
        """Note a mistake of the property's own, the one with the smallest arguments, and leave these out."""
        line, trace = None, error.__traceback__
        while trace is not None:
            line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == "<property>" else line
            trace = trace.tb_next
        said = _said(error) if self.asked_once else f"{_said(error)}, without having called the code"
        found = {"arguments": self.shown, "line": line, "reason": said}
        if self.mistake is None or (len(self.shown), self.shown) < (len(self.mistake["arguments"]), self.mistake["arguments"]):
            self.mistake = found
        leave_out()

    def _how(self, error: Exception) -> dict[str, str]:
        if isinstance(error, Broken):
            return {"got": _shown(error.left), "word": error.word, "expected": _shown(error.right), "text": error.text}
        if error is self.raised:
            return {"got": _said(error), "word": "raises", "expected": "", "text": ""}
        if isinstance(error, AssertionError):
            return {"got": self.seen[-1][1] if self.seen else "", "word": "", "expected": "", "text": str(error)}
        return {"got": self.seen[-1][1] if self.seen else "", "word": "", "expected": "", "text": _said(error)}

    def candidate(self, *args: Any, **kwargs: Any) -> Any:
        """Call the candidate; what it raises is raised here as the built-in exception of that name, or as RuntimeError."""
        said = ", ".join([*map(_shown, args), *(f"{name}={_shown(value)}" for name, value in kwargs.items())])
        # What a lenient property asks first, another one may have asked before; a second call must show whether it gives the same.
        again = self.asked_once or not self.one["lenient"]
        self.asked_once = self.called = True
        try:
            answer, lasted = self.calls.answer(args, kwargs, again)
        except Exception:  # what cannot be passed on between the processes is nobody's fault
            leave_out()
        if answer[0] == "returned":
            self.seen.append((said, _shown(answer[1])))
            for mine, after in zip(args, answer[2], strict=False):
                _copy_back(mine, after)
            return answer[1]
        if answer[0] == "raised":
            kinds = [answer[1]] if isinstance(answer[1], str) else list(answer[1])
            known = [getattr(builtins, name, None) for name in kinds]
            kind = next((one for one in known if isinstance(one, type) and issubclass(one, Exception)), RuntimeError)
            try:
                error = kind(answer[2])
            except Exception:  # such as UnicodeDecodeError, which is made of five values
                error = RuntimeError(answer[2])
            error.kind = kinds[0]  # type: ignore[attr-defined]
            self.raised = error
            raise error
        raise Stopped(answer[1], lasted)


def _used(source: str) -> list[ast.AST]:
    """Return what a source's property uses of it: its function, the functions that this names, and the imports."""
    body = ast.parse(source).body
    functions = {node.name: node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    found: list[ast.AST] = [node for node in body if not isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    stack = list(found)
    while stack:
        for node in ast.walk(stack.pop()):
            if isinstance(node, ast.Name) and node.id in functions:
                found.append(functions[node.id])
                stack.append(functions.pop(node.id))
    return found


def _copy_back(mine: Any, after: Any) -> None:
    if isinstance(mine, list) and isinstance(after, list):
        mine[:] = after
    elif isinstance(mine, (dict, set)) and type(after) is type(mine):
        mine.clear()
        mine.update(after)


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{getattr(error, 'kind', type(error).__name__)}: {text[:LONGEST]}" if text else str(getattr(error, "kind", type(error).__name__))
