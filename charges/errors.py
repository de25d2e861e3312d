"""What can go wrong for an operator, drawn once.

Findings are for billers, exceptions are for operators, assertions are for us::

    ChargerouterError
    ├── Unavailable        something outside did not answer; the next run tries again
    ├── Refused            a person must act before this can work
    │   ├── Missing        there is no such thing, or it is not for whoever asks
    │   ├── Forbidden      whoever asks may not do this
    │   ├── NotOffered     a system does not know what it is asked for
    │   ├── Unreadable     bytes given to us are not what they claim to be
    │   └── BadFile        a file that a person wrote has faults; each is listed
    │       ├── BadProfile     a practice profile
    │       └── BadRules       payer rules
    └── Stale              somebody else moved the row first; read it again

Every message is a sentence an operator can act on and holds no patient data:
texts of foreign exceptions are never copied into ours, only their type.
"""

from collections.abc import Sequence
from typing import ClassVar


class ChargerouterError(Exception):
    """Base of all errors raised on purpose. ``exit_code`` is what the command line returns."""

    exit_code: ClassVar[int] = 2


class Unavailable(ChargerouterError):
    """Something outside (vendor, broker, disk, database) does not answer now. Nothing is lost; run again."""

    exit_code = 3


class Refused(ChargerouterError):
    """The request cannot work until a person changes something."""


class Missing(Refused):
    """There is no such thing; what somebody may not see is told the same way."""


class Forbidden(Refused):
    """The role of whoever asks does not include this."""


class NotOffered(Refused):
    """A system does not know what it is asked for, and never gives it until its vendor changes it."""


class Unreadable(Refused):
    """The bytes at hand cannot be read as what they claim to be."""


class BadFile(Refused):
    """What a person wrote was refused whole.

    ``faults`` holds a sentence for each fault with its line or path.
    """

    verdict: ClassVar[str] = "is not applied"

    def __init__(self, name: str, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        count = f"{len(faults)} fault" + ("s" if len(faults) != 1 else "")
        super().__init__(f"{name} {self.verdict}, it has {count}:\n" + "\n".join(f"  {fault}" for fault in faults))


class BadProfile(BadFile):
    """A practice profile has faults."""


class BadRules(BadFile):
    """Payer rules have faults, so none of them judges and no charge is called clean meanwhile."""

    verdict = "cannot judge"


class Stale(ChargerouterError):
    """A row is no longer in the state it was read in: another worker or person was faster."""

    exit_code = 4
