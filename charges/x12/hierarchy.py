"""What stands above a claim: 2000A billing provider, 2000B subscriber, 2000C patient, each with its names, both ways.

The HL segments belong to the envelope, which counts them.
"""

from charges.model import SELF, Charge, Coverage, Patient, PayToPlan, Provider
from charges.x12 import parties
from charges.x12.options import Options
from charges.x12.parties import contact_of, write_address, write_contact, write_demographics, write_identifiers
from charges.x12.reading import Fields, Table, add, put, put_amount, put_text, reads
from charges.x12.scanner import Delimiters, Segment
from charges.x12.segments import Text, amount, code, day, digits, segment, to_day

RESPONSIBILITY = "PSTABCDEFGH"
"""SBR01 by the payer's place in the order: primary, secondary, tertiary, fourth to eleventh."""

# Written


def loop_2000a_billing_provider(out: list[str], provider: Provider, options: Options) -> None:
    """PRV, the taxonomy under which the billing provider bills, and CUR."""
    if provider.taxonomy and options.taxonomies:
        out.append(f"PRV*BI*PXC*{code(provider.taxonomy)}")
    if provider.currency:
        out.append(f"CUR*85*{code(provider.currency)}")


def loop_2010aa_billing_provider(out: list[str], provider: Provider, text: Text) -> None:
    """Who is paid: name, NPI, street, tax number, licence, whom to call."""
    parties.write_provider_name(out, "85", provider, text)
    write_address(out, provider.address, text)
    out.append(segment("REF", code(provider.tax_id_kind), digits(provider.tax_id)))
    write_identifiers(out, provider.identifiers, text)
    write_contact(out, contact_of(provider), text)
    if provider.second_contact is not None:
        write_contact(out, provider.second_contact, text)


def loop_2010ab_pay_to_address(out: list[str], provider: Provider, text: Text) -> None:
    """Where the money goes when not to the billing address."""
    if provider.pay_to_address is not None:
        out.append(f"NM1*87*{2 if provider.is_organization else 1}")
        write_address(out, provider.pay_to_address, text)


def loop_2010ac_pay_to_plan(out: list[str], plan: PayToPlan | None, text: Text) -> None:
    """The plan that pays back another one."""
    if plan is None:
        return
    out.append(segment("NM1", "PE", "2", text(plan.name, 60), "", "", "", "", code(plan.id_kind), text(plan.id, 80)))
    write_address(out, plan.address, text)
    if plan.identifier is not None:
        out.append(segment("REF", code(plan.identifier.qualifier), text(plan.identifier.value, 50)))
    out.append(f"REF*EI*{digits(plan.tax_id)}".rstrip("*"))


def loop_2000b_subscriber(out: list[str], charge: Charge, text: Text) -> None:
    """SBR: the first payer's policy; PAT when the subscriber is the patient and there is something to say."""
    coverage = charge.coverages[0]
    write_subscriber_segment(out, coverage, 0, text)
    if coverage.relationship == SELF:
        _patient_segment(out, charge.patient, "")


def subscriber_and_patient(out: list[str], charge: Charge, level: int, billing_level: int, text: Text) -> int:
    """2000B to 2010BB, and 2000C with 2010CA when the patient is not the subscriber; returns the last HL used."""
    has_dependent = charge.coverages[0].relationship != SELF
    level += 1
    out.append(f"HL*{level}*{billing_level}*22*{int(has_dependent)}")
    loop_2000b_subscriber(out, charge, text)
    loop_2010ba_subscriber(out, charge, text)
    loop_2010bb_payer(out, charge, text)
    if has_dependent:
        level += 1
        out.append(f"HL*{level}*{level - 1}*23*0")
        loop_2000c_patient(out, charge)
        loop_2010ca_patient(out, charge, text)
    return level


