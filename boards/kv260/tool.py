"""Vivado: where it is, which version it is, and a run of it that ends whatever happens."""

from __future__ import annotations

import os
import queue
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from ebmhw.errors import BackendUnavailable, FirmwareError, TimeLimitExceeded

OLDEST: Final = (2022, 1)
"""The first version whose commands and reports the flow was written for."""

ROOTS: Final = ("/tools/Xilinx", "/opt/Xilinx", "/tools/AMD", "/opt/AMD")
"""Where installers put Vivado; VERSION is below Vivado up to 2024.2, above it from 2025.1 on."""

STEP: Final = "EBMHW STEP "
"""How a line of the Tcl scripts begins that names the step that starts."""

FAILED: Final = "EBMHW FAILED "
"""How the line begins that says why a script gave up."""

TIMING_STATUS: Final = 3
"""Exit status of the scripts where timing is not met."""

REMEDY: Final = (
    "install Vivado ML Standard Edition 2022.1 or newer, which needs no paid licence for the K26, and put it on PATH (source settings64.sh); or run "
    "`make bitstream` on a machine that has it and copy the folder bitstreams/ from there; or do without a board: get_backend('simulated')"
)

_VERSION = re.compile(r"\bvivado v?(\d{4}|\d{2})\.(\d+)", re.IGNORECASE)
_VERSION_SECONDS = 120
_HEARTBEAT_SECONDS = 60.0
_STOP_SECONDS = 10.0
_SHOWN = 20
_HINTS: Final = (
    (
        "A valid license was not found",
        "no licence covers this part here: the free Vivado ML Standard Edition covers the K26; look at XILINXD_LICENSE_FILE",
    ),
    ("No space left on device", "the disk is full: free some gigabytes, or give another folder with --out"),
    ("Out of memory", "the machine has too little memory: lower --jobs"),
    ("std::bad_alloc", "the machine has too little memory: lower --jobs"),
)


@final
@dataclass(frozen=True)
class Vivado:
    """An installation: its command, and its version as (year, release)."""

    command: Path
    version: tuple[int, int]

    @property
    def name(self) -> str:
        """What the manifest says of the tool."""
        return f"Vivado {self.version[0]}.{self.version[1]}"


def find_vivado(environment: Mapping[str, str] | None = None, roots: Sequence[str] = ROOTS) -> Vivado:
    """Return the Vivado of PATH, of XILINX_VIVADO, or the newest in one of the usual places.

    Raises
    ------
    BackendUnavailable
        There is none, or it is too old; the text lists all that was tried.
    """
    environment = os.environ if environment is None else environment
    tried: list[str] = []
    on_path = shutil.which("vivado", path=environment.get("PATH", ""))
    tried.append(f"vivado on PATH ({on_path or 'not there'})")
    candidates = [Path(on_path)] if on_path else []
    if home := environment.get("XILINX_VIVADO"):
        candidates.append(Path(home) / "bin" / "vivado")
    else:
        tried.append("XILINX_VIVADO (not set)")
    for root in roots:
        found = [*Path(root).glob("Vivado/*/bin/vivado"), *Path(root).glob("*/Vivado/bin/vivado")]
        candidates += sorted(found, key=lambda path: _numbers(str(path)), reverse=True)
        if not found:
            tried += [f"{root}/Vivado/*/bin/vivado (none)", f"{root}/*/Vivado/bin/vivado (none)"]
    for path in candidates:
        if not (path.is_file() and os.access(path, os.X_OK)):
            tried.append(f"{path} (no command)")
            continue
        version = _version(path)
        if version is not None and version >= OLDEST:
            return Vivado(path, version)
        tried.append(f"{path} ({'does not tell its version' if version is None else f'{version[0]}.{version[1]} is too old'})")
    raise BackendUnavailable(
        f"a bitstream needs Vivado {OLDEST[0]}.{OLDEST[1]} or newer, and there is none; tried: {'; '.join(tried)}. To get on: {REMEDY}"
    )


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def _version(command: Path) -> tuple[int, int] | None:
    try:
        done = subprocess.run([command, "-version"], capture_output=True, text=True, errors="replace", timeout=_VERSION_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(done.stdout)
    if found is None:
        return None
    year = int(found[1])
    return (year if year > 99 else 2000 + year), int(found[2])


@final
@dataclass(frozen=True)
class Run:
    """What a run left: its exit status, the last step that began, and what its log complained of."""

    command: str
    status: int
    step: str
    complaints: tuple[str, ...]
    reason: str
    log: Path

    def failure(self, folder: Path) -> FirmwareError:
        """Return the error of a run that failed, with what the logs of the runs below ``folder`` complain of."""
        complaints = list(self.complaints)
        for path in sorted(folder.glob("**/*.runs/*/runme.log")):
            complaints += [line for line in _complaints(path.read_text(encoding="utf-8", errors="replace").splitlines()) if line not in complaints]
        errors = [line for line in complaints if line.startswith("ERROR")]
        warnings = [line for line in complaints if not line.startswith("ERROR")]
        shown = "\n".join(f"  {line}" for line in (errors[:_SHOWN] + warnings[:_SHOWN])) or "  (its log has neither errors nor critical warnings)"
        text = "\n".join((*complaints, self.reason))
        hint = "".join(f"; {remedy}" for mark, remedy in _HINTS if mark in text)
        reason = f": {self.reason}" if self.reason else ""
        return FirmwareError(
            f"Vivado failed at {self.step or 'its start'} with exit status {self.status}{reason}{hint}\n{shown}\n"
            f"command: {self.command}\nlog: {self.log}; nothing was installed"
        )


def _complaints(lines: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in lines if line.startswith(("ERROR", "CRITICAL WARNING"))))


