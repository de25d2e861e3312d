"""The messages of a visit as one charge: pure, and each field with the place it came from.

The messages of charges say what was done; the newest of them says for whom and who pays. What it leaves open is filled
from the registration (ADT) that stands behind it. A merge of patients makes the number that stays the charge's.
"""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Any, TypeVar

from charges.errors import Unreadable
from charges.model import Charge, ClaimDates, Coverage, Diagnosis, Encounter, Facility, Patient, RelatedCauses
from charges.practice.dialect import Hl7, Sender
from charges.sources.hl7 import parties
from charges.sources.hl7.lines import Ledger, Posted, icd_codes
from charges.sources.hl7.message import Message, parse_place
from charges.sources.hl7.screening import (
    BEGINS,
    ENDS,
    GOES_ON,
    IS_CANCELLED,
    Number,
    Role,
    number_given_up,
    patient_number,
    screen,
    visit_of,
)

T = TypeVar("T")

REGISTRATION = "ADT"
"""How the origin of a field begins that a registration filled."""

_PATIENT_ORIGINS = {
    "last_name": "PID-5.1",
    "first_name": "PID-5.2",
    "birth_date": "PID-7",
    "sex": "PID-8",
    "address": "PID-11",
    "phone": "PID-13",
    "ssn": "PID-19",
    "death_date": "PID-29",
}
_AT_MOST_POINTED = 4
_INPATIENT = "I"
_MOMENTS = ("EVN-6", "EVN-2", "MSH-7")
"""Where a registration says when it happened."""
_LONGEST_NUMBER = 50


def to_charge(messages: Sequence[Message], settings: Hl7, day: str = "") -> Charge:
    """The charge of a visit from its messages, oldest first; ``day`` (YYYYMMDD) takes only the lines of that day.

    Raises Unreadable when a message cannot be read at all; what is wrong with a single line stands in ``unread``.
    """
    charges, statements, merges = [], [], []
    for message in messages:
        found = screen(message, settings)
        if found.role is Role.CHARGE:
            charges.append((message, found.sender))
        elif found.role is Role.PATIENT:
            statements.append((message, found.sender))
        elif found.role is Role.MERGE:
            merges.append((patient_number(message, found.sender), number_given_up(message, found.sender)))
    if not charges and statements:
        return _registered(statements, merges)
    if not charges:
        raise Unreadable("The record holds no message that charges something; tell the engineer.")
    newest, sender = charges[-1]
    ledger = Ledger(sender)
    before: Message | None = None
    for message, its_sender in charges:
        if before is None or not message.same_news(before):  # else it was sent again
            ledger.sender = its_sender
            ledger.post(message, visit_of(message, its_sender))
        before = message
    return _Charge(newest, sender, ledger, statements, merges, day).charge()


def _registered(statements: list[tuple[Message, Sender]], merges: list[tuple[Number, Number]]) -> Charge:
    """A visit of which nothing is charged yet; the first message is one of its registrations."""
    visit = visit_of(*statements[0])
    own = [each for each in statements if visit_of(*each) == visit]
    newest, sender = own[-1]
    charge = _Charge(newest, sender, Ledger(sender), statements, merges, "").charge()
    is_over: bool | None = None
    is_cancelled = False
    for message, _ in own:
        if message.event in BEGINS or message.event == IS_CANCELLED:
            is_cancelled = message.event == IS_CANCELLED
        if message.event == ENDS:
            is_over = True
        elif message.event == GOES_ON or (message.event in BEGINS and message.text("PV1-2") == _INPATIENT):
            is_over = False
    encounter, origins = charge.encounter.model_copy(update={"checked_out": is_over}), dict(charge.origins)
    if encounter.start_date is None:
        place = next((each for each in _MOMENTS if newest.text(each)), "")
        encounter = encounter.model_copy(update={"start_date": _day_or_none(newest.text(place)) if place else None})
        origins["encounter.start_date"] = place
    return charge.model_copy(update={"encounter": encounter, "origins": origins, "voided": is_cancelled})


def _day_or_none(text: str) -> date | None:
    try:
        return parties.day(text, "")
    except Unreadable:
        return None


