"""Where a charge, a claim file and a review item stand, and who raised the item."""

from enum import StrEnum


class ChargeStatus(StrEnum):
    """Where a charge stands."""

    CAPTURED = "captured"
    """Stored, not yet judged in its present version."""
    CLEAN = "clean"
    """Judged; nothing holds it; waits for the next claim file."""
    HELD = "held"
    """Waits for a person."""
    SELF_PAY = "self_pay"
    """The patient pays; no claim goes out."""
    CLAIMED = "claimed"
    """In a claim file."""
    ACCEPTED = "accepted"
    """The payer took the claim for adjudication."""
    VOID = "void"
    """Given up, here or at the source."""


class FileStatus(StrEnum):
    """Where a claim file stands."""

    BUILT = "built"
    """Numbered, checked and stored."""
    SENDING = "sending"
    """Staged at the receiver; whether it was published is not yet written down."""
    UNCERTAIN = "uncertain"
    """Neither staged nor published any more: a person says whether it was received."""
    SENT = "sent"
    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    REJECTED = "rejected"
    SHADOW = "shadow"
    """Built for comparison, never sent."""


class ItemState(StrEnum):
    """Where a review item stands."""

    OPEN = "open"
    WAIVED = "waived"
    """A person let it pass, for this version of the charge."""
    CLOSED = "closed"
    """It no longer applies: looked at again, changed at the source, or given up."""


class Origin(StrEnum):
    """Who raised a review item; what the rules raised, the rules also take back."""

    RULES = "rules"
    GUIDE = "guide"
    """The implementation guide, when the claim was built."""
    SOURCE = "source"
    """The source changed or voided the charge after its claim left, or gave a record that cannot be read."""
    ANSWER = "answer"
    """The vendor's or payer's reply."""
