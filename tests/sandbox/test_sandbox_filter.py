"""The seccomp filter of both machines, judged by a BPF machine written from its manual, and by the kernel's headers."""

from __future__ import annotations

import errno
import re
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("resource", reason="the sandbox is for Linux")
from ebmhw.sandbox.inside import seccomp
from ebmhw.sandbox.inside.kernel import Refused
from ebmhw.sandbox.inside.syscalls import ALLOWED, BY_ARGUMENT, MACHINES

PROCESS = 4321
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
FILTERS = {machine: seccomp.program(machine, PROCESS) for machine in MACHINES}


def verdict(machine: str, number: int, arguments: tuple[int, ...] = (0,) * 6, architecture: int | None = None) -> int:
    """What the kernel would do with a call."""
    data = struct.pack("<IIQ6Q", number, AUDIT[machine] if architecture is None else architecture, 0, *arguments)
    code = [struct.unpack_from("<HBBI", FILTERS[machine], at) for at in range(0, len(FILTERS[machine]), 8)]
    place = held = 0
    for _ in range(len(code)):
        operation, true, false, constant = code[place]
        place += 1
        if operation == 0x06:  # BPF_RET | BPF_K
            return int(constant)
        if operation == 0x20:  # BPF_LD | BPF_W | BPF_ABS
            assert constant % 4 == 0 and constant < 64
            held = struct.unpack_from("<I", data, constant)[0]
        elif operation == 0x54:  # BPF_ALU | BPF_AND | BPF_K
            held &= constant
        elif operation == 0x15:  # BPF_JMP | BPF_JEQ | BPF_K
            place += true if held == constant else false
        elif operation == 0x35:  # BPF_JMP | BPF_JGE | BPF_K
            place += true if held >= constant else false
        elif operation == 0x45:  # BPF_JMP | BPF_JSET | BPF_K
            place += true if held & constant else false
        else:
            raise AssertionError(f"no such instruction: {operation:#x}")
    raise AssertionError("it does not end")


@pytest.mark.parametrize("machine", MACHINES)
def test_only_calls_of_the_table_are_allowed(machine: str) -> None:
    column = MACHINES.index(machine)
    free = {pair[column] for pair in ALLOWED.values()}
    some = {pair[column] for pair in BY_ARGUMENT.values()}
    assert not free & some - {None}
    for number in range(1000):
        found = verdict(machine, number)
        if number in free:
            assert found == ALLOW
        elif number not in some:
            assert found in (ERRNO | errno.EPERM, ERRNO | errno.ENOSYS)


@pytest.mark.parametrize("machine", MACHINES)
@given(number=st.integers(0, 2**32 - 1), architecture=st.integers(0, 2**32 - 1))
def test_other_architectures_and_x32_are_killed(machine: str, number: int, architecture: int) -> None:
    if architecture != AUDIT[machine]:
        assert verdict(machine, number, architecture=architecture) == KILL
    if machine == "x86_64":
        assert verdict(machine, number | 0x40000000) == KILL


NUMBER = st.one_of(
    st.integers(0, 2**64 - 1),
    st.sampled_from([0, 1, 2, 5, 0x20, PROCESS, 2**32, 0x3D0F00, 0x7D0F00, 0x10F00, 0x5401, 0x80001, 18, 4, 0x4040, 0x410002]),
    st.integers(0, 50),
)
ARGUMENTS = st.tuples(NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER)
LOW = 0xFFFFFFFF


def _may(name: str, a: tuple[int, ...]) -> bool:
    """What the table of the README says of arguments, in another way than the filter."""
    low = [one & LOW for one in a]
    if name == "clone":
        return low[0] & 0x10F00 == 0x10F00 and low[0] & ~0x7D0F00 & LOW == 0
    if name in ("kill", "tgkill"):
        return low[0] == PROCESS and low[1 if name == "kill" else 2] != 18
    if name == "prctl":
        return low[0] in (15, 16, 0x53564D41)
    if name == "ioctl":
        return low[1] in (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
    if name == "fcntl":
        return low[1] in (0, 1, 2, 3, 4, 1030)
    if name == "prlimit64":
        return low[0] == 0 and (a[2] == 0 or low[1] == 3)
    if name == "socketpair":
        return low[0] == 1 and low[1] & 15 == 1
    if name == "sendto":
        return a[4] == 0 and low[3] & ~0x4040 & LOW == 0
    if name == "recvfrom":
        return low[3] in {0, 2, 0x40, 0x42, 0x100, 0x102, 0x140, 0x142}
    if name == "close_range":
        return low[2] in (0, 4)
    if name in ("open", "openat"):
        flags = low[1] if name == "open" else low[2]
        return not flags & 0x400000 and (flags & 3 in (1, 2) or (flags & 3 == 0 and not flags & 0x200))
    return False


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", [name for name in BY_ARGUMENT if name != "clone3"])
@given(arguments=ARGUMENTS)
def test_arguments_are_judged_as_they_should(machine: str, name: str, arguments: tuple[int, ...]) -> None:
    number = BY_ARGUMENT[name][MACHINES.index(machine)]
    if number is not None:
        assert verdict(machine, number, arguments) == (ALLOW if _may(name, arguments) else ERRNO | errno.EPERM)


@pytest.mark.parametrize("machine", MACHINES)
def test_ways_to_make_a_thread_pass_and_ways_to_make_a_process_do_not(machine: str) -> None:
    number = BY_ARGUMENT["clone"][MACHINES.index(machine)]
    assert number is not None
    for flags, right in (
        (0x3D0F00, ALLOW),
        (0x7D0F00, ALLOW),
        (17, ERRNO | 1),
        (0x4111, ERRNO | 1),
        (0x3D0F00 | 0x10000000, ERRNO | 1),
        (0x3D0B00, ERRNO | 1),  # with descriptors of its own
        (0, ERRNO | 1),
    ):
        assert verdict(machine, number, (flags, 0, 0, 0, 0, 0)) == right
    assert verdict(machine, 435) == ERRNO | errno.ENOSYS


@pytest.mark.parametrize(
    ("column", "path", "pattern"),
    [
        (0, "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", r"#define __NR_(\w+)\s+(\d+)$"),
        (1, "/usr/include/asm-generic/unistd.h", r"#define __NR(?:3264)?_(\w+)\s+(\d+)$"),
    ],
)
def test_numbers_are_the_kernels(column: int, path: str, pattern: str) -> None:
    if not Path(path).exists():
        pytest.skip(f"{path} is not installed")
    known = {name: int(number) for name, number in re.findall(pattern, Path(path).read_text(), re.MULTILINE)}
    if column == 1:
        known["newfstatat"] = known["fstatat"]
    for name, pair in {**ALLOWED, **BY_ARGUMENT}.items():
        # What is None must not exist there: the filter would then refuse what the table promises.
        assert known.get(name) == pair[column], name


def test_a_machine_whose_calls_are_unknown_is_refused() -> None:
    with pytest.raises(Refused, match="seccomp: the system calls of riscv64 are not known"):
        seccomp.program("riscv64", 1)
