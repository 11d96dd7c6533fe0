"""`ebmhw verify-code`: check Python by its tests, its properties and its source."""

from __future__ import annotations

import ast
import json
import sys
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

import click

from ebmhw.cli import claims, options, terminal, texts
from ebmhw.cli.verify import STATUS
from ebmhw.errors import InvalidFile, shown
from ebmhw.files import write_whole
from ebmhw.verify.marking import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ebmhw.verify.claim import Claim
    from ebmhw.verify.code.specification import Specification
    from ebmhw.verify.repair import RepairReport
    from ebmhw.verify.report import Report

LINE_LIMIT, CONTEXT_LINES = 80, 2
"""Source of more lines is shown around its claims only, with so many lines before and after."""


@click.command(name="verify-code")
@click.argument("file", metavar="FILE|-")
@click.option("--entry-point", metavar="NAME", help="Function or class that tests call.  [default: the only one that is defined]")
@click.option("--tests", metavar="FILE", help="Tests: .json, a list of {args, kwargs, expected}; .py, a list of (args, expected) as a literal.")
@click.option("--check", metavar="FILE", help="Test code: assertions, or a function check(candidate); run in a process of its own.")
@click.option("--question", metavar="TEXT|@FILE", help="What was asked; its examples and words are checked too.")
@click.option(
    "--property", "properties", multiple=True, metavar="TEXT|@FILE", help="Python function name(f, x: int, ...) that asserts what must hold of f."
)
@click.option("--no-infer", is_flag=True, help="Check no examples and properties that follow from question and docstrings.")
@click.option("--timeout", type=options.seconds, default=10.0, show_default=True, metavar="SECONDS", help="Of running it.")
@click.option("--memory", type=click.IntRange(32, 2**20), metavar="MB", help="Of its process.  [default: 512]")
@click.option("--package", "packages", multiple=True, metavar="NAME", help="Installed package that it may import.")
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=0, show_default=True, help="Seed of random inputs, and of the model.")
@click.option("--static", is_flag=True, help="Read it only; run nothing.")
@click.option("--repair", is_flag=True, help="Have --llm correct what is violated.")
@texts.llm_option
@texts.max_repairs_option
@click.option("--certificate", metavar="FILE", help="Write the certificate of the (final) code, for ebmhw check.")
@click.option("--write-specification", metavar="FILE", help="Write what was asked of it, for ebmhw score and check.")
@click.option("--output", metavar="FILE", help="Write the (final) code.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def verify_code(
    file: str,
    entry_point: str | None,
    tests: str | None,
    check: str | None,
    question: str | None,
    properties: tuple[str, ...],
    no_infer: bool,
    timeout: float,
    memory: int | None,
    packages: tuple[str, ...],
    seed: int,
    static: bool,
    repair: bool,
    llm: str | None,
    max_repairs: int,
    certificate: str | None,
    write_specification: str | None,
    output: str | None,
    as_json: bool,
) -> None:
    """Check the Python of FILE: its source as it stands, and what it does in a sandbox when its tests and properties call it.

    Exit status: 0 VERIFIED, 1 VIOLATED, 3 UNKNOWN, of the final code where it was repaired; 2 wrong use or input.
    """
    run_options = {"--tests": tests is not None, "--check": check is not None, "--property": bool(properties), "--package": bool(packages)}
    _check_use(file, question, run_options, static, repair, llm)
    for option, path in (("--certificate", certificate), ("--write-specification", write_specification), ("--output", output)):
        terminal.check_writable(option, path)
    code = texts.read_text(file)
    asked = texts.given(question, "--question") or ""
    from ebmhw.verify.code.specification import Specification
    from ebmhw.verify.pipeline import VerifyRepairPipeline

    cases = None if tests is None else read_tests(tests)
    specification = Specification(
        entry_point=entry_point if entry_point is not None else only_name(code, bool(cases or properties)),
        tests=cases or (),
        checks=texts.from_file(check),
        properties=[texts.given(one, "--property") or "" for one in properties],
        infer=not no_infer,
        timeout=timeout,
        memory=None if memory is None else memory * 2**20,
        packages=packages,
        seed=seed,
        code=True,
    )
    said = specification.to_json()
    # As of ebmhw.verify.verify_code: the code's own time, the judge's for checks and for properties, and the starts of their processes.
    limit = 120.0 + 4 * timeout
    pipeline = VerifyRepairPipeline(llm, domains=["code"] if static else ["code", "execution"], time_limit=limit, seed=seed)
    outcome: RepairReport | None = None
    if repair:
        outcome = pipeline.verify_and_repair(asked, code, max_repairs, specification=said, max_tokens=1024)
        report = outcome.report
        document: dict[str, Any] = {"file": file, "question": asked, **outcome.to_json()}
    else:
        report = pipeline.verify(asked, code, specification=said)
        document = {"file": file, "question": asked, "code": code, **report.to_json()}
    if as_json:
        terminal.echo_json({**document, "specification": json.loads(said)})
    else:
        _print(report, outcome, specification, static)
    if certificate is not None:
        _write(certificate, json.dumps(report.certificate, indent=1) + "\n")
    if write_specification is not None:
        _write(write_specification, said)
    if output is not None:
        _write(output, report.texts.response)
    sys.exit(STATUS[report.verdict if outcome is None else outcome.verdict])


