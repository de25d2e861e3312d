"""Stage 5: the stored bytes go out once, under their name, when the partner wants them; what nobody knows is asked."""

import errno
import multiprocessing
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncssh
import pysequoia
import pytest

from charges import delivery
from charges.clearinghouses import Parcel, Presence
from charges.clearinghouses.folder import Folder
from charges.clearinghouses.null import Null
from charges.clearinghouses.sftp import Sftp
from charges.db import Database, create_database_engine
from charges.errors import Refused, Unavailable
from charges.lifecycle import broken_chains
from charges.model import Charge
from charges.practice.partner import Sending, SftpTransport, Window
from charges.practice.sending_hours import federal_holidays
from charges.settings import Settings
from charges.tables import ClaimFileRow, ClaimRow, EventRow, FileStatus
from rules.examples import PATIENT, charge
from tests.clearinghouses.ssh import FaultyVendor, Lost, Vendor, faulty, openssh
from tests.conftest import KEYRING, NOON
from tests.practice import Workplace
from tests.replies import a835, accepted, paid, ta1
from tests.soak.mortal import listen

FIRST = "CR00000000101"
CHICAGO = ZoneInfo("America/Chicago")


def _patients(count: int) -> list[Charge]:
    return [
        charge(key=str(number), patient=PATIENT.model_copy(update={"record_number": str(number)}))
        for number in range(count)
    ]


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def after(self, **time: int) -> "Clock":
        self.now += timedelta(**time)
        return self


def _rows(workplace: Workplace) -> list[ClaimFileRow]:
    with workplace.database.transaction() as session:
        return session.query(ClaimFileRow).order_by(ClaimFileRow.id).all()


def _states(workplace: Workplace) -> list[FileStatus]:
    return [row.status for row in _rows(workplace)]


def _content(workplace: Workplace) -> bytes:
    (row,) = _rows(workplace)
    return row.unseal(workplace.database.keyring, "content")


def _several(workplace: Workplace, count: int) -> Workplace:
    partner = workplace.applied.practice.trading_partner.model_copy(update={"claims_per_file": 1})
    workplace.apply(trading_partner=partner)
    workplace.source.put(*_patients(count))
    workplace.run("pull", "judge", "generate")
    return workplace


@pytest.fixture
def clock_to_set() -> Clock:
    return Clock()


@pytest.fixture
def built(small_workplace: Workplace) -> Workplace:
    """A workplace with one file built and not sent."""
    small_workplace.source.put(*_patients(1))
    small_workplace.run("pull", "judge", "generate")
    return small_workplace


class Faulty(Folder):
    """A folder where a step fails, before or after it is done."""

    def fail(self, step: str, when: str) -> "Faulty":
        object.__setattr__(self, "_plan", (step, when))
        return self

    def _do(self, step: str, parcel: Parcel) -> None:
        plan = getattr(self, "_plan", None)
        if plan == (step, "before"):
            raise OSError(errno.EIO, "gone")
        getattr(super(), step)(parcel)
        if plan == (step, "after"):
            raise OSError(errno.EIO, "gone")

    def stage(self, parcel: Parcel) -> None:
        self._do("stage", parcel)

    def publish(self, parcel: Parcel) -> None:
        self._do("publish", parcel)


