"""`ebmhw sample`: Boltzmann samples of a problem from a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ebmhw.cli import options, terminal
from ebmhw.files import write_whole

if TYPE_CHECKING:
    from ebmhw.backends import Draws, Progress
    from ebmhw.problems.reading import Problem
    from ebmhw.program import Program


@click.command()
@click.argument("file", type=click.Path())
@options.backend_option
@options.threads_option
@click.option("--beta", type=click.FloatRange(0), default=1.0, show_default=True, help="Inverse temperature, in the problem's units.")
@click.option("--reads", type=click.IntRange(1, 2**30), default=32, show_default=True, help="Independent chains.")
@click.option("--burn-in", type=click.IntRange(0), default=1000, show_default=True, metavar="SWEEPS", help="Sweeps before the first sample.")
@click.option("--samples", type=click.IntRange(1), default=1, show_default=True, help="Samples of each chain.")
@click.option("--every", type=click.IntRange(1), default=10, show_default=True, metavar="SWEEPS", help="Sweeps from one sample to the next.")
@click.option("--rule", type=click.Choice(["gibbs", "metropolis"]), default="gibbs", show_default=True, help="Update rule.")
@options.coupling_bits_option
@options.seed_option
@options.split_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document; the default where no --output is given.")
@click.option("--output", type=click.Path(dir_okay=False), metavar="FILE", help="A .npz or .json file.  [default: JSON on standard output]")
def sample(
    file: str,
    backend: str | None,
    threads: int | None,
    beta: float,
    reads: int,
    burn_in: int,
    samples: int,
    every: int,
    rule: str,
    coupling_bits: int,
    seed: int | None,
    split_above: int | None,
    as_json: bool,
    output: str | None,
) -> None:
    """Draw samples of FILE at one temperature: after the burn-in, one every so many sweeps."""
    from ebmhw.schedule import Schedule

    if output is not None and not output.endswith((".npz", ".json")):
        raise click.UsageError(f"--output {output} is neither a .npz nor a .json file; give one of these endings")
    terminal.check_writable("--output", output)
    sampler = options.backend_of(backend, threads)
    problem = options.open_problem(file, split_above)
    program = problem.model.compile(coupling_bits=coupling_bits)
    schedule = Schedule.constant(beta / program.scale, burn_in + samples * every)
    with options.progress_bar("sampling", shown=True) as show:

        def note(progress: Progress) -> None:
            show(progress.share, progress)

        draws = sampler.run(program, schedule, reads=reads, seed=seed, rule=rule, burn_in=burn_in, keep_every=every, progress=note)
    assert draws.kept is not None
    if draws.kept.shape[1] == 0:
        raise click.ClickException(f"interrupted after {draws.sweeps} sweeps, before the first sample; nothing is written")
    result = _result(problem, program, draws, file)
    if output is None or as_json:
        terminal.echo_json(result)
    if output is not None:
        _write(result, output)
        click.echo(f"wrote {draws.reads} x {result['samples']} samples to {output}", err=True)
    if draws.info["beta_clipped"]:
        click.echo(f"beta {beta:g} is beyond what {coupling_bits}-bit weights allow; sampled at {result['beta']:.6g}", err=True)
    if program.lost:
        click.echo(f"{program.lost} weights round to 0 and are not seen; --coupling-bits (up to 18) keeps more", err=True)
    if draws.info["stopped_by"]:
        click.echo(f"interrupted: {result['samples']} of {samples} samples a chain", err=True)


def _write(result: dict[str, Any], output: str) -> None:
    """Write a result to a .json file, or to a .npz with arrays spins and energy and the rest as JSON in ``info``."""
    if output.endswith(".json"):
        document = json.dumps(terminal.plain(result)).encode()
        write_whole(output, lambda stream: stream.write(document))
        return
    import numpy as np

    arrays = {key: result[key] for key in ("spins", "energy")}
    text = json.dumps(terminal.plain({key: value for key, value in result.items() if key not in arrays}))
    write_whole(output, lambda stream: np.savez_compressed(stream, **arrays, info=np.array(text)))


def _result(problem: Problem, program: Program, draws: Draws, file: str) -> dict[str, Any]:
    """Return the samples, spins (reads, samples, n) with energies (reads, samples) of the problem's model, and how they were made."""
    info = {key: draws.info[key] for key in ("backend", "seed", "rule", "sweeps", "stopped_by", "beta_clipped", "program")}
    assert draws.kept is not None
    return {
        "file": file,
        "problem": repr(problem),
        "spins": draws.kept,
        "energy": problem.model.energy(draws.kept),
        "samples": draws.kept.shape[1],
        "beta": draws.info["beta_effective"][0] * program.scale,
        "scale": program.scale,
        "quantisation_error": program.quantisation_error,
        **info,
    }
