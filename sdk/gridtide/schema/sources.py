"""The response about the sources of a service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from gridtide.schema.definition import Field
from gridtide.schema.result import Record, Shown, Tabular


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SourceInfo(Shown, Record):
    """One source: its terms, and how it was doing when the snapshot was published."""

    SCHEMA_NAME: ClassVar[str] = "Source"

    source: Annotated[str, Field("its name, as in the field `source` of values")]
    title: Annotated[str, Field("what it is called")]
    kinds: Annotated[tuple[str, ...], Field("what is requested of it; none for imported files")]
    zones: Annotated[tuple[str, ...], Field("zones it can answer for")]
    licence: Annotated[str, Field("terms of use")]
    licence_url: Annotated[str, Field("address of those; empty where there is none")]
    attribution: Annotated[str, Field("how to name it")]
    simulated: Annotated[bool, Field("whether its values are of the simulated grid")]
    restricted: Annotated[bool, Field("whether its licence restricts use")]
    needs_key: Annotated[bool, Field("whether it answers only with a key")]
    lag_seconds: Annotated[
        float | None,
        Field("usual time from the end of a slot to its publication", unit="s"),
    ]
    last_success: Annotated[
        datetime | None, Field("when everything was last retrieved from it; null: never")
    ]
    newest_slot_end: Annotated[
        datetime | None, Field("end of its newest slot with a value; null without any")
    ]
    rows: Annotated[int, Field("its values in the store, revisions included")]
    failures: Annotated[int, Field("failed retrievals in the 30 days before")]
    raw_bytes: Annotated[int, Field("disk space of its archived responses", unit="bytes")]
    last_seen: Annotated[
        str | None, Field("year and month in which the shape of its responses was last seen")
    ]
    recorded: Annotated[
        bool, Field("whether bodies were recorded then; else the shape is a description's")
    ]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Sources(Shown, Tabular, Record):
    """The sources by name; iterate over it for each `SourceInfo`."""

    sources: Annotated[tuple[SourceInfo, ...], Field("by name")]
    snapshot: Annotated[str, Field("the snapshot that is served")]
    published_at: Annotated[datetime, Field("when it was published, which is when this held")]
    replay: Annotated[bool, Field("whether the server's clock stands still at another time")]

    def __iter__(self) -> Iterator[SourceInfo]:
        return iter(self.sources)

    def __len__(self) -> int:
        return len(self.sources)
