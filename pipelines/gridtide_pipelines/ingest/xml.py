"""Read XML bodies of publishers without trusting them, and check pages of HTML."""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.parsers import expat

MOST_BYTES = 32 * 2**20
MOST_DEPTH = 64
MOST_TAGS = 2_000_000  # an element takes a hundred bytes, however short it is in the body


def read_xml(content: bytes, *, most_bytes: int = MOST_BYTES) -> Element:
    """Parse an XML body; tags lose their namespace.

    The body is read once without building anything, which costs a tenth of the parse: a body
    that declares entities could otherwise grow without bound, and one nested without end fill
    the memory.

    Raises:
        ValueError: the body is too large, has too many tags, is not well formed, has a document
            type or is nested too deeply.
    """
    if len(content) > most_bytes:
        raise ValueError(f"{len(content)} bytes of XML; at most {most_bytes} are read")
    if (tags := content.count(b"<")) > MOST_TAGS:
        raise ValueError(f"XML of {tags} tags; at most {MOST_TAGS} are read")
    try:
        _check(content)
        root = fromstring(content)  # noqa: S314  # entities and depth are refused above
    except (expat.ExpatError, ParseError, LookupError) as error:
        raise ValueError(f"not well-formed XML: {error}") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def check_page(content: bytes) -> None:
    """Check that a page of HTML has its end; one that was cut may lack values.

    Raises:
        ValueError: it has not.
    """
    if b"</html>" not in content.lower():
        raise ValueError("a page without an end: the body is cut short")


def _check(content: bytes) -> None:
    """Raise unless the body is plain elements, nested at most MOST_DEPTH deep."""
    depth = 0

    def refuse(*_: object) -> None:
        raise ValueError("XML with a document type, which no publisher sends")

    def start(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > MOST_DEPTH:
            raise ValueError(f"XML nested more than {MOST_DEPTH} deep")

    def end(_: object) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(content, True)  # noqa: FBT003  # the whole of it
