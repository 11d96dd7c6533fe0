"""Signatures of encoded trees: HMAC-SHA256 over the bytes of `EMLTree.to_bytes`, keyed with a secret that both sides hold.

A signature shows that the bytes are those that a holder of the secret signed, not what they are good for, nor when they were signed.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from ebmhw.coherence.eml.faults import decode_error, domain_error, signature_mismatch, told
from ebmhw.coherence.eml.tree import EMLTree
from ebmhw.errors import EmlError

SIG_LEN = 32
"""Bytes of a signature."""

MIN_SECRET_LEN = 16
"""Bytes of a secret, at least."""


def sign_tree_software(tree_bytes: bytes, user_secret: bytes) -> bytes:
    """Return the signature, 32 bytes, of an encoded tree.

    Raises
    ------
    EmlError
        eml.domain_error where the secret is no bytes or has fewer than 16, eml.decode_error where ``tree_bytes`` are no bytes.
    """
    if not isinstance(user_secret, (bytes, bytearray, memoryview)):
        raise domain_error(f"a secret is a {type(user_secret).__name__}; give {MIN_SECRET_LEN} bytes or more")
    key = bytes(user_secret)
    if len(key) < MIN_SECRET_LEN:
        raise domain_error(f"a secret has {len(key)} bytes; give {MIN_SECRET_LEN} or more", length=len(key), minimum=MIN_SECRET_LEN)
    if not isinstance(tree_bytes, (bytes, bytearray, memoryview)):
        raise decode_error(f"an encoded tree is {told(tree_bytes)}; give bytes")
    return hmac.new(key, bytes(tree_bytes), hashlib.sha256).digest()


def verify_software_signature(tree_bytes: bytes, sig: Any, user_secret: bytes) -> bool:
    """Tell whether `sign_tree_software` gave this signature, compared in constant time; False also where one of them cannot be one."""
    if not isinstance(sig, (bytes, bytearray, memoryview)) or len(bytes(sig)) != SIG_LEN:
        return False
    try:
        expected = sign_tree_software(tree_bytes, user_secret)
    except EmlError:
        return False
    return hmac.compare_digest(expected, bytes(sig))


def verified_tree(tree_bytes: bytes, sig: Any, user_secret: bytes) -> EMLTree:
    """Return the tree of bytes that carry this signature; they are decoded only after it was checked.

    Raises
    ------
    EmlError
        eml.signature_mismatch where they do not, eml.domain_error where the secret is none, eml.decode_error where they are no tree.
    """
    sign_tree_software(tree_bytes, user_secret)
    if not verify_software_signature(tree_bytes, sig, user_secret):
        raise signature_mismatch(
            "the signature of an encoded tree is not that of its bytes under this secret; they changed, or another secret signed"
        )
    return EMLTree.from_bytes(tree_bytes)
