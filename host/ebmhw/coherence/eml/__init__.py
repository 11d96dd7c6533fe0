"""Trees of one operation, eml(x, y) = exp(x) - ln(y), from which closed-form expressions are built (Odrzywolek, arXiv 2603.21852).

Names, bytes, hashes and signatures are those of carl-core 0.2 and 0.3: a tree that either encodes, the other decodes.
"""

from ebmhw.coherence.eml.function import CLAMP_X, EPS, eml, eml_array, eml_scalar_reward
from ebmhw.coherence.eml.nodes import MAX_DEPTH, EMLNode, EMLOp
from ebmhw.coherence.eml.signing import MIN_SECRET_LEN, SIG_LEN, sign_tree_software, verified_tree, verify_software_signature
from ebmhw.coherence.eml.tape import EMLGradients
from ebmhw.coherence.eml.tree import EMLTree

__all__ = [
    "CLAMP_X",
    "EPS",
    "MAX_DEPTH",
    "MIN_SECRET_LEN",
    "SIG_LEN",
    "EMLGradients",
    "EMLNode",
    "EMLOp",
    "EMLTree",
    "eml",
    "eml_array",
    "eml_scalar_reward",
    "sign_tree_software",
    "verified_tree",
    "verify_software_signature",
]
