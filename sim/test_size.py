"""What a core takes: the cutting into blocks, counts, levels, plan and budget, on small designs and on figures made up."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest
from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hdl.common.shared import SharedModule
from hdl.size import __main__ as command
from hdl.size import synthesis
from hdl.size.__main__ import main
from hdl.size.blocks import blocks
from hdl.size.budget import BudgetError, Plan, compare, read_budget, sanity, written_budget
from hdl.size.measure import measure, rtlil
from hdl.size.netlist import RESOURCES, Multiplication, memory_name
from hdl.size.paths import LogicPath
from hdl.size.report import BlockSize, DesignSize, register_table, table
from hdl.size.synthesis import SynthesisError, check_whole, synthesise

LANES = 3
CONFIGS = Path(__file__).parents[1] / "hdl" / "configs"
STAMP = wiring.Signature({"left": In(16), "right": In(16), "total": Out(32)})


class Stamp(wiring.Component):
    """A product with all its registers, and a parity of 36 bits in front of one."""

    def __init__(self):
        super().__init__(STAMP)

    def elaborate(self, platform):
        m = Module()
        left = Signal(16, reset_less=True)
        right = Signal(16, reset_less=True)
        product = Signal(32, reset_less=True)
        total = Signal(32, reset_less=True)
        m.d.sync += [left.eq(self.left), right.eq(self.right), product.eq(left * right), total.eq(product)]
        parity = Signal()
        m.d.sync += [parity.eq(Cat(total, self.left[:4]).xor()), self.total.eq(total ^ parity.replicate(32))]
        return m


class Store(wiring.Component):
    """A memory of a block RAM; the parity of six bits of what is read leaves without a register."""

    def __init__(self):
        super().__init__({"address": In(10), "data": In(36), "parity": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=36, depth=1024, init=[])
        write, read = memory.write_port(), memory.read_port()
        word = Signal(36, reset_less=True)
        m.d.comb += [write.addr.eq(self.address), write.data.eq(self.data), write.en.eq(self.data[0]), read.addr.eq(self.address), read.en.eq(1)]
        m.d.sync += word.eq(read.data)
        m.d.comb += self.parity.eq(word[:6].xor())
        return m


class Design(wiring.Component):
    """Three stamps after each other, a store, and a register behind its parity and more."""

    def __init__(self, extra=False):
        self._extra = extra
        self.instances = {"stamp": Stamp()}
        super().__init__({"left": In(16), "right": In(16), "address": In(10), "data": In(36), "total": Out(32), "parity": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.store = store = Store()
        m.d.comb += [store.address.eq(self.address), store.data.eq(self.data)]
        m.d.sync += self.parity.eq(store.parity ^ self.left[:5].xor())
        if self._extra:
            # Amaranth tells equal names apart by numbers that go through the whole design.
            left = Signal(name="left")
            m.d.sync += left.eq(~left)
        left = self.left
        for number in range(LANES):
            m.submodules[f"stamp{number}"] = stamp = SharedModule("stamp", STAMP)
            m.d.comb += [stamp.left.eq(left), stamp.right.eq(self.right)]
            left = stamp.total[:16]
        m.d.comb += self.total.eq(stamp.total)
        return m


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("blocks")


@pytest.fixture(scope="module")
def measured(cache):
    size, problems = measure(rtlil(Design(), "design"), "design", ("",), cache)
    assert problems == []
    return {block.name: block for block in size.blocks}, size


def test_blocks_are_the_top_what_is_in_it_and_what_is_shared():
    found = {block.name: block for block in blocks(rtlil(Design(), "design"), "design")}
    assert {name: block.count for name, block in found.items()} == {"top": 1, "store": 1, "stamp": LANES}
    assert found["store"].memories == {"memory": (36, 1024)}
    assert list(found["stamp"].products.values()) == ["product"]
    # What only wraps a stamp belongs to the top.
    assert found["top"].text.count("attribute \\blackbox 1") == 2


def test_what_is_not_split_is_one_block():
    found = blocks(rtlil(Design(), "design"), "design", ())
    assert {block.name: block.memories for block in found} == {"top": {"store.memory": (36, 1024)}, "stamp": {}}


def test_a_block_stays_the_same_where_another_one_changes():
    texts = [{block.name: block.text for block in blocks(rtlil(Design(extra), "design"), "design")} for extra in (False, True)]
    assert texts[0]["stamp"] == texts[1]["stamp"]
    assert texts[0]["store"] == texts[1]["store"]
    assert texts[0]["top"] != texts[1]["top"]


@pytest.mark.parametrize(
    ("top", "split", "message"),
    [("other", ("",), "has no module other; it has design, "), ("design", ("core",), "has nothing at core; name the path of a submodule")],
)
def test_a_top_or_part_that_is_not_there_is_refused(top, split, message):
    with pytest.raises(ValueError, match=message):
        blocks(rtlil(Design(), "design"), top, split)


def test_counts(measured):
    found, size = measured
    assert found["store"].one["bram"] == 1
    assert found["store"].primitives == {"memory": {"RAMB36E2": 1}}
    assert found["stamp"].one["dsp"] == 1
    assert found["stamp"].multiplications["product"].dsp == 1
    # 32 bits after the product are in its slice, the sum and its parity are not.
    assert set("ABMP") <= set(found["stamp"].multiplications["product"].registers)
    assert found["stamp"].one["ff"] == 33
    assert 32 + 8 <= found["stamp"].one["lut"] <= 32 + 13
    assert size.total["dsp"] == LANES
    for resource in RESOURCES:
        assert size.total[resource] == sum(block.count * block.one[resource] for block in size.blocks)
        assert found["stamp"].one[resource] == pytest.approx(
            sum(register[resource] for register in found["stamp"].registers.values()) + (resource == "dsp")
        )


@pytest.mark.parametrize("name", ["bank1", "fifo.storage"])
@pytest.mark.parametrize("tile", [".0.3", ".12.0", ".0.7.genblk1.genblk1[0].genblk1.slice"])
def test_all_tiles_belong_to_their_memory(name, tile):
    assert memory_name(f"{name}{tile}") == memory_name(name) == name


def test_levels_go_through_blocks(measured):
    found, size = measured
    paths = {path.end: path for path in size.paths}
    # One LUT in the store, one in the top.
    assert paths["top/parity"] == LogicPath(2, "store/word", "top/parity")
    assert found["top"].levels == 2
    assert paths["stamp/parity"].levels in (2, 3)
    assert paths["store/memory"].levels == 0


def test_tables_show_blocks_parts_and_device(measured):
    found, size = measured
    text = table(size, {"name": "K26", **dict.fromkeys(RESOURCES, 1000)})
    assert [line.split()[:2] for line in text.splitlines() if line.startswith(("stamp", "store"))] == [["stamp", "3"], ["store", "1"]]
    assert "one of them" in text
    assert "K26" in text
    assert any(line.split()[0] == "parity" for line in register_table(found["stamp"]).splitlines())


def test_what_has_not_changed_is_not_synthesised_again(measured, cache, monkeypatch):
    monkeypatch.setattr(synthesis.subprocess, "Popen", lambda *_, **__: pytest.fail("Yosys was called"))
    told = []
    parts = blocks(rtlil(Design(), "design"), "design")
    mapped = synthesise(parts, cache, 1, told.append)
    assert [sorted(line.removeprefix("unchanged: ").split(", ")) for line in told] == [["stamp", "store", "top"]]
    assert mapped["stamp"].netlist.resources == measured[0]["stamp"].one


@pytest.fixture
def started(monkeypatch):
    """The processes that were started."""
    processes = []
    popen = synthesis.subprocess.Popen
    monkeypatch.setattr(synthesis.subprocess, "Popen", lambda *a, **b: processes.append(popen(*a, **b)) or processes[-1])
    return processes


class Pair(wiring.Component):
    """Two stamps that are written out each."""

    def __init__(self):
        super().__init__({"left": In(16), "right": In(16), "total": Out(32)})

    def elaborate(self, platform):
        m = Module()
        for name in ("one", "other"):
            m.submodules[name] = stamp = Stamp()
            m.d.comb += [stamp.left.eq(self.left), stamp.right.eq(self.right)]
            m.d.sync += self.total.eq(self.total ^ stamp.total)
        return m


def test_equal_parts_are_synthesised_once(tmp_path, started):
    told = []
    parts = blocks(rtlil(Pair(), "pair"), "pair")
    mapped = synthesise(parts, tmp_path, 1, told.append)
    assert len(started) == 2
    assert any(line.startswith("one, other: ") for line in told)
    alone = synthesise([part for part in parts if part.name == "other"], tmp_path / "other", 1, lambda _: None)
    assert mapped["one"].netlist.resources == mapped["other"].netlist.resources == alone["other"].netlist.resources
    assert mapped["other"].netlist.registers == alone["other"].netlist.registers


def test_a_block_that_yosys_does_not_take_is_named(tmp_path):
    part = blocks(rtlil(Stamp(), "stamp"), "stamp")[0]
    broken = dataclasses.replace(part, text=part.text.replace("cell $mul", "cell $mull"))
    with pytest.raises(SynthesisError, match=r"top: Yosys does not take this block:(.|\n)*mull"):
        synthesise([broken], tmp_path, 1, lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_a_block_that_takes_too_long_is_ended(tmp_path, monkeypatch, started):
    monkeypatch.setattr(synthesis, "LIMIT_S", 0.2)
    with pytest.raises(SynthesisError, match=r"top: Yosys has taken more than 0 s; make the block smaller"):
        synthesise(blocks(rtlil(Stamp(), "stamp"), "stamp"), tmp_path, 1, lambda _: None)
    assert [process.poll() is not None for process in started] == [True]


def test_an_interrupt_ends_what_runs(tmp_path, monkeypatch, started):
    def interrupt(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(synthesis.time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        synthesise(blocks(rtlil(Design(), "design"), "design"), tmp_path, 2, lambda _: None)
    assert [process.poll() is not None for process in started] == [True, True]
    assert list(tmp_path.iterdir()) == []


GOOD = """
module \\top
  wire width 1 input 0 \\a
  wire width 1 input 1 \\b
  wire width 1 output 2 \\y
  cell $and $1
    parameter \\A_SIGNED 0
    parameter \\A_WIDTH 1
    parameter \\B_SIGNED 0
    parameter \\B_WIDTH 1
    parameter \\Y_WIDTH 1
    connect \\A \\a
    connect \\B \\b
    connect \\Y \\y
  end
