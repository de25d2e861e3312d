"""Who a charge of another source is of, and how they are insured, as a FHIR tenant knows it.

A patient is looked for by record number and, where nobody has it, by birth date and family name; ``matching`` says whether
one of those found is the person, and nobody is in any doubt.
"""

from collections.abc import Iterator
from itertools import islice

from charges.errors import Unreadable
from charges.model import Charge, Patient
from charges.patients.matching import Candidate, Demographics, Doubtful, Linked, Reason, match
from charges.practice.connections import FhirPeople
from charges.sources.allowance import Allowance
from charges.sources.fhir.client import FhirClient, Query, Resource
from charges.sources.fhir.mapping import name_of, read_person

_CANDIDATES = 50
"""So many people are looked at."""
_SHOWN = 3


class Doubt(Unreadable):
    """Nobody is found of whom it is certain that they are the patient."""


class People:
    """A connection to the tenant; use as a context manager. Each person is asked for once."""

    def __init__(self, settings: FhirPeople, allowance: Allowance) -> None:
        self._settings, self._client = settings, FhirClient(settings, allowance)
        self._found: dict[Demographics, list[Resource] | Doubt] = {}

    def __enter__(self) -> "People":
        self._client.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.__exit__()

    def resources(self, charge: Charge) -> list[Resource]:
        """The patient of a charge, the policies, and who is referred to by them.

        Raises Doubt when it is not certain who it is, Unavailable and Refused as the tenant does.
        """
        patient = charge.patient  # a number that another assigner gave is nobody's here
        said = _described(patient, [] if patient.assigner else [patient.record_number])
        if said not in self._found:
            try:
                self._found[said] = self._looked_up(said)
            except Doubt as doubt:
                self._found[said] = doubt
        found = self._found[said]
        if isinstance(found, Doubt):
            raise found
        return found

    def _looked_up(self, said: Demographics) -> list[Resource]:
        patients = list(islice(self._candidates(said), _CANDIDATES + 1))
        candidates = [Candidate(n, self._known(each)) for n, each in enumerate(patients[:_CANDIDATES])]
        verdict = match(said, candidates, cut_short=len(patients) > _CANDIDATES)
        if isinstance(verdict, Doubtful):
            raise Doubt(self._sentence(verdict, said))
        assert isinstance(verdict, Linked)
        patient = patients[verdict.candidate.patient]
        found = [patient, *self._client.search("Coverage", {"patient": f"Patient/{patient['id']}"})]
        for coverage in found[1:]:
            for reference in (*(coverage.get("payor") or ()), coverage.get("subscriber")):
                name = name_of(reference)
                if name.startswith(("Organization/", "RelatedPerson/")):
                    found += filter(None, [self._client.read(name)])
        return found

    def _candidates(self, said: Demographics) -> Iterator[Resource]:
        """Those who may be the person: who has the number, else who was born on the day and has the family name."""
        queries: list[Query] = []
        for _, number in said.numbers:
            system = f"{self._settings.assigner}|" if self._settings.assigner else ""
            queries.append({"identifier": f"{system}{number}"})
        if said.birth_date and said.last_names:
            queries.append({"birthdate": said.birth_date.isoformat(), "family": said.last_names[0]})
        for query in queries:
            found = False
            for each in self._client.search("Patient", query):
                found = True
                yield each
            if found:
                return

    def _known(self, patient: Resource) -> Demographics:
        """Somebody as the tenant knows them; raises Doubt when that cannot be read."""
        try:
            person = read_person([patient], None).patient
        except Unreadable as fault:
            raise Doubt(f"Somebody at {self._client.host} who may be the patient cannot be read: {fault}") from None
        assigner = self._settings.assigner
        if assigner is None:
            return _described(person, [person.record_number])
        mine = [each for each in patient.get("identifier") or () if each.get("system") == assigner]
        return _described(person, [str(each.get("value", "")) for each in mine])

    def _sentence(self, verdict: Doubtful, said: Demographics) -> str:
        host, count = self._client.host, len(verdict.candidates)
        if verdict.reason is Reason.NOBODY:
            by = "this record number" if said.numbers else "this birth date and family name"
            return f"{host} knows no patient of {by}. Register the patient there, or correct the charge at its source."
        why = {
            Reason.SEVERAL: f"{count} people at {host} are the patient as far as can be told",
            Reason.CONTRADICTED: f"The record number is another person's at {host}",
            Reason.CUT_SHORT: f"More people at {host} may be the patient than can be looked at",
        }.get(verdict.reason, f"Nobody at {host} is the patient for certain")
        seen = "; ".join(f"({n}) {each.sentence()}" for n, (_, each) in enumerate(verdict.candidates[:_SHOWN], start=1))
        return f"{why}. What compares: {seen}. Correct the record number or the person where they are wrong."


def _described(person: Patient, numbers: list[str]) -> Demographics:
    """A person with record numbers that are all of the one assigner who is asked."""
    return Demographics(
        numbers=tuple(("", each) for each in numbers if each),
        last_names=tuple(filter(None, [person.last_name])),
        first_names=tuple(filter(None, [person.first_name])),
        middle_name=person.middle_name,
        suffix=person.suffix,
        birth_date=person.birth_date,
        streets=tuple(filter(None, [person.address.line1])),
        phones=tuple(filter(None, [person.phone])),
        ssn=person.ssn,
    )
