"""What a machine is found to be, in synthetic file systems."""

from __future__ import annotations

import json
import platform
import sys

import pytest
from board_tree import COMPATIBLE, MODEL, TREE, add_machine, cells, put

from ebmhw.board.block_design import APP, GIC_SPI
from ebmhw.board.command import run_command
from ebmhw.board.machine import PYNQ_ENVIRONMENT, as_data, machine
from ebmhw.board.xmutil import App, Xmutil, apps_of, is_app_name

SAMPLE = "xlnx,zynqmp-sk-kv260-revA\0xlnx,zynqmp-sk-kv260-revY\0xlnx,zynqmp-sk-kv260-revZ\0xlnx,zynqmp-sk-kv260\0xlnx,zynqmp\0"
MODULE = "xlnx,zynqmp-smk-k26-rev1\0xlnx,zynqmp-smk-k26-revB\0xlnx,zynqmp-smk-k26\0xlnx,zynqmp\0"
OTHER_CARRIER = "xlnx,zynqmp-sk-kr260-revB\0xlnx,zynqmp-sk-kr260\0xlnx,zynqmp-smk-k26-rev1\0xlnx,zynqmp\0"


@pytest.mark.parametrize(
    ("model", "compatible", "board", "samples", "says"),
    [
        (MODEL, COMPATIBLE, "kv260", False, "a KV260 ("),
        ("ZynqMP KV260 revA\0", SAMPLE, "kv260", True, "an early sample"),
        ("ZynqMP SMK-K26 Rev1/B/A\0", MODULE, "k26", False, "a K26 module on a carrier card that the device tree does not name"),
        ("ZynqMP KR260 revB\0", OTHER_CARRIER, "other board", False, "another board (ZynqMP KR260 revB)"),
        ("Raspberry Pi 4 Model B Rev 1.4\0", "raspberrypi,4-model-b\0brcm,bcm2711\0", "other board", False, "Raspberry Pi"),
    ],
)
def test_boards_are_told_apart(tmp_path, model, compatible, board, samples, says):
    add_machine(tmp_path, model, compatible)
    found = machine(tmp_path, "")
    assert (found.board, found.samples) == (board, samples) and says in found.described
    assert found.is_kv260 == (board in ("kv260", "k26"))


def test_a_machine_without_a_device_tree(tmp_path):
    found = machine(tmp_path, "")
    assert found.board == "none" and not found.is_kv260 and found.model is None and found.manager is None
    assert platform.machine() in found.described and found.packages["numpy"] and found.environment == sys.prefix
    assert found.xrt is None and not found.zocl and found.clock_hz is None and found.interrupt is None and found.sensors == ()


def test_everything_that_a_board_says(tmp_path):
    add_machine(tmp_path)
    put(tmp_path / "etc/os-release", 'NAME="Ubuntu"\nPRETTY_NAME="Ubuntu 22.04.4 LTS"\n')
    (tmp_path / PYNQ_ENVIRONMENT.lstrip("/")).mkdir(parents=True)
    put(tmp_path / "usr/lib/libxrt_core.so.2", "")
    put(tmp_path / "usr/lib/libxrt_core.so.2.13.0", "")
    (tmp_path / "sys/module/zocl").mkdir(parents=True)
    put(tmp_path / "sys/bus/platform/devices/axi:fclk0/set_rate", "199998000\n")
    put(tmp_path / TREE / "axi/fabric@A0000000/compatible", "generic-uio\0")
    put(tmp_path / TREE / "axi/fabric@A0000000/interrupts", cells(0, GIC_SPI, 4))
    put(tmp_path / TREE / "axi/other@0/compatible", "generic-uio\0")
    put(tmp_path / TREE / "axi/other@0/interrupts", cells(0, 12, 4))
    put(tmp_path / "sys/class/uio/uio3/name", "other\n")
    put(tmp_path / "sys/class/uio/uio4/name", "fabric\n")
    for name, text in (("name", "ina260_u14\n"), ("power1_input", "3520000\n"), ("in1_input", "5018\n"), ("curr1_input", "700\n")):
        put(tmp_path / "sys/class/hwmon/hwmon0" / name, text)
    put(tmp_path / "sys/class/hwmon/hwmon0/fan1_input", "7\n")
    ams = tmp_path / "sys/bus/iio/devices/iio:device0"
    for name, text in (
        ("name", "ams"),
        ("in_temp0_ps_temp_raw", "42000"),
        ("in_temp0_ps_temp_scale", "7.771514892"),
        ("in_temp0_ps_temp_offset", "-36058"),
    ):
        put(ams / name, text)
    put(ams / "in_temp2_pl_temp_raw", "nonsense")
    put(tmp_path / "bin/xmutil", "#!/bin/sh\n")
    (tmp_path / "bin/xmutil").chmod(0o755)
    found = machine(tmp_path, str(tmp_path / "bin"))
    assert found.system == "Ubuntu 22.04.4 LTS" and found.pynq_environment == PYNQ_ENVIRONMENT and found.xrt == "2.13.0" and found.zocl
    assert found.clock_hz == 199_998_000 and found.xmutil == str(tmp_path / "bin/xmutil")
    assert (found.interrupt, found.interrupt_node) == ("/dev/uio4", "fabric@A0000000")
    readings = {sensor.name: (round(sensor.value, 3), sensor.unit) for sensor in found.sensors}
    assert readings == {
        "ina260_u14 curr1": (0.7, "A"),
        "ina260_u14 in1": (5.018, "V"),
        "ina260_u14 power1": (3.52, "W"),
        "ams temp0_ps_temp": (46.178, "°C"),
    }
    assert json.loads(json.dumps(as_data(found)))["sensors"][0]["unit"] == "A"
    (tmp_path / "sys/class/uio/uio4/name").unlink()
    assert machine(tmp_path, "").interrupt == "", "the device tree has it, no driver made a device"
    # Ours comes second where a login shell put Kria-PYNQ's there, and the kernel gives the interrupt to one.
    ours = f"{APP}-interrupt"
    put(tmp_path / TREE / "axi" / ours / "compatible", "generic-uio\0")
    put(tmp_path / TREE / "axi" / ours / "interrupts", cells(0, GIC_SPI, 4))
    neither = machine(tmp_path, "")
    assert neither.interrupt == "" and neither.interrupt_holder == f"{ours}: ours, fabric@A0000000: Kria-PYNQ's overlay"
    for device, name, holder in (("uio7", "fabric", "fabric@A0000000: Kria-PYNQ's overlay"), ("uio7", ours, f"{ours}: ours")):
        put(tmp_path / "sys/class/uio" / device / "name", f"{name}\n")
        about = machine(tmp_path, "")
        assert (about.interrupt, about.interrupt_holder) == (f"/dev/{device}", holder)
    put(tmp_path / "opt/xilinx/xrt/version.json", '{"BUILD_VERSION" : "2.14.354"}')
    assert machine(tmp_path, "").xrt == "2.14.354"


