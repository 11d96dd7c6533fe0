"""A stand-in for xmutil: it lists, loads and unloads what a folder describes, in a synthetic file system, and misbehaves as it is told."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from board_images import synthetic_bitstreams
from board_tree import TREE, add_design, add_machine, put

from ebmhw.board.bit import parse_bit
from ebmhw.board.block_design import APP, FIRMWARE_ROOT, SHARE_ROOT, SHELL
from ebmhw.board.manifest import BitstreamEntry
from ebmhw.board.xmutil import Xmutil

OTHER = "k26-starter-kits"

SCRIPT = """#!{python} -SE
import json, os, shutil, sys, time
state, root, tree, manager = {state!r}, {root!r}, {tree!r}, {manager!r}
about = json.load(open(state + "/about.json"))
active = open(state + "/active").read()
with open(state + "/log", "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
if sys.argv[1] == "-loadByName":
    sys.argv[1] = "loadapp"
elif sys.argv[1] == "-unloadByName":
    sys.argv[1] = "unloadapp"
mode = about["modes"].get(" ".join(sys.argv[1:]), about["modes"].get(sys.argv[1], "works"))
if mode == "hangs":
    time.sleep(600)
if mode == "lies":
    print("done")
    sys.exit(0)
if mode == "new":
    if sys.argv[1] == "loadapp":
        print("Error: -load expects a numeric ID. Use -loadByName for name-based loading.")
    else:
        print("WARNING: '-remove' is deprecated. Use '-unload' instead.")
    sys.exit(255)
if mode == "refuses":
    print(sys.argv[2] + ": load Error: -1")
    sys.exit(0)
if mode == "fails":
    print("error sending message from client")
    sys.exit(1)
def forget():
    for name in os.listdir(tree):
        if "@" in name:
            shutil.rmtree(os.path.join(tree, name))
    open(state + "/active", "w").close()
if sys.argv[1] == "listapps":
    form = "%32s%20s%32s%20s%20s%20s"
    print(form % ("Accelerator", "Accel_type", "Base", "Base_type", "#slots(PL+AIE)", "Active_slot") + "\\n")
    for app in about["apps"]:
        print(form % (app, "XRT_FLAT", app, "XRT_FLAT", "(0+0)", "0," if app == active else "-1"))
elif sys.argv[1] == "unloadapp":
    if not active:
        print("remove from slot 0 returns: -1 (Error)")
        sys.exit(0)
    forget()
    print("remove from slot 0 returns: 0 (Ok)")
elif sys.argv[1] == "loadapp":
    app = sys.argv[2]
    if active or app not in about["apps"]:
        print("load Error: -1")
        sys.exit(0)
    if mode == "write error":
        open(manager, "w").write("write error\\n")
    else:
        open(manager, "w").write("operating\\n")
    if mode != "no nodes":
        source = state + "/nodes/" + (mode if mode == "half" else app)
        if os.path.isdir(source):
            shutil.copytree(source, tree, dirs_exist_ok=True)
    open(state + "/active", "w").write(app)
    print(app + ": loaded to slot 0")
"""


class Board:
    """A KV260 in a folder, our firmware installed, another one loaded.

    Attributes
    ----------
    root : of its file system
    entry : of the bitstream that is installed
    """

    def __init__(self, folder: Path) -> None:
        self.root, self.state = folder / "root", folder / "state"
        add_machine(self.root)
        (self.root / TREE / "axi").mkdir(parents=True)
        self.share = self.root / SHARE_ROOT.lstrip("/")
        self.firmware = self.root / FIRMWARE_ROOT.lstrip("/") / APP
        self.entry: BitstreamEntry
        self.install()
        self.modes: dict[str, str] = {}
        self.state.mkdir()
        self._nodes(APP, self.entry.build)
        half = self.state / "nodes" / "half"
        shutil.copytree(self.state / "nodes" / APP, half)
        shutil.rmtree(next(half.glob("phi_unit@*")))
        self.set(OTHER)
        script = folder / "xmutil"
        manager = self.root / "sys/class/fpga_manager/fpga0/state"
        script.write_text(
            SCRIPT.format(python=sys.executable, state=str(self.state), root=str(self.root), tree=str(self.root / TREE / "axi"), manager=str(manager))
        )
        script.chmod(0o755)
        self.xmutil = Xmutil(str(script), "", 5.0, 5.0)

    def install(self, **changes) -> None:
        """Install firmware of an entry with changes."""
        for path in (self.share, self.firmware):
            shutil.rmtree(path, ignore_errors=True)
        made = self.share.parent / "made"
        self.entry = synthetic_bitstreams(made, **changes)
        self.share.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made / "kv260", self.share)
        shutil.move(made / "manifest.json", self.share / "manifest.json")
        (self.share / "ebmhw.xsa").unlink()
        put(self.firmware / f"{APP}.bit.bin", parse_bit((self.share / "ebmhw.bit").read_bytes()).image)
        put(self.firmware / f"{APP}.dtbo", b"\xd0\x0d\xfe\xed" + (64).to_bytes(4, "big") + bytes(56))
        put(self.firmware / "shell.json", json.dumps(SHELL))

    def _nodes(self, app: str, build: int) -> None:
        scratch = self.state / "scratch"
        add_design(scratch, build)
        shutil.copytree(scratch / TREE / "axi", self.state / "nodes" / app, dirs_exist_ok=True)

    def set(self, active: str, **modes: str) -> None:
        """Say what is loaded, and how commands misbehave: "loadapp", or "loadapp NAME"."""
        self.modes = modes
        (self.state / "active").write_text(active)
        (self.state / "about.json").write_text(
            json.dumps({"apps": [OTHER, APP], "modes": {key.replace("__", " "): mode for key, mode in modes.items()}})
        )
        (self.state / "log").write_text("")
        if active == APP:
            shutil.copytree(self.state / "nodes" / APP, self.root / TREE / "axi", dirs_exist_ok=True)

    def misbehave(self, modes: dict[str, str]) -> None:
        """Say how commands misbehave, by command."""
        (self.state / "about.json").write_text(json.dumps({"apps": [OTHER, APP], "modes": modes}))

    @property
    def active(self) -> str:
        """What is loaded."""
        return (self.state / "active").read_text()

    @property
    def log(self) -> list[str]:
        """Commands so far."""
        return (self.state / "log").read_text().splitlines()
