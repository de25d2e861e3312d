"""What a claim (2300) and a service line (2400) may both say: PWK, CN1, CR1, CRC, K3, HCP, CAS, both ways."""

from collections.abc import Iterable, Sequence

from charges.model import Adjustment, Ambulance, Attachment, Condition, Contract, Repricing
from charges.x12.parties import ADDRESS, write_address
from charges.x12.reading import Fields, Table, add, put, put_amount, put_text, reads, yes
from charges.x12.scanner import Delimiters, Segment
from charges.x12.segments import Text, amount, amount_or_blank, code, segment, to_amount

# Written


def write_attachments(out: list[str], attachments: Iterable[Attachment], text: Text) -> None:
    """PWK."""
    for each in attachments:
        number = text(each.control_number, 80)
        out.append(segment("PWK", code(each.kind), code(each.transmission), "", "", "AC" if number else "", number))


def write_contract(out: list[str], contract: Contract | None, text: Text) -> None:
    """CN1."""
    if contract is not None:
        out.append(
            segment(
                "CN1",
                code(contract.kind),
                amount_or_blank(contract.amount),
                amount_or_blank(contract.percent),
                text(contract.code, 50),
                amount_or_blank(contract.discount_percent),
                text(contract.version, 30),
            )
        )


def write_transport(out: list[str], ambulance: Ambulance | None, text: Text) -> None:
    """CR1."""
    if ambulance is not None and ambulance.reason:
        weight = ambulance.patient_weight_pounds
        out.append(
            segment(
                "CR1",
                "" if weight is None else "LB",
                amount_or_blank(weight),
                "",
                code(ambulance.reason),
                "DH",
                amount_or_blank(ambulance.miles),
                "",
                "",
                text(ambulance.round_trip_purpose, 80),
                text(ambulance.stretcher_purpose, 80),
            )
        )


def write_ambulance_places(out: list[str], ambulance: Ambulance | None, text: Text) -> None:
    """2310E and F, 2420G and H: where the patient was fetched and brought."""
    if ambulance is None:
        return
    if ambulance.pick_up is not None:
        out.append("NM1*PW*2")
        write_address(out, ambulance.pick_up, text)
    if ambulance.drop_off is not None:
        out.append(f"NM1*45*2*{text(ambulance.drop_off_name, 60)}".rstrip("*"))
        write_address(out, ambulance.drop_off, text)


def write_conditions(out: list[str], conditions: Iterable[Condition], categories: Sequence[str]) -> None:
    """CRC, in the order in which the guide has the categories."""
    out.extend(
        segment("CRC", category, "Y" if each.applies else "N", *map(code, each.codes[:5]))
        for category in categories
        for each in conditions
        if each.category == category
    )


def write_file_information(out: list[str], information: Iterable[str], text: Text) -> None:
    """K3."""
    out.extend(f"K3*{text(each, 80)}" for each in information)


def write_repricing(out: list[str], repricing: Repricing | None, text: Text) -> None:
    """HCP."""
    if repricing is None:
        return
    each = repricing
    out.append(
        segment(
            "HCP",
            code(each.method),
            amount_or_blank(each.allowed),
            amount_or_blank(each.savings),
            text(each.organization_id, 50),
            amount_or_blank(each.rate),
            text(each.group_code, 50),
            amount_or_blank(each.group_amount),
            text(each.revenue_code, 48),
            code(each.code_qualifier),
            text(each.code, 48),
            code(each.unit),
            amount_or_blank(each.units),
            code(each.reject_reason),
            code(each.compliance),
            code(each.exception),
        )
    )


def write_adjustments(out: list[str], adjustments: Iterable[Adjustment]) -> None:
    """CAS: one segment for up to six adjustments of a group, so that no group needs more of them than the guide has."""
    groups: dict[str, list[str]] = {}
    for each in adjustments:
        triplet = f"{code(each.reason)}*{amount(each.amount)}*{amount_or_blank(each.quantity)}"
        groups.setdefault(code(each.group), []).append(triplet)
    for group, triplets in groups.items():
        out += [
            "*".join(("CAS", group, *triplets[start : start + 6])).rstrip("*") for start in range(0, len(triplets), 6)
        ]