@pytest.mark.parametrize("step", ["stage", "publish"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_step_sends_the_same_bytes_once(built: Workplace, step: str, when: str) -> None:
    faulty_folder = Faulty(built.clearinghouse.outbound, built.clearinghouse.inbound).fail(step, when)
    with pytest.raises(OSError, match="gone"):
        delivery.deliver(built.database, built.applied.id, faulty_folder, built.clock)
    built.run("deliver")
    (file,) = built.files()
    assert file.read_bytes() == _content(built)
    assert _states(built) == [FileStatus.SENT]
    assert [path.name for path in built.outbound.iterdir()] == [file.name]


def test_a_file_is_never_there_under_both_names(built: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendor who takes one of them, just when the worker is killed, would be sent the other one."""
    seen: list[list[str]] = []
    genuine = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        seen.append([each.name for each in built.outbound.iterdir()])
        genuine(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    built.run("deliver")
    assert [len(names) for names in seen if names] in ([], [1])
    assert [path.name for path in built.outbound.iterdir()] == [path.name for path in built.files()]


def test_what_cannot_be_known_is_asked(built: Workplace) -> None:
    faulty_folder = Faulty(built.clearinghouse.outbound, built.clearinghouse.inbound).fail("publish", "after")
    with pytest.raises(OSError, match="gone"):
        delivery.deliver(built.database, built.applied.id, faulty_folder, built.clock)
    built.files()[0].unlink()  # the vendor took it at once
    built.run("deliver")
    assert _states(built) == [FileStatus.UNCERTAIN]
    built.run("deliver")
    assert not built.files()
    with pytest.raises(Refused, match="reason"):
        delivery.settle(built.database, 1, received=True, by="ada", why="", clock=built.clock)
    delivery.settle(built.database, 1, received=False, by="ada", why="vendor called", clock=built.clock)
    built.run("deliver")
    assert _states(built) == [FileStatus.SENT]
    assert len(built.files()) == 1


def test_only_an_uncertain_file_can_be_settled(built: Workplace) -> None:
    with pytest.raises(Refused, match="not one of which"):
        delivery.settle(built.database, 1, received=True, by="ada", why="x", clock=built.clock)


def test_another_file_of_that_name_is_not_touched_and_stops_no_other(small_workplace: Workplace) -> None:
    workplace = _several(small_workplace, 2)
    first, second = (row.name for row in _rows(workplace))
    workplace.outbound.mkdir()
    (workplace.outbound / first).write_bytes(b"somebody else's")
    with pytest.raises(Refused, match="not touched"):
        workplace.run("deliver")
    assert (workplace.outbound / first).read_bytes() == b"somebody else's"
    assert (workplace.outbound / second).exists()
    assert _states(workplace) == [FileStatus.BUILT, FileStatus.SENT]


def test_a_full_disk_loses_nothing(built: Workplace, clock_to_set: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(Unavailable, match="is full; make room"):
            built.run("deliver")
    assert not built.files()
    delivery.deliver(built.database, built.applied.id, built.clearinghouse, clock_to_set.after(minutes=1))
    assert len(built.files()) == 1


def test_a_drop_folder_that_is_a_file_is_told(built: Workplace) -> None:
    built.outbound.write_text("not a folder")
    with pytest.raises(Unavailable, match="drop folder"):
        built.run("deliver")


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    folder, parcel = Folder(tmp_path / "out", tmp_path / "in"), Parcel("a.837", b"ISA")
    folder.stage(parcel)
    assert not list((tmp_path / "out").glob("*.837"))
    folder.publish(parcel)
    assert (tmp_path / "out" / "a.837").read_bytes() == b"ISA"


def test_a_file_that_was_damaged_in_the_database_is_not_sent(built: Workplace) -> None:
    with built.database.transaction() as session:
        session.query(ClaimFileRow).one().seal(built.database.keyring, content=b"ISA*changed")
    with pytest.raises(Refused, match="not what was checked and stored"):
        built.run("deliver")
    assert not built.files()


# Waiting


def test_a_place_that_does_not_answer_is_tried_less_and_less_often(small_workplace: Workplace) -> None:
    workplace, clock = _several(small_workplace, 2), Clock()

    class Away(Null):
        asked = 0

        def presence(self, parcel: Parcel) -> Presence:
            type(self).asked += 1
            raise Unavailable("nobody there")

    waits = []
    for _ in range(9):
        with pytest.raises(Unavailable):
            delivery.deliver(workplace.database, workplace.applied.id, Away(), clock)
        asked = Away.asked
        delivery.deliver(workplace.database, workplace.applied.id, Away(), clock)
        assert Away.asked == asked, "the place was asked again at once"
        first, second = _rows(workplace)
        assert first.next_try_at == second.next_try_at
        assert first.next_try_at is not None
        waits.append((first.next_try_at - clock.now) // timedelta(minutes=1))
        clock.now = first.next_try_at
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert (first.tries, first.fault) == (9, "nobody there")
    sent = Null()
    assert delivery.deliver(workplace.database, workplace.applied.id, sent, clock).sent == 2
    assert {(row.tries, row.fault, row.next_try_at) for row in _rows(workplace)} == {(0, None, None)}


def test_a_person_need_not_wait_for_the_next_try(built: Workplace) -> None:
    built.outbound.write_text("not a folder")
    with pytest.raises(Unavailable):
        built.run("deliver")
    built.outbound.unlink()
    built.run("deliver")
    assert not built.files()
    delivery.resend(built.database, 1, by="ada", why="the folder is there now", clock=built.clock)
    built.run("deliver")
    assert len(built.files()) == 1


@pytest.mark.parametrize(
    ("now", "wanted", "sent"),
    [
        (datetime(2026, 11, 25, 16, 59, tzinfo=CHICAGO), Sending(windows=(Window(opens=time(6), closes=time(17)),)), 1),
        (datetime(2026, 11, 25, 17, 0, tzinfo=CHICAGO), Sending(windows=(Window(opens=time(6), closes=time(17)),)), 0),
        (datetime(2026, 11, 25, 5, 59, tzinfo=CHICAGO), Sending(windows=(Window(opens=time(6)),)), 0),
        (datetime(2026, 11, 26, 12, 0, tzinfo=CHICAGO), Sending(federal_holidays=True), 0),  # Thanksgiving
        (datetime(2026, 11, 26, 12, 0, tzinfo=CHICAGO), Sending(), 1),
        (datetime(2026, 11, 28, 12, 0, tzinfo=CHICAGO), Sending(weekends=False), 0),
        (datetime(2026, 11, 27, 12, 0, tzinfo=CHICAGO), Sending(holidays=frozenset({date(2026, 11, 27)})), 0),
        (datetime(2026, 11, 28, 3, 0, tzinfo=UTC), Sending(holidays=frozenset({date(2026, 11, 27)})), 0),
    ],
)
def test_files_leave_when_the_partner_wants_them(built: Workplace, now: datetime, wanted: Sending, sent: int) -> None:
    done = delivery.deliver(built.database, built.applied.id, Null(), lambda: now, wanted, CHICAGO)
    assert (done.sent, done.waiting) == (sent, 1 - sent)


def test_what_is_built_after_the_cut_off_goes_in_the_next_window(small_workplace: Workplace) -> None:
    wanted = Sending(windows=(Window(opens=time(6), closes=time(17)),), federal_holidays=True)
    partner = small_workplace.applied.practice.trading_partner.model_copy(update={"sending": wanted})
    small_workplace.apply(trading_partner=partner)
    clock = Clock(datetime(2026, 11, 25, 18, 0, tzinfo=CHICAGO))
    object.__setattr__(small_workplace.pipeline, "clock", clock)
    small_workplace.source.put(*_patients(1))
    small_workplace.run()
    assert not small_workplace.files()
    clock.now = datetime(2026, 11, 27, 6, 0, tzinfo=CHICAGO)  # the day between is Thanksgiving
    small_workplace.run("deliver")
    assert len(small_workplace.files()) == 1


def test_no_more_files_leave_in_an_hour_than_the_partner_takes(small_workplace: Workplace) -> None:
    workplace, clock, place = _several(small_workplace, 5), Clock(), Null()
    sent = []
    for _ in range(4):
        wanted = Sending(files_per_hour=2)
        sent.append(delivery.deliver(workplace.database, workplace.applied.id, place, clock, wanted).sent)
        clock.after(minutes=30)
    assert sent == [2, 0, 2, 0]


def test_the_federal_holidays_of_2026_and_2027() -> None:
    # Published by the Office of Personnel Management for these years.
    assert sorted(federal_holidays(2026)) == [
        date(2026, month, day)
        for month, day in (
            (1, 1), (1, 19), (2, 16), (5, 25), (6, 19), (7, 3), (9, 7), (10, 12), (11, 11), (11, 26), (12, 25),
        )
    ]  # fmt: skip
    assert date(2027, 12, 31) in federal_holidays(2027)  # for New Year's Day of 2028, a Saturday
    assert date(2028, 1, 1) not in federal_holidays(2028)


# Sending again


def test_a_sent_file_goes_out_again_byte_for_byte(built: Workplace) -> None:
    built.run("deliver")
    (file,) = built.files()
    name, content = file.name, file.read_bytes()
    file.unlink()  # the vendor took it, and lost it
    with pytest.raises(Refused, match="reason"):
        delivery.resend(built.database, 1, by="ada", why=" ", clock=built.clock)
    delivery.resend(built.database, 1, by="ada", why="the vendor lost it", clock=built.clock)
    built.run("deliver")
    (file,) = built.files()
    assert (file.name, file.read_bytes()) == (name, content)
    with built.database.transaction() as session:
        wish = session.query(EventRow).filter_by(subject="file", what="to be sent again").one()
        assert (wish.actor, wish.unseal(KEYRING, "detail")) == ("ada", b"the vendor lost it")
        assert not list(broken_chains(session, KEYRING))


def test_what_still_lies_there_is_not_written_again(built: Workplace) -> None:
    built.run("deliver")
    (file,) = built.files()
    before = file.stat().st_ino
    delivery.resend(built.database, 1, by="ada", why="to be sure", clock=built.clock)
    built.run("deliver")
    assert file.stat().st_ino == before
    assert _states(built) == [FileStatus.SENT]


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (FileStatus.SHADOW, "shadow"),
        (FileStatus.UNCERTAIN, "files settle 1"),
        (FileStatus.REJECTED, "review list"),
        (FileStatus.ACCEPTED, "billed twice"),
        (FileStatus.PARTLY_ACCEPTED, "billed twice"),
    ],
)
def test_a_file_that_must_not_go_again_is_refused(built: Workplace, status: FileStatus, says: str) -> None:
    with built.database.transaction() as session:
        session.query(ClaimFileRow).update({"status": status})
    with pytest.raises(Refused, match=says):
        delivery.resend(built.database, 1, by="ada", why="please", clock=built.clock)


def test_a_file_with_a_claim_that_was_taken_back_is_not_sent_again(built: Workplace) -> None:
    built.run("deliver")
    with built.database.transaction() as session:
        session.query(ClaimRow).update({"live": False})
    with pytest.raises(Refused, match="billed twice"):
        delivery.resend(built.database, 1, by="ada", why="please", clock=built.clock)


@pytest.mark.parametrize("reply", [ta1(1), accepted(1), a835(*paid(FIRST), paid="80")], ids=["TA1", "999", "835"])
def test_a_file_that_was_answered_is_not_sent_again(built: Workplace, reply: bytes) -> None:
    built.run("deliver")
    inbound = built.folder / "inbound"
    inbound.mkdir()
    (inbound / "reply.x12").write_bytes(reply)
    built.run("queue")
    with built.database.transaction() as session:
        session.query(ClaimFileRow).update({"status": FileStatus.SENT})  # as after a TA1, which decides nothing
    with pytest.raises(Refused, match="was answered"):
        delivery.resend(built.database, 1, by="ada", why="please", clock=built.clock)


def test_a_file_that_is_not_there_is_not_sent_again(built: Workplace) -> None:
    with pytest.raises(Refused, match="no file 9"):
        delivery.resend(built.database, 9, by="ada", why="please", clock=built.clock)


# By SFTP


@pytest.fixture
def strange(tmp_path: Path) -> Iterator[FaultyVendor]:
    (tmp_path / "vendor").mkdir()
    with faulty(tmp_path / "vendor") as vendor:
        yield vendor


@pytest.mark.parametrize(
    ("operation", "when"), [("write", "before"), ("write", "half"), ("rename", "before"), ("rename", "after")]
)
def test_a_connection_lost_anywhere_sends_once(
    built: Workplace, strange: FaultyVendor, clock_to_set: Clock, operation: str, when: str
) -> None:
    def cut(done: str, moment: str) -> None:
        if (done, moment) == (operation, when):
            raise Lost

    strange.fault = cut
    with pytest.raises(Unavailable):
        delivery.deliver(built.database, built.applied.id, Sftp(strange.transport()), clock_to_set)
    strange.fault = lambda _operation, _when: None
    place = Sftp(strange.transport())
    assert delivery.deliver(built.database, built.applied.id, place, clock_to_set.after(minutes=1)).sent == 1
    (row,) = _rows(built)
    assert strange.names() == [row.name]
    assert (strange.outbound / row.name).read_bytes() == _content(built)
    assert strange.done == ["rename"]


def test_a_vendor_who_takes_files_at_once_makes_a_lost_answer_uncertain(
    built: Workplace, strange: FaultyVendor, clock_to_set: Clock
) -> None:
    def cut_and_take(operation: str, when: str) -> None:
        if (operation, when) == ("rename", "after"):
            for path in strange.outbound.iterdir():
                path.unlink()
            raise Lost

    strange.fault = cut_and_take
    place = Sftp(strange.transport())
    with pytest.raises(Unavailable):
        delivery.deliver(built.database, built.applied.id, place, clock_to_set)
    assert delivery.deliver(built.database, built.applied.id, place, clock_to_set.after(minutes=1)).uncertain == 1
    delivery.deliver(built.database, built.applied.id, place, clock_to_set.after(hours=9))
    assert strange.done == ["rename"]
    assert _states(built) == [FileStatus.UNCERTAIN]


def test_a_full_disk_at_the_vendor_costs_time_alone(
    built: Workplace, strange: FaultyVendor, clock_to_set: Clock
) -> None:
    def full(operation: str, when: str) -> None:
        if (operation, when) == ("write", "half"):
            raise asyncssh.SFTPFailure("No space left on device")

    strange.fault = full
    place = Sftp(strange.transport())
    with pytest.raises(Unavailable, match="disk may be full"):
        delivery.deliver(built.database, built.applied.id, place, clock_to_set)
    assert _states(built) == [FileStatus.BUILT]
    strange.fault = lambda _operation, _when: None
    assert delivery.deliver(built.database, built.applied.id, place, clock_to_set.after(minutes=1)).sent == 1
    assert (strange.outbound / _rows(built)[0].name).read_bytes() == _content(built)


def test_a_changed_host_key_sends_nothing_until_a_person_says_so(small_workplace: Workplace, tmp_path: Path) -> None:
    workplace = _several(small_workplace, 2)
    (tmp_path / "vendor").mkdir()
    with openssh(tmp_path / "vendor") as vendor:
        other = Sftp(vendor.transport(host_key="SHA256:" + "A" * 43))
        with pytest.raises(Refused, match="shows a key"):
            delivery.deliver(workplace.database, workplace.applied.id, other, workplace.clock)
        assert vendor.names() == []
        assert _states(workplace) == [FileStatus.BUILT] * 2
        assert vendor.host_key in str(_rows(workplace)[0].fault)
        for number in (1, 2):
            delivery.resend(workplace.database, number, by="ada", why="they renewed the key", clock=workplace.clock)
        right = Sftp(vendor.transport())
        assert delivery.deliver(workplace.database, workplace.applied.id, right, workplace.clock).sent == 2
        assert vendor.names() == sorted(row.name for row in _rows(workplace))


def test_an_encrypted_file_is_the_same_at_every_try(
    built: Workplace, strange: FaultyVendor, clock_to_set: Clock, tmp_path: Path
) -> None:
    holder = pysequoia.Tsk.generate("Prairie RCM <edi@prairie.example>")
    (tmp_path / "prairie.pgp").write_bytes(bytes(holder.extract_certificate()))

    def cut(operation: str, when: str) -> None:
        if (operation, when) == ("rename", "before"):
            raise Lost

    strange.fault = cut
    place = Sftp(strange.transport(encrypted_for=str(tmp_path / "prairie.pgp")))
    with pytest.raises(Unavailable):
        delivery.deliver(built.database, built.applied.id, place, clock_to_set)
    (staged,) = strange.outbound.iterdir()
    first = staged.read_bytes()
    strange.fault = lambda _operation, _when: None
    delivery.deliver(built.database, built.applied.id, place, clock_to_set.after(minutes=1))
    (row,) = _rows(built)
    sent = strange.outbound / f"{row.name}.pgp"
    assert sent.read_bytes() == first
    sent.unlink()
    delivery.resend(built.database, 1, by="ada", why="the vendor lost it", clock=clock_to_set)
    delivery.deliver(built.database, built.applied.id, place, clock_to_set)
    assert sent.read_bytes() == first
    assert pysequoia.decrypt(decryptor=holder.decryptor(), bytes=first).bytes == _content(built)


# Killed

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["tests.soak.warm"])


def _deliver_until(step: int, url: str, practice_id: int, transport: SftpTransport) -> None:
    """Deliver, and be killed before the write of that number, counted from 1."""
    database = Database(create_database_engine(Settings(database_url=url)), KEYRING)
    written = 0

    def before(_: str) -> None:
        nonlocal written
        written += 1
        if written == step:
            os.kill(os.getpid(), signal.SIGKILL)

    listen(before, Path("/nowhere"))
    delivery.deliver(database, practice_id, Sftp(transport), lambda: NOON)


def test_killed_between_any_two_writes_of_an_upload_a_file_is_sent_once(
    small_workplace: Workplace, sqlite_url: str, tmp_path: Path
) -> None:
    workplace, later = _several(small_workplace, 20), NOON + timedelta(days=1)
    ends: list[int | None] = []
    (tmp_path / "vendor").mkdir()
    with openssh(tmp_path / "vendor") as vendor:
        for file in _rows(workplace):
            with workplace.database.transaction() as session:  # one file at a time
                session.query(ClaimFileRow).filter(ClaimFileRow.id > file.id).update({"next_try_at": later})
                session.query(ClaimFileRow).filter_by(id=file.id).update({"next_try_at": None})
            given = (len(ends) + 1, sqlite_url, workplace.applied.id, vendor.transport())
            worker = FORKED.Process(target=_deliver_until, args=given)
            worker.start()
            worker.join(60)
            ends.append(worker.exitcode)
            taken = _take(vendor)  # before anybody looks again
            delivery.deliver(workplace.database, workplace.applied.id, Sftp(vendor.transport()), workplace.clock)
            is_known = worker.exitcode == 0 or not taken
            assert _states(workplace)[file.id - 1] is (FileStatus.SENT if is_known else FileStatus.UNCERTAIN)
            assert taken + _take(vendor) == [(file.name, file.unseal(KEYRING, "content"))]
            assert vendor.names() == []
            if worker.exitcode == 0:
                break
    assert ends == [-signal.SIGKILL] * (len(ends) - 1) + [0]
    assert len(ends) > 10
    with workplace.database.transaction() as session:
        assert not list(broken_chains(session, KEYRING))


def _take(vendor: Vendor) -> list[tuple[str, bytes]]:
    """What the vendor takes away: whole files, never one under its temporary name."""
    taken = []
    for path in sorted(vendor.outbound.glob("[!.]*")):
        taken.append((path.name, path.read_bytes()))
        path.unlink()
    return taken


# Several at once


def _deliver_in_a_process(url: str, practice_id: int, folder: Path, barrier: object) -> None:
    """A worker without the lock that keeps workers apart: only the compare-and-set is left."""
    engine = create_database_engine(Settings(database_url=url))
    database = Database(engine, KEYRING)
    place = Logged(folder / "outbound", folder / "inbound")
    barrier.wait()  # type: ignore[attr-defined]
    for _ in range(3):
        unlocked = delivery._Delivery(database, practice_id, place, lambda: NOON, delivery.ALWAYS, delivery.UTC)
        unlocked.run()
    database.close()


class Logged(Folder):
    """A folder that notes each name it publishes; a vendor who takes files at once would have had it so often."""

    def publish(self, parcel: Parcel) -> None:
        is_new = not (self.outbound / parcel.name).exists()
        super().publish(parcel)
        if is_new:
            with (self.outbound.parent / "log").open("a") as log:
                log.write(parcel.name + "\n")


def test_two_workers_never_send_one_file_twice(workplace: Workplace, database_url: str, tmp_path: Path) -> None:
    _several(workplace, 12)
    workplace.database.close()
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    workers = [
        context.Process(target=_deliver_in_a_process, args=(database_url, workplace.applied.id, tmp_path, barrier))
        for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert set(_states(workplace)) == {FileStatus.SENT}
    assert [path.name for path in workplace.files()] == sorted(row.name for row in _rows(workplace))
    with workplace.database.transaction() as session:
        for what in ("staged", "sent"):
            assert session.query(EventRow).filter_by(subject="file", what=what).count() == 12
        assert not list(broken_chains(session, KEYRING))
