"""Turn a snapshot into one as earlier versions published it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import duckdb

from gridtide_store import manifest as manifests


def make_older(folder: Path, number: int) -> None:
    """Rewrite a snapshot to format 2 (one base file, with the runs in it) or 1 (no hash)."""
    base = folder / manifests.WHOLE_BASE
    manifest = manifests.read(folder)
    with duckdb.connect(base) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for each in manifest.databases:
            connection.execute(f"ATTACH '{folder / each.file}' AS {each.name} (READ_ONLY)")
        for table in manifests.OBSERVED:
            rows = " UNION ALL ".join(f"FROM {each.name}.{table}" for each in manifest.bases)
            connection.execute(f"CREATE TABLE {table} AS {rows} ORDER BY series, slot_start")
        for table in manifests.ISSUED:
            connection.execute(f"CREATE TABLE {table} AS FROM runs.{table}")
        connection.execute("CREATE TABLE series AS FROM delta.series")
    path = folder / manifests.NAME
    document = json.loads(path.read_bytes())
    for each in (*manifest.bases, manifest.runs):
        (folder / each.file).unlink()
        del document["files"][each.file]
    document["files"][manifests.WHOLE_BASE] = asdict(manifests.describe(base))
    for name in ("format", "sha256", *(("store", "base", "delta") if number == 1 else ())):
        del document[name]
    if number > 1:
        content = json.dumps(document, indent=1)
        document["sha256"] = hashlib.sha256(content.encode()).hexdigest()
    path.write_text(json.dumps({"format": number, **document}, indent=1))
