"""``make bitstream`` from RTL to manifest with a stand-in for Vivado, and every failure on the way: what was installed before stays as it was."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from board_tools import tool
from board_vivado import FakeVivado, timing_report, utilisation_report

from boards.kv260 import bitstream
from boards.kv260 import install as install_module
from boards.kv260 import tool as tool_module
from boards.kv260.bitstream import Options, build, main
from boards.kv260.export import interpreter
from boards.kv260.handoff import handoff_faults
from boards.kv260.sources import HLS_RENAMED
from ebmhw.board.block_design import BLOCKS, CLOCKS_MHZ, PART
from ebmhw.board.manifest import BitstreamEntry, Manifest, Timing, read_manifest
from ebmhw.contract.design import UNITS
from ebmhw.contract.sources import Port, Sidecar
from ebmhw.errors import BackendUnavailable, ConfigError, FirmwareError, TimeLimitExceeded

ROOT = Path(__file__).resolve().parents[2]
PORTS = (Port("clk", "input", 1), Port("rst", "input", 1), Port("s_axi_awaddr", "input", 8), Port("interrupt", "output", 1))


def verilog() -> str:
    units = "".join(
        f"(* top = 1 *)\nmodule {unit.name}(clk, rst, s_axi_awaddr, interrupt);\n  input clk, rst;\n  input [7:0] s_axi_awaddr;\n"
        f"  output interrupt;\n"
        f"  \\{unit.name}.core  core (\n    .clk(clk)\n  );\nendmodule\n\nmodule \\{unit.name}.core (clk);\n  input clk;\nendmodule\n\n"
        for unit in UNITS
    )
    return f"module ebmhw(clk);\n  input clk;\n  ising_core ising (\n  );\n  phi_unit phi (\n  );\nendmodule\n\n{units}"


@pytest.fixture
def rtl_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "rtl"
    folder.mkdir()
    text = verilog()
    parameters = {unit.name: {"lanes": 64} for unit in UNITS}
    ports = {unit.name: PORTS for unit in UNITS}
    sidecar = Sidecar.of(
        text, config="kv260", sources="ab" * 32, parameters=parameters, unit_ports=ports, module="ebmhw", ports=PORTS, amaranth="0", yosys="0"
    )
    (folder / "kv260.v").write_text(text)
    (folder / "kv260.json").write_text(sidecar.to_json())
    return folder


@pytest.fixture
def vivado(tmp_path: Path) -> FakeVivado:
    return FakeVivado(tmp_path / "vivado")


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return Options(out=tmp_path / "out", install=tmp_path / "bitstreams", limit_s=60)


def quiet(line: str) -> None:
    pass


def tree(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def before(vivado: FakeVivado, options: Options, rtl_folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What an earlier build left in the folder of bitstreams."""
    vivado.use(monkeypatch)
    build(options, rtl_folder, quiet)
    (options.install / "kv260" / "notes.txt").write_text("measured on the bench")
    return tree(options.install)


@pytest.mark.parametrize("clock", [clock if clock in (100, 200) else pytest.param(clock, marks=pytest.mark.slow) for clock in CLOCKS_MHZ])
def test_build_installs_files_and_their_entry(
    vivado: FakeVivado, options: Options, rtl_folder: Path, monkeypatch: pytest.MonkeyPatch, clock: int
) -> None:
    vivado.use(monkeypatch)
    told: list[str] = []
    entry = build(Options(clock_mhz=clock, out=options.out, install=options.install), rtl_folder, told.append)
    found = read_manifest(options.install / "manifest.json").entry("kv260")
    assert found == entry
    assert (entry.clock_mhz, entry.phi, entry.part, entry.tool, entry.config) == (clock, "rtl", PART, "Vivado 2023.2", "kv260")
    assert entry.board == "xilinx.com:kv260_som:part0:1.4, som240_1_connector xilinx.com:kv260_carrier:som240_1_connector:*"
    assert entry.timing == Timing(0.104, 0.010, 0) and entry.utilisation["LUT"] == (64012, 117120)
    assert entry.sources_digest == "ab" * 32 and entry.differences() == [] and entry.damage(options.install / "kv260") == []
    assert set(os.listdir(options.install)) == {"kv260", "manifest.json"}
    assert set(os.listdir(options.install / "kv260")) == {"ebmhw.bit", "ebmhw.hwh", "ebmhw.xsa"}
    steps = [line.split("] ")[1] for line in told if line.startswith("[")]
    assert steps == [
        "find the board files", "package ising_core", "package phi_unit", "make the block design", "synthesise", "place and route", "check timing",
        "write the bitstream", "export",
    ]  # fmt: skip
    assert {"timing.rpt", "utilisation.rpt"} <= set(os.listdir(options.out / "reports"))
    assert f'"clock_mhz": {clock}' in (options.install / "manifest.json").read_text()


