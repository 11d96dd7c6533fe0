"""``python -m sim.simulate build|test FILE``: one step of a simulation, as the JSON in FILE describes it.

`sim.runner` starts this in a process group of its own, which can be ended as a whole when it takes too long.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any, Final

from cocotb_tools.runner import get_runner

WAVES_LIMIT: Final = 2 << 30
"""Bytes of a waveform at which the simulation that writes it is ended: a disk holds only so many."""


def build(job: dict[str, Any]) -> None:
    """Make the simulator from the Verilog."""
    runner = get_runner(job["simulator"])
    runner.build(
        sources=[job["verilog"]],
        hdl_toplevel=job["toplevel"],
        build_dir=job["build_dir"],
        build_args=job["arguments"],
        timescale=("1ns", "1ps"),
        waves=job["waves"],
        always=True,
    )


def test(job: dict[str, Any]) -> None:
    """Run a cocotb module in the simulator."""
    if job["waves"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (WAVES_LIMIT, WAVES_LIMIT))
    runner = get_runner(job["simulator"])
    runner.build_dir = Path(job["build_dir"])
    runner.test(
        test_module=job["module"],
        hdl_toplevel=job["toplevel"],
        hdl_toplevel_lang="verilog",
        build_dir=job["build_dir"],
        test_dir=job["test_dir"],
        results_xml=job["results"],
        seed=job["seed"],
        test_filter=job["tests"],
        plusargs=job["plusargs"],
        test_args=job["arguments"],
        extra_env=job["environment"],
        waves=job["waves"],
    )


if __name__ == "__main__":
    {"build": build, "test": test}[sys.argv[1]](json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")))
