"""No patient data outside encrypted columns and files: the pipeline with marked people, then a search everywhere."""

import io
import json
import logging
import sqlite3
import traceback
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest

from charges import review
from charges.db import Database, create_database_engine, upgrade
from charges.desk import corrections
from charges.desk import sharing as desk
from charges.errors import ChargerouterError
from charges.keyring import KEYRING_BYTES, Keyring
from charges.log import configure_logging
from charges.model import Address, Coverage, Subscriber
from charges.practice.profile import Telling
from charges.settings import Settings
from charges.tables import SEALED_ROWS, Base, ClaimRow, NoticeRow, Role, SealedRow, SubscriptionRow, UserRow
from charges.telling import digests, endpoints, letters, subscriptions
from charges.telling.letters import Envelope
from charges.telling.subscriptions import Wish
from charges.users import accounts
from charges.users.accounts import Wanted
from rules.examples import CHILD_SUBSCRIBER, COVERAGE, PATIENT, charge, line
from tests.practice import Workplace

REASON = "reason naming Zyxwvut"
MARKS = (
    "Zyxwvut",
    "Qqfirst",
    "Marklane",
    "MEMBER77XQ",
    "GROUP88XQ",
    "Yysubscriber",
    "5559990142",
    "777889999",
    "1947-03-21",
    "19470321",
    "AUTH55XQ",
    "Xxnote",
    "reason naming Zyxwvut",
    "RN4711XQ",
)
"""What stands for a patient in this test: names, numbers, dates, and a reason in which somebody wrote a name."""


def _marked() -> list[object]:
    patient = PATIENT.model_copy(
        update={
            "record_number": "RN4711XQ",
            "last_name": "Zyxwvut",
            "first_name": "Qqfirst",
            "birth_date": date(1947, 3, 21),
            "phone": "5559990142",
            "ssn": "777889999",
            "address": Address(line1="9 Marklane", city="Springfield", state="IL", postal_code="62704"),
        }
    )
    coverage = COVERAGE.model_copy(update={"member_id": "MEMBER77XQ", "group_number": "GROUP88XQ"})
    parent = Coverage(
        payer=COVERAGE.payer,
        member_id="MEMBER77XQ",
        relationship="19",
        subscriber=Subscriber(**(CHILD_SUBSCRIBER.model_dump(exclude={"address"}) | {"last_name": "Yysubscriber"})),
    )
    references = charge().references.model_copy(update={"prior_authorization": "AUTH55XQ"})
    common = {"patient": patient, "coverages": (coverage,), "references": references, "note": "Xxnote"}
    return [
        charge(line("99214", note="Xxnote"), key="clean", **common),
        charge(line("99213"), line("20610"), key="held", **common),
        charge(key="unwritable", **(common | {"coverages": (parent,)})),
        charge(
            line("99213", units=None), key="broken", **(common | {"patient": patient.model_copy(update={"sex": "?"})})
        ),
    ]


