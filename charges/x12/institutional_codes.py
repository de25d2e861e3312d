"""The codes of an institutional claim: HI of loop 2300, both ways.

Each composite has a qualifier that says what it is, so a table of qualifiers reads and one function for each kind writes.
The qualifiers of ICD-10 are those of ICD-9 with a letter before them.
"""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

from charges.model import Charge, Diagnosis, InpatientProcedure, Institutional, undotted
from charges.x12.reading import Fields, add, components, put, reads, span
from charges.x12.scanner import Delimiters, Segment
from charges.x12.segments import amount, code, composite, day, to_amount, to_day

A_SEGMENT = 12
"""The composites of an HI."""

MOST = 24
"""The guide has two HI for other diagnoses, other procedures, occurrences, values, conditions and treatments."""

_OF_BILL = frozenset(
    (
        *("admitting_diagnosis", "reasons_for_visit", "external_causes", "drg", "principal_procedure"),
        *("other_procedures", "occurrence_spans", "occurrences", "values", "treatment_codes"),
    )
)

# Written


def write_codes(out: list[str], charge: Charge, bill: Institutional) -> None:
    """HI in guide order."""
    principal, others = charge.diagnoses[:1], charge.diagnoses[1 : 1 + MOST]
    if _OF_BILL.isdisjoint(bill.model_fields_set) and not charge.condition_codes:
        _write(out, [_diagnosis_with_presence("BK", each) for each in principal])
        _write(out, [_diagnosis_with_presence("BF", each) for each in others])
        return
    admitting = () if bill.admitting_diagnosis is None else (bill.admitting_diagnosis,)
    operation = () if bill.principal_procedure is None else (bill.principal_procedure,)
    for composites in (
        [_diagnosis_with_presence("BK", each) for each in principal],
        [_diagnosis("BJ", each) for each in admitting],
        [_diagnosis("PR", each) for each in bill.reasons_for_visit[:3]],
        [_diagnosis_with_presence("BN", each) for each in bill.external_causes[:A_SEGMENT]],
        [f"DR:{code(bill.drg)}"] if bill.drg else (),
        [_diagnosis_with_presence("BF", each) for each in others],
        [_procedure("BR", each) for each in operation],
        [_procedure("BQ", each) for each in bill.other_procedures[:MOST]],
        [_dated("BI", each.code, "RD8", each.start, each.end) for each in bill.occurrence_spans[:MOST]],
        [_dated("BH", each.code, "D8", each.on) for each in bill.occurrences[:MOST]],
        [f"BE:{code(each.code)}:::{amount(each.amount)}" for each in bill.values[:MOST]],
        [f"BG:{code(each)}" for each in charge.condition_codes[:MOST]],
        [f"TC:{code(each)}" for each in bill.treatment_codes[:MOST]],
    ):
        _write(out, composites)


def _write(out: list[str], composites: Sequence[str]) -> None:
    starts = range(0, len(composites), A_SEGMENT)
    out += ["HI*" + "*".join(composites[start : start + A_SEGMENT]) for start in starts]


def _diagnosis(qualifier: str, diagnosis: Diagnosis) -> str:
    return f"{'' if diagnosis.icd9 else 'A'}{qualifier}:{code(undotted(diagnosis.code))}"


def _diagnosis_with_presence(qualifier: str, diagnosis: Diagnosis) -> str:
    """A diagnosis of which it is told whether it was there at admission (HI01-9)."""
    said, present = _diagnosis(qualifier, diagnosis), code(diagnosis.present_on_admission)
    return f"{said}:::::::{present}" if present else said


def _procedure(qualifier: str, procedure: InpatientProcedure) -> str:
    kind = "CAH" if procedure.abc else qualifier if procedure.icd9 else f"B{qualifier}"
    return _dated(kind, procedure.code, "D8", procedure.performed_on)


def _dated(qualifier: str, value: str, kind: str, *days: date | None) -> str:
    """A code with its day, or with its first and last one."""
    said = [day(each) for each in days if each is not None]
    return composite(qualifier, code(value), kind if said else "", "-".join(said))


