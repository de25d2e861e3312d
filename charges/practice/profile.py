"""The practice profile: what no source gives and a claim cannot do without.

One YAML file per practice, applied with ``charges practice apply FILE.yaml``; ``charges/practice/examples/lakeside.yaml`` is
a documented example for an invented practice. A file with any fault is refused whole, each fault with its line.

``charges.practice.completion`` fills what it says into charges.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, ValidationError, field_serializer, model_validator

from charges import yamlfile
from charges.errors import BadProfile, Unreadable
from charges.model import Address, Charge, Facility, PayerPolicy, Provider, Severity
from charges.practice.atoms import (
    Clia,
    Ein,
    Money,
    Npi,
    Phone,
    Setting,
    Share,
    Slug,
    Taxonomy,
    Text,
    Zip,
    Zip9,
    as_text,
)
from charges.practice.connections import ClaimFiles, EclinicalWorks, Fhir, FhirPeople, FlatFiles
from charges.practice.dialect import Hl7
from charges.practice.partner import TradingPartner

Weights = Mapping[Text, Severity | Literal["off"]]
"""How much the findings of rules weigh, by rule; ``off`` silences one."""


class Place(Setting):
    """A postal address in the United States."""

    line1: Text
    line2: str = ""
    city: Text
    state: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    postal_code: Zip

    def address(self) -> Address:
        """As the charge's model has it."""
        return Address(
            line1=self.line1, line2=self.line2, city=self.city, state=self.state, postal_code=self.postal_code
        )


class StreetPlace(Place):
    """An address that loop 2010AA accepts: a street, not a PO box, and nine digits of ZIP."""

    postal_code: Zip9

    @model_validator(mode="after")
    def _is_a_street(self) -> Self:
        if re.match(r"(?i)\s*p\.?\s*o\.?\s*box\b", self.line1):
            raise ValueError("the billing provider's address is a street, not a PO box; put the box in pay_to_address")
        return self


class BillingProvider(Setting):
    """Loop 2010AA: who is paid."""

    organization_name: Text
    npi: Npi
    ein: Ein
    taxonomy: Taxonomy
    address: StreetPlace
    phone: Phone
    contact_name: Text
    clia: Clia | None = None
    pay_to_address: Place | None = None

    def provider(self) -> Provider:
        """As the charge's model has it."""
        return Provider(
            organization_name=self.organization_name,
            npi=self.npi,
            tax_id=self.ein,
            taxonomy=self.taxonomy,
            address=self.address.address(),
            phone=self.phone,
            contact_name=self.contact_name,
        )


class KnownProvider(Setting):
    """A person of the practice, or one who refers to it; ``source_id`` is the source's number for them.

    ``rules`` weighs rules for the charges this person renders.
    """

    source_id: Text
    last_name: Text
    first_name: Text
    npi: Npi
    taxonomy: Taxonomy | None = None
    rules: Weights = Field(default_factory=dict)

    def provider(self) -> Provider:
        """As the charge's model has it."""
        return Provider(
            source_id=self.source_id,
            last_name=self.last_name,
            first_name=self.first_name,
            npi=self.npi,
            taxonomy=self.taxonomy or "",
        )


class KnownFacility(Setting):
    """A site of service; ``source_id`` is the source's number for it. ``place_of_service`` is its CMS code."""

    source_id: Text
    name: Text
    npi: Npi | None = None
    address: Place
    clia: Clia | None = None
    place_of_service: Annotated[str, BeforeValidator(as_text), Field(pattern=r"^\d{2}$")] = "11"

    def facility(self) -> Facility:
        """As the charge's model has it."""
        return Facility(
            source_id=self.source_id,
            name=self.name,
            npi=self.npi or "",
            address=self.address.address(),
            clia=self.clia or "",
            place_of_service=self.place_of_service,
        )


class KnownPayer(Setting):
    """A payer: the source's numbers for it, the clearinghouse's id, the claim filing code (SBR09), what it demands.

    ``takes_replacements`` is false where a claim is corrected with the payer and never replaced or voided by another.
    ``rules`` weighs rules for the charges it is asked to pay first.
    """

    source_ids: Annotated[tuple[Text, ...], Field(min_length=1)]
    name: Text
    payer_id: Text
    claim_filing_code: Annotated[
        str,
        BeforeValidator(as_text),
        Field(pattern=r"^(11|12|13|14|15|16|17|AM|BL|CH|CI|DS|FI|HM|LM|MA|MB|MC|OF|TV|VA|WC|ZZ)$"),
    ]
    address: Place | None = None
    timely_filing_days: Annotated[int, Field(gt=0, le=3650)] = 365
    telehealth_modifiers: tuple[Text, ...] = ("95", "93", "GT", "FQ")
    requires_ndc: bool = True
    requires_referring_provider: bool = False
    takes_replacements: bool = True
    rules: Weights = Field(default_factory=dict)

    def policy(self) -> PayerPolicy:
        """What the rules need to know of this payer."""
        return PayerPolicy(
            timely_filing_days=self.timely_filing_days,
            telehealth_modifiers=self.telehealth_modifiers,
            requires_ndc=self.requires_ndc,
            requires_referring_provider=self.requires_referring_provider,
        )


