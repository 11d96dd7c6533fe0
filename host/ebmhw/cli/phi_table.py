"""Records of a file's rows as a table, a summary, curves in the terminal and a picture."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING, Any

import click

from ebmhw.cli import terminal
from ebmhw.files import write_whole

if TYPE_CHECKING:
    import numpy.typing as npt

    from ebmhw.phi import PhiRecords

CURVES = 8
"""Sequences of a batch that are drawn, a line each."""

_MEANS = (("entropy", "entropy_bits", "bits"), ("log p", "chosen_logprob", "nats"))
_EIGHTHS = "▁▂▃▄▅▆▇█"


def means_of(records: PhiRecords) -> dict[str, float]:
    """Return the means over the rows, NaN where nothing is known."""
    return {name: getattr(records, f"{name}_mean") for name in ("phi", "entropy_bits", "margin", "chosen_logprob")}


def flag_names(flags: int) -> list[str]:
    """Return the names of the flags that are set."""
    from ebmhw.contract.phi_formats import FLAGS

    return [flag for bit, flag in enumerate(FLAGS) if flags >> bit & 1]


def _number(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _counted(number: int) -> str:
    return f"{number} row" + ("" if number == 1 else "s")


def print_table(records: PhiRecords, file: str, limit: int, with_chosen: bool) -> None:
    """Print the table, the summary and phi along the rows."""
    import numpy as np

    flat = records.reshape(-1)
    names = [",".join(map(str, np.unravel_index(i, records.shape))) if records.shape else "0" for i in range(min(limit, len(flat)))]
    header = ("row", "phi", "entropy bits", "log Z nats", "argmax", "margin nats", *(("chosen", "log p nats") if with_chosen else ()), "flags")
    rows = []
    for name, row in zip(names, flat, strict=False):
        choice = ("-" if row.flagged("no_choice") else str(row.chosen), _number(float(row.chosen_logprob), 4)) if with_chosen else ()
        flags = [flag for flag in flag_names(int(row.flags)) if with_chosen or flag != "no_choice"] if row.mask else ["left out"]
        rows.append(
            (
                name,
                _number(float(row.phi), 6),
                _number(float(row.entropy_bits), 4),
                _number(float(row.log_z), 4),
                "-" if row.flagged("empty") else str(row.argmax),
                _number(float(row.margin), 4),
                *choice,
                " ".join(flags),
            )
        )
    if rows:
        click.echo(terminal.table(rows, header))
    if len(flat) > len(rows):
        more = len(flat) - len(rows)
        click.echo(f"... {more} more row{'' if more == 1 else 's'}" if rows else _counted(more))
    info, means = records.info, means_of(records)
    said = [f"{_counted(len(flat))} of {info['entries']} entries, {info['source']}"]
    said += [f"mean phi {_number(means['phi'], 6)}"]
    said += [f"mean {label} {means[name]:.4f} {unit}" for label, name, unit in _MEANS if not math.isnan(means[name])]
    counted = [("left out", ~flat.mask), ("empty", flat.flagged("empty") & flat.mask)]
    counted += [(flag, flat.flagged(flag)) for flag in ("excluded", "clip_hi", "clip_lo")]
    said += [f"{int(which.sum())} {name}" for name, which in counted if which.any()]
    said.append(f"{info['timing']['run_s']:.3g} s on {info['backend']}")
    click.echo(("\n" if rows else "") + f"{file}: " + ", ".join(said))
    curves = _curves(records)
    if len(flat) > 1 and _drawable(curves):
        click.echo(f"\nphi along the rows{_cut(records)}")
        width = max(10, shutil.get_terminal_size().columns - 14)
        click.echo(terminal.chart(flat.phi.tolist(), width=width) if len(curves) == 1 else _lines(curves, width))


def _curves(records: PhiRecords) -> dict[str, npt.NDArray[Any]]:
    """Return phi along the rows of each sequence, by the sequence's index: of (..., T) the first `CURVES`, the key of a single one is ""."""
    import numpy as np

    shape = _batch(records)
    lines = records.phi.reshape(math.prod(shape), -1)
    return {",".join(map(str, np.unravel_index(i, shape))) if shape else "": line for i, line in enumerate(lines[:CURVES])}


def _batch(records: PhiRecords) -> tuple[int, ...]:
    """Return the shape of the sequences, () where all rows make one."""
    shape = records.shape[:-1]
    return shape if math.prod(shape) > 1 and records.shape[-1] > 1 else ()


def _cut(records: PhiRecords) -> str:
    """Return what is to be said where not all sequences are drawn."""
    sequences = math.prod(_batch(records))
    return f", the first {CURVES} of {sequences} sequences" if sequences > CURVES else ""


def _drawable(curves: dict[str, npt.NDArray[Any]]) -> bool:
    return any(not math.isnan(value) for curve in curves.values() for value in curve)


def _lines(curves: dict[str, npt.NDArray[Any]], width: int) -> str:
    """Return curves as one line each, on one scale, with its ends; NaN is a gap."""
    import numpy as np

    parts = {name: [part[~np.isnan(part)] for part in np.array_split(curve, min(width, len(curve)))] for name, curve in curves.items()}
    means = {name: [float(part.mean()) if part.size else math.nan for part in columns] for name, columns in parts.items()}
    present = [value for columns in means.values() for value in columns if not math.isnan(value)]
    low, high = min(present), max(present)
    scale = (len(_EIGHTHS) - 1) / ((high - low) or 1.0)
    drawn = (
        f"{name:>12} |" + "".join(" " if math.isnan(value) else _EIGHTHS[round((value - low) * scale)] for value in columns)
        for name, columns in means.items()
    )
    return "\n".join([*(line.rstrip() for line in drawn), f"{'':>13} {low:.6g} ({_EIGHTHS[0]}) to {high:.6g} ({_EIGHTHS[-1]})"])


def plot_rows(records: PhiRecords, path: str, title: str) -> None:
    """Write phi along the rows as a PNG, or say why there is nothing to draw."""
    import numpy as np

    curves = _curves(records)
    if not _drawable(curves):
        click.echo(f"{path} is not written: no row has a phi to draw{_cut(records)}", err=True)
        return
    figure = terminal.figure_class()(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for name, curve in curves.items():
        # Dots too: a row between two empty ones has no line.
        axes.plot(
            np.arange(len(curve)), curve, marker=".", markersize=3, linewidth=1, label=name, **({"color": "#b5482e"} if len(curves) == 1 else {})
        )
    if len(curves) > 1:
        axes.legend(title="sequence")
    axes.set(xlabel="row", ylabel="phi", title=title + _cut(records), ylim=(-0.02, 1.02))
    axes.grid(alpha=0.3)
    write_whole(path, lambda stream: figure.savefig(stream, format="png", dpi=120))
    click.echo(f"wrote {path}{_cut(records)}", err=True)
