"""Tools of the system that tests of the board need."""

from __future__ import annotations

import os
import shutil

import pytest


def tool(name: str) -> str:
    """Return the path of a command; the test is skipped where it is missing, and fails where EBMHW_REQUIRE_BOARD_TOOLS is set."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")
    if found is None:
        if os.environ.get("EBMHW_REQUIRE_BOARD_TOOLS"):
            pytest.fail(f"there is no {name}, and EBMHW_REQUIRE_BOARD_TOOLS is set: install it (.ci/packages PYTHON board)")
        pytest.skip(f"there is no {name}")
    return found
