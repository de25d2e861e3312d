"""How one clearinghouse or vendor wants its claim files: who is who, the envelope, spelling, limits, wishes, transport.

A part of the practice profile. The first values are what the guide asks for or recommends, so a partner without wishes of
its own needs only names and ids.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_serializer, model_validator

from charges.practice.atoms import Phone, Setting, Slug, Text, as_text
from charges.practice.connections import FileName, RemotePath, SshServer, made_of

InterchangeId = Annotated[
    str, BeforeValidator(as_text), made_of("[A-Z0-9 .-]{1,15}", "1 to 15 capitals, digits, blanks, dots and dashes")
]
Qualifier = Annotated[str, BeforeValidator(as_text), made_of("[0-9A-Z]{2}", "two digits or capitals (ISA05, ISA07)")]
FilingCode = Annotated[
    str, BeforeValidator(as_text), made_of("[0-9A-Z]{1,2}", "a code of one or two characters (SBR09)")
]

_LONGEST_CLAIM_NUMBER = 20  # what a payer must keep of CLM01 (005010X222A1); many keep 17
_LONGEST_LINE_NUMBER = 30  # what a payer must keep of REF*6R (005010X222A1)


class Party(Setting):
    """A name and its electronic id (ETIN) for loops 1000A and 1000B."""

    name: Text
    id: Text


class Submitter(Party):
    """Loop 1000A, with the person to call about a file."""

    contact_name: Text
    phone: Phone


class FolderTransport(Setting):
    """Files are dropped in ``outbound`` and replies read from ``inbound``; both relative to the working directory."""

    kind: Literal["folder"] = "folder"
    outbound: Path
    inbound: Path


def _kind_of_transport(value: object) -> str:
    """A transport without a kind is a folder."""
    kind = value.get("kind", "folder") if isinstance(value, dict) else getattr(value, "kind", "")
    return str(kind)


class SftpTransport(SshServer):
    """Files are put into ``outbound`` on the partner's SSH server and replies fetched from the ``inbound`` folders.

    A file is put under ``temporary_name`` in ``temporary_folder``, the same folder when not given, and then renamed: by
    ``rename`` plain, which overwrites nothing, or posix for servers that have no other; none where the server forbids
    renaming, and then a reader can see half a file. ``compression`` comes before encryption ``encrypted_for`` the holder of
    an OpenPGP certificate, a file. What was fetched is left, removed, or moved to ``moved_to``, after it is stored.
    """

    kind: Literal["sftp"]
    outbound: RemotePath
    inbound: tuple[RemotePath, ...] = ()
    patterns: Annotated[tuple[FileName, ...], Field(min_length=1)] = ("*",)
    rename: Literal["plain", "posix", "none"] = "plain"
    temporary_name: FileName = ".{name}.part"
    temporary_folder: RemotePath | None = None
    compression: Literal["none", "gzip", "zip"] = "none"
    encrypted_for: Path | None = None
    after_fetching: Literal["leave", "remove", "move"] = "leave"
    moved_to: RemotePath | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if len(set(_filled(self.temporary_name, [{"name": "a.837"}, {"name": "b.837"}]))) != 2:
            raise ValueError("temporary_name is made of {name} and other letters")
        if self.temporary_name == "{name}" and self.temporary_folder is None:
            raise ValueError("temporary_name {name} needs a temporary_folder")
        if (self.after_fetching == "move") != (self.moved_to is not None):
            raise ValueError("moved_to and after_fetching: move belong together")
        return self


class Window(Setting):
    """From ``opens`` until ``closes``, the cut-off, by the practice's clock; ``closes`` is not within."""

    opens: time = time(0)
    closes: time | None = None

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.closes is not None and self.closes <= self.opens:
            raise ValueError("closes is later on the same day than opens; leave it out for midnight")
        return self


