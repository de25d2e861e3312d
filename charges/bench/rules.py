"""Measurements of the rules: lines a second from the stored document to findings, and what each rule costs.

The charges are invented ones of a family practice: one to eight lines of sixty days, priced from a list, for one to four of
two dozen diagnoses, each of another patient, some with slips. Every figure is the best of nine passes on this machine, in
one process, without storage or decryption. Each pass begins like a run does: the code tables were used before, and of
these charges nothing is known.
"""

import gc
import json
import random
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial

from charges.model import Charge, Diagnosis, Drug, References, ServiceLine
from rules.engine import Facts, Rule, judge, load
from rules.examples import SERVICE_DATE, TODAY, charge, holding, line
from rules.index import Catalogue
from rules.payer.book import EMPTY, Book, read_texts
from rules.reference import Reference, TableMissing

_VISITS = ("99213", "99214", "99203", "99396", "99204", "99215")
_OTHERS = (
    *("20610", "93000", "G2211", "11102", "17110", "81002", "87880", "83036"),
    *("90471 90686", "85025 36415", "80053 36415", "96372 J3301"),
)
"""What is done beside a visit; what is done together stands together."""
_DIAGNOSES = (
    "I10", "E11.9", "E78.5", "Z00.00", "F41.1", "J06.9", "M54.50", "E66.9", "K21.9", "N39.0", "R05.9", "G43.909",
    "J45.909", "M17.11", "L70.0", "H66.91", "R53.83", "E03.9", "D64.9", "I48.91", "M25.561", "R10.9", "J02.9", "B34.9",
)  # fmt: skip
_PAYERS = 50
_PASSES = 9


@dataclass(frozen=True, slots=True)
class Speed:
    """Lines judged a second, and microseconds of a line that each rule and finding the rules take, dearest first."""

    rules: int
    lines: int
    parsed: float
    judged: float
    with_payer_rules: float
    costs: Sequence[tuple[str, float]]


def measure(charges: int, payer_rules: int, seed: int, tables: Reference) -> Speed:
    """All figures on that many charges and with these tables, with that many payer rules more."""
    documents = [document(random.Random(seed * 100_000 + number), number) for number in range(charges)]  # noqa: S311
    lines = sum(len(Charge.model_validate_json(each).billed_lines) for each in documents)
    rules = load()
    tables = _of_the_practice() | tables
    book = book_of(payer_rules)

    gc.collect()
    gc.freeze()  # what is measured is not the collector walking through the documents

    def parse() -> None:
        for each in documents:
            Charge.model_validate_json(each)

    def judge_all(book: Book) -> None:
        catalogue = Catalogue(rules)
        for each in documents:
            given = Charge.model_validate_json(each)
            facts = Facts(charge=given, today=TODAY, tables=tables)
            judge((*catalogue.of(facts), *book.of(facts)), facts)

    parsed, plain, with_book = (
        lines / each for each in _best(parse, lambda: judge_all(EMPTY), lambda: judge_all(book))
    )
    return Speed(len(rules), lines, parsed, plain, with_book, _costs(rules, documents, lines, tables))


def _best(*works: Callable[[], None]) -> list[float]:
    """The shortest of several passes of each work, in seconds; taken in turn, for the machine is not ours alone."""
    passes: list[list[float]] = [[] for _ in works]
    for _ in range(_PASSES):
        for work, spent in zip(works, passes, strict=True):
            started = time.perf_counter()
            work()
            spent.append(time.perf_counter() - started)
    return [min(each) for each in passes]


def _costs(rules: Sequence[Rule], documents: Sequence[bytes], lines: int, tables: Reference) -> list[tuple[str, float]]:
    """What each rule costs where it is asked, and under ``which to ask`` what it costs to know that."""
    charges = [Charge.model_validate_json(each) for each in documents[:1000]]
    lines = lines * len(charges) // len(documents)
    catalogue = Catalogue(rules)

    def facts() -> list[Facts]:
        return [Facts(charge=each, today=TODAY, tables=tables) for each in charges]

    asked: dict[str, list[tuple[Rule, Facts]]] = {each.id: [] for each in rules}
    for each in facts():
        for rule in catalogue.of(each):
            asked[rule.id].append((rule, each))

    def ask(pairs: Sequence[tuple[Rule, Facts]]) -> None:
        for rule, each in pairs:
            with suppress(TableMissing):
                list(rule.check(each))

    def find() -> None:
        for each in facts():
            catalogue.of(each)

    (index,) = _best(find)
    costs = [("which to ask", index)]
    costs += [(id, _best(partial(ask, pairs))[0]) for id, pairs in asked.items()]
    return sorted(((id, cost / lines * 1e6) for id, cost in costs), key=lambda cost: -cost[1])


