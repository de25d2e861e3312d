"""The facts: what a practice says was done, for whom, and who is to pay.

A charge is testimony. Nothing here judges it, stores it or writes it as X12. Every model is frozen, strict
about the type of what is there and lenient about what is not: text that is absent is ``""``, as in X12; a date,
amount or number that is absent is ``None``. So an incomplete charge can always be held, and "missing" is a
finding like any other.

Names are the field's own. The 837 place of each model is given in its docstring (ASC X12N 005010X222A1; of what stands
under ``institutional``, 005010X223A2).
Money is ``Decimal`` US dollars. Dates are calendar dates in the practice's time zone.

The ``repr`` of a model that may hold a patient's data shows no field of it, so it may stand in a log.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

SELF = "18"
"""Individual relationship code of a patient who is the subscriber (SBR02)."""


class Record(BaseModel):  # noqa: PLW1641 - a frozen model has its hash from pydantic
    """Base of all facts: frozen, strict, closed, and silent about its values."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if self is other:  # what says nothing is mostly the default itself
            return True
        # Nothing but fields is kept in a record, so that pydantic's own comparison asks more than there is to know.
        return self.__dict__ == other.__dict__ if type(self) is type(other) else NotImplemented


@lru_cache(maxsize=16_384)  # some dozen rules ask it of the same few codes
def undotted(code: str) -> str:
    """An ICD-10-CM code as X12 wants it: no dot, no blanks, capitals.

    >>> undotted("e11.9")
    'E119'
    """
    return code.replace(".", "").strip().upper()


class Address(Record):
    """N3 and N4 of any party. ``state`` is the two-letter code, ``postal_code`` 5 or 9 digits with or without a dash."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    subdivision: str = ""


class Identifier(Record):
    """A secondary identifier (REF): its X12 qualifier and value.

    On a service line ``payer_id`` names the payer that gave it where that is not the first one (REF04).
    """

    qualifier: str
    value: str
    payer_id: str = ""


class Contact(Record):
    """Whom to call (PER): a name and at most three of telephone with extension, fax and e-mail."""

    name: str = ""
    phone: str = ""
    extension: str = ""
    fax: str = ""
    email: str = ""


class Person(Record):
    """A human being as NM1, N3, N4 and DMG name one. ``sex`` is F, M or U."""

    last_name: str = ""
    first_name: str = ""
    middle_name: str = ""
    suffix: str = ""
    birth_date: date | None = None
    sex: str = ""
    address: Address = Address()
    phone: str = ""
    ssn: str = ""


class Patient(Person):
    """Who was treated (2010BA when also the subscriber, else 2010CA).

    ``record_number`` is the source's own number for this person within the practice. ``assigner`` is who gave the number
    where that is not the practice itself; ``former_numbers`` are those that the assigner merged into it.
    """

    record_number: str = ""
    assigner: str = ""
    former_numbers: tuple[str, ...] = ()
    death_date: date | None = None
    weight_pounds: Decimal | None = None
    pregnant: bool | None = None


class Subscriber(Person):
    """Who holds the policy (2010BA, 2330A): a person, or with workers' compensation an employer."""

    organization_name: str = ""


class Payer(Record):
    """Who is asked to pay (2010BB, 2330B). ``source_id`` is the source's own number for this payer.

    ``payer_id_kind`` is PI, or XV for a national plan id. ``identifiers`` are 2U, EI, FY and NF of the payer, and G2 and
    LU by which it knows the billing provider.
    """

    source_id: str = ""
    name: str = ""
    payer_id: str = ""
    payer_id_kind: str = "PI"
    claim_filing_code: str = ""
    address: Address = Address()
    identifiers: tuple[Identifier, ...] = ()


class Adjustment(Record):
    """One CAS triplet: group code, reason code, amount and quantity by which a payer changed an amount."""

    group: str
    reason: str
    amount: Decimal
    quantity: Decimal | None = None


