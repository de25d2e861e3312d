"""The other policies: 2320 with what their payers decided, 2330A to G (of an institutional claim to I), both ways."""

from collections.abc import Sequence

from charges.model import SELF, Adjudication, Charge, Coverage, InpatientAdjudication, OutpatientAdjudication
from charges.x12 import parties
from charges.x12.hierarchy import member_id, read_policy, write_payer_name, write_subscriber_segment
from charges.x12.particulars import read_adjustments, write_adjustments
from charges.x12.parties import write_address, write_identifiers
from charges.x12.reading import Fields, Table, add, put, put_amount, put_day, put_text, reads
from charges.x12.scanner import Delimiters, Segment
from charges.x12.segments import Text, amount, amount_or_blank, code, day, digits, segment

PAYER_NUMBERS = ("2U", "EI", "FY", "NF")
PROVIDER_ROLES = ("DN", "P3", "82", "77", "DQ", "85")
"""The providers of 2330C to G in guide order."""
INSTITUTIONAL_ROLES = ("71", "72", "ZZ", "77", "82", "DN", "85")
"""Those of an institutional claim, 2330C to I."""
_INPATIENT = {
    "covered_days": 1,
    "lifetime_psychiatric_days": 3,
    "drg_amount": 4,
    "disproportionate_share": 6,
    "pass_through": 7,
    "pps_capital": 8,
    "capital_federal_drg": 9,
    "capital_hospital_drg": 10,
    "capital_disproportionate_share": 11,
    "old_capital": 12,
    "capital_indirect_teaching": 13,
    "operating_hospital_drg": 14,
    "cost_report_days": 15,
    "operating_federal_drg": 16,
    "capital_outlier": 17,
    "indirect_teaching": 18,
    "nonpayable_professional": 19,
    "capital_exception": 24,
}
"""The elements of MIA that hold a number."""
_INPATIENT_REMARKS = (5, 20, 21, 22, 23)

# Written


def loop_2320_other_subscribers(
    out: list[str], charge: Charge, text: Text, roles: Sequence[str] = PROVIDER_ROLES
) -> None:
    """The other policies in their order, at most ten; ``roles`` are the providers that the guide has loops for."""
    for index, coverage in enumerate(charge.coverages[1:11], 1):
        write_subscriber_segment(out, coverage, index, text)
        decided = coverage.adjudication
        if decided is not None:
            _decision(out, decided)
        benefits = coverage.benefits_assigned or charge.benefits_assigned
        release = coverage.release_of_information or charge.release_of_information
        signature = coverage.patient_signature_source or charge.patient_signature_source
        out.append(f"OI***{code(benefits)}*{code(signature)}**{code(release)}".rstrip("*"))
        if decided is not None and decided.inpatient is not None:
            _inpatient(out, decided.inpatient)
        if decided is not None and decided.outpatient is not None:
            _outpatient(out, decided.outpatient)
        _loop_2330a_subscriber(out, charge, coverage, text)
        _loop_2330b_payer(out, coverage, text)
        if coverage.providers:
            _loops_2330c_providers(out, coverage, text, roles)


def _decision(out: list[str], decided: Adjudication) -> None:
    write_adjustments(out, decided.adjustments)
    if decided.paid is not None:
        out.append(f"AMT*D*{amount(decided.paid)}")
    if decided.noncovered is not None:
        out.append(f"AMT*A8*{amount(decided.noncovered)}")
    if decided.patient_responsibility is not None:
        out.append(f"AMT*EAF*{amount(decided.patient_responsibility)}")


def _inpatient(out: list[str], remarks: InpatientAdjudication) -> None:
    elements = ["MIA", *[""] * 24]
    for name, place in _INPATIENT.items():
        elements[place] = amount_or_blank(getattr(remarks, name))
    for place, remark in zip(_INPATIENT_REMARKS, remarks.remark_codes, strict=False):
        elements[place] = code(remark)
    out.append(segment(*elements))


def _outpatient(out: list[str], remarks: OutpatientAdjudication) -> None:
    codes = (*map(code, remarks.remark_codes[:5]), "", "", "", "", "")[:5]
    out.append(
        segment(
            "MOA",
            amount_or_blank(remarks.reimbursement_rate),
            amount_or_blank(remarks.hcpcs_payable),
            *codes,
            amount_or_blank(remarks.esrd_paid),
            amount_or_blank(remarks.nonpayable_professional),
        )
    )


def _loop_2330a_subscriber(out: list[str], charge: Charge, coverage: Coverage, text: Text) -> None:
    own = coverage.subscriber
    insured = own if own.last_name or own.organization_name else coverage.insured(charge.patient)
    parties.write_person(out, "IL", insured, text, member_id(coverage))
    if insured.address.line1:
        write_address(out, insured.address, text)
    if insured.ssn:
        out.append(f"REF*SY*{digits(insured.ssn)}")


