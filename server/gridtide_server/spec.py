"""The OpenAPI as a file, committed as ``openapi.json`` beside this module.

``python -m gridtide_server.spec > server/gridtide_server/openapi.json`` writes it anew.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from gridtide.clock import Clock
from gridtide_server.app import ServerSettings, create_app
from gridtide_server.reader import Reader
from gridtide_store.home import Home

FILE = Path(__file__).with_name("openapi.json")


def text() -> str:
    """The OpenAPI of this release."""
    app = create_app(ServerSettings(), Reader(Home(Path())), Clock())
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
