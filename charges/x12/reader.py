"""An 837 as claims: the loops of a guide read back into the facts they were written from.

Any delimiters, any number of interchanges, groups and transaction sets, line breaks between segments; one claim is held
at a time. Nothing of a claim is silently lost: a segment, or an element of one, that the model has no place for stands in
the charge's ``unread`` as it was given, and such a charge cannot become a claim.
"""

from collections.abc import Iterator
from typing import BinaryIO

from pydantic import ValidationError

from charges.errors import Unreadable
from charges.model import SELF, Charge, Claim, Provider
from charges.x12 import hierarchy
from charges.x12.claim_reading import ClaimReading, as_given
from charges.x12.kinds import KINDS, PROFESSIONAL
from charges.x12.reading import Fields, Table
from charges.x12.scanner import Delimiters, Segment, scan

_ENVELOPE = frozenset(("ISA", "IEA", "GS", "GE", "TA1"))


def read(content: bytes | BinaryIO) -> Iterator[Claim]:
    """The claims of a file in their order.

    Raises Unreadable with a sentence for what is no 837 of a guide that is known, as soon as that is seen: claims given
    before stay good.
    """
    reader = _Reader()
    for segment, delimiters in scan(content):
        claim = reader.take(segment, delimiters)
        if claim is not None:
            yield claim
    if not reader.transactions:
        raise Unreadable("The file holds no 837 transaction set, so there are no claims in it.")


class _Reader:
    """Where in the hierarchy the reading is: the billing provider, subscriber and patient above the claim."""

    def __init__(self) -> None:
        self.transactions = 0
        self.version = ""
        self.reading: type[ClaimReading] = PROFESSIONAL.reading
        self.in_transaction = False
        self._start()

    def _start(self) -> None:
        self.provider: _Level = _Level("20")
        self.subscriber: _Level = _Level("22")
        self.patient: _Level | None = None
        self.level: _Level | None = None
        self.claim: ClaimReading | None = None

    def take(self, e: Segment, delimiters: Delimiters) -> Claim | None:
        """Read a segment; gives the claim that it ends."""
        name = e[0]
        if name in ("CLM", "HL", "SE", "ST") or name in _ENVELOPE:
            ended = self._end_of_claim()
            self._turn(name, e, delimiters)
            return ended
        if not self.in_transaction:
            raise Unreadable(f"A segment {name[:3]!r} stands outside of any transaction set.")
        if self.claim is not None:
            self.claim.take(e, delimiters)
        elif self.level is not None:
            self.level.take(e, delimiters)
        return None

    def _turn(self, name: str, e: Segment, delimiters: Delimiters) -> None:
        if self.in_transaction and name in _ENVELOPE:
            raise Unreadable(f"A transaction set is cut off: {name} stands where its SE should be.")
        if name == "GS":
            self.version = e[8]
        elif name == "ST":
            self._open(e)
        elif name == "SE":
            self.in_transaction = False
        elif name == "HL":
            self._climb(e)
        elif name == "CLM":
            if not self.in_transaction or self.level is None:
                raise Unreadable("A claim (CLM) stands before any billing provider and subscriber (HL).")
            self.claim = self.reading()
            self.claim.take(e, delimiters)

    def _open(self, e: Segment) -> None:
        if self.in_transaction:
            raise Unreadable(f"Transaction set {e[2]} begins before the one before it ended (SE is missing).")
        version = e[3] or self.version
        if e[1] != "837":
            raise Unreadable(f"Transaction set {e[2]} is a {e[1]}, not an 837.")
        if version not in KINDS:
            raise Unreadable(
                f"Transaction set {e[2]} follows guide {version or '(none named)'}. Claims are read of {', '.join(KINDS)}."
            )
        self.reading = KINDS[version].reading
        self.transactions += 1
        self.in_transaction = True
        self._start()

    def _climb(self, e: Segment) -> None:
        if not self.in_transaction:
            raise Unreadable("A hierarchical level (HL) stands outside of any transaction set.")
        if e[3] not in _TABLES:
            raise Unreadable(f"Hierarchical level {e[1]} is of kind {e[3]!r}; an 837 has 20, 22 and 23.")
        self.level = _Level(e[3])
        if e[3] == "20":
            self.provider, self.subscriber, self.patient = self.level, _Level("22"), None
        elif e[3] == "22":
            self.subscriber, self.patient = self.level, None
        else:
            self.patient = self.level

    def _end_of_claim(self) -> Claim | None:
        if self.claim is None:
            return None
        reading, self.claim = self.claim, None
        above = [*self.provider.unread, *self.subscriber.unread, *(self.patient.unread if self.patient else ())]
        coverage, patient = self._insured()
        fields = reading.finish(coverage, patient)
        fields["billing_provider"] = self.provider.billing_provider()
        unread = above + reading.unread
        if unread:
            fields["unread"] = tuple(unread)
        return _claim(fields)

    def _insured(self) -> tuple[Fields, Fields]:
        """The first coverage and the patient, as the levels above the claim have them."""
        subscriber = self.subscriber
        coverage: Fields = dict(subscriber.own)
        coverage["payer"] = {**subscriber.at("PR"), **coverage.get("payer", {})}
        person = dict(subscriber.at("IL"))
        patient: Fields = {name: coverage.pop(name) for name in _OF_PATIENT if name in coverage}
        _move(person, coverage, "member_id", "property_casualty_number", "contact")
        if self.patient is None:
            if coverage.get("relationship") == SELF:
                return coverage, patient | person
            return coverage | {"subscriber": person}, patient
        relative = dict(self.patient.own)
        _move(relative, coverage, "relationship")
        patient |= relative | self.patient.at("QC")
        _move(patient, coverage, "property_casualty_number", "patient_member_id", "contact")
        return coverage | {"subscriber": person}, patient


