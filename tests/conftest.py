"""Settings of every test process."""

import os

# One test process a core: threads of the linear algebra underneath NumPy would only be in each other's way.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