class Sending(Setting):
    """When files are sent: within the ``windows`` of a day, and no more than so many in any hour; always when not given.

    What is built after the last cut-off waits for the next window. ``weekends``, ``federal_holidays`` (of the United
    States, on the day they are observed) and ``holidays`` of the partner's own say on which days nothing is sent.
    """

    windows: tuple[Window, ...] = ()
    weekends: bool = True
    federal_holidays: bool = False
    holidays: frozenset[date] = frozenset()
    files_per_hour: Annotated[int, Field(ge=1, le=10_000)] | None = None

    @field_serializer("holidays", when_used="json")
    def _in_order(self, holidays: frozenset[date]) -> list[str]:
        # A profile is known by the digest of its JSON, which must not depend on the order that a set has today.
        return sorted(each.isoformat() for each in holidays)


class Ids(Setting):
    """Who is who in an envelope: ISA05 to ISA08, and GS02 and GS03 where they differ from ISA06 and ISA08."""

    sender_qualifier: Qualifier = "ZZ"
    sender_id: InterchangeId
    receiver_qualifier: Qualifier = "ZZ"
    receiver_id: InterchangeId
    application_sender_id: InterchangeId | None = None
    application_receiver_id: InterchangeId | None = None


class Delimiters(Setting):
    """What the partner's files are cut with. No amount, date or number has one of these, and text is freed of them."""

    element: str = "*"
    component: str = ":"
    repetition: str = "^"
    segment: str = "~"

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        marks = (self.element, self.component, self.repetition, self.segment)
        if len(set(marks)) != 4 or not all(re.fullmatch(r"[\x0a\x1c-\x1f!-~]", each) for each in marks):
            raise ValueError("element, component, repetition and segment are four different ASCII characters")
        if any(each.isalnum() or each in ".-" for each in marks):
            raise ValueError("a delimiter is no letter, digit, dot or dash: numbers and amounts have those")
        return self


class Replies(Setting):
    """Until when each reply to a file is expected, in business time after it was sent; 0 where the partner sends none.

    Saturdays, Sundays, federal holidays and those of ``Sending`` do not count. A TA1 is expected only where it is asked for
    (ISA14).
    """

    ta1_hours: Annotated[int, Field(ge=0, le=1000)] = 4
    a999_hours: Annotated[int, Field(ge=0, le=1000)] = 24
    a277ca_days: Annotated[int, Field(ge=0, le=365)] = 3
    a835_days: Annotated[int, Field(ge=0, le=365)] = 30


