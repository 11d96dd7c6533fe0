"""A board to deploy to: a real sshd on loopback, and a root folder with stand-ins for what a KV260 has."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from board_images import synthetic_entry
from board_tools import tool
from board_tree import add_machine, put

from ebmhw.backends.kv260.hold import NAME as HOLD
from ebmhw.board.block_design import APP, BLOCKS, FIRMWARE_ROOT, SHELL
from ebmhw.board.loaded import BUILD, CONTRACT_DIGEST, MAP_HASH, PACKET_HASH
from ebmhw.board.manifest import FILE, BitstreamEntry, Manifest
from ebmhw.contract.design import UNITS
from ebmhw.contract.render import contract_digest

VENV = "usr/local/share/pynq-venv"
OTHER = "k26-starter-kits"
"""What is loaded on a board that nobody touched."""

# As dfx-mgr 2022.2 prints, and with its exit status, which is 0 whatever happens.
XMUTIL = """#!{python} -IS
import json, os, pathlib, shutil, sys, time
root, control = pathlib.Path({root!r}), pathlib.Path({control!r})
faults = json.loads((control / "faults.json").read_text())
firmware, tree = root / {firmware!r}, root / "proc/device-tree/fpga-full"
state = root / "run/dfx-mgr"
active = state.read_text() if state.exists() else ""
by_name = sys.argv[1] == "--by-name"  # as dfx-mgr-client takes it
command, names = sys.argv[1 + by_name], sys.argv[2 + by_name :]
with (control / "calls").open("a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
fault = faults.get(command + " " + (names or [""])[0]) or faults.get(command)
if isinstance(fault, list):  # one for each call, then none
    calls = (control / "calls").read_text().splitlines()
    number = sum(one.split()[0] == command for one in calls) - 1
    fault = fault[number] if number < len(fault) else None
def nodes(data):
    # The properties, in hexadecimal, of the nodes of ours in an overlay: a text of ours, or what dtc made.
    if data[:4] != bytes.fromhex("d00dfeed"):
        return json.loads(data)
    word = lambda at: int.from_bytes(data[at : at + 4], "big")
    at, names, found, path = word(8), word(12), {{}}, []
    while word(at) != 9:
        kind, at = word(at), at + 4
        if kind == 1:
            end = data.index(bytes(1), at)
            path.append(data[at:end].decode())
            at = (end + 4) // 4 * 4
        elif kind == 2:
            path.pop()
        elif kind == 3:
            size, name = word(at), data[names + word(at + 4) : data.index(bytes(1), names + word(at + 4))].decode()
            found.setdefault("/".join(path[-1:]), {{}})[name] = data[at + 8 : at + 8 + size].hex()
            at = (at + 8 + size + 3) // 4 * 4
    return {{node: properties for node, properties in found.items() if "ebmhw,build" in properties}}
if fault == "ids" and not by_name:
    error = "Error: -load expects a numeric ID. Use -loadByName for name-based loading."
    print(error if command == "loadapp" else "WARNING: '-remove' is deprecated. Use '-unload' instead.")
    sys.exit(1)
if fault == "hang":
    (control / "started").touch()
    time.sleep(60)
if fault == "slow":
    (control / "started").touch()
    time.sleep(0.6)
if fault == "traceback":
    print("Traceback (most recent call last):\\nsubprocess.CalledProcessError: Command 'dfx-mgr-client' returned non-zero exit status 255.")
    sys.exit(1)
if fault == "silent":
    sys.exit(0)
if command == "listapps":
    print("%32s%20s%32s%20s%20s%20s\\n" % ("Accelerator", "Accel_type", "Base", "Base_type", "#slots(PL+AIE)", "Active_slot"))
    for one in sorted(firmware.iterdir()):
        image = one / (one.name + ".bit.bin")
        if fault == "hides" and image.exists() and image.read_bytes() == (control / "hidden").read_bytes():
            continue
        if (one / "shell.json").exists():
            print("%32s%20s%32s%20s%20s%20s" % (one.name, "XRT_FLAT", one.name, "XRT_FLAT", "(0+0)", "0," if active == one.name else "-1"))
elif command == "unloadapp":
    if fault == "error" or not active:
        print("remove from slot 0 returns: -1 (Error)")
    else:
        state.write_text("")
        shutil.rmtree(tree, ignore_errors=True)
        print("remove from slot 0 returns: 0 (Ok)")
elif command == "loadapp":
    folder = firmware / names[0]
    if fault == "error" or active or not (folder / "shell.json").exists():
        print("%s: load Error: -1" % names[0])
    elif fault == "old error":
        print("Accelerator loaded to slot -1")
    else:
        state.write_text(names[0])
        for name in ("#address-cells", "#size-cells") if any(folder.glob("*.dtbo")) else ():
            tree.mkdir(exist_ok=True)
            (tree / name).write_bytes((2).to_bytes(4, "big"))
        for overlay in folder.glob("*.dtbo"):
            for node, properties in nodes(overlay.read_bytes()).items():
                (tree / node).mkdir(parents=True)
                for name, value in properties.items():
                    data = bytes.fromhex(value)
                    (tree / node / name).write_bytes(bytes(4) if fault == "other build" and name == "ebmhw,build" else data)
        if fault == "no overlay":
            shutil.rmtree(tree, ignore_errors=True)
        if fault == "manager":
            (root / "sys/class/fpga_manager/fpga0/state").write_text("write error\\n")
        elif names[0] == {app!r} or fault is None:
            (root / "sys/class/fpga_manager/fpga0/state").write_text("operating\\n")
        print("%s: loaded to slot 0" % names[0])
"""

BY_NAME = """#!/bin/sh
case "$1" in
  -loadByName) exec '{root}/usr/bin/xmutil' --by-name loadapp "$2" ;;
  -unloadByName) exec '{root}/usr/bin/xmutil' --by-name unloadapp "$2" ;;
