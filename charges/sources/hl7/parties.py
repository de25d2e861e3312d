"""The people and payers of a message: patient, insurances, providers."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from charges.errors import Unreadable
from charges.identifiers import npi_is_valid
from charges.model import Address, Coverage, Patient, Payer, Provider, Subscriber
from charges.practice.dialect import Place, Sender
from charges.sources.hl7.message import Message, Repetition, Segment, parse_place

_RELATIONSHIPS = {
    "SEL": "18", "SELF": "18", "18": "18", "SPO": "01", "01": "01", "DOM": "53", "53": "53",
    "CHD": "19", "NCH": "19", "SCH": "19", "FCH": "19", "19": "19", "FTH": "19", "MTH": "19", "PAR": "19",
    "EME": "20", "EMR": "20", "20": "20", "UNK": "21", "21": "21", "ODN": "39", "39": "39", "40": "40",
    "OTH": "G8", "WRD": "G8", "GRD": "G8", "GCH": "G8", "GRP": "G8", "SIB": "G8", "BRO": "G8", "SIS": "G8", "DEP": "G8",
    "EXF": "G8", "CGV": "G8", "G8": "G8",
}  # fmt: skip
"""HL7 table 0063 as individual relationship code (X12 element 1069). The standard relates the insured to the patient, so
an insured parent means a child; senders that write CHD mean a child too."""

_NPI_AUTHORITIES = frozenset({"NPI", "2.16.840.1.113883.4.6"})


def day(text: str, place: str) -> date | None:
    """The calendar day of a moment, as the sender's clock had it; raises Unreadable with the place."""
    if not text.strip("0"):
        return None
    found = re.match(r"(\d{4})-?(\d{2})-?(\d{2})", text)
    try:
        if found:
            return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        pass
    raise Unreadable(f"{place} is not a day; it is expected as YYYYMMDD.")


def patient(segment: Segment, number: str) -> Patient:
    """Who was treated (PID)."""
    return Patient(
        **_named(segment.repetitions(5)),
        record_number=number,
        birth_date=day(segment.text(7), "PID-7"),
        sex=_sex(segment.text(8)),
        address=_address(segment.repetitions(11)),
        phone=_phone(segment.repetitions(13)),
        ssn=segment.text(19) or _social_security(segment),
        death_date=day(segment.text(29), "PID-29"),
    )


def coverages(message: Message, sender: Sender) -> tuple[Coverage, ...]:
    """The insurances (IN1 with its IN2), first to pay first, one that stands twice once."""
    pairs: list[tuple[Segment, Segment | None]] = []
    for segment in message.segments:
        if segment.name == "IN1":
            pairs.append((segment, None))
        elif segment.name == "IN2" and pairs:
            pairs[-1] = (pairs[-1][0], segment)
    found: dict[tuple[str, str, str], Coverage] = {}
    for first, second in _in_order(pairs):
        each = _coverage(first, second, sender)
        if each.payer.source_id or each.payer.name or each.member_id:
            found.setdefault((each.payer.source_id, each.payer.name, each.member_id), each)
    return tuple(found.values())


def _in_order(pairs: list[tuple[Segment, Segment | None]]) -> list[tuple[Segment, Segment | None]]:
    """By the order in which they pay (IN1-22), else by their number (IN1-1), else as they stand."""
    for field in (22, 1):
        ranks = [_rank(first.text(field)) for first, _ in pairs]
        if all(each is not None for each in ranks):
            return [pair for _, pair in sorted(zip(ranks, pairs, strict=True), key=lambda each: each[0] or 0)]
    return pairs


def prior_authorization(message: Message, sender: Sender) -> str:
    """The first insurance's authorization number."""
    first, second = message.first("IN1"), message.first("IN2")
    return _of(first, second, sender.prior_authorization) if first else ""


def provider(segments: Iterable[Segment], places: Sequence[Place]) -> tuple[Provider | None, str]:
    """The first provider that stands at one of the places, and at which.

    A provider's repetitions are numbers of one person; the one that is an NPI gives the NPI, wherever its sender put it:
    as the number itself, or as its assigning authority.
    """
    known = list(segments)
    for place in places:
        name, field, *_ = parse_place(place)
        given = [each for segment in known if segment.name == name for each in segment.repetitions(field)]
        found = _provider(given)
        if found:
            return found, place
    return None, ""


