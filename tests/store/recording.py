"""A connection to DuckDB that keeps what it is to execute, to see how much is read."""

from __future__ import annotations

from typing import Any

import duckdb


class Recording:
    """A connection that keeps what it executes."""

    def __init__(self, inner: duckdb.DuckDBPyConnection) -> None:
        self.inner, self.executed = inner, list[tuple[str, Any]]()

    def execute(self, query: str, values: Any = None) -> duckdb.DuckDBPyConnection:  # noqa: ANN401  # as DuckDB's
        self.executed.append((query, values))
        return self.inner.execute(query, values)
