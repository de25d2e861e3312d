"""Groups of procedure codes that several rules speak of. Numbers only; their descriptions belong to the AMA."""


def numbers(first: int, last: int) -> frozenset[str]:
    """The five-digit codes of a range, both ends included.

    >>> sorted(numbers(99202, 99204))
    ['99202', '99203', '99204']
    """
    return frozenset(f"{number:05}" for number in range(first, last + 1))


def listed(codes: str) -> frozenset[str]:
    """The codes of a text, as a person lists them.

    >>> sorted(listed("20610 20611"))
    ['20610', '20611']
    """
    return frozenset(codes.split())


def level_two(letter: str) -> frozenset[str]:
    """Every code that HCPCS could give below a letter.

    >>> "J3301" in level_two("J"), len(level_two("J"))
    (True, 10000)
    """
    return frozenset(f"{letter}{number:04}" for number in range(10_000))


OFFICE_VISITS = numbers(99202, 99205) | numbers(99211, 99215)
"""Office and other outpatient visits for a problem."""

PREVENTIVE_VISITS = numbers(99381, 99387) | numbers(99391, 99397)
"""Preventive visits of CPT."""

WELLNESS_VISITS = frozenset({"G0402", "G0438", "G0439"})
"""Medicare's initial examination and annual wellness visits."""

EYE_EXAMS = frozenset({"92002", "92004", "92012", "92014"})
"""General ophthalmological services, which take modifiers as visits do."""

VACCINE_ADMINISTRATION = numbers(90471, 90474) | {"90480"}
"""Giving a vaccine, without counselling of a child's family."""

VACCINES = numbers(90476, 90759) | numbers(91300, 91323)
"""Vaccine products; immune globulins (90281 to 90399) are none."""

EVALUATION_AND_MANAGEMENT = numbers(99202, 99499)
"""All visits and what belongs to them in the last chapter of CPT."""

LABORATORY = numbers(80047, 89398)
"""Laboratory and pathology."""

ANESTHESIA = numbers(100, 1999)
"""Anesthesia; CPT writes these with leading zeros."""

HANDS_ON = numbers(10004, 69990)
"""What is done to the body: the chapter of surgery."""

GROUND_AND_AIR = frozenset({"A0426", "A0427", "A0428", "A0429", "A0430", "A0431", "A0433", "A0434"})
"""Ambulance base rates."""

MILEAGE = frozenset({"A0425", "A0435", "A0436"})
"""Ambulance mileage, on the ground, by aeroplane and by helicopter."""

_SKIN = listed("""
    10060 10061 10120 10140 10160 11042 11055 11056 11057 11102 11104 11106 11200 11300 11301 11305 11400 11401 11402
    11440 11719 11720 11721 11730 11740 11750 11765 11900 11901 11981 11982 11983 12001 12002 12011 12031 12032 12041
    16020 17000 17004 17110 17111 17250 17260 97597
""")
_MUSCLE_AND_JOINT = listed("""
    20526 20550 20551 20552 20553 20600 20604 20605 20606 20610 20611 24640 28190 29125 29130 29515 29580 64400 64405
    64418 64450 64455 98940 98941
""")
_ORGANS = listed("""
    30300 30901 31231 31575 40808 46083 46320 46600 51701 51702 54050 54056 56420 56501 56605 57061 57452 57454 57455
    57460 57500 57505 58100 58301 59025 62320 62322 62323 64483 64490 65205 65222 67028 67820 69000 69200 69209 69210
    92511
""")
MINOR_PROCEDURES = _SKIN | _MUSCLE_AND_JOINT | _ORGANS
"""Frequent procedures of the office with global days 000 or 010 in CMS's physician fee schedule of July 2024."""

HOSPITAL_VISITS = numbers(99221, 99239) | numbers(99281, 99285) | {"99291", "99292"}
"""Visits in a hospital or its emergency department, and critical care."""

VISITS = OFFICE_VISITS | PREVENTIVE_VISITS | WELLNESS_VISITS | HOSPITAL_VISITS | numbers(99341, 99350)
"""Visits wherever they take place, the patient's home included."""

HOSPITALS = frozenset({"19", "21", "22", "23", "24"})
"""Places of service in or of a hospital, and surgery centers: who owns the equipment bills for it."""
