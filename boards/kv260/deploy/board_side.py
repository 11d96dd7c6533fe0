"""What a deploy runs on the board: this one file, piped to the board's python3 (3.8 or newer, standard library only).

It reads requests from standard input, a line of JSON each, and answers on standard output, a line each after the session's token; whatever else is
printed there is not ours. One process holds the lock, the staging folders and the journal from "begin" to "commit". Where its input ends before the
commit, whether the host closes it because a step failed or the connection is lost, where nothing is asked for long, or where a signal comes, it
brings back what was there; its last answer says so. Where the process itself dies, the next "begin" finds the journal and does it.

Of dfx-mgr, the loader behind xmutil, three things shape what follows (read in its sources, 2021.1 to 2026.1). Up to 2024.1 it and xmutil exit with 0
when loading fails; only the text tells. It watches the firmware folder and forgets an application whose folder is moved away, loaded or not, so what
is loaded is unloaded before the folder is exchanged, and staging lies outside. And it takes the two moves of an exchange in the kernel's order: the
live folder must be the first argument of renameat2, else it sees the new one come before the old one goes, and forgets both.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time

LINE_BYTES = 1 << 16
OUTPUT_BYTES = 1 << 18
PIECE = 1 << 16
COMMANDS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
JOURNAL = "journal.json"
LOADED = re.compile(r"\bloaded (?:to slot|with slot_handle):? *(\d+)", re.IGNORECASE)
NOT_LOADED = re.compile(r"load error|unable to load|no package found|no empty slot|traceback", re.IGNORECASE)
UNLOADED = re.compile(r"returns: *0 *\(Ok\)|successfully removed", re.IGNORECASE)
POLL_S = 0.1
UNDO_S = 60
NOTICE_S = 10


class Failed(Exception):
    """A step did not work; the text says what and what to do."""


class Gone(Exception):
    """Nobody waits for an answer any more: the connection ended, the deploy was called off, or a signal came."""


class Link:
    """The connection to the host, on descriptors 0 and 1."""

    def __init__(self, token):
        self.token = token
        self.waiting = b""
        self.signal = None
        self.deaf = False

    def watch_signals(self):
        """Take signals that end a process as the end of the connection."""
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, self._caught)

    def _caught(self, number, frame):
        self.signal = number

    def say(self, answer):
        """Write an answer; that nobody reads it is found when the next request is waited for."""
        data = (f"{self.token} {json.dumps(answer)}\n").encode()
        while data:
            try:
                data = data[os.write(1, data) :]
            except OSError:
                return

    def check(self):
        """Raise `Gone` where a signal came, or the host called off what goes on or has gone. During a step the host says nothing else."""
        if self.deaf:
            return
        if self.signal is not None:
            raise Gone(f"signal {self.signal}")
        if self.waiting:
            raise Gone("called off")
        if select.select([0], [], [], 0)[0]:
            got = os.read(0, PIECE)
            self.waiting += got
            raise Gone("called off" if got else "the connection ended")

    def _more(self, limit):
        end = time.monotonic() + limit
        while self.signal is None:
            left = end - time.monotonic()
            if left <= 0:
                raise Gone(f"the host said nothing for {limit:.0f} s")
            if select.select([0], [], [], min(left, POLL_S))[0]:
                got = os.read(0, PIECE)
                if not got:
                    raise Gone("the connection ended")
                return got
        raise Gone(f"signal {self.signal}")

    def line(self, limit):
        """Return the next request."""
        while b"\n" not in self.waiting:
            if len(self.waiting) > LINE_BYTES:
                raise Gone("the host sent no request")
            self.waiting += self._more(limit)
        line, _, self.waiting = self.waiting.partition(b"\n")
        try:
            return json.loads(line.decode())
        except ValueError:
            raise Gone("the host sent no request") from None

    def data(self, size, limit):
        """Yield the next bytes of the host, piece by piece."""
        while size:
            if not self.waiting:
                self.waiting = self._more(limit)
            piece, self.waiting = self.waiting[:size], self.waiting[size:]
            size -= len(piece)
            yield piece


class Board:
    """The board's files and commands, which lie below ``root``."""

    def __init__(self, link, request):
        self.link = link
        self.root = request.get("root", "/")
        self.app = request["app"]
        self.firmware = self.at(request["firmware"])
        self.share = self.at(request["share"])
        self.venv = self.at(request["venv"])
        # Outside the folder that the loader watches, and on its file system.
        self.staging = os.path.join(os.path.dirname(self.firmware), f".{self.app}-deploy")
        self.share_staging = os.path.join(os.path.dirname(os.path.dirname(self.share)), f".{self.app}-deploy")
        self.python = next((path for path in (self.venv + "/bin/python3", self.venv + "/bin/python") if os.access(path, os.X_OK)), None)

    def at(self, path):
        return os.path.join(self.root, path.lstrip("/"))

    def command(self, name):
        """Return the path of a command, None where there is none."""
        return shutil.which(name, path=":".join(self.at(folder) for folder in COMMANDS.split(":")))

    def run(self, arguments, limit, env=None, errors=subprocess.STDOUT):
        """Run a command and return its exit status and the first `OUTPUT_BYTES` of its output; it ends, with its children, when the host goes."""
        environment = {"PATH": COMMANDS, "HOME": os.path.expanduser("~"), "LANG": "C.UTF-8"}
        environment.update(env or {})
        shown = " ".join(arguments)
        try:
            process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, start_new_session=True, env=environment, cwd="/"
            )
        except OSError as error:
            raise Failed(f"{shown} cannot be run ({error.strerror or error})") from None
        output, pipe, end = b"", process.stdout.fileno(), time.monotonic() + limit
        try:
            while True:
                self.link.check()
                ready = select.select([pipe], [], [], POLL_S / 4)[0]
                got = os.read(pipe, PIECE) if ready else b""
                output += got[: OUTPUT_BYTES - len(output)]
                # Children that live on may hold the pipe open.
                if (ready and not got) or (not ready and process.poll() is not None):
                    break
                if time.monotonic() > end:
                    raise Failed(f"{shown} did not end within {limit:.0f} s and was ended; it printed: {tail(output)}")
            while process.poll() is None:
                self.link.check()
                if time.monotonic() > end:
                    raise Failed(f"{shown} did not end within {limit:.0f} s and was ended; it printed: {tail(output)}")
                time.sleep(POLL_S / 10)
        finally:
            if process.poll() is None:
                for number in (signal.SIGTERM, signal.SIGKILL):
                    try:
                        os.killpg(process.pid, number)
                        process.wait(2)
                        break
                    except subprocess.TimeoutExpired:
                        continue
                    except OSError:
                        break
            process.stdout.close()
        return process.returncode, output.decode("utf-8", "replace")

    def tool(self, name):
        path = self.command(name)
        if path is None:
            raise Failed(f"there is no {name} on the board; use the Ubuntu image of Kria boards")
        return path