# Read


@reads(1, 2, 5, 6)
def _attachment(fields: Fields, e: Segment, _: Delimiters) -> bool:
    found = {"kind": e[1], "transmission": e[2]}
    put_text(found, control_number=e[6])
    return bool(e[5]) is bool(e[6]) and e[5] in ("", "AC") and add(fields, "attachments", found)


@reads(1, 2, 3, 4, 5, 6)
def _contract(fields: Fields, e: Segment, _: Delimiters) -> bool:
    found: Fields = {"kind": e[1]}
    put_text(found, code=e[4], version=e[6])
    amounts = (("amount", e[2]), ("percent", e[3]), ("discount_percent", e[5]))
    return _amounts(found, amounts) and put(fields, "contract", found)


def _amounts(fields: Fields, amounts: Iterable[tuple[str, str]]) -> bool:
    return not [name for name, value in amounts if not put_amount(fields, name, value)]


@reads(1, 2, 4, 5, 6, 9, 10)
def _transport(fields: Fields, e: Segment, _: Delimiters) -> bool:
    found: Fields = fields.setdefault("ambulance", {})
    if not e[4] or not put(found, "reason", e[4]):
        return False
    put_text(found, round_trip_purpose=e[9], stretcher_purpose=e[10])
    amounts = (("patient_weight_pounds", e[2]), ("miles", e[6]))
    return _amounts(found, amounts) and e[1] == ("LB" if e[2] else "") and e[5] == "DH"


@reads(1, 2, 3, 4, 5, 6, 7)
def _condition(fields: Fields, e: Segment, _: Delimiters) -> bool:
    applies = yes(e[2])
    found = {"category": e[1], "applies": applies, "codes": [each for each in e[3:8] if each]}
    return applies is not None and add(fields, "conditions", found)


@reads(1)
def _file_information(fields: Fields, e: Segment, _: Delimiters) -> bool:
    return bool(e[1]) and add(fields, "file_information", e[1])


@reads(*range(1, 16))
def _repricing(fields: Fields, e: Segment, _: Delimiters) -> bool:
    found: Fields = {"method": e[1]}
    put_text(
        found,
        organization_id=e[4],
        group_code=e[6],
        revenue_code=e[8],
        code_qualifier=e[9],
        code=e[10],
        unit=e[11],
        reject_reason=e[13],
        compliance=e[14],
        exception=e[15],
    )
    amounts = (("allowed", e[2]), ("savings", e[3]), ("rate", e[5]), ("group_amount", e[7]), ("units", e[12]))
    return _amounts(found, amounts) and put(fields, "repricing", found)


@reads(*range(1, 20))
def read_adjustments(fields: Fields, e: Segment, _: Delimiters) -> bool:
    """CAS of 2320 and 2430, into the adjustments of a decision."""
    adjustments: list[Fields] = []
    for place in range(2, 20, 3):
        reason, money, quantity = e[place : place + 3]
        if not (reason or money or quantity):
            continue
        found: Fields = {"group": e[1], "reason": reason}
        value = to_amount(money)
        if value is None or not reason or not put_amount(found, "quantity", quantity):
            return False
        adjustments.append(found | {"amount": value})
    fields.setdefault("adjustments", []).extend(adjustments)
    return bool(adjustments)


@reads(1, 2, 3)
def _place_name(fields: Fields, e: Segment, _: Delimiters) -> bool:
    put_text(fields, name=e[3])
    return e[2] == "2"


PARTICULARS: Table = {
    "PWK": _attachment,
    "CN1": _contract,
    "CR1": _transport,
    "CRC": _condition,
    "K3": _file_information,
    "HCP": _repricing,
}
AMBULANCE_PLACE: Table = ADDRESS | {"NM1": _place_name}
