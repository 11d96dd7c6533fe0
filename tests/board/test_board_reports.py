"""Reports of Vivado: figures out of their real forms, and nothing out of what was cut, is of another design, or contradicts itself."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from board_vivado import RESOURCES, timing_report, utilisation_report

from boards.kv260.bitstream import timing_error
from boards.kv260.reports import timing, utilisation
from ebmhw.board.manifest import Timing
from ebmhw.errors import FirmwareError

VERSIONS = ("2022.1", "2022.2", "2023.1", "2023.2", "2024.1", "2024.2")


def written(folder: Path, text: str) -> Path:
    path = folder / "report.rpt"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("seed", range(20))
def test_timing_figures_are_read_back(tmp_path: Path, seed: int) -> None:
    random.seed(seed)
    setup, hold, pulse = (round(random.uniform(-2, 2), 3) for _ in range(3))
    fails = [random.randint(1, 9999) if slack < 0 else 0 for slack in (setup, hold, pulse)]
    totals = [round(-random.random(), 3) if slack < 0 else 0.0 for slack in (setup, hold, pulse)]
    figures = [value for row in zip((setup, hold, pulse), totals, fails, (161_000, 161_000, 65_000), strict=True) for value in row]
    text = timing_report(figures, met=not any(fails), version=random.choice(VERSIONS))
    found = timing(written(tmp_path, text))
    assert found == Timing(setup, hold, sum(fails))
    assert found.met is not any(fails)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_timing_report_of_windows_reads_alike(tmp_path: Path, line_end: str) -> None:
    path = tmp_path / "report.rpt"
    path.write_bytes(timing_report().replace("\n", line_end).encode())
    assert timing(path) == Timing(0.104, 0.010, 0)


BAD_TIMING = {
    "is of device xczu3eg-sbva484": timing_report(device="xczu3eg-sbva484"),
    "is of a design that is synthesized, not routed": timing_report(state="Synthesized"),
    "names no device": "Timing Summary Report\n",
    "has no timing summary": timing_report().split("| Design Timing Summary")[0],
    "no whole timing summary": timing_report().split("All user specified")[0],
    "no slack of setup, hold or pulse width": timing_report(("NA",) * 12),
    "contradicts itself": timing_report((-0.2, -0.5, 3, 10, 0.1, 0.0, 0, 10, 1.0, 0.0, 0, 5), met=True),
}


@pytest.mark.parametrize("told", BAD_TIMING)
def test_timing_report_that_cannot_be_trusted_is_refused(tmp_path: Path, told: str) -> None:
    with pytest.raises(FirmwareError, match=told):
        timing(written(tmp_path, BAD_TIMING[told]))


@pytest.mark.parametrize("state", ["Routed", "Fully Routed", "Physopt postRoute"])
def test_report_of_a_routed_design_is_read_whatever_came_after(tmp_path: Path, state: str) -> None:
    assert timing(written(tmp_path, timing_report(state=state))).met


@pytest.mark.parametrize("state", ["Synthesized", "Optimized", "Fully Placed", "Physopt postPlace", "Partially Routed", "Unrouted"])
def test_report_of_an_earlier_step_is_refused(tmp_path: Path, state: str) -> None:
    with pytest.raises(FirmwareError, match=f"is of a design that is {state.lower()}, not routed"):
        timing(written(tmp_path, timing_report(state=state)))


def test_failed_hold_beside_a_line_that_timing_is_met_is_refused(tmp_path: Path) -> None:
    figures = (0.1, 0.0, 0, 10, -0.001, -0.001, 1, 10, 1.0, 0.0, 0, 5)
    with pytest.raises(FirmwareError, match="contradicts itself"):
        timing(written(tmp_path, timing_report(figures, met=True)))


def test_no_cut_of_a_timing_report_yields_other_figures(tmp_path: Path) -> None:
    text = timing_report()
    whole = timing(written(tmp_path, text))
    found = 0
    for length in range(0, len(text), 7):
        try:
            cut = timing(written(tmp_path, text[:length]))
        except FirmwareError:
            continue
        assert cut == whole
        found += 1
    assert found  # the tail after the summary does not matter


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("prohibited", [False, True])
def test_utilisation_is_read_by_the_names_of_columns(tmp_path: Path, version: str, prohibited: bool) -> None:
    found = utilisation(written(tmp_path, utilisation_report(version=version, prohibited=prohibited)))
    assert found == {
        "LUT": (64012, 117120),
        "LUT as memory": (4000, 57600),
        "FF": (65021, 234240),
        "BRAM": (47, 144),
        "URAM": (58, 64),
        "DSP": (321, 1248),
    }


@pytest.mark.parametrize("row", RESOURCES)
def test_utilisation_report_without_a_resource_is_refused(tmp_path: Path, row: str) -> None:
    rows = {name: figures for name, figures in RESOURCES.items() if name != row}
    with pytest.raises(FirmwareError, match=f"does not tell of {row}: it was cut"):
        utilisation(written(tmp_path, utilisation_report(rows)))


def test_cut_utilisation_report_is_refused_or_right(tmp_path: Path) -> None:
    text = utilisation_report()
    whole = utilisation(written(tmp_path, text))
    for length in range(0, len(text), 11):
        try:
            assert utilisation(written(tmp_path, text[:length])) == whole
        except FirmwareError:
            assert length < len(text) - 200


def test_report_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(FirmwareError, match=r"none\.rpt cannot be read \(No such file or directory\); build again"):
        timing(tmp_path / "none.rpt")


@pytest.mark.parametrize(
    ("clock", "setup", "hold", "told"),
    [
        (250, -0.5, 0.01, r"setup slack is -0\.500 ns.*slower clock: --clock 200"),
        (250, -1.5, 0.01, "slower clock: --clock 125"),
        (250, -8.0, 0.01, "no slower clock will do"),
        (100, -0.1, 0.01, "no slower clock will do"),
        (200, 0.2, -0.05, r"hold slack -0\.050 ns.*a slower clock does not mend that"),
    ],
)
def test_error_of_timing_names_slack_and_remedy(clock: int, setup: float, hold: float, told: str) -> None:
    with pytest.raises(FirmwareError, match=told):
        raise timing_error(Timing(setup, hold, 3), clock, Path("timing.rpt"))
