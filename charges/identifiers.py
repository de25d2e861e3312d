"""The shapes of the identifiers on a claim, each with who defined it. Pure; shared by profile, rules and simulator."""

import re
from functools import lru_cache

CLIA = re.compile(r"^\d{2}D\d{7}$")
"""A CLIA number: two digits, D, seven digits (42 CFR 493)."""

TAXONOMY = re.compile(r"^[0-9A-Z]{9}X$")
"""A provider taxonomy code: nine characters and X (NUCC)."""


@lru_cache(maxsize=16_384)  # a practice names the same few providers on every charge
def npi_is_valid(text: str) -> bool:
    """Whether ``text`` is ten digits with the right check digit (Luhn over 80840 and the first nine; 45 CFR 162.406).

    >>> npi_is_valid("1234567893"), npi_is_valid("1234567890")
    (True, False)
    """
    return re.fullmatch(r"[12]\d{9}", text) is not None and text[9] == npi_check_digit(text[:9])


def npi_check_digit(first_nine: str) -> str:
    """The digit that makes nine digits a National Provider Identifier.

    >>> npi_check_digit("123456789")
    '3'
    """
    total = 24  # what the constant prefix 80840 adds
    for place, digit in enumerate(first_nine):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)
