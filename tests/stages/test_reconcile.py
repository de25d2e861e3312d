"""Money never drifts: the books of a practice agree, and whatever is tampered with is named."""

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from charges import acknowledgements
from charges.amending.deciding import Decision
from charges.db import Database, create_database_engine, upgrade
from charges.errors import Refused, Stale
from charges.model import Charge, Encounter
from charges.reconcile import Reconciliation, reconcile
from charges.replies import unmatched
from charges.settings import Settings
from charges.tables import Amendment, ChargeStatus, ClaimFileRow, Mode
from rules.examples import COVERAGE, MEDICAID, PATIENT, SERVICE_DATE, TODAY, charge, line
from tests.conftest import KEYRING, NOON
from tests.practice import Workplace
from tests.replies import a835, about_claims, decided, denied, no, paid, taken_back, yes

PAID, DENIED, OPEN, HELD, SELF_PAY, VOID, SHARED, SECOND, REFUSED = range(1, 10)
BOOKS: Mapping[int, Mapping[str, object]] = {
    PAID: {},
    DENIED: {},
    OPEN: {},
    HELD: {"diagnoses": ()},
    SELF_PAY: {"self_pay": True},
    VOID: {"voided": True},
    SHARED: {"lines": (line(), line("A9270", charge=Decimal("12.34"), patient_share=True))},
    SECOND: {"coverages": (COVERAGE, MEDICAID)},
    REFUSED: {},
}


def number(charge_id: int, claim: int = 1) -> str:
    return f"CR{charge_id:09d}{claim:02d}"


def _charge(key: int, **changes: Any) -> Charge:
    given = changes.pop("lines", (line(),))
    person = PATIENT.model_copy(update={"record_number": f"P{key}"})
    return charge(**{"key": str(key), "patient": person} | changes).model_copy(update={"lines": given})


def _reply(workplace: Workplace, *contents: bytes) -> None:
    inbound = workplace.folder / "inbound"
    inbound.mkdir(exist_ok=True)
    for content in contents:
        (inbound / f"{len(list(inbound.iterdir())):03d}.x12").write_bytes(content)
        workplace.run("queue")


def _reconciled(
    workplace: Workplace, first: date | None = None, last: date | None = None, database: Database | None = None
) -> Reconciliation:
    applied = workplace.applied
    return reconcile(database or workplace.database, applied.id, applied.practice, TODAY, first, last)


def _promises(workplace: Workplace) -> set[tuple[str, str]]:
    return {(each.promise, each.subject) for each in _reconciled(workplace).breaks}


def _tampered(workplace: Workplace, folder: Path, *statements: str) -> Reconciliation:
    """What is found in a copy of the workplace's database with which somebody tampered."""
    copy = f"sqlite:///{folder / 'tampered.db'}"
    original = workplace.database.engine.url.database or ""
    with sqlite3.connect(original) as given, sqlite3.connect(folder / "tampered.db") as taken:
        given.backup(taken)
    database = Database(create_database_engine(Settings(database_url=copy)), KEYRING)
    with database.transaction() as session:
        for statement in statements:
            session.execute(text(statement))
    found = _reconciled(workplace, database=database)
    database.close()
    return found


def _parts(found: Reconciliation, name: str) -> dict[str, str]:
    (equation,) = (each for each in found.equations if each.name == name)
    assert not equation.off
    return {part: f"{amount:.2f}" for part, amount in equation.parts.items() if amount}


def _books(workplace: Workplace) -> Workplace:
    """A week of a practice: something of everything."""
    workplace.source.put(*(_charge(key, **changes) for key, changes in BOOKS.items()))
    workplace.run()
    _reply(
        workplace,
        about_claims(yes(number(PAID)), no(number(REFUSED))),
        a835(*paid(number(PAID)), *denied(number(DENIED)), *paid(number(SECOND)), paid="160"),
    )
    workplace.source.put(_charge(REFUSED, note="corrected"))
    workplace.run()
    _reply(
        workplace, a835(*decided(number(SECOND, 2), "150*20*0", "SVC*HC:99213*150*20**1", "CAS*OA*23*130"), paid="20")
    )
    return workplace


@pytest.fixture
def books(workplace: Workplace) -> Workplace:
    return _books(workplace)


@pytest.fixture
def small_books(small_workplace: Workplace) -> Workplace:
    return _books(small_workplace)


@pytest.fixture(scope="module")
def kept_books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """Books that nobody changes."""
    folder = tmp_path_factory.mktemp("books")
    engine = create_database_engine(Settings(database_url=f"sqlite:///{folder / 'books.db'}"))
    upgrade(engine)
    opened = Database(engine, KEYRING)
    yield _books(Workplace(opened, folder, lambda: NOON))
    opened.close()


