"""The four claims that this project began with, and what each comes to on the data at hand.

Shifting work in space saves much, in time less: 5 to 10 times between regions of one country,
over 70 % by region, 8 % by start hour, up to 25 % by pausing a run of 8 days. For each: the
claim, our figure by the same measure, why the two differ, and a chart. It is arithmetic on the
printed figures and on CarbonCast's series of 2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridtide_pipelines.reproduce.figures import missing_files, read_printed
from gridtide_pipelines.reproduce.papers import dodge2022_style
from gridtide_pipelines.reproduce.pictures import Bar, Bars, Line, Lines, Mark, Picture

Floats = NDArray[np.float64]

NAMES = {
    "AUS_QLD": "Queensland",
    "BPAT": "US Northwest",
    "CISO": "California",
    "DE": "Germany",
    "ERCO": "Texas",
    "ES": "Spain",
    "FPL": "Florida",
    "ISNE": "New England",
    "NL": "Netherlands",
    "NYISO": "New York",
    "PJM": "US Mid-Atlantic",
    "PL": "Poland",
    "SE": "Sweden",
}
REGIONS = tuple(NAMES[region] for region in dodge2022_style.REGIONS)
IN_US = ("BPAT", "CISO", "ERCO", "FPL", "ISNE", "NYISO", "PJM")
US_GRIDS = tuple(NAMES[region] for region in IN_US)
HYDRO = NAMES["BPAT"]
YEAR_2020 = 366 * 24
DAY, RUN = 24, 6  # hours of a day, and of Dodge's run of BERT finetuning
BERT_LM = 36  # hours
EIGHT_DAYS = 192  # hours: the 6B Transformer
LINES = (
    "California",
    "Texas",
    "Germany",
    "US Mid-Atlantic",
    "Sweden",
)  # from the most to the least daily swing

PATTERSON = "Patterson et al. 2021, arXiv:2104.10350"
DODGE = "Dodge et al. 2022, arXiv:2206.05229"
OURS, OTHER, PAPER = "ours", "other", "paper"
FULL = 30.0  # %, the width of every picture of pausing


@dataclass(frozen=True, slots=True)
class Headline:
    """One claim.

    Attributes:
        claim: what was printed, in a few words.
        citation: where.
        ours: what it comes to on our data; or that there is none, and what is missing.
        why: why the two differ.
        pictures: what the figures look like.
    """

    claim: str
    citation: str
    ours: str
    why: str
    pictures: tuple[Picture, ...]


def headlines(data: Path | None) -> list[Headline]:
    """Return the four claims; without series in the folder `data`, by printed figures.

    Raises:
        BadInput: a file is there but is not what it should be.
    """
    paper = read_printed("dodge2022")
    lacking = missing_files(data, *dodge2022_style.FILES)
    series: dict[str, Floats] = {}
    if data is not None and not lacking:
        series = {
            factors: dodge2022_style.read_series(data, factors)
            for factors in dodge2022_style.FACTORS
        }
    none = f"No data: {lacking}."
    of_dodge = (by_region, by_time_of_day, by_pausing)
    return [within_a_country(series, none), *(each(series, paper, none) for each in of_dodge)]


def within_a_country(series: dict[str, Floats], lacking: str) -> Headline:
    """Check 5 to 10 times within a country: Google's regions in the US, and zones in the US."""
    in_us = {
        year: {
            name: intensity
            for name, (_, intensity) in table["regions"].items()
            if name.startswith("us-")
        }
        for year, table in read_printed("google_regions").items()
    }
    ratios = {year: max(each.values()) / min(each.values()) for year, each in in_us.items()}
    year = max(in_us)
    of_google = [Bar(name, intensity, PAPER) for name, intensity in in_us[year].items()]
    low, high = min(ratios.values()), max(ratios.values())
    ours = (
        f"Google's own regions in the US lie {low:.1f} to {high:.1f} times apart, by year from "
        f"{min(ratios)} to {max(ratios)}. "
    )
    pictures: list[Picture] = [
        Bars(f"Google Cloud regions in the US, grid intensity {year}", "gCO2e/kWh", of_google)
    ]
    if series:
        means = {
            factors: dict(zip(REGIONS, each[:, :YEAR_2020].mean(axis=1), strict=True))
            for factors, each in series.items()
        }
        others = [grid for grid in US_GRIDS if grid != HYDRO]
        spread, without = (
            [
                max(mean[each] for each in grids) / min(mean[each] for each in grids)
                for mean in means.values()
            ]
            for grids in (US_GRIDS, others)
        )
        ours += (
            f"Seven grids of the US in 2020 lie {spread[0]:.1f} times apart with lifecycle "
            f"factors, {spread[1]:.1f} times with direct ones. That rests on one grid of "
            f"hydropower: without the {HYDRO} they lie {without[0]:.2f} and {without[1]:.2f} "
            "times apart."
        )
        grids = [Bar(grid, means["lifecycle"][grid], OURS) for grid in US_GRIDS]
        pictures.append(Bars("Grids of the US, mean lifecycle intensity 2020", "g/kWh", grids))
    else:
        ours += lacking
    return Headline(
        claim="The same work emits 5 to 10 times more or less by place, within one country",
        citation=f"{PATTERSON}, abstract",
        ours=ours,
        why=(
            "The factor is that of the one cleanest grid: hydropower in the Northwest, which "
            "with direct factors counts 0 g. Between the other grids it is far from 5. The "
            "paper compares data centres of one operator with the US average, we compare "
            "whole grids."
        ),
        pictures=tuple(pictures),
    )


