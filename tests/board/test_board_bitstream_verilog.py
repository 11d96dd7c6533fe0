"""The Verilog of each unit, cut out of the generated file, and the wrapper that Vivado packages."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator

import pytest

from boards.kv260.verilog import Library, check_disjoint, wrapper
from ebmhw import rtl
from ebmhw.contract.design import UNITS
from ebmhw.contract.sources import Port
from ebmhw.errors import BackendUnavailable, FirmwareError


@pytest.fixture(scope="module")
def sources() -> rtl.RtlSources:
    try:
        return rtl.find("kv260")
    except BackendUnavailable as error:
        if os.environ.get("EBMHW_REQUIRE_RTL"):
            raise
        pytest.skip(str(error))


def test_units_of_the_design_share_no_module(sources: rtl.RtlSources) -> None:
    text = sources.verilog.read_text(encoding="utf-8")
    library = Library.of(text)
    parts = {unit.name: library.below(unit.name) for unit in UNITS}
    check_disjoint({name: part.modules for name, part in parts.items()})
    left = set(library.modules) - {module for part in parts.values() for module in part.modules}
    assert left == {"ebmhw", "ebmhw.split", *(f"ebmhw.{unit.name}" for unit in UNITS)}
    for name, part in parts.items():
        cut = part.text()
        assert all(body in text and body in cut for body in part.modules.values())
        assert len(re.findall(r"^module ", cut, re.MULTILINE)) == len(part.modules) == cut.count("\nendmodule")
        # Nothing but modules and the attributes before them was in the file.
        assert Library.of(cut).modules == part.modules and name in part.modules
    assert sum(map(len, library.modules.values())) >= len(re.sub(r"^\n", "", text, flags=re.MULTILINE))


def test_wrapper_has_the_ports_of_the_module(sources: rtl.RtlSources) -> None:
    text = sources.verilog.read_text(encoding="utf-8")
    for unit in UNITS:
        ports = sources.sidecar.units[unit.name].ports
        header = re.search(rf"^module {unit.name}\((.*?)\);", text, re.MULTILINE | re.DOTALL)
        assert header is not None and {port.name for port in ports} == set(re.split(r"[\s,]+", header[1].strip()))
        made = wrapper(unit.name, ports)
        assert len(re.findall(r"^    (?:input|output) ", made, re.MULTILINE)) == len(ports) == len(re.findall(r"^        \.", made, re.MULTILINE))
        assert f"\n    {unit.name} unit (\n" in made and made.startswith(f"module {unit.name}_ip (\n")


def test_wrapper_of_ports() -> None:
    made = wrapper("u", (Port("clk", "input", 1), Port("data", "output", 128)))
    assert made.splitlines() == [
        "module u_ip (",
        "    input  wire clk,",
        "    output wire [127:0] data",
        ");",
        "",
        "    u unit (",
        "        .clk(clk),",
        "        .data(data)",
        "    );",
        "",
        "endmodule",
    ]


@pytest.mark.parametrize("seed", range(30))
def test_closure_is_that_of_the_graph(seed: int) -> None:
    """Random hierarchies, names escaped or not, text between that looks like instances and is none."""
    random.seed(seed)
    names = [random.choice(["m{}", "\\a.b{}$3 ", "\\top.{} "]).format(index) for index in range(random.randint(2, 20))]
    below = {
        index: sorted(random.sample(range(index + 1, len(names)), random.randint(0, min(3, len(names) - index - 1)))) for index in range(len(names))
    }
    bodies = {}
    for index, name in enumerate(names):
        parts = "".join(f"  {names[to]} {random.choice(['#(.W(3)) ', ''])}\\unit{to} (\n    .clk(clk)\n  );\n" for to in below[index])
        attribute = random.choice(["", "(* keep = 1 *)\n", '(* generator = "Amaranth" *)\n(* top =  1  *)\n'])
        process = (
            "  always_ff @(posedge clk) begin\n    casez (x)\n      1: y <= 0;\n    endcase\n    if (x) y <= (m0);\n    else if (y) x <= 1;\n  end\n"
        )
        bodies[name.strip().removeprefix("\\")] = f"{attribute}module {name}(clk);\n  input clk;\n{process}{parts}endmodule\n"
    order = list(bodies)
    random.shuffle(order)
    library = Library.of("\n".join(bodies[name] for name in order))
    assert library.modules == bodies
    start = random.randrange(len(names))
    due, waiting = {start}, [start]
    while waiting:
        for to in below[waiting.pop()]:
            if to not in due:
                due.add(to)
                waiting.append(to)
    plain = list(bodies)
    found = library.below(plain[start])
    assert set(found.modules) == {plain[index] for index in due}
    assert list(found.modules) == [name for name in order if name in found.modules]


def memories(text: str) -> Iterator[tuple[str, str, list[str], bool]]:
    """Yield of each memory with a ram_style: module and name, style, the lines that use it, and whether it has initial values."""
    for module, body in Library.of(text).modules.items():
        for found in re.finditer(r'\(\* ram_style = "(\w+)" \*\)\s+reg \[\d+:0\] (\\?\S+)\s+\[\d+:0\];', body):
            name = re.escape(found[2])
            lines = [line.strip() for line in body[found.end() :].splitlines() if re.search(rf"(?<![\w.$\\]){name}\s*\[", line)]
            values = [line for line in lines if re.fullmatch(rf"{name}\s*\[\d+\] = \d+'h\w+;", line)]
            yield f"{module} {found[2]}", found[1], [line for line in lines if line not in values], bool(values)


def test_memories_are_of_a_form_that_vivado_puts_where_they_are_asked_for(sources: rtl.RtlSources) -> None:
    """UG901: UltraRAM has no initial values; it and block RAM have registered outputs, and a port writes or reads."""
    styles = set()
    for what, style, lines, has_values in memories(sources.verilog.read_text(encoding="utf-8")):
        styles.add(style)
        writes = [line for line in lines if re.match(r"\\?\S+?\s*\[.*?\] <= ", line) and not re.match(r"_\d+_ <= ", line)]
        reads = [line for line in lines if line not in writes]
        if style in {"ultra", "block"}:
            assert reads and all(re.fullmatch(r"_\d+_ <= .*;", line) for line in reads), (what, reads)
            assert len(reads) + len(writes) <= 2, (what, lines)
        assert len(writes) == (0 if has_values else 1), (what, writes)
        assert not (style == "ultra" and has_values), what
    assert styles == {"ultra", "block", "distributed"}


def test_memories_of_another_form_are_seen() -> None:
    text = '(* ram_style = "ultra" *)\n  reg [7:0] \\m$1  [15:0];\n  initial begin\n    \\m$1 [0] = 8\'h01;\n  end\n  assign x = \\m$1 [a];\n'
    [(what, style, lines, has_values)] = memories(f"module t(a);\n  {text}endmodule\n")
    assert (what, style, lines, has_values) == ("t \\m$1", "ultra", ["assign x = \\m$1 [a];"], True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has 0 modules, of which 0 end"),
        ("module a(clk);\n  input clk;\n", "has 1 modules, of which 0 end: it was cut"),
        ("module a(clk);\nendmodule\nmodule b(clk);\n", "has 2 modules, of which 1 end: it was cut"),
        ("module a(clk);\nendmodule\nmodule \\a (clk);\nendmodule\n", "defines module a twice"),
    ],
)
def test_text_that_is_cut_is_refused(text: str, told: str) -> None:
    with pytest.raises(FirmwareError, match=told):
        Library.of(text)


def test_missing_modules_are_told() -> None:
    library = Library.of("module a(clk);\n  b \\one (\n  );\nendmodule\n")
    with pytest.raises(FirmwareError, match="module a instantiates b, which is in none of the files"):
        library.below("a")
    assert set(library.below("a", known=["b"]).modules) == {"a"}
    with pytest.raises(FirmwareError, match="has no module c; it has a"):
        library.below("c")


def test_module_in_two_parts_is_told() -> None:
    with pytest.raises(FirmwareError, match="module x would be defined both in one and in two"):
        check_disjoint({"one": ["x", "y"], "two": ["z", "x"]})


def test_cut_of_a_file_is_never_taken_for_a_whole_one() -> None:
    text = "".join(f"module m{index}(clk);\n  input clk;\nendmodule\n" for index in range(5))
    taken = 0
    for length in range(len(text)):
        try:
            found = Library.of(text[:length])
        except FirmwareError:
            continue
        taken += 1
        assert text[:length].rstrip().endswith("endmodule")
        assert all(body in text for body in found.modules.values())
    assert taken == 9  # with and without the last end of line
    assert Library.of(text + "// the end\n`resetall\n").modules == Library.of(text).modules
