"""Which messages are taken, from whom, and what each is about; the listener and the folder judge alike."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from charges.errors import Unreadable
from charges.practice.dialect import Hl7, Place, Sender
from charges.sources.hl7.message import Message, Repetition, Segment, parse_place

_STATEMENTS = frozenset({"A01", "A02", "A03", "A04", "A05", "A06", "A07", "A08", "A11", "A13", "A28", "A31"})
"""Events of an ADT message that state who a patient is and who pays."""
BEGINS, ENDS, GOES_ON, IS_CANCELLED = frozenset({"A01", "A04"}), "A03", "A13", "A11"
"""Events that say that a visit begins, ends, goes on after all, and never was."""
_MERGES = frozenset({"A18", "A34", "A40", "A47"})
"""Events that say that the number in MRG-1 is now the one in PID-3."""
_CHARGES = frozenset({"P03", "P11", ""})
_LONGEST_VISIT = 40


class NotTaken(Unreadable):
    """A message that nobody here waits for; sending it again changes nothing."""


class Role(StrEnum):
    """What a message does."""

    CHARGE = "charge"
    PATIENT = "patient"
    MERGE = "merge"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Screened:
    """A message that is taken, with the dialect of its sender."""

    sender: Sender
    role: Role


def screen(message: Message, settings: Hl7) -> Screened:
    """What a message does; raises NotTaken or Unreadable with the reason."""
    sender = sender_of(message, settings)
    if message.kind in sender.ignored or message.type in sender.ignored:
        return Screened(sender, Role.IGNORED)
    if message.header.text(11)[:1].upper() in ("T", "D") and not sender.takes_test_messages:
        raise NotTaken("MSH-11 says that this is a message for training or debugging, so it is not billed.")
    role = _role(message)
    if len(message.all("PID")) > 1:
        raise Unreadable("The message is of several patients (PID); have them sent one by one.")
    if role is Role.CHARGE and not message.all("FT1"):
        raise Unreadable("The message has no FT1 segment, so it charges nothing.")
    if role in (Role.PATIENT, Role.MERGE) and not record_number(message, sender):
        raise Unreadable("The message has no patient number at the place of the profile (record_number).")
    if role is Role.MERGE and not prior_number(message, sender):
        raise Unreadable("MRG-1 is missing, so nobody knows which patient was merged.")
    return Screened(sender, role)


def _role(message: Message) -> Role:
    if message.type == "DFT" and message.event in _CHARGES:
        return Role.CHARGE
    if message.type == "ADT" and message.event in _MERGES:
        return Role.MERGE
    if message.type == "ADT" and message.event in _STATEMENTS:
        return Role.PATIENT
    if not message.type:
        raise Unreadable("MSH-9 is missing, so nobody knows what the message is.")
    kind = message.kind if re.fullmatch(r"[A-Z0-9]{3}(\^[A-Z0-9]{3})?", message.kind) else "this type"
    raise NotTaken(
        f"Messages of {kind} are not read here. If they hold nothing to bill, name them in the sender's `ignored`."
    )


def sender_of(message: Message, settings: Hl7) -> Sender:
    """The first sender of the profile to whom MSH-3 and MSH-4 belong; raises NotTaken."""
    application, facility = message.header.text(3), message.header.text(4)
    for sender in settings.senders:
        if sender.application in ("", application) and sender.facility in ("", facility):
            return sender
    raise NotTaken("No sender of the practice's profile has this application and facility (MSH-3, MSH-4).")


def visit_of(message: Message, sender: Sender) -> str:
    """The sender's number of the visit, fit for a key: short and printable, else by its digest; empty where none is."""
    number = next(filter(None, map(message.text, sender.visit)), "")
    if len(number) > _LONGEST_VISIT or not re.fullmatch(r"[!-~]*", number):
        return f"number-{hashlib.sha256(number.encode()).hexdigest()[:16]}"
    return number


class Number(NamedTuple):
    """A patient's number, and who assigned it where that is not the practice itself."""

    text: str = ""
    assigner: str = ""


def patient_number(message: Message, sender: Sender) -> Number:
    """The number of the patient, of the type that the sender's dialect prefers."""
    return _number(message.first("PID"), sender.record_number, sender)


def record_number(message: Message, sender: Sender) -> str:
    """The same without its assigner."""
    return patient_number(message, sender).text


def number_given_up(message: Message, sender: Sender) -> Number:
    """The number that a merge gives up."""
    return _number(message.first("MRG"), ("MRG-1",), sender)


def prior_number(message: Message, sender: Sender) -> str:
    """The same without its assigner."""
    return number_given_up(message, sender).text


def _number(segment: Segment | None, places: Sequence[Place], sender: Sender) -> Number:
    if segment is None:
        return Number()
    for place in places:
        _, field, component, subcomponent = parse_place(place)
        given: Sequence[Repetition] = segment.repetitions(field)
        for each in (*(one for one in given if one.text(5) == sender.record_number_type), *given):
            if each.text(5) not in ("SS", "DL") and each.text(component, subcomponent):
                return Number(each.text(component, subcomponent), _assigner(each.text(4), sender))
    return Number()


def _assigner(named: str, sender: Sender) -> str:
    """Who assigned a number, by PID-3.4 where the dialect says that it tells; ``""`` is the practice itself."""
    if not sender.own_assigners:
        return sender.assigner
    return "" if named in sender.own_assigners else named or sender.assigner