# Read

_Found = Callable[[list[str]], object]
"""What a composite of nine components says; ``None`` where one of them has no place."""


@reads(*range(1, A_SEGMENT + 1))
def read_codes(fields: Fields, e: Segment, delimiters: Delimiters) -> bool:
    """HI, by the qualifier of each composite."""
    # All are read, also those after one that has no place.
    unread = [each for each in e[1 : A_SEGMENT + 1] if each and not _composite(fields, components(each, delimiters, 9))]
    return not unread


def _composite(fields: Fields, parts: list[str] | None) -> bool:
    if parts is None or parts[0] not in _QUALIFIERS:
        return False
    name, most, read = _QUALIFIERS[parts[0]]
    found = read(parts) if parts[1] else None
    if found is None or (name == "diagnoses" and most > 1 and name not in fields):
        return False
    return add(fields, name, found, most) if most else put(fields, name, found)


def _a_diagnosis(parts: list[str], *, icd9: bool = False, has_presence: bool = False) -> Fields | None:
    found: Fields = {"code": parts[1]}
    if icd9:
        found["icd9"] = True
    if parts[8]:
        found["present_on_admission"] = parts[8]
    return None if any(parts[2:8]) or (parts[8] and not has_presence) else found


def _a_procedure(parts: list[str], system: str = "") -> Fields | None:
    found: Fields = {"code": parts[1], "performed_on": to_day(parts[3])}
    if system:
        found[system] = True
    return None if found["performed_on"] is None or parts[2] != "D8" or any(parts[4:]) else found


def _an_occurrence(parts: list[str]) -> Fields | None:
    on = to_day(parts[3])
    return None if on is None or parts[2] != "D8" or any(parts[4:]) else {"code": parts[1], "on": on}


def _a_span(parts: list[str]) -> Fields | None:
    both = span(parts[2], parts[3])
    if both is None or both[1] is None or any(parts[4:]):
        return None
    return {"code": parts[1], "start": both[0], "end": both[1]}


def _a_value(parts: list[str]) -> Fields | None:
    value = to_amount(parts[4])
    return None if value is None or any(parts[2:4] + parts[5:]) else {"code": parts[1], "amount": value}


def _a_code(parts: list[str]) -> str | None:
    return None if any(parts[2:]) else parts[1]


def _revisions(qualifier: str, name: str, most: int, read: Callable[..., object]) -> dict[str, tuple[str, int, _Found]]:
    """A diagnosis of either revision."""
    return {f"A{qualifier}": (name, most, read), qualifier: (name, most, partial(read, icd9=True))}


_present = partial(_a_diagnosis, has_presence=True)
_QUALIFIERS: dict[str, tuple[str, int, _Found]] = {
    **_revisions("BK", "diagnoses", 1, _present),
    **_revisions("BF", "diagnoses", 1 + MOST, _present),
    **_revisions("BJ", "admitting_diagnosis", 0, _a_diagnosis),
    **_revisions("PR", "reasons_for_visit", 3, _a_diagnosis),
    **_revisions("BN", "external_causes", A_SEGMENT, _present),
    "DR": ("drg", 0, _a_code),
    "BBR": ("principal_procedure", 0, _a_procedure),
    "BR": ("principal_procedure", 0, partial(_a_procedure, system="icd9")),
    "CAH": ("principal_procedure", 0, partial(_a_procedure, system="abc")),
    "BBQ": ("other_procedures", MOST, _a_procedure),
    "BQ": ("other_procedures", MOST, partial(_a_procedure, system="icd9")),
    "BI": ("occurrence_spans", MOST, _a_span),
    "BH": ("occurrences", MOST, _an_occurrence),
    "BE": ("values", MOST, _a_value),
    "BG": ("condition_codes", MOST, _a_code),
    "TC": ("treatment_codes", MOST, _a_code),
}
"""The field each qualifier goes to, how many of it there may be (0 where it is not a list), and what reads it."""
