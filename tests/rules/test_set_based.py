"""The rules of NCCI find what a query over whole tables finds: the same lines of the same charges, and no other.

``set_based.sql`` is written from what CMS says of its tables. The lines are made up, of codes that meet in the real tables
where these lie, else in the shipped ones, and with whatever those tables have traps for.
"""

import csv
import os
import random
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest

from charges.model import Charge, HistoryLine, ServiceLine
from rules.codes.groups import (
    MINOR_PROCEDURES,
    OFFICE_VISITS,
    PREVENTIVE_VISITS,
    VACCINE_ADMINISTRATION,
    WELLNESS_VISITS,
    listed,
)
from rules.engine import Facts, judge, load
from rules.examples import COVERAGE, MEDICARE, RENDERING_PROVIDER, TODAY, charge, line
from rules.index import Catalogue
from rules.reference import Reference
from rules.reference.drafts import Dates
from rules.reference.loaders import kind_named
from rules.reference.loading import Wish
from rules.reference.loading import load as load_table
from tests.rules.reference import published

LINES = int(os.environ.get("CHARGES_LINES", "5000"))
"""How many lines are judged by both; CI asks for more."""

JUDGED = ("NCC-001", "NCC-002", "NCC-006", "NCC-007", "NCC-008", "NCC-009", "NCC-010", "NCC-011", "NCC-012", "NCC-013")
VIEWS = (Path(__file__).parent / "set_based.sql").read_text(encoding="utf-8")

NCCI_MODIFIERS = listed("""
    E1 E2 E3 E4 FA F1 F2 F3 F4 F5 F6 F7 F8 F9 TA T1 T2 T3 T4 T5 T6 T7 T8 T9 LT RT LC LD LM RC RI
    24 25 57 58 78 79 27 59 91 XE XP XS XU
""")
"""NCCI Policy Manual, chapter I, section E."""

VISITS_OF_OTHER_RULES = (
    (OFFICE_VISITS, MINOR_PROCEDURES | PREVENTIVE_VISITS | WELLNESS_VISITS | OFFICE_VISITS),
    (OFFICE_VISITS | PREVENTIVE_VISITS, VACCINE_ADMINISTRATION),
)
"""Visits beside procedures, check-ups, each other and vaccinations, of which the rules about visits tell."""
RULES_OF_VISITS = ("EM-003", "EM-004", "EM-011", "GLB-002", "IMM-006")

OFTEN = listed("""
    99202 99203 99213 99214 99215 99381 99396 G0438 G0439 90471 90472 90480 20610 20611 11102 11103 17000 17003 17110
    27447 29881 36415 36416 43235 43239 45378 45380 45385 71045 71046 80048 80053 80061 82465 83036 85025 88305 88311
    93000 93306 93307 96372 97110 97140 97530 99291 99292 94010 94640 77001 36561 A0425 J3301 00100
""")
"""Codes that are always among those billed."""

Row = tuple[str, ...]
Limit = tuple[str, str, str]
"""A code, its units and its indicator."""
Edit = tuple[str, str, str]
"""A type, an add-on code and a primary code."""
ALWAYS, LAST = "1996-01-01", "2024-09-30"
QUARTER = "2024-07-01"
"""Limits of one release end before it, those of another begin."""


@dataclass(frozen=True)
class Source:
    """The rows of the three tables, dates as in SQL, and the same loaded from their published layouts."""

    ptp: Sequence[Row]
    mue: Sequence[Row]
    add_on: Sequence[Row]
    tables: Reference

    @property
    def codes(self) -> list[str]:
        return sorted({code for row in self.ptp for code in row[:2]} | {row[0] for row in (*self.mue, *self.add_on)})


