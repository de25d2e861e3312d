"""How two values of one fact compare: mechanical, the same either way round, and silent where a value says nothing.

Case, blanks, punctuation and accents are not differences. A number of one digit repeated, and a fragment too short to tell
people apart, are no values. No names are taken for each other.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from functools import lru_cache


class Likeness(StrEnum):
    """How two values compare."""

    SAME = "same"
    CLOSE = "close"
    """One edit apart: a letter more, less, other, or two of them exchanged; both of five letters or more."""
    OTHER = "other"
    TURNED = "turned"
    """Of names: the first name of one is the last name of the other, and the other way round."""
    UNKNOWN = "unknown"
    """One of them is not known."""


_SHORTEST_CLOSE = 5
_UNDIVIDED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "\u0131": "i"})
_GENERATIONS = {
    "jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "i": "i", "1st": "i", "ii": "ii", "2nd": "ii", "iii": "iii",
    "3rd": "iii", "iv": "iv", "4th": "iv",
}  # fmt: skip
_STREETS = {
    "street": "st", "avenue": "ave", "av": "ave", "road": "rd", "drive": "dr", "lane": "ln", "court": "ct", "place": "pl",
    "boulevard": "blvd", "circle": "cir", "terrace": "ter", "parkway": "pkwy", "highway": "hwy", "square": "sq",
    "trail": "trl", "north": "n", "south": "s", "east": "e", "west": "w", "northeast": "ne", "northwest": "nw",
    "southeast": "se", "southwest": "sw",
}  # fmt: skip
"""Words of a street by their abbreviation (USPS Publication 28, appendices B and C1)."""
_UNITS = frozenset({"apartment", "apt", "unit", "suite", "ste", "room", "rm"})
_UNIT = re.compile(rf"(?:{'|'.join(sorted(_UNITS))})\d\w*")
_LETTER, _BOTH = "[AC-HJKMNP-RT-Y]", "[AC-HJKMNP-RT-Y0-9]"
_MEDICARE = re.compile(rf"[1-9]{_LETTER}{_BOTH}\d{_LETTER}{_BOTH}\d{_LETTER}{{2}}\d{{2}}")
"""The Medicare beneficiary identifier (CMS, MBI format)."""


@lru_cache(maxsize=65_536)
def folded(text: str) -> str:
    """Small letters and digits without accents.

    >>> folded("Dąbrowska-O'Rourke "), folded("Sørensen"), folded("José")
    ('dabrowskaorourke', 'sorensen', 'jose')
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold().translate(_UNDIVIDED))
    return "".join(each for each in plain.casefold() if each.isalnum())


def generation(suffix: str) -> str:
    """Jr, Sr, II and the like in one spelling; any other suffix (a degree) as nothing.

    >>> generation("Junior"), generation("2nd"), generation("MD")
    ('jr', 'ii', '')
    """
    return _GENERATIONS.get(folded(suffix), "")


def without_generation(last: str) -> tuple[str, str]:
    """A last name and the generation that was written after it.

    >>> without_generation("Barlowe, Jr."), without_generation("Barlowe")
    (('Barlowe', 'jr'), ('Barlowe', ''))
    """
    name_, _, end = last.strip().rpartition(" ")
    found = generation(end) if name_ else ""
    return (name_.rstrip(" ,"), found) if found else (last, "")


def telephone(text: str) -> str:
    """The ten digits of a telephone number, or nothing.

    >>> telephone("+1 (217) 555-0142"), telephone("555-0142"), telephone("000-000-0000")
    ('2175550142', '', '')
    """
    digits = re.sub(r"\D", "", text)
    digits = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
    return digits if len(digits) >= 10 and len(set(digits)) > 1 else ""


def address_of_mail(text: str) -> str:
    """An e-mail address in small letters, or nothing."""
    plain = text.strip().lower()
    return plain if "@" in plain.strip("@") else ""


