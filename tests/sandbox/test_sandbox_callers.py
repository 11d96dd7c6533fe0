"""Callers in unusual states: forks, signals that are ignored or held back, few descriptors, folders that cannot be used, no /proc."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ebmhw.sandbox import confined, guards, kernel_guards

pytestmark = pytest.mark.confined

BEFORE = """
import os, resource, signal, sys, tempfile, threading, time
from pathlib import Path
tempfile.tempdir = sys.argv[1]
import ebmhw.sandbox.process
from ebmhw.errors import EbmhwError
from ebmhw.sandbox import Confined, Limits, run_program
ECHO = Path(sys.argv[2])
ECHO.write_text("while True:\\n    try: send(receive())\\n    except EOFError: break\\n")
"""

CALLERS = {
    "a fork that leaves the block by an error": (
        "try:\n"
        "    with Confined(ECHO) as process:\n"
        "        process.send(b'1'); process.receive(60.0)\n"
        "        child = os.fork()\n"
        "        if child == 0: raise KeyError\n"
        "        os.waitpid(child, 0)\n"
        "        process.send(b'2'); print(process.receive(60.0))\n"
        "except KeyError: os._exit(0)",
        "b'2'",
    ),
    "a fork that uses what is not its own": (
        "with Confined(ECHO) as process:\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        try: process.send(b'1')\n"
        "        except EbmhwError as error: print(str(error)[:56], flush=True)\n"
        "        os._exit(0)\n"
        "    os.waitpid(child, 0)",
        "this Confined belongs to the process that started it, of",
    ),
    "a fork that holds the channel open": (
        "with Confined(ECHO, Limits(seconds=60.0)) as process:\n"
        "    child = os.fork()\n"
        "    if child == 0: time.sleep(300); os._exit(0)\n"
        "    ended = process.end()\n"
        "os.kill(child, 9); os.waitpid(child, 0); print(ended.cause, ended.status)",
        "exit 0",
    ),
    "SIGCHLD ignored": ("signal.signal(signal.SIGCHLD, signal.SIG_IGN); print(run_program('pass').cause)", "exit"),
    "every signal held back": (
        "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\n"
        "print(run_program('import signal; print(signal.pthread_sigmask(signal.SIG_BLOCK, []))').stdout)",
        "b'set()\\n'",
    ),
    "a thread that waits for any child": (
        "def wait():\n"
        "    while True:\n"
        "        try: os.waitpid(-1, 0)\n"
        "        except ChildProcessError: time.sleep(0.0001)\n"
        "threading.Thread(target=wait, daemon=True).start()\n"
        "print({run_program('pass').cause for _ in range(5)})",
        "{'exit'}",
    ),
    "standard streams closed": (
        "out = os.dup(1)\nfor n in (0, 1, 2): os.close(n)\nos.write(out, run_program('print(input())', b'given\\n').stdout)",
        "given",
    ),
    "few descriptors": (
        "resource.setrlimit(resource.RLIMIT_NOFILE, (14, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))\n"
        "before = os.listdir('/proc/self/fd')\n"
        "try: run_program('pass')\n"
        "except EbmhwError as error: print('descriptors: [Errno 24]' in str(error), before == os.listdir('/proc/self/fd'))",
        "True True",
    ),
    "a hard limit of descriptors below what is needed": (
        "resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))\n"
        "try: run_program('pass')\n"
        "except EbmhwError as error: print('rlimits: no more than 30 descriptors are allowed, 64 are needed' in str(error))",
        "True",
    ),
    "a low soft limit of descriptors": (
        "resource.setrlimit(resource.RLIMIT_NOFILE, (30, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))\n"
        'print(run_program(\'open("a", "w").close(); import time; time.sleep(.2)\').cause)',
        "exit",
    ),
    "a folder that is not there": (
        "tempfile.tempdir += '/none'\ntry: run_program('pass')\nexcept EbmhwError as error: print('folder: [Errno 2]' in str(error))",
        "True",
    ),
    "a folder with an odd, long name": (
        "tempfile.tempdir += '/a b\\n\"é\\udcff/' + '/'.join(['x' * 200] * 12)\n"
        "os.makedirs(tempfile.tempdir)\n"
        'print(run_program(\'open("a", "w").write("x"); print(open("a").read())\').stdout, os.listdir(tempfile.tempdir))\n'
        "os.removedirs(tempfile.tempdir)\nos.makedirs(sys.argv[1], exist_ok=True)",
        "b'x\\n' []",
    ),
}


@pytest.mark.parametrize("name", CALLERS)
def test_a_caller_in_an_unusual_state_is_served_or_told(name: str, tmp_path: Path) -> None:
    text, expected = CALLERS[name]
    folder = tmp_path / "scratch"
    folder.mkdir()
    command = [sys.executable, "-X", "utf8", "-c", BEFORE + text, str(folder), str(tmp_path / "echo.py")]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (found.returncode, found.stdout.strip(), found.stderr) == (0, expected, "")
    assert list(folder.iterdir()) == []


def test_paths_are_the_same_in_another_encoding(tmp_path: Path) -> None:
    # The caller takes paths for ASCII, the monitor for UTF-8: only as bytes are they the same to both.
    folder = tmp_path / "é"
    folder.mkdir()
    text = "import sys, tempfile\ntempfile.tempdir = sys.argv[1]\nfrom ebmhw.sandbox import run_program\nprint(run_program('pass').cause)"
    environment = {**os.environ, "LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    found = subprocess.run([sys.executable, "-c", text, str(folder)], capture_output=True, text=True, timeout=120, env=environment)
    assert (found.stdout, found.stderr, list(folder.iterdir())) == ("exit\n", "", [])


def test_without_proc_nothing_runs(tmp_path: Path) -> None:
    text = (
        "from ebmhw.errors import SandboxUnavailable\n"
        "from ebmhw.sandbox import run_program\n"
        "try: run_program('pass')\n"
        "except SandboxUnavailable as error: print('proc: ' in str(error), '/proc must be mounted' in str(error))"
    )
    hidden = ["unshare", "--mount", "sh", "-c", 'umount -l /proc && exec "$0" "$@"', sys.executable, "-c", text]
    try:
        found = subprocess.run(hidden, capture_output=True, text=True, timeout=120)
    except FileNotFoundError:
        pytest.skip("no unshare here")
    if "unshare" in found.stderr or "umount" in found.stderr:
        pytest.skip("only root can take /proc away")
    assert (found.stdout, found.stderr) == ("True True\n", "")


def test_a_failure_that_passes_is_not_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kernel_guards._found.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(confined.tempfile, "tempdir", str(tmp_path / "none"))
        assert not guards().enough
    assert guards().enough