end
"""
LATCH = """
module \\top
  wire width 1 input 0 \\a
  wire width 1 input 1 \\b
  wire width 1 output 2 \\y
  wire width 1 $2
  process $1
    assign $2 \\y
    switch \\b
      case 1'1
        assign $2 \\a
    end
    sync always
      update \\y $2
  end
end
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (GOOD, None),
        (GOOD.replace("connect \\B \\b", "connect \\B \\y"), "loop"),
        (GOOD.replace("connect \\B \\b", "connect \\B \\c").replace("  cell", "  wire width 1 \\c\n  cell"), "no driver"),
        (GOOD.replace("  cell", "  connect \\y \\b\n  cell"), "drivers"),
        (LATCH, "latch"),
    ],
    ids=["good", "loop", "no driver", "two drivers", "latch"],
)
def test_what_no_design_may_have_is_found(text, found):
    problems = check_whole(text, "top")
    if found is None:
        assert problems == []
    else:
        assert any(found in problem.lower() for problem in problems), problems


def figures(**values):
    return {**dict.fromkeys(RESOURCES, 0.0), **values}


def block(name="lane", count=2, **values):
    fields = {
        "one": figures(lut=100, ff=40, dsp=1, bram=1),
        "parts": {},
        "registers": {},
        "memories": {"table": (36, 1024), "store0": (8, 32)},
        "primitives": {"table": {"RAMB36E2": 1}, "store0": {"RAM32M16": 1}},
        "multiplications": {"product": Multiplication(1, "ABM")},
        "unknown": {},
        "abc9_levels": 3,
        "levels": 4,
    }
    return BlockSize(name=name, count=count, **{**fields, **values})