def tail(output, limit=400):
    """Return the end of an output, on one line."""
    text = output.decode("utf-8", "replace") if isinstance(output, bytes) else output
    text = " | ".join(line.strip() for line in text.splitlines() if line.strip()) or "nothing"
    return text if len(text) <= limit else "..." + text[-limit:]


def existing(path):
    """Return the nearest folder above a path, or itself, that exists."""
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def read(path, limit=4096):
    """Return the bytes of a small file, None where it cannot be read or is longer."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        data = os.read(handle, limit + 1)
        return data if len(data) <= limit else None
    except OSError:
        return None
    finally:
        os.close(handle)


def text(path, limit=4096):
    """Return a small file's text, "" where it cannot be read."""
    return (read(path, limit) or b"").decode("utf-8", "replace")


def strings(data):
    """Return the strings of a property of the device tree."""
    return [part.decode("ascii", "replace") for part in (data or b"").split(b"\0") if part]


def digest_of(path):
    """Return SHA-256 (hex) and size of a file."""
    made, size = hashlib.sha256(), 0
    with open(path, "rb") as stream:
        for piece in iter(lambda: stream.read(1 << 20), b""):
            made.update(piece)
            size += len(piece)
    return made.hexdigest(), size


def sync(path):
    """Have a file or a folder on the medium."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def listing(output):
    """Return what dfx-mgr lists, [name, handle or None where it is not loaded] each; the name's column is the first up to 2025.1, then the last."""
    found, last = [], False
    for line in output.splitlines():
        fields = line.split()
        if "Accelerator" in fields:
            last = fields[-1] == "Accelerator"
        elif len(fields) >= 4 and not fields[0].startswith("--"):
            name, slot = (fields[-1], fields[-2]) if last else (fields[0], fields[-1])
            numbers = re.findall(r"\d+", slot)
            if not re.match(r"^(-1|[\w>,-]*\d+,?)$", slot):
                continue
            found.append([name, None if slot == "-1" or not numbers else numbers[-1]])
    return found


