"""The services of a visit, put together from all its messages: added, changed, taken back, each line by itself.

A line that cannot be understood does not spoil the others: what is wrong is told with its segment and field, and the
charge waits for a person, because a claim without that line would say less than was done.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation

from charges.errors import Unreadable
from charges.model import Drug, Provider, ServiceLine, undotted
from charges.practice.dialect import Places, Sender
from charges.sources.hl7.message import Message, Segment, parse_place
from charges.sources.hl7.parties import day, provider

_ICD = frozenset(
    {"", "I10", "I10C", "ICD10", "ICD-10", "ICD10CM", "ICD-10-CM", "10", "I9", "I9C", "ICD9", "ICD-9", "ICD-9-CM"}
)
"""Coding systems of a diagnosis that a claim can carry (HL7 table 0396), and how senders misspell them."""
_ICD_CODE = re.compile(r"[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?|[0-9VE][0-9]{2,3}(\.?[0-9]{1,2})?")
_COPAYMENT = "CO"
_AT_MOST = Decimal(10) ** 9


@dataclass(frozen=True, slots=True)
class Posted:
    """A line that stands, and where each of its fields was said."""

    number: str
    service: ServiceLine
    origins: dict[str, str]

    def is_of(self, other: "Posted") -> bool:
        """Whether another line is the same service by its content."""
        mine, theirs = self.service, other.service
        return (mine.code, mine.modifiers, mine.service_date) == (theirs.code, theirs.modifiers, theirs.service_date)


@dataclass(slots=True)
class Ledger:
    """What is charged for a visit after the messages posted so far. ``faults`` are sentences without values."""

    sender: Sender
    lines: list[Posted] = field(default_factory=list)
    taken_back: list[Posted] = field(default_factory=list)
    copayment: Decimal | None = None
    faults: list[str] = field(default_factory=list)

    def post(self, message: Message, visit: str) -> None:
        """Take in the lines of the visit's next message."""
        if self.sender.states == "visit":
            self.lines, self.copayment, self.faults = [], None, []
        given = _Given(message, self.sender, visit, self.faults)
        self.copayment = _sum(self.copayment, given.copayment)
        # Credits come first: a correction is often a credit and a charge under the number of the same line.
        late = [credit for credit in given.credits if not self._take_back(*credit)]
        for each in given.charges:
            self._put(each)
        for line, reverses in late:
            if not self._take_back(line, reverses):
                self.faults.append("FT1-6 is a credit, and no message before charged its line")

    def _put(self, line: Posted) -> None:
        for index, each in enumerate(self.lines):
            if line.number and each.number == line.number:
                self.lines[index] = line
                return
        self.lines.append(line)

    def _take_back(self, credit: Posted, reverses: str) -> bool:
        numbers = [each for each in (reverses, credit.number) if each]
        by_number = [each for number in numbers for each in self.lines if each.number == number]
        found = by_number or [each for each in self.lines if each.is_of(credit)]
        if not found:
            return False
        line = found[-1]
        left = (line.service.units or Decimal(0)) - (credit.service.units or line.service.units or Decimal(0))
        if left > 0:
            amount = _less(line.service.charge, credit.service.charge)
            service = line.service.model_copy(update={"units": left, "charge": amount})
            self.lines[self.lines.index(line)] = replace(line, service=service)
        else:
            self.lines.remove(line)
            self.taken_back.append(line)
        return True


