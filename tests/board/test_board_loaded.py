"""What the live device tree says is loaded, hostile trees included."""

from __future__ import annotations

import os
import random
import shutil

import pytest
from board_tree import add_design, add_machine, add_unit, cells, put

from ebmhw.board.block_design import BLOCKS
from ebmhw.board.loaded import BUILD, CONTRACT_DIGEST, MAP_HASH, PACKET_HASH, loaded_design
from ebmhw.board.system import MANAGER, TREE, manager_state
from ebmhw.contract.render import contract_digest
from ebmhw.errors import BoardError


def test_a_loaded_design_is_read(tmp_path):
    add_machine(tmp_path)
    assert loaded_design(tmp_path) is None
    add_design(tmp_path, build=0xFFFF_0001)
    found = loaded_design(tmp_path)
    assert found is not None and found.operating and found.build == 0xFFFF_0001 and found.differences() == []
    assert list(found.units) == [block.cell for block in BLOCKS]
    for block in BLOCKS:
        unit = found.units[block.cell]
        assert (unit.address, unit.size, unit.contract_digest) == (block.address, 0x1_0000, contract_digest())
        assert (unit.map_hash, unit.packet_hash) == (block.unit.registers.hash32, block.unit.packet_hash)
        assert unit.node == f"/axi/{block.cell}@{block.address:x}"


def test_no_tree_and_other_trees_hold_nothing_of_ours(tmp_path):
    assert loaded_design(tmp_path) is None and manager_state(tmp_path) is None
    put(tmp_path / TREE, "a file in its place")
    assert loaded_design(tmp_path) is None


def test_the_kernels_own_link_is_followed_within_the_root(tmp_path):
    real = tmp_path / "other"
    add_design(real)
    (tmp_path / "root/sys/firmware/devicetree").mkdir(parents=True)
    shutil.copytree(real / TREE, tmp_path / "root/sys/firmware/devicetree/base")
    (tmp_path / "root/proc").mkdir()
    (tmp_path / "root" / TREE).symlink_to("/sys/firmware/devicetree/base")
    found = loaded_design(tmp_path / "root")
    assert found is not None and found.manager is None and not found.operating


def test_cells_of_the_parent_decide_how_reg_is_read(tmp_path):
    add_design(tmp_path)
    parent = tmp_path / TREE / "axi"
    put(parent / "#address-cells", cells(1))
    put(parent / "#size-cells", cells(1))
    for block in BLOCKS:
        add = cells(block.address, 0x1_0000)
        put(parent / f"{block.cell}@{block.address:x}" / "reg", add)
    assert loaded_design(tmp_path).differences() == [], "one cell each"
    (parent / "#address-cells").unlink()
    (parent / "#size-cells").unlink()
    for block in BLOCKS:
        put(parent / f"{block.cell}@{block.address:x}" / "reg", cells(0, block.address, 0x1_0000))
    put(parent / "#address-cells", cells(2))
    put(parent / "#size-cells", cells(1))
    assert loaded_design(tmp_path).differences() == []


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        (MAP_HASH, cells(0xBAD), "register map of phi_unit has hash 0x00000bad in the loaded design, {map} in this version"),
        (PACKET_HASH, cells(0xBAD), "packets of phi_unit has hash 0x00000bad in the loaded design, {packet} in this version"),
        (CONTRACT_DIGEST, b"0" * 64 + b"\0", "contract's digest of phi_unit is 00000000 in the loaded design, {digest} in this version"),
        ("reg", cells(0, 0xB000_0000, 0, 0x1_0000), "registers of phi_unit are at 0xb0000000 in the loaded design, at 0xa0010000"),
    ],
)
def test_another_design_is_told_with_both_sides(tmp_path, name, value, says):
    add_design(tmp_path)
    add_unit(tmp_path, BLOCKS[1], **{name: value})
    unit = BLOCKS[1].unit
    text = says.format(map=f"{unit.registers.hash32:#010x}", packet=f"{unit.packet_hash:#010x}", digest=contract_digest()[:8])
    (told,) = loaded_design(tmp_path).differences()
    assert text in told


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        (BUILD, None, "ebmhw,build of /axi/ising_core@a0000000 is missing"),
        (BUILD, b"\1\2", "is 2 bytes long"),
        (MAP_HASH, b"", "is 0 bytes long"),
        (PACKET_HASH, bytes(8), "is 8 bytes long"),
        (CONTRACT_DIGEST, b"abc\0", "is no SHA-256"),
        (CONTRACT_DIGEST, None, "is no SHA-256"),
        (CONTRACT_DIGEST, bytes(range(256)) * 100, "is no SHA-256"),
        ("reg", None, "reg of /axi/ising_core@a0000000 has 0 bytes"),
        ("reg", cells(0, 1), "has 8 bytes"),
        ("reg", cells(0, 0xA000_0000, 0, 4), "has 4 bytes at 0xa0000000"),
        (BUILD, cells(7), "several designs: ising_core of build 0x00000007, phi_unit of build 0x12345678"),
    ],
)
def test_a_node_that_says_nonsense_is_an_error_with_the_remedy(tmp_path, name, value, says):
    add_design(tmp_path)
    node = add_unit(tmp_path, BLOCKS[0])
    shutil.rmtree(node)
    add_unit(tmp_path, BLOCKS[0], **{name: value})
    with pytest.raises(BoardError, match="ebmhw board load --replace") as caught:
        loaded_design(tmp_path)
    assert says in str(caught.value)