def test_every_cent_is_at_one_place(books: Workplace) -> None:
    found = _reconciled(books)
    assert not found.breaks
    assert found.holds
    assert _parts(found, "charges") == {
        "patient share": "12.34",
        "claimed": "900.00",
        "held": "150.00",
        "self-pay": "150.00",
        "void": "150.00",
    }
    assert _parts(found, "claimed of first payers") == {
        "paid": "160.00",
        "owed by the patient": "40.00",
        "denied": "150.00",
        "adjusted": "100.00",
        "open": "450.00",
    }
    assert _parts(found, "claimed of later payers") == {"paid": "20.00", "adjusted": "130.00"}
    assert _parts(found, "claims and files") == {"in the files": "1200.00"}
    assert _parts(found, "remittances") == {"posted to claims": "180.00"}
    assert found.counted == {"charges": 9, "claims": 8, "files": 3, "remittances": 2, "replies not carried out": 0}


@pytest.mark.parametrize(
    ("statement", "promise", "subject"),
    [
        ("UPDATE charges SET total = 14000 WHERE id = 3", "charge-amount", "charge 3"),
        ("UPDATE claims SET total = 14000 WHERE number = 'CR00000000301'", "claim-amount", "claim CR00000000301"),
        ("UPDATE claims SET total = 14000 WHERE number = 'CR00000000301'", "amount-in-file", "claim CR00000000301"),
        ("UPDATE claims SET total = 14000 WHERE number = 'CR00000000301'", "file-total", "file 1"),
        ("UPDATE claims SET live = false WHERE number = 'CR00000000301'", "no-claim", "charge 3"),
        ("UPDATE charges SET status = 'clean' WHERE id = 3", "may-go-twice", "charge 3"),
        ("UPDATE charges SET status = 'void' WHERE id = 3", "claim-stands", "charge 3"),
        ("UPDATE claims SET claim_file_id = 2 WHERE number = 'CR00000000301'", "in-two-files", "claim CR00000000301"),
        ("UPDATE claims SET claim_file_id = 2 WHERE number = 'CR00000000301'", "not-in-file", "claim CR00000000301"),
        ("UPDATE claims SET number = 'CR0' WHERE number = 'CR00000000301'", "not-ours", "claim CR00000000301"),
        ("UPDATE claim_files SET sha256 = 'beef' WHERE id = 1", "file-bytes", "file 1"),
        ("UPDATE claim_files SET control_number = 9 WHERE id = 3", "file-bytes", "file 3"),
        ("UPDATE control_numbers SET next = 9", "control-next", "scope LAKE01>PRAIRIE:T"),
        ("DELETE FROM answers", "billed-twice", "charge 9"),
        ("UPDATE payments SET charged = 14000 WHERE claim_id = 1", "decided-amount", "claim CR00000000101"),
        ("UPDATE payments SET paid = 9000 WHERE claim_id = 1", "decision-parts", "claim CR00000000101"),
        ("UPDATE payments SET paid = 9000 WHERE claim_id = 1", "remittance", "payment EFT1001"),
        ("UPDATE payments SET denied = 0", "decision-parts", "claim CR00000000201"),
        ("DELETE FROM payment_reasons WHERE reason = '45'", "decision-parts", "claim CR00000000101"),
        ("UPDATE remittances SET paid = 15000 WHERE id = 1", "remittance", "payment EFT1001"),
        ("DELETE FROM events WHERE subject = 'charge' AND subject_id = 3 AND sequence = 2", "history", "charge 3"),
        ("UPDATE events SET actor = 'x' WHERE subject = 'file' AND subject_id = 1", "history", "file 1"),
    ],
)
def test_what_was_tampered_with_is_named(
    kept_books: Workplace, tmp_path: Path, statement: str, promise: str, subject: str
) -> None:
    found = _tampered(kept_books, tmp_path, statement)
    assert (promise, subject) in {(each.promise, each.subject) for each in found.breaks}
    assert not found.holds


def test_a_lost_file_is_a_gap(kept_books: Workplace, tmp_path: Path) -> None:
    found = _tampered(
        kept_books,
        tmp_path,
        "DELETE FROM payment_reasons WHERE payment_id IN (SELECT id FROM payments WHERE claim_id = 7)",
        "DELETE FROM payments WHERE claim_id = 7",
        "DELETE FROM answers WHERE claim_file_id = 2",
        "DELETE FROM claims WHERE claim_file_id = 2",
        "DELETE FROM claim_files WHERE id = 2",
    )
    (gap,) = (each for each in found.breaks if each.promise == "control-gap")
    assert gap.says == "Of the control numbers 1 to 3 between LAKE01>PRAIRIE:T these are of no file: 2."


