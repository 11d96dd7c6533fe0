"""`ebmhw phi`: entropy, phi and the chosen token's probability along the rows of a file of logits."""

from __future__ import annotations

import math
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ebmhw.cli import options, terminal
from ebmhw.errors import InvalidLogits
from ebmhw.files import write_whole

if TYPE_CHECKING:
    import numpy.typing as npt

    from ebmhw.phi import PhiRecords
    from ebmhw.phi.logits import HostLogits

TABLE_ROWS = 20
"""Rows of the table where no --limit is given."""

CURVES = 8
"""Sequences of a batch that are drawn, a line each."""

_BLOCK_BYTES = 64 << 20
"""Logits between two steps of the progress bar; some 20 ms of reading a file that is not in memory yet."""

_FLOATS = ("phi", "entropy_bits", "log_z", "margin", "chosen_logprob")
_INTEGERS = ("phi_q20", "entropy_q20", "log_z_q20", "chosen_log2p_q20", "flags", "valid", "masked", "excluded")
_MEANS = (("entropy", "entropy_bits", "bits"), ("log p", "chosen_logprob", "nats"))
_EIGHTHS = "▁▂▃▄▅▆▇█"


@click.command()
@click.argument("file", type=click.Path())
@options.backend_option
@options.threads_option
@click.option("--key", metavar="NAME", help="Array of a .npz or .safetensors file.  [default: logits, else the only one]")
@click.option("--bfloat16", is_flag=True, help="16-bit words of FILE are bfloat16, which .npy files do not know.")
@click.option("--chosen", "chosen_file", type=click.Path(), metavar="FILE", help="Token ids, integers, one a row; -100 for none.")
@click.option("--chosen-key", metavar="NAME", help="Array of that file.  [default: chosen, else the only one]")
@click.option("--mask", "mask_file", type=click.Path(), metavar="FILE", help="True or 1: measure the row, False or 0: leave it out; one a row.")
@click.option("--mask-key", metavar="NAME", help="Array of that file.  [default: mask, else the only one]")
@click.option("--vocab-size", type=click.IntRange(2), metavar="V", help="Entries that count; columns beyond are padding.  [default: all]")
@click.option("--limit", type=click.IntRange(0), metavar="ROWS", help=f"Rows to list.  [default: {TABLE_ROWS} in the table, all as JSON]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--plot", type=click.Path(dir_okay=False), metavar="PNG", help="Write phi along the rows as a picture (needs ebmhw[plots]).")
def phi(
    file: str,
    backend: str | None,
    threads: int | None,
    key: str | None,
    bfloat16: bool,
    chosen_file: str | None,
    chosen_key: str | None,
    mask_file: str | None,
    mask_key: str | None,
    vocab_size: int | None,
    limit: int | None,
    as_json: bool,
    plot: str | None,
) -> None:
    """Measure the rows of FILE, logits (..., tokens, vocabulary) in a .npy, .npz or .safetensors file.

    phi is 1 - H / log2 V: 0 for a uniform distribution, 1 for certainty.

    --json prints "file", "shape" (of the rows), how they were measured, "means", "shown" (rows listed, where --limit cuts) and arrays over the rows
    in C order: phi, entropy_bits, log_z, margin and chosen_logprob (nats), argmax, chosen, z1 and z2 (base-2 exponents, 10 fraction bits) are null
    where a row has none; the integers behind the floats (_q20, 20 fraction bits) are 0 there; valid, masked and excluded count entries; flags are
    bits, flag_names their names; mask is false for rows that --mask left out.
    """
    from ebmhw.phi.files import read_array, read_logits

    if plot is not None:
        if Path(plot).suffix.lower() != ".png":
            raise click.UsageError(f"--plot {plot} does not end in .png; pictures are PNG, give a name that says so")
        terminal.figure_class()
    terminal.check_writable("--plot", plot)
    for option, array_key, array_file in (("--chosen", chosen_key, chosen_file), ("--mask", mask_key, mask_file)):
        if array_key is not None and array_file is None:
            raise click.UsageError(f"{option}-key names an array of the file of {option}; give that too")
    meter = options.backend_of(backend, threads)
    logits = read_logits(file, key, bfloat16)
    chosen = None if chosen_file is None else read_array(chosen_file, chosen_key, "chosen").array
    mask = None if mask_file is None else read_array(mask_file, mask_key, "mask").array
    try:
        records = _measure(meter, logits, chosen, mask, vocab_size)
    except InvalidLogits as error:
        raise _of_files(error, {"logits": file, "vocab_size": file, "chosen": chosen_file, "mask": mask_file}) from None
    if as_json:
        terminal.echo_json(_document(records, file, limit))
    else:
        _print(records, file, TABLE_ROWS if limit is None else limit, chosen is not None)
    if plot is not None:
        _plot(records, plot, file)


