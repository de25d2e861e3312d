"""What people know or hold: passwords, the codes of the second factor, recovery codes, tokens. Nothing here is stored.

Passwords are kept as Argon2id hashes; everything random is long enough that its SHA-256 can be stored as it is.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from threading import BoundedSemaphore

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from charges.errors import Refused

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200
RECOVERY_CODES = 8
STEP_SECONDS = 30
"""How long a code of the second factor stands (RFC 6238)."""

_HASHER = PasswordHasher()
_AT_ONCE = BoundedSemaphore(4)  # each hash takes 64 MiB; guessing must not take the machine's memory


def hash_password(password: str) -> str:
    """The Argon2id hash to store."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def is_password(stored: str, password: str) -> bool:
    """Whether a password is the one stored. An empty hash takes as long and is nobody's password."""
    with _AT_ONCE:
        try:
            return _HASHER.verify(stored or _nobodys(), password) and bool(stored)
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_urlsafe(32))


def demand_good_password(name: str, password: str) -> None:
    """Raise Refused for a password that is short, endless, or easily guessed from the name."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Refused(f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; several words are good.")
    if len(set(password.casefold())) < 5 or name.casefold() in password.casefold():
        raise Refused("This password is easily guessed: it repeats itself or holds your name. Choose several words.")


def new_password() -> str:
    """A one-time password that can be read out."""
    return "-".join(_letters(5) for _ in range(4))


def new_recovery_codes() -> tuple[str, ...]:
    """Codes that each take the place of the second factor once."""
    return tuple("-".join(_letters(5) for _ in range(3)) for _ in range(RECOVERY_CODES))


def _letters(count: int) -> str:
    return "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(count))


def new_totp() -> str:
    """A secret for an authenticator, in base 32."""
    return pyotp.random_base32()


def totp_address(name: str, secret: str) -> str:
    """What an authenticator reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="Chargerouter")


def matching_step(secret: str, code: str, now: datetime, after: int) -> int | None:
    """The half minute that a code belongs to, among now and its neighbours and later than ``after``; else None."""
    current = int(now.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    for step in (current, current - 1, current + 1):
        if step > after and same(totp.generate_otp(step), code):
            return step
    return None


def plain_code(given: str) -> str:
    """A code as it is compared: without the blanks and dashes that people put into it."""
    return re.sub(r"[\s-]", "", given).lower()


def new_token() -> str:
    """256 random bits, as text for a cookie or a header."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored of something random."""
    return hashlib.sha256(token.encode()).hexdigest()


def digests(codes: Sequence[str]) -> tuple[str, ...]:
    """What is stored of recovery codes."""
    return tuple(digest(plain_code(each)) for each in codes)


def same(given: str, wanted: str) -> bool:
    """Whether two secrets are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode(), wanted.encode())


def csrf_of(token: str) -> str:
    """What a form of a session must bring along: it can be made of the session's token only, and does not tell it."""
    made = hmac.new(token.encode(), b"a form of this session", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).decode().rstrip("=")
