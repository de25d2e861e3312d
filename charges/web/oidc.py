"""Signing in with the organisation's identity provider: OpenID Connect, authorization code with PKCE (RFC 7636) and nonce.

What must be the same when the browser comes back travels in a sealed cookie of ten minutes, so nothing is stored. The
provider vouches for a subject; who that is here, and what they may do, is said by ``charges users add --oidc``.
"""

import base64
import binascii
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

import httpx2
import jwt

from charges.errors import Refused, Unavailable
from charges.keyring import Keyring
from charges.settings import Settings
from charges.users import secrets
from charges.users.sessions import SignInRefused

BACK = "/sign-in/oidc/back"
"""Where the provider sends the browser back to; it must know the whole address."""
MINUTES = 10
"""How long somebody may take at the provider's."""
_PLACE = "web.oidc"
_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Trip:
    """What must be the same when the browser comes back."""

    state: str
    nonce: str
    verifier: str
    next: str

    def sealed(self, keyring: Keyring) -> str:
        """For a cookie that nobody but this installation reads or makes."""
        return base64.urlsafe_b64encode(keyring.seal(json.dumps(asdict(self)).encode(), _PLACE)).decode()

    @classmethod
    def opened(cls, cookie: str, keyring: Keyring) -> "Trip":
        """Of a cookie; raises SignInRefused for one that was not made here."""
        try:
            return cls(**json.loads(keyring.open(base64.urlsafe_b64decode(cookie), _PLACE)))
        except (Refused, ValueError, TypeError, binascii.Error):
            raise SignInRefused from None


def begin(settings: Settings, after: str) -> tuple[str, Trip]:
    """Where to send the browser, and what it takes along; raises Unavailable when the provider does not answer."""
    trip = Trip(secrets.new_token(), secrets.new_token(), secrets.new_token(), after)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(trip.verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code",
        "client_id": settings.oidc_client_id,
        "redirect_uri": settings.web_url + BACK,
        "scope": "openid",
        "state": trip.state,
        "nonce": trip.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    with httpx2.Client(timeout=_SECONDS) as client:
        return f"{_contract(client, settings)['authorization_endpoint']}?{urlencode(asked)}", trip


def finish(settings: Settings, trip: Trip, state: str, code: str) -> str:
    """The subject whom the provider vouches for; raises SignInRefused for whatever does not belong to this trip."""
    if not secrets.same(state, trip.state) or not code:
        raise SignInRefused
    secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else ""
    given = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": settings.web_url + BACK,
        "code_verifier": trip.verifier,
    }
    with httpx2.Client(timeout=_SECONDS) as client:
        contract = _contract(client, settings)
        answer = _json(client, "POST", contract["token_endpoint"], data=given, auth=(settings.oidc_client_id, secret))
        keys = _json(client, "GET", contract["jwks_uri"])
    return _subject(str(answer.get("id_token", "")), keys, settings, trip.nonce)


def _subject(token: str, keys: dict[str, Any], settings: Settings, nonce: str) -> str:
    try:
        name = jwt.get_unverified_header(token).get("kid")
        known = jwt.PyJWKSet.from_dict(keys).keys
        key = next((each for each in known if name is None or each.key_id == name), None)
        if key is None:
            raise SignInRefused
        claims = jwt.decode(
            token,
            key,
            algorithms=list(_ALGORITHMS),
            audience=settings.oidc_client_id,
            issuer=settings.oidc_issuer,
            leeway=60,
            options={"require": ["exp", "iat", "iss", "aud", "sub", "nonce"]},
        )
    except jwt.PyJWTError:
        raise SignInRefused from None
    if not secrets.same(str(claims["nonce"]), nonce):
        raise SignInRefused
    return str(claims["sub"])


def _contract(client: httpx2.Client, settings: Settings) -> dict[str, Any]:
    """What the provider publishes of itself; raises Unavailable when it speaks for another."""
    found = _json(client, "GET", f"{settings.oidc_issuer}/.well-known/openid-configuration")
    if found.get("issuer") != settings.oidc_issuer:
        raise Unavailable("The identity provider says that it is another. Check CHARGES_OIDC_ISSUER.")
    return found


def _json(client: httpx2.Client, method: str, address: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx2's own
    try:
        answer = client.request(method, address, **more)
        if method == "POST" and 400 <= answer.status_code < 500:
            raise SignInRefused
        answer.raise_for_status()
        found = answer.json()
    except (httpx2.HTTPError, ValueError) as error:
        raise Unavailable(
            f"The identity provider does not answer ({type(error).__name__}). Try again, or ask whoever runs it."
        ) from None
    if not isinstance(found, dict):
        raise Unavailable("The identity provider gave an answer of another form than OpenID Connect has.")
    return found
