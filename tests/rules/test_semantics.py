"""What implementations of coding rules get wrong, and what is told wrongly about the tables: each as a test.

The laws at the end hold for any lines of codes that the shipped tables speak of.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charges.model import Charge, Diagnosis, ServiceLine, Severity
from rules.codes.groups import listed
from rules.engine import RULE_ERROR, Facts, Problem, judge, load, rule
from rules.examples import MEDICARE, SERVICE_DATE, TABLES, charge, earlier, facts, line, tables
from rules.index import Catalogue
from rules.ncci.pairs import PARTING
from rules.ncci.units import counted, totals
from rules.reference.shipped import shipped

RULES = {each.id: each for each in load()}
CATALOGUE = Catalogue(RULES.values())
OTHER_PROVIDER = {"npi": "1679576722", "last_name": "Ashdown"}


def found(given: Facts, *ids: str) -> list[tuple[str, str]]:
    """The named rules' findings: rule and place."""
    return [(id, problem.at) for id in ids for problem in RULES[id](given)]


class TestPairs:
    def test_both_orders_are_looked_up_and_the_second_column_is_denied(self) -> None:
        for codes, denied in ((("43239", "43235"), 1), (("43235", "43239"), 0)):
            given = facts(charge(*map(line, codes)))
            assert found(given, "NCC-001") == [("NCC-001", f"lines[{denied}]")]

    def test_the_modifier_may_sit_on_either_line(self) -> None:
        for one, other in (((), ("XS",)), (("XS",), ())):
            assert found(facts(charge(line("45385", *one), line("45380", *other))), "NCC-002") == []

    def test_another_day_or_provider_is_no_pair(self) -> None:
        for change in ({"service_date": date(2026, 11, 15)}, {"rendering_provider": OTHER_PROVIDER}):
            second = ServiceLine.model_validate(line("43235").model_dump() | change)
            assert found(facts(charge(line("43239"), second)), "NCC-001") == []

    def test_of_several_rows_the_one_in_force_on_the_day_counts(self) -> None:
        rows = [
            {"column1": "97140", "column2": "97530", "modifier_indicator": "0", "until": date(2019, 12, 31)},
            {"column1": "97140", "column2": "97530", "modifier_indicator": "1", "since": date(2020, 1, 1)},
        ]
        both = charge(line("97140"), line("97530", "59"))
        assert found(facts(both, tables=tables({"ptp": rows})), "NCC-001", "NCC-002") == []
        before = charge(*(each.model_copy(update={"service_date": date(2019, 6, 1)}) for each in both.lines))
        assert found(facts(before, tables=tables({"ptp": rows})), "NCC-001") == [("NCC-001", "lines[1]")]

    def test_an_edit_with_indicator_9_never_applied(self) -> None:
        never = [{"column1": "71046", "column2": "71045", "modifier_indicator": "9"}]
        assert found(facts(charge(line("71046"), line("71045")), tables=tables({"ptp": never})), "NCC-002") == []


class TestUnits:
    def test_all_lines_of_the_day_are_added_up(self) -> None:
        given = facts(charge(line("17110"), line("17110", "59")))
        assert [each.units for each in totals(given)] == [Decimal(2)]
        assert found(given, "NCC-007") == [("NCC-007", "lines[1].units")]

    def test_a_limit_of_the_line_is_not_one_of_the_day(self) -> None:
        limit = tables({"mue": [{"code": "A0425", "units": 250, "adjudication_indicator": 1}]})
        twice = charge(*(line("A0425", "RH", *more, units=Decimal(200)) for more in ((), ("76",))))
        assert found(facts(twice, tables=limit), "NCC-007", "NCC-008", "NCC-009") == []

    def test_a_value_of_0_exists(self) -> None:
        assert found(facts(charge(line("36416"), coverages=(MEDICARE,))), "NCC-010") == [("NCC-010", "lines[0].code")]

    @pytest.mark.parametrize("sides", [(("50",),), (("LT",), ("RT",))])
    def test_both_sides_are_one_unit(self, sides: Sequence[tuple[str, ...]]) -> None:
        lines = [line("27447", *side) for side in sides]
        assert counted(lines) == 1
        assert found(facts(charge(*lines)), "NCC-007") == []


