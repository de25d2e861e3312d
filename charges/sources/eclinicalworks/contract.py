"""The JSON that is spoken with an eClinicalWorks tenant: our own contract, for the vendor publishes none.

The names are those of the columns that public programs read from eClinicalWorks; what each means to us is said beside it.
Numbers come as text with commas, identifiers as text, yes and no as ``"1"`` and ``"0"``, absent dates as
``"0000-00-00"`` or nothing. A field that we do not know is kept and does no harm; a field of the wrong type makes its
record unreadable, with the field's name.

Paths, below the base URL::

    POST /oauth/token                         form of OAuth 2.0 client credentials (RFC 6749, 4.4) -> Token
    GET  /practices/{code}/charges            modifiedSince, page, pageSize -> ChargePage
    GET  /practices/{code}/charges/{number}   -> ChargeRecord; 404 with the error UNKNOWN when there is none
    GET  /practices/{code}/days/charges       firstDay, lastDay, after, pageSize -> ChargePage in the order of numbers
    GET  /practices/{code}/days/numbers       firstDay, lastDay, after, pageSize -> NumberPage
"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
CHARGES_PATH = "/practices/{code}/charges"
CHARGE_PATH = "/practices/{code}/charges/{number}"
DAYS_PATH = "/practices/{code}/days/charges"
NUMBERS_PATH = "/practices/{code}/days/numbers"
UNKNOWN = "unknown charge"
"""The error of a 404 that says that the tenant has no such charge; any other 404 is of a wrong address."""
MOST_NUMBERS = 10_000
"""Numbers in one page."""
MOMENT = "%Y-%m-%d %H:%M:%S"
"""How ``modifiedOn`` and ``modifiedSince`` write a moment: the practice's own wall clock, without a zone."""


