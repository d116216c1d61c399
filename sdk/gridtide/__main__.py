"""``python -m gridtide`` is the script ``gridtide``."""

import sys

from gridtide.cli import main

sys.exit(main())
