# SPDX-License-Identifier: MIT
"""Certificates of Routes and Ingresses, from Secrets."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from lablib.controllers import certificate
from lablib.controllers.certificate import Certificates

from ....pki import Authority

PAIR = Authority().pair("a.apps.lab.test")


def secret(kind: str = "kubernetes.io/tls", **data: str) -> dict[str, Any]:
    whole = {"tls.crt": PAIR.certificate, "tls.key": PAIR.key, **data}
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in whole.items() if text}
    return {"metadata": {"namespace": "x", "name": "tls"}, "type": kind, "data": encoded}


class Api:
    """Answers access reviews."""

    def __init__(self, *verbs: str) -> None:
        self.verbs = verbs
        self.asked: list[str] = []

    def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        assert path.endswith("/subjectaccessreviews")
        assert body["spec"]["user"] == "system:serviceaccount:openshift-ingress:router"
        attributes = body["spec"]["resourceAttributes"]
        assert (attributes["namespace"], attributes["name"]) == ("x", "tls")
        self.asked.append(attributes["verb"])
        return {"status": {"allowed": attributes["verb"] in self.verbs}}


class Secrets:
    def __init__(self, *items: dict[str, Any]) -> None:
        self.items = dict(zip([("x", "tls")], items, strict=False))

    def get(self, key: tuple[str, str]) -> dict[str, Any] | None:
        return self.items.get(key)


def test_a_pair_is_one_file() -> None:
    pem, problem = certificate.content(secret())
    assert (pem, problem) == (f"{PAIR.certificate.strip()}\n{PAIR.key.strip()}\n", "")


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (secret("Opaque"), 'secret of type "kubernetes.io/tls" required'),
        (secret(**{"tls.key": ""}), "has no tls.crt and tls.key"),
        (secret(**{"tls.key": Authority().pair("b").key}), "KEY_VALUES_MISMATCH"),
        (secret(**{"tls.crt": "rubbish"}), "secret tls: "),
    ],
)
def test_what_a_router_does_not_take(item: dict[str, Any], words: str) -> None:
    pem, problem = certificate.content(item)
    assert pem == "" and words in problem


@pytest.mark.parametrize("lacking", ["get", "list", "watch"])
def test_the_router_must_be_allowed_to_read_it(lacking: str) -> None:
    api = Api(*({"get", "list", "watch"} - {lacking}))
    found = Certificates(api, Secrets(secret()))  # type: ignore[arg-type]
    words = f"router serviceaccount does not have permission to {lacking} this secret"
    assert found.for_router("x", "tls") == ("", words)
    assert found.get("x", "tls")[1] == "", "an ingress controller reads it all the same"


def test_it_is_asked_again_after_a_while() -> None:
    now = [100.0]
    api = Api("get", "list", "watch")
    found = Certificates(api, Secrets(secret()), lambda: now[0])  # type: ignore[arg-type]
    assert found.for_router("x", "tls")[0] and found.for_router("x", "tls")[0]
    assert api.asked == ["get", "list", "watch"]
    now[0] += certificate.KEPT
    api.verbs = ()
    assert "permission" in found.for_router("x", "tls")[1]
    assert Certificates(api, Secrets()).get("x", "tls") == ("", 'secrets "tls" not found')  # type: ignore[arg-type]
