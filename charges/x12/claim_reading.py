"""One claim being read: which loop each of its segments belongs to, and the fields that come of it."""

from collections.abc import Mapping
from decimal import Decimal

from charges.model import undotted
from charges.x12 import claim, line_decisions, other_subscribers, particulars, parties, service_line
from charges.x12.hierarchy import RESPONSIBILITY
from charges.x12.reading import Fields, Table
from charges.x12.scanner import Delimiters, Segment

_PROVIDERS = {
    "DN": "referring_provider",
    "P3": "primary_care_provider",
    "82": "rendering_provider",
    "77": "facility",
    "DQ": "supervising_provider",
    "DK": "ordering_provider",
}
_OF_CLAIM: dict[str, Table] = {
    "DN": parties.PROVIDER,
    "P3": parties.PROVIDER,
    "82": parties.PROVIDER_WITH_TAXONOMY,
    "77": parties.FACILITY,
    "DQ": parties.PROVIDER,
}
_OF_LINE: dict[str, Table] = _OF_CLAIM | {"DK": parties.PROVIDER_WITH_CONTACT}
_OF_OTHER_PAYER: dict[str, Table] = {
    "IL": other_subscribers.LOOP_2330A,
    "PR": other_subscribers.LOOP_2330B,
} | dict.fromkeys(other_subscribers.PROVIDER_ROLES, other_subscribers.LOOP_2330C)
_PLACES = {"PW": "pick_up", "45": "drop_off"}


def as_given(e: Segment) -> str:
    """A segment as it stood, with our own element separator."""
    return "*".join(e).rstrip("*")


class ClaimReading:
    """The fields of a claim so far. ``take`` is given its segments in order, ``finish`` makes the charge of them.

    The loops are those of a professional claim; that of an institutional one has others.
    """

    loop_2300: Table = claim.LOOP_2300
    loop_2320: Table = other_subscribers.LOOP_2320
    loop_2400: Table = service_line.LOOP_2400
    loop_2430: Table = line_decisions.LOOP_2430
    loop_2440: Table = line_decisions.LOOP_2440
    names: Mapping[str, str] = _PROVIDERS
    """The field of a party by its role."""
    of_claim: Mapping[str, Table] = _OF_CLAIM
    of_line: Mapping[str, Table] = _OF_LINE
    of_other_payer: Mapping[str, Table] = _OF_OTHER_PAYER
    places: Mapping[str, str] = _PLACES
    seller = "QB"

    def __init__(self) -> None:
        self.charge: Fields = {}
        self.coverages: list[tuple[Fields, dict[str, Fields]]] = []
        self.lines: list[Fields] = []
        self.unread: list[str] = []
        self.here, self.table = self.charge, self.loop_2300
        self.of: Fields = self.charge
        self.others: dict[str, Fields] | None = None

    def take(self, e: Segment, delimiters: Delimiters) -> None:
        """Read a segment."""
        name = e[0]
        if name in _OPENING:
            self._open(name, e)
        handler = self.table.get(name)
        if handler is None or not handler.read(self.here, e, delimiters) or any(handler.others(e)):
            self.unread.append(as_given(e))

    def _open(self, name: str, e: Segment) -> None:
        """Go to the loop that a segment opens; to one that reads nothing where it is there already."""
        if name == "NM1":
            self._open_party(e[1])
        elif name == "SBR":
            self.of, self.others = {}, {}
            self.coverages.append((self.of, self.others))
            self.here, self.table = self.of, self.loop_2320
        elif name == "LX":
            self.of, self.others = {}, None
            self.lines.append(self.of)
            self.here, self.table = self.of, self.loop_2400
        elif not self.lines:
            self.here, self.table = {}, {}
        elif name == "LIN":
            self._enter(self.of, "drug", service_line.LOOP_2410)
        elif name == "SVD":
            self._append("adjudications", self.loop_2430)
        elif name == "LQ" and self.loop_2440:
            self._append("forms", self.loop_2440)

    def _open_party(self, role: str) -> None:
        if self.others is not None:
            table = self.of_other_payer.get(role, {})
            if table is other_subscribers.LOOP_2330C:
                self.here, self.table = {}, table
                self.of.setdefault("providers", []).append(self.here)
            elif role in self.others:
                self.here, self.table = {}, {}
            else:
                self.here, self.table = self.others.setdefault(role, {}), table
        elif role in self.places:
            self._enter(self.of.setdefault("ambulance", {}), self.places[role], particulars.AMBULANCE_PLACE)
        elif role == self.seller and self.lines:
            self.here, self.table = self.of.setdefault("purchased_service", {}), service_line.LOOP_2420B
        elif role in (self.of_line if self.lines else self.of_claim):
            self._enter(self.of, self.names[role], (self.of_line if self.lines else self.of_claim)[role])
        else:
            self.here, self.table = {}, {}

    def _enter(self, fields: Fields, name: str, table: Table) -> None:
        if name in fields:
            self.here, self.table = {}, {}
        else:
            self.here, self.table = fields.setdefault(name, {}), table

    def _append(self, name: str, table: Table) -> None:
        self.here, self.table = {}, table
        self.of.setdefault(name, []).append(self.here)

    def finish(self, coverage: Fields, patient: Fields) -> Fields:
        """The fields of the charge, with the first coverage and the patient from above."""
        charge = self.charge
        policies = [coverage]
        for other, named in self.coverages:
            other_subscribers.close_other_subscriber(other, named.get("IL", {}), named.get("PR", {}), patient)
            policies.append(other)
        for policy, place in zip(policies, RESPONSIBILITY, strict=False):
            if policy.get("responsibility") == place:
                del policy["responsibility"]
        for policy in policies[1:]:
            for name in _AS_WITH_THE_CLAIM:
                if policy.get(name) == charge.get(name):
                    policy.pop(name, None)
        charge["coverages"] = policies
        charge["patient"] = patient
        codes = [undotted(each["code"]) for each in charge.get("diagnoses", ())]
        place = charge.get("encounter", {}).get("place_of_service")
        total = Decimal(0)
        for line in self.lines:
            total += line.get("charge", 0)
            if place:  # SV105 is left out where it would say the same
                line.setdefault("place_of_service", place)
            self._finish_line(line, codes)
        charge["lines"] = self.lines
        _finish_ambulance(charge)
        if charge.get("stated_total") == total:
            del charge["stated_total"]
        return charge

    def _finish_line(self, line: Fields, codes: list[str]) -> None:
        pointed = []
        for each in line.pop("pointers", ()):
            if each.isdecimal() and 0 < int(each) <= len(codes):
                pointed.append(codes[int(each) - 1])
            else:
                self.unread.append(f"SV107 points at diagnosis {each}, which is not on the claim")
        if pointed:
            line["diagnoses"] = pointed
        _finish_ambulance(line)


def _finish_ambulance(fields: Fields) -> None:
    """The places of a transport as addresses; the name stands with the drop-off."""
    transport = fields.get("ambulance")
    if not transport:
        return
    for name in ("pick_up", "drop_off"):
        if name in transport:
            place = transport[name]
            if name == "drop_off" and "name" in place:
                transport["drop_off_name"] = place["name"]
            transport[name] = place.get("address", {})


_AS_WITH_THE_CLAIM = ("benefits_assigned", "patient_signature_source", "release_of_information")
"""What OI says again of the claim; a policy has it only where it differs."""

_OPENING = frozenset(("NM1", "SBR", "LX", "LIN", "SVD", "LQ"))
