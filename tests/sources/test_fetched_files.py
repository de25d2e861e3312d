"""Exports on a real OpenSSH server: fetched whole and once, read as any other, and what is wrong with them goes back."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from charges.errors import Refused, Unavailable
from charges.intake import Pulled
from charges.pipeline import source_of
from charges.practice.connections import ExportServer, FlatFiles
from charges.practice.profile import parse_profile
from charges.sources import ChargeSource
from tests.clearinghouses.ssh import Lost, Vendor, faulty, openssh
from tests.practice import PROFILE, Workplace
from tests.sources.flat import layout, row, text

HOUR_AGO = time.time() - 3600


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    with openssh(tmp_path_factory.mktemp("sender")) as vendor:
        yield vendor


@dataclass
class Sender:
    """A system that exports onto an SSH server, and the workplace that takes charges from there."""

    vendor: Vendor
    workplace: Workplace

    def __post_init__(self) -> None:
        for name in ("outbox", "returned", "done"):
            folder = self.vendor.folder / name
            folder.mkdir(exist_ok=True)
            for path in folder.iterdir():
                path.unlink()

    @property
    def outbox(self) -> Path:
        return self.vendor.folder / "outbox"

    @property
    def returned(self) -> Path:
        return self.vendor.folder / "returned"

    @property
    def fetched(self) -> Path:
        return self.workplace.folder / "exports"

    def settings(self, **changes: Any) -> FlatFiles:
        reached = self.vendor.transport().model_dump(
            include={"host", "port", "user", "host_key", "private_key", "timeout_seconds"}
        )
        server = {"outbox": str(self.outbox), "returned": str(self.returned)} | changes
        return FlatFiles(
            kind="flatfile",
            folder=self.fetched,
            server=ExportServer.model_validate(reached | server),
            layout=layout(),
        )

    def put(self, name: str, content: str, changed: float = HOUR_AGO) -> None:
        path = self.outbox / name
        path.write_text(content)
        os.utime(path, (changed, changed))

    def source(self, **changes: Any) -> ChargeSource:
        return source_of(parse_profile(PROFILE).model_copy(update={"source": self.settings(**changes)}))

    def take(self, **changes: Any) -> Pulled:
        return self.workplace.pipeline.pull(self.workplace.applied, source=self.source(**changes))


@pytest.fixture
def sender(shared: Vendor, small_workplace: Workplace) -> Sender:
    return Sender(shared, small_workplace)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_export_is_fetched_and_read_once(sender: Sender) -> None:
    sender.put("charges.csv", text(row(claim_no="1"), row(claim_no="2")))
    assert sender.take().new == 2
    assert _names(sender.fetched) == ["charges.csv"]
    assert (sender.fetched / "charges.csv").stat().st_mode & 0o077 == 0, "nobody else may read it"
    assert sender.take().records == 0
    assert _names(sender.outbox) == ["charges.csv"], "what is there is left as it is"


def test_the_same_name_with_other_charges_is_fetched_again(sender: Sender) -> None:
    sender.put("charges.csv", text(row(claim_no="1")), HOUR_AGO - 60)
    sender.take()
    sender.put("charges.csv", text(row(claim_no="2")))
    assert sender.take().new == 1
    assert sender.workplace.rows().keys() == {"1", "2"}


def test_the_same_charges_under_another_name_are_nothing_new(sender: Sender) -> None:
    sender.put("charges.csv", text(row(claim_no="1")))
    sender.take()
    sender.put("again.csv", text(row(claim_no="1")), HOUR_AGO + 60)
    assert sender.take().records == 0


def test_a_file_that_is_being_written_waits(sender: Sender) -> None:
    sender.put("charges.csv", text(row(claim_no="1")), time.time())
    sender.put("more.csv.part", text(row(claim_no="2")))
    assert sender.take(after_fetching="remove").records == 0
    assert _names(sender.outbox) == ["charges.csv", "more.csv.part"]


def test_what_lies_safe_here_is_removed_or_moved_there(sender: Sender) -> None:
    sender.put("charges.csv", text(row(claim_no="1")))
    assert sender.take(after_fetching="remove").new == 1
    assert _names(sender.outbox) == []
    sender.put("charges.csv", text(row(claim_no="2")))
    done = sender.vendor.folder / "done"
    assert sender.take(after_fetching="move", moved_to=str(done)).new == 1
    assert _names(done) == ["charges.csv"]


def test_what_an_earlier_run_fetched_and_did_not_read_is_read_before_a_file_of_its_name_replaces_it(
    sender: Sender,
) -> None:
    sender.put("charges.csv", text(row(claim_no="1")), HOUR_AGO - 60)
    sender.source(after_fetching="remove").probe()  # fetches, and reads nothing into the database
    sender.put("charges.csv", text(row(claim_no="2")))
    assert sender.take(after_fetching="remove").new == 2


def test_rows_that_cannot_be_read_go_back_to_the_server_once(sender: Sender) -> None:
    sender.put("charges.csv", text(row(claim_no="1"), row(claim_no="2", amount="much")))
    assert sender.take().unreadable == 1
    (name,) = _names(sender.returned)
    content = (sender.returned / name).read_text(encoding="utf-8-sig")
    assert "much" in content
    assert "error" in content.splitlines()[0]
    (sender.returned / name).unlink()  # the sender took it
    sender.take()
    assert _names(sender.returned) == []


def test_without_a_folder_for_them_rows_stay_here(sender: Sender) -> None:
    sender.put("charges.csv", text(row(claim_no="1", amount="much")))
    sender.take(returned=None)
    assert _names(sender.returned) == []
    assert len(list(sender.settings().returns.glob("*.csv"))) == 1


def test_a_probe_tells_what_the_newest_export_holds_and_moves_nothing(sender: Sender) -> None:
    sender.put("charges.csv", text(row(claim_no="1")))
    probe = sender.source(after_fetching="remove").probe()
    assert probe.records == 1
    assert "lines[].code" in dict(probe.fields)
    assert _names(sender.outbox) == ["charges.csv"]


def test_a_server_with_another_key_gets_nothing_from_us(sender: Sender) -> None:
    with pytest.raises(Refused, match=r"source\.server\.host_key"):
        sender.take(host_key="SHA256:" + "A" * 43)


def test_a_folder_that_is_not_there_is_named(sender: Sender) -> None:
    with pytest.raises(Refused, match="Check outbox, moved_to and returned"):
        sender.take(outbox=str(sender.vendor.folder / "nowhere"))


def test_moved_to_belongs_to_moving(sender: Sender) -> None:
    with pytest.raises(ValidationError, match="belong together"):
        sender.settings(after_fetching="move")


def test_a_connection_lost_in_the_middle_leaves_nothing_half_read(
    small_workplace: Workplace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with faulty(tmp_path_factory.mktemp("faulty")) as vendor:
        sender = Sender(vendor, small_workplace)
        sender.put("charges.csv", text(row(claim_no="1"), row(claim_no="2", amount="much")))
        vendor.fault = _lost_at("rename", "after")
        with pytest.raises(Unavailable, match="a later run fetches them"):
            sender.take()
        vendor.fault = lambda _operation, _when: None
        assert sender.take().records == 0, "the charges were stored before"
        (name,) = _names(sender.returned)
        assert not name.startswith(".")


def _lost_at(operation: str, when: str) -> Callable[[str, str], None]:
    def fault(done: str, at: str) -> None:
        if (done, at) == (operation, when):
            raise Lost

    return fault
