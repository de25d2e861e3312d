"""An institutional bill that says everything an 837I has a place for: for tests of the writer and reader, and to measure.

As ``full_charge`` does for professional claims. All people, companies and numbers are invented.

>>> full_bill().institutional.facility_type, len(full_bill(payers=11).coverages)
('11', 11)
"""

from datetime import date, time
from decimal import Decimal

from charges.model import (
    Adjustment,
    Attachment,
    Charge,
    ClaimDates,
    Condition,
    Contract,
    Coverage,
    Diagnosis,
    Drug,
    Encounter,
    Facility,
    Identifier,
    InpatientAdjudication,
    InpatientProcedure,
    Institutional,
    LineAdjudication,
    LineReferences,
    Note,
    Occurrence,
    OccurrenceSpan,
    PayerProvider,
    Provider,
    References,
    RelatedCauses,
    Repricing,
    ServiceLine,
    ValueAmount,
)
from rules.full_charge import full_charge

ADMITTED, DISCHARGED = date(2026, 11, 2), date(2026, 11, 6)
_NUMBER = Identifier(qualifier="LU", value="P-55120")


def full_bill(*, payers: int = 3, dependent: bool = True) -> Charge:
    """An inpatient bill with all loops from 2000A to 2430, 1 to 11 payers, the patient a dependent or the subscriber."""
    like = full_charge(payers=payers, dependent=dependent)
    first, *others = like.coverages
    return Charge(
        encounter=Encounter(),
        patient=like.patient.model_copy(update={"death_date": None, "weight_pounds": None, "pregnant": None}),
        coverages=(first.model_copy(update={"contact": None}), *map(_other_coverage, others)),
        billing_provider=_billing_provider(like.billing_provider),
        rendering_provider=_person("Fenwick", "Tobias", "1245319599"),
        referring_provider=_person("Ashdown", "Mirela", "1679576722", number=Identifier(qualifier="G2", value="R-1")),
        facility=_facility(like.facility),
        diagnoses=(
            Diagnosis(code="S72001A", present_on_admission="Y"),
            *(
                Diagnosis(code=f"Z{number}", present_on_admission="N" if number % 2 else "")
                for number in range(700, 724)
            ),
        ),
        lines=(_room(), _operation(), _drug()),
        assignment="A",
        benefits_assigned="Y",
        release_of_information="Y",
        delay_reason="11",
        related_causes=RelatedCauses(auto_accident=True, state="IL"),
        dates=ClaimDates(admission=ADMITTED, repricer_received=date(2026, 11, 20)),
        references=_references(),
        note="TRANSFERRED BY HELICOPTER",
        condition_codes=tuple(f"{number:02d}" for number in range(2, 16)),
        attachments=(
            Attachment(kind="OZ", transmission="EL", control_number="ATT-100"),
            Attachment(kind="B2", transmission="FX", control_number="ATT-101"),
        ),
        conditions=(Condition(category="ZZ", applies=True, codes=("AV", "S2")),),
        contract=Contract(
            kind="02",
            amount=Decimal("500.00"),
            percent=Decimal(10),
            code="C-17",
            discount_percent=Decimal("2.5"),
            version="3",
        ),
        repricing=Repricing(
            method="03",
            allowed=Decimal("4000.00"),
            savings=Decimal("75.25"),
            organization_id="REPRICER7",
            rate=Decimal("0.8"),
            group_code="470",
            group_amount=Decimal("120.00"),
            revenue_code="0120",
            unit="DA",
            units=Decimal(4),
            reject_reason="T1",
            compliance="3",
            exception="2",
        ),
        file_information=("STATE DATA 1234567", "MORE STATE DATA"),
        institutional=_institutional(),
    )


def _institutional() -> Institutional:
    return Institutional(
        facility_type="11",
        frequency="2",
        statement_from=ADMITTED,
        statement_to=DISCHARGED,
        admission_time=time(22, 5),
        discharge_time=time(9, 30),
        admission_type="1",
        admission_source="7",
        patient_status="30",
        attending_provider=_person("Pemberly", "Ines", "1881600015", taxonomy="207X00000X"),
        operating_provider=_person("Orrin", "Thaddeus", "1972500012"),
        other_operating_provider=_person("Quill", "Bettina", "1801900004"),
        admitting_diagnosis=Diagnosis(code="M25551"),
        reasons_for_visit=(Diagnosis(code="M25551"), Diagnosis(code="R262"), Diagnosis(code="R52")),
        external_causes=(Diagnosis(code="V4352XA", present_on_admission="Y"), Diagnosis(code="Y92410")),
        drg="470",
        principal_procedure=InpatientProcedure(code="0SR9019", performed_on=date(2026, 11, 3)),
        other_procedures=tuple(
            InpatientProcedure(code=f"0QS63{number:02d}", performed_on=date(2026, 11, 4)) for number in range(14)
        ),
        occurrence_spans=(OccurrenceSpan(code="72", start=date(2026, 10, 1), end=date(2026, 10, 4)),),
        occurrences=tuple(Occurrence(code=f"{number:02d}", on=date(2026, 11, 1)) for number in range(1, 14)),
        values=(
            ValueAmount(code="01", amount=Decimal("850.50")),
            ValueAmount(code="80", amount=Decimal(4)),
            *(ValueAmount(code=f"A{number}", amount=Decimal(number)) for number in range(1, 10)),
            *(ValueAmount(code=f"B{number}", amount=Decimal("0.75")) for number in range(1, 4)),
        ),
        treatment_codes=("A1", "A2"),
        estimated_due=Decimal("1340.00"),
        further_devices=("IDE-2", "IDE-3"),
        peer_review_number="PRO-77",
        notes=(Note(kind="ALG", text="PENICILLIN"), Note(kind="DME", text="WALKER")),
    )