def by_region(series: dict[str, Floats], paper: dict[str, Any], lacking: str) -> Headline:
    """Check over 70 % by region: one run of BERT in 13 regions, mean of sixty starts."""
    text, kwh = paper["text"], paper["models"]["BERT LM"]["kwh"]
    best, worst = (text[f"bert_lm_{which}_region"] / 1000 for which in ("best", "worst"))
    bars = [Bar("paper, cleanest", best, PAPER), Bar("paper, dirtiest", worst, PAPER)]
    ours = lacking
    if series:
        kilograms = run_means(series["lifecycle"], BERT_LM).mean(axis=1) * kwh / 1000
        named = dict(zip(REGIONS, kilograms, strict=True))
        bars += [Bar(region, value, OURS) for region, value in named.items()]
        cleanest, dirtiest = (
            min(named, key=named.__getitem__),
            max(named, key=named.__getitem__),
        )
        ours = (
            f"{100 * (1 - named[cleanest] / named[dirtiest]):.0f} %: "
            f"{named[cleanest]:.1f} kg in {cleanest} against "
            f"{named[dirtiest]:.1f} kg in {dirtiest}."
        )
    return Headline(
        claim="Choosing the region saves over 70 %: 7 kg instead of 26 kg for one run of BERT",
        citation=f"{DODGE}, Fig. 1",
        ours=ours,
        why=(
            "Other regions and another signal: 13 grids of CarbonCast with average intensity "
            "against 16 cloud regions with marginal emissions. The next kWh comes from a "
            "fossil plant nearly everywhere, so marginal regions lie closer together."
        ),
        pictures=(Bars(f"One run of BERT LM, 36 h, {kwh:g} kWh", "kg CO2e", bars),),
    )


