"""Commands that are never reached: judged by tables of lines, and by a shell that runs them."""

from __future__ import annotations

import random
import shutil
import subprocess

import pytest

from ebmhw.karl import commands
from ebmhw.karl.commands import runs_tests

NEVER = """
true || pytest
: || pytest
/bin/true || pytest
false && pytest
exit 0; pytest
exit; cd a && pytest
{ exit; }; pytest
exec true; pytest
if false; then pytest; fi
if true; then ls; else pytest; fi
if ls; then ls; elif true; then ls; else pytest; fi
while false; do pytest; done
until true; do pytest; done
for i in ; do pytest; done
true || { ls; pytest; }
true || (pytest)
true || echo $(pytest)
! true && pytest
f() { pytest; }
f() ( pytest )
function f { pytest; }
bash -c 'true || pytest'
""".strip().splitlines()
REACHED = """
true && pytest
false || pytest
ls && true || pytest
ls || false && pytest
cd x || exit 1; pytest
cd x || { echo no; exit 1; }; pytest
(exit); pytest
exit | cat; pytest
if ls; then exit 1; else x=$(pytest); fi
if exit 1 & then pytest; fi
false | true || pytest
trap 'exit 1' INT; pytest
exit_code=0; pytest; exit $exit_code
case $x in exit) ls;; b) pytest;; esac
f() { pytest; }; f
function f { pytest; }; f
f() ( pytest ); time f
f() { g; }; g() { pytest; }; f
f() { pytest; }; export -f f; bash -c 'f x'
while true; do pytest; break; done
exec 2>&1; pytest
exec pytest
pytest || true
""".strip().splitlines()


@pytest.mark.parametrize("line", NEVER)
def test_commands_that_are_never_reached(line):
    assert not runs_tests(line)
    assert commands.never_reached(line)
    assert runs_tests(f"({line}); pytest")


@pytest.mark.parametrize("line", REACHED)
def test_commands_that_may_be_reached(line):
    assert runs_tests(line)
    assert not commands.never_reached(line)


def _list(chance: random.Random, depth: int) -> str:
    if not depth:
        return chance.choice(("true", "false", ":", "pytest", "pytest", "ls", "exit", "f", "x=1", "! true", "exec 2>&1"))
    one, two, three = (_list(chance, depth - 1) for _ in range(3))
    return chance.choice(
        (
            f"{one} && {two} || {three}",
            f"{one} || {two} && {three}",
            f"{one} | {two} || {three}",
            f"{one}; {two}",
            f"{one}\n{two} &&\n{three}",
            f"{{ {one}; }} || {two}; {three}",
            f"({one}) && {two}; {three}",
            f"if {one}; then {two}; else {three}; fi",
            f"if {one}; then {two}; elif true; then {three}; fi",
            f"while {one}; do {two}; break; done; {three}",
            f"for i in 1; do {one} && {two}; done; {three}",
            f"f() {{ {one}; }}; {two}",
            f"case x in true) {one};; x) {two};; *) {three};; esac",
            f"ls $({one}) || {two}",
        )
    )


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_nothing_that_a_shell_runs_is_taken_for_never_reached():
    chance = random.Random(11)
    lines = [_list(chance, 3) for _ in range(150)]
    # Calls within functions may call themselves; a shell gives up then.
    head = "FUNCNEST=5\nls() { return $(( RANDOM % 2 )); }\npytest() { echo ran >&7; return $(( RANDOM % 2 )); }\nf() { :; }\n"
    ran = never = 0
    for line in lines:
        found = False
        for seed in range(3):
            done = subprocess.run(
                ["bash", "-c", f"exec 7>&1 >/dev/null 2>&1\nRANDOM={seed}\n{head}{line}"], stdout=subprocess.PIPE, timeout=20, check=False
            )
            found = found or b"ran" in done.stdout
        ran += found
        never += not runs_tests(line)
        assert runs_tests(line) or not found, line
    assert ran > 50
    # The control: some are.
    assert never >= 5
