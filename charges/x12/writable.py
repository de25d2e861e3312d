"""What no 837 can carry, told before anything is written: parts that are missing, too many, too long, or not to be spelt.

The writer cuts names and streets to the length of their element, as everybody does. It never alters an identifier and never
leaves out one of many: a claim that would say less or something else is told here and not written.
"""

from collections.abc import Iterator

from charges.model import Charge, Claim, Coverage, Finding, Institutional, References, Severity
from charges.x12.segments import Text, text

CANNOT_BE_WRITTEN = "X12-001"
"""The finding of a value that no 837 can carry."""

LONGEST_NOTE = 80

_MOST_OF_CLAIM = {
    "diagnoses": 12,
    "coverages": 11,
    "anesthesia_procedures": 2,
    "condition_codes": 24,
    "attachments": 10,
    "file_information": 10,
}
_MOST_OF_LINE = {"modifiers": 4, "attachments": 10, "measurements": 5, "file_information": 10, "adjudications": 15}
_MOST_OF_BILL = {
    "reasons_for_visit": 3,
    "external_causes": 12,
    "other_procedures": 24,
    "occurrence_spans": 24,
    "occurrences": 24,
    "values": 24,
    "treatment_codes": 24,
    "further_devices": 4,
    "notes": 10,
}
_MORE_IN_BILL = {"diagnoses": 25}
_IN_PROFESSIONAL_CLAIMS = (
    "supervising_provider",
    "primary_care_provider",
    "anesthesia_procedures",
    "ambulance",
    "spinal_manipulation",
    "patient_paid",
)
_IN_PROFESSIONAL_LINES = (
    "ordering_provider",
    "supervising_provider",
    "primary_care_provider",
    "facility",
    "purchased_service",
    "equipment",
    "equipment_certification",
    "measurements",
    "ambulance",
    "contract",
    "sales_tax",
    "postage",
    "note",
    "forms",
)
_MOST_CODES_OF_CONDITION = 5
_MOST_REMARKS = 5
_MOST_CAUSES = 2
_LINE_NUMBERS = ("prior_authorization", "referral_number", "clia", "control_number")

_Fault = tuple[str, str]
"""Where in the charge, and the sentence about it."""


def cannot_be_written(claim: Claim, spelt: Text = text) -> tuple[Finding, ...]:
    """What an 837 cannot carry of a claim; ``spelt`` brings values into the partner's character set."""
    charge = claim.charge
    return tuple(
        Finding(
            rule=CANNOT_BE_WRITTEN,
            severity=Severity.STOP,
            at=at,
            message=message,
            fix="Correct it at the source, or in the practice's profile if it comes from there.",
        )
        for at, message in (*_of_claim(charge, spelt), *_of_coverages(charge, spelt), *_of_lines(charge, spelt))
    )


def _of_claim(charge: Charge, spelt: Text) -> Iterator[_Fault]:
    if charge.unread:
        count = len(charge.unread)
        yield "unread", f"The source said {count} things that a claim made from this charge would leave out."
    yield from _note("note", "The claim note", charge.note)
    yield from _missing("billing_provider", "The billing provider", charge.billing_provider)
    yield from _missing("lines", "A service line for the payer", charge.billed_lines)
    yield from _missing("diagnoses", "A diagnosis", charge.diagnoses)
    yield from _missing("patient.last_name", "The patient's last name", spelt(charge.patient.last_name, 60))
    bill = charge.institutional
    if bill is not None:
        yield from _of_bill(charge, bill)
    for name, most in (_MOST_OF_CLAIM if bill is None else _MOST_OF_CLAIM | _MORE_IN_BILL).items():
        yield from _too_many(name, f"The claim's {_words(name)}", getattr(charge, name), most)
    yield from _too_many("related_causes", "The related causes", charge.related_causes.codes, _MOST_CAUSES)
    for index, condition in enumerate(charge.conditions):
        at = f"conditions[{index}].codes"
        yield from _too_many(at, "The codes of a condition", condition.codes, _MOST_CODES_OF_CONDITION)
    for name in References.model_fields:
        if name in charge.references.model_fields_set:
            value = getattr(charge.references, name)
            yield from _identifier(f"references.{name}", f"The {_words(name)}", value, 50, spelt)


def _of_bill(charge: Charge, bill: Institutional) -> Iterator[_Fault]:
    at = "institutional"
    yield from _missing(f"{at}.facility_type", "The type of bill", bill.facility_type)
    yield from _missing(f"{at}.statement_from", "The first day billed", bill.statement_from or bill.statement_to)
    yield from _missing(f"{at}.patient_status", "The patient's status at the end", bill.patient_status)
    if bill.admission_time is not None:
        yield from _missing("dates.admission", "The day that the hour of admission belongs to", charge.dates.admission)
    for name, most in _MOST_OF_BILL.items():
        yield from _too_many(f"{at}.{name}", f"The claim's {_words(name)}", getattr(bill, name), most)
    for index, note in enumerate(bill.notes):
        yield from _note(f"{at}.notes[{index}].text", "A note", note.text)
    for name in _IN_PROFESSIONAL_CLAIMS:
        yield from _without_place(name, name, getattr(charge, name))