def apps(board, limit=15, prefix=()):
    """Return the applications that the loader knows, as `listing`."""
    status, output = board.run([*list(prefix), board.tool("xmutil"), "listapps"], limit)
    if status or "Accelerator" not in output:
        raise Failed(f"xmutil listapps ended with {status} and printed: {tail(output)}; is dfx-mgr running (systemctl status dfx-mgr)?")
    return listing(output)


def load(board, name, limit):
    """Load an application, and believe only what is printed of it."""
    status, output = board.run([board.tool("xmutil"), "loadapp", name], limit)
    if "-loadByName" in output:  # from 2026.1 on dfx-mgr takes numbers for -load, which xmutil does not know
        status, output = board.run([board.tool("dfx-mgr-client"), "-loadByName", name], limit)
    if status or NOT_LOADED.search(output) or not LOADED.search(output):
        raise Failed(f"xmutil loadapp {name} ended with {status} and printed: {tail(output)}; the kernel's word on it: dmesg | tail")
    return tail(output)


def unload(board, name, handle, limit):
    """Unload an application."""
    status, output = board.run([board.tool("xmutil"), "unloadapp", handle], limit)
    if "-unload" in output and "deprecated" in output:
        status, output = board.run([board.tool("dfx-mgr-client"), "-unloadByName", name], limit)
    if status or not UNLOADED.search(output):
        raise Failed(f"xmutil unloadapp {handle} ({name}) ended with {status} and printed: {tail(output)}; end what uses it")


def loaded_nodes(board, names):
    """Return what the live device tree says of our units: by compatible, the values of the properties ``names``, a number or a string each."""
    found, seen = {}, 0
    for folder, _folders, files in os.walk(os.path.realpath(board.at("/proc/device-tree"))):
        seen += 1
        if seen > 20000:
            raise Failed("/proc/device-tree has more than 20000 nodes: it is no device tree of a board")
        if names["build"] not in files:
            continue
        values = {}
        for key, name in names.items():
            raw = read(os.path.join(folder, name)) or b""
            values[key] = int.from_bytes(raw, "big") if len(raw) == 4 else "".join(strings(raw))
        for compatible in strings(read(os.path.join(folder, "compatible"))):
            found[compatible] = values
    return found


def manager_state(board):
    return text(board.at("/sys/class/fpga_manager/fpga0/state")).strip()


