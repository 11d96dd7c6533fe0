"""Which modules of the package pytest does not look into for examples: those that extend classes of libraries that are not here."""

from importlib.util import find_spec

# They are imported only by who trains; make test installs none of these libraries, make test-all does.
_TRAINING = (
    "coherence/gates/cascade_callback",
    *(f"coherence/training/{name}" for name in ("callbacks", "control", "judging", "session", "trainer")),
    *(f"karl/training/{name}" for name in ("session", "steps", "trainer")),
)
_HERE = all(find_spec(name) is not None for name in ("torch", "transformers", "trl", "peft", "datasets"))

collect_ignore = [] if _HERE else [f"host/ebmhw/{name}.py" for name in _TRAINING]
