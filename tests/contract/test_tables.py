"""Constants, tables and random streams against other ways to get the same numbers."""

from __future__ import annotations

import decimal
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.contract import formats, stream, tables

WORDS = st.integers(0, 2**32 - 1)


def rounded_power(numerator: int, denominator: int) -> int:
    with decimal.localcontext() as context:
        context.prec = 50
        power = (-(decimal.Decimal(numerator) / denominator) * decimal.Decimal(2).ln()).exp() * 65536
        return int(power.to_integral_value(decimal.ROUND_HALF_EVEN))


def test_tables_are_the_rounded_powers() -> None:
    assert tuple(rounded_power(k, 64) for k in range(64)) == tables.HI
    assert tuple(rounded_power(k, 4096) for k in range(64)) == tables.LO


def test_products_are_within_one_and_a_half_units() -> None:
    worst = 0.0
    for f in range(4096):
        product = (tables.HI[f >> 6] * tables.LO[f & 63] + 2**15) >> 16
        worst = max(worst, abs(product - 65536 * 2 ** (-f / 4096)))
    assert 0.5 < worst <= 1.5


def test_log2_e_is_the_float_of_the_contract() -> None:
    assert formats.LOG2_E.hex() == math.log2(math.e).hex() == "0x1.71547652b82fep+0"


def test_limits_follow_from_widths() -> None:
    assert formats.coupling_limit(8) == 127
    assert formats.coupling_limit(formats.BIAS_BITS) == formats.FIELD_LIMIT == 131071
    assert formats.BETA_WORD_LIMIT == 67108863
    assert (formats.FIELD_LIMIT * formats.BETA_WORD_LIMIT + 2**8) >> 9 < 2**63
    assert formats.RULES.index("gibbs") == 0


@pytest.mark.parametrize(("seed", "expected"), [(0, 0), (1, 0x514E28B7), (0xFFFFFFFF, 0x81F16F39)])
def test_fmix32_is_murmur3_of_the_empty_string(seed: int, expected: int) -> None:
    assert stream.fmix32(seed) == expected


def unshift(word: int, shift: int) -> int:
    found = word
    for _ in range(32 // shift):
        found = word ^ found >> shift
    return found


def unmix(word: int) -> int:
    for shift, multiplier in zip((16, 13), (0xC2B2AE35, 0x85EBCA6B), strict=True):
        word = unshift(word, shift) * pow(multiplier, -1, 2**32) % 2**32
    return unshift(word, 16)


@given(WORDS)
@settings(deadline=None)
def test_fmix32_is_a_bijection(word: int) -> None:
    assert unmix(stream.fmix32(word)) == word
    assert stream.fmix32(unmix(word)) == word


def rotl(word: int, by: int) -> int:
    return (word << by | word >> 32 - by) % 2**32


def test_xoshiro_constants_give_the_published_outputs() -> None:
    # Test vector of rand_xoshiro's xoshiro128plusplus, which was made with the C code of Blackman and Vigna.
    s = [1, 2, 3, 4]
    outputs = []
    for _ in range(10):
        outputs.append((rotl((s[0] + s[3]) % 2**32, stream.OUTPUT_ROTATION) + s[0]) % 2**32)
        t = s[1] << stream.STATE_SHIFT & 0xFFFFFFFF
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], stream.STATE_ROTATION)
    assert outputs == [641, 1573767, 3222811527, 3517856514, 836907274, 4247214768, 3867114732, 1355841295, 495546011, 621204420]
    assert len(s) == stream.STATE_WORDS


@given(st.integers(0, 2**64 - 1), st.integers(0, formats.READ_LIMIT - 1))
@settings(deadline=None)
def test_initial_states_follow_the_text_of_the_contract(seed: int, read: int) -> None:
    low, high = seed % 2**32, seed >> 32
    keys = [stream.fmix32(stream.fmix32((low + 0x9E3779B9 * (k + 1)) % 2**32) ^ high) for k in range(4)]
    assert stream.seed_keys(seed) == tuple(keys)
    state = stream.initial_state(seed, read)
    assert state == tuple(stream.fmix32((key + 0x9E3779B9 * read) % 2**32) for key in keys)
    assert any(state)
