"""Cues: what marks the sentences of an argument, their roles and the joints between them; each pattern is matched in linear time."""

from __future__ import annotations

import re

END = re.compile(r"[.!?;\n]+(?=\s|$|[\"')\]*])|\n")
BULLET = re.compile(
    r"[\s>#*_`\"'“”]*(?:(?:(?:major\s|minor\s|first\s|second\s)?(?:premise|fact|rule|statement|step)|given|context|p|c)\s{0,3}\d{0,3}\s{0,3}[:.)]|"
    r"\(?\d{1,3}[.)](?=\s)|[-•*](?=\s))?[\s*_`\"'“”]*",
    re.I,
)
OPTION = re.compile(r"\s*[*_]{0,2}\(?[A-Ha-h][).:](?=\s)")
CONCLUSION = re.compile(
    r"(?:(?:and\s|but\s)?\s?(?:therefore|thus|hence|consequently|accordingly|ergo|so|as a result|in conclusion|from (?:this|these|that|the premises)|"
    r"(?:the )?conclusion(?: is| follows)?|by (?:modus (?:ponens|tollens)|transitivity|contraposition|definition)|∴|"
    r"(?:it|this) (?:logically |necessarily |also )?(?:follows|means|implies|shows|proves)|which means|"
    r"(?:we|you|one|i) (?:can|may|could|must|know|therefore|thus|also|can therefore|can also)?\s?(?:conclude|infer|deduce|derive)|"
    r"(?:we|you|one) know|it (?:can|may) be (?:concluded|inferred|deduced)|it must be(?: the case| true)?)(?![A-Za-z])[\s,:*_]{0,9}(?:that\s)?){1,4}",
    re.I,
)
INNER = re.compile(
    r"[,;:]?\s(?:and\s)?(?:(?:therefore|thus|hence|so|∴)(?:,?\s(?:it follows|we can conclude|this means|we conclude) that)?|"
    r"which (?:means|implies|shows)(?: that)?|(?:meaning|implying)(?: that)?|it follows that|we can conclude that)[,:]?\s",
    re.I,
)
LEAD = re.compile(
    r"(?:both (?:statements|claims|things|facts|sentences)? ?(?:hold|are true|are correct)|the following (?:holds|is true|is known)|"
    r"we have(?: that)?|(?:we|you|i) (?:know|see|note|are given|are told)(?: that)?|it is (?:clear|obvious|known|given|certain) that|"
    r"clearly|obviously|indeed|in fact|"
    r"of course|moreover|furthermore|additionally|note that|here|now|well|reasoning|explanation|solution|argument)(?![A-Za-z'])[:,\s*]+",
    re.I,
)
"""Words before a statement that say nothing of their own."""
BECAUSE = re.compile(r"(?:since|because|as(?! (?:long|soon|a|well)\b)|given that)\s", re.I)
INNER_BECAUSE = re.compile(r",?\s(?:because|since)\s", re.I)
NEGATED = re.compile(r"\b(?:not|never|no|cannot)\b|n['\u2019]t\b", re.I)
ANSWER = re.compile(
    r"(?:(?:the\s)?(?:final\s)?answer\s?(?:is)?\s?:?\s{0,2})?[\"'*_]{0,3}(yes|no|true|false)\b[\"'*_]{0,3}(?=[,.;:!]|\s*$|\s[-\u2013—])",
    re.I,
)
SUPPOSE = re.compile(r"(?:let us |let's |now |first )?(?:suppose|assume|imagine|assuming|supposing|if we assume|say that)\b", re.I)
META = re.compile(
    r"\s+is\s+(?:always\s+|a\s+|an\s+)?"
    r"(tautology|contradiction|contradictory|unsatisfiable|inconsistent|satisfiable|consistent|contingent|valid|true|false)$",
    re.I,
)
NAMED = re.compile(r"\s*the\s(?:statement|formula|sentence|proposition|expression)\s", re.I)
SUM = re.compile(r"\d\s?[-+*/\u00d7÷=^]\s?[$(]?\d|=\s?[$(]?\d|<<")
"""A calculation; sentences with one are about numbers."""
JOINT = re.compile(r",?\s(?:and|but)\s|,\s|;\s?", re.I)
NOT_JOINED = re.compile(r"\b(?:if|unless|or|either|neither|nor|when|whether|that|both|implies|between|while)\b", re.I)
"""Words by which clauses are more than said side by side."""
ENTAILS = re.compile(r"\s(?:⊢|⊨|\|-|\|=|entails)\s")