PLAN = Plan(
    device={"name": "K26"},
    limits={"lut": 200, "dsp": 2, "levels": 4},
    memories={"lane.table": {"RAMB36E2": 1}, "lane.store*": {"RAM32M16": 1}},
    multiplications={"lane.product": Multiplication(1, "M")},
)
PATHS = (LogicPath(4, "lane/a", "lane/b"),)


def test_what_keeps_to_the_plan_has_no_problems():
    assert PLAN.problems(DesignSize((block(),), PATHS)) == []


@pytest.mark.parametrize(
    ("values", "paths", "message"),
    [
        ({"one": figures(lut=100.5, dsp=1)}, PATHS, "all: 201 LUT2-6, the limit is 200; make the largest blocks smaller: lane 201"),
        ({}, (LogicPath(5, "lane/a", "lane/b"),), "lane/b: 5 levels of logic from lane/a, the limit is 4; put a register between"),
        (
            {"primitives": {"store0": {"RAM32M16": 1}}},
            PATHS,
            "lane.table: a memory of 1024 x 36 bits became logic and flip-flops, planned is 1 RAMB36E2; look at its ports",
        ),
        (
            {"primitives": {"table": {"URAM288": 1}, "store0": {"RAM32M16": 1}}},
            PATHS,
            "lane.table: a memory of 1024 x 36 bits became 1 URAM288, planned is 1 RAMB36E2",
        ),
        (
            {"memories": {"table": (36, 1024), "store0": (8, 32), "new": (4, 4)}},
            PATHS,
            "lane.new: a memory of 4 x 4 bits that became logic and flip-flops is not in the plan; add it there",
        ),
        ({"memories": {"store0": (8, 32)}}, PATHS, "lane.table: is in the plan, and the design has no such memory; take it out"),
        ({"memories": {"store0": (8, 32)}}, PATHS, "lane.table: became 1 RAMB36E2, and is no memory of the design"),
        ({"multiplications": {}}, PATHS, "lane.product: planned is 1 DSP with registers M, and no product became one"),
        (
            {"multiplications": {"product": Multiplication(1, "AB")}},
            PATHS,
            "lane.product: became 1 DSP with registers AB, planned is 1 DSP with registers M",
        ),
        ({"multiplications": {"product": Multiplication(2, "ABM")}}, PATHS, "lane.product: became 2 DSP with registers ABM, planned is 1 DSP"),
        (
            {"multiplications": {"product": Multiplication(1, "M"), "other": Multiplication(1, "")}},
            PATHS,
            "lane.other: a multiplication that became 1 DSP with registers none is not in the plan",
        ),
    ],
)
def test_what_does_not_keep_to_the_plan_is_named(values, paths, message):
    problems = PLAN.problems(DesignSize((block(**values),), paths))
    assert any(problem.startswith(message) for problem in problems), problems


