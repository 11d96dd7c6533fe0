"""A caller that is interrupted, terminated or killed leaves neither processes nor files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sandbox_surroundings import await_no_group

pytestmark = pytest.mark.confined

CALLER = """
import signal, sys, tempfile
tempfile.tempdir = sys.argv[1]
from ebmhw.sandbox import Confined, Limits
signal.signal(signal.SIGINT, signal.default_int_handler)
with Confined(sys.argv[2], Limits(seconds=600.0, cpu_seconds=600)) as process:
    assert process.receive(60.0) == b"ready"
    print(process.group, flush=True)
    process.receive()
"""

PROGRAM = """
import os, signal
for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(one, signal.SIG_IGN)
os.makedirs("a/b/c")
open("a/b/file", "w").close()
send(b"ready")
while True: pass
"""


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_nothing_outlives_its_caller(how: str, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    caller = subprocess.Popen([sys.executable, "-c", CALLER, str(scratch), str(program)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert caller.stdout is not None
        group = int(caller.stdout.readline())
        os.killpg(group, 0)  # it runs
        assert len(list(scratch.iterdir())) == 1
        caller.send_signal(getattr(signal, how))
        _, told = caller.communicate(timeout=60)
    finally:
        caller.kill()
        caller.wait()
    assert ("KeyboardInterrupt" in told) == (how == "SIGINT")
    await_no_group(group)
    end = time.monotonic() + 30.0
    while list(scratch.iterdir()) and time.monotonic() < end:
        time.sleep(0.01)
    assert list(scratch.iterdir()) == []


def test_it_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    # The kernel's own "signal at the parent's death" means the thread that started a process.
    import threading

    from ebmhw.sandbox import Confined

    program = tmp_path / "program.py"
    program.write_text("while True: send(receive())")
    process = Confined(program)
    thread = threading.Thread(target=process.__enter__)
    thread.start()
    thread.join()
    try:
        process.send(b"alive")
        assert process.receive(30.0) == b"alive"
    finally:
        process.close()
