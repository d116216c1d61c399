"""How results show themselves: a short line, and in a notebook a chart that runs nothing."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

import gridtide
from gridtide.client import AsyncClient, Client
from gridtide.model import Series, Signal
from gridtide.planning import Job, plan
from gridtide.schema.charts import MOST_SLOTS, ChartSlot, Window, draw_chart
from gridtide.schema.responses import BestRegion, BestWindow, Forecast, Intensity, Zones

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DRAWN = {"div", "b", "table", "thead", "tbody", "tr", "th", "td"}
DRAWN |= {"svg", "path", "rect", "title", "text"}
EVIL = "<script>alert('1')</script>&\"<svg onload=x>"


@pytest.fixture
def client(transport: httpx.BaseTransport) -> Client:
    return Client("http://service", environ={}, transport=transport, retries=0)


def parsed(html: str) -> ElementTree.Element:
    """The element of what a notebook shows, which is well-formed and runs and loads nothing."""
    element = ElementTree.fromstring(html)  # noqa: S314  # made here
    tags = {each.tag.rpartition("}")[2] for each in element.iter()}
    assert tags <= DRAWN
    names = {name for each in element.iter() for name in each.attrib}
    assert not {name for name in names if name.startswith("on") or "href" in name}
    return element


def test_a_result_is_one_short_line(said: SimpleNamespace) -> None:
    window = BestWindow.from_json(said.best_window)
    text = "DE (Germany): 2026-03-02T14:00Z to 2026-03-02T18:00Z, 300.0 gCO2e/kWh, saves 25.0 %"
    assert (str(window), repr(window)) == (text, f"<BestWindow {text}>")
    region = BestRegion.from_json(said.best_region)
    assert repr(region).startswith("<BestRegion DE (Germany): 2026-03-02T14:00Z to ")
    assert f"; best of {len(region.ranking) + len(region.infeasible)} region" in repr(region)
    forecast = Forecast.from_json(said.forecast)
    assert str(forecast) == (
        "DE (Germany): ci_lifecycle_consumed, 2 slots, 2026-03-02T12:00Z to 2026-03-02T14:00Z, "
        "by weekly@1, issued 2026-03-02T11:30Z"
    )
    assert str(Intensity.from_json(said.intensity)).startswith("DE (Germany): 410.2 gCO2e/kWh")
    assert str(Zones.from_json(said.zones)) == "1 zone: DE"
    assert str(Zones.from_json(said.zones).zones[0]) == "DE (Germany): ci_lifecycle_consumed"


@pytest.mark.parametrize(("name", "change"), [("simulated", True), ("zone_name", EVIL)])
def test_texts_and_charts_of_any_answer_are_made(
    said: SimpleNamespace, name: str, change: object
) -> None:
    kinds: dict[str, Callable[[Any], Any]] = {
        "best_window": BestWindow.from_json,
        "best_region": BestRegion.from_json,
        "forecast": Forecast.from_json,
        "intensity": Intensity.from_json,
    }
    for each, read in kinds.items():
        result = read({**getattr(said, each), name: change})
        assert len(repr(result)) < 300
        element = parsed(result._repr_html_())
        words = "".join(element.itertext())
        assert str(result) in words
        assert ("simulated" if change is True else EVIL) in words


def test_a_window_is_shown_in_the_forecast_it_was_chosen_by(
    client: Client,
    service: Any,  # noqa: ANN401
) -> None:
    window = client.best_window("DE", hours=4)
    assert repr(window)
    assert [each.path for each in service.asked] == ["/v1/best-window"]
    html = window._repr_html_()
    assert html == window._repr_html_()
    assert [(each.path, each.params) for each in service.asked[1:]] == [
        (
            "/v1/zones/DE/forecast",
            [("signal", "ci_lifecycle_consumed"), ("as_of", "2026-03-02T12:00:00Z")],
        )
    ]  # once, by the knowledge time of the answer
    (shaded,) = parsed(html).iter("{http://www.w3.org/2000/svg}rect")
    assert "".join(shaded.itertext()) == (
        "2026-03-02T14:00Z to 2026-03-02T18:00Z: 300.0 gCO2e/kWh"
    )
    assert "420.5" in "".join(parsed(html).itertext())  # the highest p90


def test_without_the_forecast_a_chart_shows_the_window_and_starting_at_once(
    client: Client,
    service: Any,  # noqa: ANN401
    said: SimpleNamespace,
) -> None:
    window = client.best_window("DE", hours=4)
    service.problem("unavailable", 503, "no snapshot")
    html = window._repr_html_()
    assert len(service.asked) == 2  # and is not tried again
    later = BestWindow.from_json({**said.best_window, "start": "2026-03-02T17:00:00Z"})
    for each in (html, later._repr_html_()):
        assert len(list(parsed(each).iter("{http://www.w3.org/2000/svg}rect"))) == 1


def test_a_result_is_equal_and_pickled_without_its_forecast(client: Client) -> None:
    window = client.best_window("DE", hours=4)
    window._repr_html_()
    copy = pickle.loads(pickle.dumps(window))  # noqa: S301
    assert copy == window
    assert parsed(copy._repr_html_()) is not None
    assert window.to_json() == copy.to_json()


def test_results_that_were_awaited_are_shown_too(
    async_transport: httpx.AsyncBaseTransport,
) -> None:
    import asyncio

    async def later() -> BestWindow:
        client = AsyncClient("http://service", environ={}, transport=async_transport)
        return await client.best_window("DE", hours=4)

    assert parsed(asyncio.run(later())._repr_html_()) is not None


def test_a_plan_made_here_is_shown_in_the_forecast_it_was_made_from() -> None:
    values = [5.0, 1.0, 4.0, 2.0]
    series = Series.regular("DE", Signal.CI_LIFECYCLE_CONSUMED, NOON, HOUR, values)
    made = plan(Job(2, "interruptible", power=2.5), series, now=NOON)
    assert str(made).startswith("DE: 2026-03-02T13:00Z to 2026-03-02T16:00Z, 1.5 gCO2e/kWh")
    element = parsed(made._repr_html_())
    titles = [each.text for each in element.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == [
        "2026-03-02T13:00Z to 2026-03-02T14:00Z: 2.5 kW",
        "2026-03-02T15:00Z to 2026-03-02T16:00Z: 2.5 kW",
    ]
    assert parsed(series._repr_html_()) is not None
    assert str(series) == (
        "DE: ci_lifecycle_consumed, 4 slots, 2026-03-02T12:00Z to 2026-03-02T16:00Z"
    )


def points(path: str) -> list[float]:
    """The heights of a path, in pixels from above."""
    return [float(each.partition("H")[0]) for each in path.split("V")[1:]]


def test_a_chart_is_drawn_to_scale() -> None:
    slots = [
        ChartSlot(NOON + i * HOUR, NOON + (i + 1) * HOUR, v) for i, v in enumerate([1, 3, 2])
    ]
    window = Window(NOON + HOUR, NOON + 2 * HOUR, "the second")
    chart = ElementTree.fromstring(draw_chart(slots, [window], unit="g"))  # noqa: S314
    (line,) = (e.attrib["d"] for e in chart.iter() if e.attrib.get("fill") == "none")
    low, high, middle = points(line)
    assert middle == pytest.approx((low + high) / 2, abs=0.1)
    assert low > high  # pixels count from above
    (rect,) = chart.iter("{http://www.w3.org/2000/svg}rect")
    # A third of the width, after the first third: 520 less 46 and 8 for labels.
    assert float(rect.attrib["x"]) == pytest.approx(46 + 466 / 3, abs=0.1)
    assert float(rect.attrib["width"]) == pytest.approx(466 / 3, abs=0.1)


def test_a_gap_is_not_drawn_over_and_a_year_is_thinned() -> None:
    hours = [ChartSlot(NOON + i * HOUR, NOON + (i + 1) * HOUR, 1.0) for i in (0, 1, 4)]
    assert draw_chart(hours, [], unit="g").count('fill="none"') == 2
    year = [ChartSlot(NOON + i * HOUR, NOON + (i + 1) * HOUR, i % 7) for i in range(8760)]
    chart = draw_chart(year, [], unit="g")
    assert chart.count("V") <= MOST_SLOTS
    assert draw_chart([], [], unit="g") == ""


def test_values_that_are_all_alike_are_in_the_middle() -> None:
    slots = [ChartSlot(NOON, NOON + HOUR, 7.0)]
    assert "NaN" not in draw_chart(slots, [], unit="g")


@pytest.mark.slow  # a kernel is started
def test_a_notebook_shows_texts_charts_and_frames(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbformat = pytest.importorskip("nbformat", reason="comes with the extra dev")
    nbclient = pytest.importorskip("nbclient", reason="comes with the extra dev")
    monkeypatch.setenv("GRIDTIDE_URL", address)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = nbformat.v4.new_notebook()
    cells = (
        "import gridtide; gridtide.best_window('DE', 4)",
        "gridtide.best_region(['DE', 'FR'], 4)",
        "gridtide.forecast('DE')",
        "gridtide.intensity('DE').to_pandas()",
        "gridtide.forecast('DE').to_polars()",
        "print(gridtide.best_window('DE', 4))",
    )
    notebook.cells = [nbformat.v4.new_code_cell(each) for each in cells]
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [cell.outputs[-1] for cell in notebook.cells]
    for each in shown[:3]:
        assert "<svg" in each.data["text/html"]
        assert parsed(each.data["text/html"]) is not None
        assert each.data["text/plain"].startswith("<")
    assert "Germany" in shown[0].data["text/plain"]
    assert all("<table" in each.data["text/html"] for each in shown[3:5])
    assert shown[5].text.startswith("DE (Germany): 2026-03-02T14:00Z")


def test_the_public_results_all_show_themselves() -> None:
    for name in gridtide.__all__:
        kind = getattr(gridtide, name)
        if hasattr(kind, "from_json"):
            assert "_repr_html_" in dir(kind), name
