"""`ebmhw board`: what the board is, loading its firmware, testing and measuring it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, final

import click

from ebmhw.board.block_design import APP
from ebmhw.cli import options, terminal
from ebmhw.errors import BackendUnavailable, EbmhwError

if TYPE_CHECKING:
    from ebmhw.board.selftest import Row

json_option = click.option("--json", "as_json", is_flag=True, help='Print one JSON document; of a failure {"error": {"code", "message"}}.')
app_option = click.option("--app", default=APP, show_default=True, metavar="NAME", help="Name of the firmware.")
backend_option = click.option("--backend", "name", default="kv260", show_default=True, metavar="NAME", help="kv260 or simulated.")
config_option = click.option("--config", default=None, metavar="NAME", help="Of simulated: kv260, as on the board, or small.  [default: small]")
seed_option = click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="Of everything random.")


@click.group()
def board() -> None:
    """Look at a KV260, load its firmware, test and measure it. Run this on the board."""


@board.command()
@app_option
@json_option
def status(app: str, as_json: bool) -> None:
    """Tell what this machine is, what is installed and loaded, and what to do next. Nothing is touched.

    Exit status: 0 where the board can be used, 1 where it cannot.
    """
    from ebmhw.board.status import board_status

    with _errors_told(as_json):
        found = board_status(app=app)
    if as_json:
        terminal.echo_json(found.as_data())
    else:
        click.echo(terminal.table(found.rows()))
        for title, lines in (("cannot be used", found.problems), ("note", found.notes)):
            for line in lines:
                click.echo(f"{title}: {line}")
        click.echo(f"next: {found.next}" if found.next else "the board can be used")
    sys.exit(0 if found.usable else 1)


@board.command()
@app_option
@click.option("--replace", is_flag=True, help="Allow other firmware to be unloaded.")
@click.option("--again", is_flag=True, help="Load it also where this very build is loaded.")
@json_option
def load(app: str, replace: bool, again: bool, as_json: bool) -> None:
    """Load the installed firmware: checked before, judged by the device tree after, what was loaded put back where it does not come up.

    Exit status: 0 once it is loaded, 2 where it is not.
    """
    from ebmhw.board.load import load_firmware

    with _errors_told(as_json):
        done = load_firmware(app=app, replace=replace, again=again, say=lambda text: click.echo(text, err=True))
    if as_json:
        data = {"app": app, "build": f"{done.design.build:#010x}", "changed": done.changed, "replaced": list(done.replaced), "seconds": done.seconds}
        terminal.echo_json(data)
    elif done.changed:
        click.echo(f"{app}, build {done.design.build:#010x}, is loaded ({done.seconds:.1f} s); next: ebmhw board selftest")
    else:
        click.echo(f"{app}, build {done.design.build:#010x}, was loaded already; nothing was changed (--again loads it anew)")


@board.command()
@backend_option
@config_option
@seed_option
@click.option("--programs", type=click.IntRange(1, 10_000), default=4, show_default=True, help="Random programs of each row.")
@click.option("--minutes", type=click.FloatRange(0, 43_200), default=0.0, metavar="MINUTES", help="Compare random programs that long on top.")
@click.option("--only", default="", metavar="SUBSTRING", help="Rows whose name holds this.")
@click.option("--list", "list_only", is_flag=True, help="Name the rows, run nothing.")
@json_option
def selftest(name: str, config: str | None, seed: int, programs: int, minutes: float, only: str, list_only: bool, as_json: bool) -> None:
    """Test the units row by row against the contract and the CPU kernel. Without a board: --backend simulated.

    Exit status: 0 where no row failed, 1 where one did, 2 where the test cannot be run, 130 where Ctrl-C ended it; the rows so far are told.
    """
    from ebmhw.board.selftest import NAMES
    from ebmhw.board.selftest import selftest as run

    if list_only:
        for row in NAMES:
            click.echo(row)
        return
    progress = _Progress(not as_json)
    with _errors_told(as_json):
        backend, facts = _backend(name, config)
        found = run(backend, seed=seed, programs=programs, minutes=minutes, only=only, on_row=progress.row, on_start=progress.start, **facts)
    progress.clear()
    if as_json:
        terminal.echo_json(found.as_data())
    else:
        failed, count = sum(not row.passed for row in found.rows), len(found.rows)
        verdict = "passed" if found.passed else f"failed in {failed} of {count} rows"
        if found.stopped:
            verdict = f"was stopped in row {count}" if count and found.rows[-1].stopped else f"was stopped after {count} rows"
            verdict += f", {failed} of them failed" if failed else ", none failed until then"
        click.echo(f"the self-test of {_label(name, config)} {verdict}: {found.updates:,} updates compared, seed {seed}")
    if found.stopped:
        click.echo("stopped", err=True)
        sys.exit(130)
    sys.exit(0 if found.passed else 1)


@board.command()
@backend_option
@config_option
@seed_option
@click.option("--rounds", type=click.IntRange(1, 1000), default=5, show_default=True, help="Of each figure; medians are told.")
@json_option
def bench(name: str, config: str | None, seed: int, rounds: int, as_json: bool) -> None:
    """Measure registers, exchanges, samples and rows of logits beside the CPU kernel of this machine. Without a board: --backend simulated."""
    from ebmhw.board.bench import board_bench, header

    progress = _Progress(False)
    with _errors_told(as_json):
        backend, _ = _backend(name, config)
        figures = board_bench(backend, rounds=rounds, seed=seed, on_start=progress.start)
    progress.clear()
    if as_json:
        simulated = name == "simulated"
        data = {"backend": name, "simulated": simulated, "config": config, "rounds": rounds, "figures": [figure.as_data() for figure in figures]}
        terminal.echo_json(data)
        return
    click.echo(terminal.table([figure.row() for figure in figures], header(rounds)))
    if name == "simulated":
        click.echo(f"these are figures of {_label(name, config)} on this CPU: they say nothing of a board")


def _backend(name: str, config: str | None) -> tuple[Any, dict[str, Any]]:
    """Return the backend of the options, and what is known of its clock and its build."""
    from ebmhw.backends import get_backend

    options.tell_builds()
    if name == "simulated":
        return get_backend("simulated", config=config or "small", threads=1), {}
    if config is not None:
        raise click.UsageError(f"--config is of --backend simulated; {name} has none")
    if name != "kv260":
        return get_backend(name), {}
    from ebmhw.board.installed import installed_firmware
    from ebmhw.board.loaded import loaded_design

    try:
        backend = get_backend("kv260")
    except BackendUnavailable as error:
        raise BackendUnavailable(f"{error}; without a board, --backend simulated runs the design's own Verilog") from error
    design, entry = loaded_design(), installed_firmware().entry
    facts: dict[str, Any] = {"build": None if design is None else design.build}
    if entry is not None and (design is None or entry.build == design.build):
        facts["clock_mhz"] = float(entry.clock_mhz)
    return backend, facts


@contextmanager
def _errors_told(as_json: bool) -> Iterator[None]:
    """Print an error as JSON, too, where that was asked for: whoever reads standard output is told; the line and the exit status are as ever."""
    try:
        yield
    except EbmhwError as error:
        if as_json:
            told = error.to_dict()
            terminal.echo_json({"error": {"code": told["code"], "message": told["message"]}})
        raise


def _label(name: str, config: str | None) -> str:
    return f"the simulated design {config or 'small'!r}" if name == "simulated" else name


@final
class _Progress:
    """Rows as they are done, and what is under way on a line of a terminal that the next one overwrites."""

    def __init__(self, rows: bool) -> None:
        self._rows, self._on = rows, sys.stderr.isatty()

    def start(self, what: str) -> None:
        if self._on:
            click.echo(f"\r\x1b[K{what} ...", nl=False, err=True)

    def row(self, row: Row) -> None:
        self.clear()
        if self._rows:
            verdict = "FAIL" if not row.passed else "stop" if row.stopped else "pass" if row.applies else "n/a "
            click.echo(f"{verdict}  {row.what:<32}  {row.seconds:7.2f} s  {row.detail}")

    def clear(self) -> None:
        if self._on:
            click.echo("\r\x1b[K", nl=False, err=True)
