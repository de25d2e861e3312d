"""What replies say against claims, as findings for billers: the payer's words, and what can be done."""

from collections.abc import Sequence

from charges.model import Finding, Severity
from charges.x12.responses import ClaimAnswer, FileAnswer, FileError

_TOLD = 5
"""So many errors of an answer are told; a person reads no more, the reply itself is kept."""


def told(errors: Sequence[FileError]) -> str:
    """The first errors in a sentence."""
    more = f"; and {len(errors) - _TOLD} more" if len(errors) > _TOLD else ""
    return "; ".join(error.sentence for error in errors[:_TOLD]) + more


def of_file(answer: FileAnswer, number: str, errors: Sequence[FileError]) -> Finding:
    """A claim that was refused with its file."""
    if errors:
        said, fix = f": {told(errors)}.", "Correct what the answer names"
    elif answer.errors:
        said = " because of other claims in it; nothing is said against this one."
        fix = "Nothing needs to be corrected in this claim"
    else:
        said, fix = " and gives no reason.", "Ask the vendor for the reason"
    return Finding(
        rule=answer.kind,
        severity=Severity.HOLD,
        at=f"claim {number}",
        message=f"The vendor's {answer.kind} refused the file with claim {number}{said}",
        evidence={"control number": str(answer.control_number)},
        fix=f"{fix}; waive this finding to send the claim again as it is.",
    )


def of_claim(answer: ClaimAnswer) -> Finding:
    """A claim that the payer's side refused."""
    return Finding(
        rule="277CA",
        severity=Severity.HOLD,
        at=f"claim {answer.claim_number}",
        message=f"The payer's side refused claim {answer.claim_number}: {answer.sentence}",
        evidence={"status": ", ".join(answer.codes)},
        fix="Correct the charge at the source; waive this finding to send the claim again as it is.",
    )


def of_amendment(finding: Finding, frequency: str, standing: str) -> Finding:
    """The refusal of a replacement or void, after which the claim before it stands."""
    what = "replacement" if frequency == "7" else "void"
    return finding.model_copy(
        update={
            "message": f"{finding.message} It was the {what} of claim {standing}, which stands at the payer as before.",
            "fix": f"Correct what the answer names, then decide anew what becomes of claim {standing}; waive this finding "
            "when that is done.",
        }
    )


def contradiction(answer: ClaimAnswer) -> Finding:
    """A claim that is accepted after it was refused."""
    return Finding(
        rule="277CA",
        severity=Severity.HOLD,
        at=f"claim {answer.claim_number} accepted",
        message=f"The payer's side accepted claim {answer.claim_number}, which an earlier answer refused: "
        f"{answer.sentence}",
        evidence={"status": ", ".join(answer.codes), "payer's claim number": answer.payer_claim_number},
        fix="Ask the payer whether it has the claim. Give the charge up here if it has; waive this finding if it has not.",
    )
