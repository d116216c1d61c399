"""Decisions by the published price, against sums done by hand from the numbers below."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from gridtide.cli.script import main
from gridtide.client import Client
from gridtide.errors import NoData
from gridtide.local import Host, LocalTransport
from gridtide.planning import Cap, Goal, Job, Progress
from gridtide.schema.plans import JobRequest, PlanAnswer
from gridtide.schema.responses import BestWindow
from tests.server.published import (
    HOUR,
    NOW,
    Asker,
    FixedClock,
    Publisher,
    fill,
    observed,
    run,
)

MIDNIGHT = NOW + 12 * HOUR
# From 12:00 to midnight, EUR/MWh; the cheapest 2 h are 14:00 to 16:00: -35.
DE = [60.0, 40.0, -20.0, -50.0, 30.0, 100.0] + [120.0] * 6
# By half hours; the cheapest 2 h are 12:30 to 14:30: 10.
FR = [50.0, 10.0, 10.0, 10.0, 10.0] + [80.0] * 19


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """A server at 12:00 over the numbers of `published` and the prices above."""
    publisher = Publisher(tmp_path_factory.mktemp("prices"))
    fill(publisher)
    known = NOW - 5 * HOUR
    half = HOUR / 2
    publisher.add(
        observed(
            "DE",
            [70.0, *DE],
            start=NOW - HOUR,
            signal="price_eur",
            source="alpha",
            known_at=known,
        ),
        observed(
            "FR", FR, start=NOW, step=half, signal="price_eur", source="beta", known_at=known
        ),
        observed(
            "GB",
            [90.0] * 24,
            start=NOW,
            step=half,
            signal="price_gbp",
            source="beta",
            known_at=known,
        ),
        observed(
            "NL",
            [10.0] * 3,
            start=NOW - 5 * HOUR,
            signal="price_eur",
            source="alpha",
            known_at=known,
        ),
        # Ten days ago, of which a request as of then is answered too.
        observed(
            "NL",
            [11.0],
            start=NOW - 240 * HOUR,
            signal="price_eur",
            source="alpha",
            known_at=NOW - 240 * HOUR,
        ),
        # Twice the euros, and known for an hour less.
        observed(
            "BE", [50.0] * 5, start=NOW, signal="price_eur", source="alpha", known_at=known
        ),
        observed(
            "BE", [100.0] * 4, start=NOW, signal="price_dkk", source="alpha", known_at=known
        ),
        run("GB", [210.0] * 48, source="beta"),
    )
    publisher.publish()
    publisher.close()
    with Asker(publisher.home, FixedClock(NOW)) as asker:
        yield asker


@pytest.fixture(scope="module")
def client(ask: Asker) -> Iterator[Client]:
    """The SDK, asking the same application."""
    with Client("http://test", transport=LocalTransport(Host(ask.app))) as client:
        yield client


USED = {
    "zone": "DE",
    "signal": "price_eur",
    "currency": "EUR",
    "unit": "EUR/MWh",
    "simulated": False,
    "source": "alpha",
    "licence": "CC-BY-4.0",
    "known_at": "2026-03-02T07:00:00Z",
    "data_age_seconds": 5 * 3600,
    "until": "2026-03-03T00:00:00Z",
    # Until midnight, of a forecast of 72 h.
    "coverage": pytest.approx(12 / 72, abs=1e-4),
}
WINDOW = "/v1/best-window?region=DE&hours=2"
REGIONS = "/v1/best-region?region=DE,FR,PL,NL&hours=2"


def test_the_cheapest_window_says_what_its_price_stands_on(ask: Asker) -> None:
    answer = ask.json(f"{WINDOW}&objective=cost")
    assert (answer["start"], answer["mean"]) == ("2026-03-02T14:00:00Z", 150.0)
    assert answer["price"] == {**USED, "mean": -35.0, "mean_now": 50.0}
    assert (answer["objective"], answer["carbon_price"]) == ("cost", None)
    # From 50 to -35.
    assert answer["saving"] == pytest.approx(85 / 50)


def test_a_carbon_price_weighs_both(ask: Asker) -> None:
    # At 14:00: -0.035 + 150 c; at 15:00: (-0.05 + 0.03) / 2 + 125 c, less from 1000 a tonne on.
    for price, start, rate in ((500, "14", -0.035 + 0.075), (2000, "15", -0.01 + 0.25)):
        answer = ask.json(f"{WINDOW}&objective=weighted&carbon_price={price}")
        assert answer["start"] == f"2026-03-02T{start}:00:00Z"
        at_once = 0.05 + price / 1e6 * 290
        assert answer["saving"] == pytest.approx(1 - rate / at_once)
        assert (answer["objective"], answer["carbon_price"]) == ("weighted", price)


def test_carbon_is_what_is_least_where_nothing_is_said(ask: Asker) -> None:
    plain = ask.json(WINDOW)
    assert ask.json(f"{WINDOW}&objective=carbon") == plain
    assert (plain["objective"], plain["price"]) == ("carbon", None)
    clean = ask.json(f"{WINDOW}&signal=cfe_produced&objective=cfe")
    assert clean == ask.json(f"{WINDOW}&signal=cfe_produced")
    assert clean["objective"] == "cfe"


def test_regions_are_ranked_by_cost_and_those_without_a_price_say_why(ask: Asker) -> None:
    answer = ask.json(f"{REGIONS}&objective=cost")
    first, second, *others = answer["ranking"]
    assert [(one["zone"], one["price"]["mean"]) for one in (first, second)] == [
        ("DE", -35.0),
        ("FR", 10.0),
    ]
    # Half hours are cut where they are, hours of the forecast as well.
    assert second["start"] == "2026-03-02T12:30:00Z"
    reasons = {one["zone"]: one["reason"] for one in others}
    assert "PL (Poland) has no price here" in reasons["PL"]
    assert "NL: no price is known after" in reasons["NL"]


def test_currencies_are_never_mixed(ask: Asker) -> None:
    url = "/v1/best-region?region=DE,GB&hours=2"
    problem = ask.problem(f"{url}&objective=cost", 422, "no_common_signal")
    assert problem["signals"] == {"DE": ["price_eur"], "GB": ["price_gbp"]}
    assert "name regions of one currency, or compare them by the objective" in problem["detail"]
    jobs = [{"job": {"hours": 2}, "regions": [each]} for each in ("DE", "GB")]
    goal = {"objective": "cost"}
    ask.problem(
        "/v1/plan",
        422,
        "no_common_signal",
        {"job": {"hours": 1}, "regions": ["DE", "GB"], "goal": goal},
    )
    ask.problem(
        "/v1/schedule", 422, "no_common_signal", {"jobs": jobs, "caps": {}, "goal": goal}
    )
    assert ask.json(url)["zone"] == "DE"


@pytest.mark.parametrize(
    ("query", "currency", "mean"),
    [
        ("region=BE", "EUR", 50),
        ("region=BE&currency=dkk", "DKK", 100),
        ("region=BE,FR", "EUR", 10),
    ],
)
def test_of_two_currencies_one_is_chosen(
    ask: Asker, query: str, currency: str, mean: float
) -> None:
    price = ask.json(f"/v1/best-region?{query}&hours=2&objective=cost")["price"]
    assert (price["currency"], price["mean"]) == (currency, mean)


@pytest.mark.parametrize(
    ("query", "status", "code", "words"),
    [
        (
            "hours=13&objective=cost",
            422,
            "no_feasible_window",
            "price_eur of DE is known until 2026-03-03T00:00:00Z, and no price is assumed",
        ),
        ("hours=2&objective=cost&currency=GBP", 422, "no_common_signal", "DE has EUR; name an"),
        ("hours=2&objective=cost&currency=euro", 422, "bad_input", "give its ISO 4217 code"),
        ("hours=2&currency=EUR", 422, "bad_input", "go with the objectives cost and weighted"),
        (
            "hours=2&objective=weighted",
            422,
            "bad_input",
            "give carbon_price, the price of a tonne",
        ),
        ("hours=2&objective=cheap", 422, "bad_input", "one of carbon, cfe, cost, weighted"),
        ("hours=2&carbon_price=much", 422, "bad_input", "carbon_price: must be a number"),
        ("hours=2&objective=weighted&carbon_price=-1", 422, "bad_input", "carbon_price"),
        ("hours=2&objective=cfe", 422, "bad_input", "does not fit ci_lifecycle_produced"),
        ("hours=2&objective=carbon&signal=cfe_produced", 422, "bad_input", "cfe and cost"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(
    ask: Asker, query: str, status: int, code: str, words: str
) -> None:
    assert words in ask.problem(f"/v1/best-window?region=DE&{query}", status, code)["detail"]


KINDS = {
    # By hand: the cheapest quarters; -20 and -50 are 2 h, 30 is the third.
    "unbroken": ({"hours": 3}, (-20 - 50 + 30) / 1000),
    "interruptible": ({"hours": 4, "kind": "interruptible"}, (-20 - 50 + 30 + 40) / 1000),
    "segments": ({"hours": 3, "kind": "segments", "max_segments": 2}, (-20 - 50 + 30) / 1000),
    "elastic": ({"hours": 2, "workers": {"maximum": 2}, "kind": "elastic"}, 2 * -50 / 1000),
}


@pytest.mark.parametrize("kind", KINDS)
def test_jobs_of_every_kind_are_planned_by_cost(ask: Asker, client: Client, kind: str) -> None:
    job, cost = KINDS[kind]
    body = {"job": job, "regions": ["DE", "PL"], "goal": {"objective": "cost"}}
    answer = ask.post("/v1/plan", body)
    assert (answer["cost"], answer["cost_unit"]) == (pytest.approx(cost), "EUR")
    assert answer["prices"] == [USED]
    assert [one["region"] for one in answer["left_out"]] == ["PL"]
    assert "known yet after 2026-03-03T00:00:00Z" in answer["what_would_change"]
    batch = client.batch(
        [
            {"kind": "plan", **body},
            {"kind": "best_window", "region": "DE", "hours": 2, "objective": "cost"},
        ]
    )
    made, window = batch
    assert isinstance(made, PlanAnswer)
    assert isinstance(window, BestWindow)
    assert window.price is not None
    assert (made.cost, window.price.mean) == (pytest.approx(cost), -35)


def test_a_weighted_plan_is_the_sum_of_cost_and_emissions(client: Client) -> None:
    goal = Goal("weighted", carbon_price=2000)
    made = client.plan(Job(2 * HOUR), "DE", goal=goal)
    assert (made.start, made.cost) == (NOW + 3 * HOUR, pytest.approx(-0.02))
    assert made.grams == pytest.approx(250)
    again = client.replan(made, Progress(at=NOW))
    assert (again.start, again.prices) == (made.start, made.prices)
    assert PlanAnswer.from_json(made.to_json()).prices == made.prices


def test_a_plan_beyond_the_price_is_refused_with_its_end(ask: Asker) -> None:
    body = {"job": {"hours": 13}, "regions": ["DE"], "goal": {"objective": "cost"}}
    problem = ask.problem("/v1/plan", 422, "no_feasible_window", body)
    assert "price_eur of DE is known until 2026-03-03T00:00:00Z" in problem["detail"]
    beyond = {**body, "job": {"hours": 1}, "bounds": {"earliest": "2026-03-03T00:00:00Z"}}
    ask.problem("/v1/plan", 422, "no_feasible_window", beyond)


def test_a_schedule_by_cost_keeps_to_its_caps(client: Client) -> None:
    jobs = [JobRequest(Job(HOUR, "interruptible"), "DE") for _ in range(2)]
    made = client.schedule(jobs, {"DE": Cap(jobs=1)}, Goal("cost"))
    assert made.total == pytest.approx((-50 - 20) / 1000)
    assert made.exact
    assert [one.prices[0].signal for one in made.plans] == ["price_eur"] * 2


def test_the_price_of_now_of_a_range_and_of_what_lies_ahead(client: Client) -> None:
    now = client.price("DE")
    assert [(slot.start, slot.value) for slot in now.slots] == [(NOW, 60.0)]
    assert (now.unit, now.currency, now.until) == ("EUR/MWh", "EUR", MIDNIGHT)
    ahead = client.price("DE", start=NOW - 2 * HOUR)
    assert [slot.value for slot in ahead.slots] == [None, 70.0, *DE]
    assert ahead.costs().slots[3].value == pytest.approx(0.04)
    half = client.price("FR", start=NOW, end=NOW + HOUR)
    assert [slot.end - slot.start for slot in half.slots] == [HOUR / 2] * 2
    assert client.price("BE", currency="DKK").slots[0].value == 100.0
    assert {zone.zone: zone.prices for zone in client.zones() if zone.prices} == {
        "BE": ("price_dkk", "price_eur"),
        "DE": ("price_eur",),
        "FR": ("price_eur",),
        "GB": ("price_gbp",),
        "NL": ("price_eur",),
    }


def test_nothing_is_known_before_it_was_received(client: Client) -> None:
    before = NOW - 5 * HOUR - timedelta(minutes=1)
    with pytest.raises(NoData, match=r"DE .* has no price here"):
        client.price("DE", as_of=before)
    assert client.price("DE", start=NOW, as_of=NOW - 5 * HOUR).slots[0].value == 60.0
    for days, until in ((9, 239), (0.5, 239)):
        old = client.price("NL", start=NOW - 240 * HOUR, as_of=NOW - days * 24 * HOUR)
        assert old.until == NOW - until * HOUR
    assert client.price("NL", start=NOW - 240 * HOUR).until == NOW - 2 * HOUR


@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ("DE/price?currency=GBP", "no_data", "it has one in EUR"),
        ("PL/price", "no_data", "PL (Poland) has no price here"),
        ("NL/price", "no_data", "it is known until 2026-03-02T10:00:00Z"),
        ("US/price", "no_data", "is an aggregate"),
        ("DE/price?end=2026-03-03", "bad_input", "end is given without start"),
        ("DE/price?start=2026-03-09", "no_data", "known until 2026-03-03T00:00:00Z"),
    ],
)
def test_no_price_is_invented(ask: Asker, query: str, code: str, words: str) -> None:
    status = 404 if code == "no_data" else 422
    assert words in ask.problem(f"/v1/zones/{query}", status, code)["detail"]


def test_a_command_says_cost_unit_source_age_and_end(
    ask: Asker, capsys: pytest.CaptureFixture[str]
) -> None:
    home = {"GRIDTIDE_HOME": str(ask.reader.home.root), "GRIDTIDE_NOW": "2026-03-02T12:00Z"}
    for words, *said in (
        (
            "best-window DE --hours 2 --objective cost",
            "-35.00 EUR/MWh, at once: 50.00 EUR/MWh",
            "170.0 % less than at once",
        ),
        (
            "best-region DE FR --hours 2 --objective weighted --carbon-price 100",
            "cost + 100 EUR/t x emissions",
            "10.00 EUR/MWh",
        ),
        (
            "plan DE --hours 2 --objective cost",
            "-0.07 EUR",
            "price_eur of DE until 2026-03-03T00:00Z, known for 17% of the time, 5 h old",
        ),
        ("price DE", "60.00 EUR/MWh", "known until 2026-03-03T00:00Z"),
    ):
        assert main(words.split(), environ=home) == 0
        printed = capsys.readouterr().out
        for each in said:
            assert each in printed
