"""An export in bulk gives what the searches give, whatever it is interrupted by, and nothing when it lacks anything."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina
from pydantic import ValidationError

from charges.errors import NotOffered, Refused, Unavailable
from charges.pipeline import Pipeline
from charges.revisit import Days
from charges.settings import Settings
from charges.simulator.fhir import GROUP, FhirTenant
from charges.sources import Page, RawRecord
from charges.sources.fhir import FhirSource
from tests.practice import Workplace
from tests.sources.fhir import TODAY, connection, serving, tenant_of

NOON = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _impatient() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def tenant() -> FhirTenant:
    return tenant_of(12)


@pytest.fixture
def reached(tenant: FhirTenant, tmp_path: Path) -> Iterator[dict[str, Any]]:
    with serving(tenant, tmp_path) as reached:
        yield reached


def _source(reached: dict[str, Any], later: timedelta = timedelta(), **changes: Any) -> FhirSource:
    settings = connection(reached, **{"changes": "export", "export": {"group": GROUP}} | changes)
    return FhirSource(settings, now=lambda: NOON + later)


def _records(pages: list[Page]) -> list[RawRecord]:
    return [record for page in pages for record in page.records]


def _read(source: FhirSource, cursor: str | None = None) -> tuple[list[Page], str | None]:
    """The pages that come before the source has no more or breaks off, and the cursor that is stored then."""
    pages: list[Page] = []
    try:
        for page in source.changed_since(cursor):
            pages.append(page)
            cursor = page.cursor or cursor
    except Unavailable:
        pass
    return pages, cursor


def _as_set(records: list[RawRecord]) -> set[tuple[str, bytes]]:
    return {(record.key, record.body) for record in records}


def test_an_export_gives_the_records_that_the_searches_give(tenant: FhirTenant, reached: dict[str, Any]) -> None:
    pages, _ = _read(_source(reached))
    searched = [record for page in FhirSource(connection(reached)).changed_since(None) for record in page.records]
    assert _as_set(_records(pages)) == _as_set(searched)
    assert [record.key for record in _records(pages)] == [each.key for each in tenant.practice.visible]


@pytest.mark.parametrize("export", [{}, {"group": GROUP}])
def test_what_was_read_is_removed_at_the_tenant(
    tenant: FhirTenant, reached: dict[str, Any], export: dict[str, str]
) -> None:
    assert _records(_read(_source(reached, export=export))[0])
    assert tenant.exports == {}


def test_stopped_after_any_page_the_same_export_is_read_on(tenant: FhirTenant, reached: dict[str, Any]) -> None:
    whole = _as_set(_records(_read(_source(reached))[0]))
    pages = list(_source(reached).changed_since(None))
    for stopped in range(1, len(pages)):
        running = _source(reached).changed_since(None)
        seen = [next(running) for _ in range(stopped)]
        del running  # as a worker that is stopped leaves it
        asked = len(tenant.exports)
        rest, _ = _read(_source(reached), seen[-1].cursor)
        assert len(tenant.exports) == asked - 1, "it was the same export"
        assert _as_set(_records(seen) + _records(rest)) == whole
        assert not _as_set(_records(seen)) & _as_set(_records(rest))


def test_a_run_does_not_wait_for_hours_and_the_next_one_asks_again(tenant: FhirTenant, reached: dict[str, Any]) -> None:
    tenant.export_polls = 2
    running = _source(reached).changed_since(None)
    cursor = next(running).cursor
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"still preparing the export \(30%\)") as caught:
            list(running)
        assert "Brightwater" not in str(caught.value)
        running = _source(reached).changed_since(cursor)
    assert {each.key for each in _records(list(running))} == {each.key for each in tenant.practice.visible}


def test_an_export_that_the_tenant_no_longer_has_is_asked_for_anew(tenant: FhirTenant, reached: dict[str, Any]) -> None:
    cursor = next(_source(reached).changed_since(None)).cursor
    tenant.exports.clear()
    pages, _ = _read(_source(reached), cursor)
    assert len(_records(pages)) == len(tenant.practice.visible)


def test_an_export_that_is_never_ready_is_asked_for_anew_after_a_day(
    tenant: FhirTenant, reached: dict[str, Any]
) -> None:
    tenant.export_polls = 1
    cursor = next(_source(reached).changed_since(None)).cursor
    assert cursor is not None
    for each in tenant.exports.values():
        each.polls = 0
    tenant.export_polls = 0
    _read(_source(reached, timedelta(hours=25)), cursor)
    assert len(tenant.exports) == 1, "the first was left, the second read and removed"


def test_everything_is_exported_once_a_day(tenant: FhirTenant, reached: dict[str, Any]) -> None:
    _, cursor = _read(_source(reached))
    tenant.practice.advance(24 * 25)
    assert _read(_source(reached, timedelta(hours=23)), cursor) == ([], cursor)
    pages, _ = _read(_source(reached, timedelta(hours=24)), cursor)
    assert {each.key for each in _records(pages)} == {each.key for each in tenant.practice.visible}


def test_nothing_is_taken_of_an_export_that_lacks_something(tenant: FhirTenant, reached: dict[str, Any]) -> None:
    tenant.export_faults = ("timeout", "Ada Brightwater")
    source = _source(reached).changed_since(None)
    assert next(source).records == ()
    with pytest.raises(Refused, match=r"lacks some resources \(timeout, unknown\)\. Nothing of it was taken"):
        next(source)


def test_nothing_is_taken_of_a_file_that_is_cut_short(tenant: FhirTenant, reached: dict[str, Any]) -> None:
    tenant.export_lost = True
    source = _source(reached).changed_since(None)
    assert next(source).records == ()
    with pytest.raises(Unavailable, match="Nothing of it was taken"):
        next(source)


def test_a_group_that_the_practice_never_made_is_named(reached: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r"refuses the export Group/nobody/\$export \(status 401, forbidden\)"):
        next(_source(reached, export={"group": "nobody"}).changed_since(None))


def test_our_token_goes_to_no_file_elsewhere(tenant: FhirTenant, reached: dict[str, Any]) -> None:
    tenant.files_host = "https://elsewhere.invalid"
    source = _source(reached).changed_since(None)
    next(source)
    with pytest.raises(Refused, match="wants our token for a file on another host"):
        next(source)


def test_the_scope_of_groups_is_asked_for_with_an_export_alone(tenant: FhirTenant, reached: dict[str, Any]) -> None:
    _read(_source(reached))
    assert tenant.scopes
    assert all("system/Group.read" in each for each in tenant.scopes)
    tenant.scopes.clear()
    list(FhirSource(connection(reached, export={})).changed_since(None))
    assert not any("system/Group.read" in each for each in tenant.scopes)


def test_changes_by_export_need_an_export(reached: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="changes: export needs export"):
        connection(reached, changes="export")


def test_days_of_long_ago_are_exported_and_those_of_the_last_weeks_searched(
    small_workplace: Workplace, tenant: FhirTenant, reached: dict[str, Any]
) -> None:
    small_workplace.apply(source=connection(reached, export={"group": GROUP}))
    year = Days(TODAY - timedelta(days=365), TODAY)
    tenant.export_polls = 1
    pipeline = Pipeline(small_workplace.database, Settings(), lambda: NOON)
    with pytest.raises(Unavailable, match="still preparing"):
        pipeline.backfill(small_workplace.applied, year)
    assert pipeline.backfill(small_workplace.applied, year).new == len(tenant.practice.visible)
    assert pipeline.revisit(small_workplace.applied, "trailing", at_once=True).changed == 0
    lost = next(each.key for each in tenant.practice.visible if each.key in _captured(small_workplace))
    tenant.practice.lose(lost)
    assert pipeline.revisit(small_workplace.applied, "reconcile", at_once=True).voided == 1


def _captured(workplace: Workplace) -> set[str]:
    return {key for key, status in workplace.states().items() if status == "captured"}


def test_days_are_not_asked_for_where_everything_is_exported(reached: dict[str, Any]) -> None:
    with pytest.raises(NotOffered, match="exports of everything"):
        list(_source(reached).of_days(TODAY, TODAY, None))
