"""The commands after billing as their users meet them: proof, overdue replies, replies in words, decisions."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from rules.examples import charge, line
from tests.conftest import NOON, Charges
from tests.practice import Workplace
from tests.replies import about_claims, yes

FIRST = "CR00000000101"


@pytest.fixture
def workplace(installed_workplace: Workplace) -> Workplace:
    """A claim that the payer has as PRM0001, sent on 23 November 2026."""
    made = installed_workplace
    made.source.put(charge(key="1"))
    made.run()
    return made


def _accepted(workplace: Workplace) -> None:
    (workplace.folder / "inbound").mkdir(exist_ok=True)
    (workplace.folder / "inbound" / "answer.277").write_bytes(about_claims(yes(FIRST)))
    workplace.run("queue")


def _edited(workplace: Workplace) -> None:
    workplace.source.put(charge(line(charge=Decimal("175.00")), key="1"))
    workplace.run("pull", "generate")


def test_the_proof_of_a_claim(charges: Charges, workplace: Workplace) -> None:
    _accepted(workplace)
    code, out, _ = charges("proof", FIRST)
    assert code == 0
    assert "ISA13          000000001" in out
    assert "payer's number PRM0001" in out
    assert "Missing: No TA1 about it has come." in out
    assert "Nothing of this chain was changed after it was stored." in out
    code, out, _ = charges("proof", FIRST, "--json")
    assert (code, json.loads(out)["whole"]) == (0, True)
    assert charges("proof", "CR9")[0] == 2


def test_an_overdue_reply_is_told_everywhere(charges: Charges, workplace: Workplace) -> None:
    code, out, _ = charges("files", "overdue")
    assert (code, out) == (0, "No reply is overdue.\n")
    late = Workplace(workplace.database, workplace.folder, lambda: NOON + timedelta(days=30))
    late.run("overdue")
    code, out, _ = charges("files", "overdue")
    assert code == 1
    assert "The 999 of file 1" in out
    kinds = [each["kind"] for each in json.loads(charges("files", "overdue", "--json")[1])]
    assert kinds == ["999", "277CA"]
    for words in (("status",), ("review", "list")):
        assert "The 999 of file 1" in charges(*words)[2]
    assert json.loads(charges("status", "--json")[1])["lakeside"]["overdue replies"] == {"277CA": 1, "999": 1}
    assert "has not come" in charges("doctor")[1]


def test_a_report_in_words_is_listed_and_printed(charges: Charges, workplace: Workplace) -> None:
    (workplace.folder / "inbound").mkdir()
    (workplace.folder / "inbound" / "today.txt").write_text("File 000000001 was received.")
    workplace.run("queue")
    assert "it names file 1" in charges("files", "replies")[1]
    assert json.loads(charges("files", "replies", "--json")[1])[0]["reply"] == 1
    assert charges("files", "reply", "2")[0] == 2


def test_a_difference_is_shown_and_decided(charges: Charges, workplace: Workplace) -> None:
    _accepted(workplace)
    assert charges("review", "replace", "1", "--because", "fee", "--by", "ada")[0] == 2
    _edited(workplace)
    code, out, _ = charges("review", "show", "1")
    assert code == 0
    assert "line 1 charge" in out
    assert "The payer's claim number is PRM0001." in out
    difference = json.loads(charges("review", "show", "1", "--json")[1])["difference"]
    assert difference["proposal"] == "replace"
    code, _, err = charges("review", "replace", "1", "--because", "fee", "--by", "ada", "--seen", "0000")
    assert code == 4
    assert "changed again" in err
    assert charges("review", "replace", "1", "--by", "ada")[0] == 2
    seen = str(difference["version"])
    assert charges("review", "replace", "1", "--because", "fee", "--by", "ada", "--seen", seen)[0] == 0
    workplace.run()
    assert len(workplace.files()) == 2


@pytest.mark.parametrize(("verb", "said"), [("void", "goes out with the next file"), ("leave", "stands")])
def test_a_claim_is_voided_or_left(charges: Charges, workplace: Workplace, verb: str, said: str) -> None:
    _accepted(workplace)
    _edited(workplace)
    code, out, _ = charges("review", verb, "1", "--because", "as agreed", "--by", "ada")
    assert code == 0
    assert said in out
