"""The chain that proves when a claim was filed."""

import hashlib

import pytest

from charges.errors import Refused
from charges.replies.proof import Proof, prove
from charges.tables import ClaimFileRow, EventRow, Mode, ResponseRow
from rules.examples import charge
from tests.practice import Workplace
from tests.replies import a835, about_claims, accepted, paid, ta1, yes

FIRST = "CR00000000101"
REPLIES = {
    "TA1": ta1(1, number=501),
    "999": accepted(1, number=502),
    "277CA": about_claims(yes(FIRST), number=503),
    "835": a835(*paid(FIRST), paid="80", number=504),
}


def _filed(workplace: Workplace, *kinds: str) -> Workplace:
    workplace.source.put(charge(key="1"))
    workplace.run()
    inbound = workplace.folder / "inbound"
    inbound.mkdir()
    for kind in kinds:
        (inbound / f"{kind}.x12").write_bytes(REPLIES[kind])
        workplace.run("queue")
    return workplace


def _proof(workplace: Workplace) -> Proof:
    return prove(workplace.database, FIRST)


def test_the_whole_chain(workplace: Workplace) -> None:
    proof = _proof(_filed(workplace, *REPLIES))
    assert proof.is_complete
    (file,) = workplace.files()
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert proof.file == file.name
    assert proof.numbers == {
        "ISA13": "000000001",
        "GS06": "1",
        "ST02": "0001",
        "CLM01": FIRST,
        "sha256": digest,
        "frequency": "1",
    }
    assert proof.payer_claim_number == "PRM26A7"
    told = [link.what for link in proof.links]
    assert told[:4] == ["charge captured", "charge judged", "charge claimed", "claim built"]
    assert {"file sent", "TA1", "999", "277CA", "835"} <= set(told)
    by_kind = {link.what: link for link in proof.links}
    for kind, content in REPLIES.items():
        assert by_kind[kind].sha256 == hashlib.sha256(content).hexdigest()
    assert by_kind["277CA"].says == ("of the claim: accepted (A2:20:PR); 277CA.x12, ISA13 000000503 written 2611240915")
    assert by_kind["claim built"].sha256 == digest
    assert [link.at for link in proof.links] == sorted(link.at for link in proof.links)


def test_what_is_missing_is_said(small_workplace: Workplace) -> None:
    proof = _proof(_filed(small_workplace, "999"))
    assert proof.is_whole
    assert proof.missing == (
        "No TA1 about it has come.",
        "No 277CA about it has come.",
        "The payer has given no number for the claim.",
    )


def test_a_file_that_did_not_leave_proves_nothing(small_workplace: Workplace) -> None:
    small_workplace.source.put(charge(key="1"))
    small_workplace.run("pull", "judge", "generate")
    assert "The file is built: it is not certain that it was sent." in _proof(small_workplace).missing


def test_a_shadow_claim_proves_nothing(small_workplace: Workplace) -> None:
    small_workplace.apply(Mode.SHADOW)
    assert _proof(_filed(small_workplace)).missing == ("The claim was built for comparison and never sent.",)


@pytest.mark.parametrize("tampering", ["event", "bytes", "reply", "hash"])
def test_a_changed_chain_says_so(workplace: Workplace, tampering: str) -> None:
    _filed(workplace, *REPLIES)
    keyring = workplace.database.keyring
    with workplace.database.transaction() as session:
        file = session.query(ClaimFileRow).one()
        if tampering == "event":
            event = session.query(EventRow).filter_by(subject="file", what="sent").one()
            event.at = event.at.replace(year=2025)
        elif tampering == "bytes":
            file.seal(keyring, content=file.unseal(keyring, "content").replace(b"*261123*", b"*261101*"))
        elif tampering == "hash":
            file.sha256 = "0" * 64
        else:
            response = session.query(ResponseRow).filter_by(name="999.x12").one()
            response.seal(keyring, content=response.unseal(keyring, "content").replace(b"*261124*", b"*261101*"))
    proof = _proof(workplace)
    assert not proof.is_whole
    assert len(proof.broken) == 1


def test_a_number_of_no_claim_is_said(small_workplace: Workplace) -> None:
    with pytest.raises(Refused, match="There is no claim X"):
        prove(small_workplace.database, "X")
