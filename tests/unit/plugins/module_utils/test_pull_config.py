# SPDX-License-Identifier: MIT
"""The content of a pull secret: text or mapping, and what is none."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _pull_config

AUTH = base64.b64encode(b"robot:c4n4ry").decode()
CONFIG = {"auths": {"mirror.example.com": {"auth": AUTH, "email": "a@example.com"}}}


def test_text_and_mapping_are_the_same() -> None:
    turned = json.dumps(
        {
            "auths": {
                "mirror.example.com": dict(reversed(CONFIG["auths"]["mirror.example.com"].items()))
            }
        },
        indent=2,
    )
    assert (
        _pull_config.text(CONFIG)
        == _pull_config.text(json.dumps(CONFIG))
        == _pull_config.text(turned)
    )
    assert json.loads(_pull_config.text(CONFIG)) == CONFIG


@pytest.mark.parametrize(
    "login",
    [
        {"auth": AUTH},
        {"username": "robot", "password": "c4n4ry"},
        {"identitytoken": "c4n4ry"},
        {"auth": "", "registrytoken": "c4n4ry"},
    ],
)
def test_logins(login: Any) -> None:
    assert _pull_config.content({"auths": {"quay.io": login}, "credHelpers": {}})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("c4n4ry", "is no JSON"),
        (base64.b64encode(b'{"auths": {}}').decode(), "is no JSON"),
        ("[]", "has no logins in auths"),
        ({}, "has no logins in auths"),
        ({"auths": {}}, "has no logins in auths"),
        ({"auths": ["quay.io"]}, "has no logins in auths"),
        ({"quay.io": {"auth": AUTH}}, "has no logins in auths"),
        ({"auths": {"quay.io": "c4n4ry"}}, "has a login to quay.io that is no mapping"),
        ({"auths": {"quay.io": {"username": "robot"}}}, "has a login to quay.io without auth"),
        ({"auths": {"quay.io": {"auth": "robot:c4n4ry"}}}, "has a login to quay.io whose auth is no base64"),
        ({"auths": {"quay.io": {"auth": base64.b64encode(b"c4n4ry").decode()}}},
         "has a login to quay.io whose auth is not of the form user:password"),
    ],
)  # fmt: skip
def test_what_is_none(given: Any, words: str) -> None:
    with pytest.raises(ValueError) as raised:
        _pull_config.content(given)
    problem, _bar, remedy = str(raised.value).partition("|")
    assert problem == words and remedy
    assert "c4n4ry" not in str(raised.value)


@pytest.mark.parametrize(
    ("names", "registries", "lacking"),
    [
        (["quay.io"], ["quay.io"], []),
        (["https://quay.io/v2/", "ghcr.io/team"], ["quay.io", "ghcr.io", "mirror.example.com:5000"], ["mirror.example.com:5000"]),
        (["mirror.example.com"], ["ghcr.io", "quay.io", "quay.io", ""], ["ghcr.io", "quay.io"]),
    ],
)  # fmt: skip
def test_which_registries_it_is_not_for(
    names: list[str], registries: list[str], lacking: list[str]
) -> None:
    given = {"auths": {name: {"auth": AUTH} for name in names}}
    assert _pull_config.lacking(given, registries) == lacking
