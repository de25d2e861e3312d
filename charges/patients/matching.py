"""Whose charge it is, where no number of the practice's own says so: pure, and in doubt always nobody's.

A record number given by the assigner who gave the candidate's decides, unless the person contradicts it. Without one, a
combination of facts must agree: those of the CMS patient matching framework (draft; in its numbering), of which only some
are taken, because a wrong link is worse here than a question to a person:

* Birth date and first name always agree exactly. A first name that is almost the same is how twins are named.
* First and last name in each other's place are one person where two of telephone, e-mail, street and social security number
  agree as well.
* At most one of last name and street may differ by one edit, and a street never in its numbers.
* Where the last name differs (a marriage), first name, birth date and one telephone number are not enough.
* What contradicts is never outweighed: generation (Jr, Sr, II), middle initial, social security number, Medicare number,
  another number by the same assigner.

Two candidates who both agree are nobody, and so is one found by a search that was cut short. A nickname is another name.

>>> ada = Demographics(last_names=("O'Rourke",), first_names=("Ada",), birth_date=date(1980, 5, 1), phones=("217 555 0142",))
>>> found = match(ada.model_copy(update={"last_names": ("ORourke",)}), [Candidate(7, ada)])
>>> found.candidate.patient, found.evidence.by
(7, '02')
>>> bea = ada.model_copy(update={"first_names": ("Bea",)})
>>> match(bea, [Candidate(7, ada)]).reason
<Reason.UNCERTAIN: 'uncertain'>
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from charges.model import Record
from charges.patients import likeness
from charges.patients.likeness import Likeness

Names = tuple[str, ...]
KEPT = 8
"""So many known values of one fact that changes are compared, newest first; of numbers all."""


class Demographics(Record):
    """Who somebody is, as far as it was said. Facts that change have all known values, newest first.

    ``numbers`` are record numbers, each after the name of who assigned it; ``""`` is the practice's own system.
    ``streets`` are first address lines, ``ssn`` a social security or taxpayer number or its last four digits,
    ``mbi`` the Medicare beneficiary identifier.
    """

    numbers: tuple[tuple[str, str], ...] = ()
    last_names: tuple[str, ...] = ()
    first_names: tuple[str, ...] = ()
    middle_name: str = ""
    suffix: str = ""
    birth_date: date | None = None
    streets: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    ssn: str = ""
    mbi: str = ""

    def joined(self, newer: "Demographics") -> "Demographics":
        """Both together: what changes keeps its earlier values, what does not is what was said last."""
        changes: dict[str, object] = {"numbers": tuple(dict.fromkeys((*newer.numbers, *self.numbers)))}
        for name in ("last_names", "first_names", "streets", "phones", "emails"):
            changes[name] = tuple(dict.fromkeys((*getattr(newer, name), *getattr(self, name))))[:KEPT]
        for name in ("middle_name", "suffix", "birth_date", "ssn", "mbi"):
            changes[name] = getattr(newer, name) or getattr(self, name)
        return self.model_copy(update=changes)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody known, by the number that we gave them."""

    patient: int
    demographics: Demographics


@dataclass(frozen=True, slots=True)
class Evidence:
    """How each fact compares, and by what both are one person: ``number``, a CMS combination, ``names turned`` or ``""``.

    ``against`` names the facts that contradict. Holds no value of any fact.
    """

    facts: Mapping[str, Likeness]
    by: str = ""
    against: tuple[str, ...] = ()

    @property
    def weight(self) -> tuple[int, int]:
        """How many facts agree, and how many almost: by it candidates are shown in order."""
        values = list(self.facts.values())
        return values.count(Likeness.SAME), values.count(Likeness.CLOSE)

    def sentence(self) -> str:
        """What agrees and what does not, for a person."""
        said = {
            "agrees": [name for name, each in self.facts.items() if each is Likeness.SAME],
            "is almost the same": [name for name, each in self.facts.items() if each is Likeness.CLOSE],
            "stands in the other's place": [name for name, each in self.facts.items() if each is Likeness.TURNED],
            "differs": [name for name, each in self.facts.items() if each is Likeness.OTHER],
        }
        return "; ".join(f"{what}: {', '.join(names)}" for what, names in said.items() if names) or "nothing compares"


