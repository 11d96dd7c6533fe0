"""`ebmhw score`: rank outputs of several agents to one question."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ebmhw.cli import claims, options, terminal, texts
from ebmhw.cli.verify import STATUS
from ebmhw.errors import InvalidFile, shown
from ebmhw.verify.marking import visible

if TYPE_CHECKING:
    from ebmhw.verify.scoring import Scores

MOST_NATS = 1e9
"""As of `ebmhw.verify.scoring`, which loads the checks."""

OUTPUT_LIMIT = 10_000
"""Outputs of one question."""


class Output(NamedTuple):
    """One output: what it is called, its text, and its mean log-probability a token."""

    name: str
    text: str
    logprob: float | None = None


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--question", metavar="TEXT|@FILE|-", help="What was asked; @FILE reads a file, - standard input.  [default: nothing]")
@click.option(
    "--specification", metavar="FILE", help="What code among the outputs has to do, as `ebmhw verify-code --write-specification` writes it."
)
@texts.domains_option
@texts.knowledge_option
@options.backend_option
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=0, show_default=True, help="Seed of searches.")
@click.option("--time-limit", type=options.seconds, default=60.0, show_default=True, metavar="SECONDS", help="Of all checks together.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def score(
    files: tuple[str, ...],
    question: str | None,
    specification: str | None,
    domains: str | None,
    knowledge: str | None,
    backend: str | None,
    seed: int,
    time_limit: float,
    as_json: bool,
) -> None:
    """Rank outputs of several agents to one question; the lowest energy is the best.

    A FILE of the suffix .json holds a list of outputs, one of .jsonl an output a line: texts, or objects {text, logprob, tokens}, logprob in nats
    a token, or of the whole text where tokens is given. Any other FILE is one output. - reads a list or lines of JSON from standard input.

    The energy adds up verdict (0 VERIFIED, 1 or 2 UNKNOWN, 3 VIOLATED), shares of violated and undecided claims, disagreement with the others, and
    log-probability; what was not checked never beats what was verified.

    Exit status: 0 where the best is VERIFIED, 1 where all are VIOLATED, 3 otherwise; 2 for wrong use or input.
    """
    if [*files, question].count("-") > 1:
        raise click.UsageError("only one of question and outputs can be read from standard input; give the others as files")
    asked = texts.given(question, "--question") or ""
    outputs = [output for path in files for output in read_outputs(path)]
    if not outputs:
        raise click.UsageError("there are no outputs to score; give a list of at least one text")
    if len(outputs) > OUTPUT_LIMIT:
        raise click.UsageError(f"there are {len(outputs)} outputs; up to {OUTPUT_LIMIT} are ranked: split them")
    from ebmhw.verify.pipeline import VerifyRepairPipeline
    from ebmhw.verify.scoring import score_outputs

    pipeline = VerifyRepairPipeline(None, backend, domains=texts.names(domains), knowledge=knowledge, seed=seed)
    scores = score_outputs(
        asked,
        [output.text for output in outputs],
        pipeline,
        [output.logprob for output in outputs],
        texts.from_file(specification),
        time_limit=time_limit,
    )
    if as_json:
        document = scores.to_json()
        for member in document["all_scores"]:
            member["name"] = outputs[member["agent_index"]].name
        terminal.echo_json({"question": asked, **document})
    else:
        click.echo(_table(scores, outputs) + "\n")
        click.echo(_summary(scores, outputs))
    sys.exit(STATUS[scores.verdict])


def read_outputs(path: str) -> list[Output]:
    """Return the outputs of a file; InvalidFile, naming the line or place, where they are none."""
    said = "standard input" if path == "-" else path
    text = texts.read_text(path)
    lines = path.endswith(".jsonl")
    if path == "-":
        lines = not text.lstrip().startswith("[")
    elif not lines and not path.endswith(".json"):
        return [Output(path, text)]
    if lines:
        rows = [(f"{said}:{number}", line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        return [_output(place, _parsed(place, line), f"{said}:{place.rpartition(':')[2]}") for place, line in rows]
    found = _parsed(said, text)
    if not isinstance(found, list):
        raise InvalidFile(f"{said}: this is {shown(found)}; give a JSON list of texts, or of objects {{text, logprob}}")
    return [_output(f"{said}: output {index}", one, f"{said}[{index}]") for index, one in enumerate(found)]


def _parsed(place: str, text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise InvalidFile(f"{place}: the JSON is nested too deeply; give texts, or objects {{text, logprob}}") from None
    except ValueError as error:
        raise InvalidFile(f"{place}: this is no JSON: {error}; give texts, or objects {{text, logprob}}") from None


def _output(place: str, given: Any, name: str) -> Output:
    if isinstance(given, str):
        return Output(name, given)
    if not isinstance(given, dict) or not isinstance(given.get("text"), str):
        raise InvalidFile(f"{place}: this is {shown(given)}; give a text, or an object with a member text")
    strange = sorted(set(given) - {"text", "logprob", "tokens", "name"})
    if strange:
        raise InvalidFile(f"{place}: there is no member {shown(strange[0])}; an output has text, logprob, tokens and name")
    logprob, tokens = given.get("logprob"), given.get("tokens")
    if tokens is not None and (type(tokens) is not int or tokens < 1):
        raise InvalidFile(f"{place}: tokens is {shown(tokens)}; give how many there are, at least 1")
    if logprob is not None and (isinstance(logprob, bool) or not isinstance(logprob, (int, float)) or not -MOST_NATS <= logprob <= 0):
        raise InvalidFile(f"{place}: logprob is {shown(logprob)}; give nats from -{MOST_NATS:g} to 0")
    return Output(str(given.get("name", name)), given["text"], None if logprob is None else logprob / (tokens or 1))


def _table(scores: Scores, outputs: list[Output]) -> str:
    rows = []
    for one in scores.ranked:
        violated = sum(claim.verdict == "VIOLATED" for claim in one.report.claims)
        passed, run = one.tests
        rows.append(
            [
                str(one.rank),
                f"{one.energy:.4f}",
                claims.verdict_word(one.verdict) if claims.coloured() else one.verdict,
                f"{violated}/{len(one.report.claims)}",
                f"{passed}/{run}" if run else "-",
                f"{one.agreement:.0%}",
                "-" if one.logprob is None else f"{one.logprob:.3f}",
                visible(outputs[one.index].name)[:40],
                visible(" ".join((one.answer or "").split()))[:40] or "-",
            ]
        )
    header = ("rank", "energy", "verdict", "violated", "runs", "agreement", "log-prob", "output", "answer")
    return terminal.table(rows, header)


def _summary(scores: Scores, outputs: list[Output]) -> str:
    best = scores.best
    name = visible(outputs[best.index].name)
    if scores.tied:
        others = ", ".join(visible(outputs[at].name) for at in scores.tied[:10])
        said = f"tied: {others} have the same energy; the first is taken"
    else:
        said = f"best: {name}"
    return f"{claims.verdict_word(scores.verdict)}  {said}; {visible(best.report.reason)}"
