"""Files through a real OpenSSH server: nothing half seen, nothing overwritten, no stranger's key believed."""

import gzip
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pysequoia
import pytest
from pydantic import ValidationError

from charges.clearinghouses import Parcel, Presence, Reply
from charges.clearinghouses.sftp import Sftp
from charges.errors import Refused, Unavailable
from tests.clearinghouses.ssh import FaultyVendor, Lost, Vendor, faulty, openssh

CONTENT = b"ISA*00*" + bytes(range(256)) * 4096  # a megabyte, in many packets
PARCEL = Parcel("prairie-rcm_000000001_c95b522abc89.837", CONTENT)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    with openssh(tmp_path_factory.mktemp("vendor")) as vendor:
        yield vendor


@pytest.fixture
def vendor(shared: Vendor) -> Vendor:
    for folder in (shared.outbound, shared.inbound):
        for path in folder.iterdir():
            path.unlink()
    return shared


@pytest.fixture
def strange(tmp_path: Path) -> Iterator[FaultyVendor]:
    with faulty(tmp_path, password="heron") as vendor:
        yield vendor


@pytest.mark.parametrize("rename", ["plain", "posix"])
def test_a_file_is_staged_then_published(vendor: Vendor, rename: str) -> None:
    place = Sftp(vendor.transport(rename=rename))
    with place.connected():
        assert place.presence(PARCEL) is Presence.ABSENT
        place.stage(PARCEL)
        assert vendor.names() == [f".{PARCEL.name}.part"]
        assert place.presence(PARCEL) is Presence.STAGED
        place.publish(PARCEL)
        assert place.presence(PARCEL) is Presence.PUBLISHED
    assert vendor.names() == [PARCEL.name]
    assert (vendor.outbound / PARCEL.name).read_bytes() == CONTENT


def test_each_step_finds_its_own_connection(vendor: Vendor) -> None:
    Sftp(vendor.transport()).stage(PARCEL)
    Sftp(vendor.transport()).publish(PARCEL)
    assert Sftp(vendor.transport()).presence(PARCEL) is Presence.PUBLISHED


def test_half_an_upload_is_not_staged(vendor: Vendor) -> None:
    (vendor.outbound / f".{PARCEL.name}.part").write_bytes(CONTENT[:1000])
    place = Sftp(vendor.transport())
    assert place.presence(PARCEL) is Presence.ABSENT
    place.stage(PARCEL)
    place.publish(PARCEL)
    assert (vendor.outbound / PARCEL.name).read_bytes() == CONTENT


def test_what_was_staged_and_is_not_sent_any_more_is_removed(vendor: Vendor) -> None:
    sftp = Sftp(vendor.transport())
    sftp.stage(PARCEL)
    assert sftp.discard(PARCEL.name)
    assert vendor.names() == []
    assert not sftp.discard(PARCEL.name)


def test_where_the_temporary_file_lies_is_the_partners_wish(vendor: Vendor) -> None:
    aside = vendor.folder / "aside"
    aside.mkdir()
    place = Sftp(vendor.transport(temporary_folder=str(aside), temporary_name="{name}.filepart"))
    place.stage(PARCEL)
    assert (aside / f"{PARCEL.name}.filepart").exists()
    place.publish(PARCEL)
    assert vendor.names() == [PARCEL.name]


def test_a_server_that_forbids_renaming_gets_the_file_under_its_name(vendor: Vendor) -> None:
    place = Sftp(vendor.transport(rename="none"))
    place.stage(PARCEL)
    assert vendor.names() == []
    (vendor.outbound / PARCEL.name).write_bytes(CONTENT[:1000])  # an upload that was cut off
    assert place.presence(PARCEL) is Presence.STAGED
    place.publish(PARCEL)
    assert place.presence(PARCEL) is Presence.PUBLISHED


@pytest.mark.parametrize("rename", ["plain", "posix", "none"])
def test_another_file_of_that_name_is_not_touched(vendor: Vendor, rename: str) -> None:
    (vendor.outbound / PARCEL.name).write_bytes(b"somebody else's")
    place = Sftp(vendor.transport(rename=rename))
    with pytest.raises(Refused, match="not touched"):
        place.presence(PARCEL)
    if rename != "none":
        place.stage(PARCEL)
        with pytest.raises(Refused, match="not touched"):
            place.publish(PARCEL)
    assert (vendor.outbound / PARCEL.name).read_bytes() == b"somebody else's"


