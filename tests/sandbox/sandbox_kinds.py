"""Kinds of hostile programs, each with what it must come to in a sandbox and what the same, or its harmless part, does outside of one.

A program says what its attempt came to ("done", or "refused" and the error), so that one that never tried shows. In the texts ``{outside}`` is a
folder of the test's with ``secret.txt`` and ``victim.txt``, and ``{victim}`` a process of the test's that sleeps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from ebmhw.sandbox import Limits

PRELUDE = """
import ctypes, errno, os, signal, sys, threading, time
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
NUMBERS = {
    "x86_64": dict(ptrace=101, process_vm_readv=310, keyctl=250, io_uring_setup=425, bpf=321, perf_event_open=298, userfaultfd=323,
        memfd_create=319, unshare=272, mount=165, setns=308, shmget=29, name_to_handle_at=303, seccomp=317, pidfd_open=434, socket=41,
        clone3=435, execveat=322, process_madvise=440, mlock=149, sethostname=170, personality=135, fallocate=285, tkill=200, close_range=436),
    "aarch64": dict(ptrace=117, process_vm_readv=270, keyctl=219, io_uring_setup=425, bpf=280, perf_event_open=241, userfaultfd=282,
        memfd_create=279, unshare=97, mount=40, setns=268, shmget=194, name_to_handle_at=264, seccomp=277, pidfd_open=434, socket=198,
        clone3=435, execveat=281, process_madvise=440, mlock=228, sethostname=161, personality=92, fallocate=47, tkill=130, close_range=436),
}[os.uname().machine]
def say(*words):
    print(*words, flush=True)
def attempt(action, *arguments, **named):
    try:
        value = action(*arguments, **named)
    except OSError as error:
        say("refused", errno.errorcode.get(error.errno, error.errno))
    else:
        say("done")
        return value
def checked(answer):
    if answer < 0:
        raise OSError(ctypes.get_errno(), "")
    return answer
def limit(number, value):
    return checked(LIBC.setrlimit(number, (ctypes.c_ulong * 2)(value, value)))
def call(name, *arguments):
    given = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return checked(LIBC.syscall(ctypes.c_long(NUMBERS[name]), *given))