class OutpatientAdjudication(Record):
    """Medicare's remarks on an outpatient or professional claim (MOA)."""

    reimbursement_rate: Decimal | None = None
    hcpcs_payable: Decimal | None = None
    remark_codes: tuple[str, ...] = ()
    esrd_paid: Decimal | None = None
    nonpayable_professional: Decimal | None = None


class InpatientAdjudication(Record):
    """Medicare's remarks on an inpatient claim (MIA): days, amounts by prospective payment, and remark codes, at most five.

    ``old_capital`` is the hold harmless amount, ``cost_report_days`` counts like ``covered_days`` do.
    """

    covered_days: Decimal | None = None
    lifetime_psychiatric_days: Decimal | None = None
    drg_amount: Decimal | None = None
    disproportionate_share: Decimal | None = None
    pass_through: Decimal | None = None
    pps_capital: Decimal | None = None
    capital_federal_drg: Decimal | None = None
    capital_hospital_drg: Decimal | None = None
    capital_disproportionate_share: Decimal | None = None
    old_capital: Decimal | None = None
    capital_indirect_teaching: Decimal | None = None
    operating_hospital_drg: Decimal | None = None
    cost_report_days: Decimal | None = None
    operating_federal_drg: Decimal | None = None
    capital_outlier: Decimal | None = None
    indirect_teaching: Decimal | None = None
    nonpayable_professional: Decimal | None = None
    capital_exception: Decimal | None = None
    remark_codes: tuple[str, ...] = ()


class Adjudication(Record):
    """What a payer already decided about the whole claim (2320 CAS, AMT, MOA, MIA; 2330B DTP*573, REF*F8).

    ``patient_responsibility`` is what the patient still owes (AMT*EAF), ``noncovered`` the charge that the payer does not
    cover at all (AMT*A8).
    """

    paid: Decimal | None = None
    paid_on: date | None = None
    payer_claim_number: str = ""
    adjustments: tuple[Adjustment, ...] = ()
    patient_responsibility: Decimal | None = None
    noncovered: Decimal | None = None
    outpatient: OutpatientAdjudication | None = None
    inpatient: InpatientAdjudication | None = None


class LineAdjudication(Record):
    """What a payer already decided about one service line (2430 SVD, CAS, DTP*573, AMT*EAF).

    ``code`` and ``modifiers`` are what the payer decided upon, with an institutional claim ``revenue_code`` too;
    ``bundled_line`` is the number of the line into which it bundled this one.
    """

    payer_id: str = ""
    paid: Decimal | None = None
    paid_units: Decimal | None = None
    paid_on: date | None = None
    code_qualifier: str = "HC"
    code: str = ""
    modifiers: tuple[str, ...] = ()
    description: str = ""
    bundled_line: str = ""
    adjustments: tuple[Adjustment, ...] = ()
    patient_responsibility: Decimal | None = None
    revenue_code: str = ""


class PayerProvider(Record):
    """A provider as another payer knows one (2330C-I): the role's X12 code and identifiers.

    The roles are DN, P3, 82, 77, DQ and 85; on an institutional claim 71, 72, ZZ, 77, 82, DN and 85.
    """

    role: str
    is_organization: bool = False
    identifiers: tuple[Identifier, ...] = ()


