"""A charge belongs to one person or to nobody: what agrees, what contradicts, and populations with known truth."""

import os
import sys
from collections import Counter, defaultdict
from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charges.patients import likeness
from charges.patients.likeness import Likeness
from charges.patients.matching import Candidate, Demographics, Doubtful, Linked, Reason, compare, match
from tests.matching.population import descriptions_of, people

ADA = Demographics(
    numbers=(("", "100001"),),
    last_names=("Vasquez-Holloway",),
    first_names=("Ada",),
    middle_name="Marie",
    birth_date=date(1980, 5, 1),
    streets=("12 North Oak Street",),
    phones=("217-555-0142",),
    emails=("ada@example.org",),
    ssn="433-22-1987",
    mbi="1EG4-TE5-MK73",
)
ELSEWHERE = ADA.model_copy(update={"numbers": ()})
"""The same person as another system tells of her."""


def _changed(person: Demographics = ELSEWHERE, /, **changes: object) -> Demographics:
    return person.model_copy(update=changes)


def _reason(person: Demographics, *known: Demographics) -> str:
    found = match(person, [Candidate(number, each) for number, each in enumerate(known, 1)])
    return f"linked by {found.evidence.by}" if isinstance(found, Linked) else found.reason.value


# The number


def test_the_number_of_the_same_assigner_decides() -> None:
    assert _reason(ADA, ADA) == "linked by number"
    assert _reason(Demographics(numbers=(("", "100001"),)), ADA) == "linked by number"


@pytest.mark.parametrize(
    "changes",
    [
        {"birth_date": date(1981, 5, 1)},
        {"first_names": ("Bea",)},
        {"suffix": "Jr"},
        {"last_names": ("Otherwise",), "phones": (), "emails": (), "streets": (), "ssn": "", "mbi": ""},
    ],
    ids=["another birth date", "a twin", "a son", "another family"],
)
def test_a_number_does_not_outweigh_another_person(changes: dict[str, object]) -> None:
    known = ADA.model_copy(update={"suffix": "Sr"})
    assert _reason(_changed(ADA, **changes), known) == Reason.CONTRADICTED.value


def test_somebody_who_agrees_does_not_mend_a_contradicted_number() -> None:
    stranger = Demographics(
        numbers=(("", "100001"),), last_names=("Otherwise",), first_names=("Max",), birth_date=date(1950, 1, 1)
    )
    assert _reason(_changed(numbers=(("", "100001"),)), stranger, _changed()) == Reason.CONTRADICTED.value


def test_a_new_last_name_under_the_number_is_the_same_person() -> None:
    assert _reason(_changed(ADA, last_names=("Newlywed",)), ADA) == "linked by number"


def test_the_same_number_of_two_assigners_is_no_number() -> None:
    other = Demographics(
        numbers=(("laboratory", "100001"),), last_names=("Vasquez-Holloway",), birth_date=date(1980, 5, 1)
    )
    assert _reason(other, ADA) == Reason.UNCERTAIN.value


def test_another_number_of_the_same_assigner_is_another_person() -> None:
    assert _reason(_changed(numbers=(("", "100002"),)), ADA) == Reason.UNCERTAIN.value


def test_a_merge_knows_both_numbers() -> None:
    merged = ADA.joined(Demographics(numbers=(("", "100002"),)))
    assert {_reason(_changed(numbers=(("", number),)), merged) for number in ("100001", "100002")} == {
        "linked by number"
    }


# The combinations


@pytest.mark.parametrize(
    ("kept", "by"),
    [
        ({"mbi"}, "08"), ({"last_names", "ssn"}, "04"), ({"last_names", "phones"}, "02"),
        ({"last_names", "emails"}, "03"), ({"last_names", "streets"}, "01"), ({"phones", "ssn"}, "17"),
        ({"emails", "ssn"}, "19"), ({"phones", "streets"}, "11"), ({"phones", "emails"}, "11"),
        ({"emails", "streets"}, "12"),
    ],
)  # fmt: skip
def test_each_combination_links_and_nothing_less_does(kept: set[str], by: str) -> None:
    needed = {"first_names", "birth_date", *kept}
    blank = Demographics()
    only = blank.model_copy(update={name: getattr(ADA, name) for name in needed})
    assert _reason(only, ADA) == f"linked by {by}"
    for name in needed:
        less = only.model_copy(update={name: getattr(blank, name)})
        assert _reason(less, ADA) in (Reason.UNCERTAIN.value, Reason.NOBODY.value), name


