"""Values as X12 spells them, and back: text made safe, amounts, dates, composites.

X12 has no escape. A delimiter inside a value would end the element or the segment, so text is brought into the partner's
character set before it is written: accents are taken off, whatever else is not allowed becomes a blank. That an identifier
is not turned into another one is seen to in ``writable``.

Segments are written with the delimiters below; an interchange with others is translated as a whole, which is safe because
no value holds one of either kind.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache

ELEMENT, SEGMENT, COMPONENT, REPETITION = "*", "~", ":", "^"

BASIC = "A-Z0-9 !\"&'()+,\\-./;?="
EXTENDED = BASIC + "a-z%@\\[\\]_{}\\\\|<>#$"
_BLANKS = re.compile(r" {2,}")
_WITHOUT_ACCENT = str.maketrans(
    {"ß": "SS", "Æ": "AE", "æ": "AE", "Ø": "O", "ø": "O", "Œ": "OE", "œ": "OE", "Ł": "L", "ł": "L", "Đ": "D", "đ": "D"}
    | {"Þ": "TH", "þ": "TH", "\u2019": "'", "\u2018": "'", "\u2013": "-", "\u2014": "-"}
)
_NO_DIGITS = re.compile(r"[^0-9A-Za-z]")
_NUMBER = re.compile(r"-?(?:[0-9]{1,18}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})")
_DAY = re.compile(r"[0-9]{8}")

Text = Callable[[str, int], str]
"""What brings a value into a partner's character set, at most so many characters long."""


@lru_cache(maxsize=64)
def speller(*, extended: bool = False, keeps_case: bool = False, reserved: str = "") -> Text:
    """A ``Text`` for a character set of 005010X222A1, B.1.1.2; ``reserved`` are a partner's own delimiters.

    >>> speller(extended=True, keeps_case=True, reserved="|")("m@rsh|field*", 35)
    'm@rsh field'
    """
    forbidden = re.compile(f"[^{EXTENDED if extended else BASIC}]|[{re.escape(reserved + ELEMENT)}]")
    keeps_case = keeps_case and extended

    @lru_cache(maxsize=65_536)
    def spell(value: str, longest: int) -> str:
        spelt = value if keeps_case else value.upper()
        if not spelt.isascii():
            parted = unicodedata.normalize("NFKD", value.translate(_WITHOUT_ACCENT))
            parted = parted if keeps_case else parted.upper()
            spelt = "".join(each for each in parted if not unicodedata.combining(each))
        if forbidden.search(spelt):
            spelt = forbidden.sub(" ", spelt)
        if "  " in spelt:
            spelt = _BLANKS.sub(" ", spelt)
        return spelt.strip()[:longest].rstrip()

    return spell


text: Text = speller()
"""A value in capitals of the basic character set (005010X222A1, B.1.1.2.2).

>>> text("Müller~CLM*1", 35)
'MULLER CLM 1'
"""


@lru_cache(maxsize=65_536)
def digits(value: str) -> str:
    """The letters and digits of a number that people write with dashes and blanks: NPI, EIN, ZIP, NDC, telephone."""
    return _NO_DIGITS.sub("", value).upper()


code = digits
"""Codes, too, are nothing but letters and digits."""


@lru_cache(maxsize=65_536)
def amount(value: Decimal) -> str:
    """Money or a quantity without exponent, leading or trailing zeros (005010X222A1, B.1.1.3.1.2).

    >>> [amount(Decimal(each)) for each in ("150.00", "0.50", "12.5", "1E+2", "0", "-0.25")]
    ['150', '.5', '12.5', '100', '0', '-.25']
    """
    plain = format(value, "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return (plain.replace("0.", ".", 1) if plain.startswith(("0.", "-0.")) else plain) or "0"


def amount_or_blank(value: Decimal | None) -> str:
    """Like ``amount``, nothing for nothing."""
    return "" if value is None else amount(value)


@lru_cache(maxsize=16_384)
def day(value: date) -> str:
    """CCYYMMDD."""
    return f"{value.year:04d}{value.month:02d}{value.day:02d}"


def segment(*elements: str) -> str:
    """A segment without its terminator; empty elements at the end are dropped."""
    return ELEMENT.join(elements).rstrip(ELEMENT)


def composite(*components: str) -> str:
    """A composite element; empty components at the end are dropped."""
    return COMPONENT.join(components).rstrip(COMPONENT)


@lru_cache(maxsize=65_536)
def to_amount(value: str) -> Decimal | None:
    """A number as X12 writes one, or ``None`` for anything else.

    >>> to_amount(".5"), to_amount("-12.50"), to_amount("1E5"), to_amount("")
    (Decimal('0.5'), Decimal('-12.50'), None, None)
    """
    return Decimal(value) if _NUMBER.fullmatch(value) else None


@lru_cache(maxsize=16_384)
def to_day(value: str) -> date | None:
    """A date of CCYYMMDD, or ``None`` for anything else.

    >>> to_day("20261116"), to_day("20260231")
    (datetime.date(2026, 11, 16), None)
    """
    if not _DAY.fullmatch(value):
        return None
    try:
        return date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        return None
