"""Markdown, C and JSON: the C header as a compiler reads it, digests across processes, drift of every output."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import ebmhw
from ebmhw.contract import __main__ as command
from ebmhw.contract import formats, phi_formats, phi_tables, render, stream, tables
from ebmhw.contract.packets import HEADER, MAGIC, PacketField, PacketLayout, PacketSet, Section
from ebmhw.contract.registers import Field, Register, RegisterMap, counter64
from ebmhw.errors import ContractError

HOST = Path(ebmhw.__file__).parents[1]

NASTY = "ends */ starts /* here, a | bar, \\ and\na new line, ÿ ??/"

MAP = RegisterMap(
    "unit",
    2**32 - 1,
    (
        Register("control", 0x00, (Field("start", 1, "pulse", doc=NASTY), Field("mode", 2, enum={"anneal": 2, "gibbs": 0})), NASTY),
        Register("seed", 0x40, (Field("word", 32, reset=0x9E3779B9),), NASTY),
        Register("limits", 0x44, (Field("low", 7, reset=3), Field("top", 1, "w1c", reset=1, lsb=31))),
        *counter64("cycles", 0x1000, "Clock cycles."),
    ),
    NASTY,
)

PACKETS = PacketSet(
    "unit",
    (
        PacketLayout(
            "job",
            200,
            (PacketField("rows", 13, NASTY), PacketField("level", 20, signed=True), PacketField("seed", 64, NASTY), PacketField("x", 32)),
            (Section("entries", "rows", (PacketField("spin", 13), PacketField("energy", 64, signed=True)), NASTY),),
            doc=NASTY,
        ),
        PacketLayout("reply", 7, (PacketField("status", 8),), version=9),
    ),
    NASTY,
)


def compiled(tmp_path: Path, headers: Mapping[str, str], names: list[str], body: str = "") -> dict[str, int]:
    """Return what the system's C compiler makes of macros, every header included twice."""
    for name, text in headers.items():
        (tmp_path / name).write_text(text, encoding="ascii")
    includes = "".join(f'#include "{name}"\n' for name in headers) * 2
    prints = "".join(f'    printf("{name} %lld\\n", (long long)({name}));\n' for name in names)
    source = tmp_path / "main.c"
    source.write_text(f"#include <stdio.h>\n#include <stdint.h>\n{includes}int main(void) {{\n{prints}{body}    return 0;\n}}\n")
    program = tmp_path / "main"
    # A missing compiler must fail here: the native kernel needs one too.
    subprocess.run(["cc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o", program, source], check=True)
    printed = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    return {name: int(value) for name, value in (line.split() for line in printed.splitlines())}


def macros(header: str) -> list[str]:
    return [name for name in re.findall(r"^#define (\w+) [^\"{\n]*$", header, re.MULTILINE) if not name.endswith("_DIGEST")]


def map_numbers() -> dict[str, int]:
    expected = {"VERSION": MAP.version, "HASH": MAP.hash32, "ADDRESS_BITS": 13, "SIZE": 8192}
    for register in MAP.registers:
        up = register.name.upper()
        expected |= {f"{up}_OFFSET": register.offset, f"{up}_RESET": register.reset}
        for field in register.fields:
            path = f"{up}_{field.name.upper()}"
            expected |= {f"{path}_SHIFT": field.lsb, f"{path}_BITS": field.bits, f"{path}_MASK": field.mask}
            expected |= {f"{path}_{name.upper()}": value for name, value in (field.enum or {}).items()}
    return {f"EBMHW_UNIT_REG_{name}": value for name, value in expected.items()}