def _of_files(error: InvalidLogits, files: dict[str, str | None]) -> InvalidLogits:
    """Return an error that names a file and an option where the library's names an argument."""
    text = str(error)
    argument = next((name for name in files if text.startswith(name)), "logits")
    return InvalidLogits(f"{files[argument]}: {text.replace('vocab_size', '--vocab-size')}")


def _measure(meter: Any, logits: HostLogits, chosen: npt.NDArray[Any] | None, mask: npt.NDArray[Any] | None, vocab_size: int | None) -> PhiRecords:
    """Return the records of all rows, measured block by block along the first dimension."""
    import numpy as np

    from ebmhw.backends.stop import Stop
    from ebmhw.phi import PhiRecords
    from ebmhw.phi.logits import HostLogits
    from ebmhw.phi.request import make_phi_request

    words, shape = logits.words, logits.shape
    # A block does not know the number of its first row: what is wrong with one is said of the whole.
    make_phi_request(logits, chosen, vocab_size, mask, Stop())
    if len(shape) < 2 or 0 in shape:
        records: PhiRecords = meter.phi(logits, chosen=chosen, vocab_size=vocab_size, mask=mask)
        return records
    if words.flags.c_contiguous:
        words = words.reshape(-1, shape[-1])
        chosen, mask = (None if array is None else array.reshape(-1) for array in (chosen, mask))
    step = max(1, _BLOCK_BYTES // (words[0].size * words.itemsize))
    parts = []
    with click.progressbar(length=len(words), label="measuring", file=sys.stderr, hidden=len(words) <= step or not sys.stderr.isatty()) as bar:
        for start in range(0, len(words), step):
            part = HostLogits(words[start : start + step], logits.source)
            given = {name: array[start : start + step] for name, array in (("chosen", chosen), ("mask", mask)) if array is not None}
            parts.append(meter.phi(part, vocab_size=vocab_size, **given))
            bar.update(len(part.words))
    array = np.concatenate([part.array for part in parts]).reshape(shape[:-1])
    array["job_id"] = np.arange(array.size, dtype=np.uint32).reshape(array.shape)
    timing = {name: sum(part.info["timing"][name] for part in parts) for name in ("run_s", "cpu_s")}
    # A block that is left out as a whole has less to say.
    info = max((part.info for part in parts), key=lambda part: int(part["rows"] > 0))
    return PhiRecords(array, info | {"rows": sum(part.info["rows"] for part in parts), "timing": timing})


def _means(records: PhiRecords) -> dict[str, float]:
    return {name: getattr(records, f"{name}_mean") for name in ("phi", "entropy_bits", "margin", "chosen_logprob")}


def _document(records: PhiRecords, file: str, limit: int | None) -> dict[str, Any]:
    """Return what --json prints: arrays over the rows in C order, null for what a row has not."""
    flat = records.reshape(-1)
    listed = flat if limit is None else flat[:limit]
    there = {"argmax": listed.valid > 0, "chosen": ~listed.flagged("no_choice"), "z1": listed.valid > 0, "z2": listed.valid > 1}
    return {
        "file": file,
        "shape": list(records.shape),
        **{name: value for name, value in records.info.items() if name != "timing"},
        "seconds": records.info["timing"]["run_s"],
        "means": {name: _or_null(value) for name, value in _means(records).items()},
        **({"shown": len(listed)} if len(listed) < len(flat) else {}),
        **{name: [_or_null(value) for value in getattr(listed, name).tolist()] for name in _FLOATS},
        **{name: getattr(listed, name) for name in _INTEGERS},
        "flag_names": [_flag_names(flags) for flags in listed.flags.tolist()],
        "mask": listed.mask,
        **{name: [value if has else None for value, has in zip(getattr(listed, name).tolist(), kept, strict=True)] for name, kept in there.items()},
    }


def _flag_names(flags: int) -> list[str]:
    from ebmhw.contract.phi_formats import FLAGS

    return [flag for bit, flag in enumerate(FLAGS) if flags >> bit & 1]


def _or_null(value: float) -> float | None:
    return None if math.isnan(value) else value


def _number(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _counted(number: int) -> str:
    return f"{number} row" + ("" if number == 1 else "s")


def _print(records: PhiRecords, file: str, limit: int, with_chosen: bool) -> None:
    """Print the table, the summary and phi along the rows."""
    import numpy as np

    flat = records.reshape(-1)
    names = [",".join(map(str, np.unravel_index(i, records.shape))) if records.shape else "0" for i in range(min(limit, len(flat)))]
    header = ("row", "phi", "entropy bits", "log Z nats", "argmax", "margin nats", *(("chosen", "log p nats") if with_chosen else ()), "flags")
    rows = []
    for name, row in zip(names, flat, strict=False):
        choice = ("-" if row.flagged("no_choice") else str(row.chosen), _number(float(row.chosen_logprob), 4)) if with_chosen else ()
        flags = [flag for flag in _flag_names(int(row.flags)) if with_chosen or flag != "no_choice"] if row.mask else ["left out"]
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
    info, means = records.info, _means(records)
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


def _plot(records: PhiRecords, path: str, title: str) -> None:
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
