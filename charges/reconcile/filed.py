"""Claim files held against the claims in them: their bytes are opened and read again, nobody's word is taken for them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from charges.errors import Refused, Unreadable
from charges.keyring import Keyring
from charges.lifecycle import broken_among
from charges.parts import parts
from charges.period import Period
from charges.reconcile.values import NOTHING, Break, Equation
from charges.tables import ChargeRow, ClaimFileRow, ClaimRow, ControlNumberRow, UnmatchedPaymentRow
from charges.x12.scanner import scan
from charges.x12.segments import to_amount

_LAST = 999_999_999
_TOLD = 20
"""So many missing control numbers of a scope are named."""
_RESTORE = "Restore the file from a backup; until then it proves nothing and must not be sent again."
_ENGINEER = "Change nothing, keep a backup, and give the engineer this sentence."


@dataclass(slots=True)
class Inside:
    """What the bytes of a file say: ISA13, each claim's amount (CLM02), and the sum of its lines (SV102, SV203)."""

    control_number: str = ""
    amounts: dict[str, Decimal] = field(default_factory=dict)
    lines: dict[str, Decimal] = field(default_factory=dict)
    twice: set[str] = field(default_factory=set)


class Files:
    """The sums over all files that were looked at."""

    def __init__(self, session: Session, keyring: Keyring) -> None:
        self.session, self.keyring = session, keyring
        self.files = 0
        self.claimed = self.written = NOTHING

    def equation(self) -> Equation:
        """What the claims come to, and what stands in the files that were stored."""
        return Equation("claims and files", self.claimed, {"in the files": self.written})

    def examine(self, file_id: int) -> Iterator[Break]:
        """Read a file again; gives what is wrong with it and the claims in it."""
        file = self.session.get_one(ClaimFileRow, file_id)
        rows = self.session.execute(select(ClaimRow.number, ClaimRow.total).where(ClaimRow.claim_file_id == file_id))
        claims = {number: total for number, total in rows}  # noqa: C416 - rows are tuples to us, not to the type checker
        self.files += 1
        total = sum(claims.values(), NOTHING)
        self.claimed += total
        subject = f"file {file_id}"
        if (len(claims), total) != (file.claim_count, file.total):
            yield Break(
                "file-total",
                subject,
                f"File {file_id} was built of {file.claim_count} claims, {file.total:.2f} dollars; {len(claims)} are known, "
                f"{total:.2f} dollars.",
                _ENGINEER,
            )
        try:
            content = file.unseal(self.keyring, "content")
            inside = read(content)
        except (Refused, Unreadable) as why:
            yield Break("file-bytes", subject, f"File {file_id} cannot be read again. {why}", _RESTORE)
            return
        if hashlib.sha256(content).hexdigest() != file.sha256:
            yield Break("file-bytes", subject, f"The bytes of file {file_id} are not those that were stored.", _RESTORE)
        if inside.control_number != f"{file.control_number:09d}":
            yield Break(
                "control-number",
                subject,
                f"File {file_id} bears control number {inside.control_number}; {file.control_number:09d} was taken for it.",
                _ENGINEER,
            )
        self.written += sum(inside.amounts.values(), NOTHING)
        yield from self._claims(file_id, claims, inside)
        if broken_among(self.session, self.keyring, ClaimFileRow, {file_id: (file.event_count, file.event_head)}):
            yield _changed(subject, f"file {file_id}")
        self.session.expunge(file)

    def _claims(self, file_id: int, claims: dict[str, Decimal], inside: Inside) -> Iterator[Break]:
        for number, total in claims.items():
            subject = f"claim {number}"
            written = inside.amounts.get(number)
            if written is None:
                yield Break(
                    "not-in-file",
                    subject,
                    f"Claim {number} is said to be in file {file_id} and does not stand in it, so no payer has it.",
                    _ENGINEER,
                )
            elif written != total:
                yield Break(
                    "amount-in-file",
                    subject,
                    f"Claim {number} is {total:.2f}, but file {file_id} asks {written:.2f} for it (CLM02).",
                    "The payer has the amount of the file: correct the charge and send a replacement, or tell the engineer.",
                )
            elif inside.lines[number] != written:
                yield Break(
                    "lines-in-file",
                    subject,
                    f"Claim {number} asks {written:.2f} in file {file_id}; its lines come to {inside.lines[number]:.2f}.",
                    _ENGINEER,
                )
        for number in sorted(inside.twice):
            said = f"Claim {number} stands twice in file {file_id}, so the payer was asked twice."
            yield Break("twice-in-file", f"claim {number}", said, "Void one of the two at the payer.")
        strangers = sorted(inside.amounts.keys() - claims.keys())
        for wanted in parts(strangers):
            theirs = select(ClaimRow.number, ClaimRow.claim_file_id).where(ClaimRow.number.in_(wanted))
            known = {number: other for number, other in self.session.execute(theirs)}  # noqa: C416
            for number in wanted:
                where = f"belongs to file {known[number]}" if number in known else "belongs to no charge"
                yield Break(
                    "in-two-files" if number in known else "not-ours",
                    f"claim {number}",
                    f"Claim {number} stands in file {file_id} and {where}, so a payer may be asked twice.",
                    "Void one of the two at the payer, and give the engineer this sentence.",
                )


