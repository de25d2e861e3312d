"""What an update of the vendor's may do to all records: a field has another name, is another kind of value, or is gone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from charges.simulator.faults import Fault
from charges.simulator.people import Json


@dataclass(frozen=True, slots=True)
class Update:
    """What became of a field, by its path in the contract (``cpt[].BilledFee``): its new name, or its new kind."""

    fault: Fault
    path: str
    became: str = ""

    def applied(self, record: Json) -> None:
        """Change a record in place."""
        name = self.path.rpartition(".")[2]
        for holder in _holders(record, self.path):
            if name in holder or self.fault is Fault.NEW_CODE:
                _DEEDS[self.fault](holder, name, self.became)


UPDATES: Mapping[Fault, Sequence[Update]] = {
    Fault.RENAMED_FIELD: (
        Update(Fault.RENAMED_FIELD, "patient.dob", "birthDate"),
        Update(Fault.RENAMED_FIELD, "cpt[].BilledFee", "Fee"),
        Update(Fault.RENAMED_FIELD, "insurances[].subscriberNo", "memberNumber"),
        Update(Fault.RENAMED_FIELD, "InvId", "InvoiceId"),
    ),
    Fault.RETYPED_FIELD: (
        Update(Fault.RETYPED_FIELD, "PatientId", "number"),
        Update(Fault.RETYPED_FIELD, "InvPOS", "number"),
    ),
    Fault.VANISHED_FIELD: (
        Update(Fault.VANISHED_FIELD, "encounter.VisitType"),
        Update(Fault.VANISHED_FIELD, "facility.CliaId"),
    ),
    Fault.NEW_CODE: (
        Update(Fault.NEW_CODE, "encounter.STATUS", "SGN"),
        Update(Fault.NEW_CODE, "claimInfo.employmentRelated", "2"),
    ),
}
"""What happens of each kind, the first of them first."""


def _rename(holder: Json, name: str, became: str) -> None:
    holder[became] = holder.pop(name)


def _retype(holder: Json, name: str, _: str) -> None:
    if isinstance(holder[name], str) and holder[name].isdigit():
        holder[name] = int(holder[name])


def _remove(holder: Json, name: str, _: str) -> None:
    del holder[name]


def _set(holder: Json, name: str, became: str) -> None:
    holder[name] = became


_DEEDS: Mapping[Fault, Callable[[Json, str, str], None]] = {
    Fault.RENAMED_FIELD: _rename,
    Fault.RETYPED_FIELD: _retype,
    Fault.VANISHED_FIELD: _remove,
    Fault.NEW_CODE: _set,
}


def _holders(record: Any, path: str) -> Iterator[Json]:  # noqa: ANN401 - whatever JSON can say
    """The objects in which the last name of a path stands."""
    step, dot, rest = path.partition(".")
    if not dot:
        yield record
        return
    found = record.get(step.removesuffix("[]"))
    for each in found if isinstance(found, list) else [found]:
        if isinstance(each, dict):
            yield from _holders(each, rest)
