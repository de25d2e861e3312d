"""The keys that keep patient data unreadable at rest, and what is done with them.

A sealed value is AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. The place where it is stored (table,
column, row) is authenticated with it, so a value moved to another row does not open. Layout::

    form 1 byte (1 as is, 2 deflated) | key id 1 byte | nonce 12 bytes | ciphertext and tag

The key file is text, one entry a line: ``index:BASE64`` for the keyed hash used to search, and ``ID:BASE64`` for each
encryption key, of which the highest id seals. Old keys stay until ``charges keys rotate`` has sealed everything anew.
"""

import base64
import binascii
import hashlib
import os
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from charges.errors import Refused

KEYRING_BYTES = 32
"""The length of each key: AES-256 and HMAC-SHA-256."""
_NONCE_BYTES = 12
_AS_IS, _DEFLATED = 1, 2
_WORTH_DEFLATING = 256
_BLOCK = 64
"""Bytes of a block of SHA-256."""
_INNER, _OUTER = (bytes(each ^ pad for each in range(256)) for pad in (0x36, 0x5C))


@dataclass(frozen=True)
class Keyring:
    """Encryption keys by id (1 to 255) and the key of the search hash. ``current`` is the id of the key that seals."""

    keys: dict[int, bytes] = field(repr=False)
    index: bytes = field(repr=False)
    current: int = field(init=False, repr=False, compare=False)
    _ciphers: dict[int, AESGCM] = field(init=False, repr=False, compare=False)
    _hash: tuple["hashlib._Hash", "hashlib._Hash"] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ciphers", {number: AESGCM(key) for number, key in self.keys.items()})
        object.__setattr__(self, "current", max(self.keys))
        object.__setattr__(self, "_hash", _begun_hmac(self.index))

    def seal(self, plain: bytes, place: str) -> bytes:
        """Encrypt for one place; deflated first where that is worth it."""
        form, content = _AS_IS, plain
        if len(plain) > _WORTH_DEFLATING:
            deflated = zlib.compress(plain, 1)
            if len(deflated) < len(plain):
                form, content = _DEFLATED, deflated
        head = bytes((form, self.current))
        nonce = os.urandom(_NONCE_BYTES)
        return head + nonce + self._ciphers[self.current].encrypt(nonce, content, head + place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt what was sealed for this place; raises Refused when no key at hand fits or it was tampered with."""
        head, nonce, content = sealed[:2], sealed[2 : 2 + _NONCE_BYTES], sealed[2 + _NONCE_BYTES :]
        cipher = self._ciphers.get(head[1]) if len(head) == len((_AS_IS, _DEFLATED)) else None
        if cipher is None:
            raise Refused(
                f"A stored value was encrypted with key {head[1] if len(head) > 1 else 'unknown'}, which is not in the "
                "keyring. Put that key back into the key file (CHARGES_KEY_FILE) and run again."
            )
        try:
            plain = cipher.decrypt(nonce, content, head + place.encode())
        except InvalidTag:
            raise Refused(
                "A stored value does not open with its key: the keyring belongs to another database, or the row was "
                "changed by other hands. Compare the key file with the one this database was made with."
            ) from None
        return zlib.decompress(plain) if head[0] == _DEFLATED else plain

    def fingerprint(self, text: str) -> str:
        """The keyed hash (HMAC-SHA-256, 32 hex digits) by which equal texts are found without being readable."""
        inner, outer = self._hash[0].copy(), self._hash[1].copy()
        inner.update(text.encode())
        outer.update(inner.digest())
        return outer.hexdigest()[:32]

    def with_new_key(self) -> "Keyring":
        """This keyring with one more key, which from now on seals; raises Refused when all 255 ids are used."""
        if self.current >= 255:
            raise Refused("The keyring holds 255 keys, more do not fit. Remove those that seal nothing any more.")
        return Keyring({**self.keys, self.current + 1: os.urandom(KEYRING_BYTES)}, self.index)

    def text(self) -> str:
        """The content of the key file."""
        entries = [("index", self.index), *((str(number), key) for number, key in sorted(self.keys.items()))]
        lines = [f"{name}:{base64.b64encode(key).decode()}" for name, key in entries]
        return "# Chargerouter's keys. Whoever has this file can read the patients' data; without it nobody can.\n" + (
            "\n".join(lines) + "\n"
        )


def _begun_hmac(key: bytes) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    """The inner and outer hash of HMAC-SHA-256 (RFC 2104) once they took the key, so that it is taken once."""
    block = hashlib.sha256(key).digest() if len(key) > _BLOCK else key
    padded = block.ljust(_BLOCK, b"\0")
    return hashlib.sha256(padded.translate(_INNER)), hashlib.sha256(padded.translate(_OUTER))


def new_keyring() -> Keyring:
    """A keyring of one fresh key."""
    return Keyring({1: os.urandom(KEYRING_BYTES)}, os.urandom(KEYRING_BYTES))


def parse_keyring(text: str) -> Keyring:
    """Read a keyring; entries stand on lines or are parted by blanks or commas. Raises Refused without telling a key."""
    keys: dict[str, bytes] = {}
    without_comments = re.sub(r"#.*", "", text)
    for entry in re.split(r"[\s,]+", without_comments.strip()):
        name, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if len(key) != KEYRING_BYTES or name in keys or not re.fullmatch(r"index|[1-9]\d{0,2}", name):
            raise Refused(
                "The keyring is not readable: each entry is index:BASE64 or NUMBER:BASE64 of 32 bytes, each name once. "
                "`charges keys new FILE` writes a good one."
            )
        keys[name] = key
    index = keys.pop("index", None)
    numbered = {int(name): key for name, key in keys.items()}
    if index is None or not numbered or max(numbered) > 255:
        raise Refused("The keyring needs one index entry and at least one key with a number from 1 to 255.")
    return Keyring(numbered, index)


def read_keyring(path: Path) -> Keyring:
    """The keyring of a file; raises Refused when it is absent, unreadable or open to other users."""
    try:
        text = path.read_text(encoding="ascii")
        others = path.stat().st_mode & 0o077
    except FileNotFoundError:
        raise Refused(
            f"The key file {path} does not exist. Make one with `charges keys new {path}` and keep a copy in a safe "
            "place: without it the database cannot be read."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"The key file {path} cannot be read ({type(error).__name__}).") from None
    if others:
        raise Refused(f"The key file {path} can be read by other users of this machine. Run: chmod 600 {path}")
    return parse_keyring(text)


def write_keyring(keyring: Keyring, path: Path, *, replace: bool = False) -> None:
    """Write a key file that only its owner can read; an existing file is only replaced when asked, and then whole."""
    temporary = path.with_name(path.name + ".new")
    try:
        if path.exists() and not replace:
            raise Refused(f"{path} exists already. A new key file would not open what the old one sealed.")
        temporary.unlink(missing_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(keyring.text())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise Refused(f"The key file {path} cannot be written ({error.strerror}).") from None