def test_a_payment_of_nothing_sent_here_is_named(small_books: Workplace) -> None:
    _reply(small_books, a835(*paid("STRANGER1"), paid="80", trace="EFT7"))
    found = _reconciled(small_books)
    (only,) = found.breaks
    assert only.says == "Claim 1 of payment EFT7 of payer 1370000001, 80.00 paid of 150.00, is about nothing sent here."
    assert "`charges files reply 4`" in only.do
    assert _parts(found, "remittances")["unmatched"] == "80.00"


def test_a_payment_of_nothing_sent_here_is_settled_with_a_reason(small_books: Workplace, tmp_path: Path) -> None:
    _reply(small_books, a835(*paid("STRANGER1"), paid="80", trace="EFT7"))
    database, clock = small_books.database, small_books.clock
    with pytest.raises(Refused, match="why"):
        unmatched.settle(database, 1, by="ada", reason=" ", clock=clock)
    with pytest.raises(Refused, match="no unmatched payment 2"):
        unmatched.settle(database, 2, by="ada", reason="returned", clock=clock)
    unmatched.settle(database, 1, by="ada", reason="sent by the old system", clock=clock)
    with pytest.raises(Stale, match="settled by now"):
        unmatched.settle(database, 1, by="bob", reason="returned", clock=clock)
    found = _reconciled(small_books)
    assert found.holds
    assert _parts(found, "remittances")["unmatched and settled"] == "80.00"
    assert not unmatched.unmatched(database)
    (settled,) = unmatched.unmatched(database, every=True)
    assert (settled.by, settled.reason, settled.paid) == ("ada", "sent by the old system", Decimal(80))
    tampered = _tampered(small_books, tmp_path, "UPDATE events SET actor = 'bob' WHERE subject = 'payment'")
    assert [each.promise for each in tampered.breaks] == ["history"]
    _reply(small_books, a835(*paid("STRANGER1"), paid="80", trace="EFT7", number=78))  # it comes once more
    assert _reconciled(small_books).holds
    unmatched.reopen(database, 1, by="bob", reason="the old system never sent it", clock=clock)
    assert _promises(small_books) == {("unmatched", "payment EFT7")}


def test_a_payment_under_another_number_is_posted_to_the_claim_that_a_person_names(small_books: Workplace) -> None:
    line = ("SVC*HC:99213*150*80**1", "DTM*472*20261116", "CAS*CO*45*50", "CAS*PR*3*20")
    _reply(small_books, a835(*paid(number(PAID, 1)), *decided("00001", "150*80*20", *line), paid="160", trace="EFT7"))
    database, clock = small_books.database, small_books.clock
    with pytest.raises(Refused, match="No claim CR9 went out"):
        acknowledgements.match(database, 1, "CR9", by="ada", reason="same patient and day", clock=clock)
    with pytest.raises(Refused, match="was posted to claim"):
        acknowledgements.match(database, 1, number(PAID), by="ada", reason="same patient and day", clock=clock)
    assert small_books.states()[str(OPEN)] is ChargeStatus.CLAIMED
    acknowledgements.match(database, 1, number(OPEN), by="ada", reason="same patient and day", clock=clock)
    assert small_books.states()[str(OPEN)] is ChargeStatus.ACCEPTED
    assert ("unmatched", "payment EFT7") not in _promises(small_books)
    (matched,) = unmatched.unmatched(database, every=True)
    assert matched.reason == f"To claim {number(OPEN)}: same patient and day"
    with pytest.raises(Stale, match="matched by now"):
        unmatched.settle(database, 1, by="ada", reason="returned", clock=clock)


def test_a_payment_of_more_than_a_claim_is_not_posted_to_it(small_books: Workplace) -> None:
    line = ("SVC*HC:99213*151*81**1", "DTM*472*20261116", "CAS*CO*45*50", "CAS*PR*3*20")
    _reply(small_books, a835(*decided("00001", "151*81*20", *line), paid="81", trace="EFT7"))
    with pytest.raises(Refused, match=r"151\.00, which is more than claim"):
        acknowledgements.match(
            small_books.database, 1, number(OPEN), by="ada", reason="same patient", clock=small_books.clock
        )


def test_a_payer_that_decides_twice_is_named(small_books: Workplace) -> None:
    _reply(small_books, a835(*paid(number(PAID)), paid="80", trace="EFT8"))
    assert _promises(small_books) == {("decided-amount", f"claim {number(PAID)}"), ("overpaid", "charge 1")}
    _reply(small_books, a835(*taken_back(number(PAID)), paid="-80", trace="EFT9"))
    assert not _promises(small_books)


def test_a_decision_taken_back_leaves_the_claim_open(small_books: Workplace) -> None:
    _reply(small_books, a835(*taken_back(number(PAID)), paid="-80", trace="EFT9"))
    assert _parts(_reconciled(small_books), "claimed of first payers")["open"] == "600.00"


