"""The settings, read once from the environment into a frozen model; ``docs/settings.md`` is the table of them.

A setting that cannot work is refused at start with its name. So is a name that is nearly a setting, because a
misspelt ``CHARGES_DATABASE_URL`` would otherwise quietly start a second, empty database.
"""

import difflib
import os
import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from charges.errors import Refused

PREFIX = "CHARGES_"


def _database_url(url: str) -> str:
    """The URL in SQLAlchemy's spelling; only the two databases whose locking we rely on."""
    if re.match(r"^postgres(ql)?(\+psycopg)?://", url):
        return re.sub(r"^postgres(ql)?(\+psycopg)?://", "postgresql+psycopg://", url)
    if url.startswith("sqlite:///"):
        return url
    raise ValueError("must begin with sqlite:/// or postgresql://")


def _web_url(url: str) -> str:
    """The address of the page without a path; patients' data leaves this machine by TLS only."""
    found = re.fullmatch(r"(https?)://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?/?", url)
    if found is None:
        raise ValueError("must be https://NAME or http://127.0.0.1:PORT, without a path")
    if found[1] == "http" and found[2] not in ("127.0.0.1", "localhost", "[::1]"):
        raise ValueError("must begin with https:// anywhere but on this machine")
    return url.rstrip("/")


def _issuer(url: str) -> str:
    """The issuer as it is written in its tokens; what it vouches for must come by TLS."""
    if url and not re.match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", url):
        raise ValueError("must begin with https://, or be empty")
    return url.rstrip("/")


def _smtp_tls(tls: str, info: ValidationInfo) -> str:
    if tls == "none" and info.data.get("smtp_host") not in ("", "127.0.0.1", "localhost", "::1"):
        raise ValueError("is none for a server of this machine only (127.0.0.1); use starttls or tls")
    return tls


def _mail_from(address: str, info: ValidationInfo) -> str:
    """An address that a mail can come from; needed as soon as there is a server."""
    if address and not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+", address):
        raise ValueError("must be the address of a mailbox, as charges@lakeside.example")
    if info.data.get("smtp_host") and not address:
        raise ValueError("must be set where CHARGES_SMTP_HOST is")
    return address


def _networks(text: str) -> str:
    """The networks as given; each must be one, so that a slip opens nothing."""
    for each in filter(None, (each.strip() for each in text.split(","))):
        try:
            ip_network(each)
        except ValueError:
            raise ValueError(f"{each} is no network; write 10.20.0.0/16") from None
    return text


SAFE_BROKERS = ("amqp", "amqps", "pyamqp", "redis", "rediss")


def _broker_url(url: str) -> str:
    """The URL as given; transports that lose messages are refused by name."""
    scheme = url.partition("://")[0].partition("+")[0]
    if not url or scheme in SAFE_BROKERS:
        return url
    if scheme in ("filesystem", "sqla", "sqlalchemy", "memory"):
        raise ValueError(
            f"uses the transport {scheme}://, which loses messages; use amqp:// (RabbitMQ) or redis://, "
            "or leave it empty and run `charges work`"
        )
    raise ValueError("must begin with amqp://, amqps://, redis:// or rediss://, or be empty")


