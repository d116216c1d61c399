"""Read columns of Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import polars as pl

from gridtide.errors import BadInput
from gridtide_pipelines.importing.content import ROW, Content


def parquet_columns(content: Content) -> list[str]:
    """Return the names of the columns.

    Raises:
        BadInput: not a whole Parquet file.
    """
    with _whole(content):
        return list(pl.read_parquet_schema(_source(content)))


def read_parquet(content: Content, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield the cells of `columns`, and `ROW`, counted from 1.

    Raises:
        BadInput: not a whole Parquet file.
    """
    with _whole(content):
        cells = pl.read_parquet(_source(content), columns=list(columns))
    if not cells.is_empty():
        yield cells.insert_column(0, pl.Series(ROW, range(1, len(cells) + 1), pl.UInt32))


def _source(content: Content) -> BinaryIO | Path:
    return content.open() if isinstance(content.origin, bytes) else content.origin


@contextmanager
def _whole(content: Content) -> Iterator[None]:
    try:
        yield
    # polars panics on some broken files; a panic is not an Exception.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        first = str(error).partition("\n")[0][:120]
        raise BadInput(
            f"{content.name} is not a whole Parquet file ({first}); fetch or write it again"
        ) from error