class TradingPartner(Ids):
    """One partner. ``usage`` is ISA15: T test, P production; ``for_test`` has the ids that count while it is T.

    ``claim_number`` makes CLM01 of ``{charge}`` (our number of the charge) and ``{attempt}`` (1 with the first claim of it);
    ``line_number`` makes REF*6R of ``{claim}`` and ``{line}`` where a line has no number of its own, and none when empty;
    ``file_name`` is made of ``{partner}``, ``{control}``, ``{digest}``, ``{usage}`` and ``{built:%Y%m%d}``.

    ``zip_extension`` completes five digits where the guide wants nine (billing provider, service facility);
    ``zip_elsewhere`` cuts the ZIP of everybody else to five digits. ``dependent_as_subscriber`` names payers, by id or
    claim filing code, that know every patient by a number of their own: the patient is sent as subscriber.
    ``payer_ids`` and ``claim_filing_codes`` (SBR09) give the partner's for ours.
    """

    code: Slug
    submitter: Submitter
    receiver: Party
    usage: Literal["T", "P"] = "T"
    for_test: Ids | None = None
    acknowledgment_requested: bool = False

    delimiters: Delimiters = Delimiters()
    line_end: Literal["none", "lf", "crlf"] = "lf"
    character_set: Literal["basic", "extended"] = "basic"
    letter_case: Literal["upper", "as_given"] = "upper"

    claims_per_transaction: Annotated[int, Field(ge=1, le=100_000)] = 5000
    claims_per_file: Annotated[int, Field(ge=1, le=100_000)] = 5000

    claim_number: Text = "CR{charge:09d}{attempt:02d}"
    line_number: str = "{claim}-{line}"
    zip_extension: Annotated[str, BeforeValidator(as_text), made_of(r"(\d{4})?", "four digits or nothing")] = ""
    zip_elsewhere: Literal["as_given", "five"] = "as_given"
    taxonomies: bool = True
    omit_facility_equal_to_billing: bool = True
    omit_rendering_equal_to_billing: bool = True
    dependent_as_subscriber: tuple[Text, ...] = ()
    payer_ids: Mapping[Text, Text] = Field(default_factory=dict)
    claim_filing_codes: Mapping[Text, FilingCode] = Field(default_factory=dict)

    file_name: Text = "{partner}_{control:09d}_{digest}.837"
    replies: Replies = Replies()
    sending: Sending = Sending()
    transport: Annotated[
        Annotated[FolderTransport, Tag("folder")] | Annotated[SftpTransport, Tag("sftp")],
        Discriminator(_kind_of_transport),
    ]

    @property
    def ids(self) -> Ids:
        """The ids that count with the present usage."""
        return self.for_test if self.usage == "T" and self.for_test is not None else self

    def number_of_claim(self, charge: int, attempt: int) -> str:
        """CLM01: ours, without patient data, unique by charge and attempt."""
        return self.claim_number.format(charge=charge, attempt=attempt)

    def name_of_file(self, control: int, digest: str, built: datetime) -> str:
        """The name of an interchange's file; ``digest`` is the beginning of its content's SHA-256."""
        return self.file_name.format(
            partner=self.code, control=control, digest=digest[:12], usage=self.usage, built=built
        )

    @model_validator(mode="after")
    def _spelling_is_possible(self) -> Self:
        if self.delimiters.segment == "\n" and self.line_end != "none":
            raise ValueError("line_end is none where a line break is the segment terminator itself")
        if self.letter_case == "as_given" and self.character_set == "basic":
            raise ValueError("letter_case as_given needs character_set extended: the basic set has capitals only")
        return self

    @model_validator(mode="after")
    def _numbers_are_templates(self) -> Self:
        charges = [(1, 1), (1, 2), (1, 11), (11, 1), (111, 1), (1, 111), (999_999_999, 99)]
        made = list(_filled(self.claim_number, [{"charge": charge, "attempt": attempt} for charge, attempt in charges]))
        if len(set(made)) != len(charges) or not _fit(made, _LONGEST_CLAIM_NUMBER):
            raise ValueError(
                "claim_number is made of capitals, digits, dots, dashes, {charge:09d} and {attempt:02d}; it must tell every "
                f"charge and attempt apart in at most {_LONGEST_CLAIM_NUMBER} characters"
            )
        if self.line_number:
            made = list(_filled(self.line_number, [{"claim": made[-1], "line": line} for line in (1, 2, 11, 50)]))
            if len(set(made)) != 4 or not _fit(made, _LONGEST_LINE_NUMBER) or "{claim" not in self.line_number:
                raise ValueError(
                    "line_number is made of capitals, digits, dots, dashes, {claim} and {line}; it must tell every claim "
                    f"and line apart in at most {_LONGEST_LINE_NUMBER} characters"
                )
        return self

    @model_validator(mode="after")
    def _file_name_is_a_template(self) -> Self:
        same = {
            "partner": self.code,
            "digest": "0" * 12,
            "usage": self.usage,
            "built": datetime(2026, 1, 1, tzinfo=UTC),
        }
        made = list(_filled(self.file_name, [same | {"control": control} for control in (1, 2, 11, 999_999_999)]))
        # Two files of one minute must never bear one name, whatever else stands in it.
        if len(set(made)) != 4 or not all(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,180}", each) for each in made):
            raise ValueError(
                "file_name is made of letters, digits, dots, dashes and {partner}, {control:09d}, {digest}, {usage}, "
                "{built:%Y%m%d}; it must use {control}"
            )
        return self


def _filled(template: str, values: list[Mapping[str, object]]) -> Iterator[str]:
    """A template with each of the values; nothing where it asks for something else."""
    try:
        for each in values:
            yield template.format(**each)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return


def _fit(made: list[str], longest: int) -> bool:
    return all(re.fullmatch(rf"[A-Z0-9.-]{{1,{longest}}}", each) for each in made)
