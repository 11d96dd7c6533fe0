"""What a deploy makes of dfx-mgr: its lists and answers of all releases, the order of moves that it must see, and firmware as it is really made."""

from __future__ import annotations

import ast
import ctypes
import json
import os
import shutil
import struct
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from board_deploying import Bench, bench, sshd, upgrade
from board_images import synthetic_bitstreams
from board_tools import tool

from boards.kv260.deploy.board_side.folders import exchange
from boards.kv260.deploy.board_side.source import source_of
from boards.kv260.deploy.bundle import LOADER, MODULES, bundle
from boards.kv260.firmware.build import make_firmware
from ebmhw.board.block_design import APP
from ebmhw.board.command import Outcome
from ebmhw.board.loaded import loaded_design
from ebmhw.board.xmutil import App, apps_of, refuses, says_loaded

__all__ = ["bench", "sshd", "upgrade"]

# Each as the format strings of that release make it.
LISTS = {
    "2022.2": """
                     Accelerator          Accel_type                            Base           Base_type      #slots(PL+AIE)         Active_slot

                     ebmhw-kv260            XRT_FLAT                     ebmhw-kv260            XRT_FLAT               (0+0)                  -1
                k26-starter-kits            XRT_FLAT                k26-starter-kits            XRT_FLAT               (0+0)                  0,
""",
    "2024.1": """
                   Accelerator  Accel_type                          Base    Pid   Base_type  #slots(PL+AIE) Active_slot
                   ebmhw-kv260    XRT_FLAT                   ebmhw-kv260  id_ok    XRT_FLAT           (0+0)          -1
              k26-starter-kits    XRT_FLAT              k26-starter-kits  no_id    XRT_FLAT           (0+0)          0,
""",
    "2024.2": """
                   Accelerator  Accel_type                    Base    Pid   Base_type  #slots(RPU+PL+AIE)    slot->handle
                   ebmhw-kv260    XRT_FLAT             ebmhw-kv260  no_id    XRT_FLAT             (0+0+0)              -1
              k26-starter-kits    XRT_FLAT        k26-starter-kits  no_id    XRT_FLAT             (0+0+0)           1->0,
""",
    "2025.2": """
#  Accel_type  user_load_type user_load_region Base        Pid   Base_type #slots(RPU+PL+AIE) slot->handle Accelerator
-- ----------- -------------- ---------------- ----------- ----- --------- ------------------ ------------ ---------
 1 XRT_FLAT    -              -                ebmhw-k...  no_id XRT_FLAT  (0+0+0)            -1           ebmhw-kv260
 2 XRT_FLAT    -              -                k26-sta...  no_id XRT_FLAT  (0+0+0)            0->0,        k26-starter-kits
""",
    "2026.1": """
boot.pdi PL UUID: N/A

ID accelType   Base        slotLoc Accelerator
-- ----------- ----------- ------- -----------
 1 XRT_FLAT    ebmhw-k...  -1      ebmhw-kv260
 2 XRT_FLAT    k26-sta...  0       k26-starter-kits
""",
}


@pytest.mark.parametrize("release", LISTS)
def test_lists_of_all_releases_are_read(release: str) -> None:
    assert apps_of(LISTS[release]) == [App("ebmhw-kv260"), App("k26-starter-kits", "0")]


@pytest.mark.parametrize(
    ("said", "loaded"),
    [
        ("Accelerator loaded to slot 0", True),  # 2022.1
        ("Accelerator loaded to slot -1", False),
        ("ebmhw-kv260: loaded to slot 0", True),  # 2022.2
        ("ebmhw-kv260: load Error: -1", False),
        ("ebmhw-kv260: Loaded with slot_handle 0", True),  # 2024.2
        ("ebmhw-kv260: Load Error: -2", False),
        ("Load Error: -2: No package found for ebmhw-kv260", False),  # 2025.2
        (" ebmhw-kv260: Loaded with slot_handle 0 (FPGA state: operating)", True),  # 2026.1
        ("No message recieved", False),
        ("", False),
    ],
)
def test_answers_of_all_releases_are_judged(said: str, loaded: bool) -> None:
    assert says_loaded(Outcome("loadapp", 0, said, 0.0)) is loaded
    assert not says_loaded(Outcome("loadapp", 1, said, 0.0))
    assert not (loaded and refuses(Outcome("loadapp", 0, said, 0.0)))