class Coverage(Record):
    """One policy (2000B SBR with 2010BA and 2010BB, or 2320 with 2330A and 2330B).

    ``relationship`` is the X12 code of the patient's relationship to the subscriber, ``"18"`` for self. With self
    the patient's own demographics are the subscriber's; otherwise ``subscriber`` holds them.

    ``responsibility`` (SBR01) is needed only where it does not follow from the place in the order: P, S, T, A to H.
    ``claim_was_adjusted`` says that the payer adjusted the claim before (REF*T4). ``patient_member_id`` and ``contact``
    belong to property and casualty claims. ``providers`` are what another payer calls the providers of the claim.
    """

    payer: Payer = Payer()
    member_id: str = ""
    relationship: str = ""
    subscriber: Subscriber = Subscriber()
    group_number: str = ""
    group_name: str = ""
    insurance_type: str = ""
    benefits_assigned: str = ""
    release_of_information: str = ""
    property_casualty_number: str = ""
    adjudication: Adjudication | None = None
    responsibility: str = ""
    patient_signature_source: str = ""
    prior_authorization: str = ""
    referral_number: str = ""
    claim_was_adjusted: bool = False
    patient_member_id: str = ""
    contact: Contact | None = None
    providers: tuple[PayerProvider, ...] = ()

    def insured(self, patient: Patient) -> Person:
        """The person whose name stands on the policy."""
        return patient if self.relationship == SELF else self.subscriber


class PayToPlan(Record):
    """The plan that a payment goes to (2010AC): subrogation by a Medicaid agency. ``id_kind`` is PI or XV."""

    name: str = ""
    id: str = ""
    id_kind: str = "PI"
    tax_id: str = ""
    address: Address = Address()
    identifier: Identifier | None = None


class Provider(Record):
    """A person or organisation that provides or orders care (2010AA, 2310A-D, 2420A-F).

    ``source_id`` is the source's own number. ``tax_id_kind`` is EI (employer) or SY (social security). Extension,
    fax and e-mail stand with a billing or ordering provider, what follows them with a billing provider only.
    """

    source_id: str = ""
    npi: str = ""
    organization_name: str = ""
    last_name: str = ""
    first_name: str = ""
    middle_name: str = ""
    suffix: str = ""
    taxonomy: str = ""
    tax_id: str = ""
    tax_id_kind: str = "EI"
    address: Address = Address()
    phone: str = ""
    contact_name: str = ""
    identifiers: tuple[Identifier, ...] = ()
    phone_extension: str = ""
    fax: str = ""
    email: str = ""
    second_contact: Contact | None = None
    currency: str = ""
    pay_to_address: Address | None = None
    pay_to_plan: PayToPlan | None = None

    @property
    def is_organization(self) -> bool:
        """Whether NM102 is 2: a non-person entity."""
        return bool(self.organization_name)


class Facility(Record):
    """Where the service was rendered when not at the billing address (2310C, 2420C)."""

    source_id: str = ""
    name: str = ""
    npi: str = ""
    address: Address = Address()
    clia: str = ""
    place_of_service: str = ""
    phone: str = ""
    contact_name: str = ""
    phone_extension: str = ""
    identifiers: tuple[Identifier, ...] = ()


class Diagnosis(Record):
    """An ICD-10-CM code in the order of the claim (HI). The code may carry its dot.

    ``icd9`` marks a code of the ninth revision, in force for services before 2015-10-01. ``present_on_admission`` is
    Y, N, U or W on an inpatient claim.
    """

    code: str
    icd9: bool = False
    present_on_admission: str = ""


class Attachment(Record):
    """Paperwork that belongs to a claim or line (PWK): its kind, how it is sent, and the number to find it by."""

    kind: str
    transmission: str
    control_number: str = ""


class Contract(Record):
    """The contract a charge was agreed under (CN1). ``kind`` is 01 to 06 or 09."""

    kind: str
    amount: Decimal | None = None
    percent: Decimal | None = None
    code: str = ""
    discount_percent: Decimal | None = None
    version: str = ""


class Repricing(Record):
    """What a repricer made of a charge (HCP). The procedure fields belong to a line, ``group_code`` is its APG."""

    method: str
    allowed: Decimal | None = None
    savings: Decimal | None = None
    organization_id: str = ""
    rate: Decimal | None = None
    group_code: str = ""
    group_amount: Decimal | None = None
    revenue_code: str = ""
    code_qualifier: str = ""
    code: str = ""
    unit: str = ""
    units: Decimal | None = None
    reject_reason: str = ""
    compliance: str = ""
    exception: str = ""