class Reason(StrEnum):
    """Why nobody is linked."""

    NOBODY = "nobody"
    """There is no candidate."""
    UNCERTAIN = "uncertain"
    """There are candidates, and no combination of facts agrees for any."""
    SEVERAL = "several"
    """More than one candidate agrees."""
    CONTRADICTED = "contradicted"
    """The record number is a candidate's, and the person is another."""
    CUT_SHORT = "cut short"
    """There are more candidates than were looked at."""


@dataclass(frozen=True, slots=True)
class Linked:
    """The one candidate who is the person."""

    candidate: Candidate
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Nobody, why, and the candidates a person should look at, those with most agreement first."""

    reason: Reason
    candidates: tuple[tuple[Candidate, Evidence], ...] = ()


_ALWAYS = ("birth date", "first name")
_COMBINATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("08", ("Medicare number",)),
    ("04", ("last name", "social security number")),
    ("02", ("last name", "phone")),
    ("03", ("last name", "e-mail")),
    ("01", ("last name", "street")),
    ("17", ("phone", "social security number")),
    ("19", ("e-mail", "social security number")),
    ("11", ("phone", "street")),
    ("11", ("phone", "e-mail")),
    ("12", ("e-mail", "street")),
)
"""What must agree beside birth date and first name, by the number of the CMS combination it is part of; 05 is 04 with a
last name that is almost the same. 13 to 16 and 20 to 23 ask for less than these and are not taken; 06, 07, 18 are 04, 05,
17 with the number of a taxpayer. Legal identification and a CSP's number no source tells."""
_BESIDE_TURNED_NAMES = ("phone", "e-mail", "street", "social security number")
"""Two of these agree where first and last name stand in each other's place."""
_FACTS = (
    *("record number", "last name", "first name", "middle initial", "suffix", "birth date"),
    *("street", "phone", "e-mail", "social security number", "Medicare number"),
)
_CONTRADICT = ("record number", "middle initial", "suffix", "social security number", "Medicare number")


def match(given: Demographics, candidates: Iterable[Candidate], *, cut_short: bool = False) -> Linked | Doubtful:
    """The candidate who is the given person, or nobody and why. The order of candidates is irrelevant.

    ``cut_short`` says that there may be more candidates than these.
    """
    known = {each.patient: each for each in candidates}
    compared = [(each, compare(given, each.demographics)) for each in known.values()]
    compared.sort(key=lambda each: ([-count for count in each[1].weight], each[0].patient))
    by_number = [pair for pair in compared if pair[1].facts["record number"] is Likeness.SAME]
    if by_number:
        if any(evidence.by != "number" for _, evidence in by_number):
            return Doubtful(Reason.CONTRADICTED, tuple(compared))
        return Linked(*by_number[0]) if len(by_number) == 1 else Doubtful(Reason.SEVERAL, tuple(compared))
    certain = [pair for pair in compared if pair[1].by]
    if cut_short:
        return Doubtful(Reason.CUT_SHORT, tuple(compared))
    if len(certain) == 1:
        return Linked(*certain[0])
    if certain:
        return Doubtful(Reason.SEVERAL, tuple(compared))
    return Doubtful(Reason.UNCERTAIN if compared else Reason.NOBODY, tuple(compared))


_RESTATED = ("first name", "last name", "birth date", "suffix", "social security number")


def may_be_restated(known: Demographics, newer: Demographics) -> bool:
    """Whether who registers people may say this of the same person now: a correction or a marriage changes one fact.

    >>> ada = Demographics(last_names=("Vale",), first_names=("Ada",), birth_date=date(1980, 5, 1))
    >>> may_be_restated(ada, ada.model_copy(update={"birth_date": date(1980, 1, 5)}))
    True
    >>> may_be_restated(ada, ada.model_copy(update={"birth_date": date(2012, 3, 9), "first_names": ("Max",)}))
    False
    """
    facts = compare(known, newer).facts
    return sum(facts[name] is Likeness.OTHER for name in _RESTATED) <= 1


