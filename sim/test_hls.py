"""The phi unit's twin for Vitis HLS: its C simulation, compiled here, answers as the golden model does."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ebmhw.contract.phi_formats import ENTRIES_LIMIT, FORMATS, inverse_log2
from ebmhw.contract.phi_unit import JOB_BYTES, JOBS, RESULT_BYTES, RESULTS
from ebmhw.golden.arrays import NumpyArrays
from ebmhw.golden.phi import record_of, sums_of
from hdl.phi_unit.hls import headers
from sim import phi_hls
from sim.bad_tokens import damaged
from sim.phi_hls import Fault, answers, bad_batches, golden_answers, planted, play, random_batches, simulation, sources, stream_of
from sim.phi_model import float32_bits
from sim.seeds import SEEDS

Compared = Callable[[str, str, int], None]

try:
    phi_hls.type_headers()
    MISSING = ""
except FileNotFoundError as error:
    MISSING = str(error)

# "make sim" installs them and says that they must be there.
needs_types = pytest.mark.skipif(bool(MISSING) and "EBMHW_REQUIRE_HLS" not in os.environ, reason=MISSING)

KERNEL = {name: text for name, text in sources().items() if "/" not in name and name != "testbench.cpp"}


def agree(batches: Sequence[bytes], program: Path | None = None, entries_max: int = ENTRIES_LIMIT) -> None:
    """Fail unless the C simulation answers batches as the golden model does, byte for byte."""
    due = golden_answers(batches, entries_max)
    for number, (batch, found, wanted) in enumerate(zip(batches, answers(batches, program), due, strict=True)):
        assert found == wanted, f"batch {number}, of {len(batch)} bytes, is answered {RESULTS.decode(found)}, not {RESULTS.decode(wanted)}"


@needs_types
@pytest.mark.parametrize("seed", SEEDS)
def test_tokens_are_answered_as_the_golden_model_does(seed: int, compared: Compared) -> None:
    agree(random_batches(Random(seed), 2000, often=0.997))
    compared(f"phi twin {seed}", "g++, sanitized", 2000)


@needs_types
def test_a_row_of_every_format_over_all_lanes_and_bins_is_added_up() -> None:
    random = Random(2)
    some = np.random.default_rng(2)
    batches = []
    for code in range(len(FORMATS)):
        values = some.normal(0, 20, 1 << 18).astype(np.float32)
        entries = values.astype(np.float16).view(np.uint16) if code == 0 else values.view(np.uint32) >> 16 if code == 1 else values.view(np.uint32)
        rows = entries.reshape(1, -1)
        batches.append(packets(rows.astype(np.uint16 if code < 2 else np.uint32), code, first=random.getrandbits(32)).tobytes())
    agree(batches)


@needs_types
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_wrong_with_a_packet_is_told(seed: int) -> None:
    random = Random(seed)
    agree(bad_batches(random) + [b"".join(damaged(random, ENTRIES_LIMIT, number) for _ in range(3)) for number in range(300)])


@needs_types
@pytest.mark.slow
def test_a_smaller_unit_refuses_what_it_has_no_room_for() -> None:
    random = Random(3)
    program = simulation(entries_max=256)
    agree(random_batches(random, 1000, 256) + bad_batches(random, 256) + random_batches(random, 100), program, 256)


def inputs(code: int) -> npt.NDArray[Any]:
    """Return all inputs of a 16-bit format; of float32 every exponent with mantissas of all kinds, and values around the ties of xf."""
    if FORMATS[code] != "float32":
        return np.arange(1 << 16, dtype=np.uint16)
    some = np.random.default_rng(4)
    heads = np.arange(1 << 9, dtype=np.uint32) << 23
    mantissas = np.concatenate([[0, 1, 1 << 22, (1 << 23) - 1], some.integers(0, 1 << 23, 28)]).astype(np.uint32)
    ties = (some.integers(-(1 << 27), 1 << 27, 8192) * 2.0**-15).astype(np.float32).view(np.uint32)
    beside = ties + some.integers(-1, 2, ties.size).astype(np.uint32)
    return np.concatenate([(heads[:, None] | mantissas).reshape(-1), ties, beside])


def packets(rows: npt.NDArray[Any], code: int, first: int = 0) -> npt.NDArray[np.uint32]:
    """Return token packets of rows (n, V) of bits as words (n, ...); each chooses its second entry, and job ids count from ``first``."""
    count, size = rows.shape
    raw = rows.view(np.uint8).reshape(count, -1)
    body = np.pad(raw, ((0, 0), (0, -raw.shape[1] % JOB_BYTES))).view("<u4")
    token = JOBS.layout("token")
    beats = body.shape[1] * 4 // JOB_BYTES
    head = token.encode(
        {"job_id": 0, "entries": size, "inverse": inverse_log2(size), "format": code, "partial": 0, "chosen": 1, "first_entry": 0, "beat": []}
    )
    words = np.tile(np.frombuffer(head, dtype="<u4"), (count, 1))
    for name, value in (("job_id", np.arange(first, first + count)), ("beats", beats), ("length", token.words({"beats": beats}))):
        words[:, token.bit_offset(name) // 32] = value
    return np.concatenate([words, body], axis=1)


def records(rows: npt.NDArray[Any], code: int) -> npt.NDArray[np.uint32]:
    """Return what `packets` of rows are to be answered, as words (n, 18)."""
    count, size = rows.shape
    arrays, layout = NumpyArrays(), RESULTS.layout("record")
    record = record_of(arrays, sums_of(arrays, float32_bits(rows, code), np.ones(count, dtype=np.int64)), inverse_log2(size))
    values = {"job_id": np.arange(count), **record._asdict()}
    head = np.frombuffer(layout.encode(dict.fromkeys(values, 0)), dtype="<u4")
    words = np.tile(head, (count, 1))
    for field in layout.fields:
        word = layout.bit_offset(field.name) // 32
        bits = np.asarray(values[field.name]).astype("<i8").view("<u4").reshape(-1, 2)
        words[:, word : word + field.bits // 32] = bits[:, : field.bits // 32]
    return words


@needs_types
@pytest.mark.parametrize("code", range(len(FORMATS)), ids=FORMATS)
def test_every_input_is_taken_for_what_it_is(code: int) -> None:
    # Rows of two: z1 and z2 show both, but for those that are not finite, which flags and counts show.
    rows = np.random.default_rng(5).permutation(inputs(code)).reshape(-1, 2)
    due = records(rows, code)
    (found,) = answers([packets(rows, code).tobytes()])
    wrong = np.flatnonzero((np.frombuffer(found, dtype="<u4").reshape(due.shape) != due).any(axis=1))
    assert not wrong.size, f"{wrong.size} rows of {FORMATS[code]} are wrong, first {[hex(bits) for bits in rows[wrong[0]].tolist()]}"


def test_the_records_of_a_format_are_those_of_the_model() -> None:
    rows = np.random.default_rng(7).integers(0, 1 << 16, (50, 2), dtype=np.uint16)
    assert b"".join(golden_answers([packets(rows, 0).tobytes()])) == records(rows, 0).tobytes()


FAULTS = [
    Fault("bins.hpp", "age = DELAY - 1; age >= 0", "age = DELAY - 2; age >= 0"),
    Fault("finish.hpp", "log2_s - mean_of(mantissa, scaled)", "log2_s - (mean_of(mantissa, scaled) + 1)"),
    Fault("entry.hpp", "- (rest ? 1 : 0)", "- (rest && whole == 0 ? 1 : 0)"),
    Fault("accumulate.hpp", "last = second.last != 0;", "last = ends && second.last != 0;"),
    Fault("bins.hpp", "turn > old.turn", "turn != old.turn"),
    Fault("bins.hpp", "if (counts) {", "if (counts || true) {"),
    Fault(
        "accumulate.hpp",
        "for (int age = 0; age < DELAY; ++age) {\n#pragma HLS PIPELINE",
        "for (int age = 1; age < DELAY; ++age) {\n#pragma HLS PIPELINE",
    ),
    Fault("extremes.hpp", "other.key > first.key", "other.key >= first.key"),
    Fault("extremes.hpp", "!winner.second || loser.z1 > winner.z2", "!winner.second"),
    Fault("entry.hpp", "(floored + 1) >> 1", "floored >> 1"),
    Fault("entry.hpp", "rounded < -limit;", "rounded <= -limit;"),
    Fault("entry.hpp", "negative ? ap_int<32>(-signed_magnitude)", "negative ? ap_int<32>(~signed_magnitude)"),
    Fault("finish.hpp", "bin.turn == (k >> INDEX_BITS)", "true"),
    Fault("finish.hpp", "log2p > 0 ? ap_int<64>(0) : log2p", "log2p"),
    Fault("finish.hpp", "!sums_follow && number == head_beats - 1", "number == head_beats - 1"),
    Fault("accumulate.hpp", "lane < row_lanes && at < entries", "lane < row_lanes"),
    Fault("accumulate.hpp", "entries < (partial ? 1 : 2)", "entries < 2"),
    Fault("accumulate.hpp", "if (!partial && PHI_JOB_FIELD(data, INVERSE)", "if (PHI_JOB_FIELD(data, INVERSE)"),
]
"""Faults that must be found, the first few in every run."""


@cache
def batches_with_answers() -> tuple[list[bytes], list[bytes]]:
    """Return what faults are looked for with."""
    random = Random(8)
    batches = random_batches(random, 600) + bad_batches(random)
    return batches, golden_answers(batches)


@needs_types
@pytest.mark.parametrize(
    "fault", [*FAULTS[:3], *(pytest.param(fault, marks=pytest.mark.slow) for fault in FAULTS[3:])], ids=lambda fault: fault.right[:40]
)
def test_a_planted_fault_is_found(fault: Fault) -> None:
    batches, due = batches_with_answers()
    program = simulation(planted(fault), checked=False)
    try:
        found = answers(batches, program)
    except (RuntimeError, ValueError) as problem:
        assert re.search(r"batches of jobs got|its last batch ends after", str(problem))
    else:
        assert found != due


@needs_types
def test_without_a_fault_nothing_is_found() -> None:
    batches, due = batches_with_answers()
    assert answers(batches) == due


def test_a_fault_that_stands_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match=r"bins.hpp has 'nothing of the kind' 0 times"):
        planted(Fault("bins.hpp", "nothing of the kind", ""))


@needs_types
def test_the_testbench_compares(tmp_path: Path) -> None:
    program, random = simulation(), Random(9)
    batches = random_batches(random, 3)
    jobs, expected, found = (tmp_path / name for name in ("jobs", "expected", "answers"))
    jobs.write_bytes(stream_of(batches, JOB_BYTES))
    due = bytearray(stream_of(golden_answers(batches), RESULT_BYTES))
    expected.write_bytes(due)
    assert play(program, jobs, found, expected).returncode == 0
    assert found.read_bytes() == due
    due[RESULT_BYTES + 1] ^= 1
    expected.write_bytes(due)
    done = play(program, jobs, found, expected)
    assert (done.returncode, done.stderr) == (1, "beat 1 of the answers differs\n")
    expected.write_bytes(due[RESULT_BYTES + 1 :])
    assert "beats of answers, not" in play(program, jobs, found, expected).stderr
    jobs.write_bytes(jobs.read_bytes()[:-1])
    assert "is not whole beats of 17 bytes" in play(program, jobs, found).stderr
    jobs.write_bytes(stream_of(batches, JOB_BYTES)[:-1] + b"\0")
    assert play(program, jobs, found).returncode == 2


@needs_types
@pytest.mark.parametrize("name", ["csim", "cosim"])
def test_the_vectors_for_vitis_pass(name: str, tmp_path: Path) -> None:
    phi_hls.write_vectors(tmp_path, tokens=200)
    done = play(simulation(), tmp_path / f"{name}.jobs", tmp_path / "answers", tmp_path / f"{name}.expected")
    assert done.returncode == 0, done.stderr


# --- what Vitis would see


def test_the_headers_are_up_to_date(tmp_path: Path) -> None:
    assert not headers.stale(), "run python -m hdl.phi_unit.hls.headers"
    for name, text in headers.headers().items():
        (tmp_path / name).write_text(text.replace("EBMHW_PHI_TABLES_WT_LENGTH 1024", "EBMHW_PHI_TABLES_WT_LENGTH 1023"), encoding="utf-8")
    assert headers.stale(tmp_path) == ["constants.h"]


def code_of(text: str) -> str:
    """Return a C++ source without comments."""
    return re.sub(r"//.*", "", text)


def unsynthesisable(text: str) -> Iterator[str]:
    """Yield what in a source of the kernel Vitis HLS cannot make hardware of, or what does not belong in this one."""
    code = code_of(text)
    if "std::" in code:
        yield "std::"
    for word in ("new", "delete", "malloc", "float", "double", "goto", "do", "virtual", "throw", "printf"):
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", code):
            yield word
    for match in re.finditer(r"\bfor \(([^;]*);([^;]*);([^)]*)\)", code):
        index = re.fullmatch(r"(?:int )?(\w+) = [\w -]+", match[1].strip())
        # bits_of is evaluated by the compiler.
        if (
            index is None or not re.fullmatch(rf"{index[1]} (<|<=|>|>=) [A-Z0-9_ +*]+|{index[1]} < head_beats", match[2].strip())
        ) and "value" not in match[0]:
            yield match[0]
    for match in re.finditer(r"^(?:static|constexpr|void)[^;=(]*?(\w+)\([^;]*?\) \{\n(.*?)^\}", code, re.MULTILINE | re.DOTALL):
        if re.search(rf"\b{match[1]}\(", match[2]):
            yield f"{match[1]} calls itself"


def test_the_kernel_is_static() -> None:
    found = {name: list(unsynthesisable(text)) for name, text in KERNEL.items()}
    assert not any(found.values()), found
    whole = "".join(code_of(text) for text in KERNEL.values())
    # A packet goes on as long as its header or the batch says: that loop alone has no bound.
    assert re.findall(r"while \((.*)\) {", whole) == ["!ends && !last"]
    for pragma in (
        r"INTERFACE mode = axis port = jobs",
        r"INTERFACE mode = axis port = results",
        r"DATAFLOW",
        r"ARRAY_PARTITION variable = bins dim = 1 type = complete",
        r"BIND_STORAGE variable = bins ",
    ):
        assert len(re.findall(f"#pragma HLS {pragma}", whole)) == 1, pragma
    assert re.search(r"while \(!ends && !last\) {\n#pragma HLS PIPELINE II = 1\n#pragma HLS LOOP_TRIPCOUNT", whole)


@pytest.mark.parametrize(
    "text",
    [
        "float x = 0;",
        "std::vector<int> v;",
        "for (int at = 0; at < count; ++at) {}",
        "for (;;) {}",
        "static int f(int n) {\n  return n ? f(n - 1) : 0;\n}",
        "int* p = new int[3];",
        "do { x(); } while (true);",
    ],
)
def test_what_is_not_static_is_found(text: str) -> None:
    assert list(unsynthesisable(text))


COMMANDS = (
    "open_project",
    "set_top",
    "add_files",
    "open_solution",
    "set_part",
    "create_clock",
    "csim_design",
    "csynth_design",
    "cosim_design",
    "export_design",
)
"""What run_hls.tcl calls of Vitis."""


def run_script(folder: Path, **settings: str) -> tuple[list[list[str]], str]:
    """Run run_hls.tcl with Vitis' commands replaced by ones that note their arguments; return those and what the script complained of."""
    stub = folder / "stub.tcl"
    log = folder / "log"
    stubs = "".join(f"proc {name} args {{ puts $::log [join [concat {name} $args] \\t] }}\n" for name in COMMANDS)
    stub.write_text(f"set ::log [open {log} w]\n{stubs}source {phi_hls.SOURCES / 'run_hls.tcl'}\n")
    done = subprocess.run(["tclsh", str(stub)], capture_output=True, text=True, timeout=60, env=os.environ | {"PHI_HLS_OUT": str(folder)} | settings)
    return [line.split("\t") for line in log.read_text().splitlines()], done.stderr