class Condition(Record):
    """A yes or no about the conditions of a certification (CRC).

    ``category`` is 07 ambulance, E1 to E3 spectacles and contact lenses, 75 homebound, ZZ EPSDT referral, 70 hospice,
    09 durable equipment.
    """

    category: str
    applies: bool
    codes: tuple[str, ...] = ()


class Ambulance(Record):
    """A transport (CR1, QTY*PT, 2310E-F, 2420G-H). ``reason`` is the transport reason code A to E.

    ``patients`` counts those carried at once.
    """

    patient_weight_pounds: Decimal | None = None
    reason: str = ""
    miles: Decimal | None = None
    round_trip_purpose: str = ""
    stretcher_purpose: str = ""
    patients: Decimal | None = None
    pick_up: Address | None = None
    drop_off: Address | None = None
    drop_off_name: str = ""


class SpinalManipulation(Record):
    """The patient's condition with chiropractic care (CR2): its nature's code and two descriptions."""

    nature: str
    description: str = ""
    further_description: str = ""


class Drug(Record):
    """Drug identification (2410 LIN and CTP). ``unit`` is F2, GR, ME, ML or UN.

    ``qualifier`` is N4 for an NDC; other product codes stand in ``ndc`` too. ``link_number`` ties the parts of a compound
    without a prescription number together.
    """

    ndc: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    prescription_number: str = ""
    qualifier: str = "N4"
    link_number: str = ""


class DurableEquipment(Record):
    """Rental or purchase of durable medical equipment (SV5). ``frequency`` is 1 weekly, 4 monthly or 6 daily."""

    code: str
    days: Decimal | None = None
    rental_price: Decimal | None = None
    purchase_price: Decimal | None = None
    frequency: str = ""


class EquipmentCertification(Record):
    """How long durable medical equipment is needed (CR3). ``kind`` is I initial, R renewal or S revised."""

    kind: str
    months: Decimal | None = None


class Measurement(Record):
    """A test result (MEA). ``reference`` is OG or TR, ``qualifier`` HT height, R1 haemoglobin, R2 haematocrit, R3, R4."""

    reference: str
    qualifier: str
    value: Decimal


class PurchasedService(Record):
    """A service bought from another provider (PS1, 2420B): its number there, what it cost, and who rendered it."""

    provider_id: str = ""
    charge: Decimal | None = None
    npi: str = ""
    is_organization: bool = False
    identifiers: tuple[Identifier, ...] = ()


class FormAnswer(Record):
    """One answer of a supporting form (FRM): Y, N or W, or a text, a date, a per cent."""

    question: str
    yes_no: str = ""
    text: str = ""
    answered_on: date | None = None
    percent: Decimal | None = None


class Form(Record):
    """A supporting form (2440 LQ and FRM). ``qualifier`` is AS or UT, ``code`` the form's number."""

    qualifier: str
    code: str
    answers: tuple[FormAnswer, ...] = ()


class LineDates(Record):
    """The dates of loop 2400 (DTP) beside the service date, each by its qualifier's meaning."""

    prescription: date | None = None
    certification_revision: date | None = None
    begin_therapy: date | None = None
    last_certification: date | None = None
    last_seen: date | None = None
    hemoglobin_test: date | None = None
    creatinine_test: date | None = None
    shipped: date | None = None
    last_xray: date | None = None
    initial_treatment: date | None = None


class LineReferences(Record):
    """The rarer reference numbers of loop 2400 (REF), by meaning.

    ``others`` are further prior authorizations (G1) and referrals (9F), usually another payer's.
    """

    repriced_line_number: str = ""
    adjusted_repriced_line_number: str = ""
    mammography_certificate: str = ""
    referring_clia: str = ""
    immunization_batch: str = ""
    others: tuple[Identifier, ...] = ()


