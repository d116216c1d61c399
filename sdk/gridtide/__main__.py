"""``python -m gridtide`` is the script ``gridtide``."""

import sys

from gridtide.cli.script import main

sys.exit(main())