class ClaimDefaults(Setting):
    """CLM06 to CLM09 where the source does not say: signature on file, assignment, benefits assigned, release."""

    provider_signature: Literal["Y", "N"] = "Y"
    assignment: Literal["A", "B", "C"] = "A"
    benefits_assigned: Literal["Y", "N", "W"] = "Y"
    release_of_information: Literal["Y", "I"] = "Y"


class Promotion(Setting):
    """What a practice must have shown in its mode of the roll-out before it goes on to the next.

    So many ``days`` in it, and so many ``charges`` judged, claims built as shadow or claims answered, as the mode has them;
    of the charges ``clean_rate`` clean, of the claims answered ``acceptance_rate`` accepted. No claim of a wrong patient is
    ever let pass.
    """

    days: Annotated[int, Field(ge=0, le=365)] = 5
    charges: Annotated[int, Field(ge=0, le=1_000_000)] = 100
    clean_rate: Share = Decimal("0.80")
    acceptance_rate: Share = Decimal("0.95")


class RollOut(Setting):
    """What is sent once the roll-out has come so far; how far it has come is no part of the profile (``charges rollout``).

    From ``start`` (date of service) on the claims of the cohort go out, from ``full_start`` on those of all others, which is
    ``start`` where it is not given. Services before were billed by the old way and never leave here, which is why sending
    needs a start. In the cohort are the ``patients`` of these record numbers, those that ``percent`` or ``size`` draw by
    their record number, and all charges of the rendering ``providers`` (NPI), first ``payers`` (payer id) and ``locations``
    (the source's number of the facility).
    """

    start: date | None = None
    full_start: date | None = None
    patients: frozenset[Text] = frozenset()
    percent: Annotated[int, Field(ge=0, le=100)] = 0
    size: Annotated[int, Field(ge=100, le=500)] | None = None
    providers: frozenset[Npi] = frozenset()
    payers: frozenset[Text] = frozenset()
    locations: frozenset[Text] = frozenset()
    promotion: Promotion = Promotion()

    @field_serializer("patients", "providers", "payers", "locations", when_used="json")
    def _in_order(self, names: frozenset[str]) -> list[str]:
        # A profile is known by the digest of its JSON, which must not depend on the order that a set has today.
        return sorted(names)

    @model_validator(mode="before")
    @classmethod
    def _mode_is_no_setting(cls, values: object) -> object:
        if isinstance(values, dict) and "mode" in values:
            raise ValueError(
                "mode is no setting: a practice begins in observe, and `charges rollout advance` and `retreat` change its "
                "mode; remove the line"
            )
        return values

    @model_validator(mode="after")
    def _full_follows_the_cohort(self) -> Self:
        if self.full_start is not None and (self.start is None or self.full_start < self.start):
            raise ValueError("full_start is not before start, the first date of service of the cohort; give both")
        return self

    @property
    def chooses(self) -> bool:
        """Whether anybody is chosen for a cohort."""
        return bool(self.patients or self.percent or self.size or self.providers or self.payers or self.locations)


DemandedTable = Literal[
    "ptp", "mue", "add_on", "icd", "icd_notes", "mce", "hcpcs", "fees", "pos", "taxonomy", "telehealth", "waived",
    "policies", "prices",
]  # fmt: skip
"""A code table, by the name under which it is loaded."""


class Standards(Setting):
    """What a practice aims at in coding and charge entry; ``charges standards`` tells how it does.

    A charge should be entered within ``charge_lag_days`` of the service, ``charge_lag_share`` of them at least. A
    provider's share of each level of visits should be within ``visit_deviation`` of the practice's own, and the practice's
    between the two shares that ``visits`` has for the code. No more than the given share of visits should say 25, of other
    lines 59 or X.
    """

    charge_lag_days: Annotated[int, Field(ge=0, le=365)] = 3
    charge_lag_share: Share = Decimal("0.9")
    visit_deviation: Share = Decimal("0.2")
    visits: Mapping[Text, tuple[Share, Share]] = Field(default_factory=dict)
    modifier_25_share: Share | None = None
    modifier_59_share: Share | None = None