def _of_coverages(charge: Charge, spelt: Text) -> Iterator[_Fault]:
    yield from _missing("coverages", "The payer", charge.coverages)
    for index, coverage in enumerate(charge.coverages):
        at = f"coverages[{index}]"
        if index == 0:
            name = coverage.insured(charge.patient).last_name or coverage.subscriber.organization_name
            yield from _missing(f"{at}.subscriber.last_name", "The subscriber's last name", spelt(name, 60))
            yield from _missing(f"{at}.payer.name", "The payer's name", spelt(coverage.payer.name, 60))
            yield from _missing(f"{at}.payer.payer_id", "The payer's id", coverage.payer.payer_id)
        yield from _identifier(f"{at}.member_id", "The member id", coverage.member_id, 80, spelt)
        yield from _identifier(f"{at}.payer.payer_id", "The payer's id", coverage.payer.payer_id, 80, spelt)
        yield from _identifier(f"{at}.group_number", "The group number", coverage.group_number, 50, spelt)
        if index > 0:
            yield from _of_other_coverage(coverage, at, spelt)


def _of_other_coverage(coverage: Coverage, at: str, spelt: Text) -> Iterator[_Fault]:
    for name in ("prior_authorization", "referral_number"):
        yield from _identifier(f"{at}.{name}", f"The {_words(name)}", getattr(coverage, name), 50, spelt)
    decided = coverage.adjudication
    if decided is not None:
        number = decided.payer_claim_number
        yield from _identifier(f"{at}.adjudication.payer_claim_number", "The payer's claim number", number, 50, spelt)
        if decided.outpatient is not None:
            remarks = decided.outpatient.remark_codes
            yield from _too_many(f"{at}.adjudication.outpatient.remark_codes", "The remarks", remarks, _MOST_REMARKS)


def _of_lines(charge: Charge, spelt: Text) -> Iterator[_Fault]:
    is_bill = charge.institutional is not None
    for index, line in enumerate(charge.lines):
        if line.patient_share:
            continue
        at, which = f"lines[{index}]", f"Line {index + 1}"
        yield from _identifier(f"{at}.code", f"{which}: the procedure code", line.code, 48, spelt)
        if is_bill:
            yield from _missing(f"{at}.revenue_code", f"{which}: the revenue code", line.revenue_code)
            if line.modifiers:
                yield from _missing(f"{at}.code", f"{which}: the procedure that has modifiers", line.code)
            for name in _IN_PROFESSIONAL_LINES:
                yield from _without_place(f"{at}.{name}", f"{which}: {name}", getattr(line, name))
        else:
            yield from _missing(f"{at}.service_date", f"{which}: the date of service", line.service_date)
        yield from _note(f"{at}.note", f"{which}: the note", line.note)
        yield from _note(f"{at}.third_party_note", f"{which}: the note", line.third_party_note)
        for modifier in line.modifiers:
            yield from _identifier(f"{at}.modifiers", f"{which}: a modifier", modifier, 2, spelt)
        for name in _LINE_NUMBERS:
            yield from _identifier(f"{at}.{name}", f"{which}: the {_words(name)}", getattr(line, name), 50, spelt)
        for name, most in _MOST_OF_LINE.items():
            yield from _too_many(f"{at}.{name}", f"{which}: the {_words(name)}", getattr(line, name), most)
        for place, condition in enumerate(line.conditions):
            where = f"{at}.conditions[{place}].codes"
            yield from _too_many(where, f"{which}: the codes of a condition", condition.codes, _MOST_CODES_OF_CONDITION)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _missing(at: str, what: str, value: object) -> Iterator[_Fault]:
    if not value:
        yield at, f"{what} is missing, and a claim cannot be written without it."


def _without_place(at: str, what: str, value: object) -> Iterator[_Fault]:
    if value not in (None, "", ()):
        yield at, f"{_words(what).capitalize()} has no place in an institutional claim."


def _identifier(at: str, what: str, value: str, longest: int, spelt: Text) -> Iterator[_Fault]:
    if value and spelt(value, longest).upper() != value.strip().upper():
        yield at, f"{what} has characters or a length that X12 cannot carry."


def _too_many(at: str, what: str, values: tuple[object, ...], most: int) -> Iterator[_Fault]:
    if len(values) > most:
        yield at, f"{what} are {len(values)}; a claim carries {most}."


def _note(at: str, what: str, value: str) -> Iterator[_Fault]:
    if len(value) > LONGEST_NOTE and (length := len(text(value, 1000))) > LONGEST_NOTE:
        yield at, f"{what} has {length} characters; a claim carries {LONGEST_NOTE}. Shorten it."
