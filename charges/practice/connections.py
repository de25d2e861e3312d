"""How the sources of a practice are reached: one setting for each kind, a part of the practice profile."""

import os
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from charges.errors import Refused
from charges.practice.atoms import Setting, Text
from charges.practice.layout import Layout


class Secret(Setting):
    """Where a secret is found when it is needed: an environment variable or a file. Never the secret itself."""

    env: Text | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("name either env (an environment variable) or file (a path), not both")
        return self


def read_secret(place: Secret, what: str) -> str:
    """The secret, read when it is needed; raises Refused naming the place where it should be. ``what`` says what it is."""
    if place.env is not None:
        secret = os.environ.get(place.env, "")
        where = f"the environment variable {place.env}"
    else:
        assert place.file is not None
        where = f"the file {place.file}"
        try:
            secret = place.file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            secret = ""
    if not secret:
        raise Refused(f"The {what} is expected in {where}, and nothing is there. Put it there and run again.")
    return secret


def _demand_https(base_url: str) -> None:
    local = re.match(r"^http://(127\.0\.0\.1|localhost|\[::1\])(:|/|$)", base_url)
    if base_url.startswith("http://") and not local:
        raise ValueError("base_url must be https: patient data would travel in the clear")


def _one_or_several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def made_of(pattern: str, what: str) -> AfterValidator:
    """Demands that a text is made as a pattern says; ``what`` tells it to a person."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"needs {what}")
        return text

    return AfterValidator(check)


RemotePath = Annotated[Text, made_of(r"[^\x00-\x1f]+", "a path without control characters")]
FileName = Annotated[Text, made_of(r"[^/\x00-\x1f]+", "a name without slashes")]


class SshServer(Setting):
    """An SSH server with files.

    ``host_key`` has the fingerprints (``ssh-keygen -lf``) of the keys that the server may show, and nothing is sent to any
    other. ``private_key`` or ``password`` or both let us in; ``passphrase`` opens the key.
    """

    host: Text
    port: Annotated[int, Field(ge=1, le=65_535)] = 22
    user: Text
    host_key: Annotated[
        tuple[Annotated[str, Field(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")], ...],
        BeforeValidator(_one_or_several),
        Field(min_length=1),
    ]
    private_key: Secret | None = None
    passphrase: Secret | None = None
    password: Secret | None = None
    timeout_seconds: Annotated[int, Field(ge=5, le=300)] = 30

    @model_validator(mode="after")
    def _lets_us_in(self) -> Self:
        if self.private_key is None and self.password is None:
            raise ValueError("private_key or password is needed, each as {env: NAME} or {file: PATH}")
        if self.passphrase is not None and self.private_key is None:
            raise ValueError("passphrase opens a private_key; there is none")
        return self


class EclinicalWorks(Setting):
    """The connection to a tenant of the eClinicalWorks proprietary API.

    ``fields`` says where the tenant has a field of the contract under another name: ``{"cpt[].Mod1": Modifier1}``; of
    several names the first that a record has counts. ``values`` says the same of values: ``{"patient.sex": {"1": F}}``.
    ``requests_per_minute`` is what all workers together may ask in a minute, tokens too. Days of service are read again
    ``trailing_days`` back, compared by number ``reconcile_days`` back, and read in slices of ``slice_days``.
    """

    kind: Literal["eclinicalworks"]
    base_url: Annotated[str, Field(pattern=r"^https?://")]
    practice_code: Text
    client_id: Text
    client_secret: Secret
    page_size: Annotated[int, Field(ge=1, le=1000)] = 200
    overlap_minutes: Annotated[int, Field(ge=0, le=1440)] = 30
    start: date | None = None
    requests_per_minute: Annotated[int, Field(ge=4, le=100_000)] = 230
    trailing_days: Annotated[int, Field(ge=1, le=400)] = 45
    reconcile_days: Annotated[int, Field(ge=1, le=4000)] = 400
    slice_days: Annotated[int, Field(ge=1, le=366)] = 7
    fields: Mapping[Text, Annotated[tuple[Text, ...], BeforeValidator(_one_or_several), Field(min_length=1)]] = Field(
        default_factory=dict
    )
    values: Mapping[Text, Mapping[Text, str]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_encrypted(self) -> Self:
        _demand_https(self.base_url)
        return self


class FhirServer(Setting):
    """A tenant's FHIR R4 interface, reached by SMART Backend Services.

    ``private_key`` is where the key in PEM is found and ``key_id`` its name in the key set registered with the vendor.
    ``scopes`` are asked for as they stand here, for some vendors write ``.read`` and others ``.rs``. ``requests_per_minute``
    is what all workers together may ask in a minute, tokens too.
    """

    needed: ClassVar[tuple[str, ...]] = ()
    """The kinds of resource without which nothing can be told whole."""

    base_url: Annotated[str, Field(pattern=r"^https?://")]
    client_id: Text
    private_key: Secret
    key_id: Text
    algorithm: Literal["RS384", "ES384"] = "RS384"
    scopes: tuple[Text, ...]
    page_size: Annotated[int, Field(ge=1, le=1000)] = 100
    requests_per_minute: Annotated[int, Field(ge=4, le=100_000)] = 230

    @model_validator(mode="after")
    def _is_encrypted(self) -> Self:
        _demand_https(self.base_url)
        return self


class Export(Setting):
    """How a tenant exports in bulk: the patients of a ``group`` made in its system, or all when none is named.

    ``scopes`` are asked for beside the others, and for an export alone. ``hours`` lie between two exports where changes are
    found by them.
    """

    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9.\-]{1,64}$")] | None = None
    scopes: tuple[Text, ...] = ("system/Group.read",)
    hours: Annotated[int, Field(ge=1, le=24 * 31)] = 24


class Fhir(FhirServer):
    """A tenant's FHIR interface as the source of charges.

    ``changes`` says by what changes are found: ``_lastUpdated`` less ``overlap_minutes``; where the tenant has no such
    search, the ``date`` of the encounter, of which ``trailing_days`` before the newest are read again at each pull; and
    where it has no search that is of use, an ``export`` of all. With ``export`` the days of a long span are exported too.
    Days of service are compared by number ``reconcile_days`` back, and searched in slices of ``slice_days``.
    """

    needed = ("Encounter", "ChargeItem", "Condition", "Coverage", "Patient")

    kind: Literal["fhir"]
    scopes: tuple[Text, ...] = (
        "system/Encounter.read",
        "system/ChargeItem.read",
        "system/Condition.read",
        "system/Coverage.read",
        "system/Patient.read",
        "system/Practitioner.read",
        "system/PractitionerRole.read",
        "system/Location.read",
        "system/Organization.read",
    )
    changes: Literal["_lastUpdated", "date", "export"] = "_lastUpdated"
    export: Export | None = None
    overlap_minutes: Annotated[int, Field(ge=0, le=1440)] = 30
    trailing_days: Annotated[int, Field(ge=1, le=365)] = 45
    reconcile_days: Annotated[int, Field(ge=1, le=4000)] = 400
    slice_days: Annotated[int, Field(ge=1, le=366)] = 7
    start: date | None = None

    @model_validator(mode="after")
    def _can_export(self) -> Self:
        if self.changes == "export" and self.export is None:
            raise ValueError("changes: export needs export, with the group to export or as {} for all patients")
        return self


class FhirPeople(FhirServer):
    """A tenant's FHIR interface that completes the patients and policies of charges from another source.

    ``assigner`` is the system of the identifiers that are the practice's record numbers (``urn:oid:...``); without it an
    identifier of type MR counts.
    """

    needed = ("Patient", "Coverage")

    kind: Literal["fhir"]
    scopes: tuple[Text, ...] = (
        "system/Patient.read",
        "system/Coverage.read",
        "system/RelatedPerson.read",
        "system/Organization.read",
    )
    assigner: Text | None = None


class ClaimFiles(Setting):
    """837 files that another system writes into ``folder``, relative to the working directory; they are only read."""

    kind: Literal["x12"]
    folder: Path


class ExportServer(SshServer):
    """The folder of an SSH server into which exports are written, beside how it is reached.

    What was fetched is left there, removed, or moved to ``moved_to``, after it lies in the local folder. Rows that could not
    be read are put into ``returned``, where it is named.
    """

    outbox: RemotePath
    patterns: Annotated[tuple[FileName, ...], Field(min_length=1)] = ("*",)
    after_fetching: Literal["leave", "remove", "move"] = "leave"
    moved_to: RemotePath | None = None
    returned: RemotePath | None = None

    @model_validator(mode="after")
    def _knows_where_to(self) -> Self:
        if (self.after_fetching == "move") != (self.moved_to is not None):
            raise ValueError("moved_to and after_fetching: move belong together")
        return self


class FlatFiles(Setting):
    """Exports of charges (CSV, fixed width, XLSX) that another system writes into ``folder``; they are only read.

    With a ``server`` they are fetched from there into the folder, which is then ours alone. A file is read when it did not
    change for ``settle_seconds``. Rows that cannot be read are written with the reason into ``returned``, a folder of that
    name beside the other when not given. Both folders are relative to the working directory.
    """

    kind: Literal["flatfile"]
    folder: Path
    server: ExportServer | None = None
    returned: Path | None = None
    settle_seconds: Annotated[int, Field(ge=0, le=86_400)] = 60
    layout: Layout

    @property
    def returns(self) -> Path:
        """Where rows that cannot be read are returned."""
        return self.returned or self.folder.parent / "returned"
