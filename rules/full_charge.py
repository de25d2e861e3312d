"""A charge that says everything an 837P has a place for: for tests of the writer and the reader, and for measurements.

No real claim is like it: an ambulance ride, spectacles and an anaesthesia in one visit. All people, companies and numbers
are invented.

>>> len(full_charge().coverages), len(full_charge(payers=11, dependent=False).coverages)
(3, 11)
"""

from datetime import date
from decimal import Decimal

from charges.model import (
    SELF,
    Address,
    Adjudication,
    Adjustment,
    Ambulance,
    Attachment,
    Charge,
    ClaimDates,
    Condition,
    Contact,
    Contract,
    Coverage,
    Diagnosis,
    Drug,
    DurableEquipment,
    Encounter,
    EquipmentCertification,
    Facility,
    Form,
    FormAnswer,
    Identifier,
    LineAdjudication,
    LineDates,
    LineReferences,
    Measurement,
    OutpatientAdjudication,
    Patient,
    Payer,
    PayerProvider,
    PayToPlan,
    Provider,
    PurchasedService,
    References,
    RelatedCauses,
    Repricing,
    ServiceLine,
    SpinalManipulation,
    Subscriber,
)

SERVICE_DATE = date(2026, 11, 16)
_PAYERS = (
    *("PRAIRIE MUTUAL", "GREAT CONFLUENCE", "LAKESHORE COMMUNITY", "HARVEST STATE", "BLUESTEM", "COTTONWOOD"),
    *("MEADOWLARK", "SANDHILL", "BIG BEND", "WILD PLUM", "SWITCHGRASS"),
)


def full_charge(*, payers: int = 3, dependent: bool = True) -> Charge:
    """A charge with all loops from 2000A to 2440, 2 to 11 payers, the patient a dependent or the subscriber."""
    return Charge(
        encounter=Encounter(place_of_service="41"),
        patient=_patient(),
        coverages=(_first_coverage(dependent=dependent), *(_other_coverage(place) for place in range(1, payers))),
        billing_provider=_billing_provider(),
        rendering_provider=_person("Fenwick", "Tobias", "1245319599", taxonomy="207Q00000X"),
        referring_provider=_person("Ashdown", "Mirela", "1679576722"),
        primary_care_provider=_person("Orrin", "Thaddeus", "1972500012"),
        supervising_provider=_person("Pemberly", "Ines", "1881600015"),
        facility=_facility("Harborview Surgery Center", has_contact=True),
        diagnoses=tuple(Diagnosis(code=each) for each in ("S72001A", "I10", "E119", "Z794")),
        lines=(_plain_line(), _full_line(), _drug_line()),
        provider_signature="Y",
        assignment="A",
        benefits_assigned="Y",
        release_of_information="Y",
        patient_signature_source="P",
        special_program="05",
        delay_reason="11",
        related_causes=RelatedCauses(auto_accident=True, other_accident=True, state="IL", country="US"),
        dates=_claim_dates(),
        references=_references(),
        patient_paid=Decimal("25.50"),
        note="PATIENT CARRIED DOWN FOUR FLIGHTS OF STAIRS",
        note_kind="CER",
        anesthesia_procedures=("27236", "27245"),
        condition_codes=("02", "03"),
        attachments=(
            Attachment(kind="OZ", transmission="EL", control_number="ATT-100"),
            Attachment(kind="B2", transmission="AA"),
        ),
        conditions=(
            Condition(category="07", applies=True, codes=("01", "06")),
            Condition(category="E1", applies=True, codes=("L1",)),
            Condition(category="75", applies=True, codes=("IH",)),
            Condition(category="ZZ", applies=True, codes=("AV", "S2")),
        ),
        ambulance=_ambulance(),
        spinal_manipulation=SpinalManipulation(nature="A", description="ACUTE", further_description="LOWER BACK"),
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
            allowed=Decimal("400.00"),
            savings=Decimal("75.25"),
            organization_id="REPRICER7",
            rate=Decimal("0.8"),
            group_code="APG1",
            group_amount=Decimal("120.00"),
            reject_reason="T1",
            compliance="3",
            exception="2",
        ),
        file_information=("STATE DATA 1234567", "MORE STATE DATA"),
    )