_OF_PATIENT = ("death_date", "weight_pounds", "pregnant")


def _move(source: Fields, target: Fields, *names: str) -> None:
    for name in names:
        if name in source:
            target[name] = source.pop(name)


def _claim(fields: Fields) -> Claim:
    number, frequency = fields.pop("number", ""), fields.pop("frequency", "")
    if frequency not in ("1", "7", "8"):
        fields["unread"] = (*fields.get("unread", ()), f"CLM05-3 is {frequency!r}, neither 1, 7 nor 8")
        frequency = "1"
    try:
        charge = Charge.model_validate(fields, strict=False)
    except ValidationError as error:
        raise Unreadable(f"A claim cannot be read ({error.error_count()} fields).") from None
    return Claim(number=number, charge=charge, frequency=frequency)


class _Level:
    """One hierarchical level: its own segments, and those of each party named in it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.own: Fields = {}
        self.parties: dict[str, Fields] = {}
        self.here, self.table = self.own, _TABLES[kind]
        self.unread: list[str] = []
        self.provider: Provider | None = None

    def at(self, role: str) -> Fields:
        """The fields of a party, none when it was not named."""
        return self.parties.get(role, {})

    def take(self, e: Segment, delimiters: Delimiters) -> None:
        """Read a segment of this level."""
        if e[0] == "NM1":
            self.here, self.table = self.parties.setdefault(e[1], {}), _PARTIES.get((self.kind, e[1]), {})
        handler = self.table.get(e[0])
        if handler is None or not handler.read(self.here, e, delimiters) or any(handler.others(e)):
            self.unread.append(as_given(e))

    def billing_provider(self) -> Provider | None:
        """The billing provider of level 20, made once for all its claims."""
        if self.provider is None and self.kind == "20" and "85" in self.parties:
            fields = self.own | self.parties["85"]
            if "87" in self.parties:
                fields["pay_to_address"] = self.parties["87"].get("address", {})
            if "PE" in self.parties:
                fields["pay_to_plan"] = self.parties["PE"]
            self.provider = Provider.model_validate(fields, strict=False)
        return self.provider


_TABLES: dict[str, Table] = {
    "20": hierarchy.LOOP_2000A,
    "22": hierarchy.LOOP_2000B,
    "23": hierarchy.LOOP_2000C,
}
_PARTIES: dict[tuple[str, str], Table] = {
    ("20", "85"): hierarchy.LOOP_2010AA,
    ("20", "87"): hierarchy.LOOP_2010AB,
    ("20", "PE"): hierarchy.LOOP_2010AC,
    ("22", "IL"): hierarchy.LOOP_2010BA,
    ("22", "PR"): hierarchy.LOOP_2010BB,
    ("23", "QC"): hierarchy.LOOP_2010CA,
}
