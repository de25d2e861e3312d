"""What a rule prevents, in the codes of payers: read from the sentence that its documentation ends with.

>>> said = "Medicare manual, chapter 12. Prevents CARC 16 and 206 to 208 with RARC N382; the rule only warns."
>>> told = prevented(said)
>>> sorted(told.reasons), sorted(told.remarks)
(['16', '206', '207', '208'], ['N382'])
>>> prevented("ASC X12N 005010X222A1, SE01. Prevents a rejection by the receiver.").rejection
True
>>> prevented("The practice's own order.").is_known
False
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SENTENCE = re.compile(r"\bPrevents (?:(a rejection)|CARC ([^.;]*))")
_CODES = re.compile(r"\b([A-Z]{0,2}\d{1,3})(?: to (\d{1,3}))?\b")
UNFIT = "16"
"""The claim lacks something or has an error: what a receiver that looks before the payer rejects instead."""


@dataclass(frozen=True, slots=True)
class Prevented:
    """The denials that a rule expects: reasons (CARC), with any of these remarks (RARC) where it names some.

    ``rejection`` says that a receiver rejects the claim before a payer decides.
    """

    reasons: frozenset[str] = frozenset()
    remarks: frozenset[str] = frozenset()
    rejection: bool = False

    @property
    def is_known(self) -> bool:
        """Whether the rule says what it prevents."""
        return bool(self.reasons) or self.rejection

    def denial(self, reason: str, remarks: frozenset[str]) -> bool:
        """Whether the rule expects this denial; a payer that gives no remark is taken at its reason."""
        return reason in self.reasons and (not self.remarks or not remarks or not self.remarks.isdisjoint(remarks))

    @property
    def refusal(self) -> bool:
        """Whether the rule expects that the claim is refused (TA1, 999, 277CA) before a payer decides."""
        return self.rejection or UNFIT in self.reasons


def prevented(authority: str) -> Prevented:
    """What the authority of a rule says that it prevents; nothing where it says none."""
    found = _SENTENCE.search(authority)
    if found is None:
        return Prevented()
    reasons, _, remarks = (found[2] or "").partition("RARC")
    return Prevented(frozenset(_listed(reasons)), frozenset(_listed(remarks)), found[1] is not None)


def _listed(text: str) -> Iterator[str]:
    for code, last in _CODES.findall(text):
        yield from map(str, range(int(code), int(last) + 1)) if last else (code,)
