"""The review queue to look at: what is in a view, in which order, page by page, and how much of it there is."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import chain
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from charges import review
from charges.desk import queue
from charges.desk import sharing as acts
from charges.desk.queue import Found, Reader
from charges.desk.views import Shelf, Sort, Wanted
from charges.errors import Refused
from charges.model import Severity
from charges.tables import ChargeStatus
from rules.examples import MEDICARE, PATIENT, charge, line
from tests.desk.workers import OTHER_PROVIDER, RENDERING_PROVIDER, Desk, by_another, patient_of, pointless, without_25
from tests.practice import Workplace


@pytest.fixture
def desk(workplace: Workplace) -> Desk:
    """Five held charges: three visits without 25 on three days, one line without a diagnosis, one of another provider."""
    there = Desk(workplace)
    there.hold(
        without_25("visit-1", dollars=300, on=date(2026, 11, 3)),
        without_25("visit-2", dollars=100, on=date(2026, 11, 2)),
        without_25("visit-3", dollars=200, on=date(2026, 11, 4), coverages=(MEDICARE,)),
        pointless("pointless", patient=PATIENT.model_copy(update={"record_number": "777001"})),
        by_another(line("99213", diagnoses=()), key="other"),
    )
    return there


def test_the_most_urgent_comes_first(desk: Desk) -> None:
    assert desk.keys()[:3] == ["visit-2", "visit-1", "visit-3"]
    assert desk.keys(sort="dollars")[:3] == ["visit-1", "visit-3", "visit-2"]
    assert desk.keys(sort="dollars", reverse="1")[-1] == "visit-1"
    assert desk.keys(sort="age") == ["visit-1", "visit-2", "visit-3", "pointless", "other"]
    (first, *_) = desk.page().entries
    assert first.deadline == date(2026, 11, 2) + timedelta(days=365)
    assert (first.findings[0].finding.rule, first.provider_npi) == ("GLB-002", RENDERING_PROVIDER.npi)


def test_a_view_has_what_its_address_says(desk: Desk) -> None:
    visits = {"visit-1", "visit-2", "visit-3"}
    assert set(desk.keys()) == {*visits, "pointless", "other"} == set(desk.keys(severity="hold"))
    assert set(desk.keys(rule="STR-008")) == {"pointless", "other"}
    assert set(desk.keys(family="visits")) == visits
    assert set(desk.keys(family="visits", least="300", most="400")) == {"visit-3"}
    assert set(desk.keys(practice="lakeside", rule="GLB-002", payer="PRM01")) == {"visit-1", "visit-2"}
    assert set(desk.keys(provider=OTHER_PROVIDER.npi)) == {"other"}
    assert set(desk.keys(assignee="nobody", least="300")) == {"visit-1", "visit-3"}
    for nothing in ("family=icd", "family=answer", "severity=stop", "older=1", "practice=elsewhere", "assignee=me"):
        assert not desk.keys(**dict(parse_qsl(nothing))), nothing


def test_every_page_begins_where_the_last_one_ended(desk: Desk) -> None:
    for sort in Sort:
        everything = desk.page(Wanted(sort=sort)).entries
        pages = [desk.page(Wanted(sort=sort), size=2)]
        while pages[-1].after:
            pages.append(desk.page(Wanted(sort=sort, after=pages[-1].after), size=2))
        assert tuple(chain.from_iterable(each.entries for each in pages)) == everything
        assert desk.page(Wanted(sort=sort, before=pages[-1].before), size=2).entries == pages[-2].entries
        assert not pages[0].before


def test_the_charges_around_one_are_found_even_when_it_has_left(desk: Desk) -> None:
    middle = desk.number("visit-1")
    neighbours = (desk.number("visit-2"), desk.number("visit-3"))
    database = desk.workplace.database
    assert queue.following(database, Wanted(), middle, desk.reader) == neighbours
    review.void(database, middle, by="ada", reason="twice", clock=desk.workplace.clock)
    assert queue.following(database, Wanted(), middle, desk.reader) == neighbours
    assert queue.following(database, Wanted(), neighbours[0], desk.reader) == (None, neighbours[1])


def test_what_is_put_off_or_asked_lies_on_its_own_shelf(desk: Desk) -> None:
    database, clock = desk.workplace.database, desk.workplace.clock
    acts.snooze(database, desk.number("visit-1"), clock().date() + timedelta(days=3), by="ada", clock=clock)
    acts.ask(database, desk.number("visit-2"), "Was it a visit of its own?", by="ada", clock=clock)
    acts.assign(database, desk.number("visit-3"), "ada", by="bo", clock=clock)
    assert set(desk.keys()) == {"visit-3", "pointless", "other"}
    assert desk.keys(shelf="snoozed") == ["visit-1"]
    assert desk.keys(shelf="asked") == ["visit-2"]
    assert len(desk.keys(shelf="all")) == 5
    assert desk.keys(assignee="me") == desk.keys(assignee="ada") == ["visit-3"]
    later = clock() + timedelta(days=3)
    woken = queue.page(database, Wanted(), Reader("ada", later)).entries
    assert desk.number("visit-1") in {each.charge_number for each in woken}


def test_groups_say_how_much_one_rule_holds_for_one_provider(desk: Desk) -> None:
    found = desk.groups()
    assert [(each.rule, each.provider_npi, each.charges) for each in found.groups] == [
        ("GLB-002", RENDERING_PROVIDER.npi, 3),
        ("STR-008", RENDERING_PROVIDER.npi, 1),
        ("STR-008", OTHER_PROVIDER.npi, 1),
    ]
    assert found.groups[0].total == Decimal("1050.00")
    assert (found.of, found.is_more) == (5, False)
    bounded = desk.groups(bound=2)
    assert (bounded.of, bounded.is_more, len(bounded.groups)) == (2, True, 1)


def test_counts_stop_at_a_bound(desk: Desk) -> None:
    assert str(desk.count()) == "5"
    assert str(desk.count(bound=3)) == "3+"
    assert str(desk.count(Wanted(rule="STR-008"), bound=2)) == "2"


def test_a_page_that_is_the_whole_view_is_its_count(desk: Desk) -> None:
    database = desk.workplace.database
    for wanted in (Wanted(), Wanted(rule="STR-008"), Wanted(rule="none")):
        shown = queue.page(database, wanted, desk.reader)
        assert shown.is_whole
        assert queue.count(database, wanted, desk.reader, shown=shown) == desk.count(wanted)
    first = queue.page(database, Wanted(), desk.reader, size=2)
    assert str(queue.count(database, Wanted(), desk.reader, shown=first)) == "5"


def test_few_and_many_findings_make_the_same_view(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    views = [
        Wanted.read(dict(parse_qsl(address)))
        for address in ("rule=STR-008", "rule=GLB-002&sort=dollars", "family=global", "severity=hold&reverse=1")
    ]
    few = [[each.charge_number for each in desk.page(view).entries] for view in views]
    monkeypatch.setattr(queue, "FEW", 0)
    assert [[each.charge_number for each in desk.page(view).entries] for view in views] == few
    assert few[0]


def test_a_rule_of_another_family_finds_nothing(desk: Desk) -> None:
    family = next(each for each in queue.known_families() if desk.page(Wanted(rule="GLB-002", family=each)).entries)
    assert desk.page(Wanted(rule="GLB-002", family=family)).entries == desk.page(Wanted(rule="GLB-002")).entries
    assert not desk.page(Wanted(rule="STR-008", family=family)).entries


@pytest.mark.parametrize(
    ("address", "index"),
    [
        ("", "ix_charges_held_deadline"),
        ("sort=age", "ix_charges_held_since"),
        ("sort=dollars", "ix_charges_held_total"),
        ("provider=1245319599", "ix_charges_held_provider"),
        ("assignee=me", "ix_charges_held_assignee"),
    ],
)
def test_a_page_walks_an_index_of_held_charges_alone(small_workplace: Workplace, address: str, index: str) -> None:
    there = Desk(small_workplace)
    there.hold(without_25("visit"))
    asked: list[tuple[str, object]] = []
    engine = there.workplace.database.engine
    event.listen(engine, "before_cursor_execute", lambda _c, _k, said, given, *_: asked.append((said, given)))
    there.page(Wanted.read(dict(parse_qsl(address))))
    (query,) = (each for each in asked if "ORDER BY charges." in each[0])
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query[0]}", query[1])  # type: ignore[arg-type]
        steps = [str(step[3]) for step in plan]
    assert index in steps[0], steps
    assert not [step for step in steps if "TEMP B-TREE" in step], "it is in order already"


def test_a_practice_one_may_not_see_is_not_there(desk: Desk) -> None:
    stranger = Desk(desk.workplace, who="stranger", visible=frozenset({"elsewhere"}))
    assert not stranger.page().entries
    assert not stranger.groups().groups
    assert stranger.count().number == 0
    assert not queue.find(desk.workplace.database, "777001", stranger.reader)
    number = desk.number("visit-1")
    assert not queue.is_visible(desk.workplace.database, number, stranger.visible)
    assert queue.is_visible(desk.workplace.database, number, frozenset({"lakeside"}))
    assert not queue.is_visible(desk.workplace.database, 10**9, None)


def test_a_search_finds_charges_by_any_of_their_numbers(desk: Desk) -> None:
    def found(text: str) -> list[int]:
        return [each.charge_number for each in queue.find(desk.workplace.database, text, desk.reader)]

    assert found("777001") == found(" 777001 ") == found("pointless") == [desk.number("pointless")]
    assert found(str(desk.number("other"))) == [desk.number("other")]
    desk.workplace.source.put(charge(key="fixed", patient=patient_of("fixed")))
    desk.workplace.run()
    claim = review.case(desk.workplace.database, desk.number("fixed")).claims[0]
    assert queue.find(desk.workplace.database, claim.lower(), desk.reader) == [
        Found(desk.number("fixed"), "lakeside", ChargeStatus.CLAIMED, date(2026, 11, 16), Decimal("150.00"))
    ]
    assert not found("")
    assert not found("nothing")


@pytest.mark.parametrize(
    "query",
    [
        {"least": "a lot"},
        {"most": "NaN"},
        {"least": "-1"},
        {"older": "yesterday"},
        {"older": "99999999999"},
        {"severity": "dreadful"},
        {"sort": "colour"},
        {"shelf": "top"},
    ],
)
def test_a_filter_that_is_none_is_refused_in_words(query: dict[str, str]) -> None:
    with pytest.raises(Refused, match="cannot be filtered"):
        Wanted.read(query)


def test_a_page_that_is_none_is_refused_or_empty(small_workplace: Workplace) -> None:
    there = Desk(small_workplace)
    assert not there.page(Wanted(after="2026-11-16~" + "9" * 40)).entries
    with pytest.raises(Refused, match="begin again"):
        there.page(Wanted(sort=Sort.AGE, after="0001-01-01T00:00:00+23:00~1"))
    with pytest.raises(Refused, match="null character"):
        Wanted(payer="P\0")
    for edge in ("nonsense", "~", "2026-11-16~x", "2026-13-45~1"):
        with pytest.raises(Refused, match="begin again"):
            there.page(Wanted(after=edge))


_WANTED = st.builds(
    Wanted,
    shelf=st.sampled_from(Shelf),
    practice=st.text("abc-", max_size=5),
    rule=st.sampled_from(["", "GLB-002"]),
    severity=st.sampled_from([None, *Severity]),
    older=st.none() | st.integers(0, 999),
    least=st.none() | st.decimals(0, 10**6, places=2),
    assignee=st.text("&=%ü #+", max_size=5).map(str.strip),
    sort=st.sampled_from(Sort),
    reverse=st.booleans(),
)


@given(_WANTED)
def test_an_address_says_all_of_a_view(wanted: Wanted) -> None:
    assert Wanted.read(dict(parse_qsl(wanted.address()))) == wanted


def test_an_address_can_change_a_part_and_then_begins_anew() -> None:
    wanted = Wanted(rule="GLB-002", after="2026-11-16~7")
    assert wanted.address() == "rule=GLB-002"
    assert wanted.address(after="2026-11-17~8") == "rule=GLB-002&after=2026-11-17~8"
    assert wanted.address(rule="", sort=Sort.DOLLARS) == "sort=dollars"
    assert wanted.filters == {"rule": "GLB-002"}