def test_half_a_design_and_two_of_one_unit_are_errors(tmp_path):
    add_unit(tmp_path, BLOCKS[0])
    with pytest.raises(BoardError, match="a node of ising_core and none of phi_unit"):
        loaded_design(tmp_path)
    add_unit(tmp_path, BLOCKS[1])
    shutil.copytree(tmp_path / TREE / "axi" / "phi_unit@a0010000", tmp_path / TREE / "axi" / "zzz@0")
    with pytest.raises(BoardError, match="two nodes of phi_unit"):
        loaded_design(tmp_path)


def test_a_disabled_node_is_not_there(tmp_path):
    for block in BLOCKS:
        add_unit(tmp_path, block, status=b"disabled\0")
    assert loaded_design(tmp_path) is None
    for block in BLOCKS:
        add_unit(tmp_path, block, status=b"okay\0")
    assert loaded_design(tmp_path) is not None


@pytest.mark.parametrize("manager", ["write error\n", "", "unknown\n"])
def test_a_manager_that_does_not_operate_is_told(tmp_path, manager):
    add_design(tmp_path, manager=manager)
    found = loaded_design(tmp_path)
    assert not found.operating and found.manager == (manager.strip() or None)


def test_links_pipes_and_depth_do_not_hold_the_reader(tmp_path):
    add_machine(tmp_path)
    (tmp_path / TREE / "loop").symlink_to(tmp_path / TREE)
    os.mkfifo(tmp_path / TREE / "cpus" / "status")
    (tmp_path / TREE / "pipe").mkdir()
    os.mkfifo(tmp_path / TREE / "pipe" / "compatible")
    assert loaded_design(tmp_path) is None
    (tmp_path / MANAGER / "state").unlink()
    os.mkfifo(tmp_path / MANAGER / "state")
    assert manager_state(tmp_path) is None
    deep = tmp_path / TREE
    for _ in range(20):
        deep /= "d"
    deep.mkdir(parents=True)
    with pytest.raises(BoardError, match="more than 20000 nodes or 16 levels"):
        loaded_design(tmp_path)


def test_random_damage_gives_none_a_design_or_a_clear_error(tmp_path):
    draw = random.Random(8)
    kinds = set()
    for number in range(250):
        root = tmp_path / str(number)
        add_machine(root)
        add_design(root)
        files = sorted(path for path in (root / TREE).rglob("*") if path.is_file())
        for path in draw.sample(files, draw.randint(1, 3)):
            match draw.randrange(4):
                case 0:
                    path.unlink()
                case 1:
                    path.write_bytes(draw.randbytes(draw.choice((0, 1, 4, 4, 4, 64, 5000))))
                case 2:
                    path.write_bytes(path.read_bytes()[: draw.randrange(8)])
                case _:
                    path.unlink()
                    path.mkdir()
        try:
            found = loaded_design(root)
        except BoardError as error:
            assert "the device tree says of ebmhw what cannot be" in str(error)
            kinds.add("error")
        else:
            kinds.add("none" if found is None else "differs" if found.differences() else "whole")
    assert {"error", "differs", "whole"} <= kinds
