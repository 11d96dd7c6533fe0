"""A run of a design tool that takes hours: its steps are told, and it ends whatever happens."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from ebmhw.errors import FirmwareError, TimeLimitExceeded

_HEARTBEAT_SECONDS = 60.0
_STOP_SECONDS = 10.0
_SHOWN = 20
_HINTS: Final = (
    (
        "A valid license was not found",
        "no licence covers this part here: the free Vivado ML Standard Edition covers the K26; look at XILINXD_LICENSE_FILE",
    ),
    ("No space left on device", "the disk is full: free some gigabytes, or give another folder with --out"),
    ("Out of memory", "the machine has too little memory: close what else runs there, or lower --jobs of make bitstream"),
    ("std::bad_alloc", "the machine has too little memory: close what else runs there, or lower --jobs of make bitstream"),
)


@final
@dataclass(frozen=True)
class Run:
    """What a run left: its exit status, the last step that began, what it complained of, and the reason it gave."""

    label: str
    command: str
    status: int
    step: str
    complaints: tuple[str, ...]
    reason: str
    log: Path

    def failure(self, folder: Path) -> FirmwareError:
        """Return the error of a run that failed, with what the logs of the runs below ``folder`` complain of."""
        found = list(self.complaints)
        for path in sorted(folder.glob("**/*.runs/*/runme.log")):
            found += [line for line in complaints(path.read_text(encoding="utf-8", errors="replace").splitlines()) if line not in found]
        errors = [line for line in found if line.startswith("ERROR")]
        warnings = [line for line in found if not line.startswith("ERROR")]
        shown = "\n".join(f"  {line}" for line in (errors[:_SHOWN] + warnings[:_SHOWN])) or "  (its log has neither errors nor critical warnings)"
        text = "\n".join((*found, self.reason))
        hint = "".join(f"; {remedy}" for mark, remedy in _HINTS if mark in text)
        reason = f": {self.reason}" if self.reason else ""
        return FirmwareError(
            f"{self.label} failed at {self.step or 'its start'} with exit status {self.status}{reason}{hint}\n{shown}\n"
            f"command: {self.command}\nlog: {self.log}; nothing was installed"
        )


def complaints(lines: Sequence[str]) -> list[str]:
    """Return the errors and critical warnings among lines of a log, each once."""
    return list(dict.fromkeys(line.strip() for line in lines if line.startswith(("ERROR", "CRITICAL WARNING"))))


def watch(
    label: str,
    command: Sequence[str],
    *,
    folder: Path,
    log: Path,
    limit_s: float,
    step_of: Callable[[str], str | None],
    reason_of: Callable[[str], str | None],
    tell: Callable[[str], None],
    environment: Mapping[str, str] | None = None,
    hear: Callable[[str], object] | None = None,
    remedy: str = "",
) -> Run:
    """Run a command, tell its steps with the time they began at, and return what came of it.

    Whatever ends the wait (the limit, Ctrl-C, an error of the caller's ``tell``), the command and what it started are stopped first.

    Parameters
    ----------
    label : what people call the tool
    command : with its options
    folder : that it works in
    log : which the errors name
    limit_s : seconds that it may take
    step_of, reason_of : the step that a line tells of, and the reason for giving up; None of any other line
    tell : is told of each step, and once a minute between them
    environment : of the command, this process's if None
    hear : is told of each line
    remedy : what to do where it cannot be started

    Raises
    ------
    TimeLimitExceeded
        It took longer than ``limit_s``.
    FirmwareError
        It cannot be started.
    """
    try:
        # In a session of its own, so that the programs it starts can be stopped along with it, and Ctrl-C reaches this process alone.
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise FirmwareError(f"{command[0]} cannot be started ({error.strerror or error}); {remedy}") from None
    started = time.monotonic()
    lines: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read, args=(child, lines), daemon=True)
    step, reason, seen, found = "", "", started, dict[str, None]()

    def too_long() -> TimeLimitExceeded:
        return TimeLimitExceeded(
            f"{label} did not end within {limit_s:.0f} s, it was at {step or 'its start'}; it was stopped and nothing was installed; "
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
            if hear is not None:
                hear(line)
            if (began := step_of(line)) is not None:
                step, seen = began, time.monotonic()
                tell(f"[{_clock(seen - started)}] {step}")
            elif (said := reason_of(line)) is not None:
                reason = said
            elif line.startswith(("ERROR", "CRITICAL WARNING")):
                found[line] = None
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
    return Run(label, " ".join(command), status, step, tuple(found), reason, log)


def _read(child: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    assert child.stdout is not None
    try:
        for line in child.stdout:
            lines.put(line.rstrip())
    except ValueError:  # closed by _stop
        pass
    lines.put(None)


def _stop(child: subprocess.Popen[str]) -> None:
    # The tool's runs are processes of its group that may take longer than itself to end in order; `ebmhw.board.command.stop` would not wait for them.
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
