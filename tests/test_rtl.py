"""The RTL that a package carries: found when it is current, refused with the reason when it is not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ebmhw import rtl
from ebmhw.contract.design import UNITS, unit
from ebmhw.contract.render import contract_digest
from ebmhw.contract.sources import Port, Sidecar, build_number, sources_digest
from ebmhw.errors import BackendUnavailable, ContractError

FILES = {
    "hdl/__init__.py": "",
    "hdl/convert.py": "convert\n",
    "hdl/generate.py": "generate\n",
    "hdl/config.py": "config\n",
    "hdl/top.py": "top\n",
    "hdl/document.py": "not a source\n",
    "hdl/common/axi.py": "axi\n",
    "hdl/ising_core/parser/words.py": "words\n",
    "hdl/phi_unit/bins.py": "bins\n",
    "hdl/phi_unit/hls/check.py": "not a source\n",
    "hdl/configs/small.yaml": "small\n",
    "hdl/configs/large.yaml": "large\n",
    "host/ebmhw/contract/formats.py": "formats\n",
    "host/ebmhw/rtl/__init__.py": "not a source\n",
}
VERILOG = "module ebmhw();\nendmodule\n"
CORE = unit("ising_core")


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())


def made(sources: str = "0" * 64, **changes: Any) -> dict[str, Any]:
    """Return the sidecar of `VERILOG` as data, changed in places."""
    sidecar = Sidecar.of(
        VERILOG,
        config="small",
        sources=sources,
        parameters={"ising_core": {"lanes": 4}, "phi_unit": {"entries_max": 64}},
        unit_ports={unit.name: (Port("rst", "input", 1),) for unit in UNITS},
        module="ebmhw",
        ports=(Port("clk", "input", 1),),
        amaranth="0.5.10",
        yosys="0.70",
    )
    return json.loads(sidecar.to_json()) | changes


def with_unit(name: str, **changes: Any) -> dict[str, Any]:
    """Return the units of that sidecar, one of them changed in places."""
    units = made()["units"]
    return units | {name: units[name] | changes}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with current RTL of one configuration."""
    write(tmp_path, FILES)
    write(tmp_path, {"host/ebmhw/rtl/small.v": VERILOG, "host/ebmhw/rtl/small.json": json.dumps(made(sources_digest(tmp_path, "small")))})
    return tmp_path


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The folder of an installed package with RTL, nowhere near a checkout."""
    folder = tmp_path / "site-packages" / "ebmhw" / "rtl"
    write(folder, {"small.v": VERILOG, "small.json": json.dumps(made())})
    return folder


def test_current_rtl_is_found(root: Path) -> None:
    found = rtl.find("small", root / "host/ebmhw/rtl")
    assert found.verilog.read_text() == VERILOG
    assert found.sidecar.ports == (Port("clk", "input", 1),)
    assert list(found.sidecar.units) == [unit.name for unit in UNITS]
    for about in UNITS:
        facts = found.sidecar.units[about.name]
        assert facts.ports == (Port("rst", "input", 1),)
        assert (facts.map_hash, facts.packet_hash) == (about.registers.hash32, about.packet_hash)
    assert [facts.parameters for facts in found.sidecar.units.values()] == [{"lanes": 4}, {"entries_max": 64}]
    assert found.sidecar.contract_digest == contract_digest()
    assert found.sidecar.build == int(sources_digest(root, "small")[:8], 16) == build_number(found.sidecar.sources_digest)
    assert Sidecar.from_json(found.sidecar.to_json()) == found.sidecar


def test_an_installed_package_needs_no_sources(installed: Path) -> None:
    assert rtl.checkout(installed) is None
    assert rtl.find("small", installed).sidecar.config == "small"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"units": with_unit("ising_core", map_hash=1)}, f"its register map's hash of ising_core is 0x00000001, not {CORE.registers.hash32:#010x}"),
        ({"units": with_unit("phi_unit", packet_hash=2)}, f"its packets' hash of phi_unit is 0x00000002, not {unit('phi_unit').packet_hash:#010x}"),
        ({"units": {}}, "its units are none, not ising_core, phi_unit"),
        ({"units": {"ising_core": made()["units"]["ising_core"]}}, "its units are ising_core, not ising_core, phi_unit"),
        ({"contract_digest": "abc"}, f"its contract's digest is abc, not {contract_digest()}"),
        ({"verilog_sha256": "abc"}, "its Verilog's SHA-256 is abc, not "),
    ],
)
def test_what_differs_from_the_package_is_refused(installed: Path, changes: dict[str, Any], text: str) -> None:
    (installed / "small.json").write_text(json.dumps(made(**changes)))
    remedy = "; run `make verilog` in a checkout of ebmhw and install the package from there"
    with pytest.raises(BackendUnavailable, match=f"{re.escape(text)}.*{remedy}$"):
        rtl.find("small", installed)


def test_changed_verilog_is_refused(installed: Path) -> None:
    (installed / "small.v").write_text(VERILOG + "\n")
    with pytest.raises(BackendUnavailable, match="out of date: its Verilog's SHA-256 is "):
        rtl.find("small", installed)


@pytest.mark.parametrize(
    "name",
    [
        "hdl/__init__.py",
        "hdl/common/axi.py",
        "hdl/config.py",
        "hdl/top.py",
        "hdl/ising_core/parser/words.py",
        "hdl/phi_unit/bins.py",
        "hdl/configs/small.yaml",
        "host/ebmhw/contract/formats.py",
    ],
)
def test_changed_sources_are_refused(root: Path, name: str) -> None:
    (root / name).write_text("changed\n")
    with pytest.raises(BackendUnavailable, match=r"out of date: its sources' digest is \w+, not \w+; run `make verilog`$"):
        rtl.find("small", root / "host/ebmhw/rtl")


@pytest.mark.parametrize("change", [{"hdl/common/new.py": "new\n"}, {"host/ebmhw/contract/new.py": ""}])
def test_new_sources_are_refused(root: Path, change: dict[str, str]) -> None:
    write(root, change)
    with pytest.raises(BackendUnavailable, match="out of date: its sources' digest"):
        rtl.find("small", root / "host/ebmhw/rtl")


@pytest.mark.parametrize("name", ["hdl/document.py", "hdl/phi_unit/hls/check.py", "hdl/configs/large.yaml", "host/ebmhw/rtl/__init__.py"])
def test_what_is_no_source_may_change(root: Path, name: str) -> None:
    (root / name).write_text("changed\n")
    rtl.find("small", root / "host/ebmhw/rtl")


def test_the_digest_depends_on_neither_folder_nor_line_endings(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("elsewhere")
    write(other, {name: text.replace("\n", "\r\n") for name, text in FILES.items()})
    assert sources_digest(other, "small") == sources_digest(root, "small")
    assert sources_digest(root, "large") != sources_digest(root, "small")


def test_the_digest_depends_on_where_contents_stand(root: Path) -> None:
    before = sources_digest(root, "small")
    (root / "hdl/common/axi.py").rename(root / "hdl/common/bus.py")
    assert sources_digest(root, "small") != before


@pytest.mark.parametrize("name", ["small.v", "small.json"])
def test_missing_files_are_named(root: Path, name: str) -> None:
    folder = root / "host/ebmhw/rtl"
    (folder / name).unlink()
    with pytest.raises(BackendUnavailable, match=rf"the RTL of configuration 'small' is missing \(.*{re.escape(name)}.*run `make verilog`$"):
        rtl.find("small", folder)


def test_a_missing_configuration_says_which_there_are(installed: Path) -> None:
    with pytest.raises(BackendUnavailable, match=r"'huge' is missing .*there is RTL of: small"):
        rtl.find("huge", installed)


def test_rtl_whose_configuration_is_gone_is_refused(root: Path) -> None:
    (root / "hdl/configs/small.yaml").unlink()
    with pytest.raises(BackendUnavailable, match=r"is RTL of configuration 'small', which .*configs no longer has; delete it"):
        rtl.find("small", root / "host/ebmhw/rtl")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"build": 0}',
        "\N{GREEK SMALL LETTER BETA}",
        json.dumps(made() | {"ports": [{"name": "clk"}]}),
        json.dumps(made() | {"more": 1}),
        json.dumps(made() | {"units": []}),
        json.dumps(made() | {"units": with_unit("phi_unit", more=1)}),
    ],
)
def test_a_sidecar_that_is_none_is_refused(installed: Path, text: str) -> None:
    (installed / "small.json").write_bytes(text.encode("utf-16" if text and not text.isascii() else "utf-8"))
    with pytest.raises(BackendUnavailable, match=r"small\.json: .*run `make verilog`"):
        rtl.find("small", installed)


def test_a_sidecar_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ContractError, match=f"says build {0x12345678}, but its sources' digest makes 0"):
        Sidecar.from_json(json.dumps(made() | {"build": 0x12345678}))


def test_the_check_needs_the_standard_library_only() -> None:
    code = "import sys, json; import ebmhw.rtl; print(json.dumps(sorted(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    outside = {name.partition(".")[0] for name in json.loads(output)} - set(sys.stdlib_module_names)
    assert {name for name in outside if not name.startswith(("__", "_", "sitecustomize", "distutils"))} <= {"ebmhw"}
