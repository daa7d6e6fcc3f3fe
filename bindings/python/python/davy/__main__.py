"""`python -m davy` is the command line."""

import sys

from . import _davy


def main() -> int:
    """Runs the arguments of this process; the code to exit with."""
    return _davy.main(["davy", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
