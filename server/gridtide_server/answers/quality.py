"""The anomalies of a zone. No clock, no HTTP."""

from __future__ import annotations

from gridtide.model import Quality, utc
from gridtide.schema.quality import Anomaly, AnomalyCount, QualityRequest, ZoneQuality
from gridtide_server.answers.regions import location_of
from gridtide_server.service import Moment
from gridtide_server.view import View
from gridtide_store.anomalies import is_excluded
from gridtide_store.regions import Resolution


def build_quality(
    view: View, region: Resolution, request: QualityRequest, moment: Moment
) -> ZoneQuality:
    """Build the response of ``/v1/zones/{zone}/quality``."""
    found = view.snapshot.anomalies(region.zone, as_of=moment.as_of, limit=request.limit)
    return ZoneQuality(
        since=found.since,
        counts=tuple(
            AnomalyCount(source=source, flag=flag, count=count, accepted=accepted)
            for source, flag, count, accepted in found.counts
        ),
        anomalies=tuple(
            Anomaly(
                id=row["id"],
                zone=row["zone"],
                signal=row["signal"],
                source=row["source"],
                start=utc(row["slot_start"]),
                end=utc(row["slot_end"]),
                value=row["value"],
                quality=Quality(row["quality"]),
                flag=row["flag"],
                in_series=row["accepted_at"] is not None or not is_excluded(row["flag"]),
                known_at=utc(row["known_at"]),
                accepted_at=utc(row["accepted_at"]) if row["accepted_at"] else None,
            )
            for row in found.newest.iter_rows(named=True)
        ),
        **location_of(region),
        **moment.shared,
    )