class _Given:
    """The lines of one message, parted into charges and credits."""

    def __init__(self, message: Message, sender: Sender, visit: str, faults: list[str]) -> None:
        self.sender, self.message, self.faults = sender, message, faults
        self.charges: list[Posted] = []
        self.credits: list[tuple[Posted, str]] = []
        self.copayment: Decimal | None = None
        groups = _groups(message)
        charged = [_text(each, sender.transaction)[0] for each in groups if self._kind(each) not in sender.credit_types]
        # A number that lines share, or that is the visit's, is no line's number.
        shared = {number for number in charged if charged.count(number) > 1} | {visit}
        for place, group in enumerate(groups, 1):
            number = _text(group, sender.transaction)[0]
            self._take(group, f"FT1[{place}]", "" if number in shared else number)

    def _kind(self, group: Sequence[Segment]) -> str:
        return group[0].text(6).upper()

    def _take(self, group: Sequence[Segment], where: str, number: str) -> None:
        sender, kind = self.sender, self._kind(group)
        if kind in sender.other_types:
            return
        if kind == _COPAYMENT and kind not in sender.charge_types:
            self.copayment = _sum(self.copayment, self.number(group, sender.amount, where))
            return
        if kind and kind not in (*sender.charge_types, *sender.credit_types):
            self.faults.append(f"{where}: FT1-6 is no type of transaction that the profile names")
            return
        parts = self._parts(group)
        for index, part in enumerate(parts):
            line = _Line(self, part, where, f"{number}.{index}" if number and index else number)
            posted = line.posted(has_amount=len(parts) == 1)
            if kind in sender.credit_types or line.is_negative:
                self.credits.append((posted, _text(group, sender.reverses)[0]))
            else:
                self.charges.append(posted)

    def _parts(self, group: Sequence[Segment]) -> list[Sequence[Segment]]:
        """The services of a group: the FT1, or each PR1 with the FT1 where the sender says so."""
        procedures = [each for each in group if each.name == "PR1"]
        if self.sender.lines == "FT1" or not procedures:
            return [group]
        others = [each for each in group if each.name != "PR1"]
        return [[procedure, *others] for procedure in procedures]

    def number(self, group: Iterable[Segment], places: Places, where: str) -> Decimal | None:
        """A number of a group, or none when what stands there is told as a fault."""
        try:
            return _number(*_text(group, places))
        except Unreadable as fault:
            self.faults.append(f"{where}: {fault}".rstrip("."))
            return None


