"""Answers that come in pages, and whether all of one is there. Pure.

A publisher that states how many rows it has, or that another page follows, has sent a short
answer where they are not there: a sum of its rows would be too small. Such an answer is paged
(`Source.following`), and one that stays short is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from gridtide_pipelines.ingest.source import Body, Request


def check_count(there: int, stated: Iterable[object]) -> None:
    """Check that as many rows are there as the pages of an answer state.

    Args:
        there: rows of all pages.
        stated: what each page says of the whole answer, as a number or as text; None where it
            does not say.

    Raises:
        TypeError, ValueError: there are fewer, or what is stated is not a number.
    """
    most = max((int(str(each)) for each in stated if each is not None), default=0)
    if there < most:
        raise ValueError(f"{there} rows of the {most} that the answer says it has")


def next_page(
    bodies: Sequence[Body], counts: Sequence[tuple[int, object]], offset: str, first: int = 0
) -> Sequence[Request]:
    """Return the request for the page after the last one, none where all rows are there.

    Args:
        counts: rows of each page, and how many it says there are in all.
        offset: parameter of the request that says where a page begins.
        first: its value for the first page.

    Raises:
        TypeError, ValueError: rows are missing and the last page is empty, or what is stated is
            not a number.
    """
    there = sum(rows for rows, _ in counts)
    try:
        check_count(there, [stated for _, stated in counts])
    except ValueError:
        if not counts[-1][0]:
            raise
        last = bodies[-1].request
        params = [each for each in last.params if each[0] != offset]
        return [replace(last, params=(*params, (offset, str(first + there))))]
    return ()


def follow_link(body: Body, link: object) -> Sequence[Request]:
    """Return the request for the page that a page links to, none without a link.

    It is sent to the host of that page, whatever host the link names.

    Raises:
        TypeError: the link is not text.
    """
    if not link:
        return ()
    if not isinstance(link, str):
        raise TypeError(f"{link!r} is not the address of a page")
    parts = urlsplit(link)
    params = tuple(parse_qsl(parts.query, keep_blank_values=True))
    return [replace(body.request, path=parts.path or body.request.path, params=params)]
