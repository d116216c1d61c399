"""What ``gridtide --help`` says of each subcommand of the service, so that none is imported.

A test holds each line to the command's own help text.
"""

from __future__ import annotations

SUMMARIES = {
    "refresh": "Fetch new data, derive, forecast and publish.",
    "backfill": "Fill the history of a publisher, newest first.",
    "import": "Import generation or intensity from Parquet or CSV files.",
    "issue": "Make forecast runs from what is known now.",
    "publish": "Publish what the store holds as a new snapshot.",
    "serve": "Answer over HTTP from what is published.",
    "status": "Show the data directory, the last refresh, late zones and the disk.",
    "anomalies": "List values that need a look, or accept them into their series.",
    "check": "Verify that the data directory is as it was written.",
    "backup": "Copy the data directory into a folder or a .tar file.",
    "restore": "Restore a backup into a data directory.",
    "sources": "List the sources, their terms, and how each is doing.",
    "parse": "Print what raw responses of a source say, as CSV.",
    "export": "Write observations to a Parquet or CSV file.",
    "weather": "Pack past weather runs into a file to share, or store those of such a file.",
    "replay": "Answer in place of the publishers, with recorded or simulated responses.",
    "demo": "Show a first answer from live or simulated data, then serve.",
    "backtest": "Forecast past days from what was known then, for a scorer.",
    "simulate": "Compare policies for timing jobs, on past forecasts and actual values.",
    "reproduce": "Compute published results again and compare them.",
}
