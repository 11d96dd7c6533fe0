"""Settings of every test process."""

import os
import signal
from typing import Any

import pytest
from hypothesis import settings

# One test process a core: threads of the linear algebra underneath NumPy would only be in each other's way.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# Started in the background by a shell, Python ignores Ctrl-C and passes that on; the tests of Ctrl-C, and what they start, need it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A machine that is busy with something else must not fail a test.
settings.register_profile("ebmhw", deadline=None)
settings.load_profile("ebmhw")

_STATES: dict[str, Any] = {}
"""Of each module's generator, before its first test."""


@pytest.fixture(autouse=True)
def _numbers_do_not_depend_on_what_ran_before(request: pytest.FixtureRequest) -> None:
    """Begin a module's generator, where it has one named RNG, anew for each of its tests: which run in one process is chance."""
    module = request.node.getparent(pytest.Module)
    bits = getattr(getattr(getattr(module, "obj", None), "RNG", None), "bit_generator", None)
    if bits is not None:
        bits.state = _STATES.setdefault(module.nodeid, bits.state)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what runs untrusted code where it cannot be confined; with EBMHW_REQUIRE_SANDBOX that fails."""
    if item.get_closest_marker("confined") is None:
        return
    from ebmhw.sandbox import guards

    found = guards()
    if not found.enough:
        (pytest.fail if os.environ.get("EBMHW_REQUIRE_SANDBOX") else pytest.skip)(found.problem)
