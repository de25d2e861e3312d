"""Sources in the browser: when they were read, what changed in their records, and a person's word on it."""

import json
from typing import ClassVar

from charges import intake
from charges.drift import breakers
from charges.tables import Role
from rules.examples import PATIENT, charge
from tests.practice import StillSource
from tests.web.conftest import Hall

LEARNT = 20
"""So many records make the baseline of these tests."""


class Messages(StillSource):
    """A source of messages whose vendor may leave something out."""

    kind = "hl7"
    codes: ClassVar[dict[str, frozenset[str]]] = {}


def pull(hall: Hall, count: int, *, without: str = "") -> None:
    """Take in so many more charges, of which the vendor leaves something out."""
    source = Messages()
    first = len(hall.workplace.rows())
    for number in range(first, first + count):
        patient = PATIENT.model_copy(update={"record_number": str(number)})
        record = json.loads(charge(key=str(number), patient=patient).model_dump_json())
        record.pop(without, None)
        source.records[str(number)] = json.dumps(record).encode()
    applied = hall.workplace.applied
    intake.pull(hall.database, applied.id, source, hall.clock, baseline_records=LEARNT)


def test_how_long_ago_a_source_was_read_is_shown(hall: Hall) -> None:
    hall.workplace.run("pull")
    pull(hall, 3)
    browser = hall.signed_in("ann", Role.BILLER)
    hall.later(hours=2)
    hall.sign_in(browser, "ann", "seven otters cross the weir")

    assert "2 h" in browser.get("/sources").text
    assert "still learning" in browser.get("/sources/lakeside").text


def test_a_broken_contract_is_shown_and_accepted_with_a_reason(hall: Hall) -> None:
    pull(hall, LEARNT)
    pull(hall, LEARNT, without="diagnoses")
    browser = hall.signed_in("ann")

    assert "nothing is routed" in browser.get("/sources").text
    shown = browser.get("/sources/lakeside").text
    assert "diagnoses" in shown
    assert "Accept it as the new baseline" in shown
    assert browser.submit("/sources/lakeside/accept", {"stream": "hl7"}).status_code == 400
    told = browser.submit("/sources/lakeside/accept", {"stream": "hl7", "reason": "the vendor says so"})

    assert told.status_code == 303
    assert "accepted" in browser.get("/sources/lakeside").text
    assert not any(each.stops for each in breakers.watched(hall.database))


def test_a_biller_sees_it_and_does_not_accept_it(hall: Hall) -> None:
    pull(hall, LEARNT)
    pull(hall, LEARNT, without="diagnoses")
    browser = hall.signed_in("bea", Role.BILLER)

    assert "diagnoses" in browser.get("/sources/lakeside").text
    assert "Accept it" not in browser.get("/sources/lakeside").text
    assert browser.submit("/sources/lakeside/accept", {"stream": "hl7", "reason": "fine"}).status_code == 403
    assert any(each.stops for each in breakers.watched(hall.database))


def test_a_source_of_another_practice_is_not_there(hall: Hall) -> None:
    browser = hall.signed_in("bea", Role.LEAD, "hillside")

    assert "lakeside" not in browser.get("/sources").text
    assert browser.get("/sources/lakeside").status_code == 404
    assert browser.submit("/sources/lakeside/accept", {"reason": "mine"}).status_code == 404


def test_a_source_that_cannot_be_asked_says_what_to_do(hall: Hall) -> None:
    browser = hall.signed_in("ann")

    assert browser.submit("/sources/lakeside/probe").status_code == 303
    assert "LAKESIDE_SECRET" in browser.get("/sources/lakeside").text