def test_a_replaced_claim_counts_by_the_one_in_its_place(small_books: Workplace) -> None:
    small_books.source.put(_charge(PAID, lines=(line(charge=Decimal("175.00")),)))
    small_books.run("pull", "generate")
    assert _parts(_reconciled(small_books), "charges")["changed since claimed"] == "25.00"
    small_books.pipeline.decide(PAID, Decision(Amendment.REPLACE, "ada", "the fee was corrected"))
    small_books.run("judge", "generate", "deliver")
    found = _reconciled(small_books)
    assert found.holds
    assert "changed since claimed" not in _parts(found, "charges")
    assert found.beside["paid on claims that do not stand any more"] == 80
    replaced = decided(number(PAID, 2), "175*80*20", "SVC*HC:99213*175*80**1", "CAS*CO*45*75", "CAS*PR*3*20")
    _reply(small_books, a835(*replaced, paid="80", trace="EFT2"))
    assert _promises(small_books) == {("decided-twice", f"claim {number(PAID)}")}
    _reply(small_books, a835(*taken_back(number(PAID)), paid="-80", trace="EFT3"))
    assert _reconciled(small_books).holds


def test_a_void_that_is_on_its_way_is_void(small_books: Workplace) -> None:
    small_books.source.put(_charge(PAID, voided=True))
    small_books.run("pull", "generate")
    small_books.pipeline.decide(PAID, Decision(Amendment.VOID, "ada", "not performed"))
    small_books.run("generate")
    found = _reconciled(small_books)
    assert found.holds
    assert _parts(found, "charges")["void"] == "300.00"


def test_a_shadow_is_nothing_claimed(small_workplace: Workplace) -> None:
    small_workplace.apply(Mode.SHADOW)
    small_workplace.source.put(_charge(1))
    small_workplace.run()
    found = _reconciled(small_workplace)
    assert found.holds
    assert _parts(found, "charges") == {"shadow": "150.00"}
    assert not _parts(found, "claimed of first payers")


def test_a_price_that_the_profile_filled_in_is_as_it_was_claimed(small_workplace: Workplace) -> None:
    small_workplace.apply(fee_schedule={"99213": Decimal("140.00")})
    small_workplace.source.put(
        _charge(1, lines=(line(charge=None),)), _charge(2, lines=(line(charge=None),), diagnoses=())
    )
    small_workplace.run()
    small_workplace.apply(fee_schedule={"99213": Decimal("160.00")})
    found = _reconciled(small_workplace)
    assert found.holds
    assert _parts(found, "charges")["claimed"] == "140.00"


def test_only_the_charges_of_a_period(small_workplace: Workplace) -> None:
    later = SERVICE_DATE + timedelta(days=3)
    small_workplace.source.put(_charge(1), _charge(2, lines=(line(service_date=later),), encounter=_visit(later)))
    small_workplace.run()
    assert _reconciled(small_workplace, SERVICE_DATE, SERVICE_DATE).counted["charges"] == 1
    assert _reconciled(small_workplace, SERVICE_DATE).counted["charges"] == 2
    assert _reconciled(small_workplace, None, SERVICE_DATE - timedelta(days=1)).counted["charges"] == 0
    half = _reconciled(small_workplace, later, later)
    assert half.holds
    assert _parts(half, "claims and files") == {"in the files": "300.00"}, "a file is read whole"


def test_the_whole_is_seen_at_one_moment_while_others_go_on(books: Workplace) -> None:
    with books.database.snapshot() as session:
        before = session.query(ClaimFileRow).count()
        books.source.put(_charge(20))
        books.run()
        assert session.query(ClaimFileRow).count() == before
    with books.database.snapshot() as session:
        assert session.query(ClaimFileRow).count() == before + 1


# Encounters without a charge


def _visit(day: date, **state: object) -> Encounter:
    given: dict[str, object] = {
        "record_number": "77",
        "start_date": day,
        "status": "CHK",
        "checked_out": True,
        "locked": True,
    }
    return Encounter.model_validate(given | state)


def test_a_visit_of_which_nothing_was_charged_is_told_with_its_age(small_workplace: Workplace) -> None:
    recent, old = TODAY - timedelta(days=3), TODAY - timedelta(days=4)
    still_open = _visit(old, checked_out=False, locked=False)
    small_workplace.source.put(
        _charge(1, lines=(), encounter=_visit(recent)), _charge(2, lines=(), encounter=still_open)
    )
    small_workplace.run()
    found = _reconciled(small_workplace)
    assert [(each.charge, each.age, each.is_over) for each in found.visits] == [(1, 3, True), (2, 4, False)]
    assert found.holds, "their charge is not due yet"
    small_workplace.source.put(_charge(3, lines=(), encounter=_visit(old)))
    small_workplace.run()
    found = _reconciled(small_workplace)
    assert [each.charge for each in found.missing] == [3]
    assert not found.holds
