"""The Debian package of the firmware: fields, contents, that it is reproducible, and that it installs and goes again."""

from __future__ import annotations

import hashlib
import os
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from board_firmware import below, need_tools
from board_images import synthetic_bit, synthetic_bitstreams
from board_tools import tool

from boards.kv260.firmware import Firmware, make_firmware
from boards.kv260.firmware.deb import debian_version
from ebmhw import __version__
from ebmhw.board.bit import parse_bit
from ebmhw.board.block_design import APP, FIRMWARE_ROOT, SHARE_ROOT
from ebmhw.board.installed import installed_firmware
from ebmhw.board.manifest import read_manifest


def deb(option: str, package: Path, *more: str) -> str:
    """Return what dpkg-deb says of a package."""
    return subprocess.run([tool("dpkg-deb"), option, str(package), *more], capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture
def firmware(tmp_path: Path) -> Firmware:
    need_tools()
    synthetic_bitstreams(tmp_path / "bits")
    return make_firmware(tmp_path / "bits", "kv260", tmp_path / "out")


def test_the_fields_say_what_is_in_it(firmware: Firmware) -> None:
    fields = dict(line.split(": ", 1) for line in deb("--field", firmware.package).splitlines() if not line.startswith(" "))
    version = f"{__version__}+20260314150926.{firmware.entry.build:08x}"
    assert firmware.package.name == f"{APP}_{version}_arm64.deb"
    assert (fields["Package"], fields["Version"], fields["Architecture"]) == (APP, version, "arm64")
    # PYNQ's images have packages of other names for the loader: nothing may be required.
    assert "Depends" not in fields and "Pre-Depends" not in fields
    assert int(fields["Installed-Size"]) >= sum(map(len, (*below(firmware.folder).values(), *below(firmware.share).values()))) // 1024


def test_the_files_are_those_of_the_folders_and_their_sums_are_right(firmware: Firmware, tmp_path: Path) -> None:
    deb("--raw-extract", firmware.package, str(tmp_path / "raw"))
    files = below(tmp_path / "raw")
    # No script: installing loads nothing.
    assert {name for name in files if name.startswith("DEBIAN/")} == {"DEBIAN/control", "DEBIAN/md5sums"}
    payload = {name: content for name, content in files.items() if not name.startswith("DEBIAN/")}
    due = {f"{FIRMWARE_ROOT}/{APP}/{name}".lstrip("/"): content for name, content in below(firmware.folder).items()}
    due |= {f"{SHARE_ROOT}/{name}".lstrip("/"): content for name, content in below(firmware.share).items()}
    assert payload == due | {f"usr/share/doc/{APP}/copyright": payload[f"usr/share/doc/{APP}/copyright"]}
    sums = dict(reversed(line.split("  ", 1)) for line in files["DEBIAN/md5sums"].decode().splitlines())
    assert sums == {name: hashlib.md5(content).hexdigest() for name, content in payload.items()}


def test_a_board_with_its_files_finds_them_whole(firmware: Firmware, tmp_path: Path) -> None:
    deb("--extract", firmware.package, str(tmp_path / "board"))
    found = installed_firmware(tmp_path / "board")
    assert found.there and found.entry == firmware.entry and found.damage == ()
    image = tmp_path / "board" / FIRMWARE_ROOT.lstrip("/") / APP / f"{APP}.bit.bin"
    image.write_bytes(image.read_bytes()[:-4])
    assert installed_firmware(tmp_path / "board").damage


@pytest.mark.parametrize("year", [2025, 2099])
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_all_may_read_it_and_root_owns_it_whatever_the_umask(tmp_path: Path, umask: int, year: int) -> None:
    need_tools()
    synthetic_bitstreams(tmp_path / "bits", bit={"date": f"{year}/03/14"})
    before = os.umask(umask)
    try:
        package = make_firmware(tmp_path / "bits", "kv260", tmp_path / "out").package
    finally:
        os.umask(before)
    lines = deb("--contents", package).splitlines()
    assert len(lines) > 10
    for line in lines:
        mode, owner, _, date, time, name = line.split(maxsplit=5)
        assert (mode, owner, date, time) == ("drwxr-xr-x" if name.endswith("/") else "-rw-r--r--", "root/root", f"{year}-03-14", "15:09")


def test_equal_bitstreams_give_equal_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need_tools()
    made = []
    for place, zone, epoch in (("a", "UTC", "0"), ("b", "Asia/Tokyo", "1999999999")):
        monkeypatch.setenv("TZ", zone)
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
        synthetic_bitstreams(tmp_path / place / "bits")
        made.append(below(make_firmware(tmp_path / place / "bits", "kv260", tmp_path / place / "out").folder.parent))
    assert made[0] == made[1]
    synthetic_bitstreams(tmp_path / "c/bits", bit={"stamp": 1})
    assert below(make_firmware(tmp_path / "c/bits", "kv260", tmp_path / "c/out").folder.parent) != made[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may install packages")
def test_it_installs_and_goes_again(firmware: Firmware, tmp_path: Path) -> None:
    root = tmp_path / "board"
    for folder in ("var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "usr/lib"):
        (root / folder).mkdir(parents=True)
    # As on Ubuntu, where /lib is a link.
    (root / "lib").symlink_to("usr/lib")
    (root / "var/lib/dpkg/status").touch()
    command = [tool("dpkg"), f"--root={root}", "--force-architecture", "--log=/dev/null"]
    environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    subprocess.run([*command, "-i", str(firmware.package)], env=environment, check=True, capture_output=True, timeout=60)
    assert below(root / "usr/lib/firmware/xilinx" / APP) == below(firmware.folder)
    installed = root / SHARE_ROOT.lstrip("/")
    assert read_manifest(installed / "manifest.json").entry("kv260").damage(installed) == []
    bit = parse_bit((installed / "ebmhw.bit").read_bytes())
    assert (root / "lib/firmware/xilinx" / APP / f"{APP}.bit.bin").read_bytes() == bit.image
    subprocess.run([*command, "--purge", APP], env=environment, check=True, capture_output=True, timeout=60)
    assert not (root / "usr/lib/firmware").exists() and not installed.exists()


def test_of_two_builds_the_later_is_the_newer(tmp_path: Path) -> None:
    need_tools()
    entry = synthetic_bitstreams(tmp_path / "bits")
    early, late = (parse_bit(synthetic_bit(tmp_path / "x.bit", date=f"{year}/01/02").read_bytes()).made for year in (2025, 2026))
    ordered = [
        debian_version(0xFFFF_FFFF, late, "0.1.0.dev3"),
        debian_version(0xFFFF_FFFF, late, "0.1.0rc1"),
        debian_version(0xFFFF_FFFF, early, "0.1.0"),
        debian_version(entry.build, late, "0.1.0"),
        debian_version(0, early, "0.1.0.post1"),
        debian_version(0, early, "0.2.0"),
    ]
    for older, newer in pairwise(ordered):
        subprocess.run([tool("dpkg"), "--compare-versions", older, "lt", newer], check=True, timeout=60)