def test_latches_and_unknown_cells_are_named():
    size = DesignSize((block(unknown={"LDCE": 2, "$mem_v2": 1}),), ())
    assert sanity(size) == [
        "lane: 1 $mem_v2, cells that the device does not have; write it otherwise",
        "lane: 2 LDCE, latches; give the signal a value in every case",
    ]
    assert sanity(DesignSize((block(),), ())) == []


@pytest.mark.parametrize(("before", "problems", "hints"), [(200, 0, 0), (190.5, 0, 0), (190, 2, 0), (210, 0, 0), (211, 0, 2)])
def test_a_budget_is_five_percent_wide(before, problems, hints):
    size = DesignSize((block(),), ())
    budget = {name: {**size.total, "lut": before} for name in ("lane", "all")}
    found = compare(size, budget)
    assert (len(found[0]), len(found[1])) == (problems, hints)
    if problems:
        assert found[0][0] == "lane: 200 LUT2-6, the budget is 190 (+5.3% of at most +5%); make it smaller, or run with --update and say why"
    if hints:
        assert found[1][0] == "lane: 200 LUT2-6, the budget is 211 (-5.2%); run with --update"


def test_blocks_that_come_and_go_are_named():
    size = DesignSize((block(),), ())
    problems, hints = compare(size, {"gone": {}, "all": size.total})
    assert problems == ["lane: a block that the budget does not know; run with --update"]
    assert hints == ["gone: is in the budget, and the design has no such block; run with --update"]


def test_a_resource_that_was_not_used_has_no_five_percent():
    size = DesignSize((block(),), ())
    problems, _ = compare(size, {"lane": {**size.total, "dsp": 0}, "all": size.total})
    assert problems == ["lane: 2 DSP slices, the budget is 0 (of none); make it smaller, or run with --update and say why"]


def test_a_budget_that_is_written_is_kept(tmp_path):
    size = DesignSize((block(), block("other", 1, one=figures(lut=7.5))), ())
    path = tmp_path / "budget.yaml"
    path.write_text(written_budget("kv260", size))
    assert compare(size, read_budget(path)) == ([], [])