def _provider(given: Sequence[Repetition]) -> Provider | None:
    first = next((each for each in given if each.text(1) or each.text(2)), None)
    if first is None:
        return None
    who = (first.text(2), first.text(3))
    same = [each for each in given if (each.text(2), each.text(3)) in (who, ("", ""))]
    npi = next(filter(None, map(_npi, same)), "")
    return Provider(
        source_id=next((each.text(1) for each in same if each.text(1) not in ("", npi)), npi),
        npi=npi,
        last_name=first.text(2),
        first_name=first.text(3),
        middle_name=first.text(4),
        suffix=first.text(5),
    )


def _npi(given: Repetition) -> str:
    number, authority = given.text(1), given.parts(9)
    if given.text(13) == "NPI" or _NPI_AUTHORITIES & set(authority):
        within = next(filter(npi_is_valid, authority), "")
        return number if npi_is_valid(number) or not within else within
    return number if npi_is_valid(number) else ""


def _named(given: Sequence[Repetition]) -> dict[str, Any]:
    """A name (XPN): the legal one where several are given."""
    legal = next((each for each in given if each.text(7) == "L"), given[0] if given else None)
    if legal is None:
        return {}
    parts = ("last_name", "first_name", "middle_name", "suffix")
    return {part: legal.text(number) for number, part in enumerate(parts, 1)}


def _address(given: Sequence[Repetition]) -> Address:
    """An address (XAD). A street may be one text, or number and name apart."""
    first = next((each for each in given if each.text(3) or each.text(5) or each.text(1)), None)
    if first is None:
        return Address()
    street = first.parts(1)
    number_apart = len(street) > 1 and not re.search("[A-Za-z]", street[0])
    line = " ".join(filter(None, street[:2])) if number_apart else next(filter(None, street), "")
    country = first.text(6).upper()
    return Address(
        line1=line,
        line2=first.text(2),
        city=first.text(3),
        state=first.text(4).upper(),
        postal_code=first.text(5),
        country="" if country in ("US", "USA") else country,
    )


def _phone(given: Sequence[Repetition]) -> str:
    """A telephone number (XTN): digits of area and number where they stand apart, else the text as given."""
    for each in given:
        if each.text(3) not in ("FX", "BP", "Internet"):
            apart = each.text(6) + each.text(7)
            found = apart if each.text(6) and each.text(7) else each.text(1) or each.text(12) or apart
            if found:
                return found
    return ""


def _sex(text: str) -> str:
    return text[:1].upper() if text[:1].upper() in ("F", "M", "U", "") else "U"


def _social_security(segment: Segment) -> str:
    return next((each.text(1) for each in segment.repetitions(3) if each.text(5) == "SS"), "")


def _rank(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _of(first: Segment, second: Segment | None, places: Sequence[Place]) -> str:
    for place in places:
        name, *numbers = parse_place(place)
        segment = {first.name: first}.get(name) or (second if second and second.name == name else None)
        if segment and (found := segment.text(*numbers)):
            return found
    return ""


def _coverage(first: Segment, second: Segment | None, sender: Sender) -> Coverage:
    said = first.text(17).upper()
    relations: Mapping[str, str] = {
        **_RELATIONSHIPS,
        **{key.upper(): value for key, value in sender.relationships.items()},
    }
    relationship = relations.get(said, said)
    return Coverage(
        payer=Payer(
            source_id=_of(first, second, sender.payer),
            name=first.text(4),
            address=_address(first.repetitions(5)),
        ),
        member_id=_of(first, second, sender.member_id),
        group_number=_of(first, second, sender.group_number),
        group_name=first.text(9),
        relationship=relationship,
        subscriber=Subscriber()
        if relationship == "18"
        else Subscriber(
            **_named(first.repetitions(16)),
            birth_date=day(first.text(18), "IN1-18"),
            sex=_sex(first.text(43)),
            address=_address(first.repetitions(19)),
        ),
    )