def test_the_loader_sees_the_old_folder_go_before_the_new_one_comes(tmp_path: Path) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "inotify_init") or not hasattr(library, "renameat2"):
        pytest.skip("this system has no inotify or no renameat2")
    for folder in ("watched/app", "staging/app"):
        (tmp_path / folder).mkdir(parents=True)
    handle = library.inotify_init()
    try:
        library.inotify_add_watch(handle, os.fsencode(tmp_path / "watched"), 0x40 | 0x80)  # IN_MOVED_FROM, IN_MOVED_TO
        if not exchange(str(tmp_path / "watched/app"), str(tmp_path / "staging/app")):
            pytest.skip("this file system exchanges nothing")
        data, at, seen = os.read(handle, 4096), 0, []
        while at < len(data):
            _, mask, _, length = struct.unpack_from("iIII", data, at)
            seen.append((mask & 0xC0, data[at + 16 : at + 16 + length].rstrip(b"\0")))
            at += 16 + length
    finally:
        os.close(handle)
    assert seen == [(0x40, b"app"), (0x80, b"app")]


@pytest.mark.slow
def test_a_loader_that_wants_numbers_is_asked_by_name(upgrade: Bench) -> None:
    upgrade.board.faults(loadapp="ids", unloadapp="ids")
    upgrade.deploy()
    assert [one for one in upgrade.board.calls() if "--by-name" in one] == [f"--by-name unloadapp {APP}", f"--by-name loadapp {APP}"]


@pytest.mark.slow
def test_what_make_firmware_makes_is_deployed(bench: Bench, tmp_path: Path) -> None:
    for name in ("bootgen", "dtc"):
        tool(name)
    entry = synthetic_bitstreams(tmp_path / "bitstreams")
    make_firmware(tmp_path / "bitstreams", entry.name, tmp_path / "out")
    bench.deploy(firmware=tmp_path / "out")
    assert bench.leftovers() == []
    found = loaded_design(bench.board.root)
    assert found is not None and found.build == entry.build and not found.differences()


@pytest.mark.parametrize("name", MODULES)
def test_what_runs_on_the_board_is_python_3_8_and_imports_only_what_is_sent(name: str) -> None:
    tree = ast.parse(source_of(import_module(name)), feature_version=(3, 8))
    imported = {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            inside = {f"{node.module}.{one.name}" for one in node.names} & set(MODULES)
            imported |= inside or {node.module or ""}
    due = {"__future__", *sys.stdlib_module_names, *MODULES}
    if name.endswith("installed_python"):  # run by PYNQ's Python, which has them
        due |= {"ebmhw", "ebmhw.contract.design", "ebmhw.contract.render"}
    assert {one for one in imported if one not in due and one.partition(".")[0] not in sys.stdlib_module_names} == set()


@pytest.mark.slow
def test_pythons_of_boards_import_what_is_sent(tmp_path: Path) -> None:
    names = [name for name in ("python3.8", "python3.9", "python3.10") if shutil.which(name)]
    # A shim of pyenv is there where its Python is not.
    pythons = [name for name in names if subprocess.run([name, "-V"], capture_output=True, timeout=20).returncode == 0] + [sys.executable]
    request = {"op": "begin", "token": "t", "app": "x", "firmware": "/f/x", "share": "/s/a/b", "venv": "/v", "hold": "x.lock", "root": str(tmp_path)}
    request |= {"properties": {}, "idle_s": 5, "who": "ada"}
    sent = bundle() + json.dumps(request).encode() + b"\n" + json.dumps({"op": "nothing"}).encode() + b"\n"
    (tmp_path / "f").mkdir()
    for python in pythons:
        done = subprocess.run([python, "-I", "-c", LOADER, str(len(bundle()))], input=sent, capture_output=True, timeout=30, cwd=tmp_path)
        answers = [json.loads(line.removeprefix(b"t ")) for line in done.stdout.splitlines()]
        assert done.returncode == 0 and done.stderr == b"", python
        assert answers[0] == {"ok": True, "took_over": None, "repaired": None} and "there is no step 'nothing'" in answers[1]["error"]
        assert answers[2] == {"ok": False, "error": "the connection ended", "gone": True, "kept": False, "problems": []}
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["f", "lock", "run", "s"]
