"""The subcommands that read one signal: zones, values, forecasts, and the best window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from gridtide.cli.command import command
from gridtide.cli.options import Json, Options
from gridtide.cli.regions import OneRegion, SeveralRegions
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput, GridtideError, NoData, StaleData, UnknownRegion
from gridtide.schema.prices import PriceRequest
from gridtide.schema.requests import (
    ForecastRequest,
    IntensityRequest,
    WindowRequest,
    ZonesRequest,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gridtide.cli.terminal import Table
    from gridtide.client import Client
    from gridtide.schema.responses import Intensity
    from gridtide.schema.result import Record

RANGE = ("start", "end")
Answer = TypeVar("Answer", bound="Record")


def _print(
    terminal: Terminal,
    call: Callable[[Client], Answer],
    show: Callable[[Answer], Iterable[str | Table]],
) -> int:
    """Print the answer of a service to one call; return the exit code."""
    from gridtide.client import Client

    with Client(environ=terminal.environ) as client:
        answer = call(client)
    terminal.answer(answer.to_json(), lambda: show(answer))
    return 0


@command("zones", examples=["zones", "zones --all --json"], answers=True)
def zones(terminal: Terminal, *, given: Annotated[Json, Options(ZonesRequest)]) -> int:
    """List the zones with their signals and data age."""
    from gridtide.cli import show

    return _print(
        terminal,
        lambda client: client.zones(every=given.get("all", False), as_of=given.get("as_of")),
        show.zones,
    )


@command(
    "now",
    examples=["now GB", "now DE,FR --signal cfe_produced", "now DE --print slots.0.value"],
    answers=True,
)
def now(
    terminal: Terminal,
    *,
    regions: Annotated[list[str], SeveralRegions()],
    given: Annotated[Json, Options(IntensityRequest, without=RANGE)],
) -> int:
    """Show how clean the grid is now.

    Prints the latest known slot of each region. A value older than --max-age is refused with
    exit code 5.
    """
    from gridtide.cli import show
    from gridtide.client import Client

    def latest(region: str) -> Intensity | GridtideError:
        try:
            return client.intensity(region, **given)
        except (NoData, StaleData, UnknownRegion) as error:
            if len(regions) == 1:
                raise
            return error

    with Client(environ=terminal.environ) as client:
        found = [latest(each) for each in regions]
    answers = [each for each in found if not isinstance(each, GridtideError)]
    errors = [each for each in found if isinstance(each, GridtideError)]
    documents = [
        {"region": each, "code": one.code, "detail": str(one), **one.extra}
        if isinstance(one, GridtideError)
        else one.to_json()
        for each, one in zip(regions, found, strict=True)
    ]
    terminal.answer(
        documents[0] if len(documents) == 1 else documents, lambda: map(show.now, answers)
    )
    if terminal.shows_text:
        for error in errors:
            terminal.say(f"gridtide: {error}")
    return max((error.exit_code for error in errors), default=0)


@command(
    "history",
    examples=[
        "history DE --from 2026-11-01 --to 2026-11-02",
        "history GB --from 2026-11-01T00:00Z --to 2026-11-01T06:00Z --json",
    ],
    answers=True,
)
def history(
    terminal: Terminal,
    *,
    region: Annotated[str, OneRegion("history")],
    given: Annotated[
        Json,
        Options(
            IntensityRequest,
            without=("max_age",),
            names={"start": "--from", "end": "--to"},
            required=RANGE,
        ),
    ],
) -> int:
    """List the known values of a region."""
    from gridtide.cli import show

    return _print(terminal, lambda client: client.intensity(region, **given), show.history)


@command(
    "forecast",
    examples=["forecast DE", "forecast GB --local", "forecast US-CAL-CISO --json"],
    answers=True,
)
def forecast(
    terminal: Terminal,
    *,
    region: Annotated[str | None, OneRegion("forecast", optional=True)],
    given: Annotated[Json, Options(ForecastRequest)],
    zone: Annotated[
        list[str] | None,
        typer.Option(metavar="ZONE", help="as in 'gridtide issue'", hidden=True),
    ] = None,
) -> int:
    """Print the newest forecast of a region.

    Without a region it makes new forecast runs, as 'gridtide issue' does.
    """
    if region is None:
        if given.keys() - {"model"} or not (terminal.shows_text or terminal.json):
            raise BadInput("name a region to print its newest forecast: gridtide forecast DE")
        if "GRIDTIDE_URL" in terminal.environ:
            raise BadInput(
                "forecast without a region makes forecast runs on this machine, not at the "
                "service of --url or GRIDTIDE_URL; name a region, or use 'gridtide issue'"
            )
        return _issue(terminal, zone, given.get("model"))
    if zone:
        raise BadInput(
            "--zone makes new forecast runs, and a region prints the newest one; give one of "
            "them, or use 'gridtide issue --zone'"
        )
    from gridtide.cli import show

    return _print(terminal, lambda client: client.forecast(region, **given), show.forecast)


def _issue(terminal: Terminal, zone: list[str] | None, model: str | None) -> int:
    """Make new forecast runs, by the command of the service."""
    from gridtide.cli import app

    words = ["issue", *(f"--zone={each}" for each in zone or ())]
    if model is not None:
        words.append(f"--model={model}")
    if terminal.json:
        words.append("--json")
    return app.run(words, terminal.environ)


@command(
    "price",
    examples=["price DE", "price DE --from 2026-11-28", "price DK1 --currency DKK --json"],
    answers=True,
)
def price(
    terminal: Terminal,
    *,
    region: Annotated[str, OneRegion("price")],
    given: Annotated[
        Json, Options(PriceRequest, names={"start": "--from", "end": "--to"}, required=())
    ],
) -> int:
    """Print the published price of a region, now or ahead.

    Without --to it is listed up to where it is known.
    """
    from gridtide.cli import show_price

    return _print(terminal, lambda client: client.price(region, **given), show_price.price)


@command(
    "best-window",
    examples=[
        "best-window DE --hours 4",
        "best-window GB --hours 90min --deadline 2026-11-28T08:00Z",
        "best-window GB --hours 4 --print start --local",
        "best-window DE --hours 4 --objective cost",
    ],
    answers=True,
)
def best_window(
    terminal: Terminal,
    *,
    region: Annotated[str, OneRegion("best-window")],
    given: Annotated[Json, Options(WindowRequest)],
) -> int:
    """Find the cleanest time to run a job."""
    from gridtide.cli import show

    return _print(
        terminal,
        lambda client: client.best_window(region, **given),
        lambda answer: [show.best_window(answer)],
    )


@command(
    "best-region",
    examples=[
        "best-region DE,FR,GB --hours 4",
        "best-region aws:eu-central-1 aws:eu-west-2 --hours 2h --print region",
        "best-region DE,FR --hours 4 --objective weighted --carbon-price 100",
    ],
    answers=True,
)
def best_region(
    terminal: Terminal,
    *,
    regions: Annotated[list[str], SeveralRegions()],
    given: Annotated[Json, Options(WindowRequest)],
) -> int:
    """Find the cleanest region and time to run a job."""
    from gridtide.cli import show

    return _print(
        terminal, lambda client: client.best_region(regions, **given), show.best_region
    )
