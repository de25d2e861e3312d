"""What every source promises, asked of each kind: a new kind joins by a factory of its own at the end of the list."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from charges.errors import Unreadable
from charges.model import Charge
from charges.practice.connections import ClaimFiles, EclinicalWorks, ExportServer, FlatFiles, Secret, SshServer
from charges.practice.layout import Layout
from charges.simulator import CLIENT_ID, CLIENT_SECRET, build_practice, running, simulator_app
from charges.sources import ChargeSource, RawRecord
from charges.sources.claimfiles import ClaimFilesSource
from charges.sources.eclinicalworks import EclinicalWorksSource
from charges.sources.fhir import FhirSource
from charges.sources.flatfile import FlatFileSource
from charges.sources.flatfile.fetched import FetchedFilesSource
from charges.sources.hl7 import Hl7Source
from charges.sources.seen import origin, paths
from charges.tables import RawRecordRow
from rules.examples import PATIENT, charge
from tests.clearinghouses.ssh import openssh
from tests.practice import Workplace
from tests.sources import hl7
from tests.sources.fhir import TODAY, connection, serving, tenant_of
from tests.x12.files import FAITHFUL, claim, written


@dataclass(frozen=True)
class Rig:
    """A system with charges that the source speaks to.

    ``order`` are its charges, oldest change first; ``change`` lets something happen and says whose charges changed;
    ``broken`` is a record that cannot be read because of the field ``fault``.
    """

    source: Callable[[], ChargeSource]
    order: Sequence[str]
    change: Callable[[], set[str]]
    broken: RawRecord
    fault: str


@contextmanager
def eclinicalworks(folder: Path) -> Iterator[Rig]:
    practice = build_practice(seed=5, patients=16, today=TODAY)
    secret = folder / "secret"
    secret.write_text(CLIENT_SECRET)

    def change() -> set[str]:
        before = {each.key: each.body for each in practice.visible}
        practice.advance(240)
        return {each.key for each in practice.visible if before.get(each.key) != each.body}

    with running(simulator_app(practice)) as base_url:
        settings = EclinicalWorks(
            kind="eclinicalworks",
            base_url=base_url,
            practice_code="LAKEFM",
            client_id=CLIENT_ID,
            client_secret=Secret(file=secret),
            page_size=5,
        )
        yield Rig(
            lambda: EclinicalWorksSource(settings, "America/Chicago"),
            [each.key for each in practice.visible],
            change,
            RawRecord("7", b'{"InvId":"7","modifiedOn":"2026-11-16 10:00:00","cpt":[{"BilledFee":"much"}]}'),
            r"cpt\[1\]\.BilledFee",
        )


@contextmanager
def claim_files(folder: Path) -> Iterator[Rig]:
    def put(name: str, first: int, count: int) -> list[str]:
        patients = [
            PATIENT.model_copy(update={"first_name": f"Odette{chr(97 + each)}"}) for each in range(first, first + count)
        ]
        claims = [claim(charge(patient=patient), f"PCN{first + each}") for each, patient in enumerate(patients)]
        path = folder / name
        path.write_bytes(written(*claims, to=FAITHFUL))
        os.utime(path, ns=(first * 10**9,) * 2)
        return [f"PCN{each}.20261116" for each in range(first, first + count)]

    order = put("b.837", 1, 3) + put("a.837", 4, 2) + put("c.837", 6, 1)
    yield Rig(
        lambda: ClaimFilesSource(ClaimFiles(kind="x12", folder=folder)),
        order,
        lambda: set(put("d.837", 9, 2)),
        RawRecord("PCN1.20261116", b"PCN1;150.00"),
        "ISA",
    )


@contextmanager
def hl7_folder(folder: Path) -> Iterator[Rig]:
    count = 0

    def put(*content: bytes) -> None:
        nonlocal count
        for each in content:
            count += 1
            path = folder / f"{100 - count}.hl7"
            path.write_bytes(each)
            os.utime(path, ns=(count * 10**9,) * 2)

    put(*(hl7.dft(visit=f"V{each}", control=str(each)) for each in (3, 1, 2)))

    def change() -> set[str]:
        put(hl7.dft(hl7.ft1("99214", "T2"), visit="V1", control="9"), hl7.dft(visit="V8", control="10"))
        return {"ehr-V1", "ehr-V8"}

    yield Rig(
        lambda: Hl7Source(hl7.settings(folder)),
        ["ehr-V3", "ehr-V1", "ehr-V2"],
        change,
        RawRecord("message-7", b"\x0b" + hl7.message(hl7.msh(application="NOBODY"), "EVN|P03") + b"\x1c\r"),
        "MSH-3",
    )


@contextmanager
def fhir(folder: Path) -> Iterator[Rig]:
    tenant = tenant_of(14)

    def change() -> set[str]:
        before = {each.key: each.body for each in tenant.practice.visible}
        tenant.practice.advance(240)
        return {each.key for each in tenant.practice.visible if before.get(each.key) != each.body}

    with serving(tenant, folder) as reached:
        settings = connection(reached, trailing_days=365)
        bundle = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Encounter"}}]}
        yield Rig(
            lambda: FhirSource(settings),
            [each.key for each in tenant.practice.visible],
            change,
            RawRecord("7", json.dumps(bundle).encode()),
            "Encounter",
        )


LAYOUT = {
    "key": ["Claim No"],
    "fields": {
        "patient.record_number": "Account",
        "patient.last_name": "Last",
        "patient.birth_date": "DOB",
        "line.code": "CPT",
        "line.diagnoses": "Dx",
        "line.charge": "Amount",
        "line.service_date": "DOS",
    },
}


def _exports(folder: Path, source: Callable[[], ChargeSource]) -> Rig:
    """A system that exports into a folder."""

    def put(name: str, numbers: Sequence[int]) -> list[str]:
        rows = [f"{each},A{each},Fairweather,04/03/1961,99213,I10,150.00,11/16/2026" for each in numbers]
        path = folder / name
        path.write_text("\n".join(["Claim No,Account,Last,DOB,CPT,Dx,Amount,DOS", *rows]) + "\n")
        os.utime(path, ns=(numbers[0] * 10**9,) * 2)
        return list(map(str, numbers))

    order = put("b.csv", (1, 2, 3)) + put("a.csv", (4, 5))
    row = {
        "Claim No": "7",
        "Account": "A7",
        "Last": "F",
        "CPT": "99213",
        "Dx": "I10",
        "Amount": "much",
        "DOS": "11/16/2026",
    }
    return Rig(
        source,
        order,
        lambda: set(put("c.csv", (6, 7))),
        RawRecord("7", json.dumps([row]).encode()),
        "Amount",
    )


@contextmanager
def flat_files(folder: Path) -> Iterator[Rig]:
    settings = FlatFiles(kind="flatfile", folder=folder, layout=Layout.model_validate(LAYOUT))
    yield _exports(folder, lambda: FlatFileSource(settings))


@contextmanager
def flat_files_on_a_server(folder: Path) -> Iterator[Rig]:
    there, here = folder / "there", folder / "here"
    there.mkdir()
    with openssh(there) as sender:
        reached = sender.transport().model_dump(include=set(SshServer.model_fields))
        server = ExportServer.model_validate(reached | {"outbox": str(sender.inbound)})
        settings = FlatFiles(kind="flatfile", folder=here, server=server, layout=Layout.model_validate(LAYOUT))
        yield _exports(sender.inbound, lambda: FetchedFilesSource(settings, server))


FACTORIES = (eclinicalworks, claim_files, hl7_folder, fhir, flat_files, flat_files_on_a_server)


@pytest.fixture(params=FACTORIES, ids=lambda each: each.__name__)
def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with request.param(tmp_path_factory.mktemp("system")) as made:
        yield made


def _records(source: ChargeSource, cursor: str | None = None) -> tuple[list[RawRecord], str | None]:
    records: list[RawRecord] = []
    for page in source.changed_since(cursor):
        records += page.records
        cursor = page.cursor if page.cursor is not None else cursor
    return records, cursor


def _charges(rig: Rig) -> list[Charge]:
    source = rig.source()
    return [source.to_charge(record) for record in _records(source)[0]]


def test_every_charge_is_given_oldest_change_first(rig: Rig) -> None:
    given = [record.key for record in _records(rig.source())[0]]
    assert list(dict.fromkeys(given)) == list(rig.order)


def test_what_changed_since_the_cursor_comes_with_the_next_pull(rig: Rig) -> None:
    before, cursor = _records(rig.source())
    changed = rig.change()
    after, _ = _records(rig.source(), cursor)
    assert changed
    assert changed <= {record.key for record in after}
    assert len(after) < len(before) + len(changed)


def test_nothing_is_lost_when_a_pull_is_interrupted_after_any_page(rig: Rig) -> None:
    pages = list(rig.source().changed_since(None))
    for stopped in range(len(pages) + 1):
        cursor, seen = None, set()
        for page in pages[:stopped]:
            cursor = page.cursor if page.cursor is not None else cursor
            seen |= {record.key for record in page.records}
        assert seen | {record.key for record in _records(rig.source(), cursor)[0]} == set(rig.order), stopped


def test_the_same_bytes_are_the_same_charge(rig: Rig) -> None:
    for record in _records(rig.source())[0]:
        assert rig.source().to_charge(record).digest() == rig.source().to_charge(record).digest()


def test_giving_again_is_harmless_and_the_record_is_kept(rig: Rig, small_workplace: Workplace) -> None:
    given = {(record.key, record.body) for record in _records(rig.source())[0]}
    for _ in range(2):
        small_workplace.pipeline.pull(small_workplace.applied, source=rig.source())
        with small_workplace.database.transaction() as session:
            stored = [
                (row.key, row.unseal(small_workplace.database.keyring, "body")) for row in session.query(RawRecordRow)
            ]
        assert set(stored) == given
        assert len(stored) == len(given)
        assert small_workplace.rows().keys() == set(rig.order)


def test_a_record_that_cannot_be_read_names_the_field(rig: Rig) -> None:
    with pytest.raises(Unreadable, match=rig.fault) as raised:
        rig.source().to_charge(rig.broken)
    assert str(raised.value).endswith(".")


def test_every_field_knows_where_it_stood(rig: Rig) -> None:
    for each in _charges(rig):
        assert [path for path in paths(each) if not origin(each, path)] == []


def test_a_probe_tells_what_the_system_gives_and_changes_nothing(rig: Rig) -> None:
    probe = rig.source().probe()
    assert "changes" in probe.streams
    assert probe.newest
    assert probe.records > 0 == probe.unreadable
    assert {"lines[].code", "patient.last_name", "diagnoses[].code"} <= dict(probe.fields).keys()
    assert {record.key for record in _records(rig.source())[0]} == set(rig.order)
