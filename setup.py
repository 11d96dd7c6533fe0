"""The native kernel; everything else stands in pyproject.toml."""

import os

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

KERNEL = Extension(
    "ebmhw.native._kernel",
    sources=[f"host/ebmhw/native/{name}" for name in ("kernel.c", "phi.c")],
    depends=[f"host/ebmhw/native/{name}" for name in ("kernel.h", "exact.h", "lanes.h", "scalar.h", "targets.h", "phi.h", "phi_lanes.h")],
    define_macros=[("Py_LIMITED_API", "0x030A0000")],
    extra_compile_args=[] if os.name == "nt" else ["-O3", "-std=gnu11", "-fvisibility=hidden", "-fwrapv", "-fno-math-errno", "-Wno-psabi"],
    py_limited_api=True,
    # Without a C compiler the package still installs; get_backend("cpu") then says what is missing. Where the kernel is developed and
    # tested, a build that fails must not leave the one before in place.
    optional=not os.environ.get("EBMHW_REQUIRE_KERNEL"),
)


class Build(build_ext):
    """build_ext whose failure is said where a user looks."""

    def build_extension(self, ext):
        try:
            super().build_extension(ext)
        except Exception as error:
            self.warn(f"the CPU kernel was not built ({error}); get_backend('cpu') will be unavailable")
            raise


setup(ext_modules=[KERNEL], cmdclass={"build_ext": Build}, options={"bdist_wheel": {"py_limited_api": "cp310"}})
