"""Signing in with an identity provider, against one that answers for real."""

import base64
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Form, HTTPException

from charges.settings import read_settings
from charges.simulator import running
from charges.tables import Role
from charges.users import accounts
from charges.users.accounts import Wanted
from tests.web.conftest import Browser, Hall

CLIENT = "chargerouter"


@dataclass
class Provider:
    """An identity provider at which everybody is the same person; ``lies`` changes what its tokens claim."""

    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    signs_with: rsa.RSAPrivateKey | None = None
    issuer: str = ""
    asked: dict[str, str] = field(default_factory=dict)
    lies: dict[str, Any] = field(default_factory=dict)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        def contract() -> dict[str, str]:
            at = self.issuer
            endpoints = {
                "authorization_endpoint": f"{at}/in",
                "token_endpoint": f"{at}/token",
                "jwks_uri": f"{at}/keys",
            }
            return {"issuer": at, **endpoints}

        @app.get("/keys")
        def keys() -> dict[str, Any]:
            key = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
            return {"keys": [{**key, "kid": "one", "alg": "RS256", "use": "sig"}]}

        @app.post("/token")
        def token(code: Annotated[str, Form()], code_verifier: Annotated[str, Form()]) -> dict[str, str]:
            challenge = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).decode().rstrip("=")
            if code != "good" or challenge != self.asked["code_challenge"]:
                raise HTTPException(400)
            now = int(time.time())
            claims = {"iss": self.issuer, "aud": CLIENT, "sub": "imogen", "nonce": self.asked["nonce"]}
            claims |= {"iat": now, "exp": now + 60} | self.lies
            return {"id_token": jwt.encode(claims, self.signs_with or self.key, "RS256", {"kid": "one"})}

        return app


@dataclass
class Organisation:
    """A hall whose people sign in with a provider."""

    hall: Hall
    provider: Provider

    def goes(self, browser: Browser, *, code: str = "good", state: str = "") -> httpx2.Response:
        """To the provider and back."""
        sent = browser.get("/sign-in/oidc?next=/files")
        self.provider.asked = {
            name: value[0] for name, value in parse_qs(urlsplit(sent.headers["location"]).query).items()
        }
        return browser.get("/sign-in/oidc/back", params={"code": code, "state": state or self.provider.asked["state"]})


@pytest.fixture
def organisation(hall: Hall) -> Iterator[Organisation]:
    provider = Provider()
    with running(provider.app()) as address:
        provider.issuer = address
        settings = read_settings(
            {"CHARGES_OIDC_ISSUER": address, "CHARGES_OIDC_CLIENT_ID": CLIENT, "CHARGES_OIDC_CLIENT_SECRET": "secret"}
        )
        wanted = Wanted(Role.BILLER, ("lakeside",), subject="imogen")
        accounts.add(hall.database, "Imogen Vale", wanted, by="engineer", clock=hall.clock)
        opened = Hall(hall.workplace, settings)
        with opened.rooms:
            yield Organisation(opened, provider)


def test_whom_the_provider_vouches_for_is_signed_in(organisation: Organisation) -> None:
    browser = organisation.hall.browser()

    assert "with your organisation" in browser.get("/sign-in").text
    back = organisation.goes(browser)

    assert (back.status_code, back.headers["location"]) == (303, "/files")
    assert "imogen vale" in browser.get("/").text
    assert accounts.history(organisation.hall.database, "Imogen Vale")[0].detail == "identity provider"


@pytest.mark.parametrize(
    "lies",
    [
        {"sub": "somebody else"},
        {"aud": "another program"},
        {"iss": "https://another.example"},
        {"nonce": "of another trip"},
        {"exp": 1},
        {"sub": ""},
    ],
)
def test_a_token_of_anybody_or_anything_else_signs_nobody_in(organisation: Organisation, lies: dict[str, Any]) -> None:
    organisation.provider.lies = lies
    browser = organisation.hall.browser()

    assert organisation.goes(browser).status_code == 401
    assert browser.get("/").status_code == 303


def test_a_token_that_another_signed_signs_nobody_in(organisation: Organisation) -> None:
    organisation.provider.signs_with = rsa.generate_private_key(65537, 2048)

    assert organisation.goes(organisation.hall.browser()).status_code == 401


def test_a_way_back_that_did_not_begin_here_signs_nobody_in(organisation: Organisation) -> None:
    browser = organisation.hall.browser()

    assert browser.get("/sign-in/oidc/back?code=good&state=x").status_code == 401
    assert organisation.goes(browser, state="another").status_code == 401
    assert organisation.goes(browser, code="bad").status_code == 401


def test_who_was_disabled_here_stays_out(organisation: Organisation) -> None:
    hall = organisation.hall
    accounts.disable(hall.database, "Imogen Vale", by="engineer", because="left", clock=hall.clock)

    assert organisation.goes(hall.browser()).status_code == 401


def test_a_provider_that_does_not_answer_is_a_page(hall: Hall) -> None:
    settings = read_settings({"CHARGES_OIDC_ISSUER": "http://127.0.0.1:1", "CHARGES_OIDC_CLIENT_ID": CLIENT})
    with Browser(
        Hall(hall.workplace, settings).app, base_url="http://127.0.0.1:8080", follow_redirects=False
    ) as browser:
        assert browser.get("/sign-in/oidc").status_code == 503


def test_without_a_provider_there_is_no_such_way(hall: Hall) -> None:
    browser = hall.browser()

    assert browser.get("/sign-in/oidc").status_code == 404
    assert browser.get("/sign-in/oidc/back").status_code == 404
