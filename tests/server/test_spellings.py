"""One grammar of durations and times: in Python, a query string, a JSON body and a shell."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest

from gridtide.cli.script import main
from gridtide.client import Client
from gridtide.errors import BadInput
from gridtide_store.data_directory import DataDirectory
from tests.server.published import NOW, Asker

HOUR = timedelta(hours=1)
ENVIRON = {"GRIDTIDE_NOW": NOW.isoformat()}
Capture = pytest.CaptureFixture[str]
# A channel takes what was written, and gives what was understood or raises BadInput.
Channel = Callable[[Any], Any]


@pytest.fixture(scope="module")
def client(home: DataDirectory) -> Iterator[Client]:
    with Client(environ=ENVIRON | {"GRIDTIDE_HOME": str(home.root)}) as client:
        yield client


@pytest.fixture
def shell(home: DataDirectory, capsys: Capture) -> Callable[..., Any]:
    """The JSON that a command prints; BadInput where it ends with the code of that."""

    def run(*words: str) -> Any:  # noqa: ANN401  # JSON
        capsys.readouterr()
        code = main([*words, "--json"], ENVIRON | {"GRIDTIDE_HOME": str(home.root)})
        out, err = capsys.readouterr()
        if code == 2:
            raise BadInput(json.loads(err)["detail"])
        assert code == 0, err
        return json.loads(out)

    return run


@pytest.fixture
def durations(client: Client, ask: Asker, shell: Callable[..., Any]) -> dict[str, Channel]:
    """The hours that each channel understands."""

    def query(text: str) -> float:
        answer = ask(f"/v1/best-window?region=DE&hours={quote(text)}").json()
        return _hours(answer)

    def body(value: object) -> float:
        question = {"job": {"hours": value}, "region": "DE"}
        answer = ask("/v1/plan", "POST", body=json.dumps(question).encode()).json()
        return _hours(answer)

    return {
        "Python": lambda value: _hours(client.best_window("DE", value).to_json()),
        "query": query,
        "body": body,
        "shell": lambda text: _hours(shell("best-window", "DE", f"--hours={text}")),
    }


def _hours(answer: dict[str, Any]) -> float:
    if answer.get("status") in (400, 422):
        raise BadInput(answer["detail"])
    start, end = (datetime.fromisoformat(answer[name]) for name in ("start", "end"))
    return (end - start) / HOUR


TEXTS = {
    "2h": 2,
    "2 h": 2,
    " 2h ": 2,
    "2H": 2,
    "2hr": 2,
    "2 hours": 2,
    "1.5h": 1.5,
    "1h30m": 1.5,
    "1h 30min": 1.5,
    "90min": 1.5,
    "90 minutes": 1.5,
    "7200s": 2,
    "1d": 24,
    "1day 2h": 26,
    "PT2H": 2,
    "pt2h": 2,
    "PT1H30M": 1.5,
    "PT1.5H": 1.5,
    "PT1,5H": 1.5,
    "P1D": 24,
    "P1DT2H": 26,
    "PT5400S": 1.5,
}
NOT_DURATIONS = [
    *(
        "",
        " ",
        "h",
        "soon",
        "2 fortnights",
        "2h 3h",
        "-2h",
        "2h-",
        "P",
        "PT",
        "P2H",
        "P1M",
        "P1Y",
    ),
    *(
        "True",
        "true",
        "NaT",
        "nan",
        "inf",
        "1:30",
        "2026-03-02T14:00Z",
        "\u0662h",
        "0h",
        "PT0S",
    ),
]


@pytest.mark.parametrize("channel", ["Python", "query", "body", "shell"])
@pytest.mark.parametrize(("text", "hours"), TEXTS.items())
def test_text_with_its_unit_is_one_duration_everywhere(
    durations: dict[str, Channel], channel: str, text: str, hours: float
) -> None:
    assert durations[channel](text) == hours


@pytest.mark.parametrize("channel", ["Python", "query", "body", "shell"])
@pytest.mark.parametrize("text", NOT_DURATIONS)
def test_other_text_is_refused_everywhere_with_the_remedy(
    durations: dict[str, Channel], channel: str, text: str
) -> None:
    # A job calls it its duration.
    with pytest.raises(BadInput, match=r"hours|duration") as caught:
        durations[channel](text)
    assert re.search("such as 4|give e.g. 4|4h|above 0|give more than 0", str(caught.value))


@pytest.mark.parametrize("text", ["2", "2.0", "2e0"])
def test_a_bare_number_in_quotes_is_hours_only_where_all_is_text(
    durations: dict[str, Channel], text: str
) -> None:
    assert durations["query"](text) == durations["shell"](text) == 2
    for channel in ("Python", "body"):
        with pytest.raises(BadInput, match=r"hours.*4h") as caught:
            durations[channel](text)
        assert repr(text) in str(caught.value)


@pytest.mark.parametrize("number", [2, 2.0, 1.5])
def test_a_number_is_hours(durations: dict[str, Channel], number: float) -> None:
    assert durations["Python"](number) == durations["body"](number) == number


@pytest.mark.parametrize("value", [True, False, None, [2], {"hours": 2}, 0, -2, 1e300])
def test_other_json_is_refused_in_python_and_in_a_body(
    durations: dict[str, Channel], value: object
) -> None:
    for channel in ("Python", "body"):
        with pytest.raises(BadInput, match=r"hours|duration"):
            durations[channel](value)


@pytest.mark.parametrize(
    "value",
    [
        timedelta(hours=2),
        np.timedelta64(2, "h"),
        np.timedelta64(120, "m"),
        pd.Timedelta("2h"),
        np.float32(2),
        np.int8(2),
        np.array(2),
        Decimal(2),
        np.str_("2h"),
    ],
)
def test_durations_of_python_numpy_and_pandas_are_taken(
    durations: dict[str, Channel], value: object
) -> None:
    assert durations["Python"](value) == 2


@pytest.mark.parametrize(
    "value",
    [np.bool_(1), pd.NaT, pd.NA, np.timedelta64("NaT"), np.datetime64("2026-03-02"), b"2h", 2j],
)
def test_other_values_of_python_numpy_and_pandas_are_refused(
    durations: dict[str, Channel], value: object
) -> None:
    with pytest.raises(BadInput, match=r"hours is .*; give a finite number such as 4"):
        durations["Python"](value)


@pytest.fixture
def deadlines(client: Client, ask: Asker, shell: Callable[..., Any]) -> dict[str, Channel]:
    """The end of the cleanest 2 hours by a deadline, of which 14:00 leaves but one choice."""

    def body(value: object) -> datetime:
        question = {"job": {"hours": 2}, "region": "DE", "bounds": {"deadline": value}}
        return _end(ask("/v1/plan", "POST", body=json.dumps(question).encode()).json())

    best = "best-window"
    return {
        "Python": lambda each: _end(client.best_window("DE", 2, deadline=each).to_json()),
        "query": lambda text: _end(
            ask(f"/v1/{best}?region=DE&hours=2&deadline={quote(text)}").json()
        ),
        "body": body,
        "shell": lambda text: _end(shell(best, "DE", "--hours=2", f"--deadline={text}")),
    }


def _end(answer: dict[str, Any]) -> datetime:
    if answer.get("status") in (400, 422):
        raise BadInput(answer["detail"])
    return datetime.fromisoformat(answer["end"])


TWO = datetime(2026, 3, 2, 14, tzinfo=UTC)


@pytest.mark.parametrize("channel", ["Python", "query", "body", "shell"])
@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T14:00:00Z",
        "2026-03-02T14:00Z",
        "2026-03-02T14Z",
        "2026-03-02 14:00Z",
        "2026-03-02T14:00:00.000Z",
        "2026-03-02T15:00+01:00",
        "2026-03-02T09:00:00-05:00",
        "20260302T140000Z",
    ],
)
def test_a_time_with_its_offset_is_one_everywhere(
    deadlines: dict[str, Channel], channel: str, text: str
) -> None:
    assert deadlines[channel](text) == TWO


@pytest.mark.parametrize("channel", ["Python", "query", "body", "shell"])
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-03-02T14:00", "has no UTC offset; write 2026-03-02T14:00:00Z for UTC"),
        ("2026-03-02", "has no UTC offset"),
        ("tomorrow", "is not an ISO 8601 time; write it as 2026-11-20T17:00Z"),
        ("1772460000", "is not an ISO 8601 time"),
        ("NaT", "is not an ISO 8601 time"),
        ("", "is not an ISO 8601 time"),
    ],
)
def test_other_text_is_no_time_anywhere(
    deadlines: dict[str, Channel], channel: str, text: str, why: str
) -> None:
    with pytest.raises(BadInput, match=r"deadline") as caught:
        deadlines[channel](text)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    "moment",
    [
        TWO,
        TWO.astimezone(timezone(timedelta(hours=5, minutes=30))),
        pd.Timestamp("2026-03-02T15:00", tz="Europe/Berlin"),
        np.datetime64("2026-03-02T14:00"),
        np.datetime64("2026-03-02T14:00", "ns"),
    ],
)
def test_times_of_python_numpy_and_pandas_are_taken(
    deadlines: dict[str, Channel], moment: object
) -> None:
    assert deadlines["Python"](moment) == TWO


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 3, 2, 14),  # noqa: DTZ001  # what is refused
        date(2026, 3, 2),
        pd.NaT,
        np.datetime64("NaT"),
        pd.Timestamp("2026-03-02T14:00"),
        True,
        1772460000,
        2 * HOUR,
    ],
)
def test_other_values_are_no_time(deadlines: dict[str, Channel], value: object) -> None:
    with pytest.raises(BadInput, match=r"^deadline"):
        deadlines["Python"](value)


def test_a_day_is_its_start_at_either_end_of_a_range(
    client: Client, ask: Asker, shell: Callable[..., Any]
) -> None:
    midnights = {"start": "2026-03-02T00:00Z", "end": "2026-03-03T00:00Z"}
    whole = client.intensity("DE", start=midnights["start"], end=midnights["end"])
    assert whole.slots
    for start, end in (
        (date(2026, 3, 2), date(2026, 3, 3)),
        ("2026-03-02", "2026-03-03"),
        ("2026-W10-1", "20260303"),
    ):
        assert client.intensity("DE", start=start, end=end).slots == whole.slots
    said = ask.json("/v1/zones/DE/intensity?start=2026-03-02&end=2026-03-03")
    assert len(said["slots"]) == len(whole.slots)
    assert said["slots"] == whole.to_json()["slots"]
    listed = shell("history", "DE", "--from=2026-03-02", "--to=2026-03-03")
    assert listed["slots"] == said["slots"]
    with pytest.raises(BadInput, match=r"start.* has no UTC offset"):
        client.intensity("DE", start="2026-03-02T00:00")
    rows = [{"start": "2026-03-02", "end": "2026-03-03", "kwh": 2}]
    midnight = [{**rows[0], **midnights}]
    by_day, by_time = (
        ask.post("/v1/footprint", {"rows": each, "region": "DE"})["rows"]
        for each in (rows, midnight)
    )
    assert by_day == by_time
