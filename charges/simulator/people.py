"""Invented people and companies: patients, policy holders, providers, sites, payers. Any likeness is chance."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from charges.identifiers import npi_check_digit

Json = dict[str, Any]

LAST_NAMES = [
    "Abernethy",
    "Alderwick",
    "Amberly",
    "Ashgrove",
    "Barlowe",
    "Bexley",
    "Birchall",
    "Blythe",
    "Brackenridge",
    "Calloway",
    "Cardew",
    "Carrow",
    "Castellanos",
    "Dąbrowska",
    "Delacroix",
    "Drummond",
    "Eastlake",
    "Ellsworth",
    "Farrow",
    "Fennimore",
    "Gallowglass",
    "Gündoğan",
    "Halloran",
    "Harkness",
    "Hollis",
    "Ingersoll",
    "Jessamy",
    "Kestrel",
    "Kirkbride",
    "Larkspur",
    "Lindqvist",
    "Lovelace",
    "MacAllister",
    "Marchbanks",
    "Merriweather",
    "Müller",
    "Nightingale",
    "Núñez",
    "O'Carroll",
    "O'Rourke",
    "Ostrander",
    "Pemberton",
    "Penhallow",
    "Quigley",
    "Quillfeather",
    "Ravenscroft",
    "Redfern",
    "Rosethorn",
    "Saint-Clair",
    "Sørensen",
    "Silverthorne",
    "Stillwater",
    "Thackeray",
    "Thistlewood",
    "Underhill",
    "Vandermeer",
    "Vasquez-Holloway",
    "Wainwright",
    "Westerfield",
    "Whitlock",
    "Wolstenholme",
    "Yarrow",
    "Yellowlees",
    "Zeller",
]
FIRST_NAMES = {
    "F": [
        "Ada",
        "Beatrix",
        "Cecily",
        "Delphine",
        "Éloïse",
        "Fenella",
        "Greta",
        "Hester",
        "Imogen",
        "Jocasta",
        "Karis",
        "Leocadia",
        "Maren",
        "Nadia",
        "Odette",
        "Philippa",
        "Quenby",
        "Rosalind",
        "Saskia",
        "Tamsin",
        "Ursula",
        "Verity",
        "Winifred",
        "Xanthe",
        "Yseult",
        "Zinnia",
    ],
    "M": [
        "Alaric",
        "Barnaby",
        "Casimir",
        "Dorian",
        "Edmund",
        "Florian",
        "Gideon",
        "Hugo",
        "Ignatius",
        "Jasper",
        "Kasper",
        "Leopold",
        "Magnus",
        "Néstor",
        "Osbert",
        "Piers",
        "Quentin",
        "Rupert",
        "Silas",
        "Tobias",
        "Ulric",
        "Valentin",
        "Wilfred",
        "Xavier",
        "Yannick",
        "Zebedee",
    ],
}
STREETS = [
    "Willow Lane",
    "Harbor Street",
    "Orchard Road",
    "Mill Pond Way",
    "Quarry Hill",
    "Larch Avenue",
    "Ferry Street",
    "Old Post Road",
]
CITIES = (
    ("Springfield", "IL", "62704"),
    ("Chatham", "IL", "62629"),
    ("Riverton", "IL", "62561"),
    ("Athens", "IL", "62613"),
)


@dataclass(frozen=True)
class Payer:
    """A payer as the tenant numbers it; the practice's profile knows the rest."""

    number: str
    name: str
    kind: str


PAYERS = (
    Payer("17", "Prairie Mutual Health", "commercial"),
    Payer("21", "Great Confluence Health Plan", "commercial"),
    Payer("24", "Lakeshore Community HMO", "commercial"),
    Payer("30", "Medicare Part B", "medicare"),
    Payer("31", "Illinois Medicaid", "medicaid"),
)
MEDICARE, MEDICAID = PAYERS[3], PAYERS[4]


def npi(first_nine: int) -> str:
    """A National Provider Identifier with its right check digit."""
    text = f"{first_nine:09d}"
    return text + npi_check_digit(text)


def provider(number: str, last: str, first: str, first_nine: int, taxonomy: str = "") -> Json:
    """A provider as a record names one."""
    return {"Id": number, "NPI": npi(first_nine), "ulname": last, "ufname": first, "TaxonomyCode": taxonomy}


RENDERING = (
    provider("9001", "Fenwick", "Tobias", 124531959, "207Q00000X"),
    provider("9002", "Marchetti", "Ludovica", 134610782, "207R00000X"),
    provider("9003", "Okonjo-Hale", "Ifeoma", 151820364, "208000000X"),
)
SUPERVISED = provider("9004", "Brightwater", "Nils", 164730591, "363A00000X")
"""A physician assistant whose visits name the supervising physician."""
REFERRING = (
    provider("9101", "Ashdown", "Mirela", 167957672),
    provider("9102", "Tregarthen", "Jory", 178204915),
)
FACILITY: Json = {
    "Id": "1",
    "Name": "Lakeside Family Medicine",
    "NPI": "1993999998",
    "CliaId": "14D2233445",
    "POS": "11",
    "address": {"Addr1": "400 Harbor Street", "City": "Springfield", "State": "IL", "Zip": "62701-0001"},
}
HOSPITAL: Json = {
    "Id": "2",
    "Name": "Sangamon Valley Hospital",
    "NPI": npi(188315026),
    "POS": "21",
    "address": {"Addr1": "1 Infirmary Place", "City": "Springfield", "State": "IL", "Zip": "62702-4410"},
}


