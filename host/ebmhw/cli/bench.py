"""`ebmhw bench`: measure this package against its peers."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ebmhw.bench.harness import DEFAULT_ROUNDS, Case, Result, run_cases, selected
from ebmhw.bench.report import Table, as_text, to_json, write_json
from ebmhw.cli import terminal

QUICK_ROUNDS = 2


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="EBMHW_BENCH_DATA",
    show_envvar=True,
    help="Folder with G1.txt, G11.txt, G14.txt, G22.txt of the G-set. Without it, graphs like them and no goals for cuts.",
)
@click.option("--only", multiple=True, metavar="SUBSTRING", help="Cases whose name holds this; may be given more than once.")
@click.option("--rounds", type=click.IntRange(min=1), help=f"Rounds a case.  [default: {DEFAULT_ROUNDS}; {QUICK_ROUNDS} with --quick]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document; the table goes to standard error.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Also write that document to FILE.")
@click.option("--list", "list_only", is_flag=True, help="Name the cases and what they measure, run nothing.")
@click.option("--quick", is_flag=True, help="Smaller work and fewer rounds: to see that it works, not to quote.")
def bench(data: Path | None, only: tuple[str, ...], rounds: int | None, as_json: bool, output: Path | None, list_only: bool, quick: bool) -> None:
    """Measure sampling, phi, quality and start-up against other packages.

    Numbers are medians (min .. max) over interleaved rounds, in CPU seconds of one core. A ratio above 1 favours ebmhw. Status 0 once
    everything is measured, whether goals are met or not; 1 where a case failed; 130 after Ctrl-C, with what was done printed and written.
    """
    from ebmhw.bench import all_cases

    every = all_cases(data, quick)
    cases = selected(every, only)
    if not cases:
        raise click.UsageError(f"no case holds {' or '.join(map(repr, only))} in its name; `ebmhw bench --list` names them")
    if list_only:
        for case in cases:
            click.echo(f"{case.name}\n    {case.measures}")
        return
    terminal.check_writable("--output", None if output is None else str(output))
    count = rounds or (QUICK_ROUNDS if quick else DEFAULT_ROUNDS)
    results, interrupted = _measure(cases, count, as_json)
    document = to_json(results, count, quick, interrupted)
    if as_json:
        click.echo(as_text(document))
    if output is not None:
        write_json(output, document)
    if interrupted:
        click.echo(f"stopped after {len(results)} of {len(cases)} cases", err=True)
        raise SystemExit(130)
    if any(result.error for result in results):
        raise SystemExit(1)


def _measure(cases: list[Case], rounds: int, quiet: bool) -> tuple[list[Result], bool]:
    table, results, line = Table(cases), list[Result](), _StatusLine()
    click.echo(table.header(), err=quiet)

    def on_result(result: Result) -> None:
        line.clear()
        results.append(result)
        for row in table.rows(result):
            click.echo(row, err=quiet)

    try:
        run_cases(cases, rounds, on_result, line.show)
    except KeyboardInterrupt:
        line.clear()
        return results, True
    return results, False


class _StatusLine:
    """What is going on, on one line of a terminal that the next row overwrites; nothing where stderr is a file."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()

    def show(self, case: Case, side: str, number: int, rounds: int) -> None:
        if self._on:
            step = f"round {number} of {rounds}" if number else "preparing"
            click.echo(f"\r\x1b[K{case.name}: {side}, {step}", nl=False, err=True)

    def clear(self) -> None:
        if self._on:
            click.echo("\r\x1b[K", nl=False, err=True)
