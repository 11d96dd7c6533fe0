"""C simulation of the phi unit's twin for Vitis HLS, without Vitis; ``python -m sim.phi_hls FOLDER`` writes the vectors that run_hls.tcl plays.

The types (ap_int, hls::stream) are those that AMD published under the Apache license, as the package hls4ml ships them; of the package nothing else
is used, and nothing is imported.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ebmhw.contract.phi_formats import ENTRIES_LIMIT
from ebmhw.contract.phi_unit import JOB_BYTES, RESULT_BYTES
from sim.bad_tokens import bad_tokens
from sim.phi_jobs import random_token
from sim.phi_model import PhiModel

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCES: Final = ROOT / "hdl" / "phi_unit" / "hls"
BUILT: Final = ROOT / "out" / "hls" / "csim"

RUN_LIMIT_S: Final = 240.0
"""Seconds after which a simulation is ended, unless the caller says otherwise."""

BUILD_LIMIT_S: Final = 600.0

_FLAGS = ("-std=c++14", "-Wall", "-Wextra", "-Wno-unknown-pragmas")
# The types' own constructors read what they are about to set, under -O1 visibly so.
_QUIET = ("-Wno-uninitialized", "-Wno-maybe-uninitialized")
# The types extend signs by shifting negative numbers to the left, which C++14 does not define and every compiler does.
_CHECKED = ("-Werror", "-O1", "-fsanitize=address,undefined", "-fno-sanitize=shift-base", "-fno-sanitize-recover=all")
_PLAIN = ("-O0",)


class Fault(NamedTuple):
    """A fault to be planted in a source: what stands there once, and what takes its place."""

    source: str
    right: str
    wrong: str


def sources() -> dict[str, str]:
    """Return the text of each C++ source by its path from the folder of them all."""
    paths = [*SOURCES.glob("*.[ch]pp"), *(SOURCES / "contract").glob("*.h"), *(SOURCES / "csim").glob("*.h")]
    return {path.relative_to(SOURCES).as_posix(): path.read_text(encoding="utf-8") for path in sorted(paths)}


def planted(fault: Fault) -> dict[str, str]:
    """Return the sources with a fault; ValueError where ``right`` does not stand in its source exactly once."""
    texts = sources()
    if texts[fault.source].count(fault.right) != 1:
        raise ValueError(f"{fault.source} has {fault.right!r} {texts[fault.source].count(fault.right)} times; a fault goes where it stands once")
    return texts | {fault.source: texts[fault.source].replace(fault.right, fault.wrong)}


def type_headers() -> Path:
    """Return the folder of ap_int.h and hls_stream.h; FileNotFoundError where hls4ml is not installed."""
    spec = importlib.util.find_spec("hls4ml")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the headers of ap_int are not here: python -m pip install --no-deps hls4ml")
    folder = Path(spec.origin).parent / "templates" / "vivado" / "ap_types"
    if not (folder / "ap_int.h").is_file():
        raise FileNotFoundError(f"there is no ap_int.h in {folder}; install the hls4ml that pyproject.toml names")
    return folder


def simulation(texts: Mapping[str, str] | None = None, *, checked: bool = True, entries_max: int = ENTRIES_LIMIT) -> Path:
    """Return the C simulation as a program, made unless an equal one is there.

    Parameters
    ----------
    texts : the sources, by name; `sources` where they are left out
    checked : with AddressSanitizer and UndefinedBehaviorSanitizer, which takes twice as long to compile
    entries_max : entries of the largest row

    Raises
    ------
    FileNotFoundError
        The types' headers or the compiler are missing.
    RuntimeError
        The sources do not compile; the text is the compiler's.
    """
    texts = sources() if texts is None else texts
    types = type_headers()
    flags = [*_FLAGS, *_QUIET, *(_CHECKED if checked else _PLAIN), f"-DPHI_ENTRIES_MAX={entries_max}"]
    key = hashlib.sha256("\0".join([_compiler(), str(types), *flags, *(part for item in texts.items() for part in item)]).encode()).hexdigest()[:24]
    program = BUILT / key
    BUILT.mkdir(parents=True, exist_ok=True)
    with (BUILT / f"{key}.lock").open("w") as lock:
        # Another worker may be making the same one.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            with tempfile.TemporaryDirectory(dir=BUILT) as folder:
                _compile(texts, flags, types, Path(folder))
                os.replace(Path(folder) / "testbench", program)
    return program


def _compile(texts: Mapping[str, str], flags: Sequence[str], types: Path, folder: Path) -> None:
    for name, text in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    command = [_cxx(), *flags, "-isystem", str(types), "-I", "csim", "phi_unit.cpp", "testbench.cpp", "-o", "testbench"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=BUILD_LIMIT_S)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed with {done.returncode}:\n{done.stderr[-8000:]}")


def _cxx() -> str:
    return os.environ.get("CXX", "c++")


@cache
def _compiler() -> str:
    """Return the compiler's name and version."""
    if shutil.which(_cxx()) is None:
        raise FileNotFoundError(f"there is no C++ compiler {_cxx()}; install one, or name another in CXX")
    return subprocess.run([_cxx(), "--version"], capture_output=True, text=True, check=True, timeout=60).stdout


