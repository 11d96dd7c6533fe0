"""Which modules of the package pytest does not look into for examples: those that extend classes of libraries that are not here."""

from importlib.util import find_spec

# They are imported only by who trains, or drives a board; make test installs none of these libraries, make test-all and .ci/pynq do.
_MODULES = {
    ("torch", "transformers", "trl", "peft", "datasets"): (
        "coherence/gates/cascade_callback",
        *(f"coherence/training/{name}" for name in ("callbacks", "control", "judging", "session", "trainer")),
        *(f"karl/training/{name}" for name in ("session", "steps", "trainer")),
    ),
    ("pynq",): ("backends/kv260/ip", "board/simulated/device"),
}

collect_ignore = [
    f"host/ebmhw/{name}.py" for needed, names in _MODULES.items() if not all(find_spec(one) is not None for one in needed) for name in names
]
