"""Which modules of the package pytest does not look into for examples: those that extend classes of libraries that are not here."""

from importlib.util import find_spec

# They are imported only by who trains; make test installs none of these libraries, make test-all does.
_TRAINING = ("gates/cascade_callback", "training/callbacks", "training/control", "training/judging", "training/session", "training/trainer")
_HERE = all(find_spec(name) is not None for name in ("torch", "transformers", "trl", "peft", "datasets"))

collect_ignore = [] if _HERE else [f"host/ebmhw/coherence/{name}.py" for name in _TRAINING]
