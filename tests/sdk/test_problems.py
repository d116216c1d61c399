"""What a service says becomes the same class on this side."""

from __future__ import annotations

import json

import pytest

from gridtide import errors
from gridtide.schema.problems import decode_body

ASKED = "http://host/v1/best-window?region=XX"


def raised(status: int, body: object = None, **headers: str) -> errors.GridtideError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with pytest.raises(errors.GridtideError) as caught:
        decode_body(status, named, content, address=ASKED)
    return caught.value


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("bad_input", 422, errors.BadInput),
        ("unknown_region", 404, errors.UnknownRegion),
        ("no_feasible_window", 422, errors.NoFeasibleWindow),
        ("no_common_signal", 422, errors.NoCommonSignal),
        ("no_data", 404, errors.NoData),
        ("busy", 409, errors.Busy),
        ("too_many_regions", 422, errors.TooManyRegions),
        ("not_found", 404, errors.BadRequest),
        ("unavailable", 503, errors.ServiceUnavailable),
    ],
)
def test_a_problem_becomes_the_class_of_its_code(
    code: str, status: int, kind: type[errors.GridtideError]
) -> None:
    error = raised(status, {"code": code, "status": status, "detail": "what to do about it"})
    assert type(error) is kind
    assert "what to do about it" in str(error)


def test_further_members_of_a_problem_are_kept() -> None:
    error = raised(
        404,
        {
            "type": "urn:gridtide:problem:unknown_region",
            "title": "Unknown region",
            "status": 404,
            "detail": "no region DEE",
            "code": "unknown_region",
            "nearest": ["DE", "DK1"],
            "message": "a name our constructors have, too",
        },
    )
    assert error.extra == {
        "nearest": ["DE", "DK1"],
        "message": "a name our constructors have, too",
    }


def test_a_problem_without_detail_still_says_something() -> None:
    assert str(raised(404, {"code": "no_data", "title": "No data"})) == "No data"
    assert "has no values" in str(raised(404, {"code": "no_data"}))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_service_that_cannot_answer_now_is_unavailable(status: int) -> None:
    error = raised(status, b"<html>gateway</html>")
    assert isinstance(error, errors.ServiceUnavailable)
    assert error.status == status
    assert f"{ASKED} answered {status}" in str(error)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
def test_another_refusal_is_a_bad_request(status: int) -> None:
    error = raised(status, [1, 2])
    assert isinstance(error, errors.BadRequest)
    assert error.status == status
    assert error.exit_code == 2


def test_a_service_that_moved_says_where_to() -> None:
    error = raised(308, b"", location="https://new/")
    assert type(error) is errors.ApiError
    assert "points to https://new/; set GRIDTIDE_URL" in str(error)
    assert "points to" not in str(raised(304, b""))


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[1]", b"\xff", b""])
def test_an_answer_that_is_no_json_object_is_no_gridtide_service(body: bytes) -> None:
    error = raised(200, body)
    assert type(error) is errors.ApiError
    assert "is it a gridtide service? check GRIDTIDE_URL" in str(error)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": " 120 "}, 120.0),
        (
            {
                "retry_after": "Mon, 02 Mar 2026 12:00:30 GMT",
                "date": "Mon, 02 Mar 2026 12:00:00 GMT",
            },
            30.0,
        ),
        (
            {
                "retry_after": "Mon, 02 Mar 2026 11:00:00 GMT",
                "date": "Mon, 02 Mar 2026 12:00:00 GMT",
            },
            0.0,
        ),
        ({"retry_after": "Mon, 02 Mar 2026 12:00:30 GMT"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-1"}, None),
        ({"retry_after": "²"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    error = raised(503, None, **headers)
    assert isinstance(error, errors.ServiceUnavailable)
    assert error.retry_after == seconds


def test_an_answer_is_its_object() -> None:
    assert decode_body(200, {}, b'{"a": 1}', address=ASKED) == {"a": 1}