# --- the loader

OLD = """                     Accelerator          Accel_type              Base           Base_type      #slots(PL+AIE)         Active_slot

                k26-starter-kits            XRT_FLAT  k26-starter-kits            XRT_FLAT               (0+0)                  0,
                     ebmhw-kv260            XRT_FLAT       ebmhw-kv260            XRT_FLAT               (0+0)                  -1
"""
WITH_PID = """                   Accelerator  Accel_type                          Base    Pid   Base_type  #slots(PL+AIE) slot->handle
              k26-starter-kits    XRT_FLAT              k26-starter-kits  id_ok    XRT_FLAT           (0+0)          -1
                   ebmhw-kv260    XRT_FLAT                   ebmhw-kv260  id_ok    XRT_FLAT           (0+0)        0->0,
"""
NEW = """boot.pdi PL UUID: N/A

ID accelType   Base        slotLoc Accelerator
-- ----------- ----------- ------- -----------
 1 XRT_FLAT    k26-star... -1      k26-starter-kits
 2 XRT_FLAT    ebmhw-kv260 0       ebmhw-kv260
"""
ALL = """ID accelType   userLoad  userLoad  Base        Pid   #slots       slot     load   Accelerator
               type      Region                      (RPU+PL+AIE) Location Handle
-- ----------- --------- --------- ----------- ----- ------------ -------- ------ -----------
 1 XRT_FLAT    -         -         k26-starter id_ok (0+0+0)      0        0      k26-starter-kits
 2 XRT_FLAT    -         -         ebmhw-kv260 id_ok (0+0+0)      -1       -1     ebmhw-kv260
"""


@pytest.mark.parametrize(("listing", "ours"), [(OLD, False), (WITH_PID, True), (NEW, True), (ALL, False)])
def test_lists_of_all_versions_of_the_loader_are_read(listing, ours):
    assert apps_of("noise of sudo\n" + listing) == [App("k26-starter-kits", "" if ours else "0"), App("ebmhw-kv260", "0" if ours else "")]


@pytest.mark.parametrize("text", ["", "error sending message from client\n", "Accelerator\n", "a Accelerator b c\n", "\x00\xff"])
def test_what_is_no_list_is_none(text):
    assert apps_of(text) is None


def test_names_of_firmware():
    assert is_app_name("ebmhw-kv260") and not any(map(is_app_name, ("", "-x", "a/b", "..", "x" * 65, "a\n")))


def test_the_loader_is_found_on_the_search_path_only(tmp_path):
    assert Xmutil.find(str(tmp_path)) is None


# --- commands


def test_a_command_tells_its_status_and_the_end_of_its_output():
    done = run_command([sys.executable, "-c", "import sys; print('x' * 200000); print('the end'); sys.exit(3)"], 20)
    assert done.status == 3 and len(done.output) <= 1 << 16 and "the end" in done.told() and "exit status 3" in done.told()
    assert "does not start" in run_command(["/nowhere/xmutil"], 1).told()
    assert run_command(["true"], 5).told().endswith("ended with exit status 0; it printed: nothing")


def test_a_command_that_hangs_is_killed_with_what_it_started():
    # The grandchild ignores what it can and keeps the output open.
    code = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.fork(); print(os.getpid(), flush=True); time.sleep(600)"
    done = run_command([sys.executable, "-c", code], 1.0)
    assert done.status is None and "did not end within 1 s and was stopped" in done.told() and done.seconds < 8
    for line in done.output.split():
        with open_status(int(line)) as state:
            assert state in ("", "Z"), "a process of it still runs"


class open_status:
    """The state of a process, "" where it is gone."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __enter__(self) -> str:
        import time

        for _ in range(50):
            try:
                with open(f"/proc/{self.number}/stat") as stream:
                    state = stream.read().rpartition(")")[2].split()[0]
            except (FileNotFoundError, ProcessLookupError):
                return ""
            if state == "Z":
                return state
            time.sleep(0.05)
        return state

    def __exit__(self, *exception: object) -> None:
        pass