esac
exit 255
"""

PYTHON3 = """#!/bin/sh
if [ -e '{control}/prelude.py' ]; then exec '{python}' -I '{control}/wrap.py' "$@"; fi
exec '{python}' "$@"
"""

WRAP = """
import sys
code, sys.argv = sys.argv[3], ["-c", *sys.argv[4:]]
names = {"__name__": "__main__"}
exec(open(%r).read(), names)
exec(code, names)
"""

VENV_PYTHON = """#!/bin/sh
export PYTHONDONTWRITEBYTECODE=1
if [ "$1 $2" = "-m pip" ]; then shift 2; exec '{python}' -m pip --python '{real}' "$@"; fi
exec '{real}' "$@"
"""

EBMHW = {
    "__init__.py": "__version__ = {version!r}\n",
    "contract/__init__.py": "",
    "contract/render.py": "def contract_digest():\n    return {digest!r}\n",
    "contract/design.py": """
from types import SimpleNamespace as Facts
UNITS = [Facts(name=name, registers=Facts(hash32=map_hash), packet_hash=packet_hash) for name, map_hash, packet_hash in {units!r}]
""",
    "__main__.py": """
import json, pathlib, sys, time
control = pathlib.Path({control!r})
fault = json.loads((control / "faults.json").read_text()).get("selftest")
assert sys.argv[1:] == ["board", "selftest", "--json"], sys.argv
if fault in ("hang", "slow"):
    (control / "started").touch()
    time.sleep(60 if fault == "hang" else 0.6)
if fault == "garbage":
    print("\\x1b[2J Segmentation fault \\x07" + "{{" * 50)
    sys.exit(0)
if fault == "flood":
    print("x" * (8 << 20))
    sys.exit(0)
if fault == "lies":
    print(json.dumps({{"passed": True, "rows": [{{"what": "identity", "passed": True, "detail": ""}}]}}))
    sys.exit(3)
