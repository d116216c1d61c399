"""What became known after `as_of` leaves no trace in any answer or error.

Two data directories get the same requests: one holds what was known at `THEN`, the other what
became known since, too. Every status and every byte of the answers must be equal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.published import (
    BE,
    DE,
    FR,
    HOUR,
    NL,
    NOW,
    Asker,
    FixedClock,
    Publisher,
    observed,
    run,
)

THEN = NOW - 2 * HOUR
AT = "2026-03-02T10:00:00Z"
ZONES = ("BE", "DE", "ES", "FR", "GB", "IT", "NL", "PL", "PT", "US-CAL-CISO")
HIDDEN = "derived@ipcc_ar5/alpha"


def fill(publisher: Publisher, *, later: bool) -> None:
    publisher.add(
        observed("DE", [100.0 + k for k in range(30)], start=THEN - 40 * HOUR),
        observed("DE", [0.5] * 3, start=THEN - 5 * HOUR, signal="cfe_produced"),
        observed("FR", [70.0] * 10, start=THEN - 10 * HOUR, source="beta"),
        observed("BE", [50.0] * 4, start=THEN - 4 * HOUR),
        observed("IT", [50.0] * 4, start=THEN - 100 * HOUR),
        observed("PT", [20.0] * 800, start=THEN - 800 * HOUR),
        run("DE", DE, issued_at=THEN - HOUR),
        run("FR", FR, issued_at=THEN - HOUR, source="beta"),
        run("BE", BE, issued_at=THEN - HOUR),
        run("IT", [60.0] * 3, issued_at=THEN - 90 * HOUR),
    )
    if not later:
        return
    late = {"known_at": NOW - HOUR}
    publisher.add(
        # Withdrawn, corrected, a gap filled, and a past nobody had.
        observed("DE", [None] * 2, start=THEN - 12 * HOUR, **late),
        observed("DE", [999.0] * 2, start=THEN - 15 * HOUR, **late),
        observed("DE", [777.0] * 9, start=THEN - 9 * HOUR, **late),
        observed("DE", [555.0] * 90, start=THEN - 200 * HOUR, **late),
        # All of a series withdrawn; its first and its last weeks.
        observed("BE", [None] * 4, start=THEN - 4 * HOUR, **late),
        observed("PT", [None] * 300, start=THEN - 800 * HOUR, **late),
        observed("PT", [None] * 400, start=THEN - 400 * HOUR, **late),
        # Another signal, another source with a licence of its own, a more trusted one.
        observed("DE", [5.0], start=THEN - HOUR, signal="ci_lifecycle_consumed", **late),
        observed("DE", [5.0] * 40, start=THEN - 40 * HOUR, source="beta", **late),
        observed("FR", [1.0] * 10, start=THEN - 10 * HOUR, source=HIDDEN, **late),
        # Zones that were not there, one of them simulated, and newer values.
        observed("ES", [10.0] * 4, start=THEN - 4 * HOUR, **late),
        observed("NL", [9.0], start=THEN - HOUR, source="made_up", quality="simulated", **late),
        observed("IT", [10.0] * 9, start=THEN - 9 * HOUR, **late),
        observed("PL", [10.0], start=NOW - HOUR),
        run("DE", [1.0] * 72, issued_at=THEN - HOUR / 2, model="later@1", **late),
        run("DE", [1.0] * 72, issued_at=THEN - 3 * HOUR, model="later@2", **late),
        run("DE", [0.3] * 72, issued_at=THEN - 3 * HOUR, signal="cfe_produced", **late),
        run("NL", NL, issued_at=THEN - 3 * HOUR, source="made_up", simulated=True, **late),
        run("IT", [1.0] * 72, issued_at=THEN - 3 * HOUR, **late),
        run("ES", [1.0] * 72, issued_at=THEN - 3 * HOUR, **late),
        run("FR", [1.0] * 72, issued_at=NOW),
        run("PL", [1.0] * 72, issued_at=NOW),
    )


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Asker, Asker]]:
    homes = []
    for later in (False, True):
        folder: Path = tmp_path_factory.mktemp("home")
        publisher = Publisher(folder)
        fill(publisher, later=later)
        publisher.publish(NOW, replay=later)
        publisher.close()
        homes.append(publisher.home)
    with Asker(homes[0], FixedClock(NOW)) as then, Asker(homes[1], FixedClock(NOW)) as since:
        yield then, since


SIGNALS = ("", "&signal=cfe_produced", "&signal=ci_lifecycle_consumed")
RANGES = (
    "start=2026-02-20T00:00Z&end=2026-03-02T10:00Z",
    "start=2026-02-20T00:00Z&end=2026-03-05T10:00Z",
    "start=2026-03-02T00:00Z",
    "start=2026-03-02T10:00Z&end=2026-03-02T12:00Z",
    "start=2026-01-20T00:00Z&end=2026-02-01T00:00Z",
)
WINDOWS = ("hours=2", "hours=71", "hours=2&deadline=2026-03-02T11:00Z", "hours=100")
GETS = [
    *("/v1/zones?", "/v1/zones?all=true&"),
    *(
        f"/v1/zones/{zone}/{what}&"
        for zone in ZONES
        for what in (
            *(
                f"intensity?max_age={hours}{signal}"
                for signal in SIGNALS
                for hours in (1, 9999)
            ),
            *(f"intensity?{each}" for each in RANGES),
            *(f"forecast?{signal[1:]}" for signal in SIGNALS[1:]),
            *(f"forecast?model={model}" for model in ("weekly@1", "later@1", "nobody")),
        )
    ),
    *(f"/v1/best-window?region={zone}&{each}&" for zone in ZONES for each in WINDOWS),
    *(
        f"/v1/best-region?region={regions}&hours={hours}{signal}&"
        for regions in (",".join(ZONES), "ES,PL", "NL,DE", "aws:eu-central-1,aws:eu-west-3")
        for hours in (1, 71)
        for signal in SIGNALS
    ),
]


@pytest.mark.parametrize("route", ["zones", "intensity", "forecast", "window", "best-region"])
def test_a_get_knows_nothing_of_later(both: tuple[Asker, Asker], route: str) -> None:
    question = [f"{url}as_of={AT}" for url in GETS if route in url.replace("/v1/zones/", "/")]
    for url in question:
        then, since = (ask(url) for ask in both)
        assert (since.status_code, since.text) == (then.status_code, then.text), url
    assert len(question) > 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("plan", {"job": {"hours": 2}}),
        ("plan", {"job": {"hours": 3, "kind": "interruptible", "power_kw": 2}}),
        ("plan", {"job": {"hours": 200}}),
        *(
            ("footprint", {"hours": 3, "power_kw": 1, "start": f"2026-{start}:00Z"})
            for start in ("03-02T05:00", "03-02T09:30", "02-27T00:00", "02-01T00:00")
        ),
        ("footprint", {"hours": 1, "power_kw": 1, "signal": "cfe_produced", "start": AT}),
    ],
)
def test_a_post_knows_nothing_of_later(
    both: tuple[Asker, Asker], path: str, body: dict[str, object]
) -> None:
    for zone in ZONES:
        question = json.dumps({**body, "region": zone, "as_of": AT}).encode()
        then, since = (ask(f"/v1/{path}", "POST", body=question) for ask in both)
        assert (since.status_code, since.text) == (then.status_code, then.text), zone


@pytest.mark.parametrize("zones", [ZONES, ZONES[:2], ("ES", "PL", "FR")])
def test_a_ranking_and_a_schedule_know_nothing_of_later(
    both: tuple[Asker, Asker], zones: tuple[str, ...]
) -> None:
    job = {"job": {"hours": 2}}
    bodies: dict[str, dict[str, object]] = {
        "plan": {**job, "candidates": {"regions": zones}, "as_of": AT},
        "schedule": {"jobs": [{**job, "region": z} for z in zones], "caps": {}, "as_of": AT},
        "batch": {"requests": [{"region": z, "hours": 2, "as_of": AT} for z in zones]},
    }
    for path, body in bodies.items():
        question = json.dumps(body).encode()
        then, since = (ask(f"/v1/{path}", "POST", body=question) for ask in both)
        assert (since.status_code, since.text) == (then.status_code, then.text), path