def packet_numbers() -> dict[str, int]:
    expected = {"HASH": PACKETS.hash32, "MAGIC": MAGIC, "BEAT_BYTES": 8, "WORD_BYTES": 4, "HEADER_WORDS": 2}
    for layout in PACKETS.layouts:
        up = layout.name.upper()
        expected |= {f"{up}_CODE": layout.code, f"{up}_VERSION": layout.version, f"{up}_FIXED_WORDS": layout.fixed_words}
        found = [(f"{up}_{field.name}", field, layout.bit_offset(field.name)) for field in (*HEADER, *layout.fields)]
        for section in layout.sections:
            expected[f"{up}_{section.name.upper()}_ENTRY_WORDS"] = section.entry_words
            for field in section.fields:
                found.append((f"{up}_{section.name}_{field.name}", field, layout.bit_offset(f"{section.name}.{field.name}")))
        for name, field, offset in found:
            path = name.upper()
            expected |= {f"{path}_WORD": offset // 32, f"{path}_SHIFT": offset % 32, f"{path}_BITS": field.bits}
            if field.bits <= 32:
                expected[f"{path}_MASK"] = (2**field.bits - 1) << offset % 32
    return {f"EBMHW_UNIT_PKT_{name}": value for name, value in expected.items()}


def test_a_c_compiler_sees_the_numbers_of_python(tmp_path: Path) -> None:
    headers = {"unit_reg.h": render.c_header(MAP), "unit_pkt.h": render.c_header(PACKETS)}
    expected = map_numbers() | packet_numbers()
    assert sorted(expected) == sorted(name for text in headers.values() for name in macros(text))
    assert compiled(tmp_path, headers, sorted(expected)) == expected
    assert expected["EBMHW_UNIT_REG_LIMITS_TOP_MASK"] == 0x80000000
    assert f'"{MAP.digest}"' in headers["unit_reg.h"]


def test_a_c_compiler_sees_the_constants_of_python(tmp_path: Path) -> None:
    header = render.contract_c_header()
    body = """
    const uint32_t hi[EBMHW_TABLES_HI_LENGTH] = EBMHW_TABLES_HI, lo[EBMHW_TABLES_LO_LENGTH] = EBMHW_TABLES_LO;
    for (int k = 0; k < EBMHW_TABLES_HI_LENGTH; k++) printf("hi%d %u\\nlo%d %u\\n", k, hi[k], k, lo[k]);
    printf("log2_e %lld\\n", (long long)(EBMHW_FORMATS_LOG2_E * 4503599627370496.0));
"""
    names = [name for name in macros(header) if not name.endswith("LOG2_E")]
    found = compiled(tmp_path, {"contract.h": header}, names, body)
    assert [found[f"hi{k}"] for k in range(64)] == list(tables.HI)
    assert [found[f"lo{k}"] for k in range(64)] == list(tables.LO)
    assert found["log2_e"] == int(formats.LOG2_E * 2**52)
    assert found["EBMHW_STREAM_STEP"] == stream.STEP
    assert found["EBMHW_FORMATS_BETA_WORD_LIMIT"] == formats.BETA_WORD_LIMIT
    assert [found[f"EBMHW_FORMATS_RULES_{rule.upper()}"] for rule in formats.RULES] == [0, 1]
    assert found["EBMHW_CONTRACT_HASH"] == int(render.contract_digest()[:8], 16)


def test_macros_that_meet_are_refused() -> None:
    registers = (Register("a", 0, (Field("b_c", 1),)), Register("a_b", 4, (Field("c", 1),)))
    message = "register map 'm' defines the C macro EBMHW_M_REG_A_B_C_SHIFT twice; rename one of the two things that make it"
    with pytest.raises(ContractError, match=f"^{message}$"):
        render.c_header(RegisterMap("m", 0, registers))


def test_markdown_of_a_map() -> None:
    text = render.markdown(MAP)
    assert f"Version 4294967295, 8192 bytes (13 address bits), hash `{MAP.hash32:#010x}`." in text
    assert "## `0x040` seed" in text
    assert "| 2:1 | `mode` | rw | 0x0 | Values: 0 = `gibbs`, 2 = `anneal`. |" in text
    assert "| 31 | `top` | w1c | 0x1 |  |" in text
    assert "Reading it latches `cycles_high`." in text
    assert "a \\| bar, \\ and a new line, ÿ" in text


def test_markdown_of_packets() -> None:
    text = render.markdown(PACKETS)
    assert "## 200: job" in text
    assert "| 0 | 15:0 | `magic` | unsigned 16 | MAGIC, where a packet begins. |" in text
    assert "| 3 | 19:0 | `level` | signed 20 |  |" in text
    assert "| 4..5 | 31:0 | `seed` | unsigned 64 | ends" in text
    assert "Then `rows` entries of `entries`, 3 words each. ends" in text


@pytest.mark.parametrize("contract", [MAP, PACKETS], ids=["map", "packets"])
def test_json_round_trips(contract: RegisterMap | PacketSet) -> None:
    assert render.from_json(render.to_json(contract)) == contract


def edited(contract: RegisterMap | PacketSet, change: Callable[[Any], object]) -> Callable[[], object]:
    def read() -> object:
        data = json.loads(render.to_json(contract))
        change(data)
        return render.from_json(json.dumps(data))

    return read


REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: render.from_json("{"), "this is no JSON, Expecting property name"),
    (lambda: render.from_json("[]"), "a contract in JSON is an object of kind, digest and definition; pass what to_json() wrote"),
    (edited(MAP, lambda data: data.update(kind="map")), "the kind of this JSON is 'map'; known are register_map, packet_set"),
    (edited(MAP, lambda data: data.update(kind=[])), "the kind of this JSON is []; known are register_map, packet_set"),
    (
        edited(MAP, lambda data: data["definition"].update(version=1)),
        "the register_map 'unit' has digest",
    ),
    (
        edited(MAP, lambda data: data["definition"].pop("version")),
        "a RegisterMap in JSON is an object of name, version, registers, doc, address_bits, not of name, registers, doc, address_bits;",
    ),
    (
        edited(PACKETS, lambda data: data["definition"].update(layouts=[7])),
        "a PacketLayout in JSON is an object of name, code, fields, sections, version, beat_bytes, doc, not of 7; pass what",
    ),
    (
        edited(PACKETS, lambda data: data["definition"].update(layouts={})),
        "layouts of a PacketSet in JSON is {}, not a list; pass what to_json() wrote",
    ),
    (
        edited(MAP, lambda data: data["definition"]["registers"][0].update(offset=1.5)),
        "the offset of register 'control' is 1.5, which is not an integer; give one in 0..4294967292",
    ),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=range(len(REFUSED)))