PROBE = """
import json, sys
from importlib import metadata
found = {"python": list(sys.version_info[:3]), "versions": {}, "missing": [], "contract": None, "units": {}, "error": None}
for name in ("pynq", "numpy", "ebmhw"):
    try:
        found["versions"][name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        found["versions"][name] = None
if found["versions"]["ebmhw"]:
    import re
    for one in metadata.requires("ebmhw") or []:
        if "extra ==" not in one.replace("'", '"').replace("extra==", "extra =="):
            name = re.match(r"[A-Za-z0-9._-]+", one).group()
            try:
                metadata.version(name)
            except metadata.PackageNotFoundError:
                found["missing"].append(one)
    try:
        from ebmhw.contract.design import UNITS
        from ebmhw.contract.render import contract_digest
        found["contract"] = contract_digest()
        found["units"] = {unit.name: [unit.registers.hash32, unit.packet_hash] for unit in UNITS}
    except Exception as error:
        found["error"] = "%s: %s" % (type(error).__name__, error)
print("ebmhw-probe " + json.dumps(found))
"""

FILES = """
import json
from importlib import metadata
try:
    found = metadata.distribution("ebmhw")
except metadata.PackageNotFoundError:
    print("[]")
else:
    print(json.dumps([str(found.locate_file(name)) for name in found.files or []]))
"""


def probe(board, limit=60):
    """Return what PYNQ's Python has installed, None where there is no such Python."""
    if board.python is None:
        return None
    status, output = board.run([board.python, "-c", PROBE], limit)
    for line in output.splitlines():
        if line.startswith("ebmhw-probe "):
            try:
                return json.loads(line.partition(" ")[2])
            except ValueError:
                break
    raise Failed(f"{board.python} says nothing of its packages (exit status {status}): {tail(output)}")


def facts(board, request):
    """Return all that the checks look at; what cannot be found out is None, and why stands in "troubles"."""
    troubles, found = [], {}

    def attempt(name, get):
        try:
            found[name] = get()
        except (Failed, OSError) as error:
            found[name] = None
            troubles.append(f"{name}: {error}")

    uid = board.command("id")
    attempt("uid", lambda: int(board.run([uid, "-u"], 10)[1]) if uid else os.geteuid())
    sudo = board.command("sudo")
    attempt("sudo", lambda: bool(sudo) and board.run([sudo, "-n", "true"], 10)[0] == 0)
    prefix = [] if found["uid"] == 0 else [sudo, "-n"]
    tree = board.at("/proc/device-tree")
    found["model"] = "".join(strings(read(os.path.join(tree, "model"))))
    found["compatible"] = strings(read(os.path.join(tree, "compatible")))
    found["products"] = products(board)
    found["system"] = dict(re.findall(r'^(NAME|VERSION_ID|PRETTY_NAME)="?([^"\n]*)"?$', text(board.at("/etc/os-release")), re.MULTILINE))
    found["python"] = list(sys.version_info[:3])
    found["tools"] = {name: board.command(name) for name in ("xmutil", "dfx-mgr-client")}
    found["folder"] = os.path.isdir(board.firmware)
    found["disks"] = [disk(path) for path in (os.path.dirname(board.firmware), os.path.dirname(board.share))]
    found["apps"] = None
    if found["tools"]["xmutil"] and (found["uid"] == 0 or found["sudo"]):
        attempt("apps", lambda: apps(board, prefix=prefix))
    attempt("loaded", lambda: loaded_nodes(board, request["properties"]))
    found["manager"] = manager_state(board)
    attempt("pynq", lambda: probe(board))
    found["installed"] = {}
    for key, folder in (("firmware", os.path.join(board.firmware, board.app)), ("share", board.share)):
        if os.path.isdir(folder):
            attempt("listed", lambda folder=folder: {name: digest_of(os.path.join(folder, name)) for name in sorted(os.listdir(folder))[:64]})
            found["installed"][key] = found.pop("listed")
    found["journal"] = os.path.exists(os.path.join(board.staging, JOURNAL))
    found["troubles"] = troubles
    return found


def products(board):
    """Return the names of products in the EEPROMs of module and carrier, as far as they can be read."""
    found, top = set(), board.at("/sys/bus/i2c/devices")
    for name in sorted(os.listdir(top)) if os.path.isdir(top) else []:
        raw = read(os.path.join(top, name, "eeprom"), 1 << 16) or b""
        found.update(one.decode() for one in re.findall(rb"SMK?-K\d\d[A-Z0-9-]*|SCK-[A-Z]{2}-[A-Z]", raw))
    return sorted(found)


