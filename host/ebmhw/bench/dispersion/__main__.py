"""Run the dispersion experiment and print its tables; about six minutes of one core, one without the model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import click

from ebmhw.bench.dispersion import model
from ebmhw.bench.dispersion.families import SOURCES, TOKENS, VOCABULARY, Family, generated, permuted
from ebmhw.bench.dispersion.plot import write_plot
from ebmhw.bench.dispersion.table import lines, row_of
from ebmhw.cli.terminal import check_writable, figure_class
from ebmhw.errors import MissingExtra, ModelLoadError

_ORDER = ("uniform", "noise", "peaked", "collapsed", "limit", "model")


def all_families(traces: int, seed: int, with_model: bool, say: Callable[[str], object]) -> Iterator[Family]:
    """Yield every family; where there is no model, ``say`` hears why."""
    for source in SOURCES:
        yield generated(source, traces, seed)
    if not with_model:
        say("The real model was left out, as asked.")
        return
    try:
        for family in model.families(seed):
            yield family
            if family.kind == "model":
                yield permuted(family, seed)
    except (MissingExtra, ModelLoadError) as error:
        say(f"The real model was left out: {error}")


@click.command()
@click.option("--plot", type=click.Path(dir_okay=False), help="Draw the families into this PNG file.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Of all that is drawn.")
@click.option("--traces", type=click.IntRange(8, 10_000), default=64, show_default=True, help="Traces of each generated family.")
@click.option("--no-model", is_flag=True, help="Leave the real model out.")
def main(plot: str | None, seed: int, traces: int, no_model: bool) -> None:
    """Tell a real model's logits from uniform, random, peaked and collapsed ones: the old measures against the dispersion index."""
    check_writable("--plot", plot)
    if plot is not None:
        figure_class()
    began = time.monotonic()
    rows = []
    for family in all_families(traces, seed, not no_model, click.echo):
        click.echo(f"\r{time.monotonic() - began:5.0f} s  {family.name:40}", nl=False, err=True)
        rows.append(row_of(family))
    click.echo("", err=True)
    groups = list(model.groups(seed)) if any(row.family.kind == "model" for row in rows) else []
    rows.sort(key=lambda row: _ORDER.index(row.family.kind))
    click.echo(f"Traces of {TOKENS} tokens; generated ones have V = {VOCABULARY:,}; seed {seed}.")
    for line in lines(rows, groups):
        click.echo(line)
    if plot is not None:
        click.echo(f"Plot: {write_plot(rows, plot)}")


if __name__ == "__main__":
    main()