def _check_use(file: str, question: str | None, run_options: dict[str, bool], static: bool, repair: bool, llm: str | None) -> None:
    if file == "-" and question == "-":
        raise click.UsageError("code and question cannot both be read from standard input; give one of them as a file")
    asked = [name for name, given in run_options.items() if given]
    if static and asked:
        raise click.UsageError(f"--static runs nothing, so that {asked[0]} has nothing to do; leave one of them out")
    if repair and llm is None:
        raise click.UsageError("--repair needs a model that writes code; give --llm, such as --llm smollm2")
    if llm is not None and not repair:
        raise click.UsageError("--llm has nothing to do where nothing is to be repaired; add --repair, or leave --llm out")


def only_name(code: str, needed: bool) -> str | None:
    """Return the one function or class that code defines at its top; where it does not define one, None, or a refusal where one is needed."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        body = []
    functions = [node.name for node in body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    names = functions or [node.name for node in body if isinstance(node, ast.ClassDef)]
    if len(set(names)) == 1:
        return names[0]
    if needed:
        told = f"the code defines {', '.join(dict.fromkeys(names))}" if names else "no function was read in the code"
        raise click.UsageError(f"tests and properties call a function by name, and {told}; name one with --entry-point")
    return None


def read_tests(path: str) -> list[Any]:
    """Return the tests of a file, as `ebmhw.verify.code.Specification` takes them; InvalidFile where they are none."""
    text = texts.read_text(path)
    if path.endswith(".json"):
        try:
            found = json.loads(text)
        except RecursionError:
            raise InvalidFile(f"{path}: the JSON is nested too deeply for tests") from None
        except json.JSONDecodeError as error:
            raise InvalidFile(f"{path}:{error.lineno}: this is no JSON: {error.msg}; write a list of {{args, expected}}") from None
        except ValueError as error:
            raise InvalidFile(f"{path}: {error}; write a list of {{args, expected}}") from None
    elif path.endswith(".py"):
        found = _literal(path, text)
    else:
        raise InvalidFile(f"{path}: tests are read from .json and .py files; name one, or give test code with --check")
    if not isinstance(found, (list, tuple)):
        raise InvalidFile(f"{path}: this is {shown(found)}; write a list of tests")
    return [_test(f"{path}: test {index}", one) for index, one in enumerate(found)]


def _literal(path: str, text: str) -> Any:
    """Return the value of a Python file that is one literal, or assigns one; nothing of it is run."""
    try:
        body = ast.parse(text).body
        node = body[-1] if len(body) == 1 else None
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Expr)) and node.value is not None:
            return ast.literal_eval(node.value)
    except SyntaxError as error:
        raise InvalidFile(f"{path}:{error.lineno}: this is no Python: {error.msg}; write tests = [((1, 2), 3), ...]") from None
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        raise InvalidFile(f"{path}: {error}; write values only, or give test code with --check") from None
    raise InvalidFile(f"{path}: this is not one list of values; write tests = [((1, 2), 3), ...], or give test code with --check")


def _test(place: str, given: Any) -> Any:
    if isinstance(given, (list, tuple)) and 2 <= len(given) <= 3 and isinstance(given[0], (list, tuple)):
        return (tuple(given[0]), *given[1:])
    if not isinstance(given, dict):
        raise InvalidFile(f"{place} is {shown(given)}; write {{args, expected}} or (args, expected), args a list or tuple")
    strange = sorted(set(map(str, given)) - {"args", "kwargs", "expected"})
    if strange or "expected" not in given:
        fault = f"has a member {shown(strange[0])}" if strange else "lacks expected"
        raise InvalidFile(f"{place} {fault}; a test has args, kwargs and expected")
    args, kwargs = given.get("args", []), given.get("kwargs", {})
    if not isinstance(args, (list, tuple)) or not isinstance(kwargs, dict):
        raise InvalidFile(f"{place}: args is {shown(args)} and kwargs is {shown(kwargs)}; give a list and an object")
    return tuple(args), kwargs, given["expected"]


def _write(path: str, text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    write_whole(path, lambda stream: stream.write(content))
    click.echo(f"wrote {path}", err=True)


def _print(report: Report, outcome: RepairReport | None, specification: Specification, static: bool) -> None:
    first = report if outcome is None else outcome.initial
    _print_report(first, specification, static)
    if outcome is None:
        return
    for number, attempt in enumerate(outcome.attempts, 1):
        said = attempt.error if attempt.report is None else f"{claims.verdict_word(attempt.verdict)}  {visible(attempt.report.reason)}"
        click.echo(f"repair {number}, {attempt.method}: {said}")
    if report is not first:
        click.echo("\nfinal code\n")
        _print_report(report, specification, static)
    elif first.verdict == "VIOLATED":
        click.echo("no repair was found that is better than the code as it is")


def _print_report(report: Report, specification: Specification, static: bool) -> None:
    if report.texts.response:
        click.echo(marked_lines(report.texts.response, report.claims) + "\n")
    if report.claims:
        click.echo(claims.table(report.claims) + "\n")
    click.echo(claims.summary(report))
    how = "read only" if static else f"run in a sandbox, up to {specification.timeout:g} s"
    name = "" if specification.entry_point is None else f" of {visible(specification.entry_point)}"
    click.echo(f"checked {', '.join(report.domains) or 'nothing'}{name} in {1000 * report.seconds:.3g} ms, {how}")


def marked_lines(code: str, found: Sequence[Claim]) -> str:
    """Return the source with line numbers, and in the margin the signs and numbers of the claims that begin on a line."""
    lines = code.splitlines() or [""]
    starts = [0]
    for line in code.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    marks: dict[int, list[int]] = {}
    for number, claim in enumerate(found[: claims.CLAIM_LIMIT]):
        place = max(0, bisect_right(starts, claim.span[0]) - 1)
        marks.setdefault(min(place, len(lines) - 1), []).append(number)
    labels = {line: _label([found[number].verdict for number in numbers], numbers) for line, numbers in marks.items()}
    width = max(map(len, labels.values()), default=0)
    near = {line + step for line in marks for step in range(-CONTEXT_LINES, CONTEXT_LINES + 1)}
    told, skipped = [], False
    for at, line in enumerate(lines):
        if len(lines) > LINE_LIMIT and at not in near:
            skipped = True
            continue
        if skipped:
            told.append("  ...")
        skipped = False
        told.append(f"{at + 1:>5} {labels.get(at, ''):<{width}} | {visible(line)}".rstrip())
    return "\n".join([*told, *(["  ..."] if skipped else [])])


def _label(verdicts: list[str], numbers: list[int]) -> str:
    """Return the worst sign of a line and the claims' numbers, the first four of them."""
    worst = min(verdicts, key=("VIOLATED", "UNKNOWN", "VERIFIED").index)
    more = "+" if len(numbers) > 4 else ""
    return {"VIOLATED": "✗", "UNKNOWN": "?", "VERIFIED": "✓"}[worst] + ",".join(str(number + 1) for number in numbers[:4]) + more
