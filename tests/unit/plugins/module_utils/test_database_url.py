# SPDX-License-Identifier: MIT
"""DATABASE_URL: written so that Prisma reads it, and read back whoever wrote it."""

from __future__ import annotations

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _database_url
from ansible_collections.rhpds.litemaas.plugins.module_utils._database_url import DatabaseUrl

PASSWORDS = ["plain", "p@s:s/w#r?d&%+=;, \"é$x'", "%41", "a b", "[::1]", "\\", "日本", "//@@::"]


@pytest.mark.parametrize("password", PASSWORDS)
def test_round_trip(password: str) -> None:
    url = DatabaseUrl("litellm", password, "litellm")
    assert _database_url.parse(str(url)) == url
    assert str(url).isascii()
    assert " " not in str(url) and "+" not in str(url)


def test_written_form() -> None:
    url = DatabaseUrl("litellm", "a/b c", "models")
    assert str(url) == "postgresql://litellm:a%2Fb%20c@postgres:5432/models"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "postgresql://",
        "postgresql://litellm@postgres:5432/litellm",  # no password
        "postgresql://litellm:secret@postgres:5432/",  # no database
        "postgresql://litellm:se/cret@postgres:5432/litellm",  # written raw by an older release
        "postgresql://litellm:se@cret@postgres:5432/litellm",
        "postgresql://litellm:se#cret@postgres:5432/litellm",
        "postgresql://litellm:se[cret@postgres:5432/litellm",
        "mysql://litellm:secret@postgres:5432/litellm",
    ],
)
def test_what_cannot_be_read_is_none(text: str) -> None:
    assert _database_url.parse(text) is None


def test_parameters_and_other_hosts_do_not_matter() -> None:
    text = "postgres://litellm:secret@db.example.com/litellm?sslmode=require"
    assert _database_url.parse(text) == DatabaseUrl("litellm", "secret", "litellm")
