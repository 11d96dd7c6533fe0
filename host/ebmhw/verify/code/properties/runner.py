"""The runner of properties: draws arguments with Hypothesis, calls the candidate through a function, and finds the smallest arguments that break one.

It is executed as it stands in the judge's process, beside Python's own library, hypothesis and sortedcontainers; nothing of ebmhw is there.
"""

from __future__ import annotations

import ast
import builtins
import copy
import time
from collections.abc import Callable
from typing import Any, ClassVar

MAX_TRIES_AFTER_FAILURE = 500
"""Calls of a property while the smallest failing arguments are looked for."""

LONGEST = 300
"""Characters of a value in a reason."""

Call = Callable[[tuple[Any, ...], dict[str, Any]], tuple[Any, ...]]
"""Calls the candidate: ("returned", value, args) with the arguments as they are after the call, ("raised", kinds, message) with the name of the
exception's class or the names of its classes, or ("stopped", cause)."""


class Broken(AssertionError):
    """A comparison of a property that does not hold, with both sides."""

    def __init__(self, left: Any, word: str, right: Any, text: str) -> None:
        super().__init__(text)
        self.left, self.word, self.right, self.text = left, word, right, text


class Stopped(BaseException):
    """The candidate was stopped at a limit; Hypothesis lets it through, so that nothing is tried again."""

    def __init__(self, cause: str, lasted: float) -> None:
        super().__init__(cause)
        self.cause, self.lasted = cause, lasted


class Enough(BaseException):
    """The search for smaller arguments, or for arguments at all, is over."""


def same(left: Any, right: Any) -> bool:
    """Tell whether two values are equal, floats to one part in a million, a list and a tuple by their elements."""
    if isinstance(left, bool) or isinstance(right, bool):
        return bool(left == right)
    if isinstance(left, float) or isinstance(right, float):
        if not (isinstance(left, (int, float)) and isinstance(right, (int, float))):
            return False
        return bool(left == right or abs(left - right) <= 1e-6 * max(1.0, abs(left), abs(right)) or (left != left and right != right))
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def agree(got: Any, expected: Any) -> None:
    """Raise Broken where two values are not the same."""
    if not same(got, expected):
        raise Broken(got, "==", expected, "")


def subsequence(part: Any, whole: Any) -> bool:
    """Tell whether the elements of one stand in the other, in the same order."""
    rest = iter(whole)
    return all(any(same(one, other) for other in rest) for one in part)


def counted(values: Any) -> list[str]:
    """Return the elements in an order that does not depend on theirs: equal for two that are permutations of one another."""
    return sorted(repr(value) for value in values)


class _Telling(ast.NodeTransformer):
    """Lets ``assert a < b`` tell both sides."""

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
            return node
        word = self.words[type(test.ops[0])]
        told = ast.parse(
            f"_left_ = 0\n_right_ = 0\nif not (_left_ {word} _right_): raise _Broken_(_left_, {word!r}, _right_, {ast.unparse(node.test)!r})"
        )
        told.body[0].value, told.body[1].value = test.left, test.comparators[0]  # type: ignore[attr-defined]
        return ast.If(test=ast.Constant(True), body=told.body, orelse=[])


