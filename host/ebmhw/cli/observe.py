"""`ebmhw observe`: a training run from its log: phase, health, curves; followed, compared with another, or served to Prometheus."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ebmhw.cli import options, terminal

if TYPE_CHECKING:
    from ebmhw.coherence.observe.exporter import Exporter
    from ebmhw.coherence.observe.reading import LogReader
    from ebmhw.coherence.observe.run import Run

_STATUS = {"GREEN": 0, "YELLOW": 0, "RED": 1, "UNKNOWN": 3}

_CLEAR = "\x1b[H\x1b[2J"


def _seconds(low: float, high: float) -> Any:
    def check(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
        try:
            number = None if value is None else options.seconds(value)
        except ValueError:
            number = -1.0
        if number is not None and not low <= number <= high:
            raise click.BadParameter(f"{value!r} is no number of seconds from {low:g} to {high:g}", context, parameter)
        return number

    return check


@click.command()
@click.argument("path")
@click.argument("other", required=False)
@click.option("--diff", "as_diff", is_flag=True, help="Compare PATH with OTHER.")
@click.option("--align", type=click.Choice(["step", "fraction"]), help="How --diff pairs values.  [default: step where there are shared ones]")
@click.option("--run", "name", metavar="NAME", help="Name of the run.  [default: that of its folder or file]")
@click.option("--vocab-size", type=click.IntRange(2), metavar="V", help="Entries of a distribution: phi = 1 - H / ln V of logs with H only.")
@click.option("--window", type=click.IntRange(8), default=50, show_default=True, help="Last values that phase and health are told from.")
@click.option("--follow", is_flag=True, help="Go on reading while the log is written, a line a step where this is no terminal; Ctrl-C ends it.")
@click.option("--interval", default="2", show_default=True, callback=_seconds(0.05, 3600), metavar="S", help="Seconds between two looks of --follow.")
@click.option("--wait", default="600", show_default=True, callback=_seconds(0, 86400), metavar="S", help="Seconds to wait for the first record.")
@click.option("--idle", callback=_seconds(0, 86400 * 7), metavar="S", help="End --follow after so many seconds without anything new.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document; with --follow one line a look.")
@click.option("--plot", type=click.Path(dir_okay=False), metavar="PNG", help="Write the curves as a picture (needs ebmhw[plots]).")
@click.option("--serve", metavar="[HOST:]PORT", help="Serve /metrics to Prometheus until Ctrl-C; of this machine only unless HOST says so.")
def observe(
    path: str,
    other: str | None,
    as_diff: bool,
    align: str | None,
    name: str | None,
    vocab_size: int | None,
    window: int,
    follow: bool,
    interval: float,
    wait: float,
    idle: float | None,
    as_json: bool,
    plot: str | None,
    serve: str | None,
) -> None:
    """Show the training run of the log PATH.

    PATH is a file of JSON lines, of TRL, transformers, or ours; a trainer_state.json; a folder that has one; or trackio:PROJECT/RUN.

    The exit status is 0 for GREEN and YELLOW health, 1 for RED, 3 where the log says too little, also when --follow or --serve ends; 2 for wrong
    use. --diff ends with 0, or with 3 where the runs share no series.

    --json prints "run", "steps", "last_step", "planned_steps", "finished", "gate" (passed, reasons), "phase", "phase_steps" (of its window),
    "phase_changes", "health", "series" (latest, mean, change, trend over the window), "summary" (numbers of the whole run), "problems" (kind:
    how many) and "places" (kind: the first of them).
    """
    if (other is not None) != as_diff:
        raise click.UsageError("two logs are compared with --diff: give PATH OTHER --diff")
    if as_diff and (follow or serve is not None):
        raise click.UsageError("--diff compares logs as they are; leave --follow and --serve out")
    if align is not None and not as_diff:
        raise click.UsageError("--align says how --diff pairs values; give that too")
    if idle is not None and not (follow or serve is not None):
        raise click.UsageError("--idle ends --follow; give that too")
    if plot is not None:
        if Path(plot).suffix.lower() != ".png":
            raise click.UsageError(f"--plot {plot} does not end in .png; pictures are PNG, give a name that says so")
        terminal.figure_class()
    terminal.check_writable("--plot", plot)
    if as_diff:
        assert other is not None
        sys.exit(_diff(path, other, align, vocab_size, as_json, plot))
    if follow or serve is not None:
        sys.exit(_follow(path, name, vocab_size, window, interval, wait, idle, as_json, plot, serve, follow))
    from ebmhw.coherence.observe.reading import read_run

    run = read_run(path, name, vocab_size)
    if as_json:
        terminal.echo_json(document(run, window))
    else:
        click.echo(_view(run, window))
    _plot([run], plot)
    sys.exit(_status(run, window))


def document(run: Run, window: int) -> dict[str, Any]:
    """Return what --json prints."""
    from ebmhw.coherence.observe.health import health_of
    from ebmhw.coherence.observe.phase import phase_changes, phase_of
    from ebmhw.coherence.observe.trend import trend_of

    health, phase = health_of(run, window), phase_of(run, window)
    series = {}
    for name in run.names:
        values = run.series(name).values
        trend = trend_of(values[-window:])
        series[name] = {
            "latest": float(values[-1]),
            "mean": float(values[-window:].mean()),
            "change": None if trend is None else trend.change,
            "trend": None if trend is None else {1: "rising", -1: "falling", 0: "steady"}[trend.direction],
            "known": len(values),
        }
    return {
        "run": run.name,
        "steps": len(run),
        "last_step": run.last_step,
        "planned_steps": run.planned_steps,
        "finished": run.finished,
        "gate": {"passed": run.gate_passed, "reasons": list(run.gate_reasons)},
        "phase": phase.name,
        "phase_steps": phase.steps,
        "phase_changes": [change._asdict() for change in phase_changes(run, window)],
        "health": {"level": health.level, "reasons": [{"level": level, "text": text} for level, text in health.reasons]},
        "series": series,
        "summary": run.summary,
        "problems": dict(run.problems.counts),
        "places": run.problems.places,
    }


def _status(run: Run, window: int) -> int:
    from ebmhw.coherence.observe.health import health_of

    return _STATUS[health_of(run, window).level]


def _view(run: Run, window: int) -> str:
    from ebmhw.coherence.observe.view import view_of

    return view_of(run, window, shutil.get_terminal_size().columns)


def _plot(runs: list[Run], path: str | None) -> None:
    if path is None:
        return
    from ebmhw.coherence.observe.pictures import write_picture

    written = write_picture(runs, path)
    click.echo(f"wrote {path}" if written else f"{path} is not written: there is no curve to draw", err=True)


def _diff(path: str, other: str, align: str | None, vocab_size: int | None, as_json: bool, plot: str | None) -> int:
    from ebmhw.coherence.observe.diff import diff_of
    from ebmhw.coherence.observe.reading import read_run
    from ebmhw.coherence.observe.view import diff_view

    first, second = read_run(path, None, vocab_size), read_run(other, None, vocab_size)
    diff = diff_of(first, second, align)
    if as_json:
        told = [entry._asdict() | {"differs": entry.differs} for entry in diff.differences]
        terminal.echo_json({"runs": diff.names, "aligned": diff.aligned, "equal": diff.equal, "divergence": diff.divergence, "differences": told})
    else:
        click.echo(diff_view(diff, first, second, shutil.get_terminal_size().columns))
    _plot([first, second], plot)
    return 0 if any(entry.pairs for entry in diff.differences) else 3


def _follow(
    path: str,
    name: str | None,
    vocab_size: int | None,
    window: int,
    interval: float,
    wait: float,
    idle: float | None,
    as_json: bool,
    plot: str | None,
    serve: str | None,
    shown: bool,
) -> int:
    """Show what is new until it ends, and return the status of the run as it then is."""
    from ebmhw.coherence.observe.exporter import Exporter, address_of
    from ebmhw.coherence.observe.following import AwaitedLog, follow

    reader = AwaitedLog(path, name, vocab_size)
    screen = _Screen(reader, window, as_json) if shown else None
    with ExitStack() as stack:
        stack.callback(reader.close)
        lock: AbstractContextManager[object] = nullcontext()
        if serve is not None:
            exporter: Exporter = stack.enter_context(Exporter(reader, *address_of(serve)))
            lock = exporter.lock
            click.echo(f"serving {exporter.url}", err=True)
        try:
            for _ in follow(reader, interval, wait, idle, lock=lock):
                if screen is not None:
                    with lock:
                        screen.show()
        except KeyboardInterrupt:
            # How following ends, no interruption of anything.
            click.echo("stopped", err=True)
    run = reader.run
    if screen is not None:
        screen.show(last=True)
    _plot([run], plot)
    return _status(run, window)


class _Screen:
    """Shows a run again and again: redrawn where standard output is a terminal, else a line for each new step."""

    def __init__(self, reader: LogReader, window: int, as_json: bool) -> None:
        self._reader, self._window, self._as_json = reader, window, as_json
        self._redrawn = sys.stdout.isatty() and not as_json
        self._held: int | None = None
        self._columns: tuple[str, ...] = ()

    def show(self, last: bool = False) -> None:
        """Show what is new; a step is shown once another has begun, since a log may have several records of one."""
        import json

        run = self._reader.run
        if self._redrawn:
            click.echo((_CLEAR if not last else "") + _view(run, self._window) + ("" if last else f"\n\n{time.strftime('%H:%M:%S')}  Ctrl-C ends"))
        elif self._as_json:
            if not last:
                click.echo(json.dumps(terminal.plain(document(run, self._window))))
        else:
            self._lines(run, last)
        sys.stdout.flush()

    def _lines(self, run: Run, last: bool) -> None:
        from ebmhw.coherence.observe.view import step_columns, step_header, step_lines

        steps = run.steps.tolist()
        new = [step for step in steps if self._held is None or step > self._held]
        if steps and self._held is not None and steps[-1] < self._held:
            click.echo(f"steps go back to {steps[-1]}")
            new = [steps[-1]]
            self._held = steps[-1] - 1
        whole = new if last else new[:-1]
        columns = step_columns(run)
        if whole and columns != self._columns:
            self._columns = columns
            click.echo(step_header(columns))
        for line in step_lines(run, whole, columns):
            click.echo(line)
        self._held = whole[-1] if whole else self._held
        if last and len(run):
            click.echo(_view(run, self._window))
