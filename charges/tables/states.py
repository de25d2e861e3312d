"""Where charges, files, review items, payments, users and roll-outs stand, who raised an item, what a user is there for."""

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
    WITHDRAWN = "withdrawn"
    """Built to be sent, and given up unsent when the roll-out went back; its charges are built anew."""


NEVER_SENT = frozenset((FileStatus.SHADOW, FileStatus.WITHDRAWN))
"""Files that are not sent and will not be: nobody outside has their claims."""


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


class BreakerStatus(StrEnum):
    """Where a difference between a source's records and their baseline stands."""

    NOTICED = "noticed"
    """Something new was seen; at most the charges that have it are held."""
    OPEN = "open"
    """The contract is broken: nothing of the practice and source is routed until a person accepts the new baseline."""
    ACCEPTED = "accepted"
    """A person accepted it; the records since are read again, and nothing is routed until they are."""
    CLOSED = "closed"


class Amendment(StrEnum):
    """What is done about a claim whose charge changed after it left."""

    NOTHING = "nothing"
    """The claim stands."""
    REPLACE = "replace"
    """A replacement (frequency 7) takes its place."""
    VOID = "void"
    """It is taken back (frequency 8)."""
    RENEW = "renew"
    """The payer does not have it: another first claim (frequency 1) goes out."""


class DifferenceState(StrEnum):
    """Where a difference between a charge and its claim stands."""

    OPEN = "open"
    """Waits for a person."""
    APPROVED = "approved"
    """A person decided; the claim that amends is not built yet."""
    SENT = "sent"
    """The claim that amends is in a file."""
    REFUSED = "refused"
    """The claim that amends was refused, so the earlier one stands again."""
    LEFT = "left"
    """A person let the claim stand."""
    SETTLED = "settled"
    """Nobody needs to decide: the claim says the same, or does not stand any more."""


class UnmatchedStatus(StrEnum):
    """Where a payment that is about no claim of ours stands."""

    OPEN = "open"
    """Waits for a person."""
    MATCHED = "matched"
    """A person said which claim it is about, and it was posted there."""
    SETTLED = "settled"
    """A person said that no claim here is paid by it, and why."""


class Mode(StrEnum):
    """How far a practice has come in the roll-out."""

    OBSERVE = "observe"
    """Charges are judged; no claim is built."""
    SHADOW = "shadow"
    """Claims are built and kept for comparison, never sent."""
    COHORT = "cohort"
    """Claims of the chosen patients are sent, the others are built as shadow."""
    FULL = "full"
    """All claims are sent."""


class Onward(StrEnum):
    """Whether a claim's next payer is to be asked."""

    NONE = "none"
    """Nothing was decided since this was last considered."""
    DUE = "due"
    """The payer decided something, or the next payer's claim was refused."""
    ASKED = "asked"
    """A person wants the claim to the next payer, whatever was decided."""
    AGAIN = "again"
    """A person wants the next payer's claim, that is out, replaced by one that tells what was decided since."""


class Role(StrEnum):
    """What a user is there for; what each may do stands in ``charges.users.permissions``."""

    BILLER = "biller"
    """Works the queue."""
    LEAD = "lead"
    """Answers for the queue: acts on many at once, gives charges up, sends files, decides about rules."""
    AUDITOR = "auditor"
    """Reads everything and changes nothing."""
    OPERATOR = "operator"
    """Runs the installation: users, sources, files as wholes; sees no patient."""


class UserStatus(StrEnum):
    """Whether a user may sign in."""

    ACTIVE = "active"
    DISABLED = "disabled"


class CorrectionState(StrEnum):
    """Where a correction of a charge stands."""

    STANDING = "standing"
    """In force, and to be entered at the source."""
    UNDONE = "undone"
    """A person took it back."""
    TAKEN = "taken"
    """The source says the same by now."""
    LAPSED = "lapsed"
    """The source gave a new version that says otherwise."""


class Topic(StrEnum):
    """What people and other systems can be told about; the words are the ``type`` of a webhook's message."""

    BREAKER_OPEN = "breaker.open"
    """The records of a source changed, and none of its charges goes on."""
    FILE_REJECTED = "file.rejected"
    FILE_UNCERTAIN = "file.uncertain"
    """Nobody knows whether a file was received."""
    REPLY_OVERDUE = "reply.overdue"
    DEADLINE_NEAR = "deadline.near"
    """Charges in the queue must be filed soon."""
    QUEUE_LONG = "queue.long"
    ENDPOINT_SILENT = "endpoint.silent"
    """An endpoint took no message for so long that one was given up."""


class DeliveryState(StrEnum):
    """Where a message to one recipient stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"
    """It was tried for as long as the settings say, or the receiver wants no more."""
    NEEDLESS = "needless"
    """Its recipient may not see it any more, or is there no more."""
