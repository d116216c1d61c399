"""Patterson et al. 2021: the energy and emissions of eleven training runs, from printed inputs.

Chips, days, average power, and the data centre's PUE and factors give energy and emissions. The
inputs are printed to two or three digits, so Table 4 agrees within 1.3 % and 1.6 %; Table 1
agrees in every digit that is printed. Needs no series.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from pathlib import Path
from typing import Any

from gridtide.accounting.emissions import emissions_g, energy_kwh, gains
from gridtide_pipelines.reproduce.figures import (
    Kind,
    Reproduction,
    Row,
    compare,
    read_printed,
    row_without_data,
)

ENERGY, EMISSIONS = 0.013, 0.016  # of the printed value
TABLE_1_KWH, TABLE_1_T = 0.5, 0.00005  # half of the last digit that is printed
FRACTION = 0.0005  # the same, of Table 4's fractions
TENTH, WHOLE, ABOUT = 0.05, 0.5, 2.5  # half of a tenth, of one, and of the five of "about 115"
KG_PER_POUND = 0.45359237  # exact by definition
SEATS, OCCUPIED = 175, 0.845  # App. D, footnote 36

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ours:
    """One run as computed: kWh, and tCO2e by the grid's and by the net factor."""

    kwh: float
    gross: float
    net: float


def run(data: Path | None) -> list[Row]:
    """Compute every run, the corrected NAS estimate, and the gains; needs no `data`."""
    figures = read_printed("patterson2021")
    sites = {(site["name"], site["period"]): site for site in figures["datacenter"]}
    runs = {f"{each['model']}, {each['scenario']}": each for each in figures["run"]}
    ours = {
        name: computed(each, sites[each["datacenter"], each["period"]])
        for name, each in runs.items()
        if "watts" in each
    }
    text = figures["text"]
    nas = pounds_of_search(text, "nas_hours_per_step_transformer_big_8xp100", 8)
    rows = [
        *_nas_rows(text, ours, nas),
        *_gain_rows(text, runs, sites),
        *_other_rows(text, runs, ours),
    ]
    for name, each in runs.items():
        rows.extend(_rows(name, each, ours.get(name), nas, text))
    return rows


def computed(each: Figures, site: Figures, *, pue: float | None = None) -> Ours:
    """Return energy and emissions of a run at a data centre, or with another PUE there."""
    kwh = energy_kwh(
        each["days"] * 24,
        processors=each["chips"],
        power_kw=each["watts"] / 1000,
        pue=site["pue"] if pue is None else pue,
    )
    return Ours(kwh, tonnes(kwh, site["gross"]), tonnes(kwh, site["net"]))


def tonnes(kwh: float, kg_per_kwh: float) -> float:
    """Return emissions in tCO2e."""
    return emissions_g(kwh, 1000 * kg_per_kwh) / 1e6


def pounds_of_search(text: Figures, hours_a_step: str, processors: int) -> float:
    """Return emissions of the architecture search in t, as Strubell et al. estimated them."""
    chip_hours = text["nas_train_steps"] * text[hours_a_step] * processors
    return float(chip_hours * text["strubell_p100_rate"] * KG_PER_POUND / 1000)


def _rows(
    name: str, each: Figures, ours: Ours | None, nas: float, text: Figures
) -> Iterator[Row]:
    """Return the rows of one run: energy and emissions, beside the estimate and a jet."""
    where = each["where"]
    if ours is None:
        note = f"{where} prints neither power nor PUE nor the grid's factor"
        yield row_without_data(
            f"{name}, energy", each["kwh"], kind=Kind.ARITHMETIC, unit="kWh", note=note
        )
        yield row_without_data(
            f"{name}, net", each["net"], kind=Kind.ARITHMETIC, unit="tCO2e", note=note
        )
        return
    in_full = where == "Table 1"
    kwh, gross, net = each["kwh"], each["gross"], each["net"]
    for words, value, mine, unit, tolerance in (
        ("energy", kwh, ours.kwh, "kWh", TABLE_1_KWH if in_full else ENERGY * kwh),
        ("gross", gross, ours.gross, "tCO2e", TABLE_1_T if in_full else EMISSIONS * gross),
        ("net", net, ours.net, "tCO2e", TABLE_1_T if in_full else EMISSIONS * net),
    ):
        yield compare(
            f"{name}, {words}",
            value,
            mine,
            tolerance=tolerance,
            kind=Kind.ARITHMETIC,
            unit=unit,
            note=where,
        )
    for key, words, whole in (
        ("of_nas_estimate", "of the NAS estimate", nas),
        ("of_jet", "of a round trip by jet", text["sf_ny_jet_roundtrip_whole_plane"]),
    ):
        if key in each:
            tolerance = EMISSIONS * each[key] + FRACTION
            mine = ours.net / whole
            label = f"{name}, net {words}"
            yield compare(
                label,
                each[key],
                mine,
                tolerance=tolerance,
                kind=Kind.ARITHMETIC,
                unit="fraction",
                note=where,
            )


