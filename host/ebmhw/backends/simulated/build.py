"""A unit's Verilog as a shared library, built once a machine and kept."""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, final

from ebmhw.backends.simulated.toolchain import Toolchain, find_toolchain
from ebmhw.contract import design
from ebmhw.errors import BackendUnavailable

_HERE = Path(__file__).resolve().parent
_HARNESS, _WRAPPER = _HERE / "harness.cpp", _HERE / "clocked.sv"

_UNUSED_DAYS = 30
"""What nobody has used for so long is deleted when something else is built."""

_LIBRARY = "unit.so"

_LOG = logging.getLogger("ebmhw.simulated")


@final
class Cache:
    """Folders of built things by name, safe against other processes that build the same.

    Parameters
    ----------
    root : None takes ``ebmhw/simulated`` in the user's cache folder
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root if root is not None else _user_cache() / "ebmhw" / "simulated"

    def folder(self, name: str, build: Callable[[Path], None]) -> Path:
        """Return the folder of that name, made by ``build`` in an empty folder where it is not there."""
        found = self.root / name
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            if not found.is_dir():
                with self._locked(name):
                    if not found.is_dir():
                        self._make(found, build)
            # Its time of use.
            os.utime(found)
        except OSError as error:
            raise BackendUnavailable(
                f"backend 'simulated': the compiled unit cannot be kept in {self.root} ({error}); "
                "point XDG_CACHE_HOME to a folder that can be written"
            ) from None
        return found

    def _make(self, found: Path, build: Callable[[Path], None]) -> None:
        self._clean()
        made = Path(tempfile.mkdtemp(prefix=".", dir=self.root))
        try:
            build(made)
            # Whole or not at all, whenever the machine stops.
            os.replace(made, found)
        finally:
            shutil.rmtree(made, ignore_errors=True)

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        import fcntl  # not on Windows, where no toolchain is found either

        with open(self.root / f"{name}.lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _LOG.info("waiting for another process, which is compiling the same: %s", name)
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _clean(self) -> None:
        limit = time.time() - _UNUSED_DAYS * 86400
        for path in self.root.iterdir():
            try:
                if path.stat().st_mtime < limit:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            except OSError:
                continue  # another process was faster, or it is not ours


def _user_cache() -> Path:
    given = os.environ.get("XDG_CACHE_HOME")
    return Path(given) if given else Path.home() / ".cache"


def build_library(verilog: Path, unit: str, undefined: str = "fast", cache: Cache | None = None) -> Path:
    """Return the shared library of one unit of a design, on its own: without the others it runs faster.

    Parameters
    ----------
    verilog : of the design
    unit : name of the unit, one of `ebmhw.contract.design.UNITS`
    undefined : what Verilator makes of bits that are not defined: "fast" (as it suits), or "unique" (as the harness is told, for tests)
    cache : where libraries are kept

    Raises
    ------
    BackendUnavailable
        A tool is missing or fails, or the cache cannot be written.
    """
    about_unit = design.unit(unit)
    tools, cache = find_toolchain(), cache or Cache()
    verilate = [
        *("--cc", "--prefix", "Vunit", "--top-module", "clocked", "-O3", "--threads", "1"),
        *(f"-DEBMHW_UNIT={unit}", f"-DEBMHW_ADDRESS_BITS={about_unit.registers.address_bits}"),
        *(f"-DEBMHW_JOB_BITS={about_unit.job_bits}", f"-DEBMHW_RESULT_BITS={about_unit.result_bits}"),
        *("--x-assign", undefined, "--x-initial", undefined, "--output-split", "20000", "-Wno-lint", "-Wno-style", "-Wno-fatal"),
        *_ARGUMENTS.get(unit, ()),
    ]
    # -O3 takes the compiler half as long again and saves a tenth of the instructions.
    compile_ = [*("-std=c++17", "-fPIC", "-w", "-O1"), *_DEFINES]
    key = hashlib.sha256()
    sources = [path.read_bytes() for path in (verilog, _WRAPPER, _HARNESS)]
    about = repr((tools.versions, tools.compiler, platform.machine(), verilate, compile_)).encode()
    for part in (about, *sources):
        key.update(len(part).to_bytes(8, "little") + part)
    name = f"{unit}-{key.hexdigest()[:24]}"
    return cache.folder(name, lambda folder: _build(tools, cache, folder, verilog, unit, verilate, compile_)) / _LIBRARY


# They keep the lanes of the Ising core one function that is called 64 times, where Verilator would write it out for each, with each lane's own
# neighbourhood worked in: 45 s of compiling instead of 155 s, for 2.9 s instead of 2.8 s of running 190,000 cycles (R = 64). The phi unit has eight
# lanes, and runs 1.3 instead of 0.3 million cycles a second without them.
_ARGUMENTS: Final = {"ising_core": ("--inline-mult", "1", "-fno-gate", "-fno-dfg")}
"""Arguments of Verilator for a unit of its own."""

_DEFINES = ("-DVERILATOR=1", *(f"-DVM_{name}=0" for name in ("COVERAGE", "SC", "TIMING", "TRACE", "TRACE_FST", "TRACE_VCD", "TRACE_SAIF")))
"""What Verilator's own makefiles define."""