def test_refusals_name_value_subject_limit_and_remedy(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ContractError, match="^" + re.escape(message)):
        make()


def test_an_edited_definition_is_told_what_to_do() -> None:
    with pytest.raises(ContractError, match=r"it was edited, or written by another version: write it again$"):
        edited(MAP, lambda data: data.update(digest="0"))()


# -- constants --


def test_contract_json_holds_every_constant_and_its_digest() -> None:
    data = json.loads(render.contract_json())
    assert data["sha256"] == render.contract_digest()
    assert list(data["constants"]) == ["formats", "stream", "tables", "phi_formats", "phi_tables"]
    assert data["constants"]["tables"]["HI"] == list(tables.HI)
    assert float.fromhex(data["constants"]["formats"]["LOG2_E"]) == formats.LOG2_E
    assert data["constants"]["stream"]["STEP"] == 0x9E3779B9
    for module in (formats, stream, tables, phi_formats, phi_tables):
        short = module.__name__.rpartition(".")[2]
        assert set(data["constants"][short]) == {name for name in vars(module) if re.fullmatch(r"[A-Z][A-Z0-9_]*", name)}


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (formats, "ODDS_SHIFT", 10),
        (formats, "LOG2_E", 1.4426950408889636),
        (formats, "RULES", ("metropolis", "gibbs")),
        (formats, "NEW", 1),
        (stream, "STEP", 1),
        (tables, "HI", (*tables.HI[:-1], tables.HI[-1] + 1)),
    ],
)
def test_contract_digest_changes_with_any_constant(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, value: object) -> None:
    before = render.contract_digest()
    monkeypatch.setattr(module, name, value, raising=False)
    assert render.contract_digest() != before