def _nas_rows(text: Figures, ours: Mapping[str, Ours], nas: float) -> Iterator[Row]:
    """Return rows of the Evolved Transformer's search: the estimate, corrected step by step."""
    proxy = pounds_of_search(text, "nas_hours_per_step_transformer_base_1xp100", 1)
    actual = ours["Evolved Transformer NAS, as run"].gross
    rerun = tonnes(
        energy_kwh(text["nas_tpu_v2_hours"], power_kw=0.208, pue=1.10), kg_per_kwh=0.080
    )
    for key, mine, unit, tolerance, note in (
        ("strubell_nas_estimate", nas, "tCO2e", TENTH, "App. C"),
        ("nas_estimate_actual_proxy_task_us_average", proxy, "tCO2e", TENTH, "App. C"),
        ("nas_estimate_over_proxy_task", nas / proxy, "x", TENTH, "App. C"),
        (
            "nas_p100_hours",
            text["nas_train_steps"] * text["nas_hours_per_step_transformer_base_1xp100"],
            "h",
            ENERGY * text["nas_p100_hours"],
            "App. D",
        ),
        ("nas_actual_google", actual, "tCO2e", TENTH, "App. D"),
        ("nas_estimate_over_actual", nas / actual, "x", WHOLE, "App. D; 88.2 in full"),
        ("nas_rerun_iowa_net", rerun, "tCO2e", TENTH, "App. D"),
        (
            "nas_estimate_over_rerun",
            nas / rerun,
            "x",
            ENERGY * text["nas_estimate_over_rerun"],
            "App. D; with the PUE of the run, 1.10: Iowa's 1.11 gives 471",
        ),
    ):
        label = key.replace("_", " ")
        yield compare(
            label,
            text[key],
            mine,
            tolerance=tolerance,
            kind=Kind.ARITHMETIC,
            unit=unit,
            note=note,
        )


def _gain_rows(
    text: Figures, runs: Mapping[str, Figures], sites: Mapping[tuple[str, str], Figures]
) -> Iterator[Row]:
    """Return the factors of the 57 times of Fig. 1: model, processor, data centre, region."""
    average, iowa = sites["US average", "2020"], sites["Google Iowa Council Bluffs", "2020-12"]
    first = runs["Transformer (Big), P100, US average datacenter"]
    best = runs["Evolved Transformer (Medium), TPU v2, Google Iowa"]
    same_chip = runs["Transformer (Big), TPU v2, Google Iowa"]
    algorithm = gains([computed(each, average).net for each in (same_chip, best)])
    on_the_way = [
        computed(first, average).net,
        computed(best, average).net,
        computed(best, average, pue=iowa["pue"]).net,
        computed(best, iowa).net,
    ]
    processor, pue, mix = accumulate(gains(on_the_way), mul)
    note = "Fig. 1; the same on P100 gives 1.19"
    for key, words, mine, said in (
        ("step_gain_algorithm", "algorithm, on TPU v2", algorithm[0], note),
        ("step_gain_plus_processor", "algorithm and processor", processor, "Fig. 1"),
        ("step_gain_plus_pue", "these and data centre", pue, "Fig. 1"),
        ("step_gain_plus_energy_mix", "these and energy mix", mix, "Fig. 1; 57 in the text"),
    ):
        label = f"gain by {words}"
        yield compare(
            label, text[key], mine, tolerance=TENTH, kind=Kind.ARITHMETIC, unit="x", note=said
        )
    net = gains([average["net"], iowa["net"]])[0]
    label = "Iowa's net factor against the US average"
    value = text["iowa_net_vs_us_average"]
    yield compare(
        label, value, net, tolerance=TENTH, kind=Kind.ARITHMETIC, unit="x", note="Sec. 2.4"
    )


def _other_rows(
    text: Figures, runs: Mapping[str, Figures], ours: Mapping[str, Ours]
) -> Iterator[Row]:
    """Return a passenger's share of a flight, and GPT-3 against GShard."""
    seat = text["sf_ny_jet_roundtrip_whole_plane"] / (SEATS * OCCUPIED)
    value = text["sf_ny_roundtrip_per_passenger"]
    label = "round trip by jet, a passenger"
    yield compare(
        label, value, seat, tolerance=TENTH, kind=Kind.ARITHMETIC, unit="tCO2e", note="App. D"
    )
    names = ("GPT-3, as run", "GShard-600B, as run")
    large, sparse = (ours[name] for name in names)
    chip_days = [runs[name]["chips"] * runs[name]["days"] for name in names]
    for key, mine in (
        ("gpt3_vs_gshard_processor_years", chip_days[0] / chip_days[1]),
        ("gpt3_vs_gshard_net_co2e", large.net / sparse.net),
        ("gpt3_vs_gshard_gross_co2e", large.gross / sparse.gross),
        ("gpt3_vs_gshard_energy", large.kwh / sparse.kwh),
    ):
        label = key.replace("_", " ")
        yield compare(
            label,
            text[key],
            mine,
            tolerance=ABOUT,
            kind=Kind.ARITHMETIC,
            unit="x",
            note="Sec. 3, about",
        )


REPRODUCTION = Reproduction(
    name="patterson2021",
    title="Carbon emissions of eleven training runs, and where 57 times less come from",
    citation=(
        "Patterson et al. 2021, Carbon Emissions and Large Neural Network Training, "
        "arXiv:2104.10350"
    ),
    original="",
    run=run,
)