class Settings(BaseSettings):
    """Where things are and how much is done at once. Each field is the variable ``CHARGES_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        default="sqlite:///chargerouter.db",
        description="The database: `sqlite:///FILE` on one machine, `postgresql://USER@HOST/NAME` for many workers.",
    )
    broker_url: Annotated[str, AfterValidator(_broker_url)] = Field(
        default="",
        description="The message broker of the Celery workers: `amqp://` or `redis://`. Empty: `charges work` does all.",
    )
    key: SecretStr | None = Field(
        default=None,
        description="The keyring itself, in the form of the key file. Takes the place of `CHARGES_KEY_FILE`.",
    )
    key_file: Path = Field(
        default=Path("chargerouter.key"), description="The file of the keyring that encrypts patient data."
    )
    payer_rules: Path | None = Field(
        default=None, description="A folder or file of payer rules that hold for every practice."
    )
    reference_dir: Path = Field(
        default=Path("reference"), description="The folder of the code tables; all workers of a machine share it."
    )
    baseline_records: Annotated[int, Field(ge=20, le=5000)] = Field(
        default=200, description="Records of a practice's source that make the first baseline of what they are made of."
    )
    batch_size: Annotated[int, Field(ge=1, le=5000)] = Field(
        default=200, description="Charges judged in one transaction."
    )
    pull_every: Annotated[int, Field(ge=10, le=86_400)] = Field(
        default=300, description="Seconds between two pulls of a practice."
    )
    trailing_every: Annotated[int, Field(ge=3600, le=2_592_000)] = Field(
        default=86_400, description="Seconds after which the last weeks of a practice are read again for late edits."
    )
    reconcile_every: Annotated[int, Field(ge=3600, le=2_592_000)] = Field(
        default=604_800,
        description="Seconds after which the numbers of a practice's charges are compared with its system's.",
    )
    sweep_every: Annotated[int, Field(ge=1, le=3600)] = Field(
        default=60, description="Seconds between two sweeps of the other stages."
    )
    task_seconds: Annotated[int, Field(ge=30, le=1500)] = Field(
        default=600, description="Seconds after which a task is ended; its work so far is kept."
    )
    task_queue: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,80}$")] = Field(
        default="charges", description="The broker's queue; installations that share a broker need one each."
    )
    lock_seconds: Annotated[int, Field(ge=1, le=600)] = Field(
        default=30, description="Seconds to wait for a locked database before giving up until the next run."
    )
    web_url: Annotated[str, AfterValidator(_web_url)] = Field(
        default="http://127.0.0.1:8080",
        description="The address of the page as browsers know it: `https://NAME`, behind a proxy that does TLS.",
    )
    web_idle_minutes: Annotated[int, Field(ge=1, le=60)] = Field(
        default=15, description="Minutes without a click after which a user must sign in again."
    )
    oidc_issuer: Annotated[str, AfterValidator(_issuer)] = Field(
        default="",
        description="The identity provider (OpenID Connect) with which users may sign in, by its issuer's URL. Empty: none.",
    )
    oidc_client_id: str = Field(default="", description="What the identity provider calls this installation.")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="The secret that the identity provider gave this installation."
    )
    webhook_networks: Annotated[str, AfterValidator(_networks)] = Field(
        default="",
        description="Private networks in which webhooks' endpoints may lie, parted by commas: `10.20.0.0/16, 127.0.0.0/8`.",
    )
    smtp_host: str = Field(default="", description="The SMTP server that takes our mail. Empty: no mail is sent.")
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = Field(default=587, description="The port of the SMTP server.")
    smtp_tls: Annotated[Literal["starttls", "tls", "none"], AfterValidator(_smtp_tls)] = Field(
        default="starttls",
        description="How the SMTP server is spoken with: `starttls` (587), `tls` (465), or `none` where it is this machine.",
    )
    smtp_user: str = Field(default="", description="The name by which the SMTP server lets us in. Empty: without one.")
    smtp_password: SecretStr | None = Field(default=None, description="The password of `CHARGES_SMTP_USER`.")
    smtp_password_file: Path | None = Field(
        default=None, description="The file that holds it, where `CHARGES_SMTP_PASSWORD` is not set."
    )
    mail_from: Annotated[str, AfterValidator(_mail_from)] = Field(
        default="", description="The address that our mail comes from, as `charges@lakeside.example`."
    )
    telling_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        default=24, description="Hours for which a webhook or mail that does not arrive is tried again."
    )
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = Field(
        default="warning", description="What is logged to standard error: `debug`, `info`, `warning` or `error`."
    )

    @property
    def is_sqlite(self) -> bool:
        """Whether one file on this machine is the database."""
        return self.database_url.startswith("sqlite")


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of the environment; raises Refused with the name of each that cannot work."""
    given = os.environ if environment is None else environment
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    faults = []
    for name in sorted(given):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
            if near:
                faults.append(f"{name} is not a setting; is {near[0]} meant?")
    values = {name: given[PREFIX + name.upper()] for name in Settings.model_fields if PREFIX + name.upper() in given}
    try:
        settings = Settings.model_validate(values) if environment is not None else Settings()
    except ValidationError as error:
        faults += [
            f"{PREFIX}{str(each['loc'][0]).upper()}: {each['msg'].removeprefix('Value error, ')}."
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    if faults:
        raise Refused("\n".join(faults))
    return settings


def settings_table() -> str:
    """All settings as a Markdown table, for the documentation."""
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, "") else f"`{field.default}`"
        rows.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)