class _Charge:
    """A charge being put together; ``origins`` grows with its fields."""

    def __init__(
        self,
        newest: Message,
        sender: Sender,
        ledger: Ledger,
        statements: list[tuple[Message, Sender]],
        merges: list[tuple[Number, Number]],
        day: str,
    ) -> None:
        self.message, self.sender, self.ledger = newest, sender, ledger
        self.number, self.former = _after(merges, patient_number(newest, sender))
        known = {self.number, *self.former}
        self.statements = [each for each in statements if patient_number(*each) in known]
        self.lines = _of_day(ledger.lines, day)
        self.voided = not self.lines
        if self.voided:
            self.lines = _of_day(ledger.taken_back, day)
        self.origins: dict[str, str] = {
            "encounter": "PV1",
            "encounter.start_date": "PV1-44",
            "encounter.end_date": "PV1-45",
            "patient": "PID",
            "voided": "FT1-6",
            "lines": "FT1",
        }
        self.faults = list(ledger.faults)

    def charge(self) -> Charge:
        """The whole charge."""
        patient, coverages = self._patient(), self._coverages()
        diagnoses = self._diagnoses()
        lines = tuple(posted.service for posted in self.lines)
        if self.sender.point_to_all:
            lines = tuple(
                each if each.diagnoses else each.model_copy(update={"diagnoses": diagnoses[:_AT_MOST_POINTED]})
                for each in lines
            )
        for index, posted in enumerate(self.lines):
            self.origins |= {f"lines[{index}].{name}": place for name, place in posted.origins.items()}
        facts: dict[str, Any] = {
            "encounter": self._encounter(),
            "patient": patient,
            "coverages": coverages,
            "voided": self.voided and not self.faults,
            "facility": self._facility(),
            "diagnoses": tuple(Diagnosis(code=each) for each in diagnoses),
            "lines": lines,
            "patient_paid": self.ledger.copayment,
            "custom": {name: text for name, place in self.sender.custom.items() if (text := self.message.text(place))},
        }
        for role in ("rendering_provider", "referring_provider", "supervising_provider"):
            facts[role], place = parties.provider(self.message.segments, getattr(self.sender, role))
            if place:
                self.origins[role] = place
        facts |= self._accident()
        authorization = parties.prior_authorization(self.message, self.sender)
        charge = Charge(**facts)
        if authorization:
            self.origins["references.prior_authorization"] = self.sender.prior_authorization[0]
            references = charge.references.model_copy(update={"prior_authorization": authorization[:_LONGEST_NUMBER]})
            charge = charge.model_copy(update={"references": references})
        self.origins |= {f"custom.{name}": self.sender.custom[name] for name in charge.custom}
        if charge.custom:
            self.origins["custom"] = "practice profile, custom"
        if self.ledger.copayment is not None:
            self.origins["patient_paid"] = "FT1-11 of the type CO"
        unread = tuple(dict.fromkeys(self.faults))
        return charge.model_copy(update={"unread": unread, "origins": self.origins})

    def _patient(self) -> Patient:
        number = self.number.text
        segment = self.message.first("PID")
        given = (
            self._read(lambda: parties.patient(segment, number), Patient(record_number=number))
            if segment
            else Patient()
        )
        for name, place in _PATIENT_ORIGINS.items():
            if getattr(given, name) != getattr(Patient(), name):
                self.origins[f"patient.{name}"] = place
        for message, _ in reversed(self.statements):
            given = self._filled(given, message)
        if number:
            self.origins["patient.record_number"] = (
                f"{REGISTRATION} PID-3" if self.former else self.sender.record_number[0]
            )
        if self.number.assigner:
            self.origins["patient.assigner"] = "PID-3.4"
        if self.former:
            self.origins["patient.former_numbers"] = f"{REGISTRATION} MRG-1"
        former = tuple(each.text for each in self.former)
        return given.model_copy(
            update={"record_number": number, "assigner": self.number.assigner, "former_numbers": former}
        )

    def _filled(self, given: Patient, statement: Message) -> Patient:
        """What the patient's own message leaves open, from a registration."""
        segment = statement.first("PID")
        if segment is None:
            return given
        try:
            known = parties.patient(segment, given.record_number)
        except Unreadable:
            return given  # the field stays open, and a rule asks for it if a claim needs it
        changes: dict[str, Any] = {}
        for name, place in _PATIENT_ORIGINS.items():
            empty = getattr(Patient(), name)
            if getattr(given, name) == empty != getattr(known, name):
                changes[name] = getattr(known, name)
                self.origins[f"patient.{name}"] = f"{REGISTRATION} {place}"
        return given.model_copy(update=changes)

    def _coverages(self) -> tuple[Coverage, ...]:
        """The insurances of the newest message, else of the newest registration that has any; never some of each."""
        for message, sender, origin in (
            (self.message, self.sender, "IN1"),
            *((message, sender, f"{REGISTRATION} IN1") for message, sender in reversed(self.statements)),
        ):
            found = self._read(partial(parties.coverages, message, sender), tuple[Coverage, ...]())
            if found:
                self.origins["coverages"] = origin
                return found
        return ()

    def _diagnoses(self) -> tuple[str, ...]:
        """Those of the visit in its order, then those that only lines have."""
        said, place, others = icd_codes(self.message.segments, self.sender.diagnoses)
        if others:
            self.faults.append(f"{place} has diagnoses that are no codes of the ICD")
        if said:
            self.origins["diagnoses"] = place
        of_lines = [code for posted in self.lines for code in posted.service.diagnoses]
        if not said and of_lines:
            self.origins["diagnoses"] = next(
                each.origins["diagnoses"] for each in self.lines if "diagnoses" in each.origins
            )
        return tuple(dict.fromkeys([*said, *of_lines]))

    def _encounter(self) -> Encounter:
        number = next(filter(None, map(self.message.text, self.sender.visit)), "")
        if number:
            self.origins["encounter.record_number"] = next(
                place for place in self.sender.visit if self.message.text(place)
            )
        if self.sender.place_of_service:
            self.origins["encounter.place_of_service"] = "practice profile"
        return Encounter(
            record_number=number,
            visit_type=self.message.text("PV1-2"),
            start_date=self._day("PV1-44"),
            end_date=self._day("PV1-45"),
            place_of_service=self.sender.place_of_service,
        )

    def _facility(self) -> Facility | None:
        for place in self.sender.site:
            number = self.message.text(place)
            if number:
                self.origins["facility"] = place
                return Facility(source_id=number)
        return None

    def _accident(self) -> dict[str, Any]:
        segment = self.message.first("ACC")
        if segment is None:
            return {}
        self.origins |= {"related_causes": "ACC", "dates.accident": "ACC-1"}
        work, state = segment.text(5).upper() == "Y", segment.text(4).upper()
        return {
            "related_causes": RelatedCauses(
                employment=work, auto_accident=bool(state), other_accident=not (work or state), state=state
            ),
            "dates": ClaimDates(accident=self._day("ACC-1")),
        }

    def _day(self, place: str) -> date | None:
        text = self.message.text(place)
        return self._read(lambda: parties.day(text, place), None)

    def _read(self, read: Callable[[], T], otherwise: T) -> T:
        """What a reader gives; when it cannot, that is told and the rest of the charge is read."""
        try:
            return read()
        except Unreadable as fault:
            self.faults.append(str(fault).rstrip("."))
            return otherwise


def _after(merges: Sequence[tuple[Number, Number]], number: Number) -> tuple[Number, list[Number]]:
    """The number that a patient has after merges, in their order, and those that were given up for it, newest first."""
    former: list[Number] = []
    for stays, goes in merges:
        if goes == number != stays and stays.assigner == number.assigner:
            former.insert(0, number)
            number = stays
    return number, former


def days_of(message: Message, sender: Sender) -> tuple[str, ...]:
    """The days of a message's services (YYYYMMDD), for senders whose visits are parted by day."""
    found: list[str] = []
    for place in sender.service_date:
        name, field, component, subcomponent = parse_place(place)
        for segment in message.all(name):
            text = segment.text(field, component, subcomponent)[:8]
            if text.isascii() and text.isdigit():
                found.append(text)
    return tuple(dict.fromkeys(found))


def _of_day(lines: Sequence[Posted], day: str) -> list[Posted]:
    return [
        each
        for each in lines
        if not day or (each.service.service_date is not None and each.service.service_date.strftime("%Y%m%d") == day)
    ]
