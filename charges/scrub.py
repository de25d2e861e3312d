"""Stage 2, captured to clean or held: the only place that can call a charge clean.

Each batch is one transaction: charges are locked, completed from the practice's profile, judged by the rules with the
patient's history at hand, and moved. What a person waived for this version stays waived.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from charges import documents, lifecycle
from charges.db import Database
from charges.desk import worklist
from charges.drift import breakers
from charges.model import Charge, Finding, HistoryLine
from charges.patients import identity
from charges.practice.completion import complete
from charges.practice.profile import Practice
from charges.tables import NO_DEADLINE, ChargeRow, ChargeStatus, ClaimRow, HistoryLineRow, Origin
from rules.engine import NO_TABLES, Facts, Rule, judge
from rules.index import Catalogue
from rules.payer.book import EMPTY, Book
from rules.reference import Reference, TableMissing

ACTOR = "scrub"


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """What became of the charges judged."""

    clean: int = 0
    held: int = 0
    self_pay: int = 0
    findings: Mapping[str, int] = field(default_factory=dict)
    silent: Mapping[str, TableMissing] = field(default_factory=dict)
    """The rules that had no table for some date of service, by id, and which: they said nothing of those charges."""

    @property
    def judged(self) -> int:
        """All of them."""
        return self.clean + self.held + self.self_pay

    def __add__(self, other: "Scrubbed") -> "Scrubbed":
        return Scrubbed(
            self.clean + other.clean,
            self.held + other.held,
            self.self_pay + other.self_pay,
            Counter(self.findings) + Counter(other.findings),
            {**other.silent, **self.silent},
        )


def scrub(
    database: Database,
    practice_id: int,
    practice: Practice,
    judged_with: str,
    rules: Sequence[Rule],
    clock: Callable[[], datetime],
    *,
    book: Book = EMPTY,
    tables: Reference = NO_TABLES,
    batch_size: int = 200,
    progress: Callable[[int], None] = lambda _: None,
) -> Scrubbed:
    """Judge all captured charges of a practice, batch by batch; many workers may do so at once.

    ``judged_with`` tells this profile with these payer rules from any other; what waits, for a person or for its claim, and
    was judged with another is judged again.
    """
    catalogue, scrubbed = Catalogue(rules), Scrubbed()
    tables = tables.without_samples(practice.demanded_tables)
    with database.transaction() as session:
        _judge_again(session, database, practice_id, judged_with, clock())
        identity.look_again(session, database.keyring, practice_id, clock())
    while True:
        with database.transaction() as session:
            batch = _scrub_batch(
                session, database, practice_id, practice, judged_with, catalogue, book, tables, clock(), batch_size
            )
        if not batch.judged:
            return scrubbed
        scrubbed += batch
        progress(batch.judged)


def _scrub_batch(
    session: Session,
    database: Database,
    practice_id: int,
    practice: Practice,
    judged_with: str,
    catalogue: Catalogue,
    book: Book,
    tables: Reference,
    now: datetime,
    batch_size: int,
) -> Scrubbed:
    rows = session.scalars(
        select(ChargeRow)
        .where(ChargeRow.status == ChargeStatus.CAPTURED, ChargeRow.practice_id == practice_id, breakers.is_routed())
        .order_by(ChargeRow.id)
        .limit(batch_size)
        .with_for_update(skip_locked=True)
    ).all()
    if not rows:
        return Scrubbed()
    today = now.astimezone(ZoneInfo(practice.time_zone)).date()
    outcome: dict[ChargeStatus, list[ChargeRow]] = {
        ChargeStatus.CLEAN: [],
        ChargeStatus.HELD: [],
        ChargeStatus.SELF_PAY: [],
    }
    findings: dict[ChargeRow, tuple[Finding, ...]] = {}
    silent: dict[str, TableMissing] = {}
    captured = documents.read(session, database.keyring, rows)
    doubts = identity.settle(session, database.keyring, practice_id, captured, now)
    for row, facts in _facts(session, practice, captured, today, tables).items():
        charge = facts.charge
        if charge.self_pay or (charge.lines and not charge.billed_lines):
            findings[row] = ()
            outcome[ChargeStatus.SELF_PAY].append(row)
        else:
            asked = (*catalogue.of(facts), *book.of(facts))
            doubt = (doubts[row],) if row in doubts else ()
            findings[row] = (*doubt, *judge(asked, facts, practice.weights(charge), silent))
        row.payer_id = charge.coverages[0].payer.payer_id if charge.coverages else ""
        row.total = charge.total.quantize(Decimal("0.01"))
        row.provider_npi = _rendering(facts.charge)
        row.deadline = _deadline(facts)
        row.judged_with = judged_with
    held = worklist.put(
        session,
        database.keyring,
        findings,
        origin=Origin.RULES,
        now=now,
        takes_back=(Origin.RULES, Origin.GUIDE),
    )
    self_pay = set(outcome[ChargeStatus.SELF_PAY])
    outcome[ChargeStatus.HELD] = [row for row in rows if row in held]
    outcome[ChargeStatus.SELF_PAY] = [row for row in rows if row in self_pay - held]
    outcome[ChargeStatus.CLEAN] = [row for row in rows if row not in held | self_pay]
    for status, moved in outcome.items():
        lifecycle.move(session, moved, status, lifecycle.Deed("judged", ACTOR, now, database.keyring))
    return Scrubbed(
        clean=len(outcome[ChargeStatus.CLEAN]),
        held=len(outcome[ChargeStatus.HELD]),
        self_pay=len(outcome[ChargeStatus.SELF_PAY]),
        findings=Counter(finding.rule for found in findings.values() for finding in found if finding.severity.holds),
        silent=silent,
    )


def _rendering(charge: Charge) -> str:
    """The NPI of who rendered the charge, else its first line."""
    found = charge.rendering_provider or next((each.rendering_provider for each in charge.lines), None)
    return found.npi if found else ""


def _deadline(facts: Facts) -> date:
    """The last day on which the first payer takes a claim of the charge, counted from the first service."""
    day = facts.service_date
    return day + timedelta(days=facts.policy.timely_filing_days) if day else NO_DEADLINE


def _judge_again(session: Session, database: Database, practice_id: int, judged_with: str, now: datetime) -> None:
    """Charges whose claim is out are left: a person decides what becomes of those, and no new verdict changes it."""
    is_out = exists().where(ClaimRow.charge_id == ChargeRow.id, ClaimRow.live)
    stale = session.scalars(
        select(ChargeRow)
        .where(
            ChargeRow.practice_id == practice_id,
            ChargeRow.status.in_((ChargeStatus.HELD, ChargeStatus.CLEAN)),
            ChargeRow.judged_with.not_in(("", judged_with)),
            ~is_out,
        )
        .with_for_update(skip_locked=True)
    ).all()
    deed = lifecycle.Deed("rules changed", ACTOR, now, database.keyring)
    lifecycle.move(session, stale, ChargeStatus.CAPTURED, deed)


def facts_of(
    database: Database, practice: Practice, charge_number: int, now: datetime, tables: Reference = NO_TABLES
) -> Facts:
    """What the rules are given to judge one charge."""
    with database.transaction() as session:
        row = session.get_one(ChargeRow, charge_number)
        today = now.astimezone(ZoneInfo(practice.time_zone)).date()
        captured = documents.read(session, database.keyring, [row])
        return _facts(session, practice, captured, today, tables.without_samples(practice.demanded_tables))[row]


def _facts(
    session: Session,
    practice: Practice,
    captured: Mapping[ChargeRow, Charge],
    today: date,
    tables: Reference,
) -> dict[ChargeRow, Facts]:
    """The facts of charges: completed from the profile, with the patient's history and the payer's policy."""
    histories = _histories(session, list(captured))
    found = {}
    for row, given in captured.items():
        charge = complete(practice, given)
        earlier = [
            line
            for charge_id, line in histories.get(row.patient_key, ())
            if charge_id < row.id or (line.billed and charge_id != row.id)
        ]
        found[row] = Facts(
            charge=charge,
            today=today,
            history=earlier,
            policy=practice.policy(charge),
            tables=tables,
            demanded=practice.demanded_tables,
        )
    return found


def _histories(session: Session, rows: Sequence[ChargeRow]) -> Mapping[str, Sequence[tuple[int, HistoryLine]]]:
    """The lines of these patients' charges with the charge's id, by patient, oldest first.

    Of two charges with the same service the one captured later is the duplicate, so each is compared with those
    captured before it and with those already billed.
    """
    found = session.execute(
        select(HistoryLineRow, ChargeRow.key, ChargeRow.status)
        .join(ChargeRow, ChargeRow.id == HistoryLineRow.charge_id)
        .where(
            HistoryLineRow.patient_key.in_({row.patient_key for row in rows}),
            ChargeRow.status != ChargeStatus.VOID,
        )
        .order_by(HistoryLineRow.service_date, HistoryLineRow.id)
    )
    histories: dict[str, list[tuple[int, HistoryLine]]] = {}
    for line, key, status in found:
        earlier = HistoryLine(
            charge_key=key,
            service_date=line.service_date,
            code=line.code,
            modifiers=tuple(line.modifiers.split()),
            units=Decimal(line.units) if line.units else None,
            rendering_npi=line.rendering_npi,
            billed=status in (ChargeStatus.CLAIMED, ChargeStatus.ACCEPTED),
        )
        histories.setdefault(line.patient_key, []).append((line.charge_id, earlier))
    return histories