def disk(path):
    """Return the number of a file system, its free bytes, whether it is mounted read-only, and the folder that was asked for."""
    there = existing(path)
    found = os.statvfs(there)
    return [os.stat(there).st_dev, found.f_bavail * found.f_frsize, bool(found.f_flag & os.ST_RDONLY), path]


def exchange(live, staged):
    """Put what is staged into the place of what is live, and the other way round, at once; False where kernel or file system cannot."""
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    # In this order the loader sees the old folder go and then the new one come.
    if call(-100, os.fsencode(live), -100, os.fsencode(staged), 2) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
        return False
    raise OSError(number, os.strerror(number), live)


def inode(path):
    try:
        return os.lstat(path).st_ino
    except OSError:
        return None


def swap_in(pair, exchanging=True):
    """Make a staged folder live; what was live is at "staged" afterwards, or at "old" where nothing can be exchanged."""
    live, staged, old = pair["live"], pair["staged"], pair["old"]
    if not os.path.lexists(live):
        os.rename(staged, live)
    elif not (exchanging and exchange(live, staged)):
        os.rename(live, old)
        os.rename(staged, live)


def swap_out(pair):
    """Undo `swap_in`, however far it came, whoever did it."""
    live, staged, old = pair["live"], pair["staged"], pair["old"]
    if inode(live) == pair["new"]:
        if not pair["had"] or os.path.lexists(old):
            os.rename(live, staged)
        elif not exchange(live, staged):
            raise OSError(errno.ENOENT, "what was there before is gone", old)
    if os.path.lexists(old) and not os.path.lexists(live):
        os.rename(old, live)


