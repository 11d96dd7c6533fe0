"""`ebmhw backends`: what can run here, how fast it is expected to be, and the calibration that tells."""

from __future__ import annotations

import dataclasses
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from ebmhw.cli import options, terminal

if TYPE_CHECKING:
    from ebmhw.backends.auto.explanation import Explanation
    from ebmhw.backends.core import CoreBackend

_LONGEST = 60
"""Seconds of a calibration at the most."""


@click.command()
@click.argument("file", type=click.Path(), required=False)
@click.option("--explain", is_flag=True, help="Show what each backend is expected to take, for FILE or typical work, and which one auto takes.")
@click.option("--calibrate", is_flag=True, help="Measure the CPU and the board, and keep what is found for auto.")
@click.option("--reads", type=click.IntRange(1, 2**30), default=32, show_default=True, help="Independent chains (--explain FILE).")
@click.option("--sweeps", type=click.IntRange(1, 2**24), default=1000, show_default=True, help="Sweeps of each (--explain FILE).")
@click.option("--rule", type=click.Choice(["gibbs", "metropolis"]), default="metropolis", show_default=True, help="Update rule (--explain FILE).")
@click.option("--board", type=click.Choice(["kv260", "simulated"]), default="kv260", show_default=True, help="What stands for the board.")
@click.option("--seconds", type=click.IntRange(2, _LONGEST), default=30, show_default=True, help="Time for measuring (--calibrate).")
@options.threads_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def backends(
    file: str | None,
    explain: bool,
    calibrate: bool,
    reads: int,
    sweeps: int,
    rule: str,
    board: str,
    seconds: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """List the backends, whether each works here, and what it can take; or explain what auto takes for FILE."""
    if explain and calibrate:
        raise click.UsageError("--explain and --calibrate are two things; calibrate first, then explain")
    if file is not None and not explain:
        raise click.UsageError(f"{file} is given without --explain; say `ebmhw backends --explain {file}`")
    if calibrate:
        _calibrate(board, threads, seconds, as_json)
    elif explain:
        _explain(file, reads, sweeps, rule, board, threads, as_json)
    else:
        _list(as_json)


def _list(as_json: bool) -> None:
    from ebmhw.backends import BACKEND_NAMES, get_backend
    from ebmhw.errors import BackendUnavailable

    found: list[dict[str, Any]] = []
    for name in BACKEND_NAMES:
        try:
            backend = get_backend(name)
            can = dataclasses.asdict(backend.capabilities)
            found.append({"name": name, "available": True, "is": backend.name, "capabilities": can, "why": backend.chosen_because or ""})
        except BackendUnavailable as error:
            found.append({"name": name, "available": False, "why": str(error)})
    if as_json:
        terminal.echo_json(found)
        return
    rows = []
    for entry in found:
        what = entry["why"]
        if entry["available"]:
            can = entry["capabilities"]
            what = f"{', '.join(can['units'])}; {can['lanes']} lanes, up to {can['max_spins']} spins, {can['coupling_bits']}-bit couplings"
            what = entry["why"].removeprefix("auto: ") or what
        rows.append((entry["name"], "yes" if entry["available"] else "no", what))
    click.echo(terminal.table(rows, ("backend", "here", "what")))


def _board(name: str, threads: int | None) -> CoreBackend | str:
    """Return the board's backend, connected, or why there is none."""
    options.tell_builds()
    if name == "simulated":
        from ebmhw.backends.simulated import SimulatedBackend

        simulated = SimulatedBackend(config="small", threads=threads)
        assert simulated.drivers and simulated.phi_drivers
        return simulated
    from ebmhw.backends.auto.prospect import Prospect
    from ebmhw.backends.choice import find_board

    prospect = find_board()
    return prospect.connected() if isinstance(prospect, Prospect) else prospect


def _calibrate(board_name: str, threads: int | None, seconds: int, as_json: bool) -> None:
    from ebmhw.backends.auto.calibration import board_key, cpu_key, new_record, read_calibrations
    from ebmhw.backends.auto.trials import Trials
    from ebmhw.backends.cpu import CpuBackend

    cpu, board = CpuBackend(threads=threads), _board(board_name, threads)
    known = read_calibrations()
    if known.damage is not None:
        click.echo(f"{known.damage}; it is written anew", err=True)
    todo: list[tuple[str, Any, dict[str, str]]] = [("cpu", cpu, cpu_key(cpu.threads, cpu.instruction_set))]
    load, processors = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0, os.cpu_count() or 1
    if load > processors:
        click.echo(
            f"the machine is busy (load {load:.1f} on {processors} processors), which times will show; calibrate again once it is idle", err=True
        )
    if isinstance(board, str):
        click.echo(f"only the CPU is measured: {board}", err=True)
    else:
        todo.append((board.name, board, board_key(board)))
    records = []
    try:
        for name, backend, key in todo:
            with click.progressbar(length=options.STEPS, label=f"measuring {name}", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

                def show(share: float, bar: Any = bar) -> None:
                    bar.update(max(0, int(share * options.STEPS) - bar.pos))

                run, phi = Trials(backend, cpu.threads).measure(seconds / len(todo), show, _LONGEST / len(todo))
            records.append(new_record(name, key, run, phi))
    except KeyboardInterrupt:
        kept = known.path.exists()
        click.echo(f"the calibration in {known.path} is left as it was" if kept else "no calibration was kept; there was none before", err=True)
        raise
    for record in records:
        known = known.with_record(record)
    known.write()
    if as_json:
        terminal.echo_json({"path": str(known.path), "records": [record.to_dict() for record in records]})
        return
    rows = []
    for record in records:
        for kind, fit in (("runs", record.run), ("phi", record.phi)):
            if fit is not None:
                rows.append((record.backend, kind, str(fit.points), f"{100 * fit.error:.0f} %", f"{fit.factor:.2f}"))
    click.echo(terminal.table(rows, ("backend", "of", "measurements", "usual error", "nine in ten within a factor of")))
    click.echo(f"kept in {known.path}")


def _explain(file: str | None, reads: int, sweeps: int, rule: str, board_name: str, threads: int | None, as_json: bool) -> None:
    from ebmhw.backends.auto.calibration import read_calibrations
    from ebmhw.backends.auto.explanation import Explainer, text_of, typical
    from ebmhw.backends.cpu import CpuBackend

    problem = None if file is None else options.open_problem(file, None)
    explainer = Explainer(CpuBackend(threads=threads), _board(board_name, threads), read_calibrations(), board_name)
    if problem is not None:
        found = explainer.run(problem.model.compile(), reads, sweeps, rule)
        if as_json:
            terminal.echo_json({"file": file, **found.to_dict()})
        else:
            click.echo("\n".join(text_of(found)))
        return
    all_found = typical(explainer)
    if as_json:
        terminal.echo_json([found.to_dict() for found in all_found])
        return
    click.echo(terminal.table([_row(found) for found in all_found], ("work", "cpu", board_name, "auto takes")))
    for missing in dict.fromkeys(one.missing for found in all_found for one in found.backends if one.missing):
        click.echo(f"missing: {missing}")


def _row(found: Explanation) -> tuple[str, ...]:
    from ebmhw.backends.auto.chooser import shown_seconds

    cells = []
    for one in found.backends:
        least = "-" if one.at_least_s is None else f"over {shown_seconds(one.at_least_s)}"
        cells.append(least if one.time is None else shown_seconds(one.time.seconds))
    return (found.work, *cells, found.chosen)
