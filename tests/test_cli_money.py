"""The commands about money as their users meet them."""

import json

import pytest
from sqlalchemy import text

from rules.examples import charge
from tests.conftest import Charges
from tests.practice import Workplace
from tests.replies import a835, denied, paid


@pytest.fixture
def workplace(installed_workplace: Workplace) -> Workplace:
    """A claim that is out, and a visit of 16 November 2026 of which nothing was charged."""
    made = installed_workplace
    made.source.put(charge(key="1"), charge(key="2").model_copy(update={"lines": ()}))
    made.run()
    return made


def test_reconcile_says_what_is_missing_and_what_drifted(charges: Charges, workplace: Workplace) -> None:
    code, out, _ = charges("reconcile", "--as-of", "2026-11-18")
    assert code == 0, out
    assert "2 charges, 1 claims, 1 files" in out
    assert "Every cent is where it should be." in out
    assert "Nothing is charged since 2 days for the visit of 2026-11-16 (charge 2)" in out
    code, out, _ = charges("reconcile", "--as-of", "2026-11-23")
    assert code == 1
    assert "Enter its services in the practice's system, or void it there; where nothing is to be billed" in out
    assert charges("reconcile", "--as-of", "2026-11-23", "--lag", "30")[0] == 0
    with workplace.database.transaction() as session:
        session.execute(text("UPDATE claims SET total = 14000"))
    code, out, _ = charges("reconcile", "--from", "2026-11-01", "--to", "2026-11-30", "--json")
    assert code == 1
    (found,) = json.loads(out)
    assert (found["practice"], found["from"], found["holds"]) == ("lakeside", "2026-11-01", False)
    assert {each["promise"] for each in found["breaks"]} == {"claim-amount", "amount-in-file", "file-total"}
    assert found["equations"][3]["off"] == "-10.00"
    assert charges("reconcile", "--from", "2026-12-01", "--as-of", "2026-12-02")[0] == 0


def test_reconcile_refuses_what_is_no_period_or_practice(charges: Charges, workplace: Workplace) -> None:
    assert charges("reconcile", "--from", "last week")[0] == 2
    assert charges("reconcile", "--practice", "nowhere")[0] == 2
    code, _, err = charges("reconcile", "--from", "2026-12-01", "--to", "2026-11-01")
    assert code == 2
    assert "begins after it ends" in err


def test_a_visit_of_which_nothing_is_billed_is_given_up_with_a_reason(charges: Charges, workplace: Workplace) -> None:
    assert "`charges review void 2 --reason TEXT`" in charges("reconcile", "--as-of", "2026-11-23")[1]
    assert charges("review", "void", "2", "--because", "nothing to bill", "--by", "ada")[0] == 0
    assert charges("reconcile", "--as-of", "2026-11-23")[0] == 0


def test_a_payment_of_nothing_sent_here_is_settled(charges: Charges, workplace: Workplace) -> None:
    assert "or settled" in charges("payments", "list")[1]
    (workplace.folder / "inbound").mkdir()
    (workplace.folder / "inbound" / "1.835").write_bytes(a835(*paid("STRANGER1"), *paid("00001"), paid="160"))
    workplace.run("queue")
    code, out, _ = charges("reconcile", "--as-of", "2026-11-18")
    assert code == 1
    assert "`charges payments settle 1 --reason TEXT`" in out
    code, out, _ = charges("payments", "settle", "1", "--because", "sent by the old system", "--by", "ada")
    assert (code, out) == (0, "Payment 1 is settled.\n")
    code, out, _ = charges("payments", "match", "2", "CR00000000101", "--because", "same visit", "--by", "ada")
    assert (code, out) == (0, "Payment 2 is posted to claim CR00000000101.\n")
    code, out, _ = charges("reconcile", "--as-of", "2026-11-18")
    assert code == 0
    assert "unmatched and settled" in out
    assert "sent by the old system" in charges("payments", "list", "--all")[1]
    assert charges("payments", "reopen", "1", "--because", "it was not", "--by", "ada")[0] == 0
    (waits,) = json.loads(charges("payments", "list", "--json")[1])
    assert (waits["number"], waits["paid"], waits["status"]) == (1, "80.00", "open")


def test_outcomes_by_rule_and_by_code(charges: Charges, workplace: Workplace) -> None:
    code, out, _ = charges("outcomes")
    assert (code, out) == (0, "lakeside, all days: 0 claims decided, 0 of them denied in whole or part, 0 refused.\n")
    (workplace.folder / "inbound").mkdir()
    (workplace.folder / "inbound" / "1.835").write_bytes(a835(*denied("CR00000000101", "18"), paid="0"))
    workplace.run("queue")
    code, out, _ = charges("outcomes", "--from", "2026-11-16")
    assert code == 0
    assert "1 claim decided, 1 of them denied" in out
    assert "CHG-001" in out
    (found,) = json.loads(charges("outcomes", "--json")[1])
    assert found["unforeseen"][0] == {
        "code": "18",
        "claims": 1,
        "amount": "150.00",
        "expected_by": ["CHG-001", "CHG-002", "MOD-009", "NCC-015", "PAY-011"],
    }
    assert {each["rule"]: each["missed"] for each in found["rules"]}["CHG-001"] == 1


def test_a_later_payers_claim_is_replaced_only_where_there_is_one(charges: Charges, workplace: Workplace) -> None:
    code, _, err = charges("secondary", "replace", "1", "--reason", "decided anew", "--by", "ada")
    assert code == 2
    assert "No claim of charge 1 to a later payer is out." in err
    code, _, err = charges("secondary", "replace", "1", "--by", "ada")
    assert code == 2
    assert "Give a reason" in err