@dataclass(frozen=True)
class Patient:
    """An invented patient: the record's parts that are the same at each visit."""

    number: str
    born: date
    sex: str
    payer: Payer
    human: Json
    insurances: tuple[Json, ...]

    @property
    def first_policy(self) -> Json:
        """The one whose payer is asked first."""
        return next(each for each in self.insurances if each["SeqNo"] == "1")

    def age(self, on: date) -> int:
        """In whole years."""
        return on.year - self.born.year - ((on.month, on.day) < (self.born.month, self.born.day))


def patients(chance: Random, count: int, today: date) -> list[Patient]:
    """Invented patients: a third on Medicare, some children on a parent's policy, some with two policies."""
    return [_patient(chance, 100_001 + index, today) for index in range(count)]


def _patient(chance: Random, number: int, today: date) -> Patient:
    years = chance.choices((chance.randint(1, 17), chance.randint(18, 64), chance.randint(65, 93)), (20, 48, 32))[0]
    born = today - timedelta(days=365 * years + years // 4 + chance.randint(1, 360))
    sex = chance.choice("FM")
    last = chance.choice(LAST_NAMES)
    human = _human(chance, last, sex, born)
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    commercial = chance.choice(PAYERS[:3])
    payer = MEDICARE if age >= 65 else MEDICAID if chance.random() < 0.15 else commercial
    insurances = [_insurance(chance, payer, 1)]
    if payer is commercial and age < 18:
        _is_held_by(chance, insurances[0], last, human, "3", born.year - chance.randint(22, 40))
    elif payer is commercial and chance.random() < 0.2:
        _is_held_by(chance, insurances[0], last, human, "2", born.year + chance.randint(-6, 6))
    if payer is MEDICARE and chance.random() < 0.5:
        insurances.insert(0, _insurance(chance, commercial, 2))  # lists come in any order; SeqNo says which is first
    if chance.random() < 0.1:
        insurances.append(_insurance(chance, commercial, 3) | {"deleteFlag": "1"})
    return Patient(str(number), born, sex, payer, human, tuple(insurances))


def _human(chance: Random, last: str, sex: str, born: date) -> Json:
    city, state, code = chance.choice(CITIES)
    return {
        "ulname": last,
        "ufname": chance.choice(FIRST_NAMES[sex]),
        "uminitial": chance.choice(("", "", chance.choice("ABCDEFGHJKLMNPRSTW"))),
        "dob": born.isoformat(),
        "sex": {"F": "female", "M": "male"}[sex],
        "address": {
            "Addr1": f"{chance.randint(1, 2400)} {chance.choice(STREETS)}",
            "Addr2": chance.choice(("", "", "", f"Apt {chance.randint(1, 40)}")),
            "City": city,
            "State": state,
            "Zip": chance.choice((code, f"{code}-{chance.randint(1000, 9998)}")),
        },
        "upPhone": f"217555{chance.randint(100, 9999):04d}",
    }


def _insurance(chance: Random, payer: Payer, sequence: int) -> Json:
    member = {
        "medicare": lambda: _medicare_number(chance),
        "medicaid": lambda: f"{chance.randint(0, 999_999_999):09d}",
        "commercial": lambda: f"{payer.name[:2].upper()}{chance.randint(0, 999_999_999):09d}",
    }[payer.kind]()
    return {
        "InsId": payer.number,
        "SeqNo": str(sequence),
        "insuranceName": payer.name,
        "subscriberNo": member,
        "GroupNo": f"G{chance.randint(1000, 99_999)}" if payer.kind == "commercial" else "",
        "relation": "1",
        "deleteFlag": "0",
    }


def _medicare_number(chance: Random) -> str:
    """A Medicare beneficiary identifier by its shape (CMS, Understanding the MBI): no one's."""
    letters, digits = "ACDEFGHJKMNPQRTUVWXY", "0123456789"
    shape = (
        digits[1:],
        letters,
        letters + digits,
        digits,
        letters,
        letters + digits,
        digits,
        letters,
        letters,
        digits,
        digits,
    )
    return "".join(chance.choice(each) for each in shape)


def _is_held_by(chance: Random, insurance: Json, last: str, patient: Json, relation: str, year: int) -> None:
    sex = chance.choice("FM")
    holder = _human(chance, last, sex, date(year, chance.randint(1, 12), chance.randint(1, 28)))
    while holder["ufname"] == patient["ufname"]:
        holder["ufname"] = chance.choice(FIRST_NAMES[sex])
    insurance["relation"] = relation
    insurance["subscriber"] = holder | {"address": patient["address"]}