def by_time_of_day(series: dict[str, Floats], paper: dict[str, Any], lacking: str) -> Headline:
    """Check 8 % by time of day: a run of 6 hours by the hour at which it starts."""
    hours = paper["time_of_day"]["hours"]
    by_day = np.array(paper["time_of_day"]["grams"])
    lines = [Line("Central US, paper", relative(by_day.mean(axis=0)), PAPER)]
    in_table = 100 * (by_day.max(axis=1) / by_day.min(axis=1) - 1).max()
    ours = lacking
    if series:
        values = series["lifecycle"][:, : YEAR_2020 + RUN]
        starts = np.arange(YEAR_2020).reshape(-1, DAY)[:, hours]
        sums = np.concatenate([np.zeros((len(REGIONS), 1)), values.cumsum(axis=1)], axis=1)
        by_hour = (sums[:, starts + RUN] - sums[:, starts]).mean(axis=1)
        named = dict(zip(REGIONS, by_hour, strict=True))
        lines += [Line(region, relative(named[region]), OURS) for region in LINES]
        swing = {region: 100 * (each.max() / each.min() - 1) for region, each in named.items()}
        least, most = min(swing, key=swing.__getitem__), max(swing, key=swing.__getitem__)
        middle = np.median(list(swing.values()))
        ours = (
            f"Over 2020 the worst of eight start hours emits {swing[least]:.0f} % ({least}) to "
            f"{swing[most]:.0f} % ({most}) more than the best, {middle:.0f} % in the median "
            f"region. By the same measure the paper's Table 3 gives {in_table:.1f} % on the "
            "widest of its three days."
        )
    return Headline(
        claim="A 6-hour run emits up to 8 % more at midnight than from 06:00",
        citation=f"{DODGE}, Sec. 5.2 and Table 3",
        ours=ours,
        why=(
            "It depends on how much sun a grid has: hardly anything where hydropower, nuclear "
            "or coal runs around the clock, much in California. The paper looks at three days "
            "of one region, Central US, which is not among ours, and at marginal emissions; "
            "ours are means over 2020 of 13 grids. Our hours are UTC."
        ),
        pictures=(
            Lines("A 6-hour run by start hour, against its own mean", "%", hours, lines),
        ),
    )


def by_pausing(series: dict[str, Floats], paper: dict[str, Any], lacking: str) -> Headline:
    """Check up to 25 % by pausing a run of 8 days that may take 16."""
    plotted = paper["regions"]["reduction"]
    column = paper["regions"]["columns"].index("6B Transformer pausing")
    claim = paper["text"]["pause_resume_8_day_job_max"]
    mark = Mark(claim, f"up to about {claim:g} %")
    of_paper = [Bar(region, values[column], PAPER) for region, values in plotted.items()]
    title = "As plotted in the paper: marginal emissions, 16 regions"
    pictures: list[Picture] = [Bars(title, "% less", of_paper, mark, FULL)]
    ours = lacking
    if series:
        found = {
            factors: dodge2022_style.reductions(each, EIGHT_DAYS, ["+100%"])
            for factors, each in series.items()
        }
        saved = {
            factors: {
                NAMES[region]: each[region, "+100%"].pause_resume
                for region in dodge2022_style.REGIONS
            }
            for factors, each in found.items()
        }
        best = {factors: max(each, key=each.__getitem__) for factors, each in saved.items()}
        mean = found["lifecycle"][dodge2022_style.MEAN, "+100%"].pause_resume
        ours = (
            f"{max(saved['lifecycle'].values()):.1f} % at best ({best['lifecycle']}, lifecycle "
            f"factors; {max(saved['direct'].values()):.1f} % in {best['direct']} with direct "
            f"ones), {mean:.1f} % in the mean of 13 regions."
        )
        for factors, kind in (("lifecycle", OURS), ("direct", OTHER)):
            bars = [Bar(region, value, kind) for region, value in saved[factors].items()]
            title = f"On our data: average intensity, {factors} factors, 13 regions"
            pictures.append(Bars(title, "% less", bars, mark, FULL))
    return Headline(
        claim="Pausing a run of 8 days, with 8 more to finish in, saves up to 25 %",
        citation=f"{DODGE}, Fig. 4b; its bar for West US reads 28.8 %",
        ours=ours,
        why=(
            "A like size, in other regions (13 grids against 16 cloud regions): average "
            "intensity swings with wind and sun over days, most in Germany and California; the "
            "paper's marginal emissions swing most in West US and Norway. Both know the "
            "future; a forecast would save less."
        ),
        pictures=tuple(pictures),
    )


def run_means(hourly: Floats, hours: int) -> Floats:
    """Return the mean intensity of a run from each of the sixty starts (regions, starts)."""
    at = dodge2022_style.starts()
    sums = np.concatenate([np.zeros((len(hourly), 1)), hourly.cumsum(axis=1)], axis=1)
    means: Floats = (sums[:, at + hours] - sums[:, at]) / hours
    return means


def relative(values: Floats) -> list[float]:
    """Return how far each value lies above the mean of them all, %."""
    return [float(each) for each in 100 * (values / values.mean() - 1)]