def test_one_typing_error_is_let_pass_and_two_are_not() -> None:
    only = _without_numbers("phones", "emails")
    assert _reason(_changed(only, last_names=("Vasquez-Holoway",)), ADA) == "linked by 01"
    assert _reason(_changed(only, streets=("12 North Oka Street",)), ADA) == "linked by 01"
    both = _changed(only, last_names=("Vasquez-Holoway",), streets=("12 North Oka Street",))
    assert _reason(both, ADA) == Reason.UNCERTAIN.value
    assert _reason(_changed(only, streets=("13 North Oak Street",)), ADA) == Reason.UNCERTAIN.value


def _without_numbers(*more: str) -> Demographics:
    return ELSEWHERE.model_copy(update={"ssn": "", "mbi": "", **dict.fromkeys(more, ())})


@pytest.mark.parametrize(
    "changes",
    [
        {"first_names": ("Ida",)}, {"first_names": ("Adda",)}, {"suffix": "Jr"}, {"middle_name": "Beatrix"}, {"ssn": "1988"},
        {"mbi": "1EG4TE5MK74"}, {"birth_date": date(1980, 1, 5)}, {"birth_date": None},
        {"last_names": ("Ada",), "first_names": ("Holloway",)},
    ],
)  # fmt: skip
def test_what_contradicts_is_not_outweighed(changes: dict[str, object]) -> None:
    assert (
        _reason(ELSEWHERE.model_copy(update=changes), ADA.model_copy(update={"suffix": "Sr"})) == Reason.UNCERTAIN.value
    )


@pytest.mark.parametrize(
    ("without", "said"),
    [
        (set(), "linked by names turned"),
        ({"ssn", "emails"}, "linked by names turned"),
        ({"ssn", "emails", "streets"}, "uncertain"),
        ({"birth_date"}, "uncertain"),
    ],
)
def test_names_in_each_others_place_are_let_pass_with_two_facts_more(without: set[str], said: str) -> None:
    turned = _changed(last_names=("ADA",), first_names=("Vasquez Holloway",), mbi="")
    blank = Demographics()
    assert _reason(turned.model_copy(update={name: getattr(blank, name) for name in without}), ADA) == said


def test_two_who_agree_are_nobody_and_both_are_told() -> None:
    found = match(_changed(), [Candidate(1, ADA), Candidate(2, _changed(ADA, numbers=(("", "100009"),)))])
    assert isinstance(found, Doubtful)
    assert found.reason is Reason.SEVERAL
    assert [each.patient for each, _ in found.candidates] == [1, 2]


def test_a_search_cut_short_proves_nobody_the_only_one() -> None:
    found = match(_changed(), [Candidate(1, ADA)], cut_short=True)
    assert isinstance(found, Doubtful)
    assert found.reason is Reason.CUT_SHORT


def test_earlier_names_telephones_and_streets_count() -> None:
    known = ADA.joined(Demographics(last_names=("Newlywed",), phones=("3125550188",), streets=("7 Faraway Road",)))
    assert _reason(_without_numbers("emails", "streets"), known) == "linked by 02"
    assert (
        _reason(
            Demographics(
                last_names=("Newlywed",), first_names=("ADA",), birth_date=date(1980, 5, 1), streets=("7 faraway rd",)
            ),
            known,
        )
        == "linked by 01"
    )


def test_evidence_says_what_agrees_and_holds_no_value() -> None:
    evidence = compare(ADA, _changed(streets=("13 North Oak Street",)))
    assert evidence.sentence().startswith("agrees: last name, first name")
    assert "differs: street" in evidence.sentence()
    assert not [each for each in ("Ada", "Oak", "1980", "0142") if each in repr(evidence)]


# Populations with known truth


def _registry(known: list[Candidate]) -> dict[object, list[Candidate]]:
    by_day: dict[object, list[Candidate]] = defaultdict(list)
    for each in known:
        by_day[each.demographics.birth_date].append(each)
        for phone in each.demographics.phones:
            by_day[likeness.telephone(phone)].append(each)
    return by_day


