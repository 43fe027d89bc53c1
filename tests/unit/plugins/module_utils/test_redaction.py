# SPDX-License-Identifier: MIT
"""No secret in text that others wrote, and nothing else taken from it."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils._redaction import Redactor

# The password that has broken other collections.
HARD = """p@s:s/w#r?d&%+=;, "é$x'"""


@pytest.mark.parametrize(
    "spelling",
    [HARD, quote(HARD, safe=""), quote(HARD), quote_plus(HARD), json.dumps(HARD), repr(HARD)],
)
def test_a_known_value_goes_in_every_spelling(spelling: str) -> None:
    text = Redactor([HARD])(f"before {spelling} after")
    assert "w#r" not in text
    assert "w%23r" not in text
    assert text.startswith("before ")
    assert text.endswith(" after")


def test_a_value_inside_another_one_does_not_save_the_rest() -> None:
    assert Redactor(["abcd", "abcdefgh"])("x abcdefgh y") == "x *** y"


def test_values_too_short_to_be_secret_leave_the_text_alone() -> None:
    assert Redactor(["a", ""])("a cat") == "a cat"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Incorrect API key sk-AbC0123456789-_x given", "Incorrect API key sk-*** given"),
        (
            "Received API Key = sk-...cdef, Key Hash (Token) =113609e5b455. Unable",
            "Received API Key = ***, Key Hash (Token) =*** Unable",
        ),
        (
            "could not connect to postgresql://litellm:pw@postgres:5432/litellm",
            "could not connect to postgresql://litellm:***@postgres:5432/litellm",
        ),
        (
            "postgres://u:p@s:s/w#r@postgres:5432/litellm failed",
            "postgres://u:***@postgres:5432/litellm failed",
        ),
        ("redis://:hunter22@redis:6379", "redis://:***@redis:6379"),
        ("Authorization: Bearer eyJhbGciOi.abc.def", "Authorization: Bearer ***"),
        ('"password": "hunter22", "user": "a"', '"password": ***, "user": "a"'),
        ("POSTGRESQL_PASSWORD=hunter22 run-postgresql", "POSTGRESQL_PASSWORD=*** run-postgresql"),
        ("LITELLM_SALT_KEY: hunter22", "LITELLM_SALT_KEY: ***"),
    ],
)
def test_what_looks_like_a_secret_goes(text: str, expected: str) -> None:
    assert Redactor()(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        'FATAL:  password authentication failed for user "litellm"',
        "couldn't find key LITELLM_MASTER_KEY in Secret litemaas/litellm-secret",
        'Get "http://10.244.0.7:4000/health/readiness": context deadline exceeded',
        "Authentication failed against database server, the provided database credentials for "
        "`litellm` are not valid.",
        "https://litellm-rhpds.apps.example.com cannot be used from here",
        "task-runner and disk-full are words; Basic auth is required",
    ],
)
def test_what_explains_stays(text: str) -> None:
    assert Redactor()(text) == text
