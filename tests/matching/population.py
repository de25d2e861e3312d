"""An invented population with known truth: who is registered, and how other systems write them.

Whoever is not registered (a twin, a son of the same name) must be linked to nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from charges.patients.matching import Candidate, Demographics
from charges.simulator.people import FIRST_NAMES, LAST_NAMES

STREETS = ("Oak Street", "Harbor Avenue", "Maple Road", "Foundry Lane", "Chapel Court", "Orchard Drive", "Mill Place")
_CONSONANTS = "bdfgklmnprstv"


@dataclass(frozen=True)
class Said:
    """How another system describes somebody, what kind of trouble that is, and who it truly is (``None``: nobody known)."""

    kind: str
    demographics: Demographics
    truth: int | None


def people(chance: Random, count: int) -> list[Candidate]:
    """Registered people. Names are common: many share one; households share a street, a telephone, an e-mail."""
    firsts = [name for names in FIRST_NAMES.values() for name in names]
    found: list[Candidate] = []
    while len(found) < count:
        last = chance.choice(LAST_NAMES)
        street = f"{chance.randint(1, 999)} {chance.choice(STREETS)}"
        phone, email = _digits(chance, 10, first="2"), f"{_digits(chance, 9)}@example.org"
        for first in chance.sample(firsts, min(chance.choice((1, 1, 2, 2, 3)), count - len(found))):
            found.append(
                Candidate(
                    len(found) + 1,
                    Demographics(
                        numbers=(("", str(100_000 + len(found))),),
                        last_names=(last,),
                        first_names=(first,),
                        middle_name=chance.choice(("", "", "A", "Marie", "J")),
                        birth_date=date(1930, 1, 1) + timedelta(days=chance.randrange(33_000)),
                        streets=(street,),
                        phones=(phone,),
                        emails=(email,),
                        ssn=_digits(chance, 9, first="4"),
                    ),
                )
            )
    return found


def _digits(chance: Random, count: int, first: str = "") -> str:
    return first + "".join(chance.choice("123456789") for _ in range(count - len(first)))


def _changed(given: Demographics, **changes: object) -> Demographics:
    return given.model_copy(update=changes)


def _without(given: Demographics, *names: str) -> Demographics:
    return _changed(given, **{name: type(getattr(given, name))() for name in names})


def _typo(chance: Random, text: str) -> str:
    at = chance.randrange(1, len(text))
    return chance.choice(
        (
            text[:at] + text[at + 1 :],
            text[:at] + chance.choice(_CONSONANTS) + text[at:],
            text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :],
        )
    )


def _other_first(chance: Random, given: Demographics, *, like: bool) -> str:
    first = given.first_names[0]
    if like:  # as twins are named: Jayden and Kayden
        return chance.choice([each for each in _CONSONANTS if each != first[0].lower()]).upper() + first[1:].lower()
    return chance.choice([each for names in FIRST_NAMES.values() for each in names if each != first])


Writing = Callable[[Random, Demographics], Demographics]
_OF_ANOTHER_SYSTEM: Writing = lambda _, given: _without(given, "numbers")  # noqa: E731
SAME_PERSON: dict[str, Writing] = {
    "as registered": lambda chance, given: given,
    "shouted": lambda chance, given: _changed(given, last_names=(given.last_names[0].upper(),)),
    "without accents": lambda chance, given: _changed(given, last_names=(given.last_names[0].replace("ü", "u"),)),
    "telephone in dots": lambda chance, given: _changed(given, phones=(f"+1.{given.phones[0]}",), streets=()),
    "moved": lambda chance, given: _changed(given, streets=("7 Faraway Road",)),
    "social security fragment": lambda chance, given: _without(_changed(given, ssn=given.ssn[-4:]), "phones", "emails"),
    "typing error in the last name": lambda chance, given: _changed(
        given, last_names=(_typo(chance, given.last_names[0]),)
    ),
    "typing error in the first name": lambda chance, given: _changed(
        given, first_names=(_typo(chance, given.first_names[0]),)
    ),
    "married": lambda chance, given: _changed(given, last_names=("Newlywed",)),
    "hyphenated": lambda chance, given: _changed(given, last_names=(f"{given.last_names[0]}-Newlywed",), ssn=""),
    "names swapped": lambda chance, given: _changed(given, last_names=given.first_names, first_names=given.last_names),
    "name and birth date alone": lambda chance, given: _without(given, "phones", "emails", "streets", "ssn"),
    "no birth date": lambda chance, given: _changed(given, birth_date=None),
}
"""How another system writes somebody who is registered."""
OTHER_PERSON: dict[str, Writing] = {
    "twin": lambda chance, given: _changed(given, first_names=(_other_first(chance, given, like=False),), ssn=""),
    "twin of a like name": lambda chance, given: _changed(
        given, first_names=(_other_first(chance, given, like=True),), ssn=""
    ),
    "twin with a parent's number": lambda chance, given: _changed(
        given, first_names=(_other_first(chance, given, like=True),)
    ),
    "twin of the same first and another middle name": lambda chance, given: _changed(
        given,
        middle_name="Zoe" if given.middle_name else "",
        first_names=given.first_names if given.middle_name else ("Zoe",),
        ssn="",
    ),
    "junior": lambda chance, given: _changed(
        given, suffix="Jr", birth_date=given.birth_date and given.birth_date + timedelta(days=9_500), ssn=""
    ),
    "junior of the same day": lambda chance, given: _changed(given, suffix="Jr", ssn=""),
    "spouse with one e-mail": lambda chance, given: _changed(
        given, first_names=(_other_first(chance, given, like=False),), birth_date=date(1961, 7, 7), ssn=""
    ),
    "stranger of the same name": lambda chance, given: _changed(
        _without(given, "streets", "phones", "emails", "ssn"), birth_date=date(1901, 2, 3)
    ),
    "same first name, day and e-mail": lambda chance, given: _changed(
        _without(given, "streets", "phones"), last_names=("Otherwise",), ssn="411223344"
    ),
    "institution's telephone": lambda chance, given: _changed(
        _without(given, "streets", "emails", "ssn"), last_names=("Otherwise",)
    ),
}
"""How somebody who is not registered is described, as near to somebody who is as it goes."""


def descriptions_of(chance: Random, known: list[Candidate]) -> list[Said]:
    """One description for each person: three of four times of that person, else of somebody who is not registered."""
    said = []
    for number, each in enumerate(known):
        of_another = number % 4 == 3
        kind, write = chance.choice(list((OTHER_PERSON if of_another else SAME_PERSON).items()))
        given = each.demographics
        if kind.startswith("junior"):  # the father is registered as such
            given = _changed(given, suffix="Sr")
            known[number] = Candidate(each.patient, given)
        said.append(Said(kind, _OF_ANOTHER_SYSTEM(chance, write(chance, given)), None if of_another else each.patient))
    return said
