"""The zone of a British postcode, by its area: the letters that it begins with.

A postcode, or its outward code alone (``SW1A 1AA``, ``SW1A``, ``EC2``), is of one area, and
every area is in one zone. The publisher of Great Britain's carbon intensity has a route for
postcodes, but that tells apart regions within the zone; to know the zone takes no request.

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

FORM = re.compile(
    r"(?P<area>[A-Z]{1,2})[0-9][0-9A-Z]?( ?[0-9][ABD-HJLNP-UW-Z]{2})?", re.IGNORECASE | re.ASCII
)


def zone_of_postcode(text: str) -> str | None:
    """Return the key of the zone of a postcode or outward code; None if it is not one."""
    found = FORM.fullmatch(text.strip())
    if found is None:
        return None
    area = found["area"].upper()
    return "GB" if area in AREAS else OTHER.get(area)
