"""A folder of HL7 v2 messages as a source: a charge is all that was said of its visit; nothing is lost or comes twice."""

import os
from datetime import date
from pathlib import Path

import pytest

from charges import review
from charges.errors import Refused
from charges.intake import Pulled
from charges.practice.dialect import Hl7, Sender
from charges.practice.profile import parse_profile
from charges.reconcile import reconcile
from charges.sources.hl7.inbox import Inbox
from charges.sources.hl7.index import NAME
from charges.tables import ChargeStatus
from tests.practice import PROFILE, Workplace
from tests.sources.hl7 import EHR, IN1, PID, adt, dft, ft1, message, msh, pv1, settings

CAPTURED, HELD, VOID, CLAIMED = ChargeStatus.CAPTURED, ChargeStatus.HELD, ChargeStatus.VOID, ChargeStatus.CLAIMED
REGISTRY = Sender(code="registry", application="REGISTRY")
DAY = 86_400 * 10**9
BARE = "PID|1||100001^^^LAKE^MR||Fairweather^Odette"


class Clinic:
    """A system whose messages are stored in a folder, and the workplace that takes charges from there."""

    def __init__(self, workplace: Workplace) -> None:
        self.workplace, self.folder = workplace, workplace.folder / "messages"
        self.folder.mkdir()
        self.now = 1_800_000_000 * 10**9
        self.inbox = Inbox(self.folder, lambda: self.now)
        self.speak(EHR, REGISTRY)

    def speak(self, *senders: Sender, registration_days: int = 14) -> None:
        self.workplace.apply(source=settings(self.folder, *senders, registration_days=registration_days))

    def send(self, *messages: bytes) -> None:
        for each in messages:
            self.inbox.store(each)

    def pull(self) -> Pulled:
        return self.workplace.pipeline.pull(self.workplace.applied)

    def said(self) -> list[str]:
        return [each.items[0].finding.message for each in review.held(self.workplace.database) if each.items]


@pytest.fixture
def clinic(small_workplace: Workplace) -> Clinic:
    return Clinic(small_workplace)


# Judged and routed


def test_a_charge_goes_out_from_here(clinic: Clinic) -> None:
    clinic.send(dft())
    clinic.pull()
    clinic.workplace.run("judge", "generate", "deliver")
    assert clinic.workplace.states() == {"ehr-V7": CLAIMED}, clinic.said()
    (sent,) = clinic.workplace.files()
    assert b"SV1*HC:99213*150" in sent.read_bytes()


def test_pulling_again_brings_nothing(clinic: Clinic) -> None:
    clinic.send(dft(), dft(visit="V8", control="2"))
    assert clinic.pull() == Pulled(records=2, new=2)
    assert clinic.pull() == Pulled()


def test_a_later_message_is_a_new_version_of_the_charge(clinic: Clinic) -> None:
    clinic.send(dft())
    clinic.pull()
    clinic.send(dft(ft1("85025", "T2"), control="2"))
    assert clinic.pull() == Pulled(records=1, changed=1)
    assert clinic.workplace.rows()["ehr-V7"].total == 300


def test_what_was_taken_back_is_void(clinic: Clinic) -> None:
    clinic.send(dft(), dft(ft1(kind="CD"), control="2"))
    clinic.pull()
    assert clinic.workplace.states() == {"ehr-V7": VOID}


def test_messages_count_in_the_order_in_which_they_were_stored(clinic: Clinic) -> None:
    for number in range(20):
        clinic.send(dft(ft1(f11=str(number)), control=str(number)))
    clinic.pull()
    assert clinic.workplace.rows()["ehr-V7"].total == 19


def test_a_visit_may_be_parted_by_day(clinic: Clinic) -> None:
    clinic.speak(EHR.model_copy(update={"charge_per": "day"}))
    clinic.send(dft(ft1(), ft1("85025", "T2", f4="20261117")))
    clinic.pull()
    assert {key: row.total for key, row in clinic.workplace.rows().items()} == {
        "ehr-V7.20261116": 150, "ehr-V7.20261117": 150,
    }  # fmt: skip
    clinic.send(dft(ft1(kind="CD", f4="20261120"), control="2"))
    clinic.pull()
    states = clinic.workplace.states()
    assert (states["ehr-V7.20261116"], states["ehr-V7.20261117"]) == (VOID, CAPTURED)


