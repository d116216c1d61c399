"""A reproduction as lines of text and as an HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import floor, log10

from gridtide_pipelines.reproduce.figures import (
    Kind,
    Reproduction,
    Row,
    Value,
    Verdict,
    counts,
    counts_by_kind,
    not_reproduced,
)
from gridtide_pipelines.reproduce.headlines import Headline
from gridtide_pipelines.reproduce.pictures import svg

UNKNOWN = "-"
HEAD = (
    "figure",
    "kind",
    "printed",
    "reference",
    "ours",
    "difference",
    "unit",
    "verdict",
    "note",
)
NUMBERS = {"printed", "reference", "ours", "difference"}

STYLE = """
:root { --ink: #1d2b33; --soft: #5b6b75; --line: #d9e0e4; --paper: #fbfcfc; --card: #fff;
  --ours: #1f7a6d; --other: #86b8ae; --print: #c8642b; --pass: #1f7a6d; --fail: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4ebee; --soft: #9fb0b9; --line: #34434c;
  --paper: #10181d; --card: #172228; --ours: #4fb8a6; --other: #2f6f65; --print: #e58a52;
  --pass: #4fb8a6; --fail: #f2837b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui,
  sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 0 0 .5rem; }
h3 { font-size: .95rem; margin: 1.2rem 0 .3rem; color: var(--soft); font-weight: 600; }
.lead, .cite { color: var(--soft); }
.cite { font-size: .85rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 1.4rem 1.5rem; margin: 1.4rem 0; }
dl { display: grid; grid-template-columns: 8.5rem 1fr; gap: .4rem 1rem; margin: .8rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
svg { width: 100%; height: auto; display: block; font-size: 12px; }
svg text { fill: var(--ink); } svg text.value { fill: var(--soft); }
svg rect.ours { fill: var(--ours); } svg rect.other { fill: var(--other); }
svg rect.paper { fill: var(--print); }
svg polyline { fill: none; stroke: currentColor; stroke-width: 2; }
svg text.ours, svg text.paper { fill: currentColor; } svg text.mark { fill: var(--print); }
svg .paper { color: var(--print); } svg polyline.paper { stroke-dasharray: 5 3; }
svg .line-1 { color: #b8912a; } svg .line-2 { color: #3f6fb5; }
svg .line-3 { color: var(--ours); } svg .line-4 { color: #8a5aa8; }
svg .line-5 { color: #7a868d; }
svg line.mark { stroke: var(--print); stroke-width: 1.5; stroke-dasharray: 4 3; }
svg line.grid { stroke: var(--line); } svg line.zero { stroke: var(--soft); }
.legend span { margin-right: 1.2rem; font-size: .85rem; color: var(--soft); }
.legend i { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px;
  margin-right: .4rem; vertical-align: -1px; }
details { margin-top: .6rem; } summary { cursor: pointer; color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .82rem;
  font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .22rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; }
.pass { color: var(--pass); } .fail { color: var(--fail); font-weight: 700; }
.no-data { color: var(--soft); }
@media (max-width: 600px) { dl { grid-template-columns: 1fr; gap: .1rem; }
  dd { margin-bottom: .5rem; } }
"""

LEGEND = """<p class="legend"><span><i style="background:var(--ours)"></i>our data</span>
<span><i style="background:var(--other)"></i>our data, direct factors</span>
<span><i style="background:var(--print)"></i>as printed</span></p>"""


def lines(paper: Reproduction, rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines for one paper: a head, a line for each figure, the counts."""
    yield f"{paper.name}: {paper.title}"
    yield f"  {paper.citation}"
    if paper.original and counts(rows)[Verdict.NO_DATA]:
        yield f"  public original of the series: {paper.original}"
    cells = [
        (row.label, str(row.kind), *format_values(row), row.unit, str(row.verdict), row.note)
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(HEAD, *cells, strict=True)]
    for line in (HEAD, *cells):
        padded = (
            f"{cell:>{width}}" if name in NUMBERS else f"{cell:{width}}"
            for name, cell, width in zip(HEAD, line, widths, strict=True)
        )
        yield f"  {'  '.join(padded)}".rstrip()
    for why, figures in not_reproduced(rows).items():
        yield f"  not reproduced: {figures} figures of the authors: {why}"
    yield f"{paper.name}: {summary(rows)}"


def summary(rows: Sequence[Row]) -> str:
    """Return the counts as text, kind by kind."""
    found = counts_by_kind(rows)
    return "; ".join(f"{kind}: {_counted(found[kind])}" for kind in Kind)


def _counted(found: Mapping[Verdict, int]) -> str:
    return ", ".join(f"{found[each]} {each}" for each in Verdict)


def format_values(row: Row) -> tuple[str, str, str, str]:
    """Format printed value, reference, ours and the difference, with the digits that matter."""
    digits = _digits(row)
    difference = row.difference
    return (
        _number(row.printed, None),
        _number(row.reference, None),
        _number(row.ours, digits),
        ""
        if difference is None
        else f"{_unsigned_zero(round(difference, digits)):+.{digits}f}",
    )


def _digits(row: Row) -> int:
    """Return two digits more than the tolerance has, at most seven."""
    if not row.tolerance:
        return 0 if isinstance(row.expected, float) and row.expected.is_integer() else 2
    return min(7, max(0, 2 - floor(log10(row.tolerance))))


def _number(value: Value, digits: int | None) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value
    return (
        f"{value:.12g}"
        if digits is None
        else f"{_unsigned_zero(round(value, digits)):.{digits}f}"
    )


def _unsigned_zero(value: float) -> float:
    """Return `value`, and 0 where it is -0."""
    return value + 0.0


def page(
    claims: Sequence[Headline], papers: Mapping[str, tuple[Reproduction, Sequence[Row]]]
) -> str:
    """Return the HTML page; `papers` are the reproductions and their rows by name."""
    rows = [row for _, each in papers.values() for row in each]
    sections = "".join(_paper(paper, each) for paper, each in papers.values())
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>gridtide: published results, computed again</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>Published results, computed again</h1>
<p class="lead">{escape(summary(rows))}</p>
<p class="lead">What the literature says that moving work saves, what it comes to on open data,
and every figure beside ours. <b>published</b> is an author's figure computed from the series,
<b>arithmetic</b> one from inputs that the author prints, <b>ranking</b> the order of figures
of an author, <b>cross-check</b> the result of an independent method, <b>unchanged</b> this
project's earlier result, which no publication printed.</p>
{LEGEND}
{"".join(_claim(claim) for claim in claims)}
{sections}
<p class="lead">{escape(summary(rows))}</p>
</main>
</body>
</html>
"""


def _claim(claim: Headline) -> str:
    pictures = "".join(
        f"<h3>{escape(picture.title)} ({escape(picture.unit)})</h3>{svg(picture)}"
        for picture in claim.pictures
    )
    return f"""<section>
<h2>{escape(claim.claim)}</h2>
<p class="cite">{escape(claim.citation)}</p>
<dl><dt>On our data</dt><dd>{escape(claim.ours)}</dd>
<dt>Why it differs</dt><dd>{escape(claim.why)}</dd></dl>
{pictures}
</section>
"""


def _paper(paper: Reproduction, rows: Sequence[Row]) -> str:
    lacking = counts(rows)[Verdict.NO_DATA] > 0 and paper.original
    original = f"<br>Public original of the series: {escape(paper.original)}" if lacking else ""
    lines = "".join(_line(row) for row in rows)
    gaps = "".join(
        f"<li>{figures} figures of the authors are not reproduced: {escape(why)}</li>"
        for why, figures in not_reproduced(rows).items()
    )
    return f"""<section>
<h2>{escape(paper.title)}</h2>
<p class="cite">{escape(paper.citation)}{original}</p>
{f"<ul>{gaps}</ul>" if gaps else ""}
<details><summary>{escape(paper.name)}: {escape(summary(rows))}</summary>
<div class="wide"><table>
<thead><tr><th>figure</th><th>kind</th><th class="number">printed</th>
<th class="number">reference</th><th class="number">ours</th>
<th class="number">difference</th><th>unit</th><th>verdict</th><th>note</th></tr></thead>
<tbody>
{lines}</tbody></table></div></details>
</section>
"""


def _line(row: Row) -> str:
    printed, reference, ours, difference = format_values(row)
    verdict = str(row.verdict)
    style = verdict.replace(" ", "-")
    return (
        f"<tr><td>{escape(row.label)}</td><td>{row.kind}</td>"
        f'<td class="number">{escape(printed)}</td><td class="number">{escape(reference)}</td>'
        f'<td class="number">{escape(ours)}</td><td class="number">{escape(difference)}</td>'
        f"<td>{escape(row.unit)}</td>"
        f'<td class="{style}">{verdict}</td><td>{escape(row.note)}</td></tr>\n'
    )
