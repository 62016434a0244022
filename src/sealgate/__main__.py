"""`python -m sealgate`."""

import sys

from sealgate.app.main import main

if __name__ == "__main__":
    sys.exit(main())