# Visits that were registered and not charged

FRONT_DESK = Sender(code="desk", application="REGISTRY", visits_of="ehr")


def _visits(clinic: Clinic, today: date) -> list[tuple[date | None, int | None, bool]]:
    """What a reconciliation tells of encounters without a charge."""
    applied = clinic.workplace.applied
    found = reconcile(clinic.workplace.database, applied.id, applied.practice, today)
    return [(each.day, each.age, each.is_over) for each in found.visits]


def test_a_visit_that_was_registered_waits_for_its_charge(clinic: Clinic) -> None:
    clinic.speak(EHR, FRONT_DESK)
    clinic.send(adt("A04", pv1(), IN1))
    assert clinic.pull() == Pulled(records=1, new=1)
    clinic.workplace.run("judge")
    assert clinic.workplace.states() == {"ehr-V7": HELD}
    (held,) = review.held(clinic.workplace.database)
    assert "The charge has no line to bill." in {each.finding.message for each in held.items}
    assert _visits(clinic, date(2026, 11, 22)) == [(date(2026, 11, 16), 6, True)]
    clinic.send(dft(insurance="", patient=BARE))
    assert clinic.pull() == Pulled(records=1, changed=1)
    clinic.workplace.run("judge")
    assert clinic.workplace.states() == {"ehr-V7": ChargeStatus.CLEAN}, clinic.said()
    assert _visits(clinic, date(2026, 11, 22)) == []
    clinic.send(adt("A03", pv1(), control="A2"))
    assert clinic.pull() == Pulled(records=1)


def test_a_visit_whose_charge_came_first_is_no_other(clinic: Clinic) -> None:
    clinic.speak(EHR, FRONT_DESK)
    clinic.send(dft(), adt("A04", pv1(), IN1))
    clinic.pull()
    assert list(clinic.workplace.rows()) == ["ehr-V7"]
    assert clinic.workplace.rows()["ehr-V7"].total == 150


def test_a_stay_is_over_when_the_patient_is_discharged(clinic: Clinic) -> None:
    stay = pv1().replace("|O|", "|I|")
    clinic.speak(EHR, FRONT_DESK)
    clinic.send(adt("A01", stay))
    clinic.pull()
    assert [is_over for *_, is_over in _visits(clinic, date(2026, 11, 22))] == [False]
    clinic.send(adt("A03", stay, control="A2"))
    clinic.pull()
    assert [is_over for *_, is_over in _visits(clinic, date(2026, 11, 22))] == [True]
    clinic.send(adt("A13", stay, control="A3"))
    clinic.pull()
    assert [is_over for *_, is_over in _visits(clinic, date(2026, 11, 22))] == [False]


def test_a_visit_that_was_cancelled_is_void(clinic: Clinic) -> None:
    clinic.speak(EHR, FRONT_DESK)
    clinic.send(adt("A04", pv1()), adt("A11", pv1(), control="A2"), adt("A08", pv1(), control="A3"))
    clinic.pull()
    assert clinic.workplace.states() == {"ehr-V7": VOID}
    assert _visits(clinic, date(2026, 11, 22)) == []


@pytest.mark.parametrize("event", ["A08", "A28", "A03", "A05"])
def test_what_begins_no_visit_asks_for_no_charge(clinic: Clinic, event: str) -> None:
    clinic.speak(EHR, FRONT_DESK)
    clinic.send(adt(event, pv1()))
    assert clinic.pull() == Pulled()