def play(program: Path, *files: Path, limit_s: float = RUN_LIMIT_S) -> subprocess.CompletedProcess[str]:
    """Run a C simulation over files: job stream, answers, and the answers expected where they are to be compared."""
    # The leak check needs to trace its own process, which containers forbid; the kernel allocates nothing.
    environment = os.environ | {"ASAN_OPTIONS": "detect_leaks=0"}
    return subprocess.run([program, *files], capture_output=True, text=True, timeout=limit_s, env=environment)


def answers(batches: Sequence[bytes], program: Path | None = None, limit_s: float = RUN_LIMIT_S) -> list[bytes]:
    """Return what the C simulation answers to batches of job packets, a batch of result packets each.

    Parameters
    ----------
    batches : packets end to end, whole beats; TLAST goes with the last beat of each
    program : of `simulation`; a checked one of the sources as they are where it is left out

    Raises
    ------
    RuntimeError
        The simulation failed, or the answers' TLAST do not make as many batches.
    """
    program = simulation() if program is None else program
    with tempfile.TemporaryDirectory(dir=BUILT) as folder:
        jobs, results = Path(folder) / "jobs", Path(folder) / "answers"
        jobs.write_bytes(stream_of(batches, JOB_BYTES))
        done = play(program, jobs, results, limit_s=limit_s)
        if done.returncode:
            raise RuntimeError(f"the C simulation ended with {done.returncode}: {done.stderr[-8000:]}")
        found = batches_of(results.read_bytes(), RESULT_BYTES)
    if len(found) != len(batches):
        raise RuntimeError(f"{len(batches)} batches of jobs got {len(found)} of answers")
    return found


def stream_of(batches: Sequence[bytes], beat_bytes: int) -> bytes:
    """Return batches as a file of beats: after the bytes of each beat one that is 1 where a batch ends."""
    marked = []
    for batch in batches:
        beats = np.frombuffer(batch, dtype=np.uint8).reshape(-1, beat_bytes)
        last = np.zeros((len(beats), 1), dtype=np.uint8)
        last[-1] = 1
        marked.append(np.concatenate([beats, last], axis=1))
    return np.concatenate(marked).tobytes()


def batches_of(stream: bytes, beat_bytes: int) -> list[bytes]:
    """Return the batches of a file of beats; ValueError where it does not end with one."""
    beats: npt.NDArray[Any] = np.frombuffer(stream, dtype=np.uint8).reshape(-1, beat_bytes + 1)
    ends = (np.flatnonzero(beats[:, -1]) + 1).tolist()
    if not ends or ends[-1] != len(beats):
        raise ValueError(f"the stream has {len(beats)} beats and its last batch ends after {ends[-1] if ends else 0}")
    return [beats[begin:end, :-1].tobytes() for begin, end in zip([0, *ends], ends, strict=False)]


def golden_answers(batches: Sequence[bytes], entries_max: int = ENTRIES_LIMIT) -> list[bytes]:
    """Return what the contract says the answers are; arguments as of `answers`."""
    model = PhiModel(entries_max)
    return [b"".join(model.answers(np.frombuffer(batch, dtype="<u8").astype(np.uint64))) for batch in batches]


def random_batches(random: Random, tokens: int, entries_max: int = ENTRIES_LIMIT, often: float = 1.0) -> list[bytes]:
    """Return batches of 1 to 8 random tokens; ``often`` as of `sim.phi_jobs.random_size`."""
    batches = []
    while tokens > 0:
        count = min(tokens, random.randint(1, 8))
        batches.append(b"".join(random_token(random, entries_max, often=often).packet(random.getrandbits(32)) for _ in range(count)))
        tokens -= count
    return batches


def bad_batches(random: Random, entries_max: int = ENTRIES_LIMIT) -> list[bytes]:
    """Return a batch for each thing that can be wrong with a packet: the packet between good ones, or as the last where the batch ends with it."""
    batches = []
    for bad in bad_tokens(random, entries_max):
        before, after = (random_token(random, entries_max, most=20).packet(random.getrandbits(32)) for _ in range(2))
        batches.append(before + bad.packet + (b"" if bad.ends else after))
    return batches


def write_vectors(folder: Path, tokens: int = 3000) -> None:
    """Write job streams and expected answers for Vitis: ``csim``, of so many tokens, and ``cosim``, few, since it simulates gates."""
    folder.mkdir(parents=True, exist_ok=True)
    random = Random(1)
    for name, batches in (
        ("csim", random_batches(random, tokens, often=0.995) + bad_batches(random)),
        ("cosim", random_batches(random, 60) + bad_batches(random)[::8] + random_batches(random, 4, often=0.5)),
    ):
        (folder / f"{name}.jobs").write_bytes(stream_of(batches, JOB_BYTES))
        (folder / f"{name}.expected").write_bytes(stream_of(golden_answers(batches), RESULT_BYTES))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the vectors; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m sim.phi_hls", description="Write job streams and the answers expected, for Vitis HLS.")
    parser.add_argument("folder", type=Path, help="where they go")
    write_vectors(parser.parse_args(arguments).folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
