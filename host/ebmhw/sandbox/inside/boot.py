"""boot: the first file that a confined process runs. Run by path, never imported."""

import os
import sys


def main() -> None:
    """Load the package that this file lies in under its bare name, and leave the module path as it was without it."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if folder != here]
    sys.path.insert(0, os.path.dirname(here))
    monitor = __import__("inside.monitor", fromlist=["main"])
    del sys.path[0]
    monitor.main(sys.argv[1:])


if __name__ == "__main__":
    main()