def test_visits_are_those_of_a_sender_that_charges_by_visit(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no sender whose charges go by visit"):
        settings(tmp_path, EHR, FRONT_DESK.model_copy(update={"visits_of": "ehrr"}))


# Registrations


def test_a_registration_before_or_soon_after_completes_a_charge(clinic: Clinic) -> None:
    clinic.send(adt("A04", IN1))
    clinic.send(dft(insurance="", patient=BARE))
    clinic.pull()
    clinic.send(adt("A08", IN1.replace("PMH8812345", "PMH9")))
    assert clinic.pull() == Pulled(records=1, changed=1)
    clinic.now += 15 * DAY
    clinic.send(adt("A08", IN1.replace("PMH8812345", "PMH10")))
    assert clinic.pull() == Pulled()


def test_the_newest_insurances_count_though_a_newer_registration_names_none(clinic: Clinic) -> None:
    clinic.send(adt("A04", IN1), adt("A03", control="A2"), dft(insurance="", patient=BARE))
    clinic.pull()
    assert clinic.workplace.rows()["ehr-V7"].version
    clinic.workplace.run("judge")
    assert clinic.workplace.states() == {"ehr-V7": ChargeStatus.CLEAN}, clinic.said()


def test_a_registration_of_another_patient_changes_nothing(clinic: Clinic) -> None:
    clinic.send(dft())
    clinic.pull()
    clinic.send(adt("A08", IN1, patient=PID.replace("100001", "100002")))
    assert clinic.pull() == Pulled()


def test_a_merge_reaches_charges_and_the_registration_of_the_other_number(clinic: Clinic) -> None:
    clinic.send(adt("A04", IN1, patient=PID.replace("100001", "100002")), dft(insurance="", patient=BARE))
    clinic.pull()
    clinic.send(adt("A40", "MRG|100001^^^LAKE^MR", control="A2", patient="PID|1||100002^^^LAKE^MR"))
    assert clinic.pull() == Pulled(records=1, changed=1)
    clinic.workplace.run("judge")
    assert clinic.workplace.states() == {"ehr-V7": ChargeStatus.CLEAN}, clinic.said()


# Nothing lost


def test_files_of_another_program_are_read_too(clinic: Clinic) -> None:
    batch = b"FHS|^~\\&|x\r" + dft() + dft(visit="V8", control="2") + b"FTS|1\r"
    (clinic.folder / "batch.txt").write_bytes(batch)
    (clinic.folder / "half.txt.part").write_bytes(dft(visit="V9"))
    clinic.pull()
    assert set(clinic.workplace.states()) == {"ehr-V7", "ehr-V8"}


def test_a_message_that_comes_in_several_files_counts_once(clinic: Clinic) -> None:
    (clinic.folder / "a.hl7").write_bytes(dft(ft1(number="")))
    (clinic.folder / "b.hl7").write_bytes(dft(ft1(number="")))
    assert clinic.pull() == Pulled(records=1, new=1)
    assert clinic.workplace.rows()["ehr-V7"].total == 150
    (clinic.folder / "a.hl7").unlink()
    clinic.send(dft(ft1("85025", "T2"), control="2"))
    (clinic.folder / NAME).unlink()
    clinic.pull()
    assert clinic.workplace.rows()["ehr-V7"].total == 300


def test_a_file_that_ends_amid_a_line_is_read_when_it_stays_so(clinic: Clinic) -> None:
    whole = dft()
    (clinic.folder / "growing.hl7").write_bytes(whole[:-30])
    assert clinic.pull() == Pulled()
    (clinic.folder / "growing.hl7").write_bytes(whole)
    assert clinic.pull() == Pulled(records=1, new=1)
    (clinic.folder / "unended.hl7").write_bytes(dft(visit="V8").rstrip(b"\r"))
    assert clinic.pull() == Pulled()
    assert clinic.pull() == Pulled(records=1, new=1)


def test_a_file_that_grew_after_it_was_read_replaces_itself(clinic: Clinic) -> None:
    (clinic.folder / "growing.hl7").write_bytes(dft(insurance=""))
    clinic.pull()
    (clinic.folder / "growing.hl7").write_bytes(dft() + dft(visit="V8"))
    assert clinic.pull() == Pulled(records=2, new=1, changed=1)
    assert clinic.workplace.rows()["ehr-V7"].total == 150


def test_a_message_that_is_gone_is_told_and_no_shorter_charge_is_made(clinic: Clinic) -> None:
    name = clinic.inbox.store(dft())
    clinic.pull()
    (clinic.folder / name).unlink()
    clinic.send(dft(ft1("85025", "T2"), control="2"))
    clinic.pull()
    assert clinic.workplace.states() == {"ehr-V7": HELD}
    assert "put it back" in clinic.said()[0]


def test_an_index_that_was_deleted_or_cut_short_is_made_anew(clinic: Clinic) -> None:
    clinic.send(dft(), dft(visit="V8", control="2"))
    clinic.pull()
    index = clinic.folder / NAME
    os.truncate(index, index.stat().st_size - 5)
    clinic.send(dft(visit="V9", control="3"))
    again = clinic.pull()
    assert (again.records, again.new, again.changed) == (3, 1, 0)
    index.unlink()
    again = clinic.pull()
    assert (again.records, again.new, again.changed) == (3, 0, 0)
    index.write_bytes(b"no index\n")
    again = clinic.pull()
    assert (again.records, again.new, again.changed) == (3, 0, 0)


def test_a_message_without_a_visit_is_a_charge_of_its_own(clinic: Clinic) -> None:
    clinic.send(dft(visit=""), dft(ft1(kind="CD"), visit="", control="2"))
    clinic.pull()
    keys = list(clinic.workplace.states())
    assert len(keys) == 2
    assert all(key.startswith("message-") for key in keys)
    clinic.workplace.run("judge")
    assert HELD in clinic.workplace.states().values()


def test_what_cannot_be_read_waits_with_the_reason_and_is_void_once_a_dialect_can(clinic: Clinic) -> None:
    clinic.speak(REGISTRY)
    clinic.send(dft(), message(msh("SIU^S12", application="REGISTRY")))
    (clinic.folder / "letter.txt").write_bytes(b"Dear colleague\n")
    (clinic.folder / "short.txt").write_bytes(b"BHS|^~\\&|\r" + dft(visit="V8") + b"BTS|2\r")
    clinic.pull()
    said = sorted(clinic.said())
    assert [each[:40] for each in said] == [
        "A batch says that it has 2 messages (BTS",
        "A file of the message folder holds no HL",
        "Messages of SIU^S12 are not read here. I",
        "No sender of the practice's profile has ",
        "No sender of the practice's profile has ",
    ]
    clinic.speak(EHR, REGISTRY)
    clinic.pull()
    assert {key: state for key, state in clinic.workplace.states().items() if state is not HELD} == {
        "ehr-V7": CAPTURED,
        "ehr-V8": CAPTURED,
        **{key: VOID for key, state in clinic.workplace.states().items() if state is VOID},
    }
    assert list(clinic.workplace.states().values()).count(VOID) == 2


def test_what_is_ignored_leaves_no_trace(clinic: Clinic) -> None:
    clinic.speak(EHR.model_copy(update={"ignored": ("SIU",)}))
    clinic.send(message(msh("SIU^S12")))
    assert clinic.pull() == Pulled()


def test_names_and_keys_tell_nothing_of_the_patient(clinic: Clinic) -> None:
    odd = dft(visit="Fairweather, Odette 1961")
    clinic.send(dft(), adt("A04", IN1), odd)
    clinic.pull()
    told = " ".join([*clinic.workplace.states(), *(each.name for each in clinic.folder.iterdir())])
    assert not any(mark in told for mark in ("100001", "Fairweather", "Odette", "8812345", "1961"))
    assert all(each.stat().st_mode & 0o077 == 0 for each in clinic.folder.iterdir())


def test_a_folder_that_is_not_there_is_refused(clinic: Clinic) -> None:
    clinic.folder.rmdir()
    with pytest.raises(Refused, match=r"does not exist. Make it, or correct"):
        clinic.pull()


def test_a_profile_names_the_senders() -> None:
    old = PROFILE[PROFILE.index("source:") : PROFILE.index("trading_partner:")]
    text = """
source:
  kind: hl7
  folder: messages
  senders:
    - {code: ehr, application: CHARTWELL, visit: PV1-50, procedure: [FT1-25, PR1-3], codes: {LAB17: 85025}}
"""
    profile = parse_profile(PROFILE.replace(old, text.lstrip()))
    assert profile.source == Hl7(
        kind="hl7",
        folder=Path("messages"),
        senders=(
            Sender(
                code="ehr", application="CHARTWELL", visit=("PV1-50",), procedure=("FT1-25", "PR1-3"),
                codes={"LAB17": "85025"},
            ),
        ),
    )  # fmt: skip


def test_the_profile_of_the_guide_is_one() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "connecting-hl7.md").read_text(encoding="utf-8")
    source = guide.split("```yaml\n")[1].split("```")[0]
    old = PROFILE[PROFILE.index("source:") : PROFILE.index("trading_partner:")]
    profile = parse_profile(PROFILE.replace(old, source))
    assert isinstance(profile.source, Hl7)
    assert [each.code for each in profile.source.senders] == ["chartwell", "registry"]