def _address(line1: str, postal_code: str = "627040001", line2: str = "") -> Address:
    return Address(line1=line1, line2=line2, city="SPRINGFIELD", state="IL", postal_code=postal_code)


def _person(last_name: str, first_name: str, npi: str, taxonomy: str = "") -> Provider:
    return Provider(
        last_name=last_name.upper(),
        first_name=first_name.upper(),
        middle_name="Q",
        suffix="JR",
        npi=npi,
        taxonomy=taxonomy,
        identifiers=(Identifier(qualifier="G2", value="P-55120"),),
    )


def _facility(name: str, *, has_contact: bool = False) -> Facility:
    return Facility(
        name=name.upper(),
        npi="1992700008",
        address=_address("80 QUAY ROAD"),
        identifiers=(Identifier(qualifier="LU", value="SITE 4"),),
        contact_name="OLA BRANDT" if has_contact else "",
        phone="2175550177" if has_contact else "",
        phone_extension="12" if has_contact else "",
    )


def _billing_provider() -> Provider:
    return Provider(
        organization_name="LAKESIDE FAMILY MEDICINE",
        npi="1993999998",
        tax_id="364711208",
        taxonomy="207Q00000X",
        address=_address("400 HARBOR STREET", line2="SUITE 2"),
        identifiers=(Identifier(qualifier="0B", value="LIC778"), Identifier(qualifier="1G", value="A12345")),
        contact_name="IMOGEN VALE",
        phone="2175550100",
        phone_extension="7",
        fax="2175550101",
        second_contact=Contact(name="PIET HOLM", phone="2175550102"),
        currency="USD",
        pay_to_address=_address("PO BOX 88"),
        pay_to_plan=PayToPlan(
            name="STATE MEDICAID AGENCY",
            id="MCDIL",
            tax_id="364711299",
            address=_address("1 CAPITOL WAY"),
            identifier=Identifier(qualifier="FY", value="OFFICE 9"),
        ),
    )


def _patient() -> Patient:
    return Patient(
        last_name="LARKSPUR",
        first_name="ODETTE",
        middle_name="M",
        suffix="III",
        birth_date=date(2011, 4, 3),
        sex="F",
        address=_address("12 WILLOW LANE", "62704"),
        death_date=date(2026, 11, 20),
        weight_pounds=Decimal("95.5"),
        pregnant=True,
    )


def _subscriber() -> Subscriber:
    return Subscriber(
        last_name="LARKSPUR",
        first_name="CASIMIR",
        birth_date=date(1985, 9, 12),
        sex="M",
        address=_address("12 WILLOW LANE", "62704"),
        ssn="219099999",
    )


def _payer(place: int) -> Payer:
    return Payer(
        name=_PAYERS[place],
        payer_id=f"PAY{place:02d}",
        claim_filing_code="CI",
        address=_address("1 INSURANCE PLAZA"),
        identifiers=(Identifier(qualifier="2U", value=f"2U-{place}"), Identifier(qualifier="NF", value="12345")),
    )


def _first_coverage(*, dependent: bool) -> Coverage:
    payer = _payer(0)
    known_as = (Identifier(qualifier="G2", value="BILL-77"),)
    return Coverage(
        payer=payer.model_copy(update={"identifiers": payer.identifiers + known_as}),
        member_id="PMH8812345",
        relationship="19" if dependent else SELF,
        subscriber=_subscriber() if dependent else Subscriber(),
        group_number="GRP-2201",
        property_casualty_number="CLAIM-2026-7",
        patient_member_id="PMH8812345-02" if dependent else "",
        contact=Contact(name="RUTH ADEYEMI", phone="2175550190", extension="5"),
    )


