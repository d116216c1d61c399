"""The zone of a British postcode, by its area: the letters that it begins with.

A postcode, or its outward code alone (``SW1A 1AA``, ``SW1A``), is of one area, and every area
is in one zone. An outward code alone whose letters are the code of a country (``DE1``, ``SE5``)
may mean a part of that country, so it is of no zone. The publisher of Great Britain's carbon
intensity has a route for postcodes, but that tells apart regions within the zone; to know the
zone takes no request.

Source: Royal Mail, list of postcode areas; the form is that of BS 7666.
"""

from __future__ import annotations

import re

# Areas of Great Britain, but for Shetland, which is another zone.
NAMES = (
    "AB AL B BA BB BD BH BL BN BR BS CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN "
    "DT DY E EC EH EN EX FK FY G GL GU HA HD HG HP HR HS HU HX IG IP IV KA KT KW KY L LA "
    "LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S "
    "SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF "
    "WN WR WS WV YO"
)
AREAS = frozenset(NAMES.split())
OTHER = {"BT": "GB-NIR", "GY": "GG", "IM": "IM", "JE": "JE", "ZE": "GB-ZET", "GX": "GI"}

# Areas that are another country's code in ISO 3166 alpha-2: Derby and Germany are DE.
COUNTRY_CODES = (
    "AL BA BB BD BH BL BN BR BS BT CA CF CH CM CO CR CV CW DE EC EH FK GL GU GY HR HU KW KY "
    "LA LS LU ME MK ML NE NG NP NR PA PE PH PL PR SA SE SG SK SL SM SN SO SR SS ST SY TD TF "
    "TN TR TW WF WS"
)
COUNTRIES = frozenset(COUNTRY_CODES.split())

FORM = re.compile(
    r"(?P<area>[A-Z]{1,2})[0-9][0-9A-Z]?(?P<inward> ?[0-9][ABD-HJLNP-UW-Z]{2})?",
    re.IGNORECASE | re.ASCII,
)


def zone_of_postcode(text: str) -> str | None:
    """Return the key of the zone of a postcode or outward code; None if it is not one."""
    found = FORM.fullmatch(text.strip())
    if found is None or as_outward_code(text):
        return None
    return _zone(found["area"].upper())


def as_outward_code(text: str) -> tuple[str, str] | None:
    """Return zone and country of an outward code alone whose letters are a country's code."""
    found = FORM.fullmatch(text.strip())
    area = found["area"].upper() if found and not found["inward"] else ""
    zone = _zone(area)
    return (zone, area) if zone and area in COUNTRIES else None


def _zone(area: str) -> str | None:
    return "GB" if area in AREAS else OTHER.get(area)