class TestDiagnoses:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("E11.9", "E10.9"),  # a category
            ("N39.0", "N30.00"),  # from the other's category
            ("Z00.00", "Z00.129"),
            ("M54.50", "S39.012A"),
            ("J06.9", "J02.0"),
        ],
    )
    def test_excludes1_is_matched_by_prefix_in_both_directions(self, one: str, other: str) -> None:
        assert shipped().excludes1(one, other, SERVICE_DATE)
        assert shipped().excludes1(other, one, SERVICE_DATE)

    def test_unrelated_diagnoses_exclude_nothing(self) -> None:
        assert shipped().excludes1("E11.9", "I10", SERVICE_DATE) is None

    def test_validity_follows_the_fiscal_year_and_not_today(self) -> None:
        rows = [
            {"code": "G35", "billable": True, "until": date(2025, 9, 30)},
            {"code": "G35", "billable": False, "since": date(2025, 10, 1)},
        ]
        known = tables({"icd": rows})
        before, after = known.icd("G35", date(2025, 9, 30)), known.icd("G35", date(2025, 11, 3))
        assert before
        assert before.billable
        assert after
        assert not after.billable


class TestHistory:
    @pytest.mark.parametrize(
        ("code", "day", "npi", "new"),
        [
            ("99214", date(2025, 5, 1), "1245319599", False),
            ("99214", date(2022, 1, 10), "1245319599", True),  # more than three years ago
            ("80053", date(2025, 5, 1), "1245319599", True),  # nobody saw the patient
            ("99214", date(2025, 5, 1), "1679576722", True),  # perhaps of another specialty
        ],
    )
    def test_a_patient_is_new_by_face_to_face_services_of_three_years(
        self, code: str, day: date, npi: str, new: bool
    ) -> None:
        given = facts(charge(line("99203")), history=[earlier(code, day, rendering_npi=npi)])
        assert (found(given, "EM-001") == []) is new


def test_a_rule_that_fails_is_a_finding_and_holds() -> None:
    @rule("TST-009", Severity.INFO)
    def broken(facts: Facts) -> list[Problem]:
        """It fails."""
        raise KeyError(facts.charge.patient.last_name)

    (said,) = judge([broken], facts())
    assert (said.rule, said.severity) == (RULE_ERROR, Severity.HOLD)
    assert "Larkspur" not in said.message


class TestWrongFactsInCirculation:
    """Said somewhere in public, and contradicted by CMS's tables of the third quarter of 2024."""

    def test_blood_may_be_drawn_beside_a_visit_without_a_modifier(self) -> None:
        for pair in (("99213", "36415"), ("36415", "99213")):
            assert shipped().ptp(*pair, SERVICE_DATE) is None
        assert found(facts(charge(line("99213"), line("36415"))), "NCC-001", "NCC-002") == []

    def test_no_modifier_parts_the_look_from_the_biopsy_of_the_stomach(self) -> None:
        edit = shipped().ptp("43239", "43235", SERVICE_DATE)
        assert edit
        assert edit.modifier_indicator == "0"
        assert found(facts(charge(line("43239"), line("43235", "59"))), "NCC-001")

    @pytest.mark.parametrize(
        ("code", "units", "indicator"), [("20611", 2, 3), ("97110", 6, 3), ("88350", 9, 3), ("36416", 0, 3)]
    )
    def test_limits_are_those_of_the_table(self, code: str, units: int, indicator: int) -> None:
        limit = shipped().mue(code, SERVICE_DATE)
        assert limit
        assert (limit.units, limit.adjudication_indicator) == (units, indicator)

    @pytest.mark.parametrize("member_id", ["1EG4TE5MK73", "1EG4-TE5-MK73", "9AA0A00AA00"])
    def test_a_medicare_number_begins_with_a_digit_and_a_letter(self, member_id: str) -> None:
        medicare = MEDICARE.model_copy(update={"member_id": member_id})
        assert found(facts(charge(coverages=(medicare,))), "IDN-005") == []

    def test_what_an_inpatient_may_not_have_first_an_office_visit_may(self) -> None:
        vaccination = charge(line("90471", diagnoses=("Z23",)), diagnoses=(Diagnosis(code="Z23"),))
        assert [each.id for each in RULES.values() if each.family == "icd" and each(facts(vaccination))] == []

    def test_a_problem_visit_beside_a_check_up_is_no_pair_and_still_needs_25(self) -> None:
        assert shipped().ptp("99396", "99213", SERVICE_DATE) is None
        assert found(facts(charge(line("99396"), line("99213"))), "EM-004")


