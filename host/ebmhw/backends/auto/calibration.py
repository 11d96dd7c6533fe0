"""Calibrations: what was measured on this machine, kept as JSON in the user's cache folder, and whether it still holds."""

from __future__ import annotations

import json
import os
import platform
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, final

from ebmhw.backends.auto.cost import PARTS
from ebmhw.backends.auto.fit import Fit
from ebmhw.errors import ConfigError, PermissionDenied
from ebmhw.files import write_whole

if TYPE_CHECKING:
    from ebmhw.backends.core import CoreBackend

VERSION: Final = 1
"""Of the file's form, and of what is counted."""

COMMAND: Final = "ebmhw backends --calibrate"
"""What makes a calibration."""

_MOST_RECORDS, _MOST_BYTES = 64, 1 << 20
"""Of the file; the oldest records make room."""

_END: Final = 2.0**53
"""Of time, in seconds of the epoch."""

_CPU_FIELDS = ("model name", "cpu model", "CPU implementer", "CPU part", "Hardware")
"""Lines of /proc/cpuinfo that tell processors apart, on x86 and on Arm."""


@final
@dataclass(frozen=True)
class Record:
    """The calibration of one backend.

    Attributes
    ----------
    backend : its name, such as "cpu" or "kv260"
    key : what it depends on; another value of any of these makes it stale
    made : when, seconds of the epoch
    run, phi : fits of runs, and of measurements of logits, None where the backend has no unit for these
    """

    backend: str
    key: Mapping[str, str]
    made: float
    run: Fit
    phi: Fit | None

    @property
    def side(self) -> str:
        """What it was counted as: "cpu" or "board"."""
        return "cpu" if self.backend == "cpu" else "board"

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` takes."""
        fits = {"run": self.run.to_dict(), "phi": None if self.phi is None else self.phi.to_dict()}
        return {"backend": self.backend, "key": dict(self.key), "made": self.made, **fits}

    @classmethod
    def from_dict(cls, data: Any) -> Record:
        """Return a record; ValueError, TypeError, KeyError or AttributeError where the data are none."""
        backend, key, made = data["backend"], dict(data["key"]), data["made"]
        if not isinstance(backend, str) or not all(isinstance(part, str) for pair in key.items() for part in pair) or not key:
            raise ValueError("the backend or a part of the key is no text")
        side = "cpu" if backend == "cpu" else "board"
        fits = {kind: None if data[kind] is None else Fit.from_dict(data[kind], list(PARTS[f"{side} {kind}"])) for kind in ("run", "phi")}
        if fits["run"] is None:
            raise ValueError("there is no fit of runs")
        if isinstance(made, bool) or not isinstance(made, (int, float)) or not 0 <= made < _END:
            raise ValueError(f"it says that it was made {made!r} seconds after 1970")
        return cls(backend, key, float(made), fits["run"], fits["phi"])


@final
@dataclass(frozen=True)
class Calibrations:
    """The records of a file.

    Attributes
    ----------
    path : of the file
    records : the newest last
    damage : why the file cannot be used, None where it can, or is not there
    """

    path: Path
    records: tuple[Record, ...] = ()
    damage: str | None = None

    def find(self, backend: str, key: Mapping[str, str], board: str = "kv260") -> Record | str:
        """Return the newest record of a backend that holds for a key, as far as the key says what it depends on, or why there is none and what to
        do; ``board`` is what stands for the board."""
        remedy = f"run `{COMMAND}`" if board == "kv260" else f"run `{COMMAND} --board {board}`"
        if self.damage is not None:
            return f"{self.damage}; {remedy}, which writes it anew"
        known = [record for record in self.records if record.backend == backend]
        for record in reversed(known):
            if all(record.key.get(name) == value for name, value in key.items()):
                return record
        if not known:
            return f"{backend} is not calibrated; {remedy}"
        newest = known[-1].key
        told = [
            f"its {name} was {newest.get(name, 'not said')}, now it is {value}" for name, value in sorted(key.items()) if newest.get(name) != value
        ]
        return f"the calibration of {backend} is stale: {', '.join(told)}; {remedy}"

    def with_record(self, record: Record) -> Calibrations:
        """Return the records with one added, in the place of that of the same backend and key."""
        others = [one for one in self.records if (one.backend, one.key) != (record.backend, record.key)]
        return Calibrations(self.path, (*others, record)[-_MOST_RECORDS:])

    def write(self) -> None:
        """Write the file, whole or not at all; PermissionDenied or ConfigError names what is in the way."""
        data = json.dumps({"version": VERSION, "records": [record.to_dict() for record in self.records]}, indent=1, allow_nan=False).encode()

        def put(stream: IO[bytes]) -> None:
            stream.write(data + b"\n")

        remedy = "point XDG_CACHE_HOME to a folder that can be written"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, put)
        except PermissionError as error:
            raise PermissionDenied(f"the calibration cannot be kept in {self.path} ({error.strerror}); {remedy}") from None
        except OSError as error:
            raise ConfigError(f"the calibration cannot be kept in {self.path} ({error.strerror or error}); free space there, or {remedy}") from None


def calibration_path() -> Path:
    """Return the file of this user: ``ebmhw/calibration.json`` in XDG_CACHE_HOME, else in ~/.cache; ConfigError where there is no home either."""
    given = os.environ.get("XDG_CACHE_HOME")
    try:
        folder = Path(given) if given else Path.home() / ".cache"
    except RuntimeError:
        raise ConfigError("this user has no home to keep a calibration in; point XDG_CACHE_HOME to a folder that can be written") from None
    return folder / "ebmhw" / "calibration.json"


def read_calibrations(path: Path | None = None) -> Calibrations:
    """Return what a file holds, by default this user's; nothing where it is not there, or is damaged, which `Calibrations.damage` tells."""
    path = path if path is not None else calibration_path()
    try:
        found = path.stat()
        # Reading a pipe would wait for somebody who writes to it.
        if not stat.S_ISREG(found.st_mode):
            return Calibrations(path, damage=f"the calibration in {path} is no file; move it away")
        if found.st_size > _MOST_BYTES:
            return Calibrations(path, damage=f"the calibration in {path} is damaged (it has more than {_MOST_BYTES} bytes)")
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["version"] != VERSION:
            return Calibrations(path, damage=f"the calibration in {path} has version {data['version']!r}, this version of ebmhw reads {VERSION}")
        return Calibrations(path, tuple(Record.from_dict(one) for one in data["records"]))
    except FileNotFoundError:
        return Calibrations(path)
    except OSError as error:
        return Calibrations(path, damage=f"the calibration in {path} cannot be read ({error.strerror or error})")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        return Calibrations(path, damage=f"the calibration in {path} is damaged ({type(error).__name__}: {error})")


def cpu_key(threads: int, instruction_set: str) -> dict[str, str]:
    """Return what times on the CPU depend on."""
    return {"processor": processor(), "threads": str(threads), "instruction set": instruction_set, "ebmhw": _version(), "kernel": kernel_digest()}


def design_key(build: int) -> dict[str, str]:
    """Return what times on a design of that build depend on, as far as is known before it is touched: the processor that drives it among it."""
    return {"processor": processor(), "ebmhw": _version(), "build": f"{build:#010x}"}


def board_key(board: CoreBackend) -> dict[str, str]:
    """Return what times on a connected board depend on: the clock, which is set anew with each start of the board, and the number of cores too."""
    core = board.drivers[0]
    return {**design_key(core.shape.build), "units": str(len(board.drivers)), "clock": f"{core.cycles_per_second / 1e6:.4g} MHz"}


def processor() -> str:
    """Return the name of the processor that this runs on."""
    found: dict[str, None] = {}
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in _CPU_FIELDS and value.strip():
                found[value.strip()] = None
    except OSError:
        found[platform.processor() or "of no name"] = None
    return " ".join((platform.machine(), *found))


def kernel_digest() -> str:
    """Return the first 16 digits of the SHA-256 of the native kernel that is installed."""
    spec = find_spec("ebmhw.native._kernel")
    return "none" if spec is None or spec.origin is None else sha256(Path(spec.origin).read_bytes()).hexdigest()[:16]


def new_record(backend: str, key: Mapping[str, str], run: Fit, phi: Fit | None) -> Record:
    """Return a record that is made now."""
    return Record(backend, dict(key), time.time(), run, phi)


def _version() -> str:
    from ebmhw import __version__

    return __version__