def _other_coverage(place: int) -> Coverage:
    """A policy whose payer decided already."""
    return Coverage(
        payer=_payer(place),
        member_id=f"MEMBER{place:03d}",
        relationship="19",
        subscriber=Subscriber(
            last_name="LARKSPUR", first_name="CASIMIR", address=_address("12 WILLOW LANE", "62704"), ssn="219099999"
        ),
        group_name="HARBOR WORKERS",
        insurance_type="12" if place == 1 else "",
        adjudication=Adjudication(
            paid=Decimal("100.25"),
            paid_on=date(2026, 11, 18),
            payer_claim_number=f"ICN-{place}",
            adjustments=(
                Adjustment(group="CO", reason="45", amount=Decimal("20.00"), quantity=Decimal(1)),
                *(Adjustment(group="PR", reason=str(reason), amount=Decimal("1.50")) for reason in range(1, 8)),
            ),
            patient_responsibility=Decimal("10.50"),
            noncovered=Decimal("5.00"),
            outpatient=OutpatientAdjudication(
                reimbursement_rate=Decimal("0.8"),
                hcpcs_payable=Decimal("60.00"),
                remark_codes=("MA01", "N130"),
                esrd_paid=Decimal("3.00"),
                nonpayable_professional=Decimal("4.00"),
            ),
        ),
        prior_authorization=f"AUTH-{place}",
        referral_number=f"REFERRAL-{place}",
        claim_was_adjusted=True,
        providers=tuple(
            PayerProvider(
                role=role,
                is_organization=role in ("77", "85"),
                identifiers=(Identifier(qualifier="G2", value=f"{role}-{place}"),),
            )
            for role in ("DN", "P3", "82", "77", "DQ", "85")
        ),
    )


def _ambulance() -> Ambulance:
    return Ambulance(
        patient_weight_pounds=Decimal(95),
        reason="A",
        miles=Decimal("12.5"),
        round_trip_purpose="RETURN FROM DIALYSIS",
        stretcher_purpose="UNABLE TO SIT",
        pick_up=_address("12 WILLOW LANE", "62704"),
        drop_off=_address("1 HOSPITAL DRIVE"),
        drop_off_name="SPRINGFIELD GENERAL",
    )


def _claim_dates() -> ClaimDates:
    names = [name for name in ClaimDates.model_fields if not name.startswith("disability")]
    fields = {name: date(2026, 10, 1 + number) for number, name in enumerate(names)}
    return ClaimDates(**fields, disability_from=date(2026, 11, 1), disability_to=date(2026, 11, 30))


def _references() -> References:
    other = {
        name: f"{number}-{name[:8].upper()}".replace("_", "-") for number, name in enumerate(References.model_fields)
    }
    return References(
        **other | {"clia": "14D2233445", "medicare_section_4081": "Y", "service_authorization_exception": "1"}
    )


def _plain_line() -> ServiceLine:
    return ServiceLine(
        code="A0429",
        code_qualifier="HC",
        modifiers=("RH",),
        charge=Decimal("350.75"),
        units=Decimal(1),
        place_of_service="41",
        service_date=SERVICE_DATE,
        diagnoses=("S72001A",),
    )


