"""The generator: what it writes, when, and that equal sources give equal bytes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final, final

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ebmhw import rtl
from ebmhw.contract.design import MODULE, UNITS
from ebmhw.contract.sources import Port, sources_digest
from ebmhw.errors import BackendUnavailable
from hdl import generate as generator
from hdl.common.shared import SharedModule
from hdl.config import DesignConfig
from hdl.convert import convert
from hdl.generate import ROOT, generate, main


@final
class ToyUnit(wiring.Component):
    """Gives the build number once it is asked, and has as many words of memory as it is told."""

    def __init__(self, words: int, build: int) -> None:
        self._words: Final = words
        self._build: Final = build
        super().__init__({"ask": In(1), "answer": Out(32), "bus": Out(wiring.Signature({"word": Out(8), "at": In(2)}))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=8, depth=self._words, init=[])
        read, write = memory.read_port(), memory.write_port()
        count = Signal(8)
        m.d.sync += count.eq(count + 1)
        m.d.comb += [read.addr.eq(self.bus.at), self.bus.word.eq(read.data), write.addr.eq(count), write.data.eq(count), write.en.eq(self.ask)]
        with m.If(self.ask):
            m.d.sync += self.answer.eq(self._build)
        return m


@final
class Toy(wiring.Component):
    """A design of two such units, the one of the Ising core with a word a lane."""

    def __init__(self, config: DesignConfig, build: int) -> None:
        self._config: Final = config
        self._build: Final = build
        super().__init__({"ask": In(1), "answers": Out(32).array(len(UNITS))})

    @property
    def instances(self) -> dict[str, wiring.Component]:
        words = (self._config.ising_core.lanes, 3)
        return {unit.name: ToyUnit(words, self._build) for unit, words in zip(UNITS, words, strict=True)}

    def elaborate(self, platform: object) -> Module:
        m = Module()
        signature = wiring.Signature({"ask": In(1), "answer": Out(32)})
        for unit, answer in zip(UNITS, self.answers, strict=True):
            m.submodules[unit.name] = shared = SharedModule(unit.name, signature)
            m.d.comb += [shared.ask.eq(self.ask), answer.eq(shared.answer)]
        return m


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with what the RTL of `small` is made from, and nothing generated."""
    for folder in ("hdl", "host/ebmhw/contract"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def toy(root: Path, *, force: bool = False) -> bool:
    return generate("small", root / "host/ebmhw/rtl", make=Toy, root=root, force=force)


def files(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (root / "host/ebmhw/rtl").iterdir()}


def test_verilog_and_sidecar_are_written_and_found(root: Path) -> None:
    assert toy(root)
    found = rtl.find("small", root / "host/ebmhw/rtl")
    text = found.verilog.read_text()
    assert found.sidecar.module == MODULE
    for module in (MODULE, *(unit.name for unit in UNITS)):
        assert f"module {module}(" in text
    assert f"32'h{found.sidecar.build:08x}" in text or f"32'd{found.sidecar.build}" in text
    assert found.sidecar.build == int(sources_digest(root, "small")[:8], 16)
    config = DesignConfig.from_yaml(root / "hdl/configs/small.yaml")
    parameters = {name: facts.parameters for name, facts in found.sidecar.units.items()}
    assert parameters == {"ising_core": asdict(config.ising_core), "phi_unit": asdict(config.phi_unit)}
    assert found.sidecar.verilog_sha256 == hashlib.sha256(text.encode()).hexdigest()
    clocked = {Port("clk", "input", 1), Port("rst", "input", 1), Port("ask", "input", 1)}
    assert set(found.sidecar.ports) == clocked | {Port(f"answers_{number}", "output", 32) for number in range(len(UNITS))}
    for facts in found.sidecar.units.values():
        assert set(facts.ports) == clocked | {Port("answer", "output", 32), Port("bus_word", "output", 8), Port("bus_at", "input", 2)}
    for port in (*found.sidecar.ports, *found.sidecar.units["ising_core"].ports):
        assert f"  {port.direction} {f'[{port.bits - 1}:0] ' if port.bits > 1 else ''}{port.name};" in text


def test_what_is_current_is_left_alone(root: Path) -> None:
    assert toy(root)
    before = files(root)
    assert not toy(root)
    assert toy(root, force=True)
    assert files(root) == before


@pytest.mark.parametrize("change", ["hdl/common/axi.py", "hdl/top.py", "hdl/configs/small.yaml", "host/ebmhw/contract/formats.py"])
def test_changed_sources_are_made_anew(root: Path, change: str) -> None:
    toy(root)
    with (root / change).open("a") as file:
        file.write("# changed\n")
    with pytest.raises(BackendUnavailable, match="sources' digest"):
        rtl.find("small", root / "host/ebmhw/rtl")
    assert toy(root)
    rtl.find("small", root / "host/ebmhw/rtl")


@pytest.mark.parametrize(("name", "content"), [("small.v", b"module"), ("small.json", b"{}"), ("small.json", b"\xff")])
def test_damaged_files_are_made_anew(root: Path, name: str, content: bytes) -> None:
    toy(root)
    whole = files(root)
    (root / "host/ebmhw/rtl" / name).write_bytes(content)
    assert toy(root)
    assert files(root) == whole


def test_other_tools_make_it_anew(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy(root)
    monkeypatch.setattr(generator.importlib.metadata, "version", lambda package: "0.0")
    assert toy(root)
    assert rtl.find("small", root / "host/ebmhw/rtl").sidecar.yosys == "0.0"


def test_a_failure_leaves_what_was_there(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy(root)
    before = files(root)

    def full(*paths: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("hdl.files.os.replace", full)
    with pytest.raises(OSError, match="no space left"):
        toy(root, force=True)
    assert files(root) == before


def test_a_configuration_that_is_none_is_refused(root: Path) -> None:
    (root / "hdl/configs/small.yaml").write_text("ising_core: {lanes: 4}\n")
    with pytest.raises(ValueError, match=r"small\.yaml lacks phi_unit; it takes ising_core, phi_unit$"):
        toy(root)
    assert not (root / "host/ebmhw/rtl").exists()


def test_an_unknown_configuration_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["huge"])
    assert stopped.value.code == 2
    assert "there is no hdl/configs/huge.yaml; there are kv260, small" in capsys.readouterr().err


def test_the_same_component_gives_the_same_text() -> None:
    config = DesignConfig.from_yaml(ROOT / "hdl/configs/small.yaml")
    texts = {convert(Toy(config, 1), "toy").text for _ in range(2)}
    assert len(texts) == 1
    (text,) = texts
    assert str(ROOT) not in text
    assert "src" not in text
    assert "Yosys" not in text


def test_the_design_is_the_same_from_every_process(tmp_path: Path) -> None:
    made = []
    for seed in ("1", "2"):
        out = tmp_path / seed
        command = [sys.executable, "-m", "hdl.generate", "small", "--out", str(out)]
        done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"{out / 'small.v'}: written\n"
        made.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert made[0] == made[1]
    assert made[0].keys() == {"small.v", "small.json"}
    text = made[0]["small.v"].decode()
    assert str(ROOT) not in text
    assert "\n(* src = " not in text
    for name in ("s_axi_awvalid", "s_axi_rdata", "ising_s_axis_tdata", "phi_m_axis_tkeep", "phi_interrupt", "clk", "rst"):
        assert f" {name};" in text
