"""An invented practice for tests of the stages, whose system is a source that holds what it is told."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from charges.clearinghouses.folder import Folder
from charges.db import Database
from charges.errors import Unreadable
from charges.model import Charge
from charges.pipeline import Applied, Pipeline, clearinghouse_of
from charges.practice.profile import Practice, parse_profile
from charges.rollout import acts as rollout
from charges.settings import Settings
from charges.sources import Page, Probe, RawRecord
from charges.tables import ChargeRow, ChargeStatus, Mode

PROFILE = """
code: lakeside
name: Lakeside Family Medicine
time_zone: America/Chicago
source:
  kind: eclinicalworks
  base_url: http://127.0.0.1:1
  practice_code: LAKEFM
  client_id: chargerouter
  client_secret: {env: LAKESIDE_SECRET}
trading_partner:
  code: prairie-rcm
  submitter: {name: LAKESIDE FAMILY MEDICINE, id: LAKE01, contact_name: IMOGEN VALE, phone: "2175550100"}
  receiver: {name: PRAIRIE RCM, id: PRAIRIE}
  sender_id: LAKE01
  receiver_id: PRAIRIE
  transport: {outbound: outbound, inbound: inbound}
billing_provider:
  organization_name: Lakeside Family Medicine
  npi: "1993999998"
  ein: "364711208"
  taxonomy: 207Q00000X
  address: {line1: 400 Harbor Street, city: Springfield, state: IL, postal_code: "627010001"}
  phone: "2175550100"
  contact_name: Imogen Vale
payers:
  - {source_ids: ["17"], name: Prairie Mutual Health, payer_id: PRM01, claim_filing_code: CI}
roll_out:
  start: 2026-01-01
  full_start: 2026-01-01
  patients: [nobody]
  promotion: {days: 0, charges: 0, clean_rate: 0, acceptance_rate: 0}
"""


class StillSource:
    """A source whose charges are those put into it; each pull gives all of them again, oldest change first."""

    kind = "eclinicalworks"

    def __init__(self, *charges: Charge, page_size: int = 2) -> None:
        self.records = {charge.key: charge.model_dump_json().encode() for charge in charges}
        self.page_size = page_size
        self.fails_after: int | None = None
        self.error: Exception = RuntimeError("no failure was planned")

    def put(self, *charges: Charge) -> None:
        for charge in charges:
            self.records[charge.key] = charge.model_dump_json().encode()

    def put_broken(self, key: str) -> None:
        self.records[key] = b'{"patient": []}'

    def changed_since(self, cursor: str | None) -> Iterator[Page]:
        records = [RawRecord(key, body) for key, body in self.records.items()]
        for number, start in enumerate(range(0, len(records), self.page_size)):
            if self.fails_after == number:
                raise self.error
            yield Page(tuple(records[start : start + self.page_size]), cursor=f"page {number}")

    def probe(self) -> Probe:
        return Probe(("changes",), records=len(self.records))

    def to_charge(self, record: RawRecord) -> Charge:
        if record.body == b'{"patient": []}':
            raise Unreadable("patient is a list where an object is expected.")
        return Charge.model_validate_json(record.body)


@dataclass
class Workplace:
    """A practice on a database: the pipeline, its source, its folders."""

    database: Database
    folder: Path
    clock: Callable[[], datetime]
    source: StillSource = field(default_factory=StillSource)
    applied: Applied = field(init=False)
    pipeline: Pipeline = field(init=False)

    def __post_init__(self) -> None:
        self.pipeline = Pipeline(self.database, Settings(), self.clock)
        self.apply()

    def apply(self, mode: Mode = Mode.FULL, **changes: object) -> None:
        """Apply the profile with changes, and bring the practice to a mode, step by step."""
        practice = practice_in(self.folder).model_copy(update=changes)
        self.pipeline.apply(practice, by="engineer")
        self.roll_out_to(mode)

    def roll_out_to(self, mode: Mode) -> None:
        """Bring the practice on or back to a mode, as a person would."""
        code = "lakeside"
        while (now := rollout.ORDER.index(self.pipeline.practice(code).standing.mode)) < rollout.ORDER.index(mode):
            self.pipeline.advance(code, by="lead", reason="as tests want it")
        if now > rollout.ORDER.index(mode):
            self.pipeline.retreat(code, by="lead", reason="as tests want it", to=mode)
        self.applied = self.pipeline.practice(code)

    @property
    def outbound(self) -> Path:
        return self.folder / "outbound"

    @property
    def clearinghouse(self) -> Folder:
        found = clearinghouse_of(self.applied.practice)
        assert isinstance(found, Folder)
        return found

    def run(self, *stages: str) -> None:
        """Run the named stages in order, all of them when none is named."""
        for stage in stages or ("pull", "judge", "generate", "deliver", "queue"):
            if stage == "pull":
                self.pipeline.pull(self.applied, source=self.source)
            else:
                getattr(self.pipeline, stage)(self.applied)

    def rows(self) -> dict[str, ChargeRow]:
        with self.database.transaction() as session:
            return {row.key: row for row in session.query(ChargeRow).order_by(ChargeRow.id)}

    def states(self) -> dict[str, ChargeStatus]:
        return {key: row.status for key, row in self.rows().items()}

    def files(self) -> Sequence[Path]:
        return sorted(self.outbound.glob("*.837")) if self.outbound.exists() else []


def practice_in(folder: Path) -> Practice:
    profile = parse_profile(PROFILE)
    transport = profile.trading_partner.transport.model_copy(
        update={"outbound": folder / "outbound", "inbound": folder / "inbound"}
    )
    return profile.model_copy(
        update={
            "trading_partner": profile.trading_partner.model_copy(update={"transport": transport}),
        }
    )
