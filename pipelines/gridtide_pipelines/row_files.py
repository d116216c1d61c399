"""Write rows to Parquet or CSV as they come. A file is whole under its name, or not there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import polars as pl

from gridtide.errors import BadInput
from gridtide_store.errors import MAKE_ROOM, Unusable, translate_errors
from gridtide_store.export import ROW

# Rows that are written at a time.
PART = 200_000
STAMP = "%Y-%m-%dT%H:%M:%S"
FILE = "name a file in a folder that is there"


class Format(StrEnum):
    """A format of exported files, which is also the ending of their names."""

    PARQUET = "parquet"
    CSV = "csv"


def format_of(path: Path | None, name: str | None) -> Format:
    """Return the format named, else that of the file's ending; to a pipe CSV.

    Raises:
        BadInput: neither is a format.
    """
    if name is None and path is None:
        return Format.CSV
    said = name or (path.suffix.removeprefix(".") if path else "")
    try:
        return Format(said.lower())
    except ValueError:
        known = " or ".join(Format)
        if name is not None:
            raise BadInput(f"unknown format {name!r}; must be {known}") from None
        raise BadInput(
            f"{path}: the format goes by the ending; name it .parquet or .csv, or give --format"
        ) from None


@contextmanager
def new_file(path: Path, *, force: bool) -> Iterator[Path]:
    """Yield a name to write to; it becomes `path` at the end of the block.

    Nothing is left after an error.

    Raises:
        BadInput: the file exists and `force` is not set, or its folder is missing.
        Unusable: it cannot be written.
    """
    _refuse_existing(path, force=force)
    if not path.parent.is_dir() or path.is_dir():
        raise BadInput(f"{path}: {FILE}")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with translate_errors(path):
            yield partial
            _refuse_existing(path, force=force)  # made meanwhile by somebody else
            partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink()


def _refuse_existing(path: Path, *, force: bool) -> None:
    if path.exists() and not force:
        raise BadInput(f"{path} exists; name another file, or add --force to replace it")


def write_rows(frames: Iterable[pl.DataFrame], path: Path, kind: Format) -> int:
    """Write the rows of `frames` in their order to `path` and return how many there are.

    Raises:
        Unusable: the disk is full, or the file cannot be written.
    """
    with _unusable(path):
        if kind is Format.CSV:
            with path.open("wb") as file:
                return write_csv(frames, file)
        with tempfile.TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as folder:
            return _write_parquet(frames, path, Path(folder))


def write_pipe(frames: Iterable[pl.DataFrame], out: BinaryIO, kind: Format) -> int:
    """Write the rows of `frames` to a pipe, such as standard output."""
    if kind is Format.CSV:
        return write_csv(frames, out)
    # The end of a Parquet file says where its parts are, so it is made first.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        rows = write_rows(frames, path, kind)
        with path.open("rb") as file:
            shutil.copyfileobj(file, out)
    return rows


def write_csv(frames: Iterable[pl.DataFrame], out: BinaryIO) -> int:
    """Write rows as CSV with a header; times in UTC with ``Z``, a gap is an empty value."""
    rows = 0
    for part in _parts(frames):
        if not rows:
            out.write((",".join(ROW.names()) + "\n").encode())
        text = part.with_columns(_stamped("start"), _stamped("end"), _stamped("known_at"))
        out.write(text.write_csv(include_header=False).encode())
        rows += part.height
    return rows


def _write_parquet(frames: Iterable[pl.DataFrame], path: Path, folder: Path) -> int:
    """Write parts one by one, then all of them as one file, which is never in memory."""
    rows = 0
    ROW.to_frame().write_parquet(folder / "000000.parquet")  # so that there is at least one
    for number, part in enumerate(_parts(frames), start=1):
        part.write_parquet(folder / f"{number:06}.parquet")
        rows += part.height
    pl.scan_parquet(folder / "*.parquet").sink_parquet(path, maintain_order=True)
    return rows


def _parts(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Join frames to parts of at least PART rows; the last one has the rest."""
    waiting: list[pl.DataFrame] = []
    rows = 0
    for frame in frames:
        waiting.append(frame)
        rows += frame.height
        if rows >= PART:
            yield pl.concat(waiting)
            waiting, rows = [], 0
    if rows:
        yield pl.concat(waiting)


def _stamped(name: str) -> pl.Expr:
    """Return a time as `gridtide.model.format_time` writes it."""
    whole = pl.col(name).dt.strftime(STAMP)
    fraction = pl.col(name).dt.strftime(".%6f")
    decimals = pl.when(pl.col(name).dt.microsecond() == 0).then(pl.lit("")).otherwise(fraction)
    return (whole + decimals + pl.lit("Z")).alias(name)


@contextmanager
def _unusable(path: Path) -> Iterator[None]:
    """Raise what polars says of a file that cannot be written as an error of ours."""
    try:
        yield
    except pl.exceptions.ComputeError as error:
        said = str(error).splitlines()[0]
        raise Unusable(f"{path} cannot be written ({said}); {MAKE_ROOM}") from error
