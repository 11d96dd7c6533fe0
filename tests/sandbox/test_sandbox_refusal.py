"""Where a guard is missing nothing runs: kernels without one, played by an outer filter; other systems; and ordinary users, who need nothing more."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import ebmhw
from ebmhw.errors import SandboxUnavailable
from ebmhw.sandbox import guards, require, run_program

pytestmark = pytest.mark.confined

NUMBERS = {
    "x86_64": {"capset": 126, "prctl": 157, "prlimit64": 302, "unshare": 272, "landlock": 444},
    "aarch64": {"capset": 91, "prctl": 167, "prlimit64": 261, "unshare": 97, "landlock": 444},
}

WITHOUT = """
import ctypes, errno, json, os, struct, sys, tempfile
number, argument, error = (int(one) for one in sys.argv[1:4])
def one(code, value, true=0, false=0): return struct.pack("=HBBI", code, true, false, value)
# A call is refused with an error where its first argument is the one that is given, or whatever it is where that is negative.
code = one(0x20, 0) + one(0x15, number, 0, 3 if argument >= 0 else 1)
if argument >= 0: code += one(0x20, 16) + one(0x15, argument, 0, 1)
code += one(0x06, 0x50000 | error) + one(0x06, 0x7FFF0000)
held = ctypes.create_string_buffer(code, len(code))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.c_char_p(struct.pack("=HxxxxxxQ", len(code) // 8, ctypes.addressof(held))), 0, 0) == 0
tempfile.tempdir = sys.argv[4]
from ebmhw.sandbox import guards, run_program
from ebmhw.errors import SandboxUnavailable
try:
    ended = run_program("print('it ran')")
    told = [ended.stdout.decode(), guards().enough, list(guards().namespaces)]
except SandboxUnavailable as error:
    told = [str(error), guards().enough, error.code]
print(json.dumps(told))
"""


def _without(call: str, argument: int, error: int, folder: Path) -> list[object]:
    number = NUMBERS[os.uname().machine][call]
    command = [sys.executable, "-c", WITHOUT, str(number), str(argument), str(error), str(folder)]
    found = subprocess.run(command, capture_output=True, timeout=120, text=True)
    assert found.returncode == 0, found.stderr
    assert list(folder.iterdir()) == []
    told = json.loads(found.stdout)
    assert isinstance(told, list)
    return told


@pytest.mark.parametrize(
    ("call", "argument", "error", "words"),
    [
        ("landlock", -1, 38, "landlock: Function not implemented; it takes Linux 5.13 or later with CONFIG_SECURITY_LANDLOCK"),
        ("landlock", -1, 95, "landlock: Operation not supported; it takes Linux 5.13"),
        ("landlock", -1, 1, "container its seccomp profile must allow landlock_create_ruleset"),
        ("prctl", 22, 22, "seccomp: EINVAL; it takes CONFIG_SECCOMP_FILTER"),
        ("capset", -1, 1, "capabilities: Operation not permitted; in a container"),
    ],
)
def test_a_kernel_that_lacks_a_guard_is_refused(call: str, argument: int, error: int, words: str, tmp_path: Path) -> None:
    text, enough, code = _without(call, argument, error, tmp_path)
    assert isinstance(text, str) and "it was not run" in text and words in text
    assert enough is False and code == "sandbox-unavailable"


def test_a_kernel_that_refuses_namespaces_suffices(tmp_path: Path) -> None:
    assert _without("unshare", -1, 1, tmp_path) == ["it ran\n", True, []]


def test_the_filter_of_these_tests_is_what_refuses(tmp_path: Path) -> None:
    text, enough, _ = _without("landlock", 12345, 38, tmp_path)
    assert (text, enough) == ("it ran\n", True)


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_are_refused(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(SandboxUnavailable, match="has neither Landlock nor seccomp; run this in Linux: a virtual machine, a container, or WSL 2"):
        run_program("pass")


ELSEWHERE = """
import json, os, sys
sys.platform = "win32"
for name in ("resource", "fcntl", "ctypes"): sys.modules[name] = None  # these cannot be imported there, or do not do there what is needed
del os.uname, os.O_DIRECTORY
from ebmhw.errors import SandboxUnavailable
from ebmhw.sandbox import guards, run_program
try:
    run_program("print('it ran')")
except SandboxUnavailable as error:
    print(json.dumps([str(error), guards().enough]))
"""


def test_where_modules_of_linux_are_missing_it_still_says_so(readable_copy: Path) -> None:
    environment = {"PYTHONPATH": str(readable_copy), "PYTHONDONTWRITEBYTECODE": "1"}
    found = subprocess.run([sys.executable, "-S", "-c", ELSEWHERE], capture_output=True, timeout=60, text=True, env=environment)
    assert found.returncode == 0, found.stderr
    text, enough = json.loads(found.stdout)
    assert "has neither Landlock nor seccomp" in text and enough is False


def test_an_interpreter_that_does_not_start_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(SandboxUnavailable, match="it ended, or said nothing, before it was confined"):
        run_program("pass")
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(SandboxUnavailable, match="does not know the path of its Python"):
        run_program("pass")
    assert list(tmp_path.iterdir()) == []


def test_require_returns_what_guards_say() -> None:
    assert require() == guards()
    assert guards().landlock >= 1


@pytest.fixture
def readable_copy() -> Iterator[Path]:
    """The part of the package that is needed, where every user can read it."""
    source = Path(ebmhw.__file__).parent
    folder = Path(tempfile.mkdtemp(prefix="ebmhw-test-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        (folder / "ebmhw").mkdir()
        (folder / "ebmhw" / "__init__.py").touch()
        for name in ("errors.py", "redaction.py", "lazy.py", "stopping.py"):
            shutil.copy(source / name, folder / "ebmhw" / name)
        shutil.copytree(source / "sandbox", folder / "ebmhw" / "sandbox", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("sandbox_kinds.py", "sandbox_surroundings.py"):
            shutil.copy(Path(__file__).with_name(name), folder / name)
        yield folder
    finally:
        shutil.rmtree(folder)


AS_ANOTHER = """
import json, os, sys, tempfile
from pathlib import Path
from sandbox_kinds import KINDS, SOON
from sandbox_surroundings import a_victim, an_outside, program, state
from ebmhw.sandbox import Confined, require
require()
names = sys.argv[1:]
wrong = []
with tempfile.TemporaryDirectory() as folder, a_victim() as victim:
    outside = an_outside(Path(folder) / "outside")
    before = state(outside)
    tried = [kind for kind in KINDS if (kind.name in names if names else kind.limits is not SOON)]
    for kind in tried:
        with Confined(program(Path(folder) / "program.py", kind.text, outside, victim), kind.limits) as process:
            ended = process.end()
        lines = ended.stdout.decode().splitlines()
        pairs = zip(lines, kind.says)
        right = all(line in (said, *("refused " + one for one in said.removeprefix("refused ").split(" or "))) for line, said in pairs)
        if not right or len(lines) < len(kind.says) or ended.cause not in kind.cause.split(" or "):
            wrong.append([kind.name, repr(ended)])
    assert state(outside) == before
print(json.dumps([os.getuid(), len(tried), wrong]))
"""

SOME = [
    "fork",
    "exec of a shell",
    "memory by a list",
    "writing outside",
    "changing a mode outside",
    "reading a secret",
    "a hard link out",
    "a socket of the internet",
    "a signal to its parent",
    "ptrace of another process",
    "new namespaces",
    "a million files",
    "folders without rights",
    "more threads than allowed",
]


def _interpreters() -> list[str]:
    """Pythons that another user may run."""
    found = [sys.executable, shutil.which("python3", path="/usr/bin:/usr/local/bin") or ""]
    return [path for path in found if path and not os.path.realpath(path).startswith("/root/")]


@pytest.mark.parametrize("names", [SOME, pytest.param([], marks=pytest.mark.slow)], ids=["some kinds", "all kinds"])
def test_an_ordinary_user_is_guarded_as_well(names: list[str], readable_copy: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("the other tests already run as an ordinary user")
    if not _interpreters():
        pytest.skip("no Python here that another user may run")
    environment = {"PYTHONPATH": str(readable_copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [_interpreters()[0], "-c", AS_ANOTHER, *names]
    found = subprocess.run(command, capture_output=True, timeout=250, text=True, user=65534, group=65534, extra_groups=[], env=environment, cwd="/")
    assert found.returncode == 0, found.stderr
    user, tried, wrong = json.loads(found.stdout)
    assert user == 65534 and tried >= len(names) and wrong == []
