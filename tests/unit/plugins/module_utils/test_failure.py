# SPDX-License-Identifier: MIT
"""Failed requests in words: what, where the setting comes from, what to do."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest
import urllib3.exceptions
from ansible_collections.rhpds.litemaas.plugins.module_utils import _failure
from ansible_collections.rhpds.litemaas.plugins.module_utils._connection import Connection

CONNECTION = Connection(
    host="https://api.example.com:6443",
    source="K8S_AUTH_HOST",
    credentials="K8S_AUTH_API_KEY",
    proxy="http://me:secret@proxy:3128",
)


@pytest.mark.parametrize(
    ("status", "body", "parts"),
    [
        (401, {"message": "Unauthorized"}, ["credentials (401) from K8S_AUTH_API_KEY", "log in"]),
        (
            403,
            {"message": 'secrets is forbidden: User "bob" cannot list resource "secrets"'},
            ["Not allowed (403)", 'User "bob" cannot list', "come from K8S_AUTH_API_KEY"],
        ),
        (403, "", ["Not allowed (403): GET /x"]),
        (403, {"message": "exceeded quota: q"}, ["answered 403", "exceeded quota: q"]),
        (500, {"message": "boom", "reason": "InternalError"}, ["500 to GET /x: boom", "3 times"]),
        (503, "<html>" + "x" * 1000, ["503", "<html>xxx"]),
        (404, {}, ["404 to GET /x: no reason given"]),
    ],
)
def test_refusals(status: int, body: Any, parts: list[str]) -> None:
    error = _failure.refused(status, body, CONNECTION, "GET", "/x", tries=3)
    assert (error.status, error.method, error.path) == (status, "GET", "/x")
    for part in parts:
        assert part in str(error)
    assert len(str(error)) < 600
    assert error.result == {}


def test_status_details_are_kept() -> None:
    body = {"message": "no", "reason": "Invalid", "details": {"causes": [{"field": "spec"}]}}
    error = _failure.refused(422, body, CONNECTION, "PATCH", "/x")
    assert (error.reason, error.message) == ("Invalid", "no")
    assert error.details["causes"][0]["field"] == "spec"


def chained(inner: Exception, outer: type[Exception] = Exception) -> Exception:
    try:
        raise outer(f"<Connection object at 0x7f>: outer: {inner}") from inner
    except Exception as error:  # pylint: disable=broad-except
        return error


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("error", "words", "wrong_setting", "is_untrusted"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused", True, False),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not", True, False),
        (ConnectionResetError(104, "Connection reset"), "Connection reset", False, False),
        (untrusted(), "not trusted (self-signed certificate)", False, True),
        (urllib3.exceptions.ReadTimeoutError(None, "", "too slow"), "too slow", False, False),  # type: ignore[arg-type]
    ],
)
def test_no_answer(error: Exception, words: str, wrong_setting: bool, is_untrusted: bool) -> None:
    nested = chained(chained(error), urllib3.exceptions.HTTPError)
    said = str(_failure.unreachable(nested, CONNECTION, "GET", "/x"))
    assert words in said
    assert "https://api.example.com:6443" in said and "from K8S_AUTH_HOST" in said
    assert "http://proxy:3128" in said and "secret" not in said
    assert _failure.is_wrong_setting(nested) is wrong_setting
    assert _failure.is_untrusted(nested) is is_untrusted


def test_a_circle_of_causes_ends() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert list(_failure.causes(first)) == [first, second]
