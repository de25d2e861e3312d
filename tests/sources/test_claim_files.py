"""A folder of another system's 837 files as a source of charges: nothing is lost, nothing comes twice."""

import os
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from charges import review
from charges.errors import Refused, Unreadable
from charges.intake import Pulled
from charges.model import References
from charges.practice.connections import ClaimFiles
from charges.practice.profile import parse_profile
from charges.sources import Page, RawRecord
from charges.sources.claimfiles import ClaimFilesSource
from charges.tables import ChargeStatus, RawRecordRow
from charges.x12 import check
from charges.x12.parting import part
from rules.examples import CHILD_SUBSCRIBER, COVERAGE, MEDICARE, PATIENT, charge, line
from rules.full_charge import full_charge
from tests.practice import PROFILE, Workplace
from tests.x12.files import FAITHFUL, claim, partner, read, said, written

CAPTURED, HELD, CLAIMED = ChargeStatus.CAPTURED, ChargeStatus.HELD, ChargeStatus.CLAIMED


class Clinic:
    """A system that writes 837 files into a folder, and the workplace that takes charges from there."""

    def __init__(self, workplace: Workplace) -> None:
        self.workplace = workplace
        self.folder = workplace.folder / "claims-in"
        self.folder.mkdir()
        workplace.apply(source=ClaimFiles(kind="x12", folder=self.folder))

    def file(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def pull(self) -> Pulled:
        return self.workplace.pipeline.pull(self.workplace.applied)

    def work(self) -> None:
        self.pull()
        self.workplace.run("judge", "generate", "deliver")

    def raw_records(self) -> int:
        with self.workplace.database.transaction() as session:
            return session.query(RawRecordRow).count()


@pytest.fixture
def clinic(small_workplace: Workplace) -> Clinic:
    return Clinic(small_workplace)


def patient(number: int) -> object:
    return PATIENT.model_copy(update={"first_name": f"Odette{'abcdefghij'[number]}"})


def visits(count: int) -> bytes:
    """A file of so many claims, each of another patient."""
    return written(*[claim(charge(patient=patient(number)), f"PCN{number}") for number in range(count)], to=FAITHFUL)


# Judged and routed


def test_existing_claims_are_judged_and_go_out_from_here(clinic: Clinic) -> None:
    clinic.file("today.837", visits(3))
    clinic.work()
    assert clinic.workplace.states() == {f"PCN{number}.20261116": CLAIMED for number in range(3)}
    (sent,) = clinic.workplace.files()
    assert check.check(sent.read_bytes()).valid
    assert said(sent.read_bytes(), "CLM") == [f"CLM*CR{number:09d}01*150***11:B:1*Y*A*Y*Y" for number in (1, 2, 3)]


def test_a_fault_in_an_existing_claim_is_found(clinic: Clinic) -> None:
    clinic.file("today.837", written(claim(charge(line("20610", "25")), "PCN1"), to=FAITHFUL))
    clinic.work()
    assert clinic.workplace.states() == {"PCN1.20261116": HELD}
    (held,) = review.held(clinic.workplace.database)
    assert held.items


def test_what_a_file_says_and_no_field_holds_is_held(clinic: Clinic) -> None:
    content = visits(1).replace(b"CLM*", b"CLM*", 1).replace(b"\nHI*", b"\nREF*ZZ*SOMETHING~\nHI*", 1)
    clinic.file("today.837", content)
    clinic.work()
    assert clinic.workplace.states() == {"PCN0.20261116": HELD}
    assert clinic.workplace.files() == []


# Nothing twice


def test_pulling_again_brings_nothing(clinic: Clinic) -> None:
    clinic.file("today.837", visits(3))
    assert clinic.pull() == Pulled(records=3, new=3)
    assert clinic.pull() == Pulled()


def test_the_same_file_under_another_name_brings_nothing_new(clinic: Clinic) -> None:
    clinic.file("today.837", visits(3))
    clinic.pull()
    shutil.copy(clinic.folder / "today.837", clinic.folder / "again.837")
    pulled = clinic.pull()
    assert (pulled.new, pulled.changed) == (0, 0)
    assert clinic.raw_records() == 3


def test_the_same_claims_in_a_new_envelope_are_no_new_versions(clinic: Clinic) -> None:
    clinic.file("a.837", written(claim(charge(), "PCN1"), to=FAITHFUL, control=1))
    clinic.file("b.837", written(claim(charge(), "PCN1"), to=FAITHFUL, control=2))
    pulled = clinic.pull()
    assert (pulled.records, pulled.new, pulled.changed) == (2, 1, 0)
    assert clinic.raw_records() == 2


def test_a_file_touched_or_put_there_with_an_old_time_is_read(clinic: Clinic) -> None:
    clinic.file("new.837", visits(1))
    clinic.pull()
    late = clinic.file("late.837", written(claim(charge(), "LATE1"), to=FAITHFUL))
    os.utime(late, (1_000_000_000, 1_000_000_000))
    assert clinic.pull().new == 1


def test_a_file_that_left_the_folder_and_came_back_brings_nothing_new(clinic: Clinic) -> None:
    path = clinic.file("today.837", visits(2))
    clinic.pull()
    path.rename(clinic.workplace.folder / "archive.837")
    clinic.pull()
    (clinic.workplace.folder / "archive.837").rename(path)
    pulled = clinic.pull()
    assert (pulled.new, pulled.changed) == (0, 0)


# Nothing lost


def test_a_claim_sent_again_is_a_new_version_of_its_charge(clinic: Clinic) -> None:
    clinic.file("a.837", written(claim(charge(), "PCN1"), to=FAITHFUL))
    clinic.pull()
    clinic.file("b.837", written(claim(charge(line(charge=Decimal(175))), "PCN1"), to=FAITHFUL))
    assert clinic.pull() == Pulled(records=1, changed=1)
    assert clinic.workplace.rows()["PCN1.20261116"].total == Decimal(175)


def test_one_number_used_for_several_visits_loses_none(clinic: Clinic) -> None:
    """Some systems send the patient's account number as CLM01."""
    other_day = line(service_date=date(2026, 11, 17))
    visits_of_one = [charge(), charge(other_day, encounter=charge().encounter), charge(line("85025"))]
    clinic.file("a.837", written(*[claim(each, "ACCOUNT7") for each in visits_of_one], to=FAITHFUL))
    clinic.pull()
    assert set(clinic.workplace.states()) == {"ACCOUNT7.20261116", "ACCOUNT7.20261117", "ACCOUNT7.20261116.2"}


def test_the_claim_to_the_second_payer_is_a_charge_of_its_own(clinic: Clinic) -> None:
    second = MEDICARE.model_copy(update={"responsibility": "S"})
    first = COVERAGE.model_copy(update={"responsibility": "P"})
    clinic.file(
        "a.837", written(claim(charge(), "PCN1"), claim(charge(coverages=(second, first)), "PCN1"), to=FAITHFUL)
    )
    clinic.pull()
    assert set(clinic.workplace.states()) == {"PCN1.20261116", "PCN1.20261116.S"}


@pytest.mark.parametrize(("frequency", "what"), [("7", "a replacement"), ("8", "a void")])
def test_a_replacement_or_void_is_for_a_person_to_settle(clinic: Clinic, frequency: str, what: str) -> None:
    given = charge(references=References(payer_claim_number="ICN1"))
    clinic.file("a.837", written(claim(given, "PCN1", frequency), to=FAITHFUL))
    clinic.work()
    assert clinic.workplace.states() == {"PCN1.20261116": HELD}
    (held,) = review.held(clinic.workplace.database)
    assert any(what in str(each.finding.evidence) + each.finding.message for each in held.items)
    assert clinic.workplace.files() == []


def test_a_claim_without_a_number_is_kept(clinic: Clinic) -> None:
    clinic.file("a.837", written(claim(charge(), "PCN1"), to=FAITHFUL).replace(b"CLM*PCN1*", b"CLM**"))
    clinic.pull()
    (key,) = clinic.workplace.states()
    assert key.startswith("without-number-")


def test_a_claim_that_cannot_be_read_is_held_and_the_others_are_read(clinic: Clinic) -> None:
    group = visits(1)
    other = written(claim(charge(), "OLD1"), to=FAITHFUL).replace(b"005010X222A1", b"004010X098A1")
    clinic.file("a.837", group + other)
    clinic.pull()
    assert clinic.workplace.states() == {"PCN0.20261116": CAPTURED, "OLD1.20261116": HELD}
    (held,) = review.held(clinic.workplace.database)
    assert "follows guide 004010X098A1" in held.items[0].finding.message


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a spreadsheet", "This is not X12: it does not begin with an ISA segment."),
        (b"", "The file holds no 837 transaction set, so there are no claims in it."),
        (
            visits(1).replace(b"ST*837", b"ST*835").replace(b"CLM*", b"CLP*"),
            "Transaction set 0001 is a 835, not an 837.",
        ),
        (visits(3)[:-200], "The file ends within a segment."),
    ],
)
def test_a_file_that_cannot_be_read_is_told_once_it_stays_so(clinic: Clinic, content: bytes, sentence: str) -> None:
    clinic.file("odd.837", content)
    clinic.pull()
    assert HELD not in clinic.workplace.states().values()
    clinic.pull()
    held = [each for each in review.held(clinic.workplace.database) if each.items]
    assert [each.items[0].finding.message for each in held] == [
        f"A file of the claim folder cannot be read. odd.837: {sentence}"
    ]
    assert clinic.pull() == Pulled()