def shipped(table: str) -> list[dict[str, str]]:
    """The rows of a table that comes with the software."""
    text = (files("rules.reference") / "shipped_facts" / f"{table}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def limits_and_additions() -> tuple[list[Limit], list[Edit]]:
    """The real limits and add-on edits, else the shipped ones and one of each kind that these lack."""
    if not published.REAL.exists():
        limits = [(row["code"], row["units"], row["adjudication_indicator"]) for row in shipped("mue")]
        edits = [(row["type"], row["code"], row["primary"] or "CCCCC") for row in shipped("add_on")]
        return [*limits, ("A0425", "250", "1")], [*edits, ("2", "77001", "CCCCC")]
    return [row[:3] for row in published.real_mue()], published.real_add_on()


def billed_codes(chance: random.Random, limits: Sequence[Limit], edits: Sequence[Edit]) -> set[str]:
    """Some hundreds of codes: the common ones, add-on codes of each type with what they add to, odd limits, any other."""
    codes = set(OFTEN)
    primaries = defaultdict[tuple[str, str], list[str]](list)
    for kind, code, primary in edits:
        primaries[kind, code].append(primary)
    for kind, most in (("1", 60), ("2", 20), ("3", 11)):
        of_kind = sorted(key for key in primaries if key[0] == kind)
        for key in chance.sample(of_kind, min(most, len(of_kind))):
            codes |= {key[1], *chance.sample(primaries[key], min(3, len(primaries[key])))}
    for odd in (["1"], ["2", "3"]):
        for none in (True, False):
            some = [code for code, units, indicator in limits if indicator in odd and (units == "0") == none]
            codes |= set(chance.sample(some, min(60, len(some))))
    return codes - {"CCCCC"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """The tables, of which each code billed has all its rows; limits of two releases, and edits of which some ended."""
    chance = random.Random(4)
    limits, edits = limits_and_additions()
    codes = billed_codes(chance, limits, edits)
    pairs: list[published.PtpRow]
    if published.REAL.exists():
        pairs = published.real_ptp_among(codes)
    else:
        rows = shipped("ptp")
        pairs = [(row["column1"], row["column2"], "", "20240101", "*", row["modifier_indicator"], "") for row in rows]
    now = [each for each in limits if each[0] in codes]
    before = [(code, str(int(units) + (place % 3 == 0)), mai) for place, (code, units, mai) in enumerate(now)]
    additions = [(*each, chance.random() < 0.25) for each in edits if each[1] in codes]
    folder = tmp_path_factory.mktemp("tables")
    first, quarter, last = map(date.fromisoformat, (ALWAYS, QUARTER, LAST))
    turn = quarter - timedelta(days=1)

    def put(table: str, *paths: Path, since: date, until: date) -> None:
        told = Dates(f"to-{until}", since, until)
        load_table(folder / "reference", kind_named(table), paths, Wish(told=told))

    put("ptp", *published.write_ptp(folder, pairs, "v302r0"), since=first, until=last)
    for limited, since, until in ((before, first, turn), (now, quarter, last)):
        path = published.write_mue(folder, [(*each, "Why") for each in limited])
        put("mue", path, since=since, until=until)
    path = folder / "AOC_V2024Q3-F-MCR.txt"
    lines = [
        published.add_on_line(kind, code, primary, end="2023365" if ended else "")
        for kind, code, primary, ended in additions
    ]
    path.write_text("".join(lines), encoding="ascii", newline="")
    put("add_on", path, since=first, until=last)
    return Source(
        ptp=[(one, other, iso(begin), iso(end), said) for one, other, _, begin, end, said, _ in pairs],
        mue=[(*each, ALWAYS, str(turn)) for each in before] + [(*each, QUARTER, LAST) for each in now],
        add_on=[
            (code, kind, primary, "2013-04-01", "2023-12-31" if ended else "9999-12-31")
            for kind, code, primary, ended in additions
        ],
        tables=Reference.open(folder / "reference"),
    )


def iso(day: str) -> str:
    """A day as CMS writes it, as SQL does; ``*`` is no end.

    >>> iso("20240701"), iso("*")
    ('2024-07-01', '9999-12-31')
    """
    return "9999-12-31" if day == "*" else f"{day[:4]}-{day[4:6]}-{day[6:]}"


class Desk:
    """Makes up charges whose codes meet in the tables, with modifiers, units, days and providers of every sort."""

    def __init__(self, source: Source, seed: int) -> None:
        self.chance = random.Random(seed)
        self.source = source
        self.codes = source.codes
        self.visits = [[sorted(each.intersection(self.codes)) for each in pair] for pair in VISITS_OF_OTHER_RULES]
        self.limits = {row[0]: int(row[1]) for row in source.mue}
        self.ends = sorted({row[3] for row in source.ptp if "2014" < row[3] < LAST})
        self.modifiers = (
            *sorted(NCCI_MODIFIERS),
            *["59", "XS", "25", "LT", "RT", "50", "76", "91"] * 4,
            "26",
            "77",
            "GY",
        )

    def charges(self, lines: int) -> Iterator[Facts]:
        """The facts of charges with so many lines in all."""
        while lines > 0:
            made = self.facts()
            lines -= len(made.charge.lines)
            yield made

    def facts(self) -> Facts:
        day = self.day()
        codes = self.together()
        lines = tuple(self.line(code, day) for code in codes)
        chance = self.chance.random()
        coverages = (MEDICARE, COVERAGE) if chance < 0.4 else (COVERAGE, MEDICARE) if chance < 0.6 else (COVERAGE,)
        provider = RENDERING_PROVIDER if self.chance.random() < 0.95 else None
        history: tuple[HistoryLine, ...] = ()
        if self.chance.random() < 0.3:
            history = tuple(self.earlier(code, day) for code in self.together()[:2] + codes[:1])
        made = charge(*lines, coverages=coverages, rendering_provider=provider)
        return Facts(made, TODAY, history, tables=self.source.tables)

    def day(self) -> date:
        """Often the last day of an edit, or the next."""
        if self.ends and self.chance.random() < 0.4:
            return date.fromisoformat(self.chance.choice(self.ends)) + timedelta(days=self.chance.randint(0, 1))
        return self.chance.choice(
            [date(2024, 6, 30), date(2024, 7, 1), date(2023, 12, 31), date(2024, 1, 1), date(2024, 8, 15)]
        )

    def together(self) -> list[str]:
        """Codes that the tables speak of together, in any order, and others."""
        found: list[str] = []
        if self.chance.random() < 0.6:
            found += self.chance.choice(self.source.ptp)[:2]
        if self.chance.random() < 0.2:
            code, _, primary, *_ = self.chance.choice(self.source.add_on)
            found += [code, primary] if primary != "CCCCC" and self.chance.random() < 0.6 else [code]
        if self.chance.random() < 0.4:
            found += [self.chance.choice(self.source.mue)[0]] * self.chance.randint(1, 3)
        if self.chance.random() < 0.1:
            visits, beside = self.chance.choice(self.visits)
            found += [self.chance.choice(visits), self.chance.choice(beside)]
        found += self.chance.choices(self.codes, k=self.chance.randint(0 if found else 1, 2))
        self.chance.shuffle(found)
        return found

    def line(self, code: str, day: date) -> ServiceLine:
        chance = self.chance.random
        return line(
            code,
            *self.said(),
            units=self.units(code),
            unit="MJ" if chance() < 0.02 else "UN",
            service_date=None if chance() < 0.01 else day + timedelta(days=chance() < 0.1),
            patient_share=chance() < 0.03,
            rendering_provider=RENDERING_PROVIDER.model_copy(update={"npi": self.npi()}) if chance() < 0.15 else None,
        )

    def earlier(self, code: str, day: date) -> HistoryLine:
        return HistoryLine(
            charge_key="6990",
            service_date=day - timedelta(days=self.chance.random() < 0.2),
            code=code,
            modifiers=self.said(),
            units=self.units(code),
            rendering_npi=RENDERING_PROVIDER.npi if self.chance.random() < 0.7 else self.npi(),
        )

    def npi(self) -> str:
        return self.chance.choice(("1679576722", RENDERING_PROVIDER.npi, ""))

    def said(self) -> tuple[str, ...]:
        if self.chance.random() < 0.55:
            return ()
        return tuple(self.chance.choices(self.modifiers, k=self.chance.randint(1, 3)))

    def units(self, code: str) -> Decimal | None:
        """Mostly one, or about the limit; some broken, none or impossible."""
        chance = self.chance.random()
        if chance < 0.5:
            return Decimal(1)
        if chance < 0.95:
            return Decimal(max(1, self.limits.get(code, 2) // self.chance.choice((1, 2)) + self.chance.randint(-1, 1)))
        return self.chance.choice([None, Decimal(0), Decimal("1.5"), Decimal("12000"), Decimal(-1)])


SOURCES = """
CREATE TABLE charge (number INTEGER PRIMARY KEY, npi TEXT, asks_medicare INTEGER);
CREATE TABLE line (
    charge INTEGER, place INTEGER, day TEXT, npi TEXT, code TEXT, units NUMERIC, unit TEXT, patient_share INTEGER
);
CREATE TABLE modifier (charge INTEGER, place INTEGER, code TEXT);
CREATE TABLE earlier (charge INTEGER, place INTEGER, day TEXT, npi TEXT, code TEXT, units NUMERIC);
CREATE TABLE earlier_modifier (charge INTEGER, place INTEGER, code TEXT);
CREATE TABLE ptp (column1 TEXT, column2 TEXT, effective TEXT, deletion TEXT, indicator TEXT);
CREATE TABLE mue (code TEXT, units INTEGER, mai INTEGER, effective TEXT, deletion TEXT);
CREATE TABLE add_on (code TEXT, type INTEGER, primary_code TEXT, effective TEXT, deletion TEXT);
CREATE TABLE ncci_modifier (code TEXT PRIMARY KEY);
CREATE TABLE left_to_others (one TEXT, other TEXT);
CREATE INDEX modifier_of_line ON modifier (charge, place);
CREATE INDEX modifier_of_earlier ON earlier_modifier (charge, place);
CREATE INDEX ptp_of_codes ON ptp (column1, column2);
CREATE INDEX mue_of_code ON mue (code);
CREATE INDEX add_on_of_code ON add_on (code, primary_code);
CREATE INDEX left_of_codes ON left_to_others (one, other);
"""


class Query:
    """The charges and the tables in a database of SQL, which knows nothing of the rules."""

    def __init__(self, source: Source, judged: Sequence[Facts]) -> None:
        self.database = sqlite3.connect(":memory:")
        self.database.executescript(SOURCES)
        self.fill("ptp", source.ptp)
        self.fill("mue", source.mue)
        self.fill("add_on", source.add_on)
        self.fill("ncci_modifier", [(each,) for each in sorted(NCCI_MODIFIERS)])
        left = {(one, other) for visits, beside in VISITS_OF_OTHER_RULES for one in visits for other in beside}
        self.fill("left_to_others", sorted(left | {(other, one) for one, other in left}))
        for number, each in enumerate(judged):
            self.add(number, each.charge, each.history)
        self.database.executescript(VIEWS)

    def add(self, number: int, given: Charge, history: Sequence[HistoryLine]) -> None:
        provider = given.rendering_provider
        asks = given.coverages[0].payer.claim_filing_code == "MB"
        self.fill("charge", [(number, provider.npi if provider else None, asks)])
        for place, each in enumerate(given.lines):
            npi = each.rendering_provider.npi if each.rendering_provider else None
            day, units = each.service_date and str(each.service_date), self.number(each.units)
            self.fill("line", [(number, place, day, npi, each.code, units, each.unit, each.patient_share)])
            self.fill("modifier", [(number, place, said) for said in each.modifiers])
        for place, known in enumerate(history):
            row = (number, place, str(known.service_date), known.rendering_npi, known.code, self.number(known.units))
            self.fill("earlier", [row])
            self.fill("earlier_modifier", [(number, place, said) for said in known.modifiers])

    def fill(self, table: str, rows: Sequence[Sequence[object]]) -> None:
        if rows:
            places = ", ".join("?" * len(rows[0]))
            self.database.executemany(f"INSERT INTO {table} VALUES ({places})", rows)

    def number(self, units: Decimal | None) -> float | None:
        return None if units is None else float(units)

    def found(self, view: str) -> set[tuple[int, int]]:
        """The charges and places of lines that a view gives."""
        return set(self.database.execute(f'SELECT charge, place FROM "{view}"'))


@pytest.fixture(scope="module")
def judged(source: Source) -> list[Facts]:
    return list(Desk(source, seed=11).charges(LINES))


@pytest.fixture(scope="module")
def query(source: Source, judged: list[Facts]) -> Query:
    return Query(source, judged)


@pytest.fixture(scope="module")
def told(judged: list[Facts]) -> Mapping[str, set[tuple[int, int]]]:
    """The charges and places of lines that each rule objects to, where the catalogue has it asked."""
    catalogue = Catalogue(each for each in load() if each.id in JUDGED + RULES_OF_VISITS)
    found = defaultdict[str, set[tuple[int, int]]](set)
    for number, given in enumerate(judged):
        for finding in judge(catalogue.of(given), given):
            assert finding.line, finding
            found[finding.rule].add((number, finding.line - 1))
    return found


@pytest.mark.parametrize("rule", JUDGED)
def test_a_rule_and_a_query_find_the_same_lines(
    rule: str, told: Mapping[str, set[tuple[int, int]]], query: Query
) -> None:
    by_query = query.found(rule)
    assert by_query - told[rule] == set(), "the rule misses lines"
    assert told[rule] - by_query == set(), "the rule finds lines that are right"
    assert len(by_query) >= LINES / 5000, "the lines made up put the rule to no test"


def test_what_is_left_to_the_rules_about_visits_is_told_by_them(
    told: Mapping[str, set[tuple[int, int]]], query: Query
) -> None:
    left = {number for number, _ in query.found("unparted") - query.found("NCC-002")}
    assert left
    assert left <= {number for rule in RULES_OF_VISITS for number, _ in told[rule]}