def test_each_ip_has_its_own_modules_alone(vivado: FakeVivado, options: Options, rtl_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vivado.use(monkeypatch)
    build(options, rtl_folder, quiet)
    given = verilog()
    for unit in UNITS:
        folder = options.out / "build" / "rtl" / unit.name
        assert set(os.listdir(folder)) == {f"{unit.name}.sv", f"{unit.name}_ip.v"}
        text = (folder / f"{unit.name}.sv").read_text()
        other = next(one.name for one in UNITS if one is not unit)
        assert other not in text and "ebmhw" not in text
        start = given.index(f"(* top = 1 *)\nmodule {unit.name}(")
        assert given[start : given.index("endmodule\n", start) + 10] in text  # byte by byte
        assert f"module {unit.name}_ip (\n    input  wire clk,\n" in (folder / f"{unit.name}_ip.v").read_text()
    added = [call.words[0] for call in vivado.calls() if call.name == "add_files"]
    assert all(str(options.out) in words for words in added) and "phi_unit" not in added[0]


def test_second_build_replaces_the_first_and_keeps_what_else_lies_there(
    before: dict[str, str], vivado: FakeVivado, options: Options, rtl_folder: Path
) -> None:
    manifest = options.install / "manifest.json"
    first = read_manifest(manifest)
    other = BitstreamEntry(**{**vars(first.entry("kv260")), "name": "other"})
    first.with_entry(other).write(manifest)
    (vivado.folder / "timing.rpt").write_text(timing_report((0.5, 0.0, 0, 9, 0.02, 0.0, 0, 9, 1.0, 0.0, 0, 9)))
    build(options, rtl_folder, quiet)
    found = read_manifest(manifest)
    assert set(found.entries) == {"kv260", "other"} and found.entry("other") == other
    assert found.entry("kv260").timing == Timing(0.5, 0.02, 0)
    assert (options.install / "kv260" / "notes.txt").read_text() == "measured on the bench"


FAILURES: dict[str, str] = {
    "no-board": r"failed at find the board files with exit status 1: Vivado has no board files xilinx\.com:kv260_som.*install them",
    "synth": r"(?s)failed at synthesise with exit status 1: run synth_1.*ERROR: \[Synth 8-439\] module 'nowhere' not found"
    r".*CRITICAL WARNING: \[Synth 8-9339\].*command: .*vivado -mode batch.*log: .*vivado\.log; nothing was installed",
    "licence": r"(?s)no licence covers this part here: the free Vivado ML Standard Edition covers the K26.*Common 17-345",
    "route": "failed at place and route with exit status 1: run impl_1 ended with status 'route_design ERROR'",
    "bitstream": "failed at write the bitstream",
    "no-timing-report": r"failed at check timing.*timing\.rpt",
    "no-utilisation-report": r"Vivado ended without writing reports: there is no /.*/utilisation\.rpt; log: /.*/build/vivado\.log",
    "no-bit": "failed at export with exit status 1",
    "no-hwh": r"failed at export.*ebmhw\.hwh",
    "no-xsa": r"Vivado ended well but wrote no .*ebmhw\.xsa, or an empty one; log: /.*/build/vivado\.log",
    "lost-register": r"ebmhw\.hwh is not of the design that was to be built: ising_core has no register jobs_done; phi_unit has no register jobs",
    "unconstrained": "failed at check timing with exit status 3: timing is not met: no setup path is constrained",
    "moved": r"the registers of phi_unit are at 0xa0050000\.\.0xa005ffff, not at 0xa0010000",
    "crash": "(?s)failed at its start with exit status 139.*abnormal program termination",
    "command:generate_target": r"(?s)failed at make the block design.*ERROR: \[Stub 1-1\] generate_target went wrong",
}


# Of each class one: what the script finds, a run that fails, a hint, an exit status of its own, what is missing afterwards, what it says.
ALWAYS = ("no-board", "synth", "licence", "no-utilisation-report", "no-xsa", "lost-register", "unconstrained", "crash")


def slow_but(names: Iterable[object], *quick: object) -> list[Any]:
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.mark.parametrize("fault", slow_but(FAILURES, *ALWAYS))
def test_failure_is_told_and_nothing_is_touched(
    before: dict[str, str], vivado: FakeVivado, options: Options, rtl_folder: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    vivado.use(monkeypatch, fault)
    with pytest.raises(FirmwareError, match=FAILURES[fault]):
        build(options, rtl_folder, quiet)
    assert tree(options.install) == before


@pytest.mark.parametrize("logs", [False, True])
def test_vivado_that_ends_well_without_a_report_is_told_with_its_log(
    vivado: FakeVivado, options: Options, rtl_folder: Path, monkeypatch: pytest.MonkeyPatch, logs: bool
) -> None:
    vivado.use(monkeypatch)
    log = options.out / "build" / "vivado.log"
    write = f'echo nothing > "{log}"' if logs else ""
    (vivado.folder / "vivado").write_text(f'#!/bin/sh\nif [ "$1" = "-version" ]; then echo "vivado v2024.1 (64-bit)"; exit 0; fi\n{write}\nexit 0\n')
    with pytest.raises(FirmwareError) as raised:
        build(options, rtl_folder, quiet)
    told = options.out / "reports"
    rest = "" if logs else f", which was not written either: is {vivado.folder / 'vivado'} Vivado?"
    assert str(raised.value) == (
        f"Vivado ended without writing reports: there is no {told / 'timing.rpt'} and no {told / 'utilisation.rpt'}; log: {log}{rest}; "
        "nothing was installed"
    )
    assert not options.install.exists()


def cut(name: str) -> Callable[[FakeVivado], None]:
    def change(vivado: FakeVivado) -> None:
        path = vivado.folder / name
        path.write_bytes(path.read_bytes()[: 60 if name.endswith(".bit") else path.stat().st_size // 2])

    return change


def failing(vivado: FakeVivado) -> None:
    (vivado.folder / "timing.rpt").write_text(timing_report((-0.213, -4.1, 17, 9, 0.02, 0.0, 0, 9, 1.0, 0.0, 0, 9), met=False))


def other_device(vivado: FakeVivado) -> None:
    (vivado.folder / "utilisation.rpt").write_text(utilisation_report(device="xczu3eg-sbva484-1-e"))


def no_bitstream(vivado: FakeVivado) -> None:
    (vivado.folder / "given.bit").write_bytes(bytes(2000))


PRODUCTS: dict[str, Callable[[FakeVivado], None]] = {
    r"timing is not met at 200 MHz: the worst setup slack is -0\.213 ns.*17 endpoints fail.*nothing was installed; .*--clock 125": failing,
    r"(timing\.rpt has no|failed at check timing with exit status 3)": cut("timing.rpt"),
    "does not tell of": cut("utilisation.rpt"),
    r"is of device xczu3eg": other_device,
    r"ebmhw\.bit is no bitstream of xck26": no_bitstream,
    r"ebmhw\.bit is no bitstream of": cut("given.bit"),
    r"ebmhw\.xsa is no hardware platform": cut("given.xsa"),
}


@pytest.mark.parametrize("told", PRODUCTS)
def test_product_that_is_not_right_is_refused(before: dict[str, str], vivado: FakeVivado, options: Options, rtl_folder: Path, told: str) -> None:
    PRODUCTS[told](vivado)
    with pytest.raises(FirmwareError, match=told):
        build(options, rtl_folder, quiet)
    assert tree(options.install) == before


def full(*arguments: object, **named: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")


def stopped(*arguments: object, **named: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("where", ["copy", "manifest", "rename"])
@pytest.mark.parametrize("stop", [full, stopped])
def test_install_that_breaks_off_leaves_what_was_there(
    before: dict[str, str],
    vivado: FakeVivado,
    options: Options,
    rtl_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    stop: Callable[..., None],
) -> None:
    (vivado.folder / "timing.rpt").write_text(timing_report((0.7, 0.0, 0, 9, 0.02, 0.0, 0, 9, 1.0, 0.0, 0, 9)))
    if where == "copy":
        real, done = install_module._copy, []

        def copy(source: Path, target: Path) -> None:
            done.append(target)
            if len(done) == 3:
                target.write_bytes(b"half")
                stop()
            real(source, target)

        monkeypatch.setattr(install_module, "_copy", copy)
    elif where == "manifest":
        monkeypatch.setattr(Manifest, "write", stop)
    else:
        rename = Path.rename

        def broken(self: Path, target: Path) -> Path:
            if self.name == "new":
                monkeypatch.setattr(Path, "rename", rename)
                stop()
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", broken)
    if stop is full:
        with pytest.raises(FirmwareError, match=r"cannot be installed in .*No space left on device\); what was there is as it was"):
            build(options, rtl_folder, quiet)
    else:
        with pytest.raises(KeyboardInterrupt):
            build(options, rtl_folder, quiet)
    assert tree(options.install) == before
    assert set(os.listdir(options.install)) == {"kv260", "manifest.json"}


def test_folder_that_cannot_be_written_is_told(vivado: FakeVivado, options: Options, rtl_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vivado.use(monkeypatch)
    options.install.write_text("a file")
    with pytest.raises(FirmwareError, match=r"cannot be installed in .*File exists"):
        build(options, rtl_folder, quiet)
    (options.out.parent / "file").write_text("")
    with pytest.raises(FirmwareError, match=r"cannot be written .*give another folder with --out"):
        build(Options(out=options.out.parent / "file" / "out", install=options.install), rtl_folder, quiet)


def test_damaged_manifest_is_not_overwritten(before: dict[str, str], options: Options, rtl_folder: Path) -> None:
    (options.install / "manifest.json").write_text("{")
    now = tree(options.install)
    with pytest.raises(FirmwareError, match="is no manifest of bitstreams"):
        build(options, rtl_folder, quiet)
    assert tree(options.install) == now


def test_two_builds_in_one_folder_are_refused(vivado: FakeVivado, options: Options, rtl_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vivado.use(monkeypatch)
    options.out.mkdir()
    with (options.out / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(FirmwareError, match="another build works in"):
            build(options, rtl_folder, quiet)


def test_rtl_that_is_missing_or_old_is_refused_before_vivado_is_looked_for(options: Options, rtl_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match=r"the RTL of configuration 'kv260' is missing .*make verilog"):
        build(options, tmp_path / "none", quiet)
    (rtl_folder / "kv260.v").write_text(verilog() + "// changed\n")
    with pytest.raises(BackendUnavailable, match=r"out of date: its Verilog's SHA-256 .*make verilog"):
        build(options, rtl_folder, quiet)


def test_modules_that_both_ips_need_are_refused(vivado: FakeVivado, options: Options, rtl_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vivado.use(monkeypatch)
    text = verilog().replace("\\phi_unit.core  core", "\\ising_core.core  core")
    sidecar = json.loads((rtl_folder / "kv260.json").read_text())
    sidecar["verilog_sha256"] = sha256(text.encode()).hexdigest()
    (rtl_folder / "kv260.json").write_text(json.dumps(sidecar))
    (rtl_folder / "kv260.v").write_text(text)
    with pytest.raises(FirmwareError, match=r"module ising_core\.core would be defined both in the IP of ising_core and in the IP of phi_unit"):
        build(options, rtl_folder, quiet)


def test_time_limit_stops_vivado_and_its_children(
    before: dict[str, str], vivado: FakeVivado, options: Options, rtl_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vivado.use(monkeypatch, "hang")
    with pytest.raises(
        TimeLimitExceeded, match=r"did not end within 1 s, it was at synthesise; it was stopped and nothing was installed; .*--time-limit"
    ):
        build(Options(out=options.out, install=options.install, limit_s=1), rtl_folder, quiet)
    assert gone(vivado)
    assert tree(options.install) == before


def gone(vivado: FakeVivado) -> bool:
    pid = int(Path(f"{vivado.log}.pid").read_text())
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("kind", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_ctrl_c_stops_vivado_and_its_children(
    before: dict[str, str], vivado: FakeVivado, options: Options, rtl_folder: Path, kind: signal.Signals
) -> None:
    program = (
        "import sys; from pathlib import Path; from boards.kv260.bitstream import main; "
        "sys.exit(main(['--out', sys.argv[2], '--install', sys.argv[3]], Path(sys.argv[1])))"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, rtl_folder, options.out, options.install],
        cwd=ROOT,
        env={**os.environ, **vivado.environment("hang")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        while "synthesise" not in child.stdout.readline():
            assert child.poll() is None
        end = time.monotonic() + 20
        while not Path(f"{vivado.log}.pid").exists() and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.1)
        child.send_signal(kind)
        out, err = child.communicate(timeout=30)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 130 and err == "stopped; nothing was installed\n", out + err
    assert gone(vivado) and tree(options.install) == before


def test_command_line_tells_an_error_and_fails(
    options: Options, rtl_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(rtl_folder))
    monkeypatch.delenv("XILINX_VIVADO", raising=False)
    monkeypatch.setattr(tool_module.find_vivado, "__defaults__", (None, ()))
    assert main(["--out", str(options.out), "--install", str(options.install)], rtl_folder) == 1
    assert capsys.readouterr().err.startswith(
        "error: a bitstream needs Vivado 2022.1 or newer, and there is none; tried:\n  vivado on PATH (not there)\n"
    )
    assert not options.install.exists()


def test_command_line_builds(
    vivado: FakeVivado, options: Options, rtl_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    vivado.use(monkeypatch)
    given = ["--clock", "100", "--jobs", "2", "--out", str(options.out), "--install", str(options.install)]
    assert main(given, rtl_folder) == 0
    out = capsys.readouterr().out
    assert "setup slack +0.104 ns, hold slack +0.010 ns; LUT 64012/117120" in out and "next: make firmware" in out


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--clock="], "CLOCK is ''; choose one of 100, 125, 200, 250 MHz (--clock)"),
        (["--clock=fast"], "CLOCK is 'fast'; choose one of 100, 125, 200, 250 MHz (--clock)"),
        (["--clock=-200"], "CLOCK is '-200'; choose one of"),
        (["--clock=\u0662\u0660\u0660"], "CLOCK is '\u0662\u0660\u0660'; choose one of"),
        (["--clock", "123"], "CLOCK is 123; choose one of"),
        (["--phi="], "PHI is ''; choose rtl or hls (--phi)"),
        (["--phi=VHDL"], "PHI is 'VHDL'; choose rtl or hls (--phi)"),
    ],
)
def test_what_make_passes_is_refused_in_its_words(rtl_folder: Path, capsys: pytest.CaptureFixture[str], given: list[str], told: str) -> None:
    assert main(given, rtl_folder) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"error: {told}") and err.count("\n") == 1


@pytest.mark.skipif(not (Path(__file__).parents[2] / "Makefile").is_file(), reason="no checkout around the tests")
@pytest.mark.parametrize(("variables", "passed"), [([], ["--clock=200", "--phi=rtl"]), (["CLOCK=", "PHI=a b"], ["--clock=", "--phi=a b"])])
def test_make_passes_on_what_is_given(variables: list[str], passed: list[str]) -> None:
    made = subprocess.run(
        [tool("make"), "-n", "bitstream", *variables],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={"PATH": os.environ["PATH"]},
    ).stdout
    (line,) = [line for line in made.splitlines() if "boards.kv260.bitstream" in line]
    assert shlex.split(line)[1:] == ["-m", "boards.kv260.bitstream", *passed]


@pytest.mark.parametrize(("name", "value"), [("clock_mhz", 180), ("phi", "vhdl"), ("jobs", 0), ("limit_s", 0.0), ("limit_s", float("nan"))])
def test_options_are_checked(name: str, value: object) -> None:
    with pytest.raises(ConfigError):
        Options(**{name: value})


SHELL = """
import sys
from pathlib import Path
out = Path(sys.argv[1])
out.mkdir(parents=True)
(out / "phi_unit.v").write_text('''module phi_unit(clk, rst, s_axi_awaddr, interrupt);
  input clk;
  phi_unit_hls hls (
  );
endmodule
''')
"""
EXPORT = {
    "component.xml": "<x/>",
    "hdl/verilog/phi_unit.v": "(* CORE=1 *)\nmodule phi_unit (\n  ap_clk);\ninput ap_clk;\nphi_unit_bins b_U(\n  .clk(ap_clk));\nendmodule //end\n",
    "hdl/verilog/phi_unit_bins.v": "`timescale 1 ns / 1 ps\nmodule phi_unit_bins (clk);\ninput clk;\nendmodule\n",
    "hdl/verilog/phi_unit_rom.dat": "00\n",
}


def hls(folder: Path, members: dict[str, str], monkeypatch: pytest.MonkeyPatch, shell: str = SHELL) -> Path:
    package = folder / "root" / "hdl" / "phi_unit" / "hls"
    package.mkdir(parents=True)
    for one in (package, *list(package.parents)[:2]):
        (one / "__init__.py").write_text("")
    (package / "shell.py").write_text(shell)
    monkeypatch.setattr(bitstream, "ROOT", folder / "root")
    export = folder / "export.zip"
    with zipfile.ZipFile(export, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return export


def test_hls_phi_unit_is_packaged_with_its_shell(
    vivado: FakeVivado, options: Options, rtl_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vivado.use(monkeypatch)
    export = hls(tmp_path, EXPORT, monkeypatch)
    entry = build(Options(phi="hls", out=options.out, install=options.install, hls_export=export), rtl_folder, quiet)
    assert entry.phi == "hls"
    folder = options.out / "build" / "rtl" / "phi_unit"
    text = (folder / "exported" / "phi_unit.v").read_text()
    assert f"module {HLS_RENAMED} (" in text and "module phi_unit (" not in text
    files = next(call.words[0] for call in vivado.calls() if call.name == "add_files" and "/rtl/phi_unit/" in call.words[0]).split()
    assert [Path(path).name for path in files] == ["phi_unit.sv", "phi_unit.v", "phi_unit_bins.v", "phi_unit_ip.v"]
    assert any(call.words[0].endswith("phi_unit_rom.dat") for call in vivado.calls() if call.name == "add_files")


HLS_FAULTS = {
    r"the phi unit from HLS is not made yet: there is no /.*/export\.zip; make it with Vitis HLS 2023\.1": None,
    r"holds no hdl/verilog/phi_unit\.v": {"component.xml": ""},
    "an IP within the IP": EXPORT | {"hdl/verilog/phi_unit_mul_ip.tcl": "create_ip"},
    "module phi_unit_bins would be defined both": EXPORT | {"hdl/verilog/phi_unit_more.v": EXPORT["hdl/verilog/phi_unit_bins.v"]},
}


@pytest.mark.parametrize("told", HLS_FAULTS)
def test_hls_export_that_cannot_be_used_is_refused(
    vivado: FakeVivado, options: Options, rtl_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    vivado.use(monkeypatch)
    members = HLS_FAULTS[told]
    export = hls(tmp_path, members or {}, monkeypatch)
    if members is None:
        export.unlink()
    with pytest.raises(FirmwareError, match=told):
        build(Options(phi="hls", out=options.out, install=options.install, hls_export=export), rtl_folder, quiet)
    assert not options.install.exists()


def test_hls_export_that_is_missing_or_cut_is_told_before_vivado_is_looked_for(
    options: Options, rtl_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bitstream, "find_vivado", stopped)
    export = tmp_path / "export.zip"
    given = Options(phi="hls", out=options.out, install=options.install, hls_export=export)
    with pytest.raises(FirmwareError) as raised:
        build(given, rtl_folder, quiet)
    assert str(raised.value).splitlines() == [
        f"the phi unit from HLS is not made yet: there is no {export}; make it with Vitis HLS 2023.1 or newer, in the root of the checkout:",
        "  make hls",
        "or, which does the same:",
        f"  {interpreter()} -m sim.phi_hls out/hls/vectors",
        "  vitis_hls -f hdl/phi_unit/hls/run_hls.tcl   (up to 2024.1), or",
        "  vitis-run --mode hls --tcl hdl/phi_unit/hls/run_hls.tcl   (from 2024.2 on)",
    ]
    export.write_bytes(b"PK half")
    with pytest.raises(FirmwareError, match=r"export\.zip cannot be read as the IP that Vitis HLS exports \(no ZIP archive, or a cut one\); make it"):
        build(given, rtl_folder, quiet)


def test_interpreter_is_told_as_one_types_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(ROOT / ".venv" / "bin" / "python"))
    assert interpreter() == ".venv/bin/python"
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    assert interpreter() == "/usr/bin/python3"


def test_shell_that_fails_or_misses_the_hls_module_is_told(
    vivado: FakeVivado, options: Options, rtl_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vivado.use(monkeypatch)
    export = hls(tmp_path, EXPORT, monkeypatch, SHELL.replace("phi_unit_hls hls", "phi_core hls"))
    given = Options(phi="hls", out=options.out, install=options.install, hls_export=export)
    with pytest.raises(FirmwareError, match="module phi_unit instantiates phi_core, which is in none of the files"):
        build(given, rtl_folder, quiet)
    (tmp_path / "root" / "hdl" / "phi_unit" / "hls" / "shell.py").write_text("raise SystemExit('no beat')")
    with pytest.raises(FirmwareError, match=r"(?s)the shell of the HLS phi unit cannot be written: .*exit status 1; it printed: no beat"):
        build(given, rtl_folder, quiet)


def test_handoff_of_the_build_is_what_the_driver_expects(before: dict[str, str], options: Options) -> None:
    text = (options.install / "kv260" / "ebmhw.hwh").read_text()
    assert handoff_faults(text.encode()) == []
    register = BLOCKS[0].unit.registers.registers[0]
    changes = {
        f'<REGISTER NAME="{register.name}">': '<REGISTER NAME="CTRL">',
        f'VLNV="{BLOCKS[1].vlnv}"': 'VLNV="ebmhw:hdl:phi_unit:0.9"',
        '<PARAMETER NAME="c_include_sg" VALUE="0"/>': '<PARAMETER NAME="c_include_sg" VALUE="1"/>',
        '<PROPERTY NAME="BIT_WIDTH" VALUE="32"/>': '<PROPERTY NAME="BIT_WIDTH" VALUE="31"/>',
        'USAGE="register"': 'USAGE="memory"',
        'INSTANCE="axi_intc_0"': 'INSTANCE="intc"',
        "</ADDRESSBLOCKS>": '<ADDRESSBLOCK NAME="reg0"/></ADDRESSBLOCKS>',
        "</EDKSYSTEM>": "",
    }
    for old, new in changes.items():
        assert old in text and handoff_faults(text.replace(old, new).encode()), old