def test_the_same_file_already_there_is_published(vendor: Vendor) -> None:
    (vendor.outbound / PARCEL.name).write_bytes(CONTENT)
    place = Sftp(vendor.transport())
    assert place.presence(PARCEL) is Presence.PUBLISHED
    place.stage(PARCEL)
    place.publish(PARCEL)
    assert vendor.names() == [PARCEL.name]


def test_a_changed_host_key_stops_everything(vendor: Vendor) -> None:
    place = Sftp(vendor.transport(host_key="SHA256:" + "A" * 43))
    with pytest.raises(Refused, match="shows a key that the profile does not know") as told:
        place.stage(PARCEL)
    assert vendor.host_key in str(told.value)
    assert vendor.names() == []


def test_a_key_that_the_partner_does_not_know_is_told(vendor: Vendor, tmp_path: Path) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(tmp_path / "other")
    with pytest.raises(Refused, match="does not let the user"):
        Sftp(vendor.transport(private_key={"file": str(tmp_path / "other")})).presence(PARCEL)


def test_a_key_may_have_a_passphrase(vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncssh.read_private_key(vendor.private_key).write_private_key(tmp_path / "locked", passphrase="pelican")
    monkeypatch.setenv("LAKESIDE_PASSPHRASE", "pelican")
    locked = {"private_key": {"file": str(tmp_path / "locked")}}
    Sftp(vendor.transport(**locked, passphrase={"env": "LAKESIDE_PASSPHRASE"})).stage(PARCEL)
    with pytest.raises(Refused, match="passphrase"):
        Sftp(vendor.transport(**locked)).stage(PARCEL)


def test_a_secret_that_is_not_there_is_named(vendor: Vendor) -> None:
    with pytest.raises(Refused, match="environment variable LAKESIDE_NOTHING"):
        Sftp(vendor.transport(private_key={"env": "LAKESIDE_NOTHING"})).stage(PARCEL)


def test_a_server_that_is_away_is_unavailable(vendor: Vendor) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        Sftp(vendor.transport(port=1)).stage(PARCEL)


def test_a_folder_that_is_not_there_is_named(vendor: Vendor) -> None:
    with pytest.raises(Refused, match="outbound"):
        Sftp(vendor.transport(outbound="/nowhere/at/all")).stage(PARCEL)


# Replies


def test_replies_come_oldest_first_and_by_pattern(vendor: Vendor) -> None:
    for moment, name in enumerate(("b.999", "a.277", "letter.txt", ".hidden.999", "c.999.part")):
        (vendor.inbound / name).write_bytes(name.encode())
        os.utime(vendor.inbound / name, (1000 + moment, 1000 + moment))
    found = list(Sftp(vendor.transport(patterns=("*.999", "*.277"))).collect())
    assert found == [Reply("b.999", b"b.999"), Reply("a.277", b"a.277")]
    assert (vendor.inbound / "b.999").exists()


@pytest.mark.parametrize("after", ["remove", "move"])
def test_a_reply_is_put_away_only_after_the_next_was_asked_for(vendor: Vendor, after: str) -> None:
    done = vendor.folder / f"done-{after}"
    done.mkdir()
    (vendor.inbound / "a.999").write_bytes(b"first")
    wanted = {"after_fetching": after} | ({"moved_to": str(done)} if after == "move" else {})
    place = Sftp(vendor.transport(**wanted))
    replies = place.collect()
    assert next(replies).content == b"first"
    replies.close()  # type: ignore[attr-defined] # the one who stores it died
    assert (vendor.inbound / "a.999").exists()
    assert [each.content for each in place.collect()] == [b"first"]
    assert not (vendor.inbound / "a.999").exists()
    (vendor.inbound / "a.999").write_bytes(b"second")
    assert [each.content for each in place.collect()] == [b"second"]
    assert sorted(path.read_bytes() for path in done.iterdir()) == ([b"first", b"second"] if after == "move" else [])


# What is sent


def test_compression_gives_the_same_bytes_each_time(vendor: Vendor) -> None:
    zipped = Sftp(vendor.transport(compression="zip"))
    squeezed = Sftp(vendor.transport(compression="gzip"))
    assert zipped.packed("a.837", CONTENT) == zipped.packed("a.837", CONTENT)
    assert squeezed.packed("a.837", CONTENT) == squeezed.packed("a.837", CONTENT)
    assert gzip.decompress(squeezed.packed("a.837", CONTENT).content) == CONTENT
    with zipfile.ZipFile(io.BytesIO(zipped.packed("a.837", CONTENT).content)) as archive:
        assert archive.read("a.837") == CONTENT


def test_an_encrypted_file_is_opened_by_its_holder_alone(vendor: Vendor, tmp_path: Path) -> None:
    holder = pysequoia.Tsk.generate("Prairie RCM <edi@prairie.example>")
    certificate = tmp_path / "prairie.pgp"
    certificate.write_bytes(bytes(holder.extract_certificate()))
    place = Sftp(vendor.transport(encrypted_for=str(certificate), compression="gzip"))
    packed = place.packed("a.837", CONTENT)
    assert packed.name == "a.837.gz.pgp"
    opened = pysequoia.decrypt(decryptor=holder.decryptor(), bytes=packed.content).bytes
    assert opened is not None
    assert gzip.decompress(opened) == CONTENT
    with pytest.raises(Refused, match="public key"):
        Sftp(vendor.transport(encrypted_for=str(tmp_path / "missing"))).packed("a.837", CONTENT)


# A server that fails


def test_a_password_from_the_environment(strange: FaultyVendor, monkeypatch: pytest.MonkeyPatch) -> None:
    with_password = {"private_key": None, "password": {"env": "LAKESIDE_PASSWORD"}}
    monkeypatch.setenv("LAKESIDE_PASSWORD", "heron")
    Sftp(strange.transport(**with_password)).stage(PARCEL)
    monkeypatch.setenv("LAKESIDE_PASSWORD", "egret")
    with pytest.raises(Refused, match="does not let the user") as told:
        Sftp(strange.transport(**with_password)).stage(PARCEL)
    assert "egret" not in str(told.value)
    assert "heron" not in repr(strange.transport(**with_password))


def test_a_connection_lost_during_the_upload(strange: FaultyVendor) -> None:
    def cut(operation: str, when: str) -> None:
        if (operation, when) == ("write", "half"):
            raise Lost

    strange.fault = cut
    place = Sftp(strange.transport())
    with pytest.raises(Unavailable):
        place.stage(PARCEL)
    assert not list(strange.outbound.glob("prairie*"))
    strange.fault = lambda _operation, _when: None
    assert place.presence(PARCEL) is Presence.ABSENT


@pytest.mark.parametrize(("when", "presence"), [("before", Presence.STAGED), ("after", Presence.PUBLISHED)])
def test_a_connection_lost_at_the_rename(strange: FaultyVendor, when: str, presence: Presence) -> None:
    def cut(operation: str, moment: str) -> None:
        if (operation, moment) == ("rename", when):
            raise Lost

    place = Sftp(strange.transport())
    place.stage(PARCEL)
    strange.fault = cut
    with pytest.raises(Unavailable):
        place.publish(PARCEL)
    strange.fault = lambda _operation, _when: None
    assert place.presence(PARCEL) is presence


def test_a_full_disk_is_told_and_nothing_is_published(strange: FaultyVendor) -> None:
    def full(operation: str, _when: str) -> None:
        if operation == "write":
            raise asyncssh.SFTPFailure("No space left on device")

    strange.fault = full
    with pytest.raises(Unavailable, match="disk may be full"):
        Sftp(strange.transport()).stage(PARCEL)
    assert not list(strange.outbound.glob("prairie*"))


# The profile


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"host_key": []}, "host_key"),
        ({"host_key": "MD5:aa"}, "host_key"),
        ({"private_key": None}, "private_key or password"),
        ({"temporary_name": "{name}"}, "temporary_folder"),
        ({"temporary_name": "upload.part"}, "temporary_name"),
        ({"temporary_name": "{other}"}, "temporary_name"),
        ({"after_fetching": "move"}, "moved_to"),
        ({"password": {"env": "A", "file": "b"}}, "not both"),
        ({"password": "heron"}, "password"),
    ],
)
def test_a_transport_that_cannot_work_is_refused(vendor: Vendor, change: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        vendor.transport(**change)