def _person(
    last_name: str,
    first_name: str,
    npi: str,
    taxonomy: str = "",
    number: Identifier = _NUMBER,
) -> Provider:
    return Provider(
        last_name=last_name.upper(),
        first_name=first_name.upper(),
        middle_name="Q",
        suffix="JR",
        npi=npi,
        taxonomy=taxonomy,
        identifiers=(number,),
    )


def _billing_provider(like: Provider | None) -> Provider:
    assert like is not None
    return like.model_copy(update={"organization_name": "HARBOR GENERAL HOSPITAL", "identifiers": ()})


def _facility(like: Facility | None) -> Facility:
    assert like is not None
    return like.model_copy(update={"name": "HARBOR ANNEX", "phone": "", "phone_extension": "", "contact_name": ""})


def _other_coverage(like: Coverage) -> Coverage:
    decided = like.adjudication
    assert decided is not None
    names = [name for name in InpatientAdjudication.model_fields if name != "remark_codes"]
    amounts = {name: Decimal(number) + Decimal("0.25") for number, name in enumerate(names)}
    remarks = InpatientAdjudication(**amounts, remark_codes=("MA01", "N130", "MA02", "MA03", "N1"))
    return like.model_copy(
        update={
            "insurance_type": "",
            "adjudication": decided.model_copy(update={"inpatient": remarks}),
            "providers": tuple(
                PayerProvider(
                    role=role,
                    is_organization=role in ("77", "85"),
                    identifiers=(Identifier(qualifier="G2", value=f"{role}-{like.member_id}"),),
                )
                for role in ("71", "72", "ZZ", "77", "82", "DN", "85")
            ),
        }
    )


def _references() -> References:
    professional_only = {"mammography_certificate", "medicare_section_4081", "clia", "care_plan_oversight"}
    names = [name for name in References.model_fields if name not in professional_only]
    numbers = {name: f"{number}-{name[:8].upper()}".replace("_", "-") for number, name in enumerate(names)}
    return References(**numbers | {"service_authorization_exception": "1"})


def _room() -> ServiceLine:
    return ServiceLine(
        revenue_code="0120", charge=Decimal("6400.00"), unit="DA", units=Decimal(4), noncovered=Decimal("150.50")
    )


def _operation() -> ServiceLine:
    return ServiceLine(
        revenue_code="0360",
        code="27130",
        modifiers=("RT", "22", "AS", "GA"),
        description="HIP REPLACED",
        charge=Decimal("12750.75"),
        units=Decimal("1.5"),
        service_date=date(2026, 11, 3),
        service_date_to=date(2026, 11, 4),
        attachments=(Attachment(kind="OB", transmission="EL", control_number="ATT-9"),),
        control_number="LINE-2",
        references=LineReferences(repriced_line_number="RL-1", adjusted_repriced_line_number="RL-2"),
        service_tax=Decimal("1.10"),
        facility_tax=Decimal("2.20"),
        third_party_note="FOR THE REPRICER",
        repricing=Repricing(
            method="01",
            allowed=Decimal("0.40"),
            revenue_code="0360",
            code_qualifier="HC",
            code="27130",
            unit="UN",
            units=Decimal(1),
        ),
        operating_provider=_person("Orrin", "Thaddeus", "1972500012"),
        other_operating_provider=_person("Quill", "Bettina", "1801900004"),
        rendering_provider=_person(
            "Marsh", "Leopold", "1760400004", number=Identifier(qualifier="G2", value="M-1", payer_id="PAY01")
        ),
        referring_provider=_person("Ashdown", "Mirela", "1679576722", number=Identifier(qualifier="G2", value="R-1")),
        adjudications=(
            LineAdjudication(
                payer_id="PAY01",
                paid=Decimal("0.30"),
                paid_units=Decimal(1),
                paid_on=date(2026, 11, 18),
                code="27130",
                modifiers=("RT",),
                revenue_code="0360",
                bundled_line="1",
                adjustments=(Adjustment(group="CO", reason="45", amount=Decimal("0.20")),),
                patient_responsibility=Decimal("0.10"),
            ),
            LineAdjudication(
                payer_id="PAY02",
                paid=Decimal(0),
                paid_units=Decimal(1),
                paid_on=date(2026, 11, 19),
                revenue_code="0360",
            ),
        ),
    )


def _drug() -> ServiceLine:
    return ServiceLine(
        revenue_code="0636",
        code="J3301",
        charge=Decimal("42.00"),
        units=Decimal(4),
        service_date=date(2026, 11, 5),
        drug=Drug(ndc="00003029305", quantity=Decimal("2.5"), unit="ML", prescription_number="RX-100"),
    )
