"""Register maps: placing, packing, digests, JSON, and the text of every refusal."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ebmhw.contract import render
from ebmhw.contract.checks import RESERVED_WORDS
from ebmhw.contract.registers import ACCESSES, NEXT, Field, Register, RegisterMap, counter64
from ebmhw.errors import ContractError

# Time limits would make a loaded machine fail tests that are right.
RANDOM = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,4}(_[a-z0-9]{1,3}){0,2}", fullmatch=True).filter(lambda name: name not in RESERVED_WORDS)


@st.composite
def fields(draw: st.DrawFn, name: str, bits: int, lsb: int) -> Field:
    access = draw(st.sampled_from(ACCESSES))
    top = 2**bits - 1
    reset = 0 if access == "pulse" else draw(st.integers(0, top))
    enum = None
    if access != "w1c" and draw(st.booleans()):
        values = draw(st.sets(st.integers(0, top), max_size=3)) | {0, reset}
        names = draw(st.lists(NAMES, min_size=len(values), max_size=len(values), unique=True))
        enum = dict(zip(names, sorted(values), strict=True))
    return Field(name, bits, access, reset, draw(st.text(max_size=8)), enum, lsb)  # type: ignore[arg-type]


@st.composite
def register_maps(draw: st.DrawFn) -> RegisterMap:
    registers = []
    offsets = draw(st.lists(st.integers(0, 255), min_size=1, max_size=4, unique=True))
    names = draw(st.lists(NAMES, min_size=len(offsets), max_size=len(offsets), unique=True))
    for name, offset in zip(names, offsets, strict=True):
        # Cuts of the word: every second run may be left without a field.
        cuts = sorted(draw(st.sets(st.integers(1, 31), max_size=4)) | {0, 32})
        runs = list(pairwise(cuts))
        runs = [run for run in runs if draw(st.booleans())] or runs[:1]
        inner = draw(st.lists(NAMES, min_size=len(runs), max_size=len(runs), unique=True))
        made = [draw(fields(part, high - low, low)) for part, (low, high) in zip(inner, runs, strict=True)]
        registers.append(Register(name, 4 * offset, tuple(draw(st.permutations(made))), draw(st.text(max_size=8))))
    return RegisterMap(draw(NAMES), draw(st.integers(0, 2**32 - 1)), tuple(registers), draw(st.text(max_size=8)))


def allowed(field: Field) -> st.SearchStrategy[int]:
    return st.sampled_from(sorted(field.enum.values())) if field.enum else st.integers(0, 2**field.bits - 1)


def example() -> RegisterMap:
    control = Register(
        "control",
        0x00,
        (
            Field("start", 1, "pulse", doc="Starts."),
            Field("rule", 2, enum={"metropolis": 1, "gibbs": 0}, doc="Update rule."),
            Field("lanes", 7, reset=64, lsb=16),
        ),
        doc="What to do.",
    )
    status = Register("status", 0x08, (Field("fault", 4, "w1c", reset=1), Field("busy", 1, "ro")))
    return RegisterMap("unit", 3, (status, control, *counter64("cycles", 0x10, "Clock cycles.")), doc="A unit.")


# -- what works --


@given(register_maps(), st.data())
@RANDOM
def test_words_round_trip(contract: RegisterMap, data: st.DataObject) -> None:
    for register in contract.registers:
        values = {field.name: data.draw(allowed(field)) for field in register.fields}
        word = register.pack(**values)
        assert register.unpack(word) == values
        assert word == sum(value << register.field(name).lsb for name, value in values.items())
        assert register.unpack(register.reset) == {field.name: field.reset for field in register.fields}
        for field in register.fields:
            for name, value in (field.enum or {}).items():
                assert register.pack(**{field.name: name}) == register.pack(**{field.name: value})


@given(register_maps())
@RANDOM
def test_maps_round_trip_through_json_pickle_and_copies(contract: RegisterMap) -> None:
    source = render.to_json(contract)
    again = render.from_json(source)
    assert again == contract and hash(again) == hash(contract)
    assert render.to_json(again) == source
    assert pickle.loads(pickle.dumps(contract)) == contract == copy.deepcopy(contract)
    assert render.markdown(contract).startswith(f"# {contract.name}\n")


@given(register_maps())
@RANDOM
def test_size_is_the_smallest_power_of_two(contract: RegisterMap) -> None:
    end = contract.registers[-1].offset + 4
    assert contract.size >= end > contract.size // 2
    assert [register.offset for register in contract.registers] == sorted(register.offset for register in contract.registers)


def test_fields_follow_one_another_and_keep_explicit_places() -> None:
    control = example().register("control")
    assert [(field.name, field.lsb, field.mask) for field in control.fields] == [
        ("start", 0, 0x1),
        ("rule", 1, 0x6),
        ("lanes", 16, 0x7F0000),
    ]
    assert control.mask == 0x7F0007
    after = Register("after", 0, (Field("high", 4, lsb=20), Field("above", 2), Field("low", 1, lsb=0)))
    assert [(field.name, field.lsb) for field in after.fields] == [("low", 0), ("high", 20), ("above", 24)]


def test_pack_gives_resets_but_clears_nothing() -> None:
    contract = example()
    assert contract.register("control").pack(rule="metropolis", start=True) == 0x400003
    assert contract.register("status").pack() == 0
    assert contract.register("status").reset == 1


def test_names_of_arguments_do_not_meet_those_of_methods() -> None:
    assert Register("a", 0, (Field("word", 4), Field("self", 4))).pack(word=1, self=2) == 0x21


def test_counter64_latches() -> None:
    low, high = counter64("cycles", 0x20, "Clock cycles.")
    assert (low.name, low.offset, low.latches) == ("cycles_low", 0x20, "cycles_high")
    assert (high.name, high.offset, high.latches) == ("cycles_high", 0x24, "")
    assert low.doc == high.doc == "Clock cycles. Read cycles_low before cycles_high: reading it latches the high word."
    assert [field.access for field in (*low.fields, *high.fields)] == ["ro", "ro"]


def test_address_bits_may_leave_room() -> None:
    register = Register("a", 0, (Field("b", 1),))
    assert RegisterMap("m", 0, (register,)).address_bits == 2
    assert RegisterMap("m", 0, (register,), address_bits=12).size == 4096
    assert RegisterMap("m", 0, (Register("a", 2**32 - 4, (Field("b", 1),)),)).address_bits == 32


# -- digests --


def without_docs(contract: RegisterMap) -> RegisterMap:
    bare = tuple(
        dataclasses.replace(register, doc="other", fields=tuple(dataclasses.replace(field, doc="other") for field in register.fields))
        for register in contract.registers
    )
    return dataclasses.replace(contract, doc="other", registers=bare)


@given(register_maps(), st.randoms(use_true_random=False))
@RANDOM
def test_digest_ignores_docs_and_order(contract: RegisterMap, random: Any) -> None:
    assert without_docs(contract).digest == contract.digest
    shuffled = list(contract.registers)
    random.shuffle(shuffled)
    again = dataclasses.replace(contract, registers=tuple(shuffled))
    assert again == contract and again.digest == contract.digest
    assert contract.hash32 == int(contract.digest, 16) >> 224


def with_register(contract: RegisterMap, name: str, /, **changes: Any) -> RegisterMap:
    registers = (dataclasses.replace(one, **changes) if one.name == name else one for one in contract.registers)
    return dataclasses.replace(contract, registers=tuple(registers))


def with_field(contract: RegisterMap, name: str, inner: str, /, **changes: Any) -> RegisterMap:
    register = contract.register(name)
    made = (dataclasses.replace(one, **changes) if one.name == inner else one for one in register.fields)
    return with_register(contract, name, fields=tuple(made))


CHANGES: list[Callable[[RegisterMap], RegisterMap]] = [
    lambda m: dataclasses.replace(m, name="other"),
    lambda m: dataclasses.replace(m, version=4),
    lambda m: dataclasses.replace(m, address_bits=12),
    lambda m: dataclasses.replace(m, registers=m.registers[1:]),
    lambda m: with_register(m, "status", name="state"),
    lambda m: with_register(m, "status", offset=0x0C),
    lambda m: with_register(m, "cycles_low", latches=""),
    lambda m: with_field(m, "status", "busy", name="running"),
    lambda m: with_field(m, "status", "busy", bits=2),
    lambda m: with_field(m, "status", "busy", lsb=9),
    lambda m: with_field(m, "status", "busy", access="rw"),
    lambda m: with_field(m, "status", "busy", reset=1),
    lambda m: with_field(m, "control", "rule", enum=None),
    lambda m: with_field(m, "control", "rule", enum={"gibbs": 0, "metropolis": 2}),
    lambda m: with_field(m, "control", "rule", enum={"gibbs": 0, "anneal": 1}),
]


def test_digest_changes_with_everything_that_carries_meaning() -> None:
    digests = [example().digest, *(change(example()).digest for change in CHANGES)]
    assert len(set(digests)) == len(CHANGES) + 1


# -- refusals: value, subject, limit, remedy --

A = Field("a", 1)


def make_map(*registers: Register, **more: Any) -> RegisterMap:
    return RegisterMap("m", 0, registers, **more)


REFUSED: list[tuple[Callable[[], object], str]] = [
    (
        lambda: Field("Ab", 1),
        "'Ab' cannot name a field: names are lower_snake, letters a-z, digits and single underscores, starting with a letter; "
        "rename it (try 'row_count')",
    ),
    (lambda: Field("a__b", 1), "'a__b' cannot name a field: names are lower_snake"),
    (lambda: Field("a_", 1), "'a_' cannot name a field: names are lower_snake"),
    (lambda: Field("a\n", 1), "'a\\n' cannot name a field: names are lower_snake"),
    (lambda: Field("2a", 1), "'2a' cannot name a field: names are lower_snake"),
    (lambda: Field(7, 1), "7 cannot name a field: names are lower_snake"),  # type: ignore[arg-type]
    (
        lambda: Field("reg", 1),
        "'reg' cannot name a field: it is a reserved word of C, C++, Verilog or Python; rename it (try 'reg_value')",
    ),
    (lambda: Register("union", 0, (A,)), "'union' cannot name a register: it is a reserved word"),
    (lambda: RegisterMap("table", 0, ()), "'table' cannot name a register map: it is a reserved word"),
    (lambda: Field("f", 0), "the width of field 'f' is 0, outside 1..32; split it over two registers"),
    (lambda: Field("f", 33), "the width of field 'f' is 33, outside 1..32; split it over two registers"),
    (lambda: Field("f", 2.0), "the width of field 'f' is 2.0, which is not an integer; give one in 1..32"),  # type: ignore[arg-type]
    (lambda: Field("f", 1, "r"), "the access of field 'f' is 'r'; use one of ro, rw, w1c, wo, pulse"),  # type: ignore[arg-type]
    (
        lambda: Field("f", 2, reset=4),
        "the reset of field 'f' is 4, outside 0..3; widen the field (it has 2 bits) or lower the value",
    ),
    (lambda: Field("f", 2, reset=-1), "the reset of field 'f' is -1, outside 0..3"),
    (
        lambda: Field("f", 2, "pulse", reset=1),
        "the reset of field 'f' is 1, but a pulse rests at 0; set it to 0 or use access 'rw'",
    ),
    (lambda: Field("f", 2, lsb=32), "the lsb of field 'f' is 32, outside -1..31; give a bit of the word, or NEXT"),
    (lambda: Field("f", 2, doc=3), "the doc of field 'f' is 3, which is not a string; give a text or leave it out"),  # type: ignore[arg-type]
    (lambda: Field("f", 2, enum={}), "the enum of field 'f' is {}; give a mapping of names to values, or None"),
    (lambda: Field("f", 2, enum=[1]), "the enum of field 'f' is [1]; give a mapping"),  # type: ignore[arg-type]
    (lambda: Field("f", 2, "w1c", enum={"x": 0}), "field 'f' is w1c and has an enum, but its bits are independent; drop the enum"),
    (
        lambda: Field("f", 2, enum={"x": 0, "y": 4}),
        "enumerator 'y' of field 'f' is 4, outside 0..3; widen the field (it has 2 bits) or lower the value",
    ),
    (lambda: Field("f", 2, enum={"x": 0, "wire": 1}), "'wire' cannot name a value of field 'f': it is a reserved word"),
    (lambda: Field("f", 2, enum={"x": 0, "y": 0}), "enumerators 'x' and 'y' of field 'f' are both 0; values are unique"),
    (lambda: Field("f", 2, enum={"x": 1}), "field 'f' reads as 0 after reset, a value without a name in its enum; add one"),
    (lambda: Field("f", 2, "wo", 1, enum={"x": 1}), "field 'f' reads as 0 after reset, a value without a name in its enum; add one"),
    (lambda: Field("f", 2).mask, "field 'f' has no lsb yet; take it from its register: register.field('f')"),
    (lambda: Register("r", 6, (A,)), "the offset of register 'r' is 0x6, not a multiple of 4; use 0x8"),
    (lambda: Register("r", -4, (A,)), "the offset of register 'r' is -4, outside 0..4294967292; give a byte offset"),
    (lambda: Register("r", 0, ()), "register 'r' has no fields; give it at least one, or leave the register out"),
    (lambda: Register("r", 0, A), "register 'r' was given Field("),  # type: ignore[arg-type]
    (lambda: Register("r", 0, ("a",)), "register 'r' holds 'a', which is not a Field; make it one"),  # type: ignore[arg-type]
    (lambda: Register("r", 0, (A, A)), "register 'r' has two fields named 'a'; names are unique, rename one of them"),
    (
        lambda: Register("r", 0, (Field("a", 20), Field("b", 13))),
        "field 'b' of register 'r' takes bits 20..32, a register has bits 0..31; move it to another register",
    ),
    (
        lambda: Register("r", 0, (Field("a", 4, lsb=8), Field("b", 10, lsb=0))),
        "fields 'b' and 'a' of register 'r' overlap at bit 8; move 'a' to bit 10 or above",
    ),
    (lambda: Register("r", 0, (A,), latches="R"), "'R' cannot name a register latched by register 'r': names are lower_snake"),
    (lambda: make_map(), "register map 'm' has no registers; give it at least one"),
    (lambda: RegisterMap("m", -1, ()), "the version of register map 'm' is -1, outside 0..4294967295; count versions from 0"),
    (
        lambda: make_map(Register("r", 0, (A,)), Register("r", 4, (A,))),
        "register map 'm' has two registers named 'r'; names are unique, rename one of them",
    ),
    (
        lambda: make_map(Register("r", 4, (A,)), Register("s", 4, (A,))),
        "registers 'r' and 's' of register map 'm' are both at offset 0x4; move one of them",
    ),
    (
        lambda: make_map(Register("r", 16, (A,)), address_bits=4),
        "register 'r' at offset 0x10 is outside register map 'm', which spans 0x10 bytes; set address_bits to 5 or more",
    ),
    (lambda: make_map(Register("r", 0, (A,)), address_bits=33), "address_bits of register map 'm' is 33, outside -1..32; AXI4-Lite"),
    (
        lambda: make_map(Register("r", 0, (A,), latches="s")),
        "register map 'm' has no register for 'r' to latch, named 's'; it has r",
    ),
    (
        lambda: make_map(Register("r", 0, (A,), latches="s"), Register("s", 4, (A,))),
        "register 'r' of register map 'm' latches 's', which must be another register with read-only fields; latch such a one",
    ),
    (
        lambda: make_map(Register("q", 8, (A,), latches="r"), counter64("c", 0)[0], Register("r", 4, (Field("a", 1, "ro"),))),
        "register map 'm' has no register for 'c_low' to latch, named 'c_high'; it has c_low, r, q",
    ),
    (
        lambda: make_map(*counter64("c", 0), Register("r", 8, (A,), latches="c_high")),
        "registers 'c_low' and 'r' of register map 'm' both latch 'c_high'; let one do so",
    ),
    (lambda: example().register("x"), "register map 'unit' has no register 'x'; it has control, status, cycles_low, cycles_high"),
    (lambda: example().register("status").field("x"), "register 'status' has no field 'x'; it has fault, busy"),
    (lambda: example().register("status").pack(x=1), "register 'status' has no field 'x'; it has fault, busy"),
    (lambda: example().register("status").pack(busy=2), "field 'busy' of register 'status' is 2, outside 0..1; it has 1 bits"),
    (lambda: example().register("status").pack(busy=0.5), "field 'busy' of register 'status' is 0.5, which is not an integer"),  # type: ignore[arg-type]
    (
        lambda: example().register("status").pack(busy="on"),
        "field 'busy' of register 'status' has no value named 'on'; it has no names; give a number",
    ),
    (
        lambda: example().register("control").pack(rule="heat"),
        "field 'rule' of register 'control' has no value named 'heat'; use gibbs (0), metropolis (1)",
    ),
    (lambda: example().register("control").pack(rule=3), "field 'rule' of register 'control' has no value 3; use gibbs (0), metrop"),
    (lambda: example().register("control").unpack(6), "field 'rule' of register 'control' has no value 3; use gibbs (0), metropolis (1)"),
    (lambda: example().register("control").unpack(2**32), "the word of register 'control' is 4294967296, outside 0..4294967295; give the"),
    (
        lambda: example().register("control").unpack(0xFFFFFFFF),
        "the word 0xffffffff of register 'control' has bits 0xff80fff8 set that no field owns; check the base address and the map's hash",
    ),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=range(len(REFUSED)))
def test_refusals_name_value_subject_limit_and_remedy(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ContractError, match="^" + re.escape(message)):
        make()


@given(st.text(max_size=6))
@RANDOM
def test_names_are_valid_identifiers_or_refused(name: str) -> None:
    assume(name not in RESERVED_WORDS)
    if re.fullmatch(r"(?a:[a-z][a-z0-9]*(_[a-z0-9]+)*)", name):
        assert Field(name, 1).lsb == NEXT
    else:
        with pytest.raises(ContractError, match="lower_snake"):
            Field(name, 1)


def test_maps_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        example().version = 4  # type: ignore[misc]
