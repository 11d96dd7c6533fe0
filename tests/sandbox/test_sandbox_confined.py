"""Confined: messages, limits, what a program finds around it, and what is left of it."""

from __future__ import annotations

import os
import signal
import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_surroundings import await_no_group

from ebmhw.errors import SandboxUnavailable, VerificationError
from ebmhw.sandbox import CAUSES, Confined, Limits, Stopped, guards, run_program

pytestmark = pytest.mark.confined

ECHO = "while True:\n    try: send(receive())\n    except EOFError: break\n"


def _program(folder: Path, text: str) -> Path:
    path = folder / "program.py"
    path.write_text(text)
    return path


def test_messages_come_back_as_they_went(tmp_path: Path) -> None:
    with Confined(_program(tmp_path, ECHO)) as process:

        @settings(max_examples=100)
        @given(st.lists(st.binary(max_size=300), max_size=5))
        def exchange(messages: list[bytes]) -> None:
            for message in messages:
                process.send(message)
            assert [process.receive(20.0) for _ in messages] == messages

        exchange()
        large = os.urandom(1 << 20) * 8
        process.send(large)
        assert process.receive(20.0) == large
        ended = process.end()
    assert (ended.cause, ended.status, ended.signal) == ("exit", 0, None)


def test_what_was_sent_before_the_end_is_received(tmp_path: Path) -> None:
    with Confined(_program(tmp_path, "import os\nfor n in range(100): send(b'%d' % n)\nos._exit(3)")) as process:
        assert [process.receive(20.0) for _ in range(100)] == [b"%d" % n for n in range(100)]
        with pytest.raises(Stopped, match="exited with status 3") as stopped:
            process.receive(20.0)
        assert stopped.value.ended.status == 3
        with pytest.raises(Stopped):
            process.send(b"more")
        assert process.end() is stopped.value.ended


def test_one_that_does_not_answer_is_stopped(tmp_path: Path) -> None:
    with Confined(_program(tmp_path, "import time\ntime.sleep(99)"), Limits(seconds=60.0)) as process, pytest.raises(Stopped) as stopped:
        process.receive(0.1)
    assert stopped.value.ended.cause == "time"


HEADER = struct.Struct(">IB")


@pytest.mark.parametrize(
    "forged",
    [
        HEADER.pack(0xFFFFFFFF, ord("D")),
        HEADER.pack(2, ord("?")) + b"ab",
        HEADER.pack(1, ord("R")) + b"7",
        HEADER.pack(0, ord("X")),
        b"some text that is no message at all",
    ],
    ids=["a length beyond the limit", "an unknown kind", "ready again", "refused", "text"],
)
def test_what_is_no_message_is_tampering(forged: bytes, tmp_path: Path) -> None:
    # The channel is found as any hostile program would: every descriptor is tried.
    text = f"import os, time\nfor n in range(3, 64):\n    try: os.write(n, {forged!r})\n    except OSError: pass\ntime.sleep(99)"
    with Confined(_program(tmp_path, text), Limits(seconds=60.0)) as process, pytest.raises(Stopped) as stopped:
        process.receive(30.0)
    assert stopped.value.ended.cause == "tampering"


def test_closing_the_channel_and_going_on_is_tampering(tmp_path: Path) -> None:
    text = "import os, time\nos.closerange(3, 64)\ntime.sleep(99)"
    with Confined(_program(tmp_path, text), Limits(seconds=60.0)) as process, pytest.raises(Stopped) as stopped:
        process.receive(30.0)
    assert stopped.value.ended.cause == "tampering"


def test_last_words_of_a_limit_do_not_turn_success_into_failure_or_back(tmp_path: Path) -> None:
    text = f"import os\nfor n in range(3, 64):\n    try: os.write(n, {HEADER.pack(0, ord('M'))!r})\n    except OSError: pass\n"
    with Confined(_program(tmp_path, text)) as process:
        assert process.end().cause == "exit"
    with Confined(_program(tmp_path, text + "os._exit(1)")) as process:
        assert process.end().cause == "memory"


def test_a_flood_of_messages_stays_in_the_pipe(tmp_path: Path) -> None:
    text = "while True: send(b'x' * 1000)"
    with Confined(_program(tmp_path, text), Limits(seconds=1.0, message_bytes=1000)) as process:
        ended = process.end()
    assert ended.cause == "time"


def test_messages_beyond_the_limit_are_refused_on_both_sides(tmp_path: Path) -> None:
    text = "try: send(b'x' * 1001)\nexcept ValueError as error: send(str(error).encode())"
    with Confined(_program(tmp_path, text), Limits(message_bytes=1000)) as process:
        assert process.receive(20.0) == b"a message of 1001 bytes is longer than the limit of 1000"
        with pytest.raises(VerificationError, match="1001 bytes is longer than the limit of message_bytes=1000"):
            process.send(b"x" * 1001)


