"""`ebmhw phi`: entropy, phi and the chosen token's probability along the rows of a file of logits."""

from __future__ import annotations

import math
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from ebmhw.cli import options, terminal
from ebmhw.files import write_whole

if TYPE_CHECKING:
    import numpy.typing as npt

    from ebmhw.phi import PhiRecords
    from ebmhw.phi.logits import HostLogits

TABLE_ROWS = 20
"""Rows of the table where no --limit is given."""

_BLOCK_BYTES = 64 << 20
"""Logits between two steps of the progress bar; some 20 ms of reading a file that is not in memory yet."""

_FLOATS = ("phi", "entropy_bits", "log_z", "margin", "chosen_logprob")
_INTEGERS = ("phi_q20", "entropy_q20", "log_z_q20", "chosen_log2p_q20", "flags", "valid", "masked", "excluded", "argmax", "chosen")


@click.command()
@click.argument("file", type=click.Path())
@options.backend_option
@options.threads_option
@click.option("--key", metavar="NAME", help="Array of a .npz or .safetensors file.  [default: logits, else the only one]")
@click.option("--bfloat16", is_flag=True, help="16-bit words of FILE are bfloat16, which .npy files do not know.")
@click.option("--chosen", "chosen_file", type=click.Path(), metavar="FILE", help="Token ids, integers, one a row; -100 for none.")
@click.option("--chosen-key", metavar="NAME", help="Array of that file.  [default: chosen, else the only one]")
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
    vocab_size: int | None,
    limit: int | None,
    as_json: bool,
    plot: str | None,
) -> None:
    """Measure the rows of FILE, logits (..., tokens, vocabulary) in a .npy, .npz or .safetensors file.

    phi is 1 - H / log2 V: 0 for a uniform distribution, 1 for certainty.
    """
    from ebmhw.phi.files import read_array, read_logits

    if plot is not None:
        terminal.figure_class()
    terminal.check_writable("--plot", plot)
    if chosen_key is not None and chosen_file is None:
        raise click.UsageError("--chosen-key names an array of the file of --chosen; give that too")
    meter = options.backend_of(backend, threads)
    logits = read_logits(file, key, bfloat16)
    chosen = None if chosen_file is None else read_array(chosen_file, chosen_key, "chosen").array
    records = _measure(meter, logits, chosen, vocab_size)
    if as_json:
        terminal.echo_json(_document(records, file, limit))
    else:
        _print(records, file, TABLE_ROWS if limit is None else limit)
    if plot is not None:
        _plot(records, plot, file)