def write_subscriber_segment(out: list[str], coverage: Coverage, index: int, text: Text) -> None:
    """SBR of 2000B and 2320."""
    # On the policy that is first, an empty SBR02 says that the patient has a loop of their own.
    relationship = coverage.relationship if index or coverage.relationship == SELF else ""
    name = "" if coverage.group_number else text(coverage.group_name, 60)
    out.append(
        f"SBR*{code(coverage.responsibility) or RESPONSIBILITY[index]}*{code(relationship)}"
        f"*{text(coverage.group_number, 50)}*{name}*{code(coverage.insurance_type)}"
        f"****{code(coverage.payer.claim_filing_code)}".rstrip("*")
    )


def _patient_segment(out: list[str], patient: Patient, relationship: str) -> None:
    died, weight = patient.death_date, patient.weight_pounds
    if died is None and weight is None and not patient.pregnant:
        if relationship:
            out.append(f"PAT*{code(relationship)}")
        return
    out.append(
        segment(
            "PAT",
            code(relationship),
            "",
            "",
            "",
            "D8" if died else "",
            day(died) if died else "",
            "01" if weight is not None else "",
            "" if weight is None else amount(weight),
            "Y" if patient.pregnant else "",
        )
    )


def loop_2010ba_subscriber(out: list[str], charge: Charge, text: Text) -> None:
    """The subscriber; with self the guide wants address and DMG."""
    coverage = charge.coverages[0]
    is_patient = coverage.relationship == SELF
    insured = coverage.insured(charge.patient)
    parties.write_person(out, "IL", insured, text, member_id(coverage))
    if is_patient or insured.address.line1:
        write_address(out, insured.address, text)
    if is_patient or insured.birth_date:
        write_demographics(out, insured)
    if insured.ssn:
        out.append(f"REF*SY*{digits(insured.ssn)}")
    if is_patient:
        _property_and_casualty(out, coverage, text)


def _property_and_casualty(out: list[str], coverage: Coverage, text: Text, patient_number: str = "") -> None:
    if coverage.property_casualty_number:
        out.append(f"REF*Y4*{text(coverage.property_casualty_number, 50)}")
    if patient_number:
        out.append(patient_number)
    if coverage.contact is not None:
        write_contact(out, coverage.contact, text)


def member_id(coverage: Coverage) -> str:
    """NM109 of the subscriber. A Medicare number is printed with dashes and sent without (CMS, MBI format)."""
    is_medicare = coverage.payer.claim_filing_code in ("MA", "MB")
    return digits(coverage.member_id) if is_medicare else coverage.member_id


def loop_2010bb_payer(out: list[str], charge: Charge, text: Text) -> None:
    """The payer the claim is sent to."""
    payer = charge.coverages[0].payer
    write_payer_name(out, charge.coverages[0], text)
    if payer.address.line1:
        write_address(out, payer.address, text)
    if payer.identifiers:
        for wanted in (("2U", "EI", "FY", "NF"), ("G2", "LU")):
            write_identifiers(out, tuple(each for each in payer.identifiers if each.qualifier in wanted), text)


def write_payer_name(out: list[str], coverage: Coverage, text: Text) -> None:
    """NM1 of 2010BB and 2330B."""
    payer = coverage.payer
    out.append(
        f"NM1*PR*2*{text(payer.name, 60)}*****{code(payer.payer_id_kind)}*{text(payer.payer_id, 80)}".rstrip("*")
    )


def loop_2000c_patient(out: list[str], charge: Charge) -> None:
    """PAT: how the patient is related to the subscriber."""
    _patient_segment(out, charge.patient, charge.coverages[0].relationship)


def loop_2010ca_patient(out: list[str], charge: Charge, text: Text) -> None:
    """The patient when not the subscriber."""
    patient = charge.patient
    parties.write_person(out, "QC", patient, text)
    write_address(out, patient.address, text)
    write_demographics(out, patient)
    coverage = charge.coverages[0]
    number = ""
    if coverage.patient_member_id:
        number = f"REF*1W*{text(coverage.patient_member_id, 50)}"
    elif patient.ssn:
        number = f"REF*SY*{digits(patient.ssn)}"
    _property_and_casualty(out, coverage, text, number)


