"""`ebmhw solve`: anneal a problem from a file and print the best solution found."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import click

from ebmhw.backends.stop import Stop, keyboard_interrupt_sets
from ebmhw.cli import options, terminal
from ebmhw.contract.formats import READ_LIMIT
from ebmhw.files import write_whole

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ebmhw.backends import Draws, Progress, SamplerBackend
    from ebmhw.problems.read import Problem
    from ebmhw.sampler import SamplingPlan

DEFAULT_READS = 32


@final
@dataclass
class Search:
    """Rounds of annealing, and the best of all; each round continues the read numbers of the one before.

    ``trace`` has (sweep, lowest energy so far, mean energy), program units, of the first batch.
    """

    problem: Problem
    plan: SamplingPlan
    best_spins: npt.NDArray[np.int8] | None = None
    best_energy: int | None = None
    best_read: int = 0
    best_sweep: int = 0
    reads: int = 0
    updates: int = 0
    stopped_by: str | None = None
    seed: int | None = None
    info: dict[str, Any] = field(default_factory=dict)
    trace: list[tuple[int, int, float]] = field(default_factory=list)

    def take(self, draws: Draws) -> None:
        """Count a round and keep its best state where it is better than all before."""
        at = int(draws.best_energy.argmin())
        if self.best_energy is None or draws.best_energy[at] < self.best_energy:
            self.best_energy, self.best_spins = int(draws.best_energy[at]), draws.best_spins[at].copy()
            self.best_read, self.best_sweep = self.reads + at, int(draws.best_sweep[at])
        self.reads += draws.reads
        self.updates += draws.info["updates"]
        self.stopped_by, self.seed = draws.info["stopped_by"], draws.info["seed"]
        self.info = {key: draws.info[key] for key in ("backend", "rule", "beta_effective", "beta_clipped", "sweeps")}


def search(
    problem: Problem,
    plan: SamplingPlan,
    backend: SamplerBackend,
    reads: int,
    time_limit: float | None,
    show: Any = None,
) -> Search:
    """Anneal ``reads`` chains; with a time limit, round after round until it, or the read numbers of one seed, are used up.

    Ctrl-C ends the search at once wherever it is.
    """
    found = Search(problem, plan, seed=plan.seed)
    started = time.monotonic()
    stop = Stop(time_limit)

    def note(progress: Progress) -> None:
        # Later batches start again from sweep 0.
        if found.reads == 0 and (not found.trace or progress.sweeps_done > found.trace[-1][0]):
            found.trace.append((progress.sweeps_done, progress.best_energy, progress.mean_energy))
        if show is not None:
            spent = time.monotonic() - started
            show(progress.share if time_limit is None else min(1.0, spent / max(time_limit, 1e-9)), progress)

    with keyboard_interrupt_sets(stop):
        while True:
            draws = backend.run(
                plan.program,
                plan.schedule,
                reads=reads,
                seed=found.seed,
                rule=plan.rule,
                first_read=found.reads,
                time_limit=None if time_limit is None else stop.seconds_left,
                progress=note,
                interrupt=lambda: stop.interrupted,
            )
            found.take(draws)
            if time_limit is None or stop.now or found.stopped_by or found.reads + reads > READ_LIMIT:
                return found


@click.command()
@click.argument("file", type=click.Path())
@options.backend_option
@options.threads_option
@click.option("--reads", type=click.IntRange(1, 2**30), default=DEFAULT_READS, show_default=True, help="Independent chains.")
@click.option("--sweeps", type=click.IntRange(1, 2**31 - 1), default=1000, show_default=True, help="Sweeps of each chain.")
@click.option("--beta", type=float, nargs=2, metavar="FIRST LAST", help="Inverse temperatures, in the problem's units.  [default: from its weights]")
@click.option("--time-limit", type=options.seconds, metavar="SECONDS", help="Repeat rounds of reads with fresh streams until then.")
@options.seed_option
@options.split_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, the solution in it.")
@click.option("--plot", type=click.Path(dir_okay=False), metavar="PNG", help="Write the energy trace as a picture (needs ebmhw[plots]).")
def solve(
    file: str,
    backend: str | None,
    threads: int | None,
    reads: int,
    sweeps: int,
    beta: tuple[float, float] | None,
    time_limit: float | None,
    seed: int | None,
    split_above: int | None,
    as_json: bool,
    plot: str | None,
) -> None:
    """Search for the best solution of FILE: G-set, DIMACS cnf or wcnf, dimod COO, or qbsolv.

    Ctrl-C ends the search with the best so far.
    """
    from ebmhw.sampler import make_plan

    if plot is not None:
        _pyplot()
    terminal.check_writable("--plot", plot)
    sampler = options.backend_of(backend, threads)
    problem = options.open_problem(file, split_above)
    plan = make_plan(problem.model, num_sweeps=sweeps, beta_range=beta, seed=seed)
    with options.progress_bar("solving", shown=not as_json) as show:
        started = time.perf_counter()
        found = search(problem, plan, sampler, reads, time_limit, show)
        seconds = time.perf_counter() - started
    report = _report(found, file, seconds)
    if as_json:
        terminal.echo_json(report)
    else:
        _print(report, found)
    if plot is not None:
        _plot(found, plot, file)


def _report(found: Search, file: str, seconds: float) -> dict[str, Any]:
    plan, problem = found.plan, found.problem
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
        "spins": found.best_spins,
        "trace": {"sweep": [t[0] for t in found.trace], "best": [t[1] for t in found.trace], "mean": [t[2] for t in found.trace]},
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
    if report["stopped_by"]:
        why = {"interrupt": "interrupted; this is the best so far", "time_limit": "the last round was cut by the time limit"}
        rows.append(("note", why[report["stopped_by"]]))
    click.echo(terminal.table(rows))
    if len(found.trace) > 1:
        click.echo("\nmean energy, program units, over the sweeps of the first reads")
        click.echo(terminal.chart([mean for _, _, mean in found.trace]))


def _pyplot() -> Any:
    """Return matplotlib's figure class, or say how to get it before any work is done."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise click.UsageError("--plot needs matplotlib: pip install 'ebmhw[plots]'") from None
    return Figure


def _plot(found: Search, path: str, title: str) -> None:
    figure = _pyplot()(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    sweep, best, mean = zip(*found.trace, strict=True)
    axes.plot(sweep, mean, color="#7a8fb0", label="mean of the reads")
    axes.plot(sweep, best, color="#b5482e", label="lowest so far")
    axes.set(xlabel="sweep", ylabel="energy, program units", title=title)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    write_whole(path, lambda stream: figure.savefig(stream, format="png", dpi=120))
    click.echo(f"wrote {path}", err=True)
