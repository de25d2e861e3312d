"""Sealing: what is sealed opens only with its key, at its place, unchanged."""

import hmac
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charges.errors import Refused
from charges.keyring import Keyring, new_keyring, parse_keyring, read_keyring, write_keyring
from tests.conftest import KEYRING


@given(plain=st.binary(max_size=2000), place=st.text(max_size=40))
def test_what_is_sealed_opens_at_its_place(plain: bytes, place: str) -> None:
    assert KEYRING.open(KEYRING.seal(plain, place), place) == plain


def test_it_opens_at_no_other_place() -> None:
    sealed = KEYRING.seal(b"Odette Larkspur", "charges.document:1")
    with pytest.raises(Refused, match="does not open"):
        KEYRING.open(sealed, "charges.document:2")


@given(position=st.integers(0, 60))
def test_no_changed_byte_goes_unnoticed(position: int) -> None:
    sealed = bytearray(KEYRING.seal(b"x" * 40, "here"))
    sealed[position % len(sealed)] ^= 1
    with pytest.raises(Refused):
        KEYRING.open(bytes(sealed), "here")


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert KEYRING.seal(b"same", "here") != KEYRING.seal(b"same", "here")


@given(text=st.text(max_size=200), key=st.binary(min_size=1, max_size=100))
def test_a_fingerprint_is_the_keyed_hash_of_the_standard_library(text: str, key: bytes) -> None:
    expected = hmac.digest(key, text.encode(errors="ignore"), "sha256").hex()[:32]
    assert Keyring({1: bytes(32)}, key).fingerprint(text.encode(errors="ignore").decode()) == expected


def test_a_missing_key_is_named() -> None:
    sealed = KEYRING.with_new_key().seal(b"x", "here")
    with pytest.raises(Refused, match="key 2, which is not in the keyring"):
        KEYRING.open(sealed, "here")


def test_a_new_key_seals_and_the_old_ones_still_open() -> None:
    rotated = KEYRING.with_new_key()
    assert rotated.current == 2
    assert rotated.open(KEYRING.seal(b"old", "here"), "here") == b"old"
    assert rotated.fingerprint("Larkspur") == KEYRING.fingerprint("Larkspur")


def test_the_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "chargerouter.key"
    keyring = new_keyring()
    write_keyring(keyring, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_keyring(path) == keyring
    path.chmod(0o644)
    with pytest.raises(Refused, match="chmod 600"):
        read_keyring(path)


def test_a_key_file_is_never_overwritten_by_mistake(tmp_path: Path) -> None:
    path = tmp_path / "chargerouter.key"
    write_keyring(new_keyring(), path)
    with pytest.raises(Refused, match="exists already"):
        write_keyring(new_keyring(), path)


@pytest.mark.parametrize("text", ["", "index:AAAA", "1:zz", "0:" + "A" * 43 + "=", "hello world"])
def test_a_bad_keyring_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse_keyring(text)
    assert "AAAA" not in str(refusal.value)


def test_a_keyring_may_stand_in_one_line() -> None:
    text = " ".join(line for line in KEYRING.text().splitlines() if not line.startswith("#"))
    assert parse_keyring(text) == KEYRING


def test_a_missing_key_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="charges keys new"):
        read_keyring(tmp_path / "none.key")


def test_the_repr_shows_no_key() -> None:
    assert repr(Keyring({1: b"k" * 32}, b"i" * 32)) == "Keyring()"