rows = [{{"what": "identity", "passed": True, "detail": "both units"}}]
rows += [{{"what": "known answer", "passed": fault != "fail", "detail": "3 of 64 spins\\x1b[31m"}}]
print("a warning of pynq", file=sys.stderr)
print(json.dumps({{"passed": fault != "fail", "rows": rows}}))
sys.exit(fault == "fail")
""",
}


def units_here(change: int = 0) -> list[tuple[str, int, int]]:
    """Return name and hashes of each unit; a change makes other hashes."""
    return [(unit.name, unit.registers.hash32 ^ change, unit.packet_hash) for unit in UNITS]


def python_package(control: Path, change: int = 0, requires: tuple[str, ...] = ("numpy>=1.26",), version: str = "0.1") -> dict[str, str]:
    """Return the files of a package that calls itself ebmhw, by their paths in site-packages, its list of files last."""
    facts = {"control": str(control), "digest": contract_digest(), "units": units_here(change), "version": version}
    files = {f"ebmhw/{name}": text.format(**facts) if "{" in text else text for name, text in EBMHW.items()}
    info = f"ebmhw-{version}.dist-info"
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: ebmhw\nVersion: {version}\n" + "".join(f"Requires-Dist: {one}\n" for one in requires)
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    return files


class StandIn:
    """A board's root folder, and what its stand-ins are to do wrong.

    Attributes
    ----------
    root : of the board's file system
    control : beside it: faults, and the calls of xmutil
    """

    def __init__(self, folder: Path) -> None:
        self.root, self.control = folder / "root", folder / "control"
        self.control.mkdir(parents=True)
        add_machine(self.root)
        for name in ("run/lock", "usr/share", f"{FIRMWARE_ROOT[1:]}/{OTHER}", "usr/bin"):
            (self.root / name).mkdir(parents=True)
        put(self.root / FIRMWARE_ROOT[1:] / OTHER / "shell.json", json.dumps(SHELL))
        put(self.root / "etc/os-release", 'NAME="Ubuntu"\nVERSION_ID="22.04"\nPRETTY_NAME="Ubuntu 22.04.4 LTS"\n')
        put(self.root / "run/dfx-mgr", OTHER)
        put(self.control / "uid", f"{os.getuid()}\n")
        facts = {"python": sys.executable, "root": str(self.root), "control": str(self.control), "firmware": FIRMWARE_ROOT[1:], "app": APP}
        self._command("xmutil", XMUTIL.format(**facts))
        self._command("dfx-mgr-client", BY_NAME.format(**facts))
        self._command("python3", PYTHON3.format(**facts))
        self._command("id", f"#!/bin/sh\ncat '{self.control}/uid'\n")
        self._command(
            "sudo", f"#!/bin/sh\n[ -e '{self.control}/no-sudo' ] && {{ echo 'sudo: a password is required' >&2; exit 1; }}\nshift\nexec \"$@\"\n"
        )
        put(self.control / "wrap.py", WRAP % str(self.control / "prelude.py"))
        self._venv()
        self.faults()

    def _command(self, name: str, text: str) -> None:
        put(self.root / "usr/bin" / name, text)
        (self.root / "usr/bin" / name).chmod(0o755)

    def _venv(self) -> None:
        venv = self.root / VENV
        site = venv / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
        real = venv / "bin/real"
        put(venv / "pyvenv.cfg", f"home = {Path(sys._base_executable).parent}\ninclude-system-site-packages = false\n")  # type: ignore[attr-defined]
        put(venv / "bin/python3", VENV_PYTHON.format(python=sys.executable, real=real))
        (venv / "bin/python3").chmod(0o755)
        real.symlink_to(sys._base_executable)  # type: ignore[attr-defined]
        for name, version in (("pynq", "3.0.1"), ("numpy", "1.26.4")):
            put(site / f"{name}-{version}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        self.site = site
        self.install_python()

    def install_python(self, **changes: Any) -> None:
        """Put a package that calls itself ebmhw into PYNQ's Python, in the place of the one there."""
        shutil.rmtree(self.site / "ebmhw", ignore_errors=True)
        for old in self.site.glob("ebmhw-*"):
            shutil.rmtree(old)
        for name, text in python_package(self.control, **changes).items():
            put(self.site / name, text)

    def faults(self, **kinds: Any) -> None:
        """Set what xmutil and the self-test do wrong."""
        put(self.control / "faults.json", json.dumps({name.replace("_", " "): kind for name, kind in kinds.items()}))

    def prelude(self, text: str) -> None:
        """Have code run before what a deploy runs on the board, in the same process."""
        put(self.control / "prelude.py", f"control = {str(self.control)!r}\n{text}")

    def healthy(self) -> None:
        """Take all faults back."""
        self.faults()
        for name in ("prelude.py", "started", "no-sudo"):
            (self.control / name).unlink(missing_ok=True)

    def wait_for(self, condition: Any, limit_s: float = 10) -> None:
        """Wait until something is so."""
        end = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end, "it did not come about"
            time.sleep(0.01)

    def started(self) -> bool:
        """Whether a slow stand-in runs."""
        return (self.control / "started").exists()

    def lock(self) -> Path:
        """Return where a deploy's lock lies."""
        return self.root / f"run/lock/{APP}-deploy.lock"

    def calls(self) -> list[str]:
        """Return what xmutil was called with."""
        path = self.control / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def tree(self) -> dict[str, tuple[int, bytes | str | None]]:
        """Return mode and content of all there is."""
        found: dict[str, tuple[int, bytes | str | None]] = {}
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in [*folders, *files]:
                if name == HOLD:  # who had it last stays there
                    continue
                path = Path(folder, name)
                content = os.readlink(path) if path.is_symlink() else None if path.is_dir() else path.read_bytes()
                found[str(path.relative_to(self.root))] = (path.lstat().st_mode, content)
        return found


