"""`ebmhw phi FILE`: entropy, phi and the chosen token's probability along the rows of a file of logits."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ebmhw.cli import options, terminal
from ebmhw.cli.phi_table import flag_names, means_of, plot_rows, print_table
from ebmhw.errors import InvalidLogits

if TYPE_CHECKING:
    import numpy.typing as npt

    from ebmhw.phi import PhiRecords
    from ebmhw.phi.logits import HostLogits

TABLE_ROWS = 20
"""Rows of the table where no --limit is given."""

_BLOCK_BYTES = 64 << 20
"""Logits between two steps of the progress bar; some 20 ms of reading a file that is not in memory yet."""

_FLOATS = ("phi", "entropy_bits", "log_z", "margin", "chosen_logprob")
_INTEGERS = ("phi_q20", "entropy_q20", "log_z_q20", "chosen_log2p_q20", "flags", "valid", "masked", "excluded")


class FileOptions(NamedTuple):
    """What is asked of a file; see `ebmhw phi --help`."""

    key: str | None
    bfloat16: bool
    chosen: str | None
    chosen_key: str | None
    mask: str | None
    mask_key: str | None
    vocab_size: int | None


def measure_file(
    file: str, asked: FileOptions, backend: str | None, threads: int | None, limit: int | None, as_json: bool, plot: str | None, html: str | None
) -> None:
    """Measure the rows of a file, and print and write what is asked for."""
    from ebmhw.phi.files import read_array, read_logits

    for option, array_key, array_file in (("--chosen", asked.chosen_key, asked.chosen), ("--mask", asked.mask_key, asked.mask)):
        if array_key is not None and array_file is None:
            raise click.UsageError(f"{option}-key names an array of the file of {option}; give that too")
    meter = options.backend_of(backend, threads)
    logits = read_logits(file, asked.key, asked.bfloat16)
    chosen = None if asked.chosen is None else read_array(asked.chosen, asked.chosen_key, "chosen").array
    mask = None if asked.mask is None else read_array(asked.mask, asked.mask_key, "mask").array
    try:
        records = _measure(meter, logits, chosen, mask, asked.vocab_size)
    except InvalidLogits as error:
        raise _of_files(error, {"logits": file, "vocab_size": file, "chosen": asked.chosen, "mask": asked.mask}) from None
    if as_json:
        terminal.echo_json(_document(records, file, limit))
    else:
        print_table(records, file, TABLE_ROWS if limit is None else limit, chosen is not None)
    if plot is not None:
        plot_rows(records, plot, file)
    if html is not None:
        _write_page(records, html, file, chosen)


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
        "means": {name: _or_null(value) for name, value in means_of(records).items()},
        **({"shown": len(listed)} if len(listed) < len(flat) else {}),
        **{name: [_or_null(value) for value in getattr(listed, name).tolist()] for name in _FLOATS},
        **{name: getattr(listed, name) for name in _INTEGERS},
        "flag_names": [flag_names(flags) for flags in listed.flags.tolist()],
        "mask": listed.mask,
        **{name: [value if has else None for value, has in zip(getattr(listed, name).tolist(), kept, strict=True)] for name, kept in there.items()},
    }


def _or_null(value: float) -> float | None:
    return None if math.isnan(value) else value


def _write_page(records: PhiRecords, path: str, file: str, chosen: npt.NDArray[Any] | None) -> None:
    """Write a page of the sequences, with the chosen ids, or else the numbers of the rows, for texts."""
    import numpy as np

    from ebmhw.coherence.order import dispersion_index, regime
    from ebmhw.coherence.page import Sheet, write_page
    from ebmhw.coherence.trace import CoherenceTrace

    entries = int(records.info["entries"])
    shape = records.shape[:-1]
    rows = records.reshape(math.prod(shape), -1) if 0 not in records.shape else records.reshape(0, 0)
    ids = None if chosen is None else np.asarray(chosen, dtype=np.int64).reshape(rows.shape)
    sheets = []
    for number in range(len(rows)):
        tokens = None if ids is None else ids[number]
        trace = CoherenceTrace.from_records(rows[number], entries, sample_idx=number, token_ids=tokens)
        texts = [f"{text} " for text in (range(trace.n_tokens) if tokens is None else tokens.tolist())]
        name = f"sequence {','.join(map(str, np.unravel_index(number, shape)))}" if len(rows) > 1 else None
        sheets.append(Sheet(trace, texts, None, name, dispersion_index(trace), regime(trace)))
    said = "the token ids that were chosen" if ids is not None else "the numbers of the rows"
    write_page(path, sheets, file, [f"{records.info['rows']:,} rows of {entries:,} entries, {records.info['source']}", f"texts are {said}"])
    click.echo(f"wrote {path}", err=True)