def run(call: Call, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what became of each property, in order.

    Parameters
    ----------
    call : calls the candidate
    asked : {"properties": [{"name", "source", "given": {parameter: strategy}, "supported": bool, "lenient": bool}], "examples": [[args, value]],
        "seed", "max_examples", "seconds"}; a supported property must hold of the examples, else it is not asked; a lenient one takes exceptions for
        nothing, but for a name without a value. No property is begun after these seconds; the candidate must be given twice as many, so that a call
        that is stopped has lasted as long on its own, which is then its own fault

    Returns
    -------
    list of {"name", "outcome", "tried", ...}, outcome one of "held", "broken", "stopped", "flaky", "rejected" (no arguments were allowed),
    "unsupported", "unreadable" (its source failed), "late" (the time was over), "untried" (the candidate was stopped before)
    """
    import hypothesis  # noqa: F401  (half a second that is not the candidate's)

    end = time.monotonic() + asked["seconds"]
    found: list[dict[str, Any]] = []
    for one in asked["properties"]:
        stopped = any("cause" in other for other in found)
        found.append({"name": one["name"], "outcome": "untried", "tried": 0} if stopped else _run_one(call, one, asked, end))
    return found


def _run_one(call: Call, one: dict[str, Any], asked: dict[str, Any], end: float) -> dict[str, Any]:
    if time.monotonic() > end:
        return {"name": one["name"], "outcome": "late", "tried": 0}
    try:
        prop, strategy = _built(one)
        if one["supported"] and not _supported(prop, one, asked["examples"]):
            return {"name": one["name"], "outcome": "unsupported", "tried": 0}
    except Exception as error:
        return {"name": one["name"], "outcome": "unreadable", "tried": 0, "reason": _said(error)}
    return {"name": one["name"], **_Trial(call, prop, one, end).outcome(strategy, asked)}


def _built(one: dict[str, Any]) -> tuple[Callable[..., None], Any]:
    import hypothesis
    from hypothesis import strategies as st

    scope: dict[str, Any] = {
        "_Broken_": Broken,
        "Broken": Broken,
        "assume": hypothesis.assume,
        "st": st,
        "same": same,
        "agree": agree,
        "subsequence": subsequence,
        "counted": counted,
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
    return scope["prop"], st.fixed_dictionaries({name: eval(text, scope) for name, text in one["given"].items()})


def _supported(prop: Callable[..., None], one: dict[str, Any], examples: list[Any]) -> bool:
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

    def __init__(self, call: Call, prop: Callable[..., None], one: dict[str, Any], end: float) -> None:
        self.call, self.prop, self.one, self.end = call, prop, one, end
        self.tried = self.after = 0
        self.calls: list[tuple[str, str]] = []
        self.worst: dict[str, Any] | None = None
        self.raised: BaseException | None = None

    def outcome(self, strategy: Any, asked: dict[str, Any]) -> dict[str, Any]:
        import hypothesis
        from hypothesis import HealthCheck, Phase, Verbosity, errors

        test = hypothesis.seed(asked["seed"])(
            hypothesis.settings(
                max_examples=asked["max_examples"],
                database=None,
                deadline=None,
                derandomize=False,
                report_multiple_bugs=False,
                print_blob=False,
                verbosity=Verbosity.quiet,
                suppress_health_check=list(HealthCheck),
                phases=(Phase.generate, Phase.shrink),
            )(hypothesis.given(strategy)(self.attempt))
        )
        try:
            test()
        except Stopped as stopped:
            blamed = stopped.cause not in ("time", "cpu") or stopped.lasted >= 0.9 * asked["seconds"]
            return {"outcome": "stopped" if blamed else "late", "cause": stopped.cause, "arguments": self.shown, "tried": self.tried}
        except Enough:
            if self.worst is None:
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

    def attempt(self, drawn: dict[str, Any]) -> None:
        import hypothesis
        from hypothesis.errors import UnsatisfiedAssumption

        if time.monotonic() > self.end and self.worst is None:
            raise Enough
        self.after += self.worst is not None
        if self.after > MAX_TRIES_AFTER_FAILURE:
            raise Enough
        self.calls, self.raised = [], None
        self.shown = ", ".join(f"{name} = {_shown(value)}" for name, value in drawn.items())
        try:
            self.prop(self.candidate, **copy.deepcopy(drawn))
        except UnsatisfiedAssumption:
            raise
        except Exception as error:
            if error is self.raised and self.one["lenient"] and type(error).__name__ not in ("NameError", "UnboundLocalError"):
                hypothesis.reject()
            found = {"arguments": self.shown, "calls": self.calls[-3:], **self._how(error)}
            if self.worst is None or (len(self.shown), self.shown) <= (len(self.worst["arguments"]), self.worst["arguments"]):
                self.worst = found
            raise
        self.tried += 1

    def _how(self, error: Exception) -> dict[str, str]:
        if isinstance(error, Broken):
            return {"got": _shown(error.left), "word": error.word, "expected": _shown(error.right), "text": error.text}
        if error is self.raised:
            return {"got": _said(error), "word": "raises", "expected": "", "text": ""}
        if isinstance(error, AssertionError):
            return {"got": self.calls[-1][1] if self.calls else "", "word": "", "expected": "", "text": str(error)}
        return {"got": self.calls[-1][1] if self.calls else "", "word": "", "expected": "", "text": _said(error)}

    def candidate(self, *args: Any, **kwargs: Any) -> Any:
        """Call the candidate; what it raises is raised here as the built-in exception of that name, or as RuntimeError."""
        import hypothesis

        said = ", ".join([*map(_shown, args), *(f"{name}={_shown(value)}" for name, value in kwargs.items())])
        began = time.monotonic()
        try:
            answer = self.call(args, kwargs)
        except Exception:  # what cannot be passed on between the processes is nobody's fault
            hypothesis.reject()
        if answer[0] == "returned":
            self.calls.append((said, _shown(answer[1])))
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
        raise Stopped(answer[1], time.monotonic() - began)


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