class Session:
    """One deploy, from the lock to the commit."""

    def __init__(self, board, request):
        self.board = board
        self.request = request
        self.lock = None
        self.journal = None
        self.committed = False
        self.lock_path = board.at(f"/run/lock/{board.app}-deploy.lock")

    def begin(self, request):
        """Take the lock, repair what an earlier deploy left behind, and return both."""
        os.makedirs(os.path.dirname(self.lock_path), exist_ok=True)
        took = None
        while self.lock is None:
            handle = os.open(self.lock_path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
            holder = tail(os.read(handle, 500))
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                raise Failed(
                    f"another deploy holds the board: {holder}; wait for its end, or end it on the board (kill its process: it rolls back)"
                ) from None
            if inode(self.lock_path) != os.fstat(handle).st_ino:
                os.close(handle)
                continue
            took = holder if holder != "nothing" else None
            self.lock = handle
        os.ftruncate(self.lock, 0)
        now = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        os.pwrite(self.lock, (f"{request['who']}, since {now}, process {os.getpid()}\n").encode(), 0)
        repaired = self._repair()
        self._clear()
        for folder in (self.board.staging, self.board.share_staging):
            os.makedirs(folder, 0o700)
        pairs = []
        for where, live, staging in (
            ("firmware", os.path.join(self.board.firmware, self.board.app), self.board.staging),
            ("share", self.board.share, self.board.share_staging),
        ):
            staged = os.path.join(staging, where)
            os.makedirs(staged, 0o755)
            pairs.append({"live": live, "staged": staged, "old": staged + ".old", "new": inode(staged), "had": os.path.lexists(live)})
        made = os.path.dirname(self.board.share)
        self.journal = {
            "version": 1,
            "who": request["who"],
            "since": now,
            "boot": self._boot(),
            "pairs": pairs,
            "made": made if existing(made) != made else None,
            "before": None,
            "host": None,
        }
        return {"took_over": took, "repaired": repaired}

    def _boot(self):
        return text("/proc/sys/kernel/random/boot_id").strip()

    def _write_journal(self):
        path = os.path.join(self.board.staging, JOURNAL)
        with open(path + ".new", "w") as stream:
            json.dump(self.journal, stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(path + ".new", path)
        sync(self.board.staging)

    def _repair(self):
        path = os.path.join(self.board.staging, JOURNAL)
        if not os.path.exists(path):
            return None
        try:
            self.journal = json.loads(text(path, 1 << 20))
            since, who = self.journal["since"], self.journal["who"]
        except (ValueError, KeyError, TypeError):
            raise Failed(
                f"{path} is no journal of a deploy; look at what lies beside it, put back by hand what was there, and remove the folder"
            ) from None
        if self.journal["boot"] != self._boot():
            self.journal["before"] = None  # what was loaded then is not loaded since
        problems = self._restore()
        if not problems:
            for pair in self.journal["pairs"]:
                shutil.rmtree(os.path.dirname(pair["staged"]), ignore_errors=True)
        self.journal = None
        if problems:
            raise Failed(
                "an earlier deploy ({}, {}) died midway, and what was there before cannot be put back: {}".format(who, since, "; ".join(problems))
            )
        return f"an earlier deploy ({who}, {since}) died midway; what was there before it is there again"

    def _clear(self):
        for folder in (self.board.staging, self.board.share_staging):
            if os.path.lexists(folder):
                shutil.rmtree(folder)

    def upload(self, request):
        """Take the files of the host, and read them back from the medium."""
        name_of, paths = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,120}"), []
        for file in request["files"]:
            if not name_of.fullmatch(file["name"]) or file["where"] not in ("firmware", "share", "host"):
                raise Gone(f"{file['name']!r} is no name of a file to be put onto a board")
            folder = os.path.join(self.board.share_staging if file["where"] == "share" else self.board.staging, file["where"])
            paths.append(os.path.join(folder, file["name"]))
            try:
                os.makedirs(folder, exist_ok=True)
                with open(paths[-1], "wb") as stream:
                    for piece in self.board.link.data(file["size"], request["idle_s"]):
                        stream.write(piece)
                    stream.flush()
                    os.fsync(stream.fileno())
                os.chmod(paths[-1], 0o644)
            except OSError as error:
                # What else the host sends would be taken for requests.
                raise Gone(f"{paths[-1]} cannot be written: {error.strerror or error}; make room on the board") from None
        for index, path in enumerate(paths):
            file = request["files"][index]
            found, size = digest_of(path)
            if (found, size) != (file["sha256"], file["size"]):
                trouble = f"{file['name']} arrived with {size} bytes and SHA-256 {found[:16]}..., not {file['size']} and {file['sha256'][:16]}..."
                raise Failed(f"{trouble}: it changed on the way, or while it was read; deploy again")
        for pair in self.journal["pairs"]:
            sync(pair["staged"])
        return {}

    def host(self, request):
        """Install ebmhw into PYNQ's Python, after a copy of what is there."""
        backup = os.path.join(self.board.staging, "host.tar")
        status, output = self.board.run([self.board.python, "-c", FILES], 60)
        try:
            files = [os.path.realpath(path) for path in json.loads(output.splitlines()[-1])]
        except (ValueError, IndexError):
            raise Failed(f"{self.board.python} does not say which files ebmhw has: {tail(output)}") from None
        with tarfile.open(backup, "w") as archive:
            for path in files:
                if os.path.lexists(path):
                    archive.add(path, path.lstrip("/"), recursive=False)
            self.board.link.check()
        self.journal["host"] = {"backup": backup, "had": bool(files)}
        self._write_journal()
        package = os.path.join(self.board.staging, "host", request["name"])
        pip = [self.board.python, "-m", "pip", "install", "--no-deps", "--no-index", "--no-build-isolation", "--force-reinstall", package]
        status, output = self.board.run(pip, request["limit_s"], self._environment())
        if status:
            raise Failed(f"{' '.join(pip)} ended with {status} and printed: {tail(output)}")
        return {"pynq": probe(self.board)}

    def _environment(self):
        venv = self.board.venv
        return {
            "PATH": f"{venv}/bin:{COMMANDS}",
            "VIRTUAL_ENV": venv,
            "XILINX_XRT": "/usr",
            "BOARD": "KV260",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def unload(self, request):
        """Unload what is loaded; from here on a roll-back loads it again."""
        active = [one for one in apps(self.board) if one[1] is not None]
        self.journal["before"] = [name for name, _ in active]
        self._write_journal()
        for name, handle in active:
            unload(self.board, name, handle, request["limit_s"])
        return {"unloaded": self.journal["before"]}

    def install(self, request):
        """Put firmware and share folder into place, each at once."""
        self._write_journal()
        if self.journal["made"]:
            os.makedirs(self.journal["made"], exist_ok=True)
        for pair in self.journal["pairs"]:
            if os.stat(os.path.dirname(pair["live"])).st_dev != os.stat(pair["staged"]).st_dev:
                raise Failed("{} is on another file system than {}: it cannot be put into place at once".format(pair["live"], pair["staged"]))
        for pair in self.journal["pairs"]:
            swap_in(pair, request["exchange"])
            for folder in {os.path.dirname(pair["live"]), os.path.dirname(pair["staged"])}:
                sync(folder)
        return {}

    def load(self, request):
        """Wait until the loader knows the application, and load it."""
        end = time.monotonic() + request["notice_s"]
        while self.board.app not in [name for name, _ in apps(self.board)]:
            if time.monotonic() > end:
                raise Failed(
                    "dfx-mgr does not list {} within {:.0f} s though its folder is in place; is shell.json whole, and does dfx-mgr run "
                    "(systemctl status dfx-mgr)?".format(self.board.app, request["notice_s"])
                )
            time.sleep(POLL_S)
        return {"said": load(self.board, self.board.app, request["limit_s"])}

    def verify(self, request):
        """Compare what the kernel says of the programmable logic with what was deployed."""
        state = manager_state(self.board)
        if state != request["operating"]:
            raise Failed(
                "the FPGA manager's state is {!r} after loading, not {!r}; the kernel's word on it: dmesg | tail".format(state, request["operating"])
            )
        found = loaded_nodes(self.board, self.request["properties"])
        for compatible, due in request["nodes"].items():
            if compatible not in found:
                raise Failed(f"the live device tree has no node {compatible} after loading: the overlay was not applied")
            for name, value in due.items():
                said = found[compatible].get(name)
                if said != value:
                    raise Failed(f"the live device tree says {name} {show(said)} of {compatible}, not {show(value)}: another design is loaded")
        return {}

    def selftest(self, request):
        """Run the self-test under PYNQ's Python and return what it printed, for the host to judge."""
        arguments = [self.board.python, "-m", "ebmhw", "board", "selftest", "--json"]
        with tempfile.TemporaryFile() as errors:
            status, output = self.board.run(arguments, request["limit_s"], self._environment(), errors)
            errors.seek(max(0, errors.tell() - PIECE))
            return {"status": status, "output": output, "errors": tail(errors.read(PIECE))}

    def commit(self, request):
        """Keep what is there now."""
        path = os.path.join(self.board.staging, JOURNAL)
        if os.path.exists(path):
            os.unlink(path)
            sync(self.board.staging)
        self.journal, self.committed = None, True
        self._clear()
        return {}

    def rollback(self):
        """Bring back what was there, unless it is committed, and return what did not work of it."""
        if self.journal is None:
            if self.lock is not None and not os.path.exists(os.path.join(self.board.staging, JOURNAL)):
                self._clear()
            return []
        self.board.link.deaf = True
        problems = self._restore()
        if not problems:
            self.journal = None
            self._clear()
        self.board.link.deaf = False
        return problems

    def _restore(self):
        """Undo what the journal says was begun, and return what did not work, a sentence with the command to run by hand each."""
        board, before, problems = self.board, self.journal["before"], []

        def attempt(what, command):
            try:
                what()
            except (Failed, OSError, ValueError, tarfile.TarError) as error:
                problems.append(f"{error}; by hand: {command}")

        if before is not None:
            attempt(lambda: self._unload_all(before), "sudo xmutil unloadapp")
        for pair in self.journal["pairs"]:
            attempt(lambda pair=pair: swap_out(pair), by_hand(pair))
        made = self.journal["made"]
        if made and os.path.isdir(made) and not os.listdir(made):
            attempt(lambda: os.rmdir(made), f"sudo rmdir {made}")
        host = self.journal["host"]
        if host is not None:
            attempt(lambda: self._restore_host(host), "sudo tar -C / -xf {}".format(host["backup"]))
        for name in before or []:
            attempt(lambda name=name: self._load_again(name), f"sudo xmutil loadapp {name}")
        path = os.path.join(board.staging, JOURNAL)
        if not problems and os.path.exists(path):
            os.unlink(path)
        return problems

    def _unload_all(self, before):
        active = [one for one in apps(self.board) if one[1] is not None]
        changed = any(inode(pair["live"]) == pair["new"] for pair in self.journal["pairs"])
        if changed or sorted(name for name, _ in active) != sorted(before):
            for name, handle in active:
                unload(self.board, name, handle, UNDO_S)

    def _load_again(self, name):
        end = time.monotonic() + NOTICE_S
        known = dict(apps(self.board))
        while name not in known and time.monotonic() < end:
            time.sleep(POLL_S)
            known = dict(apps(self.board))
        if known.get(name) is None:
            load(self.board, name, UNDO_S)

    def _restore_host(self, host):
        status, output = self.board.run([self.board.python, "-m", "pip", "uninstall", "-y", "ebmhw"], 120, self._environment())
        if status:
            raise Failed(f"ebmhw cannot be uninstalled (exit status {status}): {tail(output)}")
        with tarfile.open(host["backup"]) as archive:
            archive.extraction_filter = lambda member, path: member  # our own archive of absolute paths
            archive.extractall("/")

    def close(self):
        if self.lock is not None:
            if inode(self.lock_path) == os.fstat(self.lock).st_ino:
                os.unlink(self.lock_path)
            os.close(self.lock)
            self.lock = None


def by_hand(pair):
    """Return the command that does what `swap_out` does."""
    live, staged, old = pair["live"], pair["staged"], pair["old"]
    if not pair["had"]:
        return f"sudo rm -r {live}"
    return f"sudo mv {live} {live}.failed && sudo mv {old if os.path.lexists(old) else staged} {live}"


def show(value):
    return f"{value:#010x}" if isinstance(value, int) else repr(value)


def serve(link, first):
    """Answer requests until the host ends the session."""
    board = Board(link, first)
    if first["op"] == "facts":
        link.say({"ok": True, "facts": facts(board, first)})
        return
    link.watch_signals()
    os.umask(0o022)
    session, request = Session(board, first), first
    try:
        while True:
            try:
                if request["op"] not in ("begin", "upload", "host", "unload", "install", "load", "verify", "selftest", "commit"):
                    raise Failed("there is no step {!r}".format(request["op"]))
                answer = {"ok": True}
                answer.update(getattr(session, request["op"])(request))
            except (Failed, OSError) as error:
                answer = {"ok": False, "error": str(error)}
            except (ValueError, KeyError, TypeError, tarfile.TarError) as error:
                answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
            link.say(answer)
            request = link.line(first["idle_s"])
    except Gone as gone:
        # The host may have closed only its side, and still listen.
        problems = session.rollback()
        link.say({"ok": False, "error": str(gone), "gone": True, "kept": session.committed, "problems": problems})
    finally:
        session.close()


def main():
    first = None
    link = Link("")
    try:
        first = link.line(30)
        link.token = first["token"]
        serve(link, first)
    except (Failed, Gone, OSError) as error:
        link.say({"ok": False, "error": str(error)})


if __name__ == "__main__":
    main()
