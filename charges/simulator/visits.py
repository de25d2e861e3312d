"""What happens at an invented practice: one function for each kind of visit, each giving lines that are right."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random
from typing import Any

from charges.simulator import people
from charges.simulator.people import Json, Patient

ILLNESSES = ("I10", "E11.9", "E78.5", "J06.9", "M54.50", "R05.9", "N39.0", "F41.1", "K21.9", "J45.909", "R07.9")
FEES = {
    "99212": "92.00", "99213": "150.00", "99214": "212.00", "99215": "298.00", "99211": "42.00", "99391": "152.00",
    "99392": "168.00", "99393": "171.00", "99394": "186.00", "99395": "192.00", "99396": "204.00", "99397": "218.00",
    "G0439": "236.00", "36415": "14.00", "80053": "38.00", "85025": "28.00", "83036": "36.00", "80061": "48.00",
    "71046": "88.00", "93000": "62.00", "20610": "210.00", "11200": "164.00", "17110": "188.00", "10060": "246.00",
    "J3301": "18.00", "J1885": "9.50", "96372": "44.00", "90471": "46.00", "G0008": "46.00", "90686": "32.00",
    "99232": "148.00", "69210": "96.00",
}  # fmt: skip
"""The practice's price for one unit, in dollars."""
NDC = {"J3301": ("00003029305", "0.25"), "J1885": ("00409379501", "0.5"), "90686": ("49281042150", "0.5")}
"""Single-dose vials and syringes: the package's number, and the millilitres of one billed unit."""
PREVENTIVE = ((1, "99391"), (5, "99392"), (12, "99393"), (18, "99394"), (40, "99395"), (65, "99396"), (200, "99397"))
"""Check-ups by the age that the patient has not reached."""


@dataclass
class Visit:
    """A visit as it is being made up: lines name diagnoses by code, and a mistake may still spoil any of it."""

    patient: Patient
    day: date
    kind: str
    diagnoses: list[str] = field(default_factory=list)
    lines: list[Json] = field(default_factory=list)
    place: str = "11"
    facility: Json = field(default_factory=lambda: people.FACILITY)
    claim: Json = field(default_factory=dict)
    extra: Json = field(default_factory=dict)
    had: Collection[str] = ()
    """The kinds and procedure codes of the patient's other visits."""

    def add(self, code: str, *modifiers: str, dx: Sequence[str] = (), units: int = 1, **changes: Any) -> Json:  # noqa: ANN401
        """Add a line at the practice's price; without ``dx`` it points to the visit's first two diagnoses."""
        line: Json = {
            "Code": code,
            "Units": f"{units}.00",
            "BilledFee": f"{float(FEES[code]) * units:,.2f}",
            "POS": self.place,
            "SDOS": self.day.isoformat(),
            "EDOS": self.day.isoformat(),
            "dx": list(dx) or self.diagnoses[:2],
        }
        line |= {f"Mod{place}": modifier for place, modifier in enumerate(modifiers, 1)}
        if code in NDC:
            ndc, millilitres = NDC[code]
            line |= {"NDCCode": ndc, "NDCQty": f"{units * float(millilitres):g}", "NDCUnit": "ML"}
        line |= changes
        self.lines.append(line)
        return line

    def copy(self) -> "Visit":
        """The same visit, to be changed apart from this one."""
        return replace(
            self,
            diagnoses=list(self.diagnoses),
            lines=[dict(line) for line in self.lines],
            claim=dict(self.claim),
            extra=dict(self.extra),
        )

    def find(self, *codes: str) -> Json | None:
        """The first line of any of these codes."""
        return next((line for line in self.lines if line["Code"] in codes), None)


def _ill(chance: Random, visit: Visit, most: int = 3) -> None:
    visit.diagnoses = chance.sample(ILLNESSES, chance.randint(1, most))


def _level(chance: Random) -> str:
    return chance.choices(("99212", "99213", "99214", "99215"), (10, 45, 40, 5))[0]


def office(chance: Random, visit: Visit) -> None:
    """A visit for a problem."""
    _ill(chance, visit)
    visit.add(_level(chance))


def office_with_laboratory(chance: Random, visit: Visit) -> None:
    """A visit for a problem, blood taken and tested."""
    _ill(chance, visit)
    visit.add(_level(chance))
    laboratory_lines(chance, visit)


def laboratory(chance: Random, visit: Visit) -> None:
    """Blood taken and tested, no visit."""
    _ill(chance, visit, 2)
    laboratory_lines(chance, visit)


def laboratory_lines(chance: Random, visit: Visit) -> None:
    """Blood taken and tested by the practice itself; sugar and fats once a season, where the illness asks for them."""
    visit.add("36415")
    for code in chance.sample(("80053", "85025"), chance.randint(1, 2)):
        visit.add(code)
    for code, illness in (("83036", "E11.9"), ("80061", "E78.5")):
        if code not in visit.had and (illness in visit.diagnoses or chance.random() < 0.2):
            visit.diagnoses += [] if illness in visit.diagnoses else [illness]
            visit.add(code, dx=[illness])
    visit.extra["RefProvider"] = chance.choice(people.REFERRING)


def preventive(chance: Random, visit: Visit) -> None:
    """The yearly check-up; for Medicare the wellness visit."""
    age = visit.patient.age(visit.day)
    visit.diagnoses = ["Z00.129" if age < 18 else "Z00.00"]
    if visit.patient.payer is people.MEDICARE:
        visit.add("G0439")
    else:
        visit.add(next(code for limit, code in PREVENTIVE if age < limit))
    if age >= 18 and chance.random() < 0.3:
        problem = chance.choice(ILLNESSES)
        visit.diagnoses.append(problem)
        visit.add("99213", "25", dx=[problem])