@pytest.mark.parametrize("text", ["", "lane: 3", "lane: {luts: 3}"])
def test_what_is_no_budget_is_refused(tmp_path, text):
    path = tmp_path / "budget.yaml"
    path.write_text(text)
    with pytest.raises(BudgetError, match="this is no budget; write it anew with --update"):
        read_budget(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("limits: {}", "a plan has device, limits, memories, multiplications; this one has limits"),
        ("{device: {name: K26}, limits: {luts: 3}, memories: , multiplications: }", "limits has luts; it may have bram, "),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path, text, message):
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    with pytest.raises(BudgetError, match=message):
        Plan.read(path)


def test_a_configuration_that_is_not_there_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["--config", "none"])
    assert "invalid choice: 'none'" in capsys.readouterr().err


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A folder for plans, budgets and output; what is measured there is the size that it holds."""
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "HERE", tmp_path)
    monkeypatch.setattr(command, "OUT", tmp_path / "out")
    monkeypatch.setattr(command, "config_path", lambda root, config: CONFIGS / f"{config}.yaml")
    monkeypatch.setattr(command, "rtlil", lambda *_: "")
    return tmp_path


def measures(monkeypatch, *blocks, problems=()):
    monkeypatch.setattr(command, "measure", lambda *_, **__: (DesignSize(blocks, PATHS), list(problems)))


def test_a_budget_is_written_and_then_held_to(places, monkeypatch, capsys):
    measures(monkeypatch, block())
    assert main(["--config", "small", "--update"]) == 0
    assert main(["--config", "small"]) == 0
    assert json.loads((places / "out" / "small.json").read_text())["blocks"]["lane"]["one"]["lut"] == 100
    assert "hint: small.plan.yaml is missing" in capsys.readouterr().out
    measures(monkeypatch, block(one=figures(lut=106, ff=40, dsp=1, bram=1)))
    assert main(["--config", "small"]) == 1
    assert "FAILED: lane: 212 LUT2-6, the budget is 200 (+6.0% of at most +5%)" in capsys.readouterr().out


def test_a_plan_without_a_budget_fails(places, monkeypatch, capsys):
    text = "device: {name: K26}\nlimits: {lut: 100}\nmemories: {lane.table: {RAMB36E2: 1}, lane.store0: {RAM32M16: 1}}\n"
    (places / "small.plan.yaml").write_text(text + "multiplications: {lane.product: {dsp: 1, registers: M}}\n")
    measures(monkeypatch, block())
    assert main(["--config", "small"]) == 1
    out = capsys.readouterr().out
    assert "FAILED: small.budget.yaml is missing; run with --update" in out
    # A budget that is written does not make the plan hold.
    assert main(["--config", "small", "--update"]) == 1
    assert "FAILED: all: 200 LUT2-6, the limit is 100" in capsys.readouterr().out


def test_what_is_wrong_with_a_design_fails(places, monkeypatch, capsys):
    measures(monkeypatch, problems=["design: found logic loop"])
    assert main(["--config", "small"]) == 1
    assert "FAILED: design: found logic loop" in capsys.readouterr().out
    assert not (places / "out").exists()


@pytest.mark.parametrize(
    ("option", "budget", "message"),
    [
        ([], "lane: 3", "FAILED: .*small.budget.yaml: this is no budget"),
        (["--block", "lanes"], "", "FAILED: there is no block lanes; there are lane$"),
    ],
)
def test_what_cannot_be_shown_or_compared_fails(places, monkeypatch, capsys, option, budget, message):
    if budget:
        (places / "small.budget.yaml").write_text(budget)
    measures(monkeypatch, block())
    assert main(["--config", "small", *option]) == 1
    assert re.search(message, capsys.readouterr().out, re.MULTILINE)


def test_an_interrupt_leaves_nothing(places, monkeypatch, capsys):
    monkeypatch.setattr(command, "measure", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    assert main(["--config", "small", "--update"]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert list(places.iterdir()) == []


@pytest.mark.slow
def test_the_core_of_the_kv260_keeps_to_its_plan_and_its_budget(capsys):
    assert main(["--config", "kv260"]) == 0, capsys.readouterr().out
    assert (Path(__file__).parents[1] / "out" / "size" / "kv260.json").is_file()