class _Line:
    """One service being read; ``origins`` grows with its fields."""

    def __init__(self, given: _Given, group: Sequence[Segment], where: str, number: str) -> None:
        self.given, self.sender, self.group, self.where, self.number = given, given.sender, group, where, number
        self.origins: dict[str, str] = {}
        self.is_negative = False

    def posted(self, *, has_amount: bool) -> Posted:
        """The line; what could not be read of it is told in the faults. One amount for several services is none's."""
        sender = self.sender
        units = self._amount("units", sender.units)
        if units is None and sender.units_when_absent is not None:
            units = sender.units_when_absent
            self.origins["units"] = "practice profile"
        charge = self._amount("charge", sender.amount) if has_amount else None
        if has_amount and charge is None:
            each = self._amount("charge", sender.unit_amount)
            charge = None if each is None else each * (units if units is not None else Decimal(1))
        start, end = self._days()
        service = ServiceLine(
            source_id=self.number,
            code=self._code(),
            modifiers=self._all("modifiers", sender.modifiers),
            charge=charge,
            units=units,
            service_date=start,
            service_date_to=end,
            diagnoses=self._diagnoses(),
            drug=self._drug(),
            place_of_service=self._place_of_service(),
            rendering_provider=self._provider("rendering_provider", sender.rendering_provider),
            ordering_provider=self._provider("ordering_provider", sender.ordering_provider),
        )
        return Posted(self.number, service, self.origins)

    def _fault(self, sentence: str) -> None:
        self.given.faults.append(f"{self.where}: {sentence}".rstrip("."))

    def _said(self, name: str, places: Places) -> str:
        text, place = _text(self.group, places)
        if text:
            self.origins[name] = place
        return text

    def _amount(self, name: str, places: Places) -> Decimal | None:
        text, place = _text(self.group, places)
        try:
            number = _number(text, place)
        except Unreadable as fault:
            self._fault(str(fault))
            return None
        if number is not None:
            self.origins[name] = place
            self.is_negative |= number < 0
            return abs(number)
        return None

    def _code(self) -> str:
        said = self._said("code", self.sender.procedure)
        return self.sender.codes.get(said, said)

    def _all(self, name: str, places: Places) -> tuple[str, ...]:
        for place in places:
            segment, number, component, subcomponent = parse_place(place)
            found = [
                value
                for each in self.group
                if each.name == segment
                for given in each.repetitions(number)
                if (value := given.text(component, subcomponent).upper())
            ]
            if found:
                self.origins[name] = place
                return tuple(found)
        return ()

    def _days(self) -> tuple[date | None, date | None]:
        text, place = _text(self.group, self.sender.service_date)
        try:
            start = day(text, place)
            segment, number, *_ = parse_place(place) if place else ("", 0)
            last = next((each.text(number, 2) for each in self.group if each.name == segment), "")
            end = day(last, place)
        except Unreadable as fault:
            self._fault(str(fault))
            return None, None
        if start:
            self.origins["service_date"] = place
        return start, end if end != start else None

    def _diagnoses(self) -> tuple[str, ...]:
        found, place, others = icd_codes(self.group, self.sender.line_diagnoses)
        if others:
            self._fault(f"{place} has diagnoses that are no codes of the ICD")
        if found:
            self.origins["diagnoses"] = place
        return found

    def _drug(self) -> Drug | None:
        ndc = self._said("drug", self.sender.drug)
        if not ndc:
            return None
        return Drug(
            ndc=ndc,
            quantity=self.given.number(self.group, self.sender.drug_quantity, self.where),
            unit=_text(self.group, self.sender.drug_unit)[0].upper(),
        )

    def _place_of_service(self) -> str:
        everything = [*self.group, *self.given.message.all("PV1")]
        for place in self.sender.location:
            known = self.sender.places_of_service.get(_text(everything, (place,))[0])
            if known:
                self.origins["place_of_service"] = place
                return known
        return ""

    def _provider(self, name: str, places: Places) -> Provider | None:
        found, place = provider(self.group, places)
        if found:
            self.origins[name] = place
        return found


def icd_codes(segments: Iterable[Segment], places: Places) -> tuple[tuple[str, ...], str, bool]:
    """The diagnoses at the first of the places that has any, that place, and whether others stood there."""
    known = list(segments)
    for place in places:
        name, number, component, subcomponent = parse_place(place)
        given = [one for each in known if each.name == name for one in each.repetitions(number)]
        said = [(one.text(component, subcomponent).upper(), one.text(3).upper()) for one in given]
        said = [each for each in said if each[0]]
        codes = [code for code, system in said if system in _ICD and _ICD_CODE.fullmatch(undotted(code))]
        if said:
            return tuple(dict.fromkeys(codes)), place, len(codes) < len(said)
    return (), "", False


def _groups(message: Message) -> list[list[Segment]]:
    """Each FT1 with what follows it and belongs to it."""
    groups: list[list[Segment]] = []
    for segment in message.segments:
        if segment.name == "FT1":
            groups.append([segment])
        elif groups and segment.name not in ("PV1", "PID", "IN1", "IN2"):
            groups[-1].append(segment)
    return groups


def _text(segments: Iterable[Segment], places: Places) -> tuple[str, str]:
    known = list(segments)
    for place in places:
        name, *numbers = parse_place(place)
        found = next(filter(None, (each.text(*numbers) for each in known if each.name == name)), "")
        if found:
            return found, place
    return "", ""


def _number(text: str, place: str) -> Decimal | None:
    plain = text.replace(",", "").replace("$", "").strip()
    if not plain:
        return None
    try:
        number = Decimal(plain)
    except InvalidOperation:
        raise Unreadable(f"{place} is not a number.") from None
    if not number.is_finite() or abs(number) >= _AT_MOST:
        raise Unreadable(f"{place} is not a number that a charge can have.")
    return number


def _sum(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return second if first is None else first if second is None else first + second


def _less(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return first if first is None or second is None else first - second