def read(content: bytes) -> Inside:
    """The numbers and amounts of an 837; raises Unreadable where it is none."""
    inside, number = Inside(), ""
    for e, _ in scan(content):
        name = e[0]
        if name == "CLM":
            number = e[1]
            if number in inside.amounts:
                inside.twice.add(number)
            inside.amounts[number] = inside.amounts.get(number, NOTHING) + _amount(e[2])
            inside.lines.setdefault(number, NOTHING)
        elif name == "SV1":
            inside.lines[number] += _amount(e[2])
        elif name == "SV2":
            inside.lines[number] += _amount(e[3])
        elif name == "ISA":
            inside.control_number = e[13]
    return inside


def _amount(text: str) -> Decimal:
    return to_amount(text) or NOTHING


def files_of(session: Session, practice_id: int, period: Period, named: set[int]) -> list[int]:
    """The files to look at: those in which the claims of the period stand, and those that were built in it."""
    built = select(ClaimFileRow.id).where(
        ClaimFileRow.practice_id == practice_id, period.moments(ClaimFileRow.built_at)
    )
    return sorted({*named, *session.scalars(built)})


def gaps(session: Session, practice_id: int) -> Iterator[Break]:
    """Where control numbers of the practice's files are missing, whatever the period; each was counted from 1."""
    own = select(ClaimFileRow.scope).where(ClaimFileRow.practice_id == practice_id).distinct()
    following = {
        each.scope: each.next for each in session.execute(select(ControlNumberRow.scope, ControlNumberRow.next))
    }
    counted = session.execute(
        select(ClaimFileRow.scope, func.count(), func.max(ClaimFileRow.control_number))
        .where(ClaimFileRow.scope.in_(own))
        .group_by(ClaimFileRow.scope)
    ).all()
    for scope, count, last in counted:
        if count != last:
            yield Break(
                "control-gap",
                f"scope {scope}",
                f"Of the control numbers 1 to {last} between {scope} these are of no file: {_missing(session, scope)}.",
                "Restore these files from a backup, or show that they never left: the receiver may have them.",
            )
        if following.get(scope) != (last + 1 if last < _LAST else 1):
            yield Break(
                "control-next",
                f"scope {scope}",
                f"The next control number between {scope} is {following.get(scope, 'unknown')}; the last file has {last}.",
                _ENGINEER,
            )


def _missing(session: Session, scope: str) -> str:
    numbers = session.scalars(
        select(ClaimFileRow.control_number).where(ClaimFileRow.scope == scope).order_by(ClaimFileRow.control_number)
    )
    said: list[str] = []
    wanted = 1
    for number in numbers:
        if number > wanted:
            said.append(f"{wanted}" if number == wanted + 1 else f"{wanted} to {number - 1}")
        wanted = number + 1
    return ", ".join(said[:_TOLD]) + (", and more" if len(said) > _TOLD else "")


def broken_histories(session: Session, keyring: Keyring, chains: dict[int, tuple[int, str]]) -> Iterator[Break]:
    """The charges of these whose events were changed after they were written."""
    for number in sorted(broken_among(session, keyring, ChargeRow, chains)):
        yield _changed(f"charge {number}", f"charge {number}")


def broken_payments(session: Session, keyring: Keyring, chains: dict[int, tuple[int, str]]) -> Iterator[Break]:
    """The same of unmatched payments."""
    for number in sorted(broken_among(session, keyring, UnmatchedPaymentRow, chains)):
        yield _changed(f"unmatched payment {number}", f"unmatched payment {number}")


def _changed(subject: str, named: str) -> Break:
    return Break(
        "history",
        subject,
        f"The events of {named} were changed after they were written, or some are missing.",
        "Compare with a backup who changed the database; `charges db verify` looks at all histories.",
    )
