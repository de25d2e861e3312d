"""Charges for the review queue: what holds each is known, and who works on them has a name."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from charges.desk.queue import Count, Groups, Page, Reader, Visible, count, groups, page
from charges.desk.views import Wanted
from charges.model import Charge, Patient, Provider, ServiceLine
from rules.examples import PATIENT, RENDERING_PROVIDER, charge, line
from tests.practice import Workplace

OTHER_PROVIDER = Provider(
    source_id="9002", last_name="Quill", first_name="Ismene", npi="1679576722", taxonomy="207Q00000X"
)

ALL_OPEN = Wanted()


def patient_of(key: str) -> Patient:
    """A patient of their own for each charge, so that no charge is another's duplicate."""
    return PATIENT.model_copy(update={"record_number": f"R{key}"})


def without_25(key: str, dollars: int = 150, on: date = date(2026, 11, 16), **changes: object) -> Charge:
    """A visit beside a procedure that does not say that it was separate: GLB-002 holds it and suggests 25."""
    visit = line("99213", charge=Decimal(dollars), service_date=on)
    procedure = line("20610", "RT", service_date=on)
    encounter = charge().encounter.model_copy(update={"start_date": on})
    return charge(visit, procedure, key=key, **({"patient": patient_of(key), "encounter": encounter} | changes))


def pointless(key: str, **changes: object) -> Charge:
    """A line that points to no diagnosis, which nothing but a person can mend."""
    return charge(line("99213", diagnoses=()), key=key, **({"patient": patient_of(key)} | changes))


def by_another(*lines: ServiceLine, key: str) -> Charge:
    """A charge that the other provider rendered."""
    return charge(*lines, key=key, patient=patient_of(key), rendering_provider=OTHER_PROVIDER)


@dataclass
class Desk:
    """Somebody at the queue of a practice."""

    workplace: Workplace
    who: str = "ada"
    visible: Visible = None

    @property
    def reader(self) -> Reader:
        return Reader(self.who, self.workplace.clock(), self.visible)

    def hold(self, *charges: Charge) -> None:
        """Have the charges pulled and judged."""
        self.workplace.source.put(*charges)
        self.workplace.run("pull", "judge")

    def number(self, key: str) -> int:
        return self.workplace.rows()[key].id

    def seen(self, key: str) -> int:
        return self.workplace.rows()[key].event_count

    def item(self, key: str, rule: str) -> int:
        """The number of the open review item that a rule has of a charge."""
        (entry,) = (
            each for each in self.page(Wanted.read({"shelf": "all"})).entries if each.charge_number == self.number(key)
        )
        (found,) = (each.item for each in entry.findings if each.finding.rule == rule)
        return found

    def page(self, wanted: Wanted = ALL_OPEN, size: int = 50) -> Page:
        return page(
            self.workplace.database,
            wanted,
            self.reader,
            size=size,
        )

    def keys(self, **query: str) -> list[str]:
        """The keys of the charges in a view, in its order."""
        by_number = {row.id: key for key, row in self.workplace.rows().items()}
        return [by_number[each.charge_number] for each in self.page(Wanted.read(query)).entries]

    def count(self, wanted: Wanted = ALL_OPEN, bound: int = 1000) -> Count:
        return count(
            self.workplace.database,
            wanted,
            self.reader,
            bound=bound,
        )

    def groups(self, wanted: Wanted = ALL_OPEN, bound: int = 1000) -> Groups:
        return groups(
            self.workplace.database,
            wanted,
            self.reader,
            bound=bound,
        )


__all__ = ["OTHER_PROVIDER", "RENDERING_PROVIDER", "Desk", "by_another", "pointless", "without_25"]
