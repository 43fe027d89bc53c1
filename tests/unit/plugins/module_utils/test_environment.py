# SPDX-License-Identifier: MIT
"""What a site adds to the gateway's environment, and what it must leave alone."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _environment, _instances

SETTINGS = yaml.safe_load((Path(__file__).parent / "fixtures" / "settings.yml").read_text())
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def settings(env: Any = None, bundle: str = "") -> Any:
    found = copy.deepcopy(SETTINGS)
    found["litellm"] |= {"env": env or {}, "ca_bundle": bundle}
    return found


@pytest.mark.parametrize(
    ("env", "bundle", "words"),
    [
        ({}, "", ""),
        ({"HTTPS_PROXY": "http://proxy:3128", "LITELLM_LOG": "INFO", "N": 5}, CERTIFICATE, ""),
        ({"1X": "a"}, "", "no environment variable can have, got '1X'"),
        ({"DATABASE_URL": "postgresql://c4n4ry"}, "", "must not set DATABASE_URL"),
        ({"ssl_cert_file": "/x"}, "", "must not set ssl_cert_file"),
        ({"OPENAI_API_KEY": "c4n4ry"}, "", "holds a secret in OPENAI_API_KEY"),
        ({"A": ["x"]}, "", "has no text in A"),
        ({}, "/etc/ssl/ca.pem", "ca_bundle holds no certificate"),
        ({}, CERTIFICATE + "-----BEGIN PRIVATE KEY-----\nx", "ca_bundle holds a private key"),
    ],
)
def test_problems(env: Any, bundle: str, words: str) -> None:
    found = [str(problem) for problem in _environment.problems(settings(env, bundle))]
    assert len(found) == (1 if words else 0), found
    assert all(words in message for message in found), found
    assert "c4n4ry" not in str(found)


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({}, ""),
        ({"NO_PROXY": "x"}, ""),
        ({"HTTPS_PROXY": "http://p", "NO_PROXY": ".svc,localhost,10.0.0.0/8"}, ""),
        ({"https_proxy": "http://p", "no_proxy": "*"}, ""),
        ({"HTTPS_PROXY": "http://p"}, "NO_PROXY lacks .svc, localhost"),
        ({"HTTP_PROXY": "http://p", "NO_PROXY": ".svc"}, "NO_PROXY lacks localhost"),
    ],
)
def test_a_proxy_spares_what_is_inside(env: Any, words: str) -> None:
    found = list(_environment.warnings(settings(env)))
    assert len(found) == (1 if words else 0), found
    assert all(words in message for message in found), found


def test_values_reach_the_instance_as_text() -> None:
    (instance,) = _instances.instances(settings({"N": 5, "B": True}, CERTIFICATE), 1)
    assert instance["litellm"]["env"] == {"N": "5", "B": "True"}
    assert instance["litellm"]["ca_bundle"] is True
    assert "config" in _instances.traits(settings(bundle=CERTIFICATE))
    assert _instances.traits(settings()) == ()