def _text(value: object) -> object:
    """Numbers and nothing as text; what is neither stays and is refused."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


class _TextFirst:
    """Nearly every value is a text already; only what is none is given to ``_text``."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        text = handler(source)
        return core_schema.union_schema(
            [core_schema.str_schema(strict=True), core_schema.no_info_before_validator_function(_text, text)],
            mode="left_to_right",
            custom_error_type="string_type",
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(core_schema.str_schema())


Text = Annotated[str, _TextFirst]
_Number = Annotated[str, Field(min_length=1), BeforeValidator(_text)]


class Wire(BaseModel):
    """Base of all that travels: frozen, open to fields we do not know, silent about values in its errors."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True, populate_by_name=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    __str__ = __repr__


class Token(Wire):
    """The answer to a token request."""

    access_token: str
    token_type: Text = "bearer"  # noqa: S105 - a kind
    expires_in: int = Field(default=300, description="Seconds.")


class Mishap(Wire):
    """The body of an answer that is not 200."""

    error: Text = ""
    error_description: Text = ""


class Postal(Wire):
    """An address."""

    line1: Text = Field(default="", alias="Addr1")
    line2: Text = Field(default="", alias="Addr2")
    city: Text = Field(default="", alias="City")
    state: Text = Field(default="", alias="State", description="Two letters.")
    zip: Text = Field(default="", alias="Zip", description="5 or 9 digits, with or without a dash.")


class Human(Wire):
    """A person's name, birth and address."""

    last_name: Text = Field(default="", alias="ulname")
    first_name: Text = Field(default="", alias="ufname")
    middle_name: Text = Field(default="", alias="uminitial")
    suffix: Text = Field(default="", alias="suffix")
    birth_date: Text = Field(default="", alias="dob", description="YYYY-MM-DD or MM/DD/YYYY.")
    sex: Text = Field(default="", alias="sex", description="male, female, unknown, or the first letter.")
    address: Postal = Field(default=Postal(), alias="address")
    phone: Text = Field(default="", alias="upPhone")
    ssn: Text = Field(default="", alias="ssn")


class PatientRecord(Human):
    """Who was treated."""

    control_number: Text = Field(default="", alias="ControlNo", description="The patient's account number.")
    death_date: Text = Field(default="", alias="deceasedDate")


class InsuranceRecord(Wire):
    """One policy of the charge, from the list that belongs to it (edi_inv_insurance), not from the patient's card."""

    insurance_id: Text = Field(default="", alias="InsId", description="The tenant's number of the payer.")
    sequence: Text = Field(default="", alias="SeqNo", description="1 is primary.")
    name: Text = Field(default="", alias="insuranceName")
    payer_id: Text = Field(default="", alias="PayerId", description="The clearinghouse's id, where the tenant has it.")
    filing_code: Text = Field(default="", alias="ClaimFilingInd")
    address: Postal = Field(default=Postal(), alias="address")
    member_id: Text = Field(default="", alias="subscriberNo")
    group_number: Text = Field(default="", alias="GroupNo")
    group_name: Text = Field(default="", alias="GroupName")
    insurance_type: Text = Field(default="", alias="InsuranceTypeCode", description="Why Medicare is second (SBR05).")
    relation: Text = Field(
        default="",
        alias="relation",
        description="1 self, 2 spouse, 3 child, 4 other, or the X12 code of two characters.",
    )
    subscriber: Human | None = Field(default=None, alias="subscriber", description="When not the patient.")
    deleted: Text = Field(default="0", alias="deleteFlag")


class ProviderRecord(Wire):
    """A provider named by the charge or a line."""

    id: Text = Field(default="", alias="Id")
    npi: Text = Field(default="", alias="NPI")
    last_name: Text = Field(default="", alias="ulname")
    first_name: Text = Field(default="", alias="ufname")
    middle_name: Text = Field(default="", alias="uminitial")
    suffix: Text = Field(default="", alias="suffix")
    taxonomy: Text = Field(default="", alias="TaxonomyCode")


class FacilityRecord(Wire):
    """Where the service was given."""

    id: Text = Field(default="", alias="Id")
    name: Text = Field(default="", alias="Name")
    npi: Text = Field(default="", alias="NPI")
    clia: Text = Field(default="", alias="CliaId")
    place_of_service: Text = Field(default="", alias="POS")
    address: Postal = Field(default=Postal(), alias="address")
    phone: Text = Field(default="", alias="Phone")


class DiagnosisRecord(Wire):
    """An ICD-10-CM code of the charge."""

    code: Text = Field(default="", alias="Code")
    order: Text = Field(default="", alias="icdOrder", description="1 is the principal one.")
    deleted: Text = Field(default="0", alias="deleteFlag")


class EncounterRecord(Wire):
    """The visit."""

    id: Text = Field(default="", alias="encounterID")
    date: Text = Field(default="", alias="date")
    end_date: Text = Field(default="", alias="endDate")
    status: Text = Field(default="", alias="STATUS", description="CHK when the patient was checked out, ARR before.")
    visit_type: Text = Field(default="", alias="VisitType")
    locked: Text = Field(default="", alias="encLock", description="1 when the note is signed and locked.")


class LineRecord(Wire):
    """One procedure of the charge (edi_inv_cpt)."""

    id: Text = Field(default="", alias="Id")
    order: Text = Field(default="", alias="cptOrder")
    code: Text = Field(default="", alias="Code")
    description: Text = Field(default="", alias="Description")
    modifier1: Text = Field(default="", alias="Mod1")
    modifier2: Text = Field(default="", alias="Mod2")
    modifier3: Text = Field(default="", alias="Mod3")
    modifier4: Text = Field(default="", alias="Mod4")
    place_of_service: Text = Field(default="", alias="POS")
    start: Text = Field(default="", alias="SDOS", description="First date of service.")
    end: Text = Field(default="", alias="EDOS", description="Last date of service.")
    units: Text = Field(default="", alias="Units")
    unit_kind: Text = Field(default="", alias="UnitType", description="UN units or MJ minutes.")
    fee: Text = Field(default="", alias="BilledFee", description="Dollars for all units, such as 1,250.00.")
    diagnosis1: Text = Field(default="", alias="ICD1", description="Place of the diagnosis in its order, from 1.")
    diagnosis2: Text = Field(default="", alias="ICD2")
    diagnosis3: Text = Field(default="", alias="ICD3")
    diagnosis4: Text = Field(default="", alias="ICD4")
    ndc: Text = Field(default="", alias="NDCCode")
    ndc_quantity: Text = Field(default="", alias="NDCQty")
    ndc_unit: Text = Field(default="", alias="NDCUnit", description="F2, GR, ME, ML or UN.")
    prescription_number: Text = Field(default="", alias="RxNo")
    note: Text = Field(default="", alias="Notes")
    rendering: ProviderRecord | None = Field(default=None, alias="RendPr", description="When not the charge's own.")
    ordering: ProviderRecord | None = Field(default=None, alias="OrdPr")
    referring: ProviderRecord | None = Field(default=None, alias="RefPr")
    supervising: ProviderRecord | None = Field(default=None, alias="SupPr")
    facility: FacilityRecord | None = Field(default=None, alias="Facility")
    emergency: Text = Field(default="0", alias="EMG")
    epsdt: Text = Field(default="0", alias="EPSDT")
    family_planning: Text = Field(default="0", alias="FamilyPlan")
    prior_authorization: Text = Field(default="", alias="PriorAuthNo")
    referral_number: Text = Field(default="", alias="RefNo")
    clia: Text = Field(default="", alias="CliaNo")
    bill_to_patient: Text = Field(default="0", alias="BillToPt", description="1: the patient pays, no payer is asked.")
    deleted: Text = Field(default="0", alias="deleteFlag")


class ClaimInformation(Wire):
    """What the claim screen holds beside lines and diagnoses; dates as elsewhere."""

    model_config = ConfigDict(alias_generator=to_camel)

    prior_authorization: Text = ""
    referral_number: Text = ""
    clia_number: Text = ""
    mammography_certificate: Text = ""
    payer_claim_number: Text = ""
    investigational_device: Text = ""
    auto_accident: Text = "0"
    other_accident: Text = "0"
    employment_related: Text = "0"
    accident_state: Text = ""
    accident_date: Text = ""
    onset_date: Text = ""
    initial_treatment_date: Text = ""
    last_seen_date: Text = ""
    last_menstrual_period: Text = ""
    last_xray_date: Text = ""
    disability_from: Text = ""
    disability_to: Text = ""
    last_worked: Text = ""
    return_to_work: Text = ""
    admission_date: Text = ""
    discharge_date: Text = ""
    special_program: Text = ""
    delay_reason: Text = ""
    note: Text = ""
    assignment: Text = Field(default="", description="A, B or C (CLM07).")
    signature_on_file: Text = Field(default="", description="Y or N: the provider's (CLM06).")
    benefits_assigned: Text = Field(default="", description="Y, N or W (CLM08).")
    release_of_information: Text = Field(default="", description="Y or I (CLM09).")


class CustomField(Wire):
    """A field that the practice made itself."""

    name: Text
    value: Text = ""


class ChargeRecord(Wire):
    """The billable services of one encounter, as the tenant has them now."""

    invoice_id: _Number = Field(alias="InvId", description="The charge's number, stable over edits.")
    modified_on: Text = Field(
        alias="modifiedOn", description="When anything of it changed last, as YYYY-MM-DD HH:MM:SS."
    )
    delete_flag: Text = Field(default="0", alias="DeleteFlag")
    void_flag: Text = Field(default="0", alias="VoidFlag")
    encounter_id: Text = Field(default="", alias="EncounterId")
    patient_id: Text = Field(default="", alias="PatientId", description="The patient's number within the tenant.")
    service_date: Text = Field(default="", alias="ServiceDt")
    amount: Text = Field(default="", alias="InvoiceAmount")
    copay: Text = Field(default="", alias="copay", description="What the patient paid at the visit.")
    place_of_service: Text = Field(default="", alias="InvPOS")
    self_pay: Text = Field(default="0", alias="SelfPay", description="1: the patient pays everything.")
    encounter: EncounterRecord = Field(default=EncounterRecord(), alias="encounter")
    patient: PatientRecord = Field(default=PatientRecord(), alias="patient")
    insurances: tuple[InsuranceRecord, ...] = Field(default=(), alias="insurances")
    rendering: ProviderRecord | None = Field(default=None, alias="RenProvider")
    referring: ProviderRecord | None = Field(default=None, alias="RefProvider")
    supervising: ProviderRecord | None = Field(default=None, alias="Supervisor")
    facility: FacilityRecord | None = Field(default=None, alias="facility")
    diagnoses: tuple[DiagnosisRecord, ...] = Field(default=(), alias="diagnoses")
    lines: tuple[LineRecord, ...] = Field(default=(), alias="cpt")
    claim: ClaimInformation = Field(default=ClaimInformation(), alias="claimInfo")
    custom: tuple[CustomField, ...] = Field(default=(), alias="customFields")


class ChargePage(Wire):
    """Some charges in the order that the path names; ``hasMore`` says whether a next page has any."""

    has_more: bool = Field(alias="hasMore")
    charges: tuple[ChargeRecord, ...]


class NumberPage(Wire):
    """Some numbers of charges, in their order; ``hasMore`` says whether a page after the last of them has any."""

    has_more: bool = Field(alias="hasMore")
    numbers: tuple[Text, ...]