def test_a_file_that_is_still_being_written_is_no_fault(clinic: Clinic) -> None:
    whole = visits(3)
    clinic.file("growing.837", whole[:-300])
    clinic.pull()
    clinic.file("growing.837", whole)
    clinic.pull()
    clinic.pull()
    assert clinic.workplace.states() == {f"PCN{number}.20261116": CAPTURED for number in range(3)}


@pytest.mark.parametrize("name", [".hidden.837", "a.837.part", "a.837.tmp", "a.837.filepart"])
def test_temporary_names_are_not_read(clinic: Clinic, name: str) -> None:
    clinic.file(name, b"half a fi")
    (clinic.folder / "archive").mkdir()
    assert clinic.pull() == clinic.pull() == Pulled()


def test_a_pull_that_stops_half_way_goes_on(clinic: Clinic) -> None:
    clinic.file("a.837", visits(5))
    source = ClaimFilesSource(ClaimFiles(kind="x12", folder=clinic.folder))

    class Stopping:
        kind = source.kind
        to_charge = source.to_charge

        def changed_since(self, cursor: str | None) -> object:
            pages = source.changed_since(cursor)
            yield next(pages)
            raise RuntimeError("the power went out")

    with pytest.raises(RuntimeError):
        clinic.workplace.pipeline.pull(clinic.workplace.applied, source=Stopping())  # type: ignore[arg-type]
    clinic.pull()
    assert len(clinic.workplace.states()) == 5
    assert clinic.raw_records() == 5