def _loop_2330b_payer(out: list[str], coverage: Coverage, text: Text) -> None:
    payer, decided = coverage.payer, coverage.adjudication
    write_payer_name(out, coverage, text)
    if payer.address.line1:
        write_address(out, payer.address, text)
    if decided is not None and decided.paid_on is not None:
        out.append(f"DTP*573*D8*{day(decided.paid_on)}")
    if payer.identifiers:
        write_identifiers(out, tuple(each for each in payer.identifiers if each.qualifier in PAYER_NUMBERS), text)
    if coverage.prior_authorization:
        out.append(f"REF*G1*{text(coverage.prior_authorization, 50)}")
    if coverage.referral_number:
        out.append(f"REF*9F*{text(coverage.referral_number, 50)}")
    if coverage.claim_was_adjusted:
        out.append("REF*T4*Y")
    if decided is not None and decided.payer_claim_number:
        out.append(f"REF*F8*{text(decided.payer_claim_number, 50)}")


def _loops_2330c_providers(out: list[str], coverage: Coverage, text: Text, roles: Sequence[str]) -> None:
    for role in roles:
        for each in coverage.providers:
            if each.role == role:
                out.append(f"NM1*{role}*{2 if each.is_organization else 1}")
                write_identifiers(out, each.identifiers, text)


# Read


def _decided(fields: Fields) -> Fields:
    return fields.setdefault("adjudication", {})  # type: ignore[no-any-return]


@reads(*range(1, 20))
def _adjustments(fields: Fields, e: Segment, delimiters: Delimiters) -> bool:
    return read_adjustments.read(_decided(fields), e, delimiters)


@reads(1, 2)
def _amount(fields: Fields, e: Segment, _: Delimiters) -> bool:
    name = {"D": "paid", "A8": "noncovered", "EAF": "patient_responsibility"}.get(e[1])
    return name is not None and bool(e[2]) and put_amount(_decided(fields), name, e[2])


@reads(3, 4, 6)
def _other_insurance(fields: Fields, e: Segment, _: Delimiters) -> bool:
    put_text(fields, benefits_assigned=e[3], patient_signature_source=e[4], release_of_information=e[6])
    return True


@reads(*range(1, 10))
def _outpatient_remarks(fields: Fields, e: Segment, _: Delimiters) -> bool:
    found: Fields = {"remark_codes": [each for each in e[3:8] if each]}
    names = (("reimbursement_rate", 1), ("hcpcs_payable", 2), ("esrd_paid", 8), ("nonpayable_professional", 9))
    wrong = [name for name, place in names if not put_amount(found, name, e[place])]
    return not wrong and put(_decided(fields), "outpatient", found)


@reads(1, *range(3, 25))
def _inpatient_remarks(fields: Fields, e: Segment, _: Delimiters) -> bool:
    found: Fields = {"remark_codes": [e[place] for place in _INPATIENT_REMARKS if e[place]]}
    wrong = [name for name, place in _INPATIENT.items() if not put_amount(found, name, e[place])]
    return not wrong and put(_decided(fields), "inpatient", found)


@reads(1, 2, 3)
def _paid_on(fields: Fields, e: Segment, _: Delimiters) -> bool:
    return e[1] == "573" and put_day(fields, "paid_on", e[2], e[3])


@reads(1, 2)
def _payer_number(fields: Fields, e: Segment, _: Delimiters) -> bool:
    names = {"G1": "prior_authorization", "9F": "referral_number", "F8": "payer_claim_number"}
    if e[1] in PAYER_NUMBERS:
        return add(fields, "identifiers", {"qualifier": e[1], "value": e[2]})
    if e[1] == "T4":
        return e[2] == "Y" and put(fields, "claim_was_adjusted", value=True)
    return e[1] in names and put(fields, names[e[1]], e[2])


@reads(1, 2)
def _ssn(fields: Fields, e: Segment, _: Delimiters) -> bool:
    return e[1] == "SY" and put(fields, "ssn", digits(e[2]))


@reads(1, 2)
def _role(fields: Fields, e: Segment, _: Delimiters) -> bool:
    if e[2] == "2":
        fields["is_organization"] = True
    return put(fields, "role", e[1]) and e[2] in ("1", "2")


LOOP_2320: Table = {
    "SBR": read_policy,
    "CAS": _adjustments,
    "AMT": _amount,
    "OI": _other_insurance,
    "MOA": _outpatient_remarks,
}
INSTITUTIONAL_2320: Table = LOOP_2320 | {"MIA": _inpatient_remarks}
LOOP_2330A: Table = parties.PERSON | {"REF": _ssn}
LOOP_2330B: Table = parties.PAYER | {"DTP": _paid_on, "REF": _payer_number}
LOOP_2330C: Table = {"NM1": _role, "REF": parties.PROVIDER["REF"]}


def close_other_subscriber(coverage: Fields, subscriber: Fields, payer: Fields, patient: Fields) -> None:
    """Put what stood in 2330A and 2330B where a coverage has it; a subscriber who is the patient is not said twice."""
    put_text(coverage, member_id=subscriber.pop("member_id", ""))
    names = ("last_name", "first_name", "middle_name", "suffix", "address", "ssn")
    is_patient = coverage.get("relationship") == SELF and "organization_name" not in subscriber
    if not (is_patient and all(subscriber.get(name) == patient.get(name) for name in names)):
        coverage["subscriber"] = subscriber
    for name in ("prior_authorization", "referral_number", "claim_was_adjusted"):
        if name in payer:
            coverage[name] = payer.pop(name)
    for name in ("paid_on", "payer_claim_number"):
        if name in payer:
            _decided(coverage)[name] = payer.pop(name)
    coverage.setdefault("payer", {}).update(payer)
