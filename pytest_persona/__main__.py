"""``python -m pytest_persona``: the console command."""

import sys

from pytest_persona.cli import main

if __name__ == "__main__":
    sys.exit(main())
