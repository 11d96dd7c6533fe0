"""`ebmhw pipeline`: verify every line of a file of questions and answers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ebmhw.cli import options, terminal, texts

if TYPE_CHECKING:
    from ebmhw.verify.batch.options import BatchOptions
    from ebmhw.verify.batch.run import BatchReport
    from ebmhw.verify.batch.tally import Tally


@click.command()
@click.argument("file", metavar="IN.jsonl")
@click.option("--out", required=True, metavar="OUT.jsonl", help="Write a record for each line, in order.")
@click.option("--html", metavar="REPORT.html", help="Write a page with the claims marked in the texts; it needs no network.")
@click.option("--certificates", metavar="DIR", help="Write the certificate of each (final) answer there, by its line's number.")
@click.option("--repair", is_flag=True, help="Repair what is violated: exact values, then search, then --llm again.")
@texts.llm_option
@texts.max_repairs_option
@click.option("--workers", type=click.IntRange(1, 1024), help="Processes.  [default: all processors; 1 with --llm]")
@click.option("--resume", is_flag=True, help="Go on with the records of OUT.jsonl, with the same input and options.")
@texts.domains_option
@texts.knowledge_option
@options.backend_option
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=0, show_default=True, help="Seed of searches and of the model.")
@click.option("--limit-seconds", type=float, default=60.0, show_default=True, help="Of one record, repairs and model too; beyond it is an error.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON document.")
def pipeline(
    file: str,
    out: str,
    html: str | None,
    certificates: str | None,
    repair: bool,
    llm: str | None,
    max_repairs: int,
    workers: int | None,
    resume: bool,
    domains: str | None,
    knowledge: str | None,
    backend: str | None,
    seed: int,
    limit_seconds: float,
    as_json: bool,
) -> None:
    """Verify the answers of IN.jsonl, a JSON object a line.

    Keys of a line: "question" and "response" ("answer" is taken for it), texts; where it has them, "id" (text or a whole number) and "constraints" (a
    constraint program). Other keys are left alone, blank lines skipped. With --llm a line without a response is answered by the model.

    A record of OUT.jsonl has "line", "id", "question", "response", "verdict" (of the response), "final_verdict" (after a repair), "reason", "claims",
    "open_goals", "failures", "repair", "certificate" and "error" (null, or why there is no verdict). OUT.jsonl.run says what they were made of.

    Ctrl-C ends the run with what is done; --resume goes on from there, also after a crash.

    Exit status: 0 all final answers are VERIFIED, 1 any is VIOLATED, 2 wrong use or input, 3 else.
    """
    from ebmhw.verify.batch.run import run_batch

    terminal.check_writable("--out", out)
    terminal.check_writable("--html", html)
    held = {"the input": file, "OUT.jsonl": out, "its OUT.jsonl.run": f"{out}.run", "the knowledge": knowledge}
    for what, other in held.items():
        if html is not None and other is not None and _same(html, other):
            raise click.UsageError(f"--html {html} is {what} itself, which would be overwritten; give another name")
    chosen = _options(domains, knowledge, backend, seed, limit_seconds, repair, max_repairs, llm, certificates)
    if workers is None:
        workers = 1 if llm is not None else _processors()
    with _progress(not as_json) as show:
        report = run_batch(file, out, chosen, workers=workers, resume=resume, progress=show)
    if html is not None:
        shown = _write_page(html, file, out, report, chosen)
        click.echo(f"wrote {html}, {shown} of {report.tally.records} records", err=True)
    if as_json:
        terminal.echo_json({"file": file, "out": out, **report.to_json()})
    else:
        _print(report)
    if report.interrupted:
        click.echo(f"interrupted after {report.tally.records} of {report.lines} records; --resume goes on", err=True)
    sys.exit(_status(report))


def _options(
    domains: str | None,
    knowledge: str | None,
    backend: str | None,
    seed: int,
    limit_seconds: float,
    repair: bool,
    max_repairs: int,
    llm: str | None,
    certificates: str | None,
) -> BatchOptions:
    """Return the options of the batch; what is wrong with them is found here, before any process starts."""
    from ebmhw.verify.batch.options import BatchOptions

    text = None
    if knowledge is not None:
        from ebmhw.verify.facts import Knowledge

        text = Knowledge.read(knowledge).text
    chosen = BatchOptions(texts.names(domains), text, backend, seed, limit_seconds, repair, max_repairs, llm, certificates)
    chosen.pipeline()
    return chosen


def _same(path: str, other: str) -> bool:
    """Tell whether two names are one file, whether it is there or not."""
    if os.path.exists(path) and os.path.exists(other):
        return os.path.samefile(path, other)
    return os.path.realpath(path) == os.path.realpath(other)


def _processors() -> int:
    affinity: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


@contextmanager
def _progress(shown: bool) -> Iterator[Callable[[int, int, Tally], None]]:
    """Yield a function that takes the records done, those in all, and the counts so far."""
    with click.progressbar(length=options.STEPS, label="verifying", file=sys.stderr, hidden=not shown or not sys.stderr.isatty()) as bar:

        def show(done: int, lines: int, tally: Tally) -> None:
            # Drawn for each of a million records the bar would take longer than the checks.
            step = done * options.STEPS // lines - bar.pos
            if step > 0:
                bar.label = f"verifying {done}/{lines}, {tally.final_verdicts['VIOLATED']} violated"
                bar.update(step)

        yield show


def _status(report: BatchReport) -> int:
    final = report.tally.final_verdicts
    if final["VIOLATED"]:
        return 1
    return 0 if final["VERIFIED"] == report.lines > 0 else 3


def _print(report: BatchReport) -> None:
    tally = report.tally
    repaired = tally.repaired or tally.final_verdicts != tally.verdicts
    header = ("verdict", "records", *(("after repair",) if repaired else ()))
    rows = []
    for verdict in ("VERIFIED", "VIOLATED", "UNKNOWN"):
        rows.append((verdict, str(tally.verdicts[verdict]), *((str(tally.final_verdicts[verdict]),) if repaired else ())))
    click.echo(terminal.table(rows, header))
    if tally.kinds:
        kinds = [(domain, kind, *(str(count) for count in counts.values())) for (domain, kind), counts in tally.kinds.items()]
        click.echo("\n" + terminal.table(kinds, ("domain", "kind of claim", "VERIFIED", "VIOLATED", "UNKNOWN")))
    failures = [("error", code, str(count)) for code, count in sorted(tally.errors.items())]
    failures += [(domain, code, str(count)) for (domain, code), count in sorted(tally.degraded.items())]
    if failures:
        click.echo("\n" + terminal.table(failures, ("failed", "code", "records")))
    claims = sum(tally.claims.values())
    said = [f"{tally.records} of {report.lines} records, {claims} claim{'' if claims == 1 else 's'}"]
    said += [f"{report.resumed} records of an earlier run"] if report.resumed else []
    said += [f"a half-written record of {report.cut} bytes done again"] if report.cut else []
    said += [f"{tally.repaired} repaired"] if tally.repaired else []
    said.append(f"{report.claims / report.seconds:.0f} claims/s, {report.seconds:.3g} s")
    click.echo("\n" + ", ".join(said))


def _write_page(html: str, file: str, out: str, report: BatchReport, chosen: BatchOptions) -> int:
    import ebmhw
    from ebmhw.verify.page.page import Batch, write_page

    about = [f"ebmhw {ebmhw.__version__}", f"records in {os.path.basename(out)}", f"seed {chosen.seed}"]
    about += [] if chosen.domains is None else [f"domains {', '.join(chosen.domains)}"]
    about += ["with a knowledge file"] if chosen.knowledge is not None else []
    about += ["with repair, " + ("without a language model" if chosen.llm is None else f"language model {chosen.llm}")] if chosen.repair else []
    with open(out, "rb") as stream:
        return write_page(html, Batch(os.path.basename(file), tuple(about), report.tally, report.lines), map(json.loads, stream))