class ServiceLine(Record):
    """One procedure on one date or span (2400).

    ``diagnoses`` names codes of the charge, not positions; pointers are made when the claim is built, because sources
    count positions differently. ``unit`` is UN (units) or MJ (minutes). ``patient_share`` marks a line that the
    source bills to the patient: it never reaches a payer.

    ``control_number`` is the submitter's number of the line (REF*6R); where it is absent the writer makes one.
    ``note_kind`` is ADD or DCP (goals and plans), ``third_party_note`` is meant for a repricer (TPO).

    A line of an institutional claim (SV2) has a ``revenue_code``, and a procedure ``code`` where the revenue code alone
    does not say what was done; its ``unit`` is UN or DA (days). The taxes and ``noncovered`` are dollars.
    """

    source_id: str = ""
    code: str = ""
    code_qualifier: str = "HC"
    modifiers: tuple[str, ...] = ()
    description: str = ""
    charge: Decimal | None = None
    units: Decimal | None = None
    unit: str = "UN"
    place_of_service: str = ""
    service_date: date | None = None
    service_date_to: date | None = None
    diagnoses: tuple[str, ...] = ()
    drug: Drug | None = None
    note: str = ""
    rendering_provider: Provider | None = None
    ordering_provider: Provider | None = None
    referring_provider: Provider | None = None
    supervising_provider: Provider | None = None
    facility: Facility | None = None
    emergency: bool = False
    epsdt: bool = False
    family_planning: bool = False
    copay_exempt: bool = False
    prior_authorization: str = ""
    referral_number: str = ""
    clia: str = ""
    patient_share: bool = False
    control_number: str = ""
    note_kind: str = "ADD"
    third_party_note: str = ""
    file_information: tuple[str, ...] = ()
    dates: LineDates = LineDates()
    references: LineReferences = LineReferences()
    primary_care_provider: Provider | None = None
    purchased_service: PurchasedService | None = None
    attachments: tuple[Attachment, ...] = ()
    conditions: tuple[Condition, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    ambulance: Ambulance | None = None
    equipment: DurableEquipment | None = None
    equipment_certification: EquipmentCertification | None = None
    obstetric_units: Decimal | None = None
    sales_tax: Decimal | None = None
    postage: Decimal | None = None
    contract: Contract | None = None
    repricing: Repricing | None = None
    adjudications: tuple[LineAdjudication, ...] = ()
    forms: tuple[Form, ...] = ()
    revenue_code: str = ""
    noncovered: Decimal | None = None
    service_tax: Decimal | None = None
    facility_tax: Decimal | None = None
    operating_provider: Provider | None = None
    other_operating_provider: Provider | None = None


class Encounter(Record):
    """The visit the charge belongs to. ``locked`` and ``checked_out`` are ``None`` where the source does not say."""

    record_number: str = ""
    status: str = ""
    visit_type: str = ""
    locked: bool | None = None
    checked_out: bool | None = None
    start_date: date | None = None
    end_date: date | None = None
    place_of_service: str = ""


class ClaimDates(Record):
    """The dates of loop 2300 (DTP), each by its qualifier's meaning; service dates stand on the lines."""

    onset_of_illness: date | None = None
    initial_treatment: date | None = None
    last_seen: date | None = None
    acute_manifestation: date | None = None
    accident: date | None = None
    last_menstrual_period: date | None = None
    last_xray: date | None = None
    vision_prescription: date | None = None
    disability_from: date | None = None
    disability_to: date | None = None
    last_worked: date | None = None
    return_to_work: date | None = None
    admission: date | None = None
    discharge: date | None = None
    assumed_care: date | None = None
    relinquished_care: date | None = None
    first_contact: date | None = None
    repricer_received: date | None = None


class RelatedCauses(Record):
    """CLM11: what else than illness caused the visit; ``state`` is required with an auto accident."""

    auto_accident: bool = False
    other_accident: bool = False
    employment: bool = False
    state: str = ""
    country: str = ""

    @property
    def codes(self) -> tuple[str, ...]:
        """The related-causes codes in use: AA, EM, OA."""
        return tuple(
            code
            for code, present in (("AA", self.auto_accident), ("EM", self.employment), ("OA", self.other_accident))
            if present
        )


class References(Record):
    """The reference numbers of loop 2300 (REF), by meaning."""

    prior_authorization: str = ""
    referral_number: str = ""
    clia: str = ""
    mammography_certificate: str = ""
    payer_claim_number: str = ""
    medical_record_number: str = ""
    investigational_device: str = ""
    demonstration_project: str = ""
    care_plan_oversight: str = ""
    service_authorization_exception: str = ""
    repriced_claim_number: str = ""
    adjusted_repriced_claim_number: str = ""
    medicare_section_4081: str = ""
    clearinghouse_number: str = ""


class InpatientProcedure(Record):
    """A procedure with its day (HI BBR, BBQ): ICD-10-PCS, or ICD-9 where ``icd9``, or where ``abc`` an ABC code (CAH)."""

    code: str
    performed_on: date | None = None
    icd9: bool = False
    abc: bool = False


class Occurrence(Record):
    """An event with a bearing on the payment, by its NUBC code and day (HI BH)."""

    code: str
    on: date | None = None


class OccurrenceSpan(Record):
    """An event that lasted, by its NUBC code, first and last day (HI BI)."""

    code: str
    start: date | None = None
    end: date | None = None


class ValueAmount(Record):
    """An NUBC value code and what it says: dollars mostly, with some codes a number, a ZIP or an hour (HI BE)."""

    code: str
    amount: Decimal


class Note(Record):
    """A note of a kind that has an X12 code (NTE): ALG allergies, DME, MED medications, SET and others."""

    kind: str
    text: str


class Institutional(Record):
    """What a facility's bill says that a professional claim has no place for (837I 2300 and 2310A-C; UB-04).

    The type of bill is ``facility_type``, two digits, with the frequency: ``frequency`` is that of a bill sent for the
    first time, 1 admission through discharge, 2 to 4 interim, 0 or a letter for the rarer ones; a replacement or void
    has the claim's own. ``statement_from`` and ``statement_to`` are the first and last day billed. The day of admission is
    ``Charge.dates.admission``, its hour and minute are ``admission_time``; ``discharge_time`` goes with the last day.

    ``admission_type``, ``admission_source``, ``patient_status``, and the codes of occurrences, values and conditions
    (``Charge.condition_codes``) are NUBC's. The first of ``Charge.diagnoses`` is the principal one, of which there may be
    25 here. ``estimated_due`` is what the patient is thought to owe, in dollars. ``further_devices`` are investigational
    devices after the one in ``Charge.references``. ``notes`` stand beside ``Charge.note``, the billing note.
    """

    facility_type: str = ""
    frequency: str = "1"
    statement_from: date | None = None
    statement_to: date | None = None
    admission_time: time | None = None
    discharge_time: time | None = None
    admission_type: str = ""
    admission_source: str = ""
    patient_status: str = ""
    attending_provider: Provider | None = None
    operating_provider: Provider | None = None
    other_operating_provider: Provider | None = None
    admitting_diagnosis: Diagnosis | None = None
    reasons_for_visit: tuple[Diagnosis, ...] = ()
    external_causes: tuple[Diagnosis, ...] = ()
    drg: str = ""
    principal_procedure: InpatientProcedure | None = None
    other_procedures: tuple[InpatientProcedure, ...] = ()
    occurrence_spans: tuple[OccurrenceSpan, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    values: tuple[ValueAmount, ...] = ()
    treatment_codes: tuple[str, ...] = ()
    estimated_due: Decimal | None = None
    further_devices: tuple[str, ...] = ()
    peer_review_number: str = ""
    notes: tuple[Note, ...] = ()


class Charge(Record):
    """The billable services of one encounter, before they are a claim; becomes one loop 2300.

    Identity is (``practice``, ``source``, ``key``); ``version`` is the digest of the content, so a late edit is a new
    version and never an overwrite. ``origins`` says for a field's path where the source gave it, for example
    ``{"lines[0].modifiers": "edi_inv_cpt.Mod1-4"}``. ``custom`` keeps a practice's own fields as given.

    ``stated_total`` is the total as the source says it, where that is not the sum of the lines. ``unread`` keeps, as
    given, what the source said and no field can hold; such a charge cannot become a claim, for its claim would say less.
    ``note_kind`` is the X12 code of the note: ADD additional, CER certification, DCP goals, DGN diagnosis, TPO repricer.

    A charge with ``institutional`` is a facility's bill and becomes a claim of the 837I, any other one of the 837P.
    """

    practice: str = ""
    source: str = ""
    key: str = ""
    version: str = ""
    origins: dict[str, str] = Field(default_factory=dict)

    encounter: Encounter = Encounter()
    patient: Patient = Patient()
    coverages: tuple[Coverage, ...] = ()
    self_pay: bool = False
    voided: bool = False

    billing_provider: Provider | None = None
    rendering_provider: Provider | None = None
    referring_provider: Provider | None = None
    supervising_provider: Provider | None = None
    facility: Facility | None = None

    diagnoses: tuple[Diagnosis, ...] = ()
    lines: tuple[ServiceLine, ...] = ()

    provider_signature: str = ""
    assignment: str = ""
    benefits_assigned: str = ""
    release_of_information: str = ""
    patient_signature_source: str = ""
    special_program: str = ""
    delay_reason: str = ""
    related_causes: RelatedCauses = RelatedCauses()
    dates: ClaimDates = ClaimDates()
    references: References = References()
    patient_paid: Decimal | None = None
    note: str = ""
    note_kind: str = "ADD"
    primary_care_provider: Provider | None = None
    stated_total: Decimal | None = None
    anesthesia_procedures: tuple[str, ...] = ()
    condition_codes: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    conditions: tuple[Condition, ...] = ()
    ambulance: Ambulance | None = None
    spinal_manipulation: SpinalManipulation | None = None
    contract: Contract | None = None
    repricing: Repricing | None = None
    file_information: tuple[str, ...] = ()
    institutional: Institutional | None = None
    unread: tuple[str, ...] = ()
    custom: dict[str, JsonValue] = Field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Charge(practice={self.practice!r}, source={self.source!r}, version={self.version[:12]!r})"

    __str__ = __repr__

    @property
    def billed_lines(self) -> tuple[ServiceLine, ...]:
        """The lines that go to a payer, in order."""
        return tuple(line for line in self.lines if not line.patient_share)

    @property
    def total(self) -> Decimal:
        """What the payer is asked for in dollars: the sum of the billed lines' charges, absent ones as 0."""
        return sum((line.charge or Decimal(0) for line in self.billed_lines), Decimal(0))

    @property
    def service_date(self) -> date | None:
        """The first date of service: the earliest of the lines, else the encounter's."""
        dates = [line.service_date for line in self.lines if line.service_date]
        return min(dates) if dates else self.encounter.start_date

    def content(self) -> bytes:
        """The facts as JSON, without version and origins."""
        return self.model_dump_json(exclude={"version", "origins"}, exclude_defaults=True).encode()

    def digest(self) -> str:
        """SHA-256 of the content in hex; equal for equal facts, whatever their version, order of keys or origin."""
        return digest_of(self.content())

    def versioned(self) -> "Charge":
        """This charge with its own digest as version."""
        return self.model_copy(update={"version": self.digest()})


def digest_of(content: bytes) -> str:
    """The version of a charge of this content."""
    return hashlib.sha256(content).hexdigest()


class Claim(Record):
    """A charge sworn to: what is sent to the first payer that is to decide.

    ``number`` is CLM01, the patient control number: ours, at most 17 characters, without patient data.
    ``frequency`` is CLM05-3: 1 original, 7 replacement, 8 void; 7 and 8 need the payer's own claim number.
    """

    number: str
    charge: Charge
    frequency: Literal["1", "7", "8"] = "1"

    def __repr__(self) -> str:
        return f"Claim(number={self.number!r})"

    __str__ = __repr__


class HistoryLine(Record):
    """A line of an earlier charge of the same patient in the same practice, as duplicates and frequencies need it."""

    charge_key: str
    service_date: date
    code: str
    modifiers: tuple[str, ...] = ()
    units: Decimal | None = None
    rendering_npi: str = ""
    billed: bool = False


class PayerPolicy(Record):
    """What a payer demands beyond the guide, from the practice profile.

    ``timely_filing_days`` counts from the date of service. ``telehealth_modifiers`` are those of which a telehealth
    line needs one; empty when the payer needs none.
    """

    timely_filing_days: int = 365
    telehealth_modifiers: tuple[str, ...] = ("95", "93", "GT", "FQ")
    requires_ndc: bool = True
    requires_referring_provider: bool = False


class Severity(StrEnum):
    """How much a finding weighs."""

    INFO = "info"
    """Shown, nothing more."""
    WARN = "warn"
    """Shown; the claim goes out."""
    HOLD = "hold"
    """The claim waits until the fact changes or a person waives it with a reason."""
    STOP = "stop"
    """The claim waits until the fact changes; nobody can waive it."""

    @property
    def holds(self) -> bool:
        """Whether a charge with such a finding must wait."""
        return self in (Severity.HOLD, Severity.STOP)


_LINE = re.compile(r"^lines\[(\d+)\]")


class Change(Record):
    """One edit of a charge that helps to mend it; ``charges.remedy.apply`` makes it.

    ``at`` is a path of the charge. ``set`` gives the field there ``value`` (as JSON says it, ``None`` takes it away);
    ``add`` appends ``value`` to the list there unless it is in it; ``remove`` takes the item there out of its list;
    ``swap`` exchanges what stands there with what stands at the path ``value``.
    """

    at: str
    op: Literal["set", "add", "remove", "swap"]
    value: JsonValue = None


class Finding(Record):
    """One thing wrong with one charge, whoever said so: a rule, the guide, a payer's answer.

    ``at`` is the path of the field in the charge (``lines[0].modifiers``), ``evidence`` the values seen, ``fix`` what
    to do. ``remedy`` is the first thing that ``fix`` names, as changes in order, where it is known exactly; a person who
    agrees has them made. ``loop``, ``segment`` and ``element`` name the place in an 837 where that is known
    (2400, SV1, SV101-3).
    """

    rule: str
    severity: Severity
    at: str
    message: str
    evidence: dict[str, str] = Field(default_factory=dict)
    fix: str = ""
    remedy: tuple[Change, ...] = ()
    loop: str = ""
    segment: str = ""
    element: str = ""

    def __repr__(self) -> str:
        return f"Finding(rule={self.rule!r}, severity={self.severity.value!r}, at={self.at!r})"

    __str__ = __repr__

    @property
    def line(self) -> int | None:
        """The service line's number, counted from 1, or ``None`` when the finding is about the whole claim."""
        found = _LINE.match(self.at)
        return int(found[1]) + 1 if found else None


def walk(record: Record, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a record with its path: ``("lines[0].code", "99213")``. Absent records are skipped."""
    for name in type(record).model_fields:
        yield from _leaves(getattr(record, name), f"{path}.{name}" if path else name)


def _leaves(value: object, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Record):
        yield from walk(value, path)
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from _leaves(each, f"{path}[{index}]")
    else:
        yield path, value
