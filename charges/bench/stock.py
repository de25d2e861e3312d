"""A million findings to look at: invented, but spread as in a large office, and sealed like real ones.

A few practices with many payers and providers, of which a handful make up most; rules of which few hold most charges;
findings from this morning to four months old; some charges given to somebody, put off, asked about, commented on. Beside
what is held there is what went out: claims in files, and the replies to them. Rows are copied into PostgreSQL as they would
have been written, so that a million takes minutes.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from charges.bench.rules import document
from charges.db import Database
from charges.desk import sharing as desk
from charges.identifiers import npi_check_digit
from charges.model import Charge, Claim, Diagnosis, Finding
from charges.patients.register import number_key
from charges.pipeline import Applied, Pipeline
from charges.practice.profile import Practice
from charges.tables import (
    AnswerRow,
    Base,
    ChargeRow,
    ChargeStatus,
    ChargeVersionRow,
    ClaimFileRow,
    ClaimRow,
    CorrectionRow,
    CorrectionState,
    FileStatus,
    ItemState,
    Mode,
    Onward,
    Origin,
    ResponseRow,
    ReviewItemRow,
    Role,
)
from charges.telling import endpoints
from charges.users import accounts
from charges.users.accounts import Wanted
from charges.x12.interchange import ControlNumbers, write
from rules.engine import Rule, load

_PROVIDERS, _PAYERS, _DOCUMENTS, _PATIENTS, _CORRECTED = 15, 20, 150, 60_000, 2000
_SAID = 100
"""So many charges are commented on, and so many asked about."""
_MOST_USERS = 500
_AT_ONCE = 10_000
_CLAIMS_IN_FILE = 500
ENDPOINT = "news"
"""What is told news of each practice."""
_ASSIGNEES = ("maren holt", "silvan reed", "petra lang", "anouk birch", "lead")
_MODES = (Mode.FULL, Mode.FULL, Mode.FULL, Mode.COHORT, Mode.SHADOW, Mode.OBSERVE, Mode.FULL, Mode.FULL)
"""Where each practice stands in the roll-out, the largest first."""
_STATES = {
    ChargeStatus.HELD: 60,
    ChargeStatus.ACCEPTED: 22,
    ChargeStatus.CLAIMED: 8,
    ChargeStatus.CLEAN: 3,
    ChargeStatus.SELF_PAY: 3,
    ChargeStatus.CAPTURED: 2,
    ChargeStatus.VOID: 2,
}

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stock:
    """What there is to ask for; of practices, payers, providers and rules the most frequent first, the rarest last."""

    practices: Sequence[str]
    payers: Sequence[str]
    providers: Sequence[str]
    rules: Sequence[str]
    held: Sequence[int]
    billed: Sequence[int]
    file_count: int
    patient: str
    charges: int
    items: int


@dataclass(frozen=True, slots=True)
class _Document:
    """What many charges say, with the columns that follow from it."""

    charge: Charge = field(repr=False)
    content: bytes = field(repr=False)
    version: str
    payer: str
    provider: str
    day: date
    cents: int
    deadline: date


def fill(pipeline: Pipeline, example: Practice, items: int, seed: int) -> Stock:
    """Fill an empty PostgreSQL database until it has so many review items; the practice gives the form of all others."""
    office = _Office(pipeline, example, random.Random(seed))  # noqa: S311 - invented people
    engine = pipeline.database.engine
    with engine.connect() as connection:
        copy = _Copy(connection.connection.driver_connection)
        while office.items < items:
            copy.all(office.batch(items))
        copy.all(office.corrections())
        connection.exec_driver_sql(copy.sequences())
        connection.commit()
    office.talk()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return Stock(
        practices=[each.practice.code for each in office.practices],
        payers=office.payers,
        providers=[each.npi for each in office.practices[0].practice.providers],
        rules=[each.id for each in office.rules],
        held=office.held,
        billed=office.billed,
        file_count=office.files,
        patient=number_key(pipeline.database.keyring, office.practices[0].id, "", "5"),
        charges=office.charges,
        items=office.items,
    )


def employ(database: Database, pipeline: Pipeline, stock: Stock) -> None:
    """A user of each role whom the identity provider knows by the role, and many others; who else is told news.

    The biller sees three practices, the others all.
    """
    for role in Role:
        seen = {"practices": stock.practices[:3]} if role is Role.BILLER else {"sees_all": True}
        wanted = Wanted(role, subject=role.value, **seen)
        accounts.add(database, role.value, wanted, by="bench", clock=pipeline.clock)
    for number in range(min(_MOST_USERS, stock.items // 100)):
        practices = (stock.practices[number % len(stock.practices)],)
        wanted = Wanted(Role.BILLER, practices, subject=f"person {number}")
        accounts.add(database, f"person {number:04}", wanted, by="bench", clock=pipeline.clock)
    for number in range(20):
        name = f"view {number}"
        desk.save_view(database, name, f"rule={stock.rules[number]}", by="lead", shared=True, clock=pipeline.clock)
    for practice in stock.practices:
        endpoints.add(
            database, practice, ENDPOINT, "https://example.org/news", (), networks=(), by="bench", clock=pipeline.clock
        )


class _Copy:
    """Rows into their tables by COPY, which takes them as they come."""

    def __init__(self, driver: Any) -> None:  # noqa: ANN401 - psycopg's own connection
        self.cursor = driver.cursor()
        self.tables: set[str] = set()

    def all(self, batch: Mapping[type[Base], Sequence[Row]]) -> None:
        for table, rows in batch.items():
            if rows:
                self.tables.add(table.__tablename__)
                with self.cursor.copy(f"COPY {table.__tablename__} ({', '.join(rows[0])}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(tuple(row.values()))

    def sequences(self) -> str:
        """The statement by which the next row of each table gets the next number."""
        moved = (
            f"setval(pg_get_serial_sequence('{each}', 'id'), (SELECT coalesce(max(id), 1) FROM {each}))"  # noqa: S608 - our tables
            for each in sorted(self.tables)
        )
        return f"SELECT {', '.join(moved)}"


class _Office:
    """The practices, and the charges of which one batch after the other is made. Numbers of rows are counted here."""

    def __init__(self, pipeline: Pipeline, example: Practice, chance: random.Random) -> None:
        self.pipeline, self.database, self.keyring = pipeline, pipeline.database, pipeline.database.keyring
        self.chance, self.now = chance, pipeline.clock()
        self.payers = [f"PAY{number:02}" for number in range(_PAYERS)]
        self.practices = [self._practice(example, number) for number in range(len(_MODES))]
        self.documents = [self._documents(each) for each in self.practices]
        self.rules = sorted((each for each in load() if each.severity.holds), key=lambda each: each.id)
        chance.shuffle(self.rules)
        self.findings = {each.id: _finding(each) for each in self.rules}
        self.content = self._content()
        self.charges = self.items = self.files = self.claims = self.answers = 0
        self.held: list[int] = []
        self.billed: list[int] = []
        self.corrected: list[tuple[int, str]] = []

    def _practice(self, example: Practice, number: int) -> Applied:
        code = f"practice-{number}"
        partner = example.trading_partner.model_copy(update={"code": f"rcm-{number}", "sender_id": f"OFFICE{number}"})
        payers = tuple(
            example.payers[0].model_copy(
                update={
                    "source_ids": (f"{100 + rank}",),
                    "payer_id": payer,
                    "name": f"Health Plan {payer}",
                    "timely_filing_days": (365, 180, 90)[rank % 3],
                }
            )
            for rank, payer in enumerate(self.payers)
        )
        providers = tuple(
            example.providers[0].model_copy(
                update={
                    "source_id": f"{number}{rank:02}",
                    "last_name": f"Fenwick-{number}-{rank}",
                    "npi": _npi(number, rank),
                }
            )
            for rank in range(_PROVIDERS)
        )
        said = {"code": code, "trading_partner": partner, "payers": payers, "providers": providers}
        self.pipeline.apply(example.model_copy(update=said), by="bench")
        while self.pipeline.practice(code).standing.mode is not _MODES[number]:
            self.pipeline.advance(code, by="bench", reason="invented people only")
        return self.pipeline.practice(code)

    def _documents(self, applied: Applied) -> Sequence[_Document]:
        return [self._document(applied, number) for number in range(_DOCUMENTS)]

    def _document(self, applied: Applied, number: int) -> _Document:
        practice = applied.practice
        payer, provider = self._frequent(practice.payers), self._frequent(practice.providers)
        given = Charge.model_validate_json(document(self.chance, number))
        day = self.now.date() - timedelta(days=int(self.chance.expovariate(1 / 35)) % 120)
        covered = given.coverages[0]
        charge = given.model_copy(
            update={
                "practice": practice.code,
                "lines": tuple(each.model_copy(update={"service_date": day}) for each in given.lines),
                "diagnoses": given.diagnoses or (Diagnosis(code="I10"),),
                "coverages": (
                    covered.model_copy(
                        update={
                            "payer": covered.payer.model_copy(update={"payer_id": payer.payer_id, "name": payer.name})
                        }
                    ),
                ),
                "rendering_provider": given.rendering_provider
                and given.rendering_provider.model_copy(update={"npi": provider.npi, "last_name": provider.last_name}),
            }
        )
        return _Document(
            charge,
            charge.model_dump_json(exclude_defaults=True).encode(),
            charge.version,
            payer.payer_id,
            provider.npi,
            day,
            int(charge.total * 100),
            day + timedelta(days=payer.timely_filing_days or 365),
        )

    def _frequent(self, of: Sequence[Any], weight: float = 1) -> Any:  # noqa: ANN401 - whatever is in it
        """One of several, of which each next one is rarer."""
        return of[min(int(len(of) ** self.chance.random() ** weight) - 1, len(of) - 1)]

    def _content(self) -> Mapping[int, bytes]:
        """For each practice what its claim files say; the same claim in each."""
        return {
            applied.id: write(
                [Claim(number=f"{applied.practice.code}-01", charge=documents[0].charge)],
                applied.practice.trading_partner,
                ControlNumbers(1),
                self.now,
            ).content
            for applied, documents in zip(self.practices, self.documents, strict=True)
        }

    def batch(self, most_items: int) -> Mapping[type[Base], Sequence[Row]]:
        """The next charges with all that belongs to them, in the order in which they refer to each other."""
        batch: dict[type[Base], list[Row]] = {
            each: []
            for each in (ChargeRow, ChargeVersionRow, ReviewItemRow, ClaimFileRow, ClaimRow, ResponseRow, AnswerRow)
        }
        billed: dict[int, list[Row]] = {}
        for _ in range(_AT_ONCE):
            if self.items >= most_items:
                break
            self._charge(batch, billed, most_items)
        for place, charges in billed.items():
            for start in range(0, len(charges), _CLAIMS_IN_FILE):
                self._file(batch, self.practices[place], charges[start : start + _CLAIMS_IN_FILE])
        return batch

    def _charge(self, batch: dict[type[Base], list[Row]], billed: dict[int, list[Row]], most_items: int) -> None:
        chance = self.chance
        self.charges += 1
        place = self._frequent(range(len(self.practices)))
        said: _Document = chance.choice(self.documents[place])
        status = chance.choices(tuple(_STATES), tuple(_STATES.values()))[0]
        is_held = status is ChargeStatus.HELD
        since = min(
            self.now - timedelta(minutes=chance.randrange(600)),
            self.now
            - timedelta(days=(self.now.date() - said.day).days - chance.randrange(4), seconds=chance.randrange(86_400)),
        )
        mood = chance.random() if is_held else 1
        columns = {
            "id": self.charges,
            "practice_id": self.practices[place].id,
            "source": "eclinicalworks",
            "key": str(self.charges),
            "version": said.version,
            "status": status.value,
            "payer_id": said.payer,
            "service_date": said.day,
            "total": said.cents,
            "patient_key": number_key(self.keyring, self.practices[place].id, "", str(chance.randrange(_PATIENTS))),
            "judged_with": self.practices[place].digest,
            "event_count": 0,
            "event_head": "",
            "captured_at": since,
            "changed_at": since,
            "corrected_from": "",
            "provider_npi": said.provider,
            "deadline": said.deadline,
            "held_since": since,
            "assignee": self._frequent(_ASSIGNEES) if is_held and chance.random() < 0.2 else "",
            "snoozed_until": self.now.date() + timedelta(days=chance.randrange(1, 20)) if mood < 0.03 else None,
            "asked_at": since if 0.03 < mood < 0.05 else None,
        }
        batch[ChargeRow].append(columns)
        batch[ChargeVersionRow].append(
            ChargeVersionRow.values(
                self.keyring,
                {"document": said.content},
                charge_id=self.charges,
                version=said.version,
                captured_at=since,
            )
        )
        if is_held:
            states = [ItemState.OPEN] * chance.choices((1, 2, 3), (60, 30, 10))[0]
            states += [ItemState.WAIVED] * (chance.random() < 0.1)
            if len(self.held) < 5000:
                self.held.append(self.charges)
            if len(self.corrected) < _CORRECTED and chance.random() < 0.1:
                self.corrected.append((self.charges, said.version))
        else:
            states = [ItemState.CLOSED] * (chance.random() < 0.3)
        rules = {self._frequent(self.rules, 0.8).id for _ in states}
        for rule, state in list(zip(sorted(rules), states, strict=False))[: most_items - self.items]:
            self._item(batch, columns, rule, state)
        if status in (ChargeStatus.ACCEPTED, ChargeStatus.CLAIMED):
            billed.setdefault(place, []).append(columns)
            if len(self.billed) < 1000:
                self.billed.append(self.charges)

    def _item(self, batch: dict[type[Base], list[Row]], charge: Row, rule: str, state: ItemState) -> None:
        finding = self.findings[rule]
        self.items += 1
        closed = self.now if state is not ItemState.OPEN else None
        batch[ReviewItemRow].append(
            ReviewItemRow.values(
                self.keyring,
                {"finding": finding.content},
                charge_id=charge["id"],
                version=charge["version"],
                rule=rule,
                severity=finding.severity,
                origin=Origin.RULES.value,
                at="lines[0].code",
                ordinal=0,
                state=state.value,
                opened_at=charge["held_since"],
                closed_at=closed,
            )
        )

    def _file(self, batch: dict[type[Base], list[Row]], applied: Applied, charges: Sequence[Row]) -> None:
        """A file of claims with the replies to it: received, and what each payer said of each."""
        self.files += 1
        number, content = self.files, self.content[applied.id]
        scope, size = f"bench {applied.id}", len(content)
        mode = applied.standing.mode
        status = FileStatus.SHADOW if mode in (Mode.SHADOW, Mode.OBSERVE) else FileStatus.ACCEPTED
        columns = {
            "practice_id": applied.id,
            "scope": scope,
            "control_number": number,
            "name": f"{applied.practice.trading_partner.code}_{number:09}.837",
            "sha256": f"{number:064x}",
            "size": size,
            "claim_count": len(charges),
            "total": sum(each["total"] for each in charges),
            "status": status.value,
            "event_count": 0,
            "event_head": "",
            "built_at": self.now,
            "changed_at": self.now,
            "tries": 0,
            "id": number,
        }
        batch[ClaimFileRow].append(ClaimFileRow.values(self.keyring, {"content": content}, **columns))
        reply = {
            "practice_id": applied.id,
            "sha256": f"{number:064x}",
            "name": f"{number:09}.277",
            "state": "done",
            "outcome": f"{len(charges)} claims accepted",
            "received_at": self.now,
            "id": number,
        }
        batch[ResponseRow].append(ResponseRow.values(self.keyring, {"content": b"invented"}, **reply))
        for charge in charges:
            self.claims += 1
            is_accepted = charge["status"] == ChargeStatus.ACCEPTED.value
            of_claim = {
                "charge_id": charge["id"],
                "claim_file_id": number,
                "number": f"CR{charge['id']:09}01",
                "frequency": "1",
                "version": charge["version"],
                "total": charge["total"],
                "live": True,
                "accepted": is_accepted,
                "payer_rank": 1,
                "onward": Onward.NONE.value,
                "id": self.claims,
            }
            batch[ClaimRow].append(ClaimRow.values(self.keyring, {"answer": None}, **of_claim))
            if is_accepted:
                self.answers += 1
                batch[AnswerRow].append(
                    {
                        "id": self.answers,
                        "response_id": number,
                        "claim_file_id": number,
                        "claim_id": self.claims,
                        "kind": "277CA",
                        "outcome": "accepted",
                        "codes": "A2:20",
                        "control_number": f"{number:09}",
                        "written": "",
                    }
                )

    def corrections(self) -> Mapping[type[Base], Sequence[Row]]:
        """What stands to be entered at the source."""
        document = b'{"fields":[{"at":"lines[0].modifiers","was":"","now":"25"}],"answers":[]}'
        return {
            CorrectionRow: [
                CorrectionRow.values(
                    self.keyring,
                    {"document": document},
                    charge_id=number,
                    event=1,
                    from_version=version,
                    to_version=version,
                    rule=self.rules[0].id,
                    state=CorrectionState.STANDING.value,
                    made_by="lead",
                    made_at=self.now,
                )
                for number, version in self.corrected
            ]
        }

    def talk(self) -> None:
        """What people wrote of some charges."""
        clock = self.pipeline.clock
        for number in self.held[:_SAID]:
            desk.comment(self.database, number, "The front desk looks it up.", by="lead", clock=clock)
            desk.ask(self.database, number, "Which knee was it?", by="biller", clock=clock)
            desk.answer(self.database, number, "The left one.", by="biller", clock=clock)


@dataclass(frozen=True, slots=True)
class _Found:
    severity: str
    content: bytes


def _finding(rule: Rule) -> _Found:
    finding = Finding(
        rule=rule.id,
        severity=rule.severity,
        at="lines[0].code",
        message=rule.title,
        fix="Look at the note and correct it.",
    )
    return _Found(finding.severity.value, finding.model_dump_json(exclude_defaults=True).encode())


def _npi(practice: int, rank: int) -> str:
    first = f"1{practice:04}{rank:04}"
    return first + npi_check_digit(first)