def test_what_a_program_finds_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EBMHW_SECRET", "a secret")
    ended = run_program("import os, sys\nprint(sorted(os.environ), sys.argv, os.listdir('.'), sys.stdin.read())", b"given")
    told = ended.stdout.decode()
    assert "SECRET" not in told and "['program.py'] [] given" in told
    ended = run_program("import os\ntry: os.write(0, b'x')\nexcept OSError as error: print(error.errno)", b"given")
    assert ended.stdout == b"9\n"


def test_sets_have_one_order_in_every_run() -> None:
    text = "print(list({str(n) for n in range(200)}))"
    assert run_program(text).stdout == run_program(text).stdout != b""


ORDINARY = {
    "asyncio": "import asyncio\nasync def f():\n    await asyncio.sleep(.01)\n    return 'done'\nprint(asyncio.run(f()))",
    "threads": "import concurrent.futures as c\nwith c.ThreadPoolExecutor(4) as pool: print(list(pool.map(str, ['done']))[0])",
    "a database": "import sqlite3\nprint(sqlite3.connect(':memory:').execute(\"select 'done'\").fetchone()[0])",
    "temporary files": "import tempfile, shutil\nwith tempfile.TemporaryDirectory() as f:\n    open(f + '/a', 'w').write('done')\n"
    "    shutil.copyfile(f + '/a', f + '/b')\n    print(open(f + '/b').read())",
    "time zones": "import zoneinfo\nprint('done' if zoneinfo.ZoneInfo('Europe/Paris') else '')",
    "shared libraries": "import ssl, lzma, hashlib, ctypes, decimal\nprint('done')",
    "dataclasses": "from __future__ import annotations\nimport dataclasses, typing\n@dataclasses.dataclass\nclass A:\n    x: int = 1\n"
    "typing.get_type_hints(A)\nprint('done' if A().x else '')",
    "pickling its own classes": "import pickle\nclass A: pass\nprint('done' if pickle.loads(pickle.dumps(A())) else '')",
    "an exit status": "import sys\nprint('done')\nsys.exit(0)",
    "exit as the interpreter has it": "print('done')\nexit()",
    "quit as the interpreter has it": "print('done')\nquit(0)",
    "standard input by its path": "print('done' if open('/dev/stdin').read() == '' else '')",
    "a file in memory, written back": "import mmap\nwith open('a', 'w+b') as f:\n    f.truncate(4096)\n    m = mmap.mmap(f.fileno(), 4096)\n"
    "    m[0] = 1\n    m.flush()\nprint('done')",
    "a file without a name": "import tempfile\nwith tempfile.TemporaryFile('w+') as f:\n    f.write('done')\n    f.seek(0)\n    print(f.read())",
    "a larger stack": "import resource as r\nhard = r.getrlimit(r.RLIMIT_STACK)[1]\n"
    "r.setrlimit(r.RLIMIT_STACK, (1 << 26 if hard == r.RLIM_INFINITY else hard, hard))\nprint('done')",
    "files moved again and again": "import os\nfor n in range(2000):\n    open(f'{n}', 'w').close()\n    os.replace(f'{n}', 'a')\nos.remove('a')\n"
    "print('done')",
    "signals to itself": "import signal, os\nsignal.signal(signal.SIGUSR1, lambda *_: print('done'))\nos.kill(os.getpid(), signal.SIGUSR1)",
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_programs_work(name: str) -> None:
    ended = run_program(ORDINARY[name], limits=Limits(seconds=60.0))
    assert (ended.cause, ended.status, ended.stdout, ended.stderr) == ("exit", 0, b"done\n", b"")


def test_traces_name_the_program_and_nothing_else() -> None:
    ended = run_program("def f():\n    1 / 0\nf()")
    trace = ended.stderr.decode()
    assert (
        ended.status == 1 and "ZeroDivisionError" in trace and 'File "program.py", line 2' in trace and "candidate" not in trace and "/" not in trace
    )


def test_standard_input_can_be_read_by_its_path() -> None:
    assert run_program("print(open('/dev/stdin').read())", b"given").stdout == b"given\n"


def test_its_time_begins_when_it_is_ready() -> None:
    for seconds in (0.001, 0.01):  # far less than a start takes
        assert run_program("while True: pass", limits=Limits(seconds=seconds)).cause == "time"


def test_the_name_of_the_machine_is_hidden_where_namespaces_are() -> None:
    told = run_program("import os\nprint(os.uname().nodename)").stdout.decode().strip()
    assert (told == "sandbox") == ("names" in guards().namespaces)


def test_only_what_is_named_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text("of a")
    (tmp_path / "b.txt").write_text("of b")
    text = f"print(open({str(tmp_path / 'data' / 'a.txt')!r}).read())\nopen({str(tmp_path / 'b.txt')!r})"
    ended = run_program(text, readable=[str(tmp_path / "data")])
    assert ended.stdout == b"of a\n" and b"PermissionError" in ended.stderr
    ended = run_program(f"open({str(tmp_path / 'data' / 'new')!r}, 'w')", readable=[str(tmp_path / "data")])
    assert b"PermissionError" in ended.stderr


def test_only_packages_that_are_named_can_be_imported() -> None:
    text = "import numpy\nprint(int(numpy.arange(4).sum()))"
    given = Limits(seconds=60.0, memory=1 << 30)
    assert run_program(text, limits=given, packages=["numpy"]).stdout == b"6\n"
    ended = run_program(text, limits=given)
    assert b"ModuleNotFoundError" in ended.stderr
    with pytest.raises(SandboxUnavailable, match="package 'no_such_package' is not installed here"):
        run_program("", packages=["no_such_package"])
    with pytest.raises(VerificationError, match=r"packages='numpy\.linalg': give top-level names"):
        run_program("", packages=["numpy.linalg"])


def test_the_guards_suffice_without_namespaces(tmp_path: Path) -> None:
    with Confined(_program(tmp_path, "import socket\ntry: socket.socket()\nexcept PermissionError: send(b'refused')"), namespaces=False) as process:
        assert process.guards["namespaces"] == ""
        assert process.receive(20.0) == b"refused"


REACH = """
import errno, os
def tried(action, *arguments):
    try:
        action(*arguments)
        return "done"
    except OSError as error:
        return errno.errorcode[error.errno]
_, process, scratch = receive().decode().split(" ", 2)
known = f"/proc/{process}"
send(" ".join([
    tried(os.listdir, scratch), tried(open, f"{scratch}/file"), tried(os.unlink, f"{scratch}/file"), tried(os.rename, f"{scratch}/file", "mine"),
    tried(os.readlink, f"{known}/cwd"), tried(os.listdir, f"{known}/fd"), tried(open, f"{known}/mem", "rb"), tried(os.kill, int(process), 0),
]).encode())
"""


@pytest.mark.parametrize("namespaces", [True, False])
def test_two_at_once_cannot_reach_each_other(namespaces: bool, tmp_path: Path) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text("import os\nopen('file', 'w').close()\nsend(f'at {os.getpid()} {os.getcwd()}'.encode())\nreceive()\nsend(b'alive')")
    other.write_text(REACH)
    with Confined(one, namespaces=namespaces) as first, Confined(other, namespaces=namespaces) as second:
        second.send(first.receive(60.0))
        told = second.receive(60.0).decode().split()
        assert told[:3] == ["EACCES"] * 3 and told[3] in ("EACCES", "EXDEV") and told[4:] == ["EACCES"] * 3 + ["EPERM"]
        first.send(b"go on")
        assert first.receive(60.0) == b"alive"


def test_figures_are_of_the_program_and_not_of_its_parent() -> None:
    held = bytearray(200 << 20)
    held[::4096] = b"x" * len(held[::4096])
    small = run_program("pass")
    assert small.peak_memory < 60 << 20
    large = run_program("held = b'x' * (100 << 20)\nimport time\nend = time.process_time() + .3\nwhile time.process_time() < end: pass")
    assert 100 << 20 < large.peak_memory < 160 << 20
    assert large.cpu_seconds > 0.3 > small.cpu_seconds and large.seconds > 0.3
    assert len(held) == 200 << 20


def test_nothing_is_left_open_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = _program(tmp_path, "import time\ntime.sleep(99)")
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        with Confined(path):
            pass
    process = Confined(path).__enter__()
    group = process.group
    del process  # nobody closed it
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)
    assert os.listdir("/proc/self/fd") == before
    assert [one.name for one in tmp_path.iterdir()] == ["program.py"]