def make_folder(folder: Path, stamp: int = 0, **changes: Any) -> BitstreamEntry:
    """Write a firmware of the shape that ``make firmware`` leaves, its overlay a text that the stand-in of xmutil reads, and return its entry."""
    (folder / APP).mkdir(parents=True)
    entry = synthetic_entry(folder / "share", bit={"stamp": stamp}, **changes)
    (folder / "share/ebmhw.xsa").unlink()
    Manifest({}).with_entry(entry).write(folder / "share" / FILE)
    (folder / APP / f"{APP}.bit.bin").write_bytes((folder / "share/ebmhw.bit").read_bytes()[100:])
    put(folder / APP / "shell.json", json.dumps(SHELL))
    put(folder / APP / f"{APP}.dtbo", json.dumps({f"{block.cell}@{block.address:x}": _properties(entry, block) for block in BLOCKS}))
    return entry


def _properties(entry: BitstreamEntry, block: Any) -> Mapping[str, str]:
    hashes = entry.units[block.cell]
    numbers = {BUILD: entry.build, MAP_HASH: hashes.map_hash, PACKET_HASH: hashes.packet_hash}
    texts = {"compatible": block.compatible, CONTRACT_DIGEST: entry.contract_digest}
    return {name: value.to_bytes(4, "big").hex() for name, value in numbers.items()} | {
        name: (text.encode() + b"\0").hex() for name, text in texts.items()
    }


class Sshd:
    """A running sshd that lets this user in with one key, whose commands find the stand-ins of ``current`` first.

    Attributes
    ----------
    folder : of its configuration
    config : of a client that knows it as "board"
    user : who may log in
    port : on 127.0.0.1
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.user, self.config, self.port = folder, getpass.getuser(), folder / "client", 0
        folder.chmod(0o700)
        for name in ("host", "other", "user"):
            subprocess.run([tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name], check=True, timeout=30)
        shutil.copy(folder / "user.pub", folder / "authorized")

    def client(self, name: str = "client", host_key: str | None = "host", identity: str = "user", port: int | None = None) -> Path:
        """Write a client's configuration: which host key it knows, and which key of its own it has."""
        known = self.folder / f"{name}.known"
        known.write_text("" if host_key is None else f"[127.0.0.1]:{port or self.port} {(self.folder / f'{host_key}.pub').read_text()}")
        path = self.folder / name
        path.write_text(
            f"Host board\n HostName 127.0.0.1\n Port {port or self.port}\n"
            f" IdentityFile {self.folder / identity}\n IdentitiesOnly yes\n IdentityAgent none\n"
            f" UserKnownHostsFile {known}\n GlobalKnownHostsFile /dev/null\n PasswordAuthentication no\n"
        )
        return path

    def start(self) -> subprocess.Popen[bytes]:
        """Start it on a free port."""
        for _ in range(5):
            self.port = free_port()
            lines = [
                f"Port {self.port}",
                "ListenAddress 127.0.0.1",
                f"HostKey {self.folder / 'host'}",
                f"AuthorizedKeysFile {self.folder / 'authorized'}",
                "PidFile none",
                "StrictModes no",
                "UsePAM no",
                "PermitRootLogin yes",
                "PasswordAuthentication no",
                "KbdInteractiveAuthentication no",
                "MaxStartups 100",
                f'ForceCommand exec env PATH="{self.folder}/current/usr/bin:/usr/bin:/bin" sh -c "$SSH_ORIGINAL_COMMAND"',
            ]
            (self.folder / "sshd_config").write_text("\n".join(lines) + "\n")
            process = subprocess.Popen(
                [tool("sshd"), "-D", "-f", self.folder / "sshd_config", "-E", self.folder / "log"], stdin=subprocess.DEVNULL, start_new_session=True
            )
            end = time.monotonic() + 10
            while process.poll() is None and time.monotonic() < end:
                try:
                    with socket.create_connection(("127.0.0.1", self.port), 1) as one:
                        if one.recv(4) == b"SSH-":
                            return process
                except OSError:
                    time.sleep(0.02)
            process.kill()
            process.wait()
        raise AssertionError(f"sshd does not start: {(self.folder / 'log').read_text()}")

    def serve(self, board: StandIn) -> None:
        """Have the commands of whoever logs in find a board's stand-ins."""
        link = self.folder / "current"
        link.unlink(missing_ok=True)
        link.symlink_to(board.root)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running_sshd(folder: Path) -> Iterator[Sshd]:
    """Run an sshd while the block lasts."""
    made = None
    separation = Path("/run/sshd")  # as root it wants this folder
    if os.getuid() == 0 and not separation.exists():
        separation.mkdir(mode=0o755)
        made = separation
    sshd = Sshd(folder)
    process = sshd.start()
    try:
        sshd.config = sshd.client()
        yield sshd
    finally:
        process.terminate()
        process.wait(10)
        if made is not None:
            made.rmdir()
