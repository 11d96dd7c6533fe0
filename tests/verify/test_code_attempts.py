"""What the sandbox never allows is no fault of the code: failures on whose way it was tried are UNKNOWN, passes stay VERIFIED."""

from __future__ import annotations

import pytest

from ebmhw.verify.code import verify_code
from ebmhw.verify.code.session import Session

pytestmark = pytest.mark.confined

NETWORK = "import urllib.request\n\ndef f(x):\n    return urllib.request.urlopen('http://example.org').status\n"
CAUGHT = "import os\n\ndef f(x):\n    try:\n        return {}\n    except OSError:\n        return None\n"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (NETWORK, "use a network (socket.getaddrinfo)"),
        ("import os\n\ndef f(x):\n    return os.system('ls')\n", "start a process (os.system)"),
        (CAUGHT.format("__import__('subprocess').call(['ls'])"), "start a process (subprocess.Popen)"),
        (CAUGHT.format("os.fork()"), "start a process (os.fork)"),
        (CAUGHT.format("os.execv('/bin/ls', ['ls'])"), "start a process (os.exec)"),
        (CAUGHT.format("__import__('socket').socket()"), "use a network (socket.__new__)"),
        (CAUGHT.format("os.chmod('.', 0o700)"), "change the rights"),
        ("import os\nHERE = os.system('ls')\n\ndef f(x):\n    return HERE\n", "start a process (os.system)"),
    ],
)
def test_a_failure_on_whose_way_something_forbidden_was_tried_is_unknown(code: str, said: str) -> None:
    (claim,) = (one for one in verify_code(code, "f", tests=[((1,), 200)], infer=False).claims if one.kind == "test")
    assert claim.verdict == "UNKNOWN" and said in claim.reason and "the sandbox does not allow" in claim.reason


def test_only_the_call_that_tried_it_is_excused_and_a_pass_stays_verified() -> None:
    code = "import os\n\ndef f(x):\n    if x:\n        os.system('ls')\n    return x\n"
    report = verify_code(code, "f", tests=[((1,), 2), ((0,), 2), ((1,), 1)], infer=False)
    assert [one.verdict for one in report.claims if one.kind == "test"] == ["UNKNOWN", "VIOLATED", "VERIFIED"]


def test_checks_and_properties_are_excused_too() -> None:
    code = "import os\n\ndef f(x):\n    return os.system('ls')\n"
    prop = "def prop_zero(f, x: int):\n    assert f(x) == 0\n"
    report = verify_code(code, "f", checks="assert candidate(1) == 0", properties=[prop], infer=False)
    found = {one.kind: one for one in report.claims if one.domain == "execution"}
    assert {kind: one.verdict for kind, one in found.items()} == {"test": "UNKNOWN", "property": "UNKNOWN"}
    assert all("start a process (os.system)" in one.reason for one in found.values())


def test_an_event_loop_tries_nothing_forbidden() -> None:
    with Session("import asyncio\n\nasync def f():\n    await asyncio.sleep(0)\n    return 1\n") as session:
        assert session.call("f").value == 1  # type: ignore[union-attr]
        assert session.forbidden == []


def test_what_a_process_makes_up_is_not_told() -> None:
    with Session("def f():\n    return 1\n") as session:
        session.note([["forbidden", 0, "no such event"], ["forbidden", 0], ["forbidden", 0, ["os.system"]]])
        assert session.forbidden == []