"""

SOON = Limits(seconds=4.0, cpu_seconds=60)
"""Of those that only the clock stops; they are run all at once."""


@final
@dataclass(frozen=True)
class Kind:
    """A kind of hostile program.

    Attributes
    ----------
    name : unique
    text : the program, after ``PRELUDE``
    says : the lines that it writes in the sandbox, or the first ones where it writes without end
    cause : of its end there
    outside : "always" where ``control`` must write ``free`` outside, "root" where it must do so as root; else why it is not tried there
    control : what runs outside; the program itself where empty
    free : the lines that this writes
    """

    name: str
    text: str
    says: tuple[str, ...] = ("refused EPERM",)
    cause: str = "exit"
    outside: str = "always"
    control: str = ""
    free: tuple[str, ...] = ("done",)
    limits: Limits = field(default_factory=lambda: Limits(seconds=20.0))


PROCESSES = [
    Kind("fork", "if attempt(os.fork) == 0: os._exit(0)", control=("pid = os.fork()\nif pid == 0: os._exit(0)\nos.waitpid(pid, 0); say('done')")),
    Kind(
        "fork bomb",
        ("for _ in range(3): attempt(os.fork)\nwhile True:\n    try: os.fork()\n    except OSError: pass"),
        says=("refused EPERM",) * 3,
        cause="time",
        limits=SOON,
        control=("pid = os.fork()\nif pid == 0: os._exit(0)\nos.waitpid(pid, 0); say('done')"),
    ),
    Kind("exec of a shell", "attempt(os.execv, '/bin/sh', ['sh', '-c', 'echo done'])"),
    Kind("a shell by os.system", "say('done' if os.system('exit 0') == 0 else 'refused')", says=("refused",)),
    Kind("a child by subprocess", ("import subprocess\nattempt(subprocess.run, [sys.executable, '-c', ''])")),
    Kind("a child by posix_spawn", "attempt(os.posix_spawn, '/bin/true', ['true'], {})"),
    Kind("a child by multiprocessing", ("import multiprocessing\nattempt(multiprocessing.get_context('fork').Process(target=int).start)")),
    Kind("clone3 by number", "attempt(call, 'clone3', ctypes.create_string_buffer(88), 0)", says=("refused ENOSYS",), free=("refused EINVAL",)),
    Kind("execveat by number", "attempt(call, 'execveat', -100, ctypes.c_char_p(b'/none'), 0, 0, 0)", free=("refused ENOENT",)),
    Kind(
        "a daemon by a double fork",
        ("try:\n    os.fork()\nexcept OSError as error:\n    say(errno.errorcode[error.errno])\nattempt(os.setsid)"),
        says=("EPERM", "refused EPERM"),
        control=("pid = os.fork()\nif pid == 0:\n    attempt(os.setsid); os._exit(0)\nos.waitpid(pid, 0)"),
    ),
    Kind(
        "more threads than allowed",
        (
            "say('running')\n"
            "threading.stack_size(65536)\n"
            "made = 0\n"
            "try:\n"
            "    for _ in range(600):\n"
            "        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()\n"
            "        made += 1\n"
            "except RuntimeError:\n"
            "    say('refused'); os._exit(0)\n"
            "say('made') if made == 600 else None\n"
            "time.sleep(30)"
        ),
        says=("running",),
        cause="threads or exit",
        control=("threads = [threading.Thread(target=time.sleep, args=(.1,)) for _ in range(50)]\nfor one in threads: one.start()\nsay('done')"),
    ),
]

MEMORY = [
    Kind(
        "memory by a list",
        ("say('running')\nheld = [0] * (1 << 30)"),
        says=("running",),
        cause="memory",
        control=("held = [0] * (1 << 20)\nsay('done')"),
    ),
    Kind(
        "memory little by little",
        ("say('running')\nheld = []\nwhile True: held.append(bytearray(1 << 20))"),
        says=("running",),
        cause="memory",
        control=("held = [bytearray(1 << 20) for _ in range(8)]\nsay('done')"),
    ),
    Kind("memory by mmap", ("import mmap\nattempt(mmap.mmap, -1, 1 << 32)"), says=("refused ENOMEM",), free=("done",)),
    Kind("memory of a file that has no name", "attempt(call, 'memfd_create', ctypes.c_char_p(b'x'), 0)"),
    Kind("shared memory of System V", "attempt(call, 'shmget', 0, 4096, 0o1600)", outside="it would outlive the test"),
    Kind(
        "shared memory in /dev/shm",
        "attempt(open, '/dev/shm/ebmhw-hostile', 'xb')",
        says=("refused EACCES",),
        control="attempt(open, '/dev/shm/ebmhw-hostile', 'xb'); os.unlink('/dev/shm/ebmhw-hostile')",
    ),
    Kind("memory locked", "attempt(call, 'mlock', ctypes.create_string_buffer(4096), 4096)"),
    Kind(
        "a recursion without end",
        ("say('running')\nsys.setrecursionlimit(10**9)\ndef f(x): return f((x,))[0]\nf(0)"),
        says=("running",),
        cause="memory or signal or exit",
        limits=Limits(seconds=60.0, memory=96 << 20),
        control=("def f(x): return x if x == 0 else f(x - 1)\nf(50); say('done')"),
    ),
    Kind(
        "a stack broken by ctypes",
        ("say('running')\nctypes.string_at(0)"),
        says=("running",),
        cause="signal",
        outside="it dumps core there",
    ),
    Kind("an abort", ("say('running')\nos.abort()"), says=("running",), cause="signal", outside="it dumps core there"),
    Kind(
        "a core dump after raising its limit",
        ("import resource\nattempt(limit, resource.RLIMIT_CORE, 1 << 20)\nos.abort()"),
        says=("refused EPERM",),
        cause="signal",
        control=("import resource\nattempt(limit, resource.RLIMIT_CORE, 0)"),
    ),
    Kind("a limit of memory raised", ("import resource\nattempt(limit, resource.RLIMIT_AS, 1 << 50)")),
    Kind(
        "a limit of its parent changed",
        ("import resource\nattempt(resource.prlimit, os.getppid(), resource.RLIMIT_CPU, (1, 1))"),
        control=("import resource\nattempt(resource.prlimit, 0, resource.RLIMIT_CORE, (0, 0))"),
    ),
]

TIME = [
    Kind("a loop without end", ("say('running')\nwhile True: pass"), says=("running",), cause="time", limits=SOON, outside="it does not end"),
    Kind(
        "processor time",
        ("say('running')\nwhile True: pass"),
        says=("running",),
        cause="cpu",
        limits=Limits(seconds=60.0, cpu_seconds=1),
        outside="it does not end",
    ),
    Kind(
        "SIGXCPU caught",
        ("signal.signal(signal.SIGXCPU, lambda *_: say('caught'))\nsay('running')\nwhile True: pass"),
        says=("running", "caught"),
        cause="cpu",
        limits=Limits(seconds=60.0, cpu_seconds=1),
        outside="it does not end",
    ),
    Kind("a loop in one call of C", ("say('running')\nsum(range(10**15))"), says=("running",), cause="time", limits=SOON, outside="it does not end"),
    Kind("sleeping for ever", ("say('running')\ntime.sleep(10**6)"), says=("running",), cause="time", limits=SOON, outside="it does not end"),
    Kind(
        "SIGTERM and SIGINT ignored",
        (
            "for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(one, signal.SIG_IGN)\n"
            "say('running')\n"
            "while True:\n"
            "    try: time.sleep(9)\n"
            "    except BaseException: pass"
        ),
        says=("running",),
        cause="time",
        limits=SOON,
        outside="it does not end",
    ),
    Kind(
        "SIGALRM again and again",
        (
            "count = [0]\n"
            "def heard(*_):\n"
            "    count[0] += 1\n"
            "    if count[0] == 3: say('three')\n"
            "signal.signal(signal.SIGALRM, heard)\n"
            "signal.setitimer(signal.ITIMER_REAL, .01, .01)\n"
            "while True: time.sleep(9)"
        ),
        says=("three",),
        cause="time",
        limits=SOON,
        outside="it does not end",
    ),
    Kind(
        "SIGSTOP of itself",
        ("say('running')\nos.kill(os.getpid(), signal.SIGSTOP)\nsay('on')"),
        says=("running",),
        cause="time",
        limits=SOON,
        outside="it does not end",
    ),
    Kind(
        "atexit without end",
        ("import atexit\natexit.register(lambda: (say('at exit'), time.sleep(99)))"),
        says=("at exit",),
        cause="time",
        limits=SOON,
        outside="it does not end",
    ),
    Kind(
        "a finaliser without end",
        ("class C:\n    def __del__(self):\n        say('finaliser')\n        while True: pass\nkept = C()"),
        says=("finaliser",),
        cause="time",
        limits=SOON,
        outside="it does not end",
    ),
    Kind(
        "a thread that is waited for",
        ("threading.Thread(target=lambda: time.sleep(99)).start()\nsay('end')"),
        says=("end",),
        cause="time",
        limits=SOON,
        outside="it does not end",
    ),
    Kind(
        "a daemon thread that goes on",
        ("def go():\n    while True: time.sleep(.001)\nthreading.Thread(target=go, daemon=True).start()\nsay('end')"),
        says=("end",),
        free=("end",),
    ),
    Kind(
        "an excepthook without end",
        ("def hook(*_):\n    say('hook')\n    while True: pass\nsys.excepthook = hook\n1 / 0"),
        says=("hook",),
        cause="time",
        limits=SOON,
        outside="it does not end",
    ),
    Kind(
        "an unraisablehook without end",
        ("def hook(*_):\n    say('hook')\n    while True: pass\nsys.unraisablehook = hook\nclass C:\n    def __del__(self): 1 / 0\nC()"),
        says=("hook",),
        cause="time",
        limits=SOON,
        outside="it does not end",
    ),
    Kind(
        "faulthandler later",
        ("import faulthandler\nfaulthandler.dump_traceback_later(.05, repeat=True, exit=False)\nsay('running')\nwhile True: time.sleep(9)"),
        says=("running",),
        cause="time",
        limits=SOON,
        outside="it does not end",
    ),
    Kind(
        "a regular expression without end",
        ("import re\nsay('running')\nre.match('(a+)+$', 'a' * 64 + 'b')"),
        says=("running",),
        cause="time",
        limits=SOON,
        outside="it does not end",
    ),
    Kind("os._exit in the middle", ("say('before')\nos._exit(0)\nsay('after')"), says=("before",), free=("before",)),
]

OUTPUT = [
    Kind("a flood of standard output", "while True: say('x' * 1000)", says=("x" * 1000,), cause="output", outside="it does not end"),
    Kind(
        "a flood of standard error",
        ("say('running')\nwhile True: os.write(2, b'x' * 65536)"),
        says=("running",),
        cause="output",
        outside="it does not end",
    ),
    Kind(
        "a flood from many threads",
        ("say('running')\ndef go():\n    while True: os.write(2, b'y' * 65536)\nfor _ in range(8): threading.Thread(target=go).start()"),
        says=("running",),
        cause="output",
        outside="it does not end",
    ),
    Kind(
        "a flood and then an exit",
        ("os.write(1, b'z' * (1 << 20))\nos.write(1, b'z')\nos._exit(0)"),
        says=(),
        cause="output",
        outside="always",
        control="os.write(1, b'done\\n')",
    ),
]

FILES = [
    Kind("writing outside", "attempt(open, '{outside}/new.txt', 'w')", says=("refused EACCES",)),
    Kind("deleting outside", "attempt(os.unlink, '{outside}/victim.txt')", says=("refused EACCES",)),
    Kind("emptying outside", "attempt(os.truncate, '{outside}/victim.txt', 0)"),
    Kind("emptying by opening to read", "attempt(os.open, '{outside}/victim.txt', os.O_RDONLY | os.O_TRUNC)"),
    Kind("emptying by access mode 3", "attempt(os.open, '{outside}/victim.txt', 3 | os.O_TRUNC)"),
    Kind("renaming outside", "attempt(os.rename, '{outside}/victim.txt', '{outside}/moved.txt')", says=("refused EACCES",)),
    Kind("a folder outside", "attempt(os.mkdir, '{outside}/folder')", says=("refused EACCES",)),
    Kind("changing a mode outside", "attempt(os.chmod, '{outside}/victim.txt', 0o4777)"),
    Kind("changing an owner outside", "attempt(os.chown, '{outside}/victim.txt', os.getuid(), os.getgid())"),
    Kind("changing times outside", "attempt(os.utime, '{outside}/victim.txt')"),
    Kind("changing attributes outside", "attempt(os.setxattr, '{outside}/victim.txt', 'user.x', b'1')", outside="some file systems have none"),
    Kind("changing a mode of Python's own library", "attempt(os.chmod, os.__file__, 0o600)", outside="it would break Python"),
    Kind("reading a secret", "attempt(open, '{outside}/secret.txt')", says=("refused EACCES",)),
    Kind("reading /etc/shadow", "attempt(open, '/etc/shadow')", says=("refused EACCES",), outside="root"),
    Kind("reading /etc/passwd", "attempt(open, '/etc/passwd')", says=("refused EACCES",)),
    Kind("listing the home folder", "attempt(os.listdir, '/root')", says=("refused EACCES",), outside="root"),
    Kind("listing the root folder", "attempt(os.listdir, '/')", says=("refused EACCES",)),
    Kind(
        "a symbolic link out",
        ("os.symlink('{outside}/secret.txt', 'link')\nsay('made')\nattempt(open, 'link')"),
        says=("made", "refused EACCES"),
        free=("made", "done"),
    ),
    Kind(
        "a symbolic link to write out",
        ("os.symlink('{outside}/new2.txt', 'link2')\nsay('made')\nattempt(open, 'link2', 'w')"),
        says=("made", "refused EACCES"),
        free=("made", "done"),
    ),
    Kind(
        "a folder opened, then a way up from it",
        ("folder = os.open('.', os.O_RDONLY)\nattempt(os.open, '../../../../../../../../etc/passwd', 0, dir_fd=folder)"),
        says=("refused EACCES",),
    ),
    Kind("a hard link out", "attempt(os.link, '{outside}/victim.txt', 'hard')", says=("refused EXDEV or EACCES",)),
    Kind("a file moved in", "attempt(os.rename, '{outside}/victim.txt', 'mine')", says=("refused EXDEV or EACCES",)),
    Kind(
        "a hard link to a library, to write it",
        "attempt(os.link, os.__file__, 'os.py')",
        says=("refused EXDEV or EACCES or EPERM",),
        outside="other file systems refuse",
    ),
    Kind("the memory of itself by /proc", "attempt(open, '/proc/self/mem', 'r+b')", says=("refused EACCES",)),
    Kind("the environment of its parent", "attempt(open, f'/proc/{os.getppid()}/environ')", says=("refused EACCES",)),
    Kind("the memory of its parent by /proc", "attempt(open, f'/proc/{os.getppid()}/mem', 'rb')", says=("refused EACCES",), outside="root"),
    Kind("the folder that its parent is in", "attempt(os.readlink, f'/proc/{os.getppid()}/cwd')", says=("refused EACCES",)),
    Kind("the list of processes", "attempt(os.listdir, '/proc')", says=("refused EACCES",)),
    Kind("the kernel's settings", "attempt(open, '/proc/sys/kernel/core_pattern', 'w')", says=("refused EACCES",), outside="it is the machine's"),
    Kind("device nodes", "attempt(os.mknod, 'null', 0o20600, os.makedev(1, 3))", outside="root"),
    Kind("named pipes", "attempt(os.mkfifo, 'pipe')"),
    Kind("the terminal", "attempt(open, '/dev/tty', 'w')", says=("refused EACCES",), outside="tests have no terminal"),
    Kind("chroot", "attempt(os.chroot, '.')", outside="root"),
    Kind(
        "a file that is too large",
        ("with open('large', 'wb') as file:\n    while True: file.write(b'x' * (1 << 20))"),
        says=(),
        cause="files",
        control=("with open('large', 'wb') as file: file.write(b'x' * (1 << 20))\nsay('done')"),
    ),
    Kind(
        "a sparse file that is too large",
        ("file = open('sparse', 'wb')\nattempt(file.truncate, 1 << 40)"),
        says=("refused EFBIG",),
        outside="some file systems refuse",
    ),
    Kind(
        "many files that are not too large",
        ("say('running')\nfor n in range(10**6):\n    with open(f'{n}', 'wb') as file:\n        file.write(b'x' * (1 << 20))"),
        says=("running",),
        cause="files",
        control=("for n in range(3): open(f'part{n}', 'wb').close()\nsay('done')"),
    ),
    Kind(
        "a million files",
        ("say('running')\nfor n in range(10**6): open(f'{n}', 'wb').close()\nsay('made')"),
        says=("running",),
        cause="files",
        control=("for n in range(9): open(f'file{n}', 'wb').close()\nsay('done')"),
    ),
    Kind(
        "a million links",
        ("say('running')\nfor n in range(10**6): os.symlink('x', f'{n}')\nsay('made')"),
        says=("running",),
        cause="files",
        control=("for n in range(9): os.symlink('x', f'to{n}')\nsay('done')"),
    ),
    Kind(
        "folders without an end to their depth",
        ("say('running')\nwhile True:\n    os.mkdir('d'); os.chdir('d')"),
        says=("running",),
        cause="files",
        control="os.mkdir('e'); os.chdir('e'); os.mkdir('e'); say('done')",
    ),
    Kind(
        "folders without rights",
        ("os.mkdir('a'); os.mkdir('a/b'); open('a/b/c', 'w').close(); os.umask(0o777); os.mkdir('a/b/d'); open('a/b/e', 'w').close()\nsay('made')"),
        says=("made",),
        free=("made",),
    ),
    Kind(
        "disk space at once",
        ("file = open('space', 'wb')\nattempt(call, 'fallocate', file.fileno(), 0, 0, 1 << 16)"),
        outside="some file systems have none",
    ),
    Kind(
        "files that are removed but held",
        (
            "say('running')\nheld = []\n"
            "for _ in range(50):\n"
            "    held.append(open('file', 'wb', buffering=0)); os.unlink('file')\n"
            "    for _ in range(8): held[-1].write(bytes(1 << 20))\n"
            "time.sleep(30)"
        ),
        says=("running",),
        cause="files",
        limits=Limits(seconds=120.0, cpu_seconds=60, scratch_bytes=100 << 20),
        control="file = open('held', 'wb'); os.unlink('held'); file.write(b'x'); say('done')",
    ),
    Kind(
        "files that are removed but mapped",
        (
            "say('running')\nLIBC.mmap.restype = ctypes.c_void_p\n"
            "for _ in range(50):\n"
            "    with open('file', 'w+b', buffering=0) as file:\n"
            "        os.unlink('file')\n"
            "        for _ in range(8): file.write(bytes(1 << 20))\n"
            "        LIBC.mmap(None, ctypes.c_size_t(4096), 1, 2, file.fileno(), ctypes.c_long(0))\n"
            "time.sleep(30)"
        ),
        says=("running",),
        cause="files",
        limits=Limits(seconds=120.0, cpu_seconds=60, scratch_bytes=100 << 20),
        control="file = open('held', 'wb'); os.unlink('held'); file.write(b'x'); say('done')",
    ),
    Kind(
        "files held by a thread that outlives the first",
        (
            "say('running')\nheld = []\n"
            "def go():\n"
            "    time.sleep(.2)\n"
            "    for _ in range(50):\n"
            "        held.append(open('file', 'wb', buffering=0)); os.unlink('file')\n"
            "        for _ in range(8): held[-1].write(bytes(1 << 20))\n"
            "    time.sleep(30)\n"
            "threading.Thread(target=go).start()\n"
            "LIBC.syscall(ctypes.c_long(60 if os.uname().machine == 'x86_64' else 93), ctypes.c_long(0))"
        ),
        says=("running",),
        cause="files",
        limits=Limits(seconds=120.0, cpu_seconds=60, scratch_bytes=100 << 20),
        control="file = open('held', 'wb'); os.unlink('held'); file.write(b'x'); say('done')",
    ),
    Kind("a file that never has a name", "attempt(os.open, '.', os.O_TMPFILE | os.O_RDWR)", outside="some file systems have none"),
    Kind("descriptors of its own for a thread", "attempt(call, 'close_range', 1000, 1001, 2)", outside="kernels before 5.9 have none"),
    Kind("a lock on a library", "import fcntl\nattempt(fcntl.flock, open(os.__file__), fcntl.LOCK_EX | fcntl.LOCK_NB)"),
    Kind(
        "the scratch folder itself removed",
        ("here = os.getcwd()\nattempt(os.rmdir, here)"),
        says=("refused EACCES",),
        control="os.mkdir('f'); os.chdir('f'); attempt(os.rmdir, os.getcwd())",
    ),
]

NETWORK = [
    Kind("a socket of the internet", ("import socket\nattempt(socket.socket, socket.AF_INET, socket.SOCK_STREAM)")),
    Kind("a socket of IPv6", ("import socket\nattempt(socket.socket, socket.AF_INET6, socket.SOCK_DGRAM)"), outside="some machines have none"),
    Kind("a Unix socket", ("import socket\nattempt(socket.socket, socket.AF_UNIX, socket.SOCK_STREAM)")),
    Kind(
        "an abstract Unix socket",
        ("import socket\ndef go():\n    one = socket.socket(socket.AF_UNIX)\n    one.bind('\\0ebmhw-hostile-' + str(os.getpid()))\nattempt(go)"),
    ),
    Kind("a netlink socket", ("import socket\nattempt(socket.socket, 16, socket.SOCK_RAW, 0)")),
    Kind("a raw packet socket", ("import socket\nattempt(socket.socket, 17, socket.SOCK_RAW, 0)"), outside="root"),
    Kind(
        "a socket to the host of a virtual machine",
        ("import socket\nattempt(socket.socket, 40, socket.SOCK_STREAM)"),
        outside="some machines have none",
    ),
    Kind("a socket of the kernel's ciphers", ("import socket\nattempt(socket.socket, 38, 5, 0)"), outside="some machines have none"),
    Kind("a pair of datagram sockets", ("import socket\nattempt(socket.socketpair, socket.AF_UNIX, socket.SOCK_DGRAM)")),
    Kind(
        "urgent data in a pair of sockets",
        ("import socket\none, other = socket.socketpair()\nattempt(one.send, b'x', socket.MSG_OOB)\nattempt(other.recv, 1, socket.MSG_OOB)"),
        says=("refused EPERM",) * 2,
        outside="some kernels have none",
    ),
    Kind(
        "a pair of sockets that turns to others",
        (
            "import socket\n"
            "one, other = socket.socketpair()\n"
            "say('made')\n"
            "attempt(one.connect, '\\0other')\n"
            "attempt(one.sendto, b'x', '\\0other')\n"
            "attempt(one.sendmsg, [b'x'])"
        ),
        says=("made",) + ("refused EPERM",) * 3,
        control=("import socket\none, other = socket.socketpair()\nsay('made')\nattempt(one.sendmsg, [b'x'])"),
        free=("made", "done"),
    ),
    Kind(
        "a name looked up",
        ("import socket\ntry:\n    socket.getaddrinfo('localhost', 80); say('done')\nexcept OSError: say('refused')"),
        says=("refused",),
    ),
    Kind(
        "a page fetched",
        (
            "import urllib.request\n"
            "try:\n"
            "    urllib.request.urlopen('http://127.0.0.1:9/', timeout=5)\n"
            "except OSError as error: say(type(error.reason).__name__)"
        ),
        says=("PermissionError",),
        free=("ConnectionRefusedError",),
    ),
    Kind("a socket by number", "attempt(call, 'socket', 2, 1, 0)"),
    Kind(
        "a socket by machine code",
        (
            "\n"
            "import mmap\n"
            "def code(): \n"
            "    if os.uname().machine == 'x86_64':  # mov eax, 41; mov edi, 2; mov esi, 1; xor edx, edx; syscall; ret\n"
            "        return bytes.fromhex('b829000000bf02000000be0100000031d20f05c3')\n"
            "    return bytes.fromhex('400080d2210080d2020080d2c81880d2010000d4c0035fd6')  # mov x0, 2; x1, 1; x2, 0; x8, 198; svc 0; ret\n"
            "page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)\n"
            "page.write(code())\n"
            "answer = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()\n"
            "say('refused', errno.errorcode[-answer]) if answer < 0 else say('done')\n"
        ),
    ),
]

OTHERS = [
    Kind("a signal to its parent", "attempt(os.kill, os.getppid(), 0)"),
    Kind("SIGKILL to another process", "attempt(os.kill, {victim}, signal.SIGKILL)", control="attempt(os.kill, {victim}, 0)"),
    Kind("a signal that lets it go on while it is counted", "attempt(os.kill, os.getpid(), signal.SIGCONT)"),
    Kind(
        "signals queued without end",
        (
            "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])\n"
            "attempt(lambda: [signal.pthread_kill(threading.get_ident(), signal.SIGRTMIN) for _ in range(2000)])"
        ),
        says=("refused EAGAIN",),
    ),
    Kind("a signal to every process", "attempt(os.kill, -1, 0)"),
    Kind(
        "a signal to its group",
        "attempt(os.killpg, 0, signal.SIGTERM)",
        control="signal.signal(signal.SIGTERM, signal.SIG_IGN); attempt(os.killpg, 0, signal.SIGTERM)",
    ),
    Kind("a signal to a thread of its parent", "attempt(call, 'tkill', os.getppid(), 0)"),
    Kind("a signal by an owner of a descriptor", ("import fcntl\none, other = os.pipe()\nattempt(fcntl.fcntl, one, 8, os.getppid())")),
    Kind("a handle on its parent", "attempt(call, 'pidfd_open', os.getppid(), 0)", says=("refused ENOSYS",)),
    Kind(
        "ptrace of another process",
        "attempt(call, 'ptrace', 0x4206, {victim}, 0, 0)",
        outside="root",
        control="attempt(call, 'ptrace', 0x4206, {victim}, 0, 0)",
    ),
    Kind("memory of another process", "attempt(call, 'process_vm_readv', {victim}, 0, 0, 0, 0, 0)", outside="root"),
    Kind("its parent's priority", "attempt(os.setpriority, os.PRIO_PROCESS, os.getppid(), 19)", outside="it would slow the test"),
    Kind("its own processor", "attempt(os.sched_setaffinity, 0, os.sched_getaffinity(0))"),
    Kind("keyrings", "attempt(call, 'keyctl', 0, -3, 0)", outside="some kernels have none"),
    Kind(
        "io_uring", "attempt(call, 'io_uring_setup', 1, ctypes.create_string_buffer(120))", says=("refused ENOSYS",), outside="some kernels have none"
    ),
    Kind("bpf", "attempt(call, 'bpf', 0, ctypes.create_string_buffer(72), 72)", outside="root", free=("refused EINVAL",)),
    Kind(
        "performance counters", "attempt(call, 'perf_event_open', ctypes.create_string_buffer(120), 0, -1, -1, 0)", outside="some kernels have none"
    ),
    Kind("faults handled by itself", "attempt(call, 'userfaultfd', 1)", outside="some kernels have none"),
    Kind("new namespaces", "attempt(call, 'unshare', 0x10000000)", outside="some kernels have none"),
    Kind("another process's namespaces", "attempt(call, 'setns', 0, 0)", free=("refused EINVAL",)),
    Kind("mount", "attempt(call, 'mount', b'none', b'.', b'tmpfs', 0, 0)", outside="it would outlive the test"),
    Kind(
        "files by handle",
        "attempt(call, 'name_to_handle_at', -100, b'.', ctypes.create_string_buffer(200), ctypes.create_string_buffer(8), 0)",
        free=("refused EOVERFLOW",),
    ),
    Kind("a filter of its own", "attempt(call, 'seccomp', 2, 0, ctypes.byref(ctypes.c_uint32(0x7FFF0000)))"),
    Kind("the rights of another user", "attempt(os.setuid, os.getuid())"),
    Kind("the name of the machine", "attempt(call, 'sethostname', b'x', 1)", outside="it is the machine's"),
    Kind("death with its parent called off", "attempt(lambda: checked(LIBC.prctl(1, 0, 0, 0, 0)))"),
    Kind("dumps allowed again", "attempt(lambda: checked(LIBC.prctl(4, 1, 0, 0, 0)))"),
    Kind("a terminal typed into", ("import fcntl\nattempt(fcntl.ioctl, 0, 0x5412, b'x')"), free=("refused ENOTTY",)),
    Kind("the clock", "attempt(time.clock_settime, time.CLOCK_REALTIME, time.time())", outside="it is the machine's"),
]

CHANNEL = [
    Kind(
        "the channel's descriptors closed",
        ("say('running')\nos.closerange(3, 64)\nsay('closed')"),
        says=("running", "closed"),
        free=("running", "closed"),
    ),
    Kind(
        "descriptors inherited",
        ("def held(n):\n    try: os.fstat(n)\n    except OSError: return False\n    return True\nsay(sum(held(n) for n in range(3, 4096)) <= 2)"),
        says=("True",),
        free=("True",),
    ),
    Kind("standard streams closed", ("say('running')\nfor n in (0, 1, 2): os.close(n)\nos._exit(7)"), says=("running",), free=("running",)),
]

KINDS = [*PROCESSES, *MEMORY, *TIME, *OUTPUT, *FILES, *NETWORK, *OTHERS, *CHANNEL]
"""All of them."""
