"""Rules of the house that no other test sees."""

import json
import re
import subprocess
import sys
from pathlib import Path

import ebmhw

HOST = Path(ebmhw.__file__).parent


def modules_after(statement):
    code = f"import sys, json\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    return set(json.loads(output))


def test_importing_the_package_loads_nothing_heavy():
    assert not modules_after("import ebmhw") & {"numpy", "scipy", "dimod", "click", "yaml", "jax", "torch", "matplotlib"}


def test_sampling_on_the_cpu_loads_no_extra():
    statement = "import ebmhw; ebmhw.EbmSampler('cpu'); ebmhw.Model(2, None, [((0, 1), 1)]).compile()"
    assert not modules_after(statement) & {"jax", "torch", "matplotlib", "pynq", "ebmhw.golden"}


def test_the_contract_needs_the_standard_library_only():
    parts = ("formats", "tables", "stream", "registers", "packets", "render")
    loaded = modules_after("import " + ", ".join(f"ebmhw.contract.{part}" for part in parts))
    outside = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names)
    assert {name for name in outside if not name.startswith(("__", "_", "sitecustomize", "distutils"))} <= {"ebmhw"}


def test_golden_shares_no_code_with_the_kernel():
    for path in (HOST / "golden").glob("*.py"):
        assert not re.search(r"ebmhw\.native|ebmhw\.backends", path.read_text(encoding="utf-8")), path


def test_every_public_name_resolves():
    for name in ebmhw.__all__:
        assert getattr(ebmhw, name) is not None
    try:
        ebmhw.nothing  # noqa: B018  # the access is what is tested
    except AttributeError as error:
        assert "it offers" in str(error)
    else:
        raise AssertionError("an unknown name must not resolve")