def _build(tools: Toolchain, cache: Cache, folder: Path, verilog: Path, unit: str, verilate: list[str], compile_: list[str]) -> None:
    takes = "up to a minute or two" if unit == "ising_core" else "some seconds"
    _LOG.info("compiling the simulated %s of %s, %s; it is kept for later", unit, verilog.name, takes)
    began = time.perf_counter()
    work = folder / "work"
    work.mkdir()
    tools.verilate([*verilate, "--Mdir", str(work), str(_WRAPPER), str(verilog)], work)
    include = ["-I", str(work), "-I", str(tools.root / "include"), "-I", str(tools.root / "include" / "vltstd")]
    objects = _runtime(tools, cache, work, compile_, include)
    sources = [*sorted(work.glob("Vunit*.cpp"), key=lambda path: -path.stat().st_size), _HARNESS]
    objects += _compile_all(tools, sources, work, [*compile_, *include])
    tools.compile(["-shared", "-o", str(folder / _LIBRARY), *map(str, objects), "-lpthread"], work)
    shutil.rmtree(work)
    _LOG.debug("compiled in %.0f s", time.perf_counter() - began)


def _compile_all(tools: Toolchain, sources: list[Path], folder: Path, arguments: list[str]) -> list[Path]:
    """Compile sources at once, as many as there are processors; return the objects."""

    def work(source: Path) -> Path:
        made = folder / f"{source.stem}.o"
        # What runs once, at the start, is not worth the compiler's time.
        effort = ["-O0"] if "__Slow" in source.stem else []
        tools.compile([*arguments, *effort, "-c", str(source), "-o", str(made)], folder)
        return made

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(work, sources))


def _runtime(tools: Toolchain, cache: Cache, work: Path, compile_: list[str], include: list[str]) -> list[Path]:
    """Return the objects of Verilator's runtime, which are the same for every unit."""
    listed = re.search(r"^VM_GLOBAL_FAST \+= \\\n((?:[ \t].*\\\n)*)", (work / "Vunit_classes.mk").read_text(), re.MULTILINE)
    names = re.findall(r"[\w-]+", listed.group(1)) if listed else ["verilated", "verilated_threads"]
    key = hashlib.sha256(repr((tools.versions, tools.compiler, str(tools.root), platform.machine(), compile_, names)).encode())

    def build(folder: Path) -> None:
        _compile_all(tools, [tools.root / "include" / f"{name}.cpp" for name in names], folder, [*compile_, *include])

    folder = cache.folder(f"runtime-{key.hexdigest()[:24]}", build)
    return [folder / f"{name}.o" for name in names]
