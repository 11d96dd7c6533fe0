"""Trees as bytes and their signatures: round trips, and bytes that are none."""

from __future__ import annotations

import hashlib
import hmac
import struct
import time
from typing import Any

import pytest
from eml_cases import PEERS, trees
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmhw.coherence.eml import MIN_SECRET_LEN, SIG_LEN, EMLTree, sign_tree_software, verified_tree, verify_software_signature
from ebmhw.errors import EmlError

HEAD = b"EML\x01"
ONE = b"\x01" + struct.pack("<d", 1.0)
X0 = b"\x02\x00\x00"
SECRET = b"sixteen bytes ok"


@given(trees())
def test_bytes_give_the_tree_again(tree: EMLTree) -> None:
    data = tree.to_bytes()
    assert EMLTree.from_bytes(data) == tree and len(data) <= 165
    assert EMLTree.from_bytes(bytearray(data)) == tree == EMLTree.from_bytes(memoryview(data))


@settings(max_examples=150)
@given(trees(), st.data())
def test_changed_bytes_are_a_tree_or_refused(tree: EMLTree, data: st.DataObject) -> None:
    raw = bytearray(tree.to_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        kind = data.draw(st.integers(0, 2))
        if kind == 0:
            raw[at] = data.draw(st.integers(0, 255))
        elif kind == 1 and len(raw) > 1:
            del raw[at]
        else:
            raw.insert(at, data.draw(st.sampled_from([0, 1, 2, 3, 255])))
    try:
        found = EMLTree.from_bytes(bytes(raw))
    except EmlError as error:
        assert error.code in {"eml.decode_error", "eml.depth_exceeded"}
    else:
        assert found.to_bytes() == bytes(raw) and found.depth() <= 4


@settings(max_examples=300)
@given(st.lists(st.sampled_from([ONE, X0, b"\x03"]), max_size=40), st.integers(0, 2))
def test_any_order_of_nodes_is_a_tree_or_refused(nodes: list[bytes], inputs: int) -> None:
    raw = HEAD + struct.pack("<H", inputs) + b"".join(nodes)
    height, depths = 0, []  # an independent parse: depths of subtrees only
    wrong = inputs == 0 and X0 in nodes
    for entry in nodes:
        if entry == b"\x03":
            wrong = wrong or len(depths) < 2
            if not wrong:
                depths.append(1 + max(depths.pop(), depths.pop()))
                height = max(height, depths[-1])
        else:
            depths.append(0)
    good = not wrong and len(depths) == 1 and height <= 4
    try:
        tree = EMLTree.from_bytes(raw)
    except EmlError:
        assert not good
    else:
        assert good and tree.depth() == depths[0] and tree.nodes() == len(nodes)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", "cut off"),
        (HEAD + b"\x01", "cut off"),
        (b"EML\x02\x01\x00" + X0, "begins with 45 4d 4c 02"),
        (HEAD + b"\x01\x00", "0 roots"),
        (HEAD + b"\x01\x00" + X0 + X0, "2 roots"),
        (HEAD + b"\x01\x00" + X0 + b"\x00", "byte 9 .* 0x0"),
        (HEAD + b"\x01\x00" + b"\x02\x00", "cut off within the node at byte 6"),
        (HEAD + b"\x01\x00" + ONE[:-1], "cut off within"),
        (HEAD + b"\x01\x00" + X0 + b"\x03", "has 1 subtrees"),
        (HEAD + b"\x01\x00" + b"\x02\x01\x00", "reads input 1"),
        (HEAD + b"\x00\x00" + b"\x01" + struct.pack("<d", float("nan")), "finite"),
        (HEAD + b"\x00\x00" + b"\x01" + struct.pack("<d", float("-inf")), "finite"),
        ("EML", "give bytes"),
        (None, "give bytes"),
        (7, "give bytes"),
    ],
)
def test_bytes_that_are_no_tree_are_named(raw: Any, text: str) -> None:
    with pytest.raises(EmlError, match=text) as caught:
        EMLTree.from_bytes(raw)
    assert caught.value.code == "eml.decode_error"


def test_deep_and_endless_bytes_end_early() -> None:
    left = X0 + (ONE + b"\x03") * 5
    right = ONE * 6 + b"\x03" * 5
    endless = ONE + (ONE + b"\x03") * 2_000_000
    begun = time.perf_counter()
    for nodes in (left, right, endless, ONE * 2_000_000):
        with pytest.raises(EmlError) as caught:
            EMLTree.from_bytes(HEAD + b"\x01\x00" + nodes)
        assert caught.value.code == "eml.depth_exceeded"
    assert time.perf_counter() - begun < 2


# --- signatures


@given(st.binary(max_size=200), st.binary(min_size=MIN_SECRET_LEN, max_size=80))
def test_signature_is_hmac_sha256(data: bytes, secret: bytes) -> None:
    sig = sign_tree_software(data, secret)
    assert sig == hmac.new(secret, data, hashlib.sha256).digest() and len(sig) == SIG_LEN
    assert verify_software_signature(data, sig, secret)


def test_signature_of_carl_core() -> None:
    data = bytes.fromhex(PEERS[3][0])
    sig = sign_tree_software(data, SECRET)
    assert sig.hex() == "f1fe073e24be476189eb8e793bcbe0d4fa587866e660c4e737f8eb4595a7df37"
    assert verified_tree(data, sig, SECRET) == EMLTree.ln_single()
    peer = pytest.importorskip("carl_core.signing")
    assert peer.verify_software_signature(data, sig, SECRET)


@given(trees(), st.data())
def test_a_changed_bit_is_found(tree: EMLTree, data: st.DataObject) -> None:
    raw = tree.to_bytes()
    sig = sign_tree_software(raw, SECRET)
    parts = [bytearray(raw), bytearray(sig), bytearray(SECRET)]
    part = data.draw(st.sampled_from(parts))
    at = data.draw(st.integers(0, len(part) * 8 - 1))
    part[at // 8] ^= 1 << at % 8
    assert not verify_software_signature(*map(bytes, parts))
    with pytest.raises(EmlError, match="signature") as caught:
        verified_tree(*map(bytes, parts))
    assert caught.value.code == "eml.signature_mismatch"


def test_what_cannot_be_a_signature_or_a_secret() -> None:
    raw = EMLTree.zero().to_bytes()
    sig = sign_tree_software(raw, SECRET)
    for wrong in (b"", sig[:-1], sig + b"\0", sig.hex(), None, 5):
        assert not verify_software_signature(raw, wrong, SECRET)
        with pytest.raises(EmlError) as caught:
            verified_tree(raw, wrong, SECRET)
        assert caught.value.code == "eml.signature_mismatch"
    for secret in (b"", SECRET[:-1], "a text of many letters", None):
        assert not verify_software_signature(raw, sig, secret)  # type: ignore[arg-type]
        for use in (lambda s: sign_tree_software(raw, s), lambda s: verified_tree(raw, sig, s)):
            with pytest.raises(EmlError, match="16") as caught:
                use(secret)
            assert caught.value.code == "eml.domain_error" and (not secret or str(secret) not in str(caught.value))
    with pytest.raises(EmlError, match="give bytes"):
        sign_tree_software("text", SECRET)  # type: ignore[arg-type]
    broken = raw + b"\x00"
    with pytest.raises(EmlError) as caught:
        verified_tree(broken, sign_tree_software(broken, SECRET), SECRET)
    assert caught.value.code == "eml.decode_error"
