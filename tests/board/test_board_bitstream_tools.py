"""Which installation of Vivado and of Vitis HLS is taken, and what is said where none will do."""

from __future__ import annotations

from pathlib import Path

import pytest

from boards.kv260 import export, hls, tool
from boards.kv260.hls import find_hls
from boards.kv260.tool import find_vivado
from ebmhw.errors import BackendUnavailable

HLS = "****** Vitis HLS - High-Level Synthesis from C, C++ and OpenCL v{} (64-bit)\n  **** SW Build 3854077 on May  4 2023"
RUN = "\n****** vitis-run v{} (64-bit)\n  **** SW Build 5239630 on 2024-11-10-11:19:46"


def put(path: Path, says: str, option: str = "-version") -> Path:
    """Make a command that answers when it is asked for its version."""
    path.parent.mkdir(parents=True)
    path.write_text(f'#!/bin/sh\n[ "$1" = {option} ] && cat << END\n{says}\nEND\n')
    path.chmod(0o755)
    return path


def refused(find: object, environment: dict[str, str], roots: list[str]) -> list[str]:
    assert callable(find)
    with pytest.raises(BackendUnavailable) as raised:
        find(environment, roots)
    return str(raised.value).splitlines()


def test_no_vivado_lists_all_that_was_tried(tmp_path: Path) -> None:
    root, home = tmp_path / "tools", tmp_path / "home"
    assert refused(find_vivado, {"PATH": str(tmp_path), "XILINX_VIVADO": str(home)}, [str(root)]) == [
        "a bitstream needs Vivado 2022.1 or newer, and there is none; tried:",
        "  vivado on PATH (not there)",
        f"  {root}/Vivado/*/bin/vivado (none)",
        f"  {root}/*/Vivado/bin/vivado (none)",
        f"  {home}/bin/vivado (no command)",
        f"To get on: {tool.REMEDY}",
    ]


def test_old_vivado_is_what_the_error_begins_with(tmp_path: Path) -> None:
    old = put(tmp_path / "bin" / "vivado", "Vivado v2021.2 (64-bit)")
    lines = refused(find_vivado, {"PATH": str(old.parent) + ":/usr/bin:/bin"}, [str(tmp_path / "tools")])
    assert lines[0] == f"Vivado 2021.2 at {old} is too old: a bitstream needs Vivado 2022.1 or newer; tried:"
    assert "  XILINX_VIVADO (not set)" in lines and f"  Vivado 2021.2 at {old} is too old" in lines and lines[-1].startswith("To get on: ")


def test_newest_vivado_of_the_usual_places_is_taken_and_old_ones_are_not(tmp_path: Path) -> None:
    root = tmp_path / "tools"
    put(root / "Vivado" / "2021.2" / "bin" / "vivado", "Vivado v2021.2 (64-bit)")
    middle = put(root / "Vivado" / "2023.2" / "bin" / "vivado", "vivado v2023.2 (64-bit)")
    newest = put(root / "2025.1" / "Vivado" / "bin" / "vivado", "vivado v2025.1 (64-bit)")
    empty = {"PATH": str(tmp_path)}
    found = find_vivado(empty, [str(root)])
    assert (found.version, found.command, found.name) == ((2025, 1), newest, "Vivado 2025.1")
    newest.write_text("#!/bin/sh\nexit 1\n")
    assert find_vivado(empty, [str(root)]).version == (2023, 2)
    middle.unlink()
    lines = refused(find_vivado, empty, [str(root)])
    assert lines[0].startswith(f"{newest} does not tell its version (vivado -version): a bitstream needs") and "Vivado 2021.2" in "".join(lines)


def test_vivado_of_the_environment_goes_before_the_usual_places_but_not_where_it_is_old(tmp_path: Path) -> None:
    home = put(tmp_path / "home" / "bin" / "vivado", "vivado v2022.1 (64-bit)")
    newer = put(tmp_path / "tools" / "Vivado" / "2024.1" / "bin" / "vivado", "vivado v2024.1 (64-bit)")
    environment = {"PATH": str(tmp_path), "XILINX_VIVADO": str(tmp_path / "home")}
    assert find_vivado(environment, [str(tmp_path / "tools")]).command == home
    home.write_text("#!/bin/sh\necho vivado v2020.2\n")
    assert find_vivado(environment, [str(tmp_path / "tools")]).command == newer


def test_vitis_hls_is_found_under_both_names(tmp_path: Path) -> None:
    root, empty = tmp_path / "tools", {"PATH": str(tmp_path)}
    put(root / "Vitis_HLS" / "2022.2" / "bin" / "vitis_hls", HLS.format("2022.2"))
    lines = refused(find_hls, empty, [str(root)])
    assert lines[0].startswith(f"Vitis HLS 2022.2 at {root}/Vitis_HLS/2022.2/bin/vitis_hls is too old: the phi unit from HLS needs Vitis HLS 2023.1")
    assert {"  vitis_hls on PATH (not there)", "  vitis-run on PATH (not there)", "  XILINX_HLS (not set)", "  XILINX_VITIS (not set)"} < set(lines)
    assert f"  {root}/Vitis/*/bin/vitis-run (none)" in lines and lines[-1] == f"To get on: {hls.REMEDY}"
    put(root / "Vitis_HLS" / "2023.1" / "bin" / "vitis_hls", HLS.format("2023.1"))
    assert find_hls(empty, [str(root)]).program is hls.VITIS_HLS
    put(root / "Vitis" / "2024.1" / "bin" / "vitis-run", RUN.format("2024.1"), "--version")
    put(root / "Vitis_HLS" / "2024.1" / "bin" / "vitis_hls", HLS.format("2024.1"))
    assert find_hls(empty, [str(root)]).program is hls.VITIS_HLS  # of one version, under the older name
    put(root / "2025.1" / "Vitis" / "bin" / "vitis-run", RUN.format("2025.1"), "--version")
    found = find_hls(empty, [str(root)])
    assert (found.program, found.version, found.name) == (hls.VITIS_RUN, (2025, 1), "Vitis HLS 2025.1")


def test_oldest_versions_are_those_that_the_documents_name() -> None:
    vivado, vitis = (f"{year}.{release} or newer" for year, release in (tool.OLDEST, export.OLDEST))
    for path, said in (
        ("boards/kv260/README.md", f"Vivado ML {vivado}"),
        ("hdl/phi_unit/hls/README.md", f"\n{vitis}, "),
        (export.SCRIPT, f"Vitis HLS {vitis}"),
    ):
        assert said in (export.ROOT / path).read_text(encoding="utf-8"), (path, said)
