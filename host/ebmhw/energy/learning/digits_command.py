"""The command ``python -m ebmhw.energy.learning.digits``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from ebmhw.energy.learning.digits import CONFIG, SIDE, load, report, train
from ebmhw.energy.learning.pictures import sheet, text, write_png
from ebmhw.energy.learning.training import LearningProgress
from ebmhw.errors import EbmhwError


@click.command()
@click.option("--hidden", type=click.IntRange(1, 4096), default=64, show_default=True, help="Hidden spins.")
@click.option("--steps", type=click.IntRange(1), default=CONFIG.steps, show_default=True, help="Updates.")
@click.option("--backend", default=None, help="The backend that draws both phases; all learn the same bits.")
@click.option("--checkpoint", type=click.Path(path_type=Path), default=None, help="File to keep the state in, and to carry on from.")
@click.option("--png", type=click.Path(path_type=Path), default=None, help="File for a sheet of samples.")
def command(hidden: int, steps: int, backend: str | None, checkpoint: Path | None, png: Path | None) -> None:
    """Learn a restricted Boltzmann machine of the digits, measure it beside simpler densities, and draw its samples."""
    config = replace(CONFIG, steps=steps, averaged_steps=min(CONFIG.averaged_steps, steps))
    try:
        digits = load()
        resume = checkpoint if checkpoint is not None and checkpoint.exists() else None
        structure, learned = train(digits, hidden, config, backend=backend, checkpoint=checkpoint, resume=resume, progress=_told)
        if learned.stopped_by:
            kept = f"carry on with --checkpoint {checkpoint}" if checkpoint else "nothing is kept without --checkpoint"
            click.echo(f"{learned.stopped_by} after step {learned.state.step} of {config.steps}; {kept}", err=True)
            sys.exit(130 if learned.stopped_by == "interrupted" else 1)
        each = learned.seconds / max(1, learned.steps)
        share = learned.backend_seconds / learned.seconds if learned.seconds else 0.0
        click.echo(f"{learned.steps} steps in {learned.seconds:.1f} s on {learned.backend}, {1e3 * each:.1f} ms a step, {share:.0%} in the backend")
        drawn = report(digits, structure, learned, backend, click.echo)
        click.echo(text(drawn[:32], SIDE, SIDE))
        if png is not None:
            write_png(png, sheet(drawn[:256], SIDE, SIDE))
            click.echo(f"256 samples in {png}")
    except (EbmhwError, OSError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)


def _told(progress: LearningProgress) -> None:
    if sys.stderr.isatty() and (progress.step % 20 == 0 or progress.step == progress.steps):
        end = "\n" if progress.step == progress.steps else ""
        click.echo(f"\rstep {progress.step} of {progress.steps}, {progress.seconds:.0f} s{end}", nl=False, err=True)
