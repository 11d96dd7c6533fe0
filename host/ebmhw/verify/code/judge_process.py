"""The judge's process: runs test code and searches for counterexamples, with proxies for what is under test.

This module runs inside a sandbox of its own: it needs the standard library and its neighbours only. The code under
test is never here: what it gives comes by value or as a handle, and whether an assertion holds is decided here.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import linecache
import sys
from collections.abc import Callable
from typing import Any

from ebmhw.verify.code.asserting import REACHED, Reached, Telling, is_truth, why_nothing
from ebmhw.verify.code.doubts import compared_with_changed, leaning, names_class
from ebmhw.verify.code.proxies import Stopped
from ebmhw.verify.code.remote import ENDS_LOOPS, Remote
from ebmhw.verify.code.values import Refused
from ebmhw.verify.code.wire import Raised, said_by

_FILES = {"<setup>": "setup", "<checks>": "checks"}


_LAZY = __future__.annotations.compiler_flag
"""Annotations of test code are not evaluated: a function taken by its source comes without the imports of its module."""


class _Judge:
    def __init__(self, receive: Callable[[], bytes], send: Callable[[bytes], None]) -> None:
        self.remote = Remote(receive, send, self.serve)

    def serve(self, operation: str, arguments: Any) -> Any:
        """Do what the other side asks for."""
        if operation == "callback":
            number, args, kwargs = arguments
            return self.remote.callbacks[number](*args, **kwargs)
        if operation == "checks":
            return self.checks(*arguments)
        if operation == "run":
            return self.run(*arguments)
        raise Refused(f"{operation!r:.40} is not done here")

    def checks(self, setup: str, checks: str, entry_point: str | None, names: list[list[Any]]) -> dict[str, Any]:
        """Run test code; return how it ended: {"ended": "passed" | "failed" | "raised" | "broken" | "stopped" | "refused", ...}."""
        reached = Reached()
        space: dict[str, Any] = {"__name__": "checks", "__builtins__": builtins, REACHED: reached}
        try:
            trees = {file: ast.parse(text, file) for file, text in (("<setup>", setup), ("<checks>", checks))}
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            return {"ended": "broken", "said": f"{type(error).__name__}: {said_by(error)}", "line": None, "where": "checks"}
        used = {node.id for node in ast.walk(trees["<checks>"]) if isinstance(node, ast.Name)}
        self.remote.learn(names)
        if entry_point is not None:
            space[entry_point] = self.remote.named(entry_point)
            space["candidate"] = space[entry_point]
        here = "<checks>"
        try:
            for name, *_ in names:
                if name in used and name not in space and not hasattr(builtins, name):
                    space[name] = self.remote.named(name)
            for here in trees:
                text = setup if here == "<setup>" else checks
                linecache.cache[here] = (len(text), None, text.splitlines(keepends=True), here)
                telling = Telling().visit(ast.parse(text, here))
                exec(compile(telling, here, "exec", flags=_LAZY, dont_inherit=True), space)
                if entry_point is not None and here == "<setup>":  # a question's setup often holds the stub of what it asks for
                    space[entry_point] = space["candidate"] = self.remote.named(entry_point)
            told = self._functions(trees["<checks>"], space)
        except BaseException as error:
            return self._ended(error, here, checks)
        known = {name for name, *_ in names} & (used | {entry_point})
        nothing = None if told else why_nothing(trees.values(), reached.once)
        doubt = self._doubt(trees["<checks>"], used, known | {"candidate"}) or nothing
        return {"ended": "passed", "calls": self.remote.calls, "doubt": doubt}

    def _doubt(self, checks: ast.Module, used: set[str], tested: set[str]) -> str | None:
        """Return why test code that passed shows nothing; None where it shows something."""
        remote = self.remote
        if remote.ended_silently is not None and not used & ENDS_LOOPS:
            return f"{remote.ended_silently}, which ends a loop without a word"
        # By PEP 8, since what the code itself says that its names are cannot be trusted.
        if remote.leant is not None and not any(names_class(name) for name in tested):
            return f"they rest on {leaning(*remote.leant)}"
        found = compared_with_changed(checks, remote.mutated, tested)
        if found is not None:
            line, name = found
            return f"the code changed {name}, and line {line} of the checks compares its result with {name} as it was after the call; give it a copy"
        return None

    def _functions(self, tree: ast.Module, space: dict[str, Any]) -> bool:
        """Call the test code's check(candidate), and its functions test_... without parameters, unless it calls them itself.

        Returns whether one of them returned True.

        Raises
        ------
        AssertionError
            where one returns False.
        SyntaxError
            where one returns what is neither a truth value nor None, such as a generator, whose body has not run.
        """
        called = {
            node.func.id
            for statement in tree.body
            if not isinstance(statement, (ast.FunctionDef, ast.ClassDef))
            for node in ast.walk(statement)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        told = False
        for statement in tree.body:
            if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) or statement.name in called:
                continue
            parameters = len(statement.args.posonlyargs) + len(statement.args.args) - len(statement.args.defaults)
            if statement.name == "check" and parameters == 1 and "candidate" in space:
                returned = space["check"](space["candidate"])
            elif statement.name.startswith("test") and parameters == 0:
                returned = space[statement.name]()
            else:
                continue
            if returned is None:
                continue
            if not is_truth(returned):
                if hasattr(returned, "close"):
                    returned.close()
                raise SyntaxError(f"{statement.name} returned a {type(returned).__name__}; let it assert, or return True or False")
            if not returned:
                raise AssertionError(f"{statement.name} returned False")
            told = True
        return told

    def _ended(self, error: BaseException, here: str, checks: str) -> dict[str, Any]:
        """Return how test code ended that did not reach its end."""
        line, trace, file = None, error.__traceback__, here
        while trace is not None:
            if trace.tb_frame.f_code.co_filename in _FILES:
                line, file = trace.tb_lineno, trace.tb_frame.f_code.co_filename
            trace = trace.tb_next
        told: dict[str, Any] = {"line": line, "where": _FILES[file], "calls": self.remote.calls, "last": self.remote.last}
        told["text"] = _statement(checks, line) if file == "<checks>" and line is not None else None
        if isinstance(error, Stopped):
            return {**told, "ended": "stopped", "said": error.cause}
        if self.remote.came_from(error):
            raised = self.remote.raised[-1]
            return {**told, "ended": "raised", "said": raised.said, "kind": raised.kinds[0], "candidate_line": raised.line}
        if isinstance(error, Refused):
            return {**told, "ended": "refused", "said": said_by(error)}
        if isinstance(error, AssertionError):
            return {**told, "ended": "failed", "said": said_by(error)}
        own = isinstance(error, (NameError, ImportError, SyntaxError, SystemExit, MemoryError, KeyboardInterrupt))
        ended = "broken" if own or not self.remote.calls else "raises"
        return {**told, "ended": ended, "said": f"{type(error).__name__}: {said_by(error)}"}

    def run(self, source: str, name: str, asked: Any, entry_point: str) -> dict[str, Any]:
        """Run a program that searches: its ``run(call, asked)``, where call(args, kwargs) tells what the entry point made of them.

        Returns {"found": what that returns, "leant": as `Remote.leant`, "changed": whether a call changed an argument, "silent": whether one raised
        StopIteration}.
        """
        file = f"<{name}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        module = type(sys)(name)
        sys.modules[name] = module
        exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)

        def call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
            given = list(args)
            try:
                value = self.remote.call(entry_point, given, kwargs)
            except Stopped as error:
                return ("stopped", error.cause)
            except Raised as error:
                noticed["silent"] = noticed["silent"] or bool(ENDS_LOOPS & set(error.kinds))
                return ("raised", error.kinds[0], error.said)
            noticed["changed"] = noticed["changed"] or self.remote.wire.changed
            return ("returned", value, tuple(given))

        noticed = {"changed": False, "silent": False}
        found = module.__dict__["run"](call, asked)
        return {"found": found, "leant": self.remote.leant, **noticed}


def _statement(text: str, line: int) -> str | None:
    """Return the source of the innermost statement at a line, cut."""
    found = None
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.stmt)
            and node.lineno <= line <= (node.end_lineno or node.lineno)
            and not isinstance(node, (ast.FunctionDef, ast.ClassDef))
        ):
            found = node if found is None or node.lineno >= found.lineno else found
    if found is None:
        return None
    said = " ".join((ast.get_source_segment(text, found) or "").split())
    return said if len(said) <= 200 else said[:197] + "..."


def main(receive: Callable[[], bytes], send: Callable[[bytes], None]) -> None:
    """Answer until the other side breaks off."""
    _Judge(receive, send).remote.wire.answer_all()
