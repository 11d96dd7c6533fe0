"""`ebmhw verify-code`: check Python by its tests, its properties and its source."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ebmhw.cli import claims, options, terminal, texts
from ebmhw.cli.code_lines import marked_lines
from ebmhw.cli.code_tests import only_name, read_tests
from ebmhw.cli.verify import STATUS
from ebmhw.files import write_whole
from ebmhw.verify.marking import visible

if TYPE_CHECKING:
    from ebmhw.verify.code.specification import Specification
    from ebmhw.verify.repair import RepairReport
    from ebmhw.verify.report import Report


@click.command(name="verify-code")
@click.argument("file", metavar="FILE|-")
@click.option("--entry-point", metavar="NAME", help="Function or class that tests call.  [default: the only one that is defined]")
@click.option("--tests", metavar="FILE", help="Tests: .json, a list of {args, kwargs, expected}; .py, a list of (args, expected) as a literal.")
@click.option("--check", metavar="FILE", help="Test code: assertions, or a function check(candidate); run in a process of its own.")
@click.option("--question", metavar="TEXT|@FILE|-", help="What was asked; its examples and words are checked too.")
@click.option(
    "--property", "properties", multiple=True, metavar="TEXT|@FILE|-", help="Python function name(f, x: int, ...) that asserts what must hold of f."
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
    _check_use([file, tests, check, question, *properties], run_options, static, repair, llm)
    _check_outputs({"--certificate": certificate, "--write-specification": write_specification, "--output": output})
    code = texts.read_text(file)
    asked = texts.given(question, "--question") or ""
    from ebmhw.verify.code.specification import Specification
    from ebmhw.verify.code.verification import refuse_unusable
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
    refuse_unusable(report)
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


def _check_use(sources: list[str | None], run_options: dict[str, bool], static: bool, repair: bool, llm: str | None) -> None:
    if sources.count("-") > 1:
        raise click.UsageError("only one of code, tests, check, question and properties can be read from standard input; give the others as files")
    asked = [name for name, given in run_options.items() if given]
    if static and asked:
        raise click.UsageError(f"--static runs nothing, so that {asked[0]} has nothing to do; leave one of them out")
    if repair and llm is None:
        raise click.UsageError("--repair needs a model that writes code; give --llm, such as --llm smollm2")
    if llm is not None and not repair:
        raise click.UsageError("--llm has nothing to do where nothing is to be repaired; add --repair, or leave --llm out")


def _check_outputs(paths: dict[str, str | None]) -> None:
    taken: dict[Path, str] = {}
    for option, path in paths.items():
        terminal.check_writable(option, path)
        if path is not None and (other := taken.setdefault(Path(path).absolute(), option)) != option:
            raise click.UsageError(f"{other} and {option} both name {path}; give each a file of its own")


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
        click.echo(claims.table(report.claims, kinds=True) + "\n")
    click.echo(claims.summary(report))
    how = "read only" if static else f"run in a sandbox, up to {specification.timeout:g} s"
    name = "" if specification.entry_point is None else f" of {visible(specification.entry_point)}"
    click.echo(f"checked {', '.join(report.domains) or 'nothing'}{name} in {terminal.duration(report.seconds)}, {how}")