class Telling(Setting):
    """When people are told of a practice's queue; whom, and of what, is no part of the profile (``charges telling``).

    Held charges that must be filed within ``deadline_days`` are told, and more than ``queue_limit`` of them; 0 is never.
    """

    deadline_days: Annotated[int, Field(ge=0, le=365)] = 10
    queue_limit: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class Practice(Setting):
    """A practice as Chargerouter knows it.

    ``completed_by`` is the system that is asked for patients and policies where the charges of ``source`` lack them.
    ``rules`` weighs rules, ``rules_by_class`` weighs them for payers of a claim filing code (SBR09); of what weighs a rule
    for a charge the nearest to it counts: practice, class of payer, payer, rendering provider. ``payer_rules`` is a folder
    or file of rules that the practice wrote itself, relative to the working directory. Of the ``demanded_tables`` one must
    be loaded for each date of service, a published one and no sample; a charge that could not be judged without waits.
    """

    code: Slug
    name: Text
    time_zone: Text
    source: Annotated[EclinicalWorks | Fhir | ClaimFiles | Hl7 | FlatFiles, Field(discriminator="kind")]
    completed_by: FhirPeople | None = None
    trading_partner: TradingPartner
    billing_provider: BillingProvider
    providers: tuple[KnownProvider, ...] = ()
    facilities: tuple[KnownFacility, ...] = ()
    payers: Annotated[tuple[KnownPayer, ...], Field(min_length=1)]
    defaults: ClaimDefaults = ClaimDefaults()
    fee_schedule: Mapping[Text, Money] = Field(default_factory=dict)
    rules: Weights = Field(default_factory=dict)
    rules_by_class: Mapping[Text, Weights] = Field(default_factory=dict)
    payer_rules: Path | None = None
    demanded_tables: frozenset[DemandedTable] = frozenset()
    standards: Standards = Standards()
    telling: Telling = Telling()
    roll_out: RollOut = RollOut()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"time_zone {self.time_zone} is not known; use a name such as America/Chicago") from None
        if self.completed_by is not None and isinstance(self.source, EclinicalWorks | Fhir):
            raise ValueError(
                "completed_by is for charges from files and messages; this source tells of patients itself"
            )
        for what, ids in (
            ("provider", [each.source_id for each in self.providers]),
            ("facility", [each.source_id for each in self.facilities]),
            ("payer", [each for payer in self.payers for each in payer.source_ids]),
        ):
            for twice in sorted({each for each in ids if ids.count(each) > 1}):
                raise ValueError(f"{what} source id {twice} stands twice; each belongs to one")
        for what, chosen, known in (
            ("payer", self.roll_out.payers, {each.payer_id for each in self.payers}),
            ("location", self.roll_out.locations, {each.source_id for each in self.facilities}),
        ):
            for stranger in sorted(chosen - known):
                raise ValueError(f"roll_out chooses the {what} {stranger}, which this profile does not have")
        return self

    def payer_by_source_id(self, source_id: str) -> KnownPayer | None:
        """The payer to which the source's number belongs."""
        return next((payer for payer in self.payers if source_id in payer.source_ids), None)

    def policy(self, charge: Charge) -> PayerPolicy:
        """What the first payer of a charge demands; the guide's own demands where the payer is not known."""
        known = self._first_payer(charge)
        return known.policy() if known else PayerPolicy()

    def weights(self, charge: Charge) -> Weights:
        """How much each rule's findings weigh for a charge, where somebody weighed it."""
        payer = charge.coverages[0].payer if charge.coverages else None
        known = self._first_payer(charge)
        npi = charge.rendering_provider.npi if charge.rendering_provider else ""
        provider = next((each for each in self.providers if npi and each.npi == npi), None)
        nearer = (
            self.rules_by_class.get(payer.claim_filing_code) if payer else None,
            known.rules if known else None,
            provider.rules if provider else None,
        )
        weights = dict(self.rules)
        for each in filter(None, nearer):
            weights.update(each)
        return weights

    def _first_payer(self, charge: Charge) -> KnownPayer | None:
        first = charge.coverages[0].payer.payer_id if charge.coverages else ""
        return next((payer for payer in self.payers if payer.payer_id == first), None)


def read_profile(path: Path) -> Practice:
    """Read a practice profile; raises BadProfile with every fault, or Unreadable when there is no such YAML file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(f"{path} cannot be read as a text file ({type(error).__name__}).") from None
    return parse_profile(text, name=path.name)


def parse_profile(text: str, name: str = "the profile") -> Practice:
    """Like ``read_profile`` for a text at hand."""
    try:
        document = yamlfile.read(text)
    except yamlfile.NotReadable as error:
        raise BadProfile(name, [str(error)]) from None
    if not isinstance(document.values, dict):
        raise BadProfile(name, ["line 1: a profile is a mapping of names to values"])
    try:
        practice = Practice.model_validate(document.values)
    except ValidationError as error:
        raise BadProfile(name, [*document.repeated, *document.faults(error, "the profile")]) from None
    if document.repeated:
        raise BadProfile(name, document.repeated)
    return practice
