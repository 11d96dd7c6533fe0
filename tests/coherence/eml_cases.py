"""Random expressions, and some that carl-core 0.2.0 encoded."""

from __future__ import annotations

from hypothesis import strategies as st

from ebmhw.coherence.eml import EMLNode, EMLOp, EMLTree

Made = EMLNode | float | int


def node(left: Made, right: Made) -> EMLNode:
    """Return eml of two nodes, constants (floats) or inputs (their indices)."""

    def made(part: Made) -> EMLNode:
        if isinstance(part, EMLNode):
            return part
        return EMLNode(EMLOp.VAR_X, var_idx=part) if isinstance(part, int) else EMLNode(EMLOp.CONST, const=part)

    return EMLNode(EMLOp.EML, left=made(left), right=made(right))


FINITE = st.floats(allow_nan=False, allow_infinity=False)


def trees(inputs: int = 3, depth: int = 4, leaves: st.SearchStrategy[float] = FINITE) -> st.SearchStrategy[EMLTree]:
    """Return a strategy of trees of this depth at most, with 3 inputs."""
    made = st.one_of(
        leaves.map(lambda value: EMLNode(EMLOp.CONST, const=value)), st.integers(0, inputs - 1).map(lambda i: EMLNode(EMLOp.VAR_X, var_idx=i))
    )
    for _ in range(depth):
        made = st.one_of(made, st.builds(node, made, made))
    return made.map(lambda root: EMLTree(root, inputs))


PEERS = [
    ("454d4c010200020000", 0.25, "0d22ad9e1d5dc61f9fee3ced0c158f27e8d63111cded6e158b33c2ede2470e86"),
    (
        "454d4c01030001000000000000f03f01000000000000f03f0200000301000000000000f03f030301000000000000f03f03",
        0.25000000000000006,
        "0313cdab403fcc40b392d37b9ec2d1548cb53f4722a82c062dbcabee4b2d73db",
    ),
    ("454d4c01010002000001000000000000f03f03", 1.2840254166877414, "f4a6dd25faa2d4ed482194d5b718e96785159faf5777bd00fb20f001ee86c2b6"),
    (
        "454d4c01010001000000000000f03f01000000000000f03f0200000301000000000000f03f0303",
        -1.3862943611198904,
        "4233387c71ee17b6adeae6b94ec6f7be0f09dd6c2e2bbc853045a7e9b9901032",
    ),
    (
        "454d4c01010001000000000000f03f01000000000000f03f01000000000000f03f0301000000000000f03f0303",
        0.0,
        "7663682879a16a4a4bad8ff5430d44700516499657810c6fda667de2b9e444c9",
    ),
    (
        "454d4c01030002000002020003020000014de969ff5d63f03f030301cb64f5e02e26ea3f020000030148854efebc04004001c0b803201593a93f03030302010002000001f03fb5705565e5bf0303020200011e469adf016bf03f030147e3ef1362f5fb3f0178ad2cf39fe4004003030303",
        213.6491511652011,
        "cf40a789ac9e41786da53ee6002089651ff99172b64f0468f93dd097d6f0bc27",
    ),
    (
        "454d4c01030002000001ff1223f7a4dcf73f03020000020100030302010003020000020100030170e2d5ab1d7ac8bf0301ca37e17f693f03400303",
        1704.4119200070743,
        "2b56a06c4c896b715475f7b4800d01e93dba6b30f8470ed04824f9a4339d0cc6",
    ),
    (
        "454d4c01030002020001dc3a310d0c93c93f01a8f5b4b6e276ddbf030302000001d8605b2b455ce7bf0301faa05de9e81cfc3f03030201000202000301b0e0348f78660c4001c0e0c45551f9034003020100030303",
        27.631021160034678,
        "1a1598200e44dcc9188ebf635a8aebcc4a6467e6858777db779630ed8bf9ca03",
    ),
    (
        "454d4c0103000202000202000301946008e06a41fa3f01cc68fceb86aee93f030302000001f09fd46f85e2b3bf03020100011a12776bb185fa3f0303030100bca56aedc4b13f0201000301a834509677e8c5bf030200000303",
        485165175.4097903,
        "2712f0b33c161dd86abc6af4dbd27453872e83be14e7803f59e9358874b4a8ba",
    ),
    ("454d4c01030001f1505757cbdaf13f020000020200030202000303", 2.358234856486803, "09094ca2135927bade420758605c310540850e3a0ed4ac2886ff7ed06106d9f2"),
    (
        "454d4c010300016bd27392fa50fa3f0202000201000162265927517bf23f0302000002010003030303",
        4.234425961590992,
        "cc0ea0bcec1d2cf2a639c717235262981374788259b1f4afabf5185eef78c7b8",
    ),
    (
        "454d4c01030001f3faa414bdbde33f020000030201000201000303020100018a774345748ad23f0302010001cad958a308a1f23f0303030200000138f19d02e427fc3f030201000301b040c19160a1c63f020000030148b78bcdc4b1eb3f01f843cb4f7172c53f03030303",
        485165193.34120667,
        "999e50f08c158d3e93ccc59809f08f40ff69c66518fefa47b5dc3dfed821bd04",
    ),
]
"""Bytes that its to_bytes() gave, its value at the first inputs of (0.25, 0.75, 1.5), and its hash()."""