@pytest.mark.parametrize("value", [True, None, (1, "a"), (1.0,), "text", ()])
def test_constants_of_other_types_are_refused(monkeypatch: pytest.MonkeyPatch, value: object) -> None:
    monkeypatch.setattr(formats, "ODD_ONE", value, raising=False)
    message = f"formats.ODD_ONE is {value!r}; a constant is an int, a float, or a tuple of ints or of strings: change it, or start"
    with pytest.raises(ContractError, match="^" + re.escape(message)):
        render.contract_json()


def test_constants_beyond_64_bits_have_no_c_literal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "HUGE", 2**64, raising=False)
    message = "the constant 18446744073709551616 does not fit 64 bits, so C has no literal for it; split it"
    with pytest.raises(ContractError, match=f"^{message}$"):
        render.contract_c_header()


def test_c_literals_of_every_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = (-(2**63) + 1, -(2**31) - 1, -(2**31), -1, 0, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1)
    for index, value in enumerate(values):
        monkeypatch.setattr(formats, f"PROBE{index}", value, raising=False)
    names = [f"EBMHW_FORMATS_PROBE{index}" for index in range(len(values))]
    assert tuple(compiled(tmp_path, {"contract.h": render.contract_c_header()}, names).values()) == values


# -- processes and the command --

PROBE = """
import sys
sys.path.insert(0, sys.argv[1])
import test_render as t
from ebmhw.contract import render as r
for contract in (t.MAP, t.PACKETS):
    print(contract.digest, hash(r.markdown(contract)) and r.to_json(contract) + r.c_header(contract) + r.markdown(contract))
print(r.contract_digest(), r.contract_json(), r.contract_markdown(), r.contract_c_header())
"""


def python(*arguments: str, seed: str = "0") -> str:
    environment = os.environ | {"PYTHONPATH": str(HOST), "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)
    return done.stdout.decode()


def test_digests_and_output_are_equal_in_every_process() -> None:
    first, second = (python("-c", PROBE, str(Path(__file__).parent), seed=seed) for seed in ("1", "4242"))
    assert first == second
    assert MAP.digest in first and PACKETS.digest in first and render.contract_digest() in first


def test_digests_are_equal_in_every_release() -> None:
    # If this fails, every bitstream built before is refused: then only a new way of hashing may be the reason.
    assert MAP.digest == "1a088b18d4e77c4587fcffeec14513c742764b325dbe4e34b05330f29c44c7da"
    assert PACKETS.digest == "58f11c2385634910f75fe0f09289210ba0afd904644fc55eb641c68c21d3ab15"


def test_the_contract_needs_the_standard_library_only() -> None:
    loaded = python("-c", "import sys, ebmhw.contract.__main__; print(*sorted({name.partition('.')[0] for name in sys.modules}))").split()
    loaded_here = python("-c", "import sys, ebmhw.contract.__main__; print(*(n for n in sys.modules if n.startswith('ebmhw')))").split()
    assert not {"numpy", "scipy", "dimod"} & set(loaded)
    assert all(name in ("ebmhw", "ebmhw.errors", "ebmhw.lazy", "ebmhw.redaction") or name.startswith("ebmhw.contract") for name in loaded_here)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], render.contract_markdown),
        (["--format", "markdown"], render.contract_markdown),
        (["--format", "c"], render.contract_c_header),
        (["--format", "json"], render.contract_json),
    ],
)
def test_command_prints(arguments: list[str], expected: Callable[[], str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(arguments) == 0
    assert capsys.readouterr().out == expected()


def test_command_runs_as_a_module() -> None:
    assert python("-m", "ebmhw.contract", "--format", "json") == render.contract_json()


def test_command_refuses_another_format(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--format", "pdf"])
    assert "invalid choice: 'pdf'" in capsys.readouterr().err