# Read


@reads(1, 2, 3)
def _billing_taxonomy(fields: Fields, e: Segment, _: Delimiters) -> bool:
    return e[1] == "BI" and e[2] == "PXC" and put(fields, "taxonomy", e[3])


@reads(1, 2)
def _currency(fields: Fields, e: Segment, _: Delimiters) -> bool:
    return e[1] == "85" and put(fields, "currency", e[2])


@reads(1, 2)
def _billing_number(fields: Fields, e: Segment, _: Delimiters) -> bool:
    if e[1] in ("EI", "SY"):
        put_text(fields, tax_id_kind=e[1])
        return put(fields, "tax_id", digits(e[2]))
    return bool(e[1] and e[2]) and add(fields, "identifiers", {"qualifier": e[1], "value": e[2]})


@reads(1, 2)
def _pay_to_name(_: Fields, e: Segment, __: Delimiters) -> bool:
    return e[2] in ("1", "2")


@reads(1, 2, 3, 8, 9)
def _plan_name(fields: Fields, e: Segment, _: Delimiters) -> bool:
    put_text(fields, name=e[3], id_kind=e[8], id=e[9])
    return e[2] == "2"


@reads(1, 2)
def _plan_number(fields: Fields, e: Segment, _: Delimiters) -> bool:
    if e[1] == "EI":
        return put(fields, "tax_id", digits(e[2]))
    return bool(e[1] and e[2]) and put(fields, "identifier", {"qualifier": e[1], "value": e[2]})


@reads(1, 2, 3, 4, 5, 9)
def read_policy(fields: Fields, e: Segment, _: Delimiters) -> bool:
    """SBR of 2000B and 2320, into the fields of a coverage."""
    put_text(fields, responsibility=e[1], relationship=e[2], group_number=e[3], group_name=e[4], insurance_type=e[5])
    if e[9]:
        fields.setdefault("payer", {})["claim_filing_code"] = e[9]
    return True


@reads(1, 5, 6, 7, 8, 9)
def _patient(fields: Fields, e: Segment, _: Delimiters) -> bool:
    """PAT of 2000B and 2000C, into the fields of a patient; the relationship goes to the policy."""
    put_text(fields, relationship=e[1])
    died = to_day(e[6]) if e[5] == "D8" else None
    if died is not None:
        fields["death_date"] = died
    if e[9] == "Y":
        fields["pregnant"] = True
    weight_is_read = put_amount(fields, "weight_pounds", e[8]) and e[7] in ("", "01")
    return weight_is_read and bool(died) is bool(e[5] or e[6]) and e[9] in ("", "Y")


@reads(1, 2)
def _person_number(fields: Fields, e: Segment, _: Delimiters) -> bool:
    name = {"SY": "ssn", "Y4": "property_casualty_number", "1W": "patient_member_id"}.get(e[1])
    return name is not None and put(fields, name, digits(e[2]) if name == "ssn" else e[2])


@reads(1, 2, 3, 4, 5, 6)
def _person_contact(fields: Fields, e: Segment, _: Delimiters) -> bool:
    found = parties.contact(e)
    return bool(found) and put(fields, "contact", found)


LOOP_2000A: Table = {"PRV": _billing_taxonomy, "CUR": _currency}
LOOP_2010AA: Table = parties.PROVIDER_WITH_CONTACT | {"REF": _billing_number}
LOOP_2010AB: Table = parties.ADDRESS | {"NM1": _pay_to_name}
LOOP_2010AC: Table = parties.ADDRESS | {"NM1": _plan_name, "REF": _plan_number}
LOOP_2000B: Table = {"SBR": read_policy, "PAT": _patient}
LOOP_2010BA: Table = parties.PERSON | {"REF": _person_number, "PER": _person_contact}
LOOP_2010BB: Table = parties.PAYER
LOOP_2000C: Table = {"PAT": _patient}
LOOP_2010CA: Table = LOOP_2010BA
