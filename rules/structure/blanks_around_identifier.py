"""An identifier or name begins or ends with a blank, or is in small letters where capitals are meant.

Identifiers are compared character by character. A blank copied along, or a small letter where the card has a capital,
makes another member id, and the payer does not know the member.

>>> from rules.examples import COVERAGE, charge, facts, show
>>> spaced = COVERAGE.model_copy(update={"member_id": " PMH8812345"})
>>> show(blanks_around_identifier(facts(charge(coverages=(spaced,)))))
coverages[0].member_id
  The member id of coverage 1 is written with blanks around it: ' PMH8812345'.
  Write PMH8812345.

>>> show(blanks_around_identifier(facts()))
Nothing to say.

Authority: ASC X12N 005010X222A1, appendix B.1.1.3.1.3, on leading and trailing blanks; payers' own files for capitals, so
the rule only warns. Prevents CARC 31.
"""

from collections.abc import Iterator

from charges.model import Change, Charge, Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary import unusual


@rule("STR-017", Severity.WARN, where=unusual)
def blanks_around_identifier(facts: Facts) -> Iterator[Problem]:
    """Identifiers stand without blanks around them and in capitals."""
    if not _needs_a_look(facts.charge):
        return
    for at, what, text in _identifiers(facts.charge):
        meant = text.strip().upper()
        if meant and text != meant:
            fault = "small letters" if text.strip() == text else "blanks around it"
            yield Problem(
                at,
                f"{what} is written with {fault}: {text!r}.",
                {"written": repr(text)},
                f"Write {meant}.",
                (Change(at=at, op="set", value=meant),),
            )


def _needs_a_look(charge: Charge) -> bool:
    for coverage in charge.coverages:
        written = coverage.member_id + coverage.group_number + coverage.payer.payer_id
        if not (written.isalnum() and written.isupper()):
            return True
    return bool(charge.references.model_fields_set)


def _identifiers(charge: Charge) -> Iterator[tuple[str, str, str]]:
    for index, coverage in enumerate(charge.coverages):
        at, number = f"coverages[{index}]", index + 1
        yield f"{at}.member_id", f"The member id of coverage {number}", coverage.member_id
        yield f"{at}.group_number", f"The group number of coverage {number}", coverage.group_number
        yield f"{at}.payer.payer_id", f"The payer id of coverage {number}", coverage.payer.payer_id
    references = charge.references
    yield "references.prior_authorization", "The prior authorization", references.prior_authorization
    yield "references.referral_number", "The referral number", references.referral_number
    yield "references.payer_claim_number", "The payer's claim number", references.payer_claim_number
    yield "references.clia", "The CLIA number", references.clia
