"""Replies that should have come: an alarm in business time, cleared by the reply."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from charges import lifecycle
from charges.practice.partner import Replies, Sending
from charges.replies import overdue
from rules.examples import charge
from tests.practice import Workplace
from tests.replies import a835, about_claims, accepted, no, paid, refused, ta1, yes

MONDAY = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
FRIDAY = MONDAY - timedelta(days=3)
FIRST = "CR00000000101"


class Office:
    """A practice whose clock the test winds."""

    def __init__(self, workplace: Workplace, sent_at: datetime) -> None:
        self.now = sent_at
        self.workplace = Workplace(workplace.database, workplace.folder, lambda: self.now)
        self.workplace.source.put(charge(key="1"))

    def wait(self, **span: float) -> Sequence[str]:
        self.now += timedelta(**span)
        self.workplace.run("queue", "overdue")
        return [each.kind for each in overdue.standing(self.workplace.database)]

    def reply(self, *contents: bytes) -> Sequence[str]:
        inbound = self.workplace.folder / "inbound"
        inbound.mkdir(exist_ok=True)
        for content in contents:
            (inbound / f"{len(list(inbound.iterdir())):03d}.x12").write_bytes(content)
        return self.wait()

    def expecting(self, *, asks: bool = False, holidays: frozenset[date] = frozenset(), **replies: Any) -> "Office":
        partner = self.workplace.applied.practice.trading_partner
        sending = Sending(holidays=holidays)
        wanted = {"replies": Replies(**replies), "acknowledgment_requested": asks, "sending": sending}
        self.workplace.apply(trading_partner=partner.model_copy(update=wanted))
        self.workplace.run("pull", "judge", "generate", "deliver")
        return self


@pytest.fixture
def office(small_workplace: Workplace) -> Office:
    return Office(small_workplace, MONDAY).expecting()


def test_nothing_is_overdue_before_its_deadline(office: Office) -> None:
    assert office.wait(hours=24) == []


def test_an_alarm_stands_until_the_reply_has_come(workplace: Workplace) -> None:
    office = Office(workplace, MONDAY).expecting()
    assert office.wait(hours=24.1) == ["999"]
    (alarm,) = overdue.standing(workplace.database)
    assert alarm.sentence.startswith("The 999 of file 1 (prairie-rcm_000000001_")
    assert alarm.sentence.endswith("was due on 2026-11-24 18:00 UTC and has not come; ask the vendor about it.")
    assert office.wait(hours=1) == ["999"]
    assert office.reply(accepted(1)) == []
    assert office.wait(days=3) == ["277CA"]
    assert office.reply(about_claims(yes(FIRST))) == []
    assert office.wait(days=60) == ["835"]
    assert office.reply(a835(*paid(FIRST), paid="80")) == []
    with workplace.database.transaction() as session:
        assert not list(lifecycle.broken_chains(session, workplace.database.keyring))


def test_a_later_reply_makes_an_earlier_one_needless(office: Office) -> None:
    assert office.wait(hours=25) == ["999"]
    assert office.reply(about_claims(yes(FIRST))) == []


def test_a_ta1_is_expected_only_where_it_is_asked_for(small_workplace: Workplace) -> None:
    office = Office(small_workplace, MONDAY).expecting(asks=True)
    assert office.wait(hours=4.1) == ["TA1"]
    assert office.reply(ta1(1)) == []


@pytest.mark.parametrize("refusal", [refused(1), about_claims(no(FIRST))])
def test_nothing_more_is_expected_about_refused_claims(office: Office, refusal: bytes) -> None:
    office.reply(refusal)
    assert office.wait(days=60) == []


def test_weekends_and_holidays_do_not_count(small_workplace: Workplace) -> None:
    office = Office(small_workplace, FRIDAY).expecting(holidays=frozenset({date(2026, 11, 23)}))
    assert office.wait(days=3, hours=23) == []
    assert office.wait(hours=1.1) == ["999"]


def test_thanksgiving_is_nobodys_delay(small_workplace: Workplace) -> None:
    office = Office(small_workplace, MONDAY + timedelta(days=2)).expecting()
    assert office.wait(hours=47) == []
    assert office.wait(hours=1.1) == ["999"]


def test_a_partner_that_sends_none_is_not_asked_for_it(small_workplace: Workplace) -> None:
    office = Office(small_workplace, MONDAY).expecting(a999_hours=0, a277ca_days=0, a835_days=0)
    assert office.wait(days=365) == []


def test_a_file_that_is_not_out_is_not_waited_for(small_workplace: Workplace) -> None:
    office = Office(small_workplace, MONDAY)
    office.workplace.run("pull", "judge", "generate")
    assert office.wait(days=10) == []


def test_an_alarm_that_stands_is_raised_once(office: Office) -> None:
    office.wait(hours=25)
    office.now += timedelta(hours=1)
    assert office.workplace.pipeline.overdue(office.workplace.applied) == overdue.Watched(0, 0, 1)