def compare(one: Demographics, other: Demographics) -> Evidence:
    """How two descriptions compare; the same whichever comes first."""
    facts = dict(zip(_FACTS, likenesses(one, other), strict=True))
    against = _against(facts)
    return Evidence(facts, "" if against else _by(facts), against)


def likenesses(one: Demographics, other: Demographics) -> tuple[Likeness, ...]:
    """The likeness of each fact, in the order in which they are told."""
    (one_last, one_suffix), (other_last, other_suffix) = _surname(one), _surname(other)
    last = likeness.best(likeness.name, one_last, other_last)
    first = likeness.best(likeness.name, one.first_names, other.first_names)
    if Likeness.SAME not in (last, first) and _are_turned(one_last, one.first_names, other_last, other.first_names):
        last = first = Likeness.TURNED
    return (
        _numbers(one.numbers, other.numbers),
        last,
        first,
        likeness.initial(one.middle_name, other.middle_name),
        likeness.word(one_suffix, other_suffix),
        likeness.day(one.birth_date, other.birth_date),
        likeness.best(likeness.street, one.streets, other.streets),
        likeness.best(likeness.phone, one.phones, other.phones),
        likeness.best(likeness.email, one.emails, other.emails),
        likeness.social_security(one.ssn, other.ssn),
        likeness.medicare(one.mbi, other.mbi),
    )


def _are_turned(last: Names, first: Names, other_last: Names, other_first: Names) -> bool:
    """Whether what one calls the first name is the other's last name, and the other way round."""
    crosswise = likeness.best(likeness.name, last, other_first), likeness.best(likeness.name, first, other_last)
    return crosswise == (Likeness.SAME, Likeness.SAME)


def _surname(person: Demographics) -> tuple[tuple[str, ...], str]:
    """Last names without a generation that was written into them, and the generation."""
    parted = [likeness.without_generation(each) for each in person.last_names]
    suffix = likeness.generation(person.suffix) or next((found for _, found in parted if found), "")
    return tuple(last for last, _ in parted), suffix


def _numbers(one: tuple[tuple[str, str], ...], other: tuple[tuple[str, str], ...]) -> Likeness:
    """The same number by the same assigner; other numbers by the same assigner are other people."""
    if set(one) & set(other):
        return Likeness.SAME
    shared = {assigner for assigner, _ in one} & {assigner for assigner, _ in other}
    return Likeness.OTHER if shared else Likeness.UNKNOWN


def _against(facts: Mapping[str, Likeness]) -> tuple[str, ...]:
    """What contradicts that both are one person."""
    if facts["record number"] is not Likeness.SAME:
        return tuple(name for name in (*_ALWAYS, *_CONTRADICT) if facts[name] is Likeness.OTHER)
    # Under one number a middle name or a fragment may be mistyped; the person may not be another.
    against = [name for name in (*_ALWAYS, "suffix") if facts[name] is Likeness.OTHER]
    if facts["last name"] is Likeness.OTHER and not _combined(facts):
        against.append("last name")
    return tuple(against)


def _by(facts: Mapping[str, Likeness]) -> str:
    return "number" if facts["record number"] is Likeness.SAME else _combined(facts)


def _combined(facts: Mapping[str, Likeness]) -> str:
    """The first combination that agrees, with at most one fact that is almost the same."""
    if facts["first name"] is Likeness.TURNED:
        agree = sum(facts[name] is Likeness.SAME for name in _BESIDE_TURNED_NAMES)
        return "names turned" if facts["birth date"] is Likeness.SAME and agree >= 2 else ""
    if any(facts[name] is not Likeness.SAME for name in _ALWAYS):
        return ""
    for number, names in _COMBINATIONS:
        found = [facts[name] for name in names]
        close = found.count(Likeness.CLOSE)
        if found.count(Likeness.SAME) + close == len(names) and close <= 1:
            return "05" if number == "04" and close else number
    return ""