def _of_the_practice() -> Reference:
    """The fee schedule and the practice's prices of what is billed, so that no rule is spared for want of a table."""
    codes = (*_VISITS, *" ".join(_OTHERS).split())
    fees = [
        {
            "code": code,
            "status": "A",
            "global_days": "XXX",
            "office_total": (_price(code) / 40).quantize(Decimal("0.01")),
        }
        for code in codes
    ]
    return holding({"fees": fees, "prices.lakeside": [{"code": code, "amount": _price(code)} for code in codes]})


def _price(code: str) -> Decimal:
    return Decimal(2000 + zlib.crc32(code.encode()) % 38_000) / 100


def document(chance: random.Random, number: int) -> bytes:
    """An invented charge of the practice the rules are measured with, as it is stored; ``number`` is its key and patient."""
    others = chance.sample(_OTHERS, chance.choice((0, 1, 1, 1, 2, 2, 3, 4)))
    codes = [chance.choice(_VISITS), *dict.fromkeys(" ".join(others).split())]
    day = SERVICE_DATE - timedelta(days=chance.randrange(60))
    diagnoses = chance.sample(_DIAGNOSES, chance.choice((1, 1, 2, 2, 3, 4)))
    lines = tuple(_line(chance, code, diagnoses, marked=len(codes) > 1, service_date=day) for code in codes)
    if "90686" in codes:
        diagnoses.append("Z23")
    clean = charge()
    born = SERVICE_DATE - timedelta(days=chance.randrange(18 * 365, 90 * 365))
    changes = {"record_number": str(number), "birth_date": born, "sex": chance.choice("FM")}
    stored = charge(
        *lines,
        key=str(number),
        encounter=clean.encounter.model_copy(update={"start_date": day}),
        patient=clean.patient.model_copy(update=changes),
        coverages=(clean.coverages[0].model_copy(update={"member_id": f"PMH{chance.randrange(10**7):07}"}),),
        diagnoses=tuple(Diagnosis(code=each) for each in diagnoses),
        references=References(clia="14D0987654"),
        origins={f"lines[{index}].modifiers": "edi_inv_cpt.Mod1-4" for index in range(len(lines))},
    )
    return stored.model_dump_json(exclude_defaults=True).encode()


def _line(
    chance: random.Random, code: str, diagnoses: Sequence[str], *, marked: bool, **changes: object
) -> ServiceLine:
    modifiers = ("25",) if code in _VISITS and marked and chance.random() < 0.95 else ()
    drug = Drug(ndc="00069080901", quantity=Decimal(1), unit="ML") if code.startswith("J") else None
    price = _price(code)
    return line(
        code,
        *modifiers,
        charge=price if chance.random() < 0.98 else price + chance.randrange(1, 100),
        diagnoses=("Z23",) if code == "90686" else tuple(diagnoses[: chance.choice((1, 2))]),
        drug=drug,
        **changes,
    )


def book_of(count: int) -> Book:
    """That many payer rules in force, for fifty payers of which one is the charges' own, and for the usual codes."""
    codes = (*_VISITS, *" ".join(_OTHERS).split())
    rules = [
        {
            "id": f"PAY-{number}",
            "title": "A rule to measure with.",
            "reason": "Measured.",
            "life": [{"stage": stage, "date": "2026-11-01", "by": "bench"} for stage in ("draft", "shadow")],
            "payers": ["PRM01" if number % _PAYERS == 0 else f"P{number % _PAYERS:02}"],
            "codes": [codes[number // _PAYERS % len(codes)]],
            "when": {"line.units": {"at_least": 2 + number % 7}, "line.place": ["11", "22"]},
            "then": {"message": "{line.code} is billed {line.units} times."},
            "cases": {
                "fires": {"ten": {"charge": {"lines": [{"code": codes[number // _PAYERS % len(codes)], "units": 10}]}}},
                "passes": {"one": {"charge": {"lines": [codes[number // _PAYERS % len(codes)]]}}},
            },
        }
        for number in range(count)
    ]
    return read_texts("The measured rules", {"measured.json": json.dumps({"rules": rules}, indent=1)})