def run_vivado(vivado: Vivado, script: Path, settings: Path, folder: Path, limit_s: float, tell: Callable[[str], None]) -> Run:
    """Run a script in batch mode, tell its steps with the time they began at, and return what came of it.

    Whatever ends the wait (the limit, Ctrl-C, an error of the caller's ``tell``), Vivado and what it started are stopped first.

    Raises
    ------
    TimeLimitExceeded
        It took longer than ``limit_s`` seconds.
    FirmwareError
        It cannot be started.
    """
    log = folder / "vivado.log"
    options = ["-mode", "batch", "-notrace", "-nojournal", "-log", str(log), "-source", str(script), "-tclargs", str(settings)]
    command = [str(vivado.command), *options]
    try:
        # In a session of its own, so that the programs it starts can be stopped along with it, and Ctrl-C reaches this process alone.
        child = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise FirmwareError(f"{vivado.command} cannot be started ({error.strerror or error}); {REMEDY}") from None
    started = time.monotonic()
    lines: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read, args=(child, lines), daemon=True)
    step, reason, seen, complaints = "", "", started, dict[str, None]()

    def too_long() -> TimeLimitExceeded:
        return TimeLimitExceeded(
            f"Vivado did not end within {limit_s:.0f} s, it was at {step or 'its start'}; it was stopped and nothing was installed; "
            f"give it longer with --time-limit, see {log}"
        )

    try:
        reader.start()
        while True:
            now = time.monotonic()
            if now - started > limit_s:
                raise too_long()
            if now - seen > _HEARTBEAT_SECONDS:
                seen = now
                tell(f"[{_clock(now - started)}] ... {step}")
            try:
                line = lines.get(timeout=min(0.5, max(0.01, limit_s - (now - started))))
            except queue.Empty:
                continue
            if line is None:
                break
            if line.startswith(STEP):
                step, seen = line.removeprefix(STEP), time.monotonic()
                tell(f"[{_clock(seen - started)}] {step}")
            elif line.startswith(FAILED):
                reason = line.removeprefix(FAILED)
            elif line.startswith(("ERROR", "CRITICAL WARNING")):
                complaints[line] = None
        try:
            status = child.wait(timeout=max(_STOP_SECONDS, limit_s - (time.monotonic() - started)))
        except subprocess.TimeoutExpired:
            raise too_long() from None
    finally:
        # Once it was waited for, its number may be another's.
        if child.returncode is None:
            _stop(child)
        if child.stdout is not None:
            child.stdout.close()
    return Run(" ".join(command), status, step, tuple(complaints), reason, log)


def _read(child: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    assert child.stdout is not None
    try:
        for line in child.stdout:
            lines.put(line.rstrip())
    except ValueError:  # closed by _stop
        pass
    lines.put(None)


def _stop(child: subprocess.Popen[str]) -> None:
    for kind in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, kind)
        except (ProcessLookupError, PermissionError):
            break
        end = time.monotonic() + _STOP_SECONDS
        while _group_lives(child) and time.monotonic() < end:
            time.sleep(0.02)
    child.wait()


def _group_lives(child: subprocess.Popen[str]) -> bool:
    child.poll()  # a zombie would keep its group
    try:
        os.killpg(child.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:3}:{rest:02}"
