"""What an agent's hook loads: the standard library and no more."""

import subprocess
import sys

import pytest

_HEAVY = "numpy", "scipy", "dimod", "click", "yaml", "torch"


@pytest.mark.parametrize(
    "module", ["trajectory", "record", "tools", "moments", "home", "prompts", "commands", "tap", "store", "reward", "rules", "readers"]
)
def test_only_the_standard_library_loads(module: str) -> None:
    code = (
        f"import sys, ebmhw.karl.{module} as part\n"
        "[getattr(part, name) for name in getattr(part, '__all__', ())]\n"
        f"print([name for name in {_HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_names_of_the_package() -> None:
    code = "import ebmhw.karl as karl; [getattr(karl, name) for name in karl.__all__]; import ebmhw; print(ebmhw.karl is karl)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("True", "")