def _measure(meter: Any, logits: HostLogits, chosen: npt.NDArray[Any] | None, vocab_size: int | None) -> PhiRecords:
    """Return the records of all rows, measured block by block along the first dimension."""
    import numpy as np

    from ebmhw.phi import PhiRecords
    from ebmhw.phi.logits import HostLogits

    words, shape = logits.words, logits.shape
    if len(shape) < 2 or 0 in shape or (chosen is not None and chosen.shape != shape[:-1]):
        records: PhiRecords = meter.phi(logits, chosen=chosen, vocab_size=vocab_size)
        return records
    if words.flags.c_contiguous:
        words = words.reshape(-1, shape[-1])
        chosen = None if chosen is None else chosen.reshape(-1)
    step = max(1, _BLOCK_BYTES // (words[0].size * words.itemsize))
    parts = []
    with click.progressbar(length=len(words), label="measuring", file=sys.stderr, hidden=len(words) <= step or not sys.stderr.isatty()) as bar:
        for start in range(0, len(words), step):
            part = HostLogits(words[start : start + step], logits.source)
            parts.append(meter.phi(part, chosen=None if chosen is None else chosen[start : start + step], vocab_size=vocab_size))
            bar.update(len(part.words))
    array = np.concatenate([part.array for part in parts]).reshape(shape[:-1])
    array["job_id"] = np.arange(array.size, dtype=np.uint32).reshape(array.shape)
    timing = {name: sum(part.info["timing"][name] for part in parts) for name in ("run_s", "cpu_s")}
    return PhiRecords(array, parts[0].info | {"rows": array.size, "timing": timing})


def _means(records: PhiRecords) -> dict[str, float]:
    return {name: getattr(records, f"{name}_mean") for name in ("phi", "entropy_bits", "margin", "chosen_logprob")}


def _document(records: PhiRecords, file: str, limit: int | None) -> dict[str, Any]:
    """Return what --json prints: arrays over the rows in C order, null for what a row has not."""
    flat = records.reshape(-1)
    listed = flat if limit is None else flat[:limit]
    return {
        "file": file,
        "shape": list(records.shape),
        **{name: value for name, value in records.info.items() if name != "timing"},
        "seconds": records.info["timing"]["run_s"],
        "means": {name: _or_null(value) for name, value in _means(records).items()},
        **{name: [_or_null(value) for value in getattr(listed, name).tolist()] for name in _FLOATS},
        **{name: getattr(listed, name) for name in _INTEGERS},
    }


def _or_null(value: float) -> float | None:
    return None if math.isnan(value) else value


def _number(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _print(records: PhiRecords, file: str, limit: int) -> None:
    """Print the table, the summary and phi along the rows."""
    import numpy as np

    from ebmhw.contract.phi_formats import FLAGS

    flat = records.reshape(-1)
    names = [",".join(map(str, np.unravel_index(i, records.shape))) if records.shape else "0" for i in range(min(limit, len(flat)))]
    rows = []
    for name, row in zip(names, flat, strict=False):
        flags = " ".join(flag for bit, flag in enumerate(FLAGS) if int(row.flags) >> bit & 1)
        empty = bool(row.flagged("empty"))
        rows.append(
            (
                name,
                _number(float(row.phi), 6),
                _number(float(row.entropy_bits), 4),
                _number(float(row.log_z), 4),
                "-" if empty else str(row.argmax),
                _number(float(row.margin), 4),
                "-" if row.flagged("no_choice") else str(row.chosen),
                _number(float(row.chosen_logprob), 4),
                flags,
            )
        )
    if rows:
        click.echo(terminal.table(rows, ("row", "phi", "entropy bits", "log Z", "argmax", "margin", "chosen", "log p", "flags")))
    if len(flat) > len(rows):
        click.echo(f"... {len(flat) - len(rows)} more rows" if rows else f"{len(flat)} rows")
    info, means = records.info, _means(records)
    said = [f"{len(flat)} rows of {info['entries']} entries, {info['source']}"]
    said += [f"mean {label} {_number(means[name], digits)}" for label, name, digits in (("phi", "phi", 6), ("entropy", "entropy_bits", 4))]
    if not math.isnan(means["chosen_logprob"]):
        said.append(f"mean log p {means['chosen_logprob']:.4f}")
    said += [f"{int(flat.flagged(flag).sum())} {flag}" for flag in ("empty", "excluded", "clip_hi", "clip_lo") if flat.flagged(flag).any()]
    said.append(f"{info['timing']['run_s']:.3g} s on {info['backend']}")
    click.echo(("\n" if rows else "") + f"{file}: " + ", ".join(said))
    if len(flat) > 1 and not np.isnan(flat.phi).all():
        click.echo("\nphi along the rows")
        click.echo(terminal.chart(flat.phi.tolist(), width=max(10, shutil.get_terminal_size().columns - 14)))


def _plot(records: PhiRecords, path: str, title: str) -> None:
    import numpy as np

    flat = records.reshape(-1)
    figure = terminal.figure_class()(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    # Dots too: a row between two empty ones has no line.
    axes.plot(np.arange(len(flat)), flat.phi, color="#b5482e", marker=".", markersize=3, linewidth=1)
    axes.set(xlabel="row", ylabel="phi", title=title, ylim=(-0.02, 1.02))
    axes.grid(alpha=0.3)
    write_whole(path, lambda stream: figure.savefig(stream, format="png", dpi=120))
    click.echo(f"wrote {path}", err=True)