def no_vectors(folder: Path) -> Path:
    """Make empty files of the vectors' names; return their folder."""
    vectors = folder / "vectors"
    vectors.mkdir()
    for name in ("csim.jobs", "csim.expected", "cosim.jobs", "cosim.expected"):
        (vectors / name).touch()
    return vectors


def test_the_script_goes_through_vitis_in_order(tmp_path: Path) -> None:
    vectors = no_vectors(tmp_path)
    calls, complaint = run_script(tmp_path)
    assert not complaint
    names = [call[0] for call in calls]
    assert list(dict.fromkeys(names)) == list(COMMANDS)
    assert names.count("add_files") == 2 and len(names) == len(COMMANDS) + 1
    by_name = dict(zip(names, calls, strict=True))
    assert by_name["set_top"][1:] == ["phi_unit"]
    assert by_name["set_part"][1:] == ["xck26-sfvc784-2LV-c"]
    assert by_name["create_clock"][1:3] == ["-period", "4"]
    files = [Path(argument) for call in calls if call[0] == "add_files" for argument in call if argument.endswith(".cpp")]
    assert [path.name for path in files] == ["phi_unit.cpp", "testbench.cpp"] and all(path.is_file() for path in files)
    for name in ("csim", "cosim"):
        arguments = by_name[f"{name}_design"][-1].split()
        assert arguments == [str(vectors / f"{name}.jobs"), str(tmp_path / f"{name}.answers"), str(vectors / f"{name}.expected")]


def test_the_script_asks_for_vectors(tmp_path: Path) -> None:
    calls, complaint = run_script(tmp_path)
    assert not calls
    assert "there is no csim.jobs" in complaint and "python -m sim.phi_hls" in complaint


def test_the_script_takes_another_part_and_clock(tmp_path: Path) -> None:
    no_vectors(tmp_path)
    calls, complaint = run_script(tmp_path, PHI_HLS_PART="xczu7ev-ffvc1156-2-e", PHI_HLS_PERIOD_NS="3.3")
    assert not complaint
    assert ["set_part", "xczu7ev-ffvc1156-2-e"] in calls and ["create_clock", "-period", "3.3", "-name", "default"] in calls