def street_line(text: str) -> str:
    """A street in one spelling, without its apartment.

    >>> street_line("12 North Oak Street, Apt. 4") == street_line("12 N. OAK ST")
    True
    """
    plain = (folded(each) for each in re.split(r"[\s,.]+", text.replace("#", " unit ")))
    words = [_STREETS.get(each, each) for each in plain if each]
    while len(words) > 1:
        if _UNIT.fullmatch(words[-1]) or words[-1] in _UNITS:
            words.pop()
        elif len(words) > 2 and words[-2] in _UNITS:
            words = words[:-2]
        else:
            break
    return " ".join(words)


def best(compare: Callable[[str, str], Likeness], one: Sequence[str], other: Sequence[str]) -> Likeness:
    """The likeness of the two most alike of all known values."""
    found = {compare(first, second) for first in one for second in other}
    return next((each for each in (Likeness.SAME, Likeness.CLOSE, Likeness.OTHER) if each in found), Likeness.UNKNOWN)


def name(one: str, other: str) -> Likeness:
    """Of names."""
    return _within_one_edit(folded(one), folded(other))


def street(one: str, other: str) -> Likeness:
    """Of streets; the numbers in them must be the same."""
    first, second = street_line(one), street_line(other)
    found = _within_one_edit(first, second)
    same_numbers = re.findall(r"\d+", first) == re.findall(r"\d+", second)
    return Likeness.OTHER if found is Likeness.CLOSE and not same_numbers else found


def phone(one: str, other: str) -> Likeness:
    """Of telephone numbers."""
    return word(telephone(one), telephone(other))


def email(one: str, other: str) -> Likeness:
    """Of e-mail addresses."""
    return word(address_of_mail(one), address_of_mail(other))


def initial(one: str, other: str) -> Likeness:
    """Of middle names by their first letter, since many records have no more."""
    return word(folded(one)[:1], folded(other)[:1])


def day(one: date | None, other: date | None) -> Likeness:
    """Of days."""
    return Likeness.UNKNOWN if one is None or other is None else _told(one == other)


def social_security(one: str, other: str) -> Likeness:
    """Of social security or taxpayer numbers: whole where both are, else by the last four digits."""
    first, second = _social_security(one), _social_security(other)
    if not first or not second:
        return Likeness.UNKNOWN
    length = min(len(first), len(second))
    return _told(first[-length:] == second[-length:])


def medicare(one: str, other: str) -> Likeness:
    """Of Medicare numbers."""
    return word(medicare_number(one), medicare_number(other))


def word(one: str, other: str) -> Likeness:
    """Of words that are in one spelling already."""
    return Likeness.UNKNOWN if not one or not other else _told(one == other)


def _told(same: bool) -> Likeness:  # noqa: FBT001 - a comparison's own outcome
    return Likeness.SAME if same else Likeness.OTHER


def _social_security(text: str) -> str:
    """Nine digits or the last four; nothing for what the administration never gives (serial 0000, one digit repeated)."""
    digits = re.sub(r"\D", "", text)
    if len(digits) not in (4, 9) or digits.endswith("0000") or (len(digits) == 9 and len(set(digits)) == 1):
        return ""
    return digits


def medicare_number(text: str) -> str:
    """The eleven characters of a Medicare number, or nothing.

    >>> medicare_number("1eg4-te5-mk73"), medicare_number("W123456789")
    ('1EG4TE5MK73', '')
    """
    plain = re.sub(r"[\s-]", "", text).upper()
    return plain if _MEDICARE.fullmatch(plain) else ""


def _within_one_edit(one: str, other: str) -> Likeness:
    """Same, one edit apart (Damerau and Levenshtein's distance of 1), or other."""
    if not one or not other:
        return Likeness.UNKNOWN
    if one == other:
        return Likeness.SAME
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < _SHORTEST_CLOSE or len(longer) - len(shorter) > 1:
        return Likeness.OTHER
    start = next((at for at, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    if len(longer) > len(shorter):
        return Likeness.CLOSE if shorter[start:] == longer[start + 1 :] else Likeness.OTHER
    replaced = shorter[start + 1 :] == longer[start + 1 :]
    turned = (
        shorter[start : start + 2] == longer[start : start + 2][::-1] and shorter[start + 2 :] == longer[start + 2 :]
    )
    return Likeness.CLOSE if replaced or turned else Likeness.OTHER
