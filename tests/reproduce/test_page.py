"""The page and its pictures: whole without the rest of the world, and drawn to scale."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from gridtide_pipelines.reproduce.figures import Kind, Reproduction, compare
from gridtide_pipelines.reproduce.headlines import headlines
from gridtide_pipelines.reproduce.papers import reproductions
from gridtide_pipelines.reproduce.pictures import Bar, Bars, Line, Lines, Mark, svg
from gridtide_pipelines.reproduce.report import page, summary

PAPER = Reproduction("p", "A <title>", "Cite & co", "", lambda _: [])
VOID = {"meta", "rect", "line", "polyline", "br", "i"}


class Reader(HTMLParser):
    """Collects tags, the words of tables, and what is left open."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID - {"i"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


@pytest.fixture(scope="module")
def whole() -> str:
    papers = {name: (paper, paper.run(None)) for name, paper in reproductions().items()}
    return page(headlines(None), papers)


def test_the_page_requests_nothing_from_elsewhere(whole: str) -> None:
    reader = read(whole)
    assert reader.open == []
    assert {"script", "link", "img", "iframe"} & {tag for tag, _ in reader.tags} == set()
    asking = {"src", "href", "srcset", "data", "action"}
    assert [attrs for _, attrs in reader.tags if asking & set(attrs)] == []
    assert not re.search(r"@import|url\(", whole)


def test_the_page_has_the_four_claims_a_picture_each_and_every_figure(whole: str) -> None:
    reader = read(whole)
    for words in ("5 to 10 times", "over 70 %", "up to 8 % more", "up to 25 %"):
        assert words in whole
    assert sum(tag == "svg" for tag, _ in reader.tags) == 4
    figures = sum(len(paper.run(None)) for paper in reproductions().values())
    assert len(re.findall(r"<tr><td>", whole)) == figures
    every = summary([row for paper in reproductions().values() for row in paper.run(None)])
    assert whole.count(every) == 2  # above and below


def test_without_series_the_claims_say_what_is_missing(whole: str) -> None:
    assert whole.count("No data: needs data/carboncast/AUS_QLD.parquet and 12 more") == 4


def test_words_are_escaped() -> None:
    row = compare(
        "a < b", "x & y", "<script>", kind=Kind.PUBLISHED, tolerance=0, unit="", note='"quoted"'
    )
    text = page([], {"p": (PAPER, [row])})
    assert "A &lt;title&gt;" in text
    assert "<td>a &lt; b</td>" in text
    assert "&lt;script&gt;" in text
    assert '<td class="fail">fail</td><td>&quot;quoted&quot;</td>' in text


def elements(text: str, name: str) -> list[dict[str, str]]:
    return [dict(each.attrib) for each in ElementTree.fromstring(text).iter(name)]  # noqa: S314  # our own text


def test_bars_are_sorted_and_as_long_as_their_values() -> None:
    bars = [Bar("b", 40.0, "ours"), Bar("a", 10.0, "paper"), Bar("c", 20.0, "ours")]
    drawn = elements(svg(Bars("t", "kg", bars)), "rect")
    widths = [float(each["width"]) for each in drawn]
    assert [width / widths[2] for width in widths] == pytest.approx([0.25, 0.5, 1.0], abs=1e-3)
    assert [each["class"] for each in drawn] == ["paper", "ours", "ours"]


def test_a_mark_lies_where_a_bar_of_its_value_would_end() -> None:
    drawn = svg(Bars("t", "%", [Bar("a", 25.0, "ours")], Mark(25.0, "claim"), 30.0))
    (bar,), (mark,) = elements(drawn, "rect"), elements(drawn, "line")
    end = float(bar["x"]) + float(bar["width"])
    assert float(mark["x1"]) == pytest.approx(end, abs=0.1)


def test_lines_rise_with_their_values_and_zero_is_drawn() -> None:
    lines = [Line("up", [-5.0, 0.0, 10.0], "ours"), Line("flat", [0.0, 0.0, 0.0], "paper")]
    drawn = svg(Lines("t", "%", [0, 6, 12], lines))
    up, flat = (
        [tuple(map(float, point.split(","))) for point in each["points"].split()]
        for each in elements(drawn, "polyline")
    )
    (zero,) = (each for each in elements(drawn, "line") if each["class"] == "zero")
    assert [y for _, y in flat] == pytest.approx([float(zero["y1"])] * 3, abs=0.1)
    heights = [flat[0][1] - y for _, y in up]
    assert heights[1] == pytest.approx(0, abs=0.1)
    assert heights[2] > 50  # up on the page is less of y
    assert heights[2] == pytest.approx(-2 * heights[0], abs=0.2)
    assert [x for x, _ in up] == [x for x, _ in flat]


def test_names_of_lines_that_end_together_lie_apart() -> None:
    lines = [Line(str(i), [1.0, 2.0], "ours") for i in range(4)]
    text = svg(Lines("t", "%", [0, 1], lines))
    places = sorted(
        float(y) for y in re.findall(r'class="ours line-\d" x="\S+" y="(\S+)"', text)
    )
    assert len(places) == 4
    assert min(b - a for a, b in itertools.pairwise(places)) >= 12