def vaccination(chance: Random, visit: Visit) -> None:
    """A flu vaccine, sometimes beside a visit; Medicare has a code of its own for giving it."""
    visit.diagnoses = ["Z23"]
    if chance.random() < 0.4:
        problem = chance.choice(ILLNESSES)
        visit.diagnoses.insert(0, problem)
        visit.add("99213", "25", dx=[problem])
    visit.add("G0008" if visit.patient.payer is people.MEDICARE else "90471", dx=["Z23"])
    visit.add("90686", dx=["Z23"])


def injection(chance: Random, visit: Visit) -> None:
    """A joint injected, with the drug, beside a visit."""
    visit.diagnoses = ["M17.11", chance.choice(ILLNESSES)]
    visit.add(_level(chance), "25", dx=[visit.diagnoses[1]])
    visit.add("20610", "RT", dx=["M17.11"])
    visit.add("J3301", *_nothing_discarded(visit), dx=["M17.11"], units=chance.choice((4, 8)))


def shot(chance: Random, visit: Visit) -> None:
    """A drug injected by the nurse."""
    visit.diagnoses = ["M54.50"]
    visit.add("96372")
    visit.add("J1885", *_nothing_discarded(visit), units=chance.choice((2, 4)))


def _nothing_discarded(visit: Visit) -> tuple[str, ...]:
    """What Medicare wants to hear of a single-dose vial that was used up."""
    return ("JZ",) if visit.patient.payer is people.MEDICARE else ()


def procedure(chance: Random, visit: Visit) -> None:
    """A small procedure, sometimes beside a visit that was more than it."""
    diagnosis, code = chance.choice((("L91.8", "11200"), ("B07.9", "17110"), ("L02.91", "10060"), ("H61.21", "69210")))
    visit.diagnoses = [diagnosis]
    if chance.random() < 0.5:
        problem = chance.choice(ILLNESSES)
        visit.diagnoses.append(problem)
        visit.add(_level(chance), "25", dx=[problem])
    visit.add(code, *(("RT",) if code == "69210" else ()), dx=[diagnosis])


def telehealth(chance: Random, visit: Visit) -> None:
    """A visit by video, the patient at home."""
    _ill(chance, visit)
    visit.place = "10"
    visit.add(chance.choice(("99212", "99213", "99214")), "95")


def imaging(chance: Random, visit: Visit) -> None:
    """A picture or a heart trace that somebody ordered."""
    visit.diagnoses = ["R07.9"]
    visit.add(chance.choice(("71046", "93000")))
    visit.extra["RefProvider"] = chance.choice(people.REFERRING)


def hospital(chance: Random, visit: Visit) -> None:
    """A visit at the bedside."""
    _ill(chance, visit)
    visit.place, visit.facility = "21", people.HOSPITAL
    visit.claim["admissionDate"] = visit.day.isoformat()
    visit.add("99232")


def supervised(chance: Random, visit: Visit) -> None:
    """A visit with the physician assistant, the referral and its number noted."""
    _ill(chance, visit)
    visit.extra |= {
        "RenProvider": people.SUPERVISED,
        "Supervisor": people.RENDERING[0],
        "RefProvider": chance.choice(people.REFERRING),
    }
    visit.claim |= {"referralNumber": f"RF{chance.randint(10_000, 99_999)}", "priorAuthorization": ""}
    visit.add(_level(chance))


def accident(chance: Random, visit: Visit) -> None:
    """A visit after a car accident."""
    visit.diagnoses = ["S13.4XXA"]
    visit.claim |= {"autoAccident": "1", "accidentState": "IL", "accidentDate": visit.day.isoformat()}
    visit.add(_level(chance), dx=["S13.4XXA"])


def self_pay(chance: Random, visit: Visit) -> None:
    """A visit that the patient pays, and no payer hears of."""
    _ill(chance, visit, 1)
    visit.add("99213")
    visit.extra["SelfPay"] = "1"


def with_private_item(chance: Random, visit: Visit) -> None:
    """A visit with one line that only the patient is billed for."""
    _ill(chance, visit)
    visit.add(_level(chance))
    visit.add("99211", dx=visit.diagnoses[:1], Code="xFORM", BilledFee="25.00", BillToPt="1")


KINDS: tuple[tuple[Callable[[Random, Visit], None], int], ...] = (
    (office, 28), (office_with_laboratory, 12), (laboratory, 6), (preventive, 10), (vaccination, 8), (injection, 7),
    (shot, 3), (procedure, 7), (telehealth, 7), (imaging, 4), (hospital, 3), (supervised, 4), (accident, 4), (self_pay, 3),
    (with_private_item, 2),
)  # fmt: skip
"""The kinds of visit with how often each occurs."""


ONCE_A_SEASON = frozenset({preventive.__name__, vaccination.__name__})
"""Kinds that a patient has once in the weeks that are made up."""


def make(chance: Random, patient: Patient, day: date, had: Collection[str] = ()) -> Visit:
    """A right visit of some kind, for a patient who ``had`` others of these kinds and codes."""
    kinds = [(each, weight) for each, weight in KINDS if each.__name__ not in ONCE_A_SEASON.intersection(had)]
    kind = chance.choices([each for each, _ in kinds], [weight for _, weight in kinds])[0]
    visit = Visit(patient, day, kind.__name__, had=had)
    kind(chance, visit)
    return visit
