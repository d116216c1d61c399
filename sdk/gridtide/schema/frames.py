"""Answers as polars frames; polars comes with the extra ``frames``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from gridtide.errors import MissingExtra
from gridtide.extras import how_to_install

if TYPE_CHECKING:
    import polars as pl


def frame(kind: type[Any], rows: Sequence[object]) -> pl.DataFrame:
    """One row for each dataclass of `kind` in `rows`, one column for each of its fields.

    Times are ``Datetime('us', 'UTC')``, numbers ``Float64``, the rest ``String``; so it is
    with no rows, too.

    Raises:
        MissingExtra: polars is not installed.
    """
    try:
        import polars as pl
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"polars is not installed; install it with: {how_to_install('frames')}"
        ) from error
    types = {"datetime": pl.Datetime("us", "UTC"), "float": pl.Float64()}
    names = {field.name: str(field.type).removesuffix(" | None") for field in fields(kind)}
    return pl.DataFrame(
        {name: [getattr(row, name) for row in rows] for name in names},
        schema={name: types.get(kept, pl.String()) for name, kept in names.items()},
    )
