"""Which recorded response answers a request, and what a table must have."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gridtide.errors import BadInput
from gridtide_pipelines.ingest.parsing import says_nothing_yet
from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.replay.recording import Recording, parse, read_recording

SOURCES = {name: each for name, each in sources().items() if each.answer is None}
ENTSOE = "https://web-api.tp.entsoe.eu/api?documentType=A75&in_Domain=10YFI-1--------U"
EIA = "https://api.eia.gov/v2/x/data/?facets%5Brespondent%5D%5B%5D=PJM&data[]=value"


def recording(folder: Path, *lines: str, columns: str = "method,url,file,status") -> Recording:
    (folder / "a.xml").write_text("<a/>")
    (folder / "b.xml").write_text("<b/>")
    (folder / "requests.csv").write_text("\n".join([columns, *lines, ""]))
    return read_recording(folder, SOURCES)


def found(
    made: Recording,
    path: str,
    query: str,
    *,
    source: str = "entsoe",
    method: str = "GET",
    now: datetime | None = None,
) -> str | None:
    line = made.find(source, Request(method, path, parse(query)), now)
    return None if line is None else line.file.name


@pytest.mark.parametrize(
    "query",
    [
        "documentType=A75&in_Domain=10YFI-1--------U",
        "in_Domain=10YFI-1--------U&documentType=A75",
        "in_Domain=10YFI-1--------U&securityToken=secret&documentType=A75",
    ],
    ids=["as it is", "in another order", "with a key"],
)
def test_a_request_is_found_by_its_query_as_a_set_without_the_key(
    query: str, tmp_path: Path
) -> None:
    made = recording(tmp_path, f"GET,{ENTSOE}&securityToken=blank,a.xml,200")
    assert found(made, "/api", query) == "a.xml"


@pytest.mark.parametrize(
    ("path", "query", "method"),
    [
        ("/api", "documentType=A75", "GET"),
        ("/api", "documentType=A75&in_Domain=10YFI-1--------U&periodStart=1", "GET"),
        ("/api", "documentType=A65&in_Domain=10YFI-1--------U", "GET"),
        ("/v1", "documentType=A75&in_Domain=10YFI-1--------U", "GET"),
        ("/api", "documentType=A75&in_Domain=10YFI-1--------U", "POST"),
    ],
)
def test_another_request_is_not_found(
    path: str, query: str, method: str, tmp_path: Path
) -> None:
    made = recording(tmp_path, f"GET,{ENTSOE},a.xml,200")
    assert found(made, path, query, method=method) is None


def test_brackets_may_be_encoded_or_not(tmp_path: Path) -> None:
    made = recording(tmp_path, f"GET,{EIA},a.xml,200")
    query = "data%5B%5D=value&facets[respondent][]=PJM&api_key=x"
    assert found(made, "/v2/x/data/", query, source="eia") == "a.xml"


def test_the_line_with_the_host_of_the_source_comes_first(tmp_path: Path) -> None:
    query = ENTSOE.partition("?")[2]
    made = recording(
        tmp_path, f"GET,https://other.example/api?{query},b.xml,200", f"GET,{ENTSOE},a.xml,200"
    )
    assert found(made, "/api", query) == "a.xml"
    made = recording(tmp_path, f"GET,https://other.example/api?{query},b.xml,200")
    assert found(made, "/api", query) == "b.xml"
    made = recording(tmp_path, f"GET,/api?{query},a.xml,200")
    assert found(made, "/api", query) == "a.xml"


def test_of_several_the_newest_that_was_known_is_found(tmp_path: Path) -> None:
    made = recording(
        tmp_path,
        "GET,/x,a.xml,200,2026-03-01T00:00Z",
        "GET,/x,b.xml,200,2026-03-02T00:00Z",
        columns="method,url,file,status,known_at",
    )
    first, second = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert found(made, "/x", "", now=first) == "a.xml"
    assert found(made, "/x", "", now=second) == "b.xml"
    assert found(made, "/x", "") == "b.xml"
    before = datetime(2026, 2, 1, tzinfo=UTC)
    assert found(made, "/x", "", now=before) is None
    assert made.nearest(Request("GET", "/x")) == "it was first known at 2026-03-01T00:00:00Z"


def test_the_nearest_request_is_named_with_what_differs(tmp_path: Path) -> None:
    made = recording(
        tmp_path,
        f"GET,{ENTSOE}&periodStart=202603010000,a.xml,200",
        "GET,https://web-api.tp.entsoe.eu/other?documentType=A75,b.xml,200",
    )
    query = parse("documentType=A75&in_Domain=10YFI-1--------U&periodStart=202603020000")
    said = made.nearest(Request("GET", "/api", query))
    assert said == (
        f"the nearest differs in periodStart: GET {ENTSOE}&periodStart=202603010000"
    )
    assert "differs in method" in made.nearest(Request("POST", "/api", query))
    assert "differs in path" in made.nearest(Request("GET", "/otherwise", query[:1]))
    # Else a refresh would take it for an answer that there are no data yet.
    assert not says_nothing_yet(f"not recorded: entsoe GET /api; {said}")


@pytest.mark.parametrize(
    ("columns", "line", "says"),
    [
        ("method,url,file", "GET,/x,a.xml", "lacks the column status"),
        ("method,url,file,status,hots", "GET,/x,a.xml,200,h", "unknown column 'hots'"),
        ("method,url,file,status", "GET,/x,c.xml,200", "line 2: 'c.xml' is not a file"),
        ("method,url,file,status", "GET,/x,../a.xml,200", "outside the folder"),
        ("method,url,file,status", "GET,/x,a.xml,20", "status '20' is not from 200 to 599"),
        ("method,url,file,status", "GET,/x,a.xml", "line 2 does not have 4 values"),
        ("method,url,file,status", "GET,/x,a.xml,200,x", "line 2 does not have 4 values"),
        ("method,url,file,status,known_at", "GET,/x,a.xml,200,noon", "known_at"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_its_line(
    columns: str, line: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=says):
        recording(tmp_path, line, columns=columns)


def test_a_folder_without_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"requests\.csv cannot be read"):
        read_recording(tmp_path, SOURCES)
