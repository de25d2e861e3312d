"""A service line of an institutional bill: 2400, its drug (2410), its own providers (2420), both ways."""

from decimal import Decimal

from charges.model import ServiceLine
from charges.x12 import parties
from charges.x12.line_decisions import loop_2430_adjudications
from charges.x12.options import Options
from charges.x12.particulars import PARTICULARS, write_attachments, write_repricing
from charges.x12.procedure import procedure_of, read_procedure
from charges.x12.reading import Fields, Table, put, put_amount, put_text, reads
from charges.x12.scanner import Delimiters, Segment
from charges.x12.segments import Text, amount, amount_or_blank, code
from charges.x12.service_line import LOOP_2400 as PROFESSIONAL
from charges.x12.service_line import loop_2410_drug, service_dates

_NOTHING = Decimal(0)
_PLAIN = frozenset(
    (
        *("source_id", "revenue_code", "code", "code_qualifier", "modifiers", "description", "charge", "units", "unit"),
        *("noncovered", "service_date", "service_date_to", "drug", "control_number", "patient_share"),
        *("place_of_service", "diagnoses"),
    )
)

# Written


def loop_2400_service_line(out: list[str], claim: str, number: int, line: ServiceLine, options: Options) -> None:
    """A service line with all that belongs to it; ``claim`` is the claim's number, ``number`` counts from 1."""
    text = options.text
    procedure = ""
    if line.code:
        procedure = procedure_of(line.code_qualifier, line.code, line.modifiers, line.description, text)
    out.append(f"LX*{number}")
    out.append(
        f"SV2*{text(line.revenue_code, 48)}*{procedure}*{amount(line.charge or _NOTHING)}*{code(line.unit)}"
        f"*{amount(line.units or _NOTHING)}**{amount_or_blank(line.noncovered)}".rstrip("*")
    )
    # What a line says is known from the fields that were set, so that most are spared the questions about rare ones.
    says_more = not line.model_fields_set <= _PLAIN
    if says_more:
        write_attachments(out, line.attachments, text)
    service_dates(out, line, line.model_fields_set)
    own_number = text(line.control_number, 50) if line.control_number else ""
    number_of_line = own_number or options.line_number(claim, number)[:50]
    if number_of_line:
        out.append(f"REF*6R*{number_of_line}")
    if says_more:
        _rare(out, line, text)
    if line.drug is not None:
        loop_2410_drug(out, line.drug, text)
    if says_more:
        _loops_2420_providers(out, line, text)
        loop_2430_adjudications(out, line.adjudications, text)


def _rare(out: list[str], line: ServiceLine, text: Text) -> None:
    """REF of a repricer, AMT, NTE, HCP."""
    for qualifier, value in (
        ("9B", line.references.repriced_line_number),
        ("9D", line.references.adjusted_repriced_line_number),
    ):
        if value:
            out.append(f"REF*{qualifier}*{text(value, 50)}")
    if line.service_tax is not None:
        out.append(f"AMT*GT*{amount(line.service_tax)}")
    if line.facility_tax is not None:
        out.append(f"AMT*N8*{amount(line.facility_tax)}")
    if line.third_party_note:
        out.append(f"NTE*TPO*{text(line.third_party_note, 80)}")
    write_repricing(out, line.repricing, text)


def _loops_2420_providers(out: list[str], line: ServiceLine, text: Text) -> None:
    """2420A operating, B other operating, C rendering, D referring."""
    for role, provider in (
        ("72", line.operating_provider),
        ("ZZ", line.other_operating_provider),
        ("82", line.rendering_provider),
        ("DN", line.referring_provider),
    ):
        if provider is not None:
            parties.write_provider(out, role, provider, text)


# Read


@reads(1, 2, 3, 4, 5, 7)
def _service(fields: Fields, e: Segment, delimiters: Delimiters) -> bool:
    put_text(fields, revenue_code=e[1], unit=e[4])
    known = not e[2] or read_procedure(fields, e[2], delimiters)
    amounts = (("charge", e[3]), ("units", e[5]), ("noncovered", e[7]))
    wrong = [name for name, value in amounts if not put_amount(fields, name, value)]
    return known and not wrong


@reads(1, 2, 3)
def _date(fields: Fields, e: Segment, delimiters: Delimiters) -> bool:
    return e[1] == "472" and PROFESSIONAL["DTP"].read(fields, e, delimiters)


@reads(1, 2)
def _reference(fields: Fields, e: Segment, delimiters: Delimiters) -> bool:
    return e[1] in ("6R", "9B", "9D") and PROFESSIONAL["REF"].read(fields, e, delimiters)


@reads(1, 2)
def _amount(fields: Fields, e: Segment, _: Delimiters) -> bool:
    name = {"GT": "service_tax", "N8": "facility_tax"}.get(e[1])
    return name is not None and bool(e[2]) and put_amount(fields, name, e[2])


@reads(1, 2)
def _note(fields: Fields, e: Segment, _: Delimiters) -> bool:
    return e[1] == "TPO" and put(fields, "third_party_note", e[2])


LOOP_2400: Table = {
    "LX": PROFESSIONAL["LX"],
    "SV2": _service,
    "PWK": PARTICULARS["PWK"],
    "DTP": _date,
    "REF": _reference,
    "AMT": _amount,
    "NTE": _note,
    "HCP": PARTICULARS["HCP"],
}