CODES = listed("""
    11102 11103 17000 17110 20610 20611 27447 29881 36415 43235 43239 45378 45380 45385 80048 80053 83036 85025
    90471 90472 93000 94010 96372 97110 99202 99213 99214 99396 99417 G0438 G0439 J3301
""")
MODIFIERS = sorted(PARTING | {"26", "50", "76", "QW", "JW"})
LINES = st.lists(
    st.builds(
        line,
        st.sampled_from(sorted(CODES)),
        units=st.integers(1, 9).map(Decimal),
        modifiers=st.lists(st.sampled_from(MODIFIERS), max_size=3).map(tuple),
        service_date=st.sampled_from([SERVICE_DATE, SERVICE_DATE - timedelta(days=1)]),
    ),
    min_size=1,
    max_size=6,
)
LAW = settings(max_examples=150, deadline=None)


def of(lines: Sequence[ServiceLine], **changes: Any) -> Facts:
    return facts(charge(*lines, **changes), tables=TABLES())


def said(given: Facts) -> list[tuple[str, str]]:
    """Which rules say something of which code, in no order of lines."""
    lines = given.charge.lines
    return sorted(
        (each.rule, lines[each.line - 1].code if each.line else "")
        for each in judge(CATALOGUE.of(given), given)
        if each.rule in SYMMETRIC
    )


SYMMETRIC = {id for id in RULES if id.startswith(("NCC-", "GLB-", "MOD-", "IMM-006"))}
"""Rules that speak of what lines are to each other, or of a line alone, and never of the first or the second."""


@given(LINES, st.randoms())
@LAW
def test_the_order_of_lines_does_not_matter(lines: list[ServiceLine], chance: Any) -> None:
    shuffled = list(lines)
    chance.shuffle(shuffled)
    assert said(of(lines)) == said(of(shuffled))


@given(LINES, st.data())
@LAW
def test_a_further_modifier_never_creates_a_pair(lines: list[ServiceLine], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(lines) - 1))
    more = (*lines[place].modifiers, data.draw(st.sampled_from(MODIFIERS)))
    changed = [*lines[:place], lines[place].model_copy(update={"modifiers": more}), *lines[place + 1 :]]
    for id in ("NCC-001", "NCC-002"):
        assert set(found(of(changed), id)) <= set(found(of(lines), id))


@given(LINES, st.data())
@LAW
def test_splitting_a_line_neither_lowers_a_total_nor_frees_the_charge(
    lines: list[ServiceLine], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(lines) - 1))
    whole = lines[place]
    assert whole.units
    first = Decimal(data.draw(st.integers(0, int(whole.units))))
    if not 0 < first < whole.units:
        return
    halves = [whole.model_copy(update={"units": units}) for units in (first, whole.units - first)]
    split = [*lines[:place], *halves, *lines[place + 1 :]]

    def sums(given: Facts) -> dict[tuple[str, date], Decimal]:
        return {(each.code, each.day): each.units for each in totals(given)}

    before, after = sums(of(lines)), sums(of(split))
    assert all(after[key] >= units for key, units in before.items())
    if found(of(lines), "NCC-007"):
        assert found(of(split), "NCC-007", "CHG-001")


@given(LINES)
@LAW
def test_judging_twice_gives_the_same(lines: list[ServiceLine]) -> None:
    given = of(lines)
    again = replace(given, charge=Charge.model_validate_json(given.charge.model_dump_json()))
    assert judge(CATALOGUE.of(given), given) == judge(CATALOGUE.of(again), again)