def test_a_folder_that_is_not_there_is_refused(clinic: Clinic) -> None:
    clinic.folder.rmdir()
    with pytest.raises(Refused, match=r"does not exist. Make it, or correct the practice's source.folder"):
        clinic.pull()


def test_files_are_never_touched(clinic: Clinic) -> None:
    path = clinic.file("a.837", visits(2))
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    clinic.work()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


# Parts


def test_each_part_reads_as_the_claim_in_the_whole() -> None:
    child = charge(coverages=(COVERAGE.model_copy(update={"relationship": "19", "subscriber": CHILD_SUBSCRIBER}),))
    charges = [charge(), child, full_charge(), charge(line("85025")), child, full_charge(dependent=False)]
    marks = {"element": "|", "component": ">", "repetition": "^", "segment": "!"}
    for to in (FAITHFUL, partner(**FAITHFUL.model_dump() | {"delimiters": marks, "claims_per_transaction": 2})):
        content = written(*charges, to=to)
        parts = list(part(content))
        assert [read(each.content) for each in parts] == [[each] for each in read(content)]
        assert [each.number for each in parts] == [f"CR{number:09d}01" for number in range(1, 7)]


def test_a_big_file_comes_in_pages(tmp_path: Path) -> None:
    content = written(*[claim(charge(), f"PCN{number}") for number in range(450)], to=FAITHFUL)
    (tmp_path / "big.837").write_bytes(content)
    pages: list[Page] = list(ClaimFilesSource(ClaimFiles(kind="x12", folder=tmp_path)).changed_since(None))
    assert [len(each.records) for each in pages] == [200, 200, 50, 0]
    assert [each.cursor is None for each in pages] == [True, True, True, False]


def test_who_the_patient_is_comes_from_the_claim() -> None:
    source = ClaimFilesSource(ClaimFiles(kind="x12", folder=Path()))

    def known_as(number: str) -> str:
        given = charge(references=References(medical_record_number=number))
        (found,) = part(written(given, to=FAITHFUL))
        return source.to_charge(RawRecord("1", found.content)).patient.record_number

    assert known_as("MRN 77") == "MRN 77"
    assert known_as("") == "PRM01 PMH8812345 Odette 1961-04-03"


def test_a_record_is_read_or_refused() -> None:
    source = ClaimFilesSource(ClaimFiles(kind="x12", folder=Path()))
    with pytest.raises(Unreadable, match="not X12"):
        source.to_charge(RawRecord("1", b"junk"))
    with pytest.raises(Unreadable, match="2 claims instead of one"):
        source.to_charge(RawRecord("1", visits(2)))


def test_a_profile_names_the_folder() -> None:
    old = PROFILE[PROFILE.index("source:") : PROFILE.index("trading_partner:")]
    profile = parse_profile(PROFILE.replace(old, "source: {kind: x12, folder: claims-in}\n"))
    assert profile.source == ClaimFiles(kind="x12", folder=Path("claims-in"))