def test_a_killed_monitor_takes_the_program_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Confined(_program(tmp_path, "open('file', 'w').close()\nsend(b'ready')\nimport time\ntime.sleep(99)"), Limits(seconds=60.0)) as process:
        assert process.receive(20.0) == b"ready"
        group = process.group
        os.kill(group, signal.SIGKILL)
        with pytest.raises(Stopped) as stopped:
            process.receive(30.0)
    assert stopped.value.ended.cause == "signal"
    await_no_group(group)
    assert [one.name for one in tmp_path.iterdir()] == ["program.py"]


def test_wrong_use_is_named(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="is no file; give the path of a Python file"):
        Confined(tmp_path / "none.py")
    process = Confined(_program(tmp_path, "pass"))
    with pytest.raises(VerificationError, match="not started; use it in a with statement"):
        process.receive()
    with process, pytest.raises(VerificationError, match="starts once"):
        process.__enter__()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seconds", 0),
        ("seconds", float("nan")),
        ("seconds", True),
        ("memory", 1 << 20),
        ("memory", 1e9),
        ("cpu_seconds", 0),
        ("open_files", 4),
        ("threads", 0),
    ],
)
def test_limits_that_cannot_be_kept_are_named(name: str, value: object) -> None:
    with pytest.raises(VerificationError, match=f"a limit of {name}=.* cannot be kept; give a"):
        Limits(**{name: value})  # type: ignore[arg-type]


def test_every_cause_has_its_words() -> None:
    from ebmhw.sandbox import Ended

    words = [Ended(cause, 1, 2, b"", b"", 0.0, 0.0, 0).told() for cause in CAUSES]
    assert len(set(words)) == len(CAUSES)
