"""`ebmhw solve`: anneal a problem from a file and print the best solution found."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from ebmhw.cli import options, terminal
from ebmhw.files import write_whole

if TYPE_CHECKING:
    from ebmhw.problems.reading import Problem
    from ebmhw.search import Search

DEFAULT_READS = 32
"""One group of the CPU kernel."""


@click.command()
@click.argument("file", type=click.Path())
@options.backend_option
@options.threads_option
@click.option("--reads", type=click.IntRange(1, 2**30), default=DEFAULT_READS, show_default=True, help="Independent chains.")
@click.option("--sweeps", type=click.IntRange(1, 2**24), default=1000, show_default=True, help="Sweeps of each chain.")
@click.option("--beta", type=float, nargs=2, metavar="FIRST LAST", help="Inverse temperatures, in the problem's units.  [default: from its weights]")
@click.option("--time-limit", type=options.seconds, metavar="SECONDS", help="Repeat rounds of reads with fresh streams until then.")
@options.coupling_bits_option
@options.seed_option
@options.split_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, the solution in it.")
@click.option("--output", type=click.Path(dir_okay=False), metavar="FILE", help="Write the solution, a line 'name value' a variable.")
@click.option("--plot", type=click.Path(dir_okay=False), metavar="PNG", help="Write the energy trace as a picture (needs ebmhw[plots]).")
def solve(
    file: str,
    backend: str | None,
    threads: int | None,
    reads: int,
    sweeps: int,
    beta: tuple[float, float] | None,
    time_limit: float | None,
    coupling_bits: int,
    seed: int | None,
    split_above: int | None,
    as_json: bool,
    output: str | None,
    plot: str | None,
) -> None:
    """Search for the best solution of FILE: G-set, DIMACS cnf or wcnf, dimod COO, or qbsolv.

    Ctrl-C ends the search with the best so far.
    """
    from ebmhw.plan import make_plan
    from ebmhw.search import search

    if plot is not None:
        terminal.figure_class()
    terminal.check_writable("--plot", plot)
    terminal.check_writable("--output", output)
    sampler = options.backend_of(backend, threads)
    problem = options.open_problem(file, split_above)
    plan = make_plan(problem.model, num_sweeps=sweeps, beta_range=beta, seed=seed, coupling_bits=coupling_bits)
    with options.progress_bar("solving", shown=not as_json) as show:
        started = time.perf_counter()
        found = search(plan, sampler, reads, time_limit, show)
        seconds = time.perf_counter() - started
    report = _report(problem, found, file, seconds)
    if as_json:
        terminal.echo_json(report)
    else:
        _print(report, found)
    if output is not None:
        lines = "".join(f"{name} {value}\n" for name, value in report["values"].items())
        write_whole(output, lambda stream: stream.write(lines.encode()))
        click.echo(f"wrote {output}", err=True)
    if plot is not None:
        _plot(report, plot, file)


def _report(problem: Problem, found: Search, file: str, seconds: float) -> dict[str, Any]:
    plan = found.plan
    assert found.best_spins is not None and found.best_energy is not None
    return {
        "file": file,
        "kind": problem.kind,
        "problem": repr(problem),
        "solution": problem.describe(found.best_spins),
        "model_energy": float(problem.model.energy(found.best_spins)),
        "read": found.best_read,
        "sweep": found.best_sweep,
        "reads": found.reads,
        "sweeps": plan.schedule.total_sweeps,
        "sweeps_of_last_round": found.last_sweeps,
        "seed": found.seed,
        "stopped_by": found.stopped_by,
        "seconds": seconds,
        "updates": found.updates,
        "updates_per_second": found.updates / seconds,
        "scale": plan.program.scale,
        "quantisation_error": plan.program.quantisation_error,
        "program": plan.program.digest,
        **found.info,
        "beta_range": plan.beta_range,
        "beta_effective": [beta * plan.program.scale for beta in found.info["beta_effective"]],
        "lost_weights": plan.program.lost,
        "values": problem.values(found.best_spins),
        "spins": found.best_spins,
        "trace": {
            "sweep": [sweep for sweep, _, _ in found.trace],
            "best": [problem.model.offset + best / plan.program.scale for _, best, _ in found.trace],
            "mean": [problem.model.offset + mean / plan.program.scale for _, _, mean in found.trace],
        },
    }


def _print(report: dict[str, Any], found: Search) -> None:
    """Print the table and the energy trace."""
    rows = [("problem", report["problem"])]
    rows += [(key.replace("_", " "), f"{value:.10g}" if isinstance(value, float) else str(value)) for key, value in report["solution"].items()]
    rows += [
        ("found", f"read {report['read']}, sweep {report['sweep']}"),
        (
            "run",
            f"{report['reads']} reads of {report['sweeps']} sweeps, {report['rule']}, backend {report['backend']}, seed {report['seed']}",
        ),
        (
            "beta",
            f"{report['beta_effective'][0]:.4g} to {report['beta_effective'][1]:.4g}" + (" (clipped)" if report["beta_clipped"] else ""),
        ),
        ("speed", f"{report['updates_per_second'] / 1e6:.0f} M updates/s, {report['seconds']:.2f} s"),
    ]
    if report["quantisation_error"]:
        rows.append(("weights", f"scaled by {report['scale']:.6g}, off by up to {report['quantisation_error']:.2g}"))
    if report["lost_weights"]:
        rows.append(("warning", f"{report['lost_weights']} weights round to 0 and are not seen; --coupling-bits (up to 18) keeps more"))
    if report["stopped_by"]:
        why = {
            "interrupt": "interrupted; this is the best so far",
            "time_limit": f"the time limit cut the last round after {report['sweeps_of_last_round']} sweeps",
        }
        rows.append(("note", why[report["stopped_by"]]))
    click.echo(terminal.table(rows))
    if len(found.trace) > 1:
        click.echo("\nmean energy over the sweeps of the first reads")
        click.echo(terminal.chart(report["trace"]["mean"]))


def _plot(report: dict[str, Any], path: str, title: str) -> None:
    figure = terminal.figure_class()(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    trace = report["trace"]
    axes.plot(trace["sweep"], trace["mean"], color="#7a8fb0", label="mean of the reads")
    axes.plot(trace["sweep"], trace["best"], color="#b5482e", label="lowest so far")
    axes.set(xlabel="sweep", ylabel="energy", title=title)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    write_whole(path, lambda stream: figure.savefig(stream, format="png", dpi=120))
    click.echo(f"wrote {path}", err=True)
