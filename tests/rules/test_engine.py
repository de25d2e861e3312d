"""The engine: what is found, in what order, and what happens when a rule fails."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import NoReturn, get_args

import pytest

from charges.model import Charge, Encounter, Provider, Severity
from charges.practice.profile import DemandedTable
from rules import engine
from rules.engine import (
    NO_TABLES,
    PLUGIN_ERROR,
    RULE_ERROR,
    TABLE_MISSING,
    Facts,
    Problem,
    Rule,
    billed,
    judge,
    load,
    place_of,
    rendering_npi,
    rule,
)
from rules.examples import SERVICE_DATE, charge, facts, line, show
from rules.reference import TableMissing
from rules.reference.rows import TABLES
from rules.reference.shipped import shipped


@rule("TST-001", Severity.WARN)
def always(facts: Facts) -> Iterator[Problem]:
    """It always warns."""
    for index in (10, 2, 0):
        yield Problem(f"lines[{index}].code", f"Line {index + 1}: seen.", {"index": str(index)}, "Look.")


@rule("TST-002", Severity.HOLD)
def fails(facts: Facts) -> Iterator[Problem]:
    """It cannot judge."""
    yield Problem("patient", "The patient was seen.")
    refuse(facts)


@rule("TST-003", Severity.STOP, since=date(2026, 1, 1), until=date(2026, 6, 30))
def dated(facts: Facts) -> list[Problem]:
    """It is in force for half a year."""
    return [Problem("", "In force.")]


def refuse(facts: Facts) -> NoReturn:
    raise LookupError(f"no table knows {facts.charge.patient.last_name}")


def test_findings_are_sorted_by_gravity_then_place() -> None:
    found = judge([always, dated], facts(charge(line(service_date=date(2026, 3, 1)))))
    assert [finding.at for finding in found] == ["", "lines[0].code", "lines[2].code", "lines[10].code"]
    assert [finding.severity for finding in found] == [Severity.STOP] + [Severity.WARN] * 3
    assert (found[1].line, found[1].evidence, found[1].fix) == (1, {"index": "0"}, "Look.")


def test_a_rule_that_raises_holds_the_charge_and_the_others_go_on() -> None:
    found = judge([fails, always], facts())
    failure = next(finding for finding in found if finding.rule == RULE_ERROR)
    assert failure.severity is Severity.HOLD
    assert failure.evidence == {"rule": "TST-002", "error": "LookupError"}
    assert "Larkspur" not in failure.model_dump_json()
    assert sum(finding.rule == "TST-001" for finding in found) == 3


def test_the_order_of_the_rules_does_not_matter() -> None:
    catalogue = [always, fails, dated]
    assert judge(catalogue, facts()) == judge(catalogue[::-1], facts())


def test_a_practice_weighs_rules_itself() -> None:
    assert {finding.severity for finding in judge([always], facts(), {"TST-001": Severity.INFO})} == {Severity.INFO}
    assert {finding.severity for finding in judge([always], facts(), {"TST-001": "stop"})} == {Severity.STOP}
    assert judge([always], facts(), {"TST-001": "off"}) == ()


@pytest.mark.parametrize(
    ("day", "applies"),
    [
        (date(2025, 12, 31), False),
        (date(2026, 1, 1), True),
        (date(2026, 6, 30), True),
        (date(2026, 7, 1), False),
        (None, True),
    ],
)
def test_both_ends_of_a_rules_time_count(day: date | None, applies: bool) -> None:
    assert dated.applies(day) is applies
    undated = charge(line(service_date=None), encounter=Encounter(start_date=day))
    for given in (charge(line(service_date=day), encounter=Encounter()), undated):
        assert bool(judge([dated], facts(given))) is applies


def test_a_charge_that_spans_the_change_of_a_rule_is_judged_by_it() -> None:
    days = (date(2025, 12, 31), date(2026, 1, 2))
    assert judge([dated], facts(charge(*(line(service_date=day) for day in days))))


def test_a_rule_knows_its_title_authority_and_family() -> None:
    assert (always.title, always.family) == ("It always warns.", "rules")
    assert Rule("X-1", "", Severity.INFO, always.check, "Why.\n\nAuthority: CMS,\nchapter 1.").authority == (
        "CMS, chapter 1."
    )


def test_rules_of_other_packages_are_found_and_two_of_one_id_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("practice_rules")

    def check(facts: Facts) -> list[Problem]:
        return []

    check.__module__ = package.__name__
    mine = Rule("OUR-001", "", Severity.INFO, check, "")
    package.__dict__["mine"] = mine
    monkeypatch.setattr(EntryPoint, "load", lambda _: package)
    entry = EntryPoint(name="ours", value="practice_rules", group="charges.rules")
    monkeypatch.setattr(engine, "entry_points", lambda group: [entry] if group == entry.group else [])
    assert mine in load()

    package.__dict__["same"] = Rule("OUR-001", "", Severity.INFO, check, "")
    broken = next(each for each in load() if each.id == PLUGIN_ERROR)
    assert "ours judge nothing, for it cannot be used (ValueError)" in broken(facts())[0].message
    assert mine not in load()


def test_lines_of_the_patient_are_not_judged() -> None:
    given = charge(line("99213", patient_share=True), line("20610"))
    assert [(index, each.code) for index, each in billed(given)] == [(1, "20610")]


def test_a_line_falls_back_on_its_charge() -> None:
    given = charge()
    own = line(rendering_provider=Provider(npi="1"), place_of_service="")
    assert (rendering_npi(given, own), rendering_npi(given, line())) == ("1", "1245319599")
    assert (rendering_npi(Charge(), line()), place_of(given, own), place_of(given, line())) == ("", "11", "11")


def test_what_a_rule_says_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    show(always(facts(charge(line(units=Decimal(2)))))[2:])
    show([])
    assert capsys.readouterr().out == "lines[0].code\n  Line 1: seen.\n  Look.\nNothing to say.\n"


@rule("TST-004", Severity.WARN)
def looks_up(facts: Facts) -> list[Problem]:
    """It needs a table."""
    return [Problem("", "Seen.")] if facts.tables.fee("99213", SERVICE_DATE) else []


def test_a_rule_without_its_table_says_so_once_and_the_charge_goes_on() -> None:
    silent: dict[str, TableMissing] = {}
    without = facts(tables=NO_TABLES)
    assert judge([looks_up], without, silent=silent) == judge([looks_up], without, silent=silent) == ()
    assert [(id, missing.table) for id, missing in silent.items()] == [("TST-004", "fees")]


def test_a_demanded_table_that_is_missing_holds_the_charge() -> None:
    (found,) = judge([looks_up], facts(tables=NO_TABLES, demanded=frozenset({"fees"})))
    assert (found.rule, found.severity) == (TABLE_MISSING, Severity.HOLD)
    assert "Rule TST-004" in found.message
    assert "2026-11-16" in found.message


def test_a_sample_is_no_demanded_table() -> None:
    assert shipped().has("ptp", SERVICE_DATE)
    assert not shipped().without_samples({"ptp"}).has("ptp", SERVICE_DATE)
    assert shipped().without_samples({"ptp"}).has("mue", SERVICE_DATE)


def test_a_practice_can_demand_every_table_and_no_other() -> None:
    assert set(get_args(DemandedTable)) == set(TABLES)