def test_nobody_is_linked_wrongly(capsys: pytest.CaptureFixture[str]) -> None:
    chance = Random(2026)
    known = people(chance, int(os.environ.get("CHARGES_TEST_POPULATION", "5000")))
    said = descriptions_of(chance, known)
    registry = _registry(known)
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for each in said:
        keys = (each.demographics.birth_date, *map(likeness.telephone, each.demographics.phones))
        found = match(each.demographics, [one for key in keys for one in registry.get(key, ())])
        asked[each.kind] += 1
        if isinstance(found, Linked):
            (right if found.candidate.patient == each.truth else wrong)[each.kind] += 1
    registered = sum(1 for each in said if each.truth is not None)
    found_share = right.total() / registered
    lines = [f"{len(known)} people: {wrong.total()} wrong links, {found_share:.3f} of {registered} registered found"]
    kinds = sorted({each.kind for each in said if each.truth})
    lines += [f"  {kind}: {right[kind]} of {asked[kind]}" for kind in kinds]
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    assert not wrong
    assert asked["twin"] > 30
    for kind in (
        "as registered",
        "shouted",
        "telephone in dots",
        "names swapped",
        "moved",
        "social security fragment",
        "married",
        "hyphenated",
    ):
        assert right[kind] > 0.95 * asked[kind], kind


# Properties

names = st.sampled_from(
    ("Ada", "Adah", "Bea", "José", "Vale", "Valence", "Valance", "O'Rourke", "ORourke", "Müller", "")
)
descriptions = st.builds(
    Demographics,
    numbers=st.lists(st.tuples(st.sampled_from(("", "lab")), st.sampled_from(("1", "2", "3"))), max_size=2).map(tuple),
    last_names=st.lists(names, max_size=2).map(tuple),
    first_names=st.lists(names, max_size=2).map(tuple),
    middle_name=st.sampled_from(("", "A", "Bo")),
    suffix=st.sampled_from(("", "Jr", "SR.", "II", "MD")),
    birth_date=st.sampled_from((None, date(1980, 5, 1), date(1981, 5, 1))),
    streets=st.lists(st.sampled_from(("1 Oak Street", "1 Oak St", "1 Oka St", "2 Oak St", "")), max_size=2).map(tuple),
    phones=st.lists(st.sampled_from(("2175550142", "(217) 555-0142", "3125550188", "0000000000")), max_size=2).map(
        tuple
    ),
    emails=st.lists(st.sampled_from(("a@example.org", "A@example.org ", "b@example.org")), max_size=1).map(tuple),
    ssn=st.sampled_from(("", "433221987", "1987", "1988")),
    mbi=st.sampled_from(("", "1EG4TE5MK73", "1EG4-TE5-MK73", "1EG4TE5MK74")),
)


@given(one=descriptions, other=descriptions)
def test_comparing_is_the_same_either_way_round(one: Demographics, other: Demographics) -> None:
    assert compare(one, other) == compare(other, one)


@given(person=descriptions, known=st.lists(descriptions, max_size=5), chance=st.randoms(use_true_random=False))
def test_the_order_of_candidates_is_irrelevant(person: Demographics, known: list[Demographics], chance: Random) -> None:
    candidates = [Candidate(number, each) for number, each in enumerate(known)]
    shuffled = candidates.copy()
    chance.shuffle(shuffled)
    assert match(person, candidates) == match(person, shuffled)


@given(person=descriptions, known=st.lists(descriptions, max_size=4), more=descriptions)
def test_one_more_candidate_links_to_none_of_those_in_doubt(
    person: Demographics, known: list[Demographics], more: Demographics
) -> None:
    candidates = [Candidate(number, each) for number, each in enumerate(known)]
    added = Candidate(99, more)
    if isinstance(match(person, candidates), Doubtful):
        found = match(person, [*candidates, added])
        # Doubtful still, or the one who came is the person: then they are so without the others too.
        assert isinstance(found, Doubtful) or found == match(person, [added])


@given(person=descriptions, other=descriptions)
def test_who_contradicts_is_never_linked(person: Demographics, other: Demographics) -> None:
    found = match(person, [Candidate(1, other)])
    if isinstance(found, Linked):
        assert (
            likeness.word(likeness.generation(person.suffix), likeness.generation(other.suffix)) is not Likeness.OTHER
        )
        assert likeness.day(person.birth_date, other.birth_date) is not Likeness.OTHER


@given(text=st.text(max_size=20))
def test_bringing_into_one_spelling_is_done_once(text: str) -> None:
    for spell in (
        likeness.folded,
        likeness.generation,
        likeness.telephone,
        likeness.address_of_mail,
        likeness.street_line,
    ):
        assert spell(spell(text)) == spell(text)
