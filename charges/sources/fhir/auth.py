"""SMART Backend Services: a signed assertion for a token, and what the token lets us read.

The assertion lives at most five minutes, names the token endpoint and bears a number that is used once.
"""

import re
import time
import uuid
from collections.abc import Iterable

import jwt

from charges.errors import Refused
from charges.practice.connections import FhirServer, read_secret

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 240


def token_form(settings: FhirServer, token_endpoint: str, scopes: Iterable[str]) -> dict[str, str]:
    """The form of a token request; raises Refused when the key cannot be read or does not sign."""
    now = int(time.time())
    claims = {
        "iss": settings.client_id,
        "sub": settings.client_id,
        "aud": token_endpoint,
        "jti": uuid.uuid4().hex,
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
    }
    key = read_secret(settings.private_key, "private key")
    try:
        assertion = jwt.encode(claims, key, algorithm=settings.algorithm, headers={"kid": settings.key_id})
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise Refused(
            f"The private key of the FHIR connection does not sign with {settings.algorithm} ({type(error).__name__}). "
            "It is expected in PEM: an RSA key for RS384, a P-384 key for ES384."
        ) from None
    return {
        "grant_type": "client_credentials",
        "scope": " ".join(scopes),
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }


def readable(scopes: Iterable[str]) -> frozenset[str]:
    """The resource types that scopes let us read and search; ``*`` for all. Both ways of writing are known."""
    found = set()
    for scope in scopes:
        written = re.fullmatch(r"system/([A-Za-z]+|\*)\.(read|\*|c?ru?d?s)(\?.*)?", scope)
        if written:
            found.add(written[1])
    return frozenset(found)


def demand_scopes(granted: str, needed: Iterable[str], host: str) -> None:
    """Raises Refused naming the resources that cannot be read; an answer that tells no scopes granted all."""
    types = readable(granted.split())
    missing = [each for each in needed if granted and "*" not in types and each not in types]
    if missing:
        raise Refused(
            f"{host} grants fewer scopes than were asked for: {', '.join(missing)} cannot be read, so no charge would be "
            "whole. Have the vendor or the practice allow them; some tenants write .rs where others write .read."
        )
