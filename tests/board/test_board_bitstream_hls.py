"""``make hls`` with a stand-in for Vitis HLS that runs the script under tclsh, and what goes wrong with it."""

from __future__ import annotations

import fcntl
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from board_tools import tool

from boards.kv260 import hls
from boards.kv260.export import NAME, check_export
from boards.kv260.hls import main, make_export
from ebmhw.errors import BackendUnavailable, ConfigError, FirmwareError, TimeLimitExceeded

STUB = """
foreach name {open_project set_top add_files open_solution set_part create_clock} { proc $name args {} }
proc running {name} {
    puts "INFO: \\[HLS 200-1510\\] Running: ${name}_design -some thing"
    if {$::env(STUB_FAULT) eq $name} { puts "ERROR: \\[HLS 200-70\\] $name went wrong"; error "$name went wrong" }
    if {$::env(STUB_FAULT) eq "hang-$name"} { after 60000 }
}
foreach name {csim csynth cosim} { proc ${name}_design args "running $name" }
proc export_design args {
    running export
    if {$::env(STUB_FAULT) ne "no-export"} { file copy $::env(STUB_EXPORT) [dict get $args -output] }
}
source [lindex $argv 0]
"""


def archive() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr("hdl/verilog/phi_unit.v", "module phi_unit;\nendmodule\n")
    return stream.getvalue()


def quiet(line: str) -> None:
    pass


@pytest.fixture
def use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Put the stand-in on PATH, and let vectors be empty files unless they are to be true."""

    def vectors(module: str, folder: Path, what: str, root: Path) -> None:
        for name in ("csim.jobs", "csim.expected", "cosim.jobs", "cosim.expected"):
            (folder / name).touch()

    def put(command: str, version: str, fault: str = "", vectors_too: bool = False) -> Path:
        folder = tmp_path / "vitis"
        folder.mkdir(exist_ok=True)
        (folder / "stub.tcl").write_text(STUB)
        (folder / "export").write_bytes(archive())
        option, name, before = ("-version", "Vitis HLS - from C", "-f") if command == "vitis_hls" else ("--version", command, "--mode hls --tcl")
        count = len(before.split())
        path = folder / command
        path.write_text(
            f'#!/bin/sh\nif [ "$*" = "{option}" ]; then echo "****** {name} v{version} (64-bit)"; exit 0; fi\necho "$@" >> "{folder}/calls"\n'
            f'shift {count}\nexec "{tool("tclsh")}" "{folder}/stub.tcl" "$@"\n'
        )
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        monkeypatch.setenv("STUB_FAULT", fault)
        monkeypatch.setenv("STUB_EXPORT", str(folder / "export"))
        for variable in ("XILINX_HLS", "XILINX_VITIS"):
            monkeypatch.delenv(variable, raising=False)
        if not vectors_too:
            monkeypatch.setattr(hls, "written_by", vectors)
        return folder

    return put


@pytest.mark.parametrize(("command", "version", "options"), [("vitis_hls", "2023.1", "-f"), ("vitis-run", "2024.2", "--mode hls --tcl")])
def test_export_is_made_by_either_command(use: Callable[..., Path], tmp_path: Path, command: str, version: str, options: str) -> None:
    folder = use(command, version)
    told: list[str] = []
    out = tmp_path / "out"
    assert make_export(out, 60, told.append) == out / NAME
    check_export(out / NAME)
    assert (folder / "calls").read_text() == f"{options} {hls.ROOT / 'hdl/phi_unit/hls/run_hls.tcl'}\n"
    assert told[:2] == [f"Vitis HLS {version} at {folder / command}", "make the vectors"]
    assert [line.split("] ")[1] for line in told[2:-1]] == ["simulate the C++", "synthesise", "simulate the RTL", "export"]
    assert told[-1] == f"exported {out / NAME}; next: make bitstream PHI=hls"
    assert "Running: cosim_design" in (out / "make_hls.log").read_text()


def test_vectors_are_those_of_the_bench(use: Callable[..., Path], tmp_path: Path) -> None:
    use("vitis_hls", "2023.2", vectors_too=True)
    assert main(["--out", str(tmp_path / "out")]) == 0
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "out" / "vectors").iterdir()}
    assert set(sizes) == {"csim.jobs", "csim.expected", "cosim.jobs", "cosim.expected"}
    assert all(sizes.values()) and sizes["csim.jobs"] > 10 * sizes["cosim.jobs"]


FAULTS = {
    "csim": r"(?s)Vitis HLS failed at simulate the C\+\+ with exit status 1\n  ERROR: \[HLS 200-70\] csim went wrong\n.*log: /.*make_hls\.log",
    "csynth": "Vitis HLS failed at synthesise with exit status 1",
    "cosim": "Vitis HLS failed at simulate the RTL with exit status 1",
    "export": "Vitis HLS failed at export with exit status 1",
    "no-export": rf"Vitis HLS ended without exporting an IP: there is no /.*{NAME}; log: /.*make_hls\.log; nothing was installed",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_failure_is_told_and_the_export_before_stays(use: Callable[..., Path], tmp_path: Path, fault: str) -> None:
    use("vitis_hls", "2023.1", fault)
    out = tmp_path / "out"
    out.mkdir()
    (out / NAME).write_bytes(b"of before")
    with pytest.raises(FirmwareError, match=FAULTS[fault]):
        make_export(out, 60, quiet)
    assert (out / NAME).read_bytes() == b"of before"


def test_export_that_was_cut_is_refused(use: Callable[..., Path], tmp_path: Path) -> None:
    folder = use("vitis-run", "2025.1")
    (folder / "export").write_bytes(archive()[:40])
    with pytest.raises(FirmwareError, match="cannot be read as the IP that Vitis HLS exports"):
        make_export(tmp_path / "out", 60, quiet)
    assert not (tmp_path / "out" / NAME).exists()


def test_time_limit_stops_it(use: Callable[..., Path], tmp_path: Path) -> None:
    use("vitis_hls", "2023.1", "hang-csynth")
    with pytest.raises(TimeLimitExceeded, match=r"Vitis HLS did not end within 1 s, it was at synthesise; it was stopped .*make_hls\.log"):
        make_export(tmp_path / "out", 1, quiet)
    with pytest.raises(ConfigError, match="the time limit is nan s"):
        make_export(tmp_path / "out", float("nan"), quiet)


def test_vectors_that_cannot_be_made_are_told(use: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = use("vitis_hls", "2023.1", vectors_too=True)
    (tmp_path / "sim").mkdir()
    (tmp_path / "sim" / "__init__.py").touch()
    (tmp_path / "sim" / "phi_hls.py").write_text("raise SystemExit('no vectors today')\n")
    monkeypatch.setattr(hls, "ROOT", tmp_path)
    with pytest.raises(
        FirmwareError,
        match=r"(?s)the vectors of the simulations cannot be written: .* -m sim\.phi_hls /.* ended with exit status 1; it printed: no vectors today",
    ):
        make_export(tmp_path / "out", 60, quiet)
    assert not (folder / "calls").exists()


def test_second_export_in_one_folder_is_refused(use: Callable[..., Path], tmp_path: Path) -> None:
    use("vitis_hls", "2023.1")
    (tmp_path / "out").mkdir()
    with (tmp_path / "out" / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(FirmwareError, match="another build works in"):
            make_export(tmp_path / "out", 60, quiet)


def test_no_vitis_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def none(*arguments: object) -> None:
        raise BackendUnavailable("there is none")

    monkeypatch.setattr(hls, "find", none)
    assert main(["--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err == "error: there is none\n"
    assert os.listdir(tmp_path) == []
