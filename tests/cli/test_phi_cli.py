"""`ebmhw phi`: the library's figures from every kind of file, and one line for whatever is wrong with one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from ebmhw import get_backend
from ebmhw.cli import phi_file as module
from ebmhw.cli import terminal
from ebmhw.cli.main import main
from ebmhw.errors import InvalidFile
from ebmhw.phi import FLAG, PhiRecords
from ebmhw.phi.files import read_array, read_logits

RNG = np.random.default_rng(21)
X = RNG.normal(0, 3, (30, 50)).astype(np.float32)
CHOSEN = RNG.integers(0, 50, 30)
HEADER = ["row", "phi", "entropy bits", "log Z nats", "argmax", "margin nats", "chosen", "log p nats", "flags"]


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EBMHW_BACKEND", raising=False)
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)
    np.save("ids.npy", CHOSEN)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["phi", *map(str, arguments)])


def good(*arguments: object) -> dict[str, Any]:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    document = json.loads(result.stdout, parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))
    assert isinstance(document, dict)
    return document


def refused(*arguments: object) -> str:
    result = call(*arguments)
    assert result.exit_code == 2, (result.output, result.exception)
    assert isinstance(result.exception, SystemExit) and result.stdout == ""
    (said,) = (line for line in result.stderr.splitlines() if line.startswith(("ebmhw: ", "Error: ")))
    return said


def assert_documents(document: dict[str, Any], records: PhiRecords) -> None:
    """A document has what records have."""
    flat = records.reshape(-1)
    assert document["shape"] == list(records.shape)
    for name in ("phi", "entropy_bits", "log_z", "margin", "chosen_logprob", "phi_q20", "flags", "valid", "mask"):
        got = np.array([np.nan if value is None else value for value in document[name]])
        assert np.array_equal(got, getattr(flat, name), equal_nan=True), name
    for name, none in (("argmax", 2**32 - 1), ("chosen", 2**32 - 1), ("z1", None), ("z2", -(2**31))):
        missing = ~np.isfinite(flat.phi) if none is None else getattr(flat, name) == none
        missing |= (flat.valid < 2) & (name == "z2")
        assert document[name] == [None if gone else int(value) for value, gone in zip(getattr(flat, name), missing, strict=True)], name
    assert document["flag_names"] == [[name for name in FLAG if row.flagged(name)] for row in flat]
    mean = document["means"]["phi"]
    assert mean == records.phi_mean if mean is not None else np.isnan(records.phi_mean)


def test_every_kind_of_file() -> None:
    wanted = get_backend("cpu").phi(X, chosen=CHOSEN)
    np.savez("x.npz", logits=X, other=X[:3], ids=CHOSEN)
    np.savez_compressed("one.npz", anything=X)
    from safetensors.numpy import save_file

    save_file({"logits": X, "chosen": CHOSEN}, "x.safetensors", metadata={"a": "b"})
    for arguments in (
        ("x.npy", "--chosen", "ids.npy"),
        ("x.npz", "--chosen", "x.npz", "--chosen-key", "ids"),
        ("x.npz", "--key", "logits", "--chosen", "ids.npy", "--backend", "golden"),
        ("one.npz", "--chosen", "ids.npy", "--threads", 2),
        ("x.safetensors", "--chosen", "x.safetensors"),
    ):
        document = good(*arguments)
        assert_documents(document, wanted)
        assert document["backend"] == ("golden" if "golden" in arguments else "cpu") and document["source"] == "float32"
    assert_documents(good("x.npz", "--key", "other"), get_backend("cpu").phi(X[:3]))


def test_every_format_of_safetensors_and_dimensions() -> None:
    import ml_dtypes
    from safetensors.numpy import save_file

    for dtype in (np.float16, np.float32, np.float64, ml_dtypes.bfloat16):
        x = X.reshape(2, 3, 5, 50).astype(dtype)
        save_file({"a": np.zeros((2, 2), dtype), "logits": x}, "f.safetensors")
        logits = read_logits("f.safetensors")
        assert not logits.words.flags.owndata and logits.shape == x.shape and logits.source == np.dtype(dtype).name
        assert_documents(good("f.safetensors", "--vocab-size", 49), get_backend("cpu").phi(x, vocab_size=49))
    for shape in ((50,), (0, 50), (4, 0, 50)):
        x = np.zeros(shape, np.float32)
        save_file({"x": x}, "s.safetensors")
        assert_documents(good("s.safetensors"), get_backend("cpu").phi(x))


def test_bfloat16_in_npy() -> None:
    import ml_dtypes

    half = X.astype(ml_dtypes.bfloat16)
    np.save("half.npy", half)
    np.save("words.npy", half.view(np.uint16))
    assert "16-bit words of no named format; if they are bfloat16 say so (--bfloat16)" in refused("half.npy")
    assert refused("words.npy").startswith(
        "ebmhw: words.npy: logits have dtype 'uint16'; if they are words of bfloat16, say so (--bfloat16), else store"
    )
    for name in ("half.npy", "words.npy"):
        assert_documents(good(name, "--bfloat16"), get_backend("cpu").phi(half))
    assert "not 16-bit words of bfloat16" in refused("x.npy", "--bfloat16")


@pytest.mark.parametrize("block", [1, 4000, 2**26])
def test_blocks_do_not_show(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_BYTES", block)
    x, ids = X.reshape(5, 6, 50), CHOSEN.reshape(5, 6)
    for name, array in (("c", x), ("f", np.asfortranarray(x)), ("foreign", x.astype(">f4"))):
        np.save(f"{name}.npy", array)
        np.save("ids3.npy", ids)
        assert_documents(good(f"{name}.npy", "--chosen", "ids3.npy"), get_backend("cpu").phi(x, chosen=ids))
    assert_documents(good("x.npy"), get_backend("cpu").phi(X))
    ids[3, 4] = 50
    np.save("bad.npy", ids)
    assert "bad.npy: chosen of row (3, 4) is 50" in refused("foreign.npy", "--chosen", "bad.npy")
    ids[3, 4] = 0
    mask = RNG.random((5, 6)) < 0.5
    mask[0] = False
    np.save("mask.npy", mask)
    document = good("foreign.npy", "--chosen", "ids3.npy", "--mask", "mask.npy")
    assert_documents(document, get_backend("cpu").phi(x, chosen=ids, mask=mask))
    assert document["rows"] == mask.sum() and document["instruction_set"]
    assert document["flag_names"][0] == ["empty", "no_choice"] and not any(document["mask"][:6])
    np.save("single.npy", X[0])
    assert_documents(good("single.npy"), get_backend("cpu").phi(X[0]))


def test_the_table() -> None:
    x = X.copy()
    x[1], x[2, 7], x[3, 0] = -np.inf, np.nan, 3000
    np.save("y.npy", x)
    result = call("y.npy", "--chosen", "ids.npy", "--limit", 4)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert re.split(r"  +", lines[0].strip()) == HEADER
    r = get_backend("cpu").phi(x, chosen=CHOSEN)
    cells = re.split(r"  +", lines[2].strip())
    assert cells[:5] == ["0", f"{r.phi[0]:.6f}", f"{r.entropy_bits[0]:.4f}", f"{r.log_z[0]:.4f}", str(r.argmax[0])]
    assert re.split(r"  +", lines[3].strip()) == ["1", "-", "-", "-", "-", "-", "-", "-", "empty no_choice"]
    plain = call("y.npy", "--limit", 4).stdout.splitlines()
    assert re.split(r"  +", plain[0].strip()) == [name for name in HEADER if name not in ("chosen", "log p nats")]
    assert re.split(r"  +", plain[3].strip()) == ["1", "-", "-", "-", "-", "-", "empty"] and not any("log p" in line for line in plain)
    assert lines[4].endswith("excluded") and lines[5].endswith("clip_hi") and lines[6] == "... 26 more rows"
    (summary,) = (line for line in lines if line.startswith("y.npy: "))
    assert f"30 rows of 50 entries, float32, mean phi {r.phi_mean:.6f}, mean entropy {r.entropy_bits_mean:.4f} bits, " in summary
    assert f", mean log p {r.chosen_logprob_mean:.4f} nats, " in summary and "1 empty, 1 excluded, 1 clip_hi" in summary
    assert "phi along the rows" in lines and all(len(line) <= 80 for line in lines[lines.index("phi along the rows") :])


def test_the_plot_is_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in (40, 120):
        monkeypatch.setenv("COLUMNS", str(columns))
        np.save("long.npy", RNG.normal(0, 3, (500, 20)))
        lines = call("long.npy", "--limit", 0).stdout.splitlines()
        assert max(map(len, lines[lines.index("phi along the rows") + 1 :])) == columns
        assert lines[0] == "500 rows" and not any("argmax" in line for line in lines)


def test_rows_have_their_index_in_all_dimensions() -> None:
    np.save("z.npy", X.reshape(2, 15, 50))
    lines = call("z.npy").stdout.splitlines()
    assert lines[2].startswith("0,0 ") and lines[17].startswith("1,0 ") and lines[22] == "... 10 more rows"
    document = good("z.npy", "--limit", 3)
    assert document["shown"] == len(document["phi"]) == len(document["mask"]) == 3
    assert len(good("z.npy")["phi"]) == 30 and "shown" not in good("z.npy")
    np.save("one.npy", X[0])
    assert "one.npy: 1 row of 50 entries" in call("one.npy").stdout and "... 1 more row\n" in call("x.npy", "--limit", 29).stdout


def test_rows_that_a_mask_leaves_out() -> None:
    from safetensors.numpy import save_file

    mask = np.arange(30) % 3 > 0
    np.save("mask.npy", mask)
    np.savez("masks.npz", mask=mask.astype(np.uint8), other=~mask)
    save_file({"mask": mask}, "mask.safetensors")
    for options, kept in (
        (("mask.npy",), mask),
        (("masks.npz",), mask),
        (("masks.npz", "--mask-key", "other"), ~mask),
        (("mask.safetensors",), mask),
    ):
        assert_documents(good("x.npy", "--mask", *options), get_backend("cpu").phi(X, mask=kept))
    text = call("x.npy", "--mask", "mask.npy").stdout
    assert text.splitlines()[2].split() == ["0", "-", "-", "-", "-", "-", "left", "out"]
    assert ", 10 left out, " in text and "empty" not in text


def test_sequences_have_a_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    for shape, names in (((3, 10), ["0", "1", "2"]), ((10, 3), list("01234567")), ((2, 3, 5), ["0,0", "0,1", "0,2", "1,0", "1,1", "1,2"])):
        x = X.reshape(*shape, 50).copy()
        x[(0,) * len(shape)] = np.nan
        np.save("b.npy", x)
        text = call("b.npy", "--limit", 0).stdout
        heading, *lines = text[text.index("phi along") :].splitlines()
        drawn = [line.split("|") for line in lines if "|" in line]
        assert [name.strip() for name, _ in drawn] == names and drawn[0][1][0] == " "
        assert all(len(line) == shape[-1] for _, line in drawn)
        assert heading == "phi along the rows" + (", the first 8 of 10 sequences" if shape[0] == 10 else "")
        phi = get_backend("cpu").phi(x).phi.reshape(-1, shape[-1])[:8]
        assert lines[-1].split() == [f"{np.nanmin(phi):.6g}", "(▁)", "to", f"{np.nanmax(phi):.6g}", "(█)"]
        top = [line.index("█") for _, line in drawn if "█" in line]
        assert top == [int(np.nanargmax(phi)) % shape[-1]]
    for shape in ((1, 30), (30, 1)):
        np.save("b.npy", X.reshape(*shape, 50))
        assert terminal.chart(get_backend("cpu").phi(X).phi.tolist(), width=46) in call("b.npy").stdout


def test_an_array_without_rows_or_without_entries_that_count() -> None:
    np.save("none.npy", np.zeros((0, 5)))
    assert "0 rows of 5 entries, float64, mean phi -" in call("none.npy").stdout
    np.save("empty.npy", np.full((2, 5), -np.inf))
    assert "mean phi -, 2 empty" in call("empty.npy").stdout
    assert good("empty.npy")["means"]["phi"] is None


def test_plot_is_a_picture() -> None:
    pytest.importorskip("matplotlib")
    x = X.copy()
    x[4] = np.nan
    np.save("y.npy", x)
    for options in ((), ("--json",)):
        result = call("y.npy", "--plot", "p.png", *options)
        assert result.exit_code == 0 and "wrote p.png" in result.stderr
        assert Path("p.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        Path("p.png").unlink()
    for shape, said in (((3, 10), ""), ((10, 3), ", the first 8 of 10 sequences")):
        np.save("b.npy", x.reshape(*shape, 50))
        assert call("b.npy", "--plot", "p.png").stderr.strip() == f"wrote p.png{said}"
    Path("p.png").unlink()
    np.save("none.npy", np.full((3, 5), -np.inf))
    result = call("none.npy", "--plot", "p.png")
    assert result.exit_code == 0 and result.stderr == "p.png is not written: no row has a phi to draw\n" and not Path("p.png").exists()
    x[:24] = np.nan
    np.save("late.npy", x.reshape(10, 3, 50))
    result = call("late.npy", "--plot", "p.png")
    assert "no row has a phi to draw, the first 8 of 10 sequences" in result.stderr and "phi along" not in result.stdout
    assert "--plot p.pdf does not end in .png" in refused("x.npy", "--plot", "p.pdf")
    assert "--plot no/p.png cannot be written" in refused("x.npy", "--plot", "no/p.png")


def test_a_plot_without_matplotlib_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    assert "--plot needs matplotlib: pip install 'ebmhw[plots]'" in refused("x.npy", "--plot", "p.png")


def header(text: str, data: bytes = b"") -> bytes:
    return len(text).to_bytes(8, "little") + text.encode() + data


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.txt", b"1 2", "a.txt: it ends in .txt; give one of .npy, .npz, .safetensors"),
        ("a", b"", "it ends in nothing"),
        ("a.npy", b"", "a.npy: it is empty; save the array with numpy.save"),
        ("a.npy", b"1.0 2.0\n", "a.npy: it does not begin as a .npy file; save the array with numpy.save"),
        ("a.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f4'}", "a.npy: it is cut off, or its header is damaged ("),
        ("a.npy", b"\x93NUMPY\x01", "a.npy: it is cut off, or its header is damaged ("),
        ("a.npz", b"PK\x03\x04", "a.npz: it is no .npz archive, or is cut off; save the arrays"),
        ("a.npz", b"no archive", "a.npz: it is no .npz archive, or is cut off; save the arrays"),
        ("a.safetensors", b"", "its header of 0 bytes does not fit into it"),
        ("a.safetensors", b"\xff" * 20, "does not fit into it"),
        ("a.safetensors", header("no json"), "a.safetensors: Expecting value"),
        ("a.safetensors", header("[1]"), "its header is no mapping"),
        ("a.safetensors", header("{}"), "give the key of one of its arrays: none"),
        ("a.safetensors", header('{"x": {"dtype": "F32"}}'), "its header does not describe 'x' (KeyError('shape'))"),
        ("a.safetensors", header('{"x": 3}'), "its header does not describe 'x'"),
        ("a.safetensors", header('{"x": {"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]}}', b"1"), "'x' has dtype 'F8_E4M3'"),
        ("a.safetensors", header('{"x": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 12]}}', b"1" * 12), "12 of 'x' are not (2, 2) of F32"),
        ("a.safetensors", header('{"x": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}}', b"1" * 7), "8 of 'x' are not (1, 2) of F32"),
        ("a.safetensors", header('{"x": {"dtype": "F32", "shape": [-1, -2], "data_offsets": [0, 8]}}', b"1" * 8), "are not (-1, -2) of F32"),
    ],
)  # fmt: skip
def test_bad_files(name: str, content: bytes, text: str) -> None:
    Path(name).write_bytes(content)
    assert text in (said := refused(name)) and said.endswith("[invalid-file]")


def test_other_wrong_use() -> None:
    assert "missing.npy: there is no such file; check the path" in refused("missing.npy")
    Path("folder.npy").mkdir()
    assert "folder.npy: " in refused("folder.npy")
    np.savez("two.npz", a=X, b=X)
    assert "does not say which array is meant; give the key of one of its arrays: a, b" in refused("two.npz")
    assert "it has no array 'c'; give the key of one of its arrays: a, b" in refused("two.npz", "--key", "c")
    assert "leave the key 'c' out" in refused("x.npy", "--key", "c")
    np.save("objects.npy", np.array([{"a": 1}], dtype=object))
    assert "objects.npy: its entries are objects of Python; save an array of plain numbers" in refused("objects.npy")
    np.savez("objects.npz", np.array([{"a": 1}], dtype=object))
    assert "objects.npz: the entries of 'arr_0' are objects of Python; save" in refused("objects.npz")
    Path("cut.npy").write_bytes(Path("x.npy").read_bytes()[:-1])
    assert "cut.npy: it is cut off, or its header is damaged (" in refused("cut.npy")
    np.save("ints.npy", np.zeros((2, 3), int))
    assert refused("ints.npy") == "ebmhw: ints.npy: logits have dtype 'int64'; store them as float16, bfloat16, float32 or float64 [invalid-logits]"
    np.save("ids.npy", np.arange(30) + 30)
    assert "ebmhw: ids.npy: chosen of row 20 is 50; give a token id from 0 to 49" in refused("x.npy", "--chosen", "ids.npy")
    np.save("ids.npy", np.arange(29))
    assert "ebmhw: ids.npy: chosen has shape (29,), but the logits have rows of shape (30,)" in refused("x.npy", "--chosen", "ids.npy")
    assert "ebmhw: ids.npy: mask has shape (29,), but" in refused("x.npy", "--mask", "ids.npy")
    np.save("ids.npy", np.arange(30))
    assert "ebmhw: ids.npy: mask holds 2; give True (measure" in refused("x.npy", "--mask", "ids.npy")
    assert "--mask-key names an array of the file of --mask" in refused("x.npy", "--mask-key", "a")
    assert "ebmhw: x.npy: --vocab-size is 51; give a whole number from 2 to 50" in refused("x.npy", "--vocab-size", 51)
    assert "--chosen-key names an array of the file of --chosen" in refused("x.npy", "--chosen-key", "a")
    assert "there is no backend 'gpu'" in refused("x.npy", "--backend", "gpu")
    with pytest.raises(InvalidFile, match=re.escape("x.npy: a .npy file has one array without a name")):
        read_array("x.npy", "key", "logits")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
def test_files_larger_than_memory() -> None:
    """A file of 1 GiB (a hole, so it takes no space) within 0.6 GiB of memory of its own."""
    array = np.lib.format.open_memmap("big.npy", mode="w+", dtype=np.float16, shape=(2**12, 2**17))
    array[-1, 3] = 9
    del array
    code = (
        "import resource, sys; from ebmhw.cli.main import main\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (600 << 20, 600 << 20))\n"
        "main(['phi', 'big.npy', '--vocab-size', '16', '--json', '--threads', '1'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=os.environ)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert len(document["phi"]) == 2**12 and document["argmax"][-1] == 3 and set(document["argmax"][:-1]) == {0}
    Path("big.npy").unlink()
