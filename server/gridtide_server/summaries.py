"""What ``gridtide --help`` says of the server's subcommand, so that it need not import it."""

from __future__ import annotations

SUMMARIES = {"serve": "Answer over HTTP from what is published."}
