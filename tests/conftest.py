"""Settings of every test process."""

import os
import signal

from hypothesis import settings

# One test process a core: threads of the linear algebra underneath NumPy would only be in each other's way.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# Started in the background by a shell, Python ignores Ctrl-C and passes that on; the tests of Ctrl-C, and what they start, need it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A machine that is busy with something else must not fail a test.
settings.register_profile("ebmhw", deadline=None)
settings.load_profile("ebmhw")