@pytest.fixture
def seen(capfd: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """All that was printed or logged, at the most talkative level, by every library."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    configure_logging("debug")
    for name in ("", "sqlalchemy.engine", "sqlalchemy.pool", "pyx12", "pyx12.error_handler", "alembic"):
        logging.getLogger(name).addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)

    def everything() -> str:
        captured = capfd.readouterr()
        return stream.getvalue() + captured.out + captured.err

    return everything


def _assert_unmarked(text: str, where: str) -> None:
    assert [mark for mark in MARKS if mark.lower() in text.lower()] == [], where


def test_nothing_that_names_a_patient_leaves_the_sealed_columns(
    sqlite_url: str, tmp_path: Path, clock: Callable[[], datetime], seen: Callable[[], str]
) -> None:
    engine = create_database_engine(Settings(database_url=sqlite_url))
    upgrade(engine)
    database = Database(engine, Keyring({1: b"k" * KEYRING_BYTES}, b"i" * KEYRING_BYTES))
    workplace = Workplace(database, tmp_path / "practice", clock)
    workplace.apply(telling=Telling(queue_limit=1))
    workplace.source.put(*_marked())  # type: ignore[arg-type]
    workplace.source.put_broken("unread")
    workplace.run()
    (file,) = workplace.files()
    assert b"ZYXWVUT" in file.read_bytes()  # the claim itself names its patient
    endpoint = {"networks": (), "by": "engineer", "clock": clock}
    endpoints.add(database, "lakeside", "vendor", "https://vendor.example/hook", (), **endpoint)  # type: ignore[arg-type]
    accounts.add(database, "ann", Wanted(Role.LEAD, ("lakeside",)), by="engineer", clock=clock)
    subscriptions.subscribe(database, "ann", Wish("ann@lakeside.example"), by="ann", clock=clock)
    assert workplace.pipeline.notice(workplace.applied)  # what is told stands in plain columns, searched below
    _assert_unmarked(_mail(database, workplace), "a mail")
    for held in review.held(database):
        item = next(item for item in held.items if item.finding.severity.holds)
        desk.comment(database, held.charge_number, REASON, by="ada", clock=clock)
        desk.ask(database, held.charge_number, REASON, by="ada", clock=clock)
        try:
            edits = {"patient.last_name": "ZYXWVUT", "note": "XXNOTE"}
            corrections.correct(database, item.number, by="ada", reason=REASON, edits=edits, clock=clock)
        except ChargerouterError as error:
            _assert_unmarked("".join(traceback.format_exception(error)), "an exception")
        try:
            review.waive(database, item.number, by="ada", reason=REASON, clock=clock)
        except ChargerouterError as error:
            _assert_unmarked("".join(traceback.format_exception(error)), "an exception")
    _assert_unmarked(file.name, "the file's name")
    _assert_unmarked("".join(_claim_numbers(database)), "CLM01")
    _assert_unmarked(seen(), "what was printed or logged")
    database.close()
    for path in tmp_path.glob("chargerouter.db*"):
        _assert_unmarked(path.read_bytes().decode("latin-1"), path.name)
    _assert_unmarked(_plain_columns(tmp_path / "chargerouter.db"), "a plain column")


def _mail(database: Database, workplace: Workplace) -> str:
    """What a lead is told by mail of all that was noticed."""
    with database.transaction() as session:
        row, user = session.query(SubscriptionRow).one(), session.query(UserRow).one()
        body = json.dumps({"kind": "digest", "notices": [number for (number,) in session.query(NoticeRow.id)]})
        items, _ = digests.readable(session, row, user, body, "https://charges.example", workplace.clock())
    assert items
    envelope = Envelope("msg_1", "charges@lakeside.example", row.address, workplace.clock(), "https://charges.example")
    mail = letters.letter(items, envelope, urgent=False)
    parts = [part.get_content() for part in mail.walk() if not part.is_multipart()]
    return "\n".join([*map(str, mail.values()), *parts])


def _claim_numbers(database: Database) -> list[str]:
    with database.transaction() as session:
        return [number for (number,) in session.query(ClaimRow.number)]


def _plain_columns(path: Path) -> str:
    """Every value of every column that is not sealed."""
    sealed = {(table.__tablename__, name) for table in SEALED_ROWS for name in table.SEALED}  # type: ignore[attr-defined]
    texts = []
    with sqlite3.connect(path) as connection:
        for table in Base.metadata.tables.values():
            columns = [f'"{column.name}"' for column in table.columns if (table.name, column.name) not in sealed]
            rows = connection.execute(f"SELECT {', '.join(columns)} FROM {table.name}").fetchall()
            texts += [str(value) for row in rows for value in row]
    connection.close()
    return "\n".join(texts)


def test_every_binary_column_is_a_sealed_one() -> None:
    binary = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.type.python_type is bytes
    }
    sealed = {(table.__tablename__, name) for table in SEALED_ROWS for name in table.SEALED}  # type: ignore[attr-defined]
    assert binary == sealed
    assert set(SEALED_ROWS) == set(SealedRow.__subclasses__())


def test_the_repr_of_a_fact_shows_no_value() -> None:
    for record in (charge(), PATIENT, COVERAGE, line(), charge().encounter):
        _assert_unmarked(repr(record) + str(record), "a repr")
        assert PATIENT.last_name not in repr(record) + str(record)


def test_keys_are_rotated_and_old_ones_seal_nothing(workplace: Workplace) -> None:
    from charges.rotation import reseal_all, rows_by_key

    workplace.source.put(charge(key="1"), charge(line("99213"), line("20610"), key="2"))
    workplace.run()
    before = review.case(workplace.database, 1)
    rotated = Database(workplace.database.engine, workplace.database.keyring.with_new_key())
    assert set(rows_by_key(rotated)) == {1}
    reseal_all(rotated, lambda _: None)
    assert set(rows_by_key(rotated)) == {2}
    newest = Database(workplace.database.engine, Keyring({2: rotated.keyring.keys[2]}, rotated.keyring.index))
    assert review.case(newest, 1) == before
