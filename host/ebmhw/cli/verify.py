"""`ebmhw verify`: check one answer, repair it where asked, and certify the outcome."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from ebmhw.cli import claims, options, terminal, texts
from ebmhw.files import write_whole
from ebmhw.verify.marking import visible

if TYPE_CHECKING:
    from ebmhw.verify.repair import RepairReport
    from ebmhw.verify.report import Report

STATUS = {"VERIFIED": 0, "VIOLATED": 1, "UNKNOWN": 3}
"""Exit status of a verdict."""


@click.command()
@click.option("--question", metavar="TEXT|@FILE|-", help="What was asked; @FILE reads a file, - standard input.  [default: nothing]")
@click.option("--question-file", metavar="FILE", help="The same from a file whose name begins with whatever it likes.")
@click.option("--response", metavar="TEXT|@FILE|-", help="The answer to check; left out, --llm writes one.")
@click.option("--response-file", metavar="FILE", help="The same from a file.")
@click.option("--repair", is_flag=True, help="Repair what is violated: exact values, then search, then --llm again.")
@texts.llm_option
@texts.max_repairs_option
@texts.domains_option
@texts.knowledge_option
@click.option("--constraints", metavar="FILE", help="Constraint program about question and answer.")
@options.backend_option
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=0, show_default=True, help="Seed of searches and of the model.")
@click.option("--time-limit", type=options.seconds, default=30.0, show_default=True, metavar="SECONDS", help="Of one check, the model not counted.")
@click.option("--certificate", metavar="FILE", help="Write the certificate of the (final) answer, for ebmhw check.")
@click.option("--output", metavar="FILE", help="Write the (final) answer.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def verify(
    question: str | None,
    question_file: str | None,
    response: str | None,
    response_file: str | None,
    repair: bool,
    llm: str | None,
    max_repairs: int,
    domains: str | None,
    knowledge: str | None,
    constraints: str | None,
    backend: str | None,
    seed: int,
    time_limit: float,
    certificate: str | None,
    output: str | None,
    as_json: bool,
) -> None:
    """Check an answer claim by claim: VERIFIED, VIOLATED or UNKNOWN, each with its reason.

    Exit status: 0 VERIFIED, 1 VIOLATED, 3 UNKNOWN, of the final answer where it was repaired; 2 wrong use or input.
    """
    _check_use(question, question_file, response, response_file, llm, repair)
    for option, path in (("--certificate", certificate), ("--output", output)):
        terminal.check_writable(option, path)
    asked = texts.from_file(question_file) if question_file is not None else texts.given(question, "--question")
    answer = texts.from_file(response_file) if response_file is not None else texts.given(response, "--response")
    from ebmhw.verify.pipeline import VerifyRepairPipeline
    from ebmhw.verify.programs import ConstraintProgram

    pipeline = VerifyRepairPipeline(llm, backend, domains=texts.names(domains), knowledge=knowledge, time_limit=time_limit, seed=seed)
    program = texts.from_file(constraints)
    if program is not None:
        # A user's own program that cannot be read is wrong input; one that a model wrote is a domain that failed.
        ConstraintProgram.read(program)
    if repair or answer is None:
        outcome = pipeline.verify_and_repair(asked or "", answer, max_repairs if repair else 0, constraints=program)
        report, document = outcome.report, {"question": asked or "", **outcome.to_json()}
    else:
        outcome, report = None, pipeline.verify(asked or "", answer, constraints=program)
        document = {"question": asked or "", "response": answer, **report.to_json()}
    if as_json:
        terminal.echo_json(document)
    else:
        _print(report, outcome)
    if certificate is not None:
        content = json.dumps(report.certificate, indent=1).encode() + b"\n"
        write_whole(certificate, lambda stream: stream.write(content))
        click.echo(f"wrote {certificate}", err=True)
    if output is not None:
        final = report.texts.response.encode("utf-8", "surrogatepass")
        write_whole(output, lambda stream: stream.write(final))
        click.echo(f"wrote {output}", err=True)
    sys.exit(STATUS[report.verdict if outcome is None else outcome.verdict])


def _check_use(
    question: str | None, question_file: str | None, response: str | None, response_file: str | None, llm: str | None, repair: bool
) -> None:
    for name, text, file in (("question", question, question_file), ("response", response, response_file)):
        if text is not None and file is not None:
            raise click.UsageError(f"--{name} and --{name}-file are both given; give one of them")
    if "-" in (question, question_file) and "-" in (response, response_file):
        raise click.UsageError("question and response cannot both be read from standard input; give one of them as a file")
    if response is None and response_file is None and llm is None:
        raise click.UsageError("there is no response to check; give --response, or --llm to have a model write one")
    if llm is not None and not repair and (response is not None or response_file is not None):
        raise click.UsageError("--llm has nothing to do: the response is given, and it is not to be repaired; add --repair, or leave --llm out")


def _print(report: Report, outcome: RepairReport | None) -> None:
    first = report if outcome is None else outcome.initial
    _print_report(first)
    if outcome is None:
        return
    for number, attempt in enumerate(outcome.attempts, 1):
        said = attempt.error if attempt.report is None else f"{claims.verdict_word(attempt.verdict)}  {attempt.report.reason}"
        click.echo(f"repair {number}, {attempt.method}: {visible(said or '') if attempt.report is None else said}")
    if report is not first:
        click.echo("\nfinal answer\n")
        _print_report(report)
        if outcome.leftovers:
            said = ", ".join(map(repr, outcome.leftovers))
            click.echo(f"{claims.verdict_word(outcome.verdict)}  {said} was corrected, and still stands in words that nothing reads")
    elif first.verdict == "VIOLATED":
        click.echo("no repair was found that is better than the response as it is")


def _print_report(report: Report) -> None:
    if report.texts.response:
        click.echo(claims.marked_text(report.texts.response, report.claims) + "\n")
    if report.claims:
        click.echo(claims.table(report.claims) + "\n")
    click.echo(claims.summary(report))
    searched = f", searches on {report.backend} with seed {report.seed}" if report.backend is not None else ""
    click.echo(f"checked {', '.join(report.domains) or 'nothing'} in {terminal.duration(report.seconds)}{searched}")
