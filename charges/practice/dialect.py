"""How the senders of HL7 v2 messages say things: where each fact stands, and what their own codes mean.

A part of the practice profile. The first values are where the standard puts a fact, so a sender that keeps to it needs
only its name. Measured over messages of twenty senders, none of the places is kept by all of them.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from charges.practice.atoms import Setting, Slug, Text, as_text

Place = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{2}-[1-9]\d{0,2}(\.[1-9]\d?){0,2}$")]
"""A segment, its field, and where needed component and subcomponent: ``FT1-25``, ``PV1-3.4``, ``FT1-11.1.1``."""


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Places = Annotated[tuple[Place, ...], BeforeValidator(_several)]
"""Places in the order in which they are looked at; the first with a value counts. One may stand without brackets."""

Codes = Mapping[Text, Annotated[str, BeforeValidator(as_text), Field(min_length=1)]]


class Sender(Setting):
    """One sending application, and how it says things.

    ``code`` begins the keys of its charges and stays the same for ever. ``application`` and ``facility`` are MSH-3 and
    MSH-4 (first component); left out, any will do.

    ``visit`` is the number that all messages of a visit share. Where it is one for all visits of a patient,
    ``charge_per: day`` parts them by day of service. ``states`` says whether a message gives some lines of the visit, or
    always all of it. ``lines`` says which segment is a service. ``transaction`` is the sender's number of a line by which
    a later message changes or takes it back, ``reverses`` the number of the line that a credit takes back.

    Patient numbers are the practice's own, unless ``assigner`` names who else gave them. Where a sender has numbers of
    several assigners, ``own_assigners`` are the values of PID-3.4 that mean the practice, and any other is another's.

    ``credit_types`` and ``charge_types`` are values of FT1-6; those of ``other_types`` (payments, adjustments) are no
    services and are left out. ``codes`` turns the sender's charge numbers into procedure codes, ``places_of_service`` its
    locations into places of service, ``relationships`` its values of IN1-17 into individual relationship codes (X12 element
    1069). ``site`` names the facility, which the profile's ``facilities`` describe. ``place_of_service`` counts where no
    location tells, ``units_when_absent`` where FT1-10 is empty. With ``point_to_all`` a line without diagnoses has the first
    four of the visit.

    ``visits_of`` is the code of the sender (itself, or another) whose charges are due for the visits that this one registers
    (ADT A01 and A04), under the same number of the visit; left out, nobody looks for visits without a charge.

    Messages of the types ``ignored`` (``ORM``, ``ADT^A03``) are kept and not read.
    """

    code: Slug
    application: str = ""
    facility: str = ""
    takes_test_messages: bool = False
    ignored: tuple[Text, ...] = ()
    visits_of: str = ""

    visit: Places = ("PV1-19", "PID-18")
    charge_per: Literal["visit", "day"] = "visit"
    states: Literal["lines", "visit"] = "lines"
    lines: Literal["FT1", "PR1"] = "FT1"
    record_number: Places = ("PID-3", "PID-2")
    record_number_type: str = "MR"
    own_assigners: tuple[Text, ...] = ()
    assigner: str = ""

    transaction: Places = ("FT1-2",)
    reverses: Places = ("FT1-31",)
    charge_types: tuple[Text, ...] = ("CG",)
    credit_types: tuple[Text, ...] = ("CD", "CR")
    other_types: tuple[Text, ...] = ("AJ", "PY")
    service_date: Places = ("FT1-4",)
    procedure: Places = ("FT1-25", "FT1-7")
    modifiers: Places = ("FT1-26", "PR1-16")
    line_diagnoses: Places = ("FT1-19", "PR1-15")
    amount: Places = ("FT1-11",)
    unit_amount: Places = ("FT1-12",)
    units: Places = ("FT1-10",)
    units_when_absent: Decimal | None = None
    drug: Places = ("FT1-29",)
    drug_quantity: Places = ("FT1-43.1",)
    drug_unit: Places = ("FT1-43.2",)
    location: Places = ("FT1-16", "PV1-3")
    site: Places = ("FT1-16.4", "PV1-3.4")

    diagnoses: Places = ("DG1-3",)
    point_to_all: bool = False
    rendering_provider: Places = ("FT1-20", "PV1-7")
    ordering_provider: Places = ("FT1-21",)
    referring_provider: Places = ("PV1-8",)
    supervising_provider: Places = ()

    payer: Places = ("IN1-3", "IN1-2")
    member_id: Places = ("IN1-36", "IN1-49", "IN2-61")
    group_number: Places = ("IN1-8",)
    prior_authorization: Places = ("IN1-14",)
    custom: Mapping[Text, Place] = Field(default_factory=dict)

    codes: Codes = Field(default_factory=dict)
    places_of_service: Codes = Field(default_factory=dict)
    place_of_service: Annotated[str, BeforeValidator(as_text), Field(pattern=r"^(\d{2})?$")] = ""
    relationships: Codes = Field(default_factory=dict)


class Hl7(Setting):
    """HL7 v2 messages in ``folder``, relative to the working directory: written by ``charges listen`` or another program.

    A registration (ADT) completes charges whose last message came up to ``registration_days`` before it.
    """

    kind: Literal["hl7"]
    folder: Path
    registration_days: Annotated[int, Field(ge=0, le=365)] = 14
    senders: Annotated[tuple[Sender, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _senders_differ(self) -> Self:
        codes = [each.code for each in self.senders]
        for twice in sorted({each for each in codes if codes.count(each) > 1}):
            raise ValueError(f"sender code {twice} stands twice; each belongs to one")
        by_visit = {each.code for each in self.senders if each.charge_per == "visit"}
        for each in self.senders:
            if each.visits_of and each.visits_of not in by_visit:
                raise ValueError(
                    f"visits_of of sender {each.code} is {each.visits_of}, which is no sender whose charges go by visit"
                )
        return self
