"""The design's units: none lies on another, and what is written of each is what its own contract says."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ebmhw.contract import ising_core, phi_unit
from ebmhw.contract.design import ADDRESS_BITS, UNITS, unit
from ebmhw.errors import ContractError


def test_units_share_no_address_and_all_lie_within() -> None:
    for one, other in pairwise(UNITS):
        assert one.offset + one.registers.size <= other.offset
    assert UNITS[0].offset == 0
    assert UNITS[-1].offset + UNITS[-1].registers.size == 1 << ADDRESS_BITS


def test_names_are_told_apart() -> None:
    assert len({about.name for about in UNITS}) == len({about.prefix for about in UNITS}) == len(UNITS) == 2


@pytest.mark.parametrize(("name", "contract", "widths"), [("ising_core", ising_core, (64, 64)), ("phi_unit", phi_unit, (128, 64))])
def test_a_unit_is_what_its_contract_says(name: str, contract: object, widths: tuple[int, int]) -> None:
    about = unit(name)
    assert (about.job_bits, about.result_bits) == widths
    for attribute, constant in (("registers", "REGISTERS"), ("jobs", "JOBS"), ("results", "RESULTS"), ("packet_hash", "PACKET_HASH")):
        assert getattr(about, attribute) is getattr(contract, constant)


def test_units_are_told_apart_by_their_registers() -> None:
    assert len({about.registers.hash32 for about in UNITS}) == len({about.packet_hash for about in UNITS}) == 2
    assert ising_core.IDENTITY != phi_unit.IDENTITY
    assert {about.registers.register("identity").offset for about in UNITS} == {0}


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(ContractError, match="the design has no unit 'fpu'"):
        unit("fpu")