def _full_line() -> ServiceLine:
    return ServiceLine(
        code="E0570",
        modifiers=("RR", "KH", "LT", "GA"),
        description="NEBULIZER WITH COMPRESSOR",
        charge=Decimal("0.50"),
        units=Decimal("1.5"),
        place_of_service="12",
        service_date=SERVICE_DATE,
        service_date_to=date(2026, 11, 20),
        diagnoses=("I10", "E119", "Z794"),
        emergency=True,
        epsdt=True,
        family_planning=True,
        copay_exempt=True,
        equipment=DurableEquipment(
            code="E0570", days=Decimal(30), rental_price=Decimal("18.75"), purchase_price=Decimal(180), frequency="4"
        ),
        attachments=(
            Attachment(kind="CT", transmission="EL"),
            Attachment(kind="03", transmission="FX", control_number="ATT-9"),
        ),
        ambulance=_ambulance().model_copy(update={"patients": Decimal(2)}),
        equipment_certification=EquipmentCertification(kind="I", months=Decimal(6)),
        conditions=(
            Condition(category="07", applies=False, codes=("04",)),
            Condition(category="70", applies=True, codes=("65",)),
            Condition(category="09", applies=True, codes=("38", "ZV")),
        ),
        dates=LineDates(**{name: date(2026, 9, 1 + n) for n, name in enumerate(LineDates.model_fields)}),
        obstetric_units=Decimal(3),
        measurements=(
            Measurement(reference="OG", qualifier="HT", value=Decimal("63.5")),
            Measurement(reference="TR", qualifier="R1", value=Decimal("11.2")),
        ),
        contract=Contract(kind="04", amount=Decimal("0.25")),
        references=LineReferences(
            repriced_line_number="RL-1",
            adjusted_repriced_line_number="RL-2",
            mammography_certificate="MAM-1",
            referring_clia="14D9988776",
            immunization_batch="LOT-5",
            others=(
                Identifier(qualifier="G1", value="AUTH-OF-1", payer_id="PAY01"),
                Identifier(qualifier="9F", value="REFERRAL-OF-1", payer_id="PAY01"),
            ),
        ),
        prior_authorization="AUTH-LINE",
        referral_number="REFERRAL-LINE",
        clia="14D2233445",
        control_number="LINE-2",
        sales_tax=Decimal("1.10"),
        postage=Decimal("2.20"),
        file_information=("LINE DATA",),
        note="CUSTOM FITTED",
        note_kind="DCP",
        third_party_note="FOR THE REPRICER",
        purchased_service=PurchasedService(
            provider_id="SELLER1",
            charge=Decimal("9.99"),
            npi="1992700008",
            is_organization=True,
            identifiers=(Identifier(qualifier="G2", value="S-1"),),
        ),
        repricing=Repricing(
            method="01", allowed=Decimal("0.40"), code_qualifier="HC", code="E0570", unit="UN", units=Decimal(1)
        ),
        drug=Drug(ndc="00003029305", quantity=Decimal("2.5"), unit="ML", prescription_number="RX-100"),
        rendering_provider=_person("Quill", "Bettina", "1801900004", taxonomy="208D00000X"),
        facility=_facility("Quayside Equipment"),
        supervising_provider=_person("Pemberly", "Ines", "1881600015"),
        ordering_provider=_person("Marsh", "Leopold", "1760400004").model_copy(
            update={"address": _address("5 MILL LANE", "62704"), "contact_name": "LEOPOLD MARSH", "phone": "2175550133"}
        ),
        referring_provider=_person("Ashdown", "Mirela", "1679576722"),
        primary_care_provider=_person("Orrin", "Thaddeus", "1972500012"),
        adjudications=(
            LineAdjudication(
                payer_id="PAY01",
                paid=Decimal("0.30"),
                paid_units=Decimal(1),
                paid_on=date(2026, 11, 18),
                code="E0570",
                modifiers=("RR",),
                bundled_line="1",
                adjustments=(Adjustment(group="CO", reason="45", amount=Decimal("0.20")),),
                patient_responsibility=Decimal("0.10"),
            ),
        ),
        forms=(
            Form(
                qualifier="UT",
                code="484.03",
                answers=(
                    FormAnswer(question="1A", percent=Decimal("55.5")),
                    FormAnswer(question="1B", text="ALERT"),
                    FormAnswer(question="1C", answered_on=date(2026, 11, 1)),
                    FormAnswer(question="4", yes_no="Y"),
                ),
            ),
        ),
    )


def _drug_line() -> ServiceLine:
    return ServiceLine(
        code="J3301",
        charge=Decimal("42.00"),
        unit="MJ",
        units=Decimal(4),
        place_of_service="41",
        service_date=SERVICE_DATE,
        diagnoses=("E119",),
        drug=Drug(ndc="00003029305", quantity=Decimal(1), unit="ML", link_number="LINK-1"),
    )
