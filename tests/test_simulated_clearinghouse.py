"""The simulated clearinghouse: refuses at every level, lets payers decide, tells it late or never, and knows the truth."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from typer.testing import CliRunner

from charges.cli.main import app
from charges.model import Charge, Claim
from charges.practice.profile import parse_profile
from charges.simulator.clearinghouse import Fate, Habits, SimulatedClearinghouse
from charges.simulator.payers import Decides
from charges.simulator.postbox import Mail, Told
from charges.x12 import check, responses
from charges.x12.answers import ClaimAnswer, FileAnswer, Outcome
from charges.x12.interchange import ControlNumbers, write
from charges.x12.remittance import Decision, Remittance
from charges.x12.remittance_balance import unbalanced
from rules.examples import charge
from tests.conftest import NOON
from tests.practice import PROFILE

PARTNER = parse_profile(PROFILE).trading_partner.model_copy(update={"claims_per_transaction": 4})
AT_ONCE = Mail(lost=0, repeated=0, together=0, within=timedelta(0))
QUIET = Habits(0, 0, 0, 0, 0, 0, 0, decides_within=timedelta(0), decides=Decides(0, 0, 0), mail=AT_ONCE)


class Desk:
    """Somebody who sends claims to a clearinghouse and reads what comes back."""

    def __init__(self, folder: Path, habits: Habits, seed: int = 7) -> None:
        self.outbound, self.inbound = folder / "outbound", folder / "inbound"
        self.outbound.mkdir()
        self.vendor = SimulatedClearinghouse(self.outbound, self.inbound, seed, habits)
        self.numbers, self.now = count(1), NOON

    def send(self, *claims: Claim) -> bytes:
        number = next(self.numbers)
        content = write(claims, PARTNER, ControlNumbers(number), NOON).content
        self.drop(number, content)
        return content

    def drop(self, number: int, content: bytes) -> None:
        (self.outbound / f"prairie-rcm_{number:09d}.837").write_bytes(content)

    def days(self, days: int) -> None:
        for _ in range(days):
            self.vendor.work(self.now)
            self.now += timedelta(days=1)

    def replies(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted(self.inbound.iterdir())]

    def answers(self) -> Iterator[object]:
        for content in self.replies():
            yield from responses.read(content)


def _claims(first: int, many: int) -> list[Claim]:
    return [Claim(number=f"CR{first + place:05d}", charge=charge()) for place in range(many)]


def test_what_is_taken_is_answered_and_paid_in_remittances_that_balance(tmp_path: Path) -> None:
    desk = Desk(tmp_path, QUIET)
    desk.send(*_claims(1, 5))
    desk.days(1)
    answers = list(desk.answers())
    assert [each.outcome for each in answers if isinstance(each, FileAnswer)] == [Outcome.ACCEPTED]
    taken = [each for each in answers if isinstance(each, ClaimAnswer)]
    assert [each.outcome for each in taken] == [Outcome.ACCEPTED] * 5
    assert len({each.payer_claim_number for each in taken}) == 5
    (remittance,) = [each for each in answers if isinstance(each, Remittance)]
    assert unbalanced(remittance) == ()
    assert [each.decision for each in remittance.claims] == [Decision.PAID] * 5
    assert {truth.times for truth in desk.vendor.claims.values()} == {1}


@pytest.mark.parametrize(
    ("habit", "fate", "kind"),
    [
        ("interchange_refused", Fate.INTERCHANGE, "TA1"),
        ("group_refused", Fate.GROUP, "999"),
        ("transaction_refused", Fate.TRANSACTION, "999"),
        ("receiver_refused", Fate.RECEIVER, "277CA"),
        ("provider_refused", Fate.PROVIDER, "277CA"),
        ("claim_refused", Fate.CLAIM, "277CA"),
        ("line_refused", Fate.LINE, "277CA"),
    ],
)
def test_claims_are_refused_at_every_level(tmp_path: Path, habit: str, fate: Fate, kind: str) -> None:
    shares = {name: getattr(QUIET, name) for name in QUIET.__slots__} | {habit: 1.0}
    desk = Desk(tmp_path, Habits(**shares))
    content = desk.send(*_claims(1, 5))
    desk.days(2)
    assert {truth.fate for truth in desk.vendor.claims.values()} == {fate}
    assert all(truth.told[-1] == Told(kind, refuses=True) and not truth.times for truth in desk.vendor.claims.values())
    refused: set[str] = set()
    for answer in desk.answers():
        if isinstance(answer, FileAnswer):
            refused |= responses.refused_claims(answer, content).keys()
        elif isinstance(answer, ClaimAnswer) and answer.outcome is Outcome.REJECTED:
            refused.add(answer.claim_number)
    assert refused == desk.vendor.claims.keys()


def test_a_file_that_comes_again_is_refused_as_a_duplicate_and_passed_on_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, QUIET)
    content = desk.send(*_claims(1, 2))
    desk.days(1)
    desk.drop(1, content)
    desk.days(1)
    assert b"*R*025~" in b"".join(desk.replies())
    assert {truth.times for truth in desk.vendor.claims.values()} == {1}
    assert len(desk.vendor.files[1].digests) == 2


def test_what_was_paid_and_is_taken_back_is_decided_anew(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Habits(0, 0, 0, 0, 0, 0, 0, timedelta(days=2), Decides(0, 0, 1), AT_ONCE))
    desk.send(*_claims(1, 1))
    desk.days(6)
    found = [[each.decision for each in answer.claims] for answer in desk.answers() if isinstance(answer, Remittance)]
    assert found == [[Decision.PAID], [Decision.REVERSED, Decision.PAID]]


def _amending(frequency: str, number: str, payer_claim_number: str, changed: Charge) -> Claim:
    references = changed.references.model_copy(update={"payer_claim_number": payer_claim_number})
    amended = changed.model_copy(update={"references": references})
    return Claim(number=number, charge=amended, frequency=frequency)  # type: ignore[arg-type]


def test_a_void_takes_back_what_was_paid(tmp_path: Path) -> None:
    desk = Desk(tmp_path, QUIET)
    desk.send(*_claims(1, 1))
    desk.days(1)
    (known,) = desk.vendor.payers.known.values()
    desk.send(_amending("8", "CR00002", known.payer_claim_number, charge()))
    desk.days(3)
    assert known.is_withdrawn
    assert sum(each.paid for each in known.decided) == 0
    assert not desk.vendor.payers.known["CR00002"].decided


def test_what_amends_a_claim_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path, QUIET)
    desk.send(_amending("7", "CR00001", "NOBODY", charge()))
    desk.days(1)
    assert desk.vendor.claims["CR00001"].fate is Fate.CLAIM


def test_everything_happens_in_a_month_and_every_reply_can_be_read(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Habits(mail=Mail(kept=timedelta(days=400))))
    for day in range(30):
        desk.send(*_claims(100 * day, 12))
        desk.days(1)
    desk.days(20)
    truth = desk.vendor.claims.values()
    assert {each.fate for each in truth} == set(Fate)
    decisions = Counter(told.payment.decision for each in truth for told in each.told if told.payment)
    assert set(decisions) >= {Decision.PAID, Decision.DENIED, Decision.REVERSED}
    assert desk.vendor.postbox.lost
    assert desk.vendor.postbox.repeated
    assert sum(desk.vendor.postbox.put.values()) > len(desk.replies()) > 60
    for answer in desk.answers():
        assert not isinstance(answer, Remittance) or unbalanced(answer) == ()


def test_a_seed_decides_the_same_in_whatever_order_files_come(tmp_path: Path) -> None:
    told = []
    for name, order in (("one", (1, 2, 3)), ("other", (3, 1, 2))):
        (tmp_path / name).mkdir()
        desk = Desk(tmp_path / name, Habits())
        contents = {
            number: write(_claims(10 * number, 10), PARTNER, ControlNumbers(number), NOON).content for number in order
        }
        for number in order:
            desk.drop(number, contents[number])
            desk.days(1)
        told.append({number: truth.fate for number, truth in desk.vendor.claims.items()})
    assert told[0] == told[1]


def test_a_999_of_an_invented_refusal_is_valid_by_its_guide(tmp_path: Path) -> None:
    shares = {name: getattr(QUIET, name) for name in QUIET.__slots__} | {"transaction_refused": 1.0}
    desk = Desk(tmp_path, Habits(**shares))
    desk.send(*_claims(1, 5))
    desk.days(1)
    (content,) = desk.replies()
    assert check.opinion(content).faults == []


def test_it_can_be_tried_from_the_command_line(tmp_path: Path) -> None:
    desk = Desk(tmp_path, QUIET)
    desk.send(*_claims(1, 3))
    done = CliRunner().invoke(
        app, ["simulate", "clearinghouse", "--dir", str(tmp_path), "--days", "15", "--seed", "3", "--json"]
    )
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert [(each["claim"], each["file"], each["times"]) for each in told] == [(f"CR0000{n}", 1, 1) for n in (1, 2, 3)]
    assert desk.replies()


def test_an_office_that_misses_a_remittance_asks_for_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path, replace(QUIET, mail=Mail(lost=1)))
    desk.send(*_claims(1, 3))
    desk.days(12)
    assert not desk.replies()
    assert desk.vendor.postbox.ask_again("835", desk.now) > 0
    desk.days(1)
    assert {type(each) for each in desk.answers()} == {Remittance}
    assert desk.vendor.postbox.ask_again("835", desk.now) == 0
