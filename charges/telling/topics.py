"""What can be told: which permission it takes, how urgent it is, who usually wants it."""

from collections.abc import Iterable, Mapping

from charges.errors import Refused
from charges.tables import Role, Topic
from charges.users.permissions import Permission

MEANINGS: Mapping[Topic, str] = {
    Topic.BREAKER_OPEN: "a source's records changed, and its charges wait",
    Topic.FILE_REJECTED: "a claim file was rejected",
    Topic.FILE_UNCERTAIN: "nobody knows whether a claim file was received",
    Topic.REPLY_OVERDUE: "a reply to a claim file is overdue",
    Topic.DEADLINE_NEAR: "held charges must be filed soon",
    Topic.QUEUE_LONG: "more charges are held than the practice's limit",
    Topic.ENDPOINT_SILENT: "a webhook's endpoint does not answer",
}
"""In words for forms and lists."""

URGENT = frozenset({Topic.BREAKER_OPEN, Topic.FILE_REJECTED, Topic.FILE_UNCERTAIN, Topic.ENDPOINT_SILENT})
"""What cannot wait for tomorrow's digest: money stands still until somebody acts."""

NEEDED: Mapping[Topic, Permission] = {
    Topic.BREAKER_OPEN: Permission.READ_SOURCES,
    Topic.FILE_REJECTED: Permission.READ_FILES,
    Topic.FILE_UNCERTAIN: Permission.READ_FILES,
    Topic.REPLY_OVERDUE: Permission.READ_FILES,
    Topic.DEADLINE_NEAR: Permission.READ_CHARGES,
    Topic.QUEUE_LONG: Permission.READ_CHARGES,
    Topic.ENDPOINT_SILENT: Permission.MANAGE_TELLING,
}
"""Nobody is told what they may not see."""

USUAL: Mapping[Role, tuple[Topic, ...]] = {
    Role.BILLER: (Topic.DEADLINE_NEAR, Topic.QUEUE_LONG),
    Role.LEAD: tuple(each for each in Topic if each is not Topic.ENDPOINT_SILENT),
    Role.AUDITOR: (),
    Role.OPERATOR: (
        Topic.BREAKER_OPEN,
        Topic.FILE_REJECTED,
        Topic.FILE_UNCERTAIN,
        Topic.REPLY_OVERDUE,
        Topic.ENDPOINT_SILENT,
    ),
}
"""What each role is told that did not choose."""


def chosen(words: Iterable[str]) -> tuple[Topic, ...]:
    """The topics of these words, in the order of ``Topic``; raises Refused for a word that is none."""
    given = set(words)
    known = {each.value for each in Topic}
    for word in sorted(given - known):
        raise Refused(f"{word} is nothing that can be told. Choose among: {', '.join(sorted(known))}.")
    return tuple(each for each in Topic if each.value in given)


def as_words(topics: Iterable[Topic]) -> str:
    """Topics as a column keeps them."""
    return " ".join(each.value for each in topics)
