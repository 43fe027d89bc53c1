# SPDX-License-Identifier: MIT
"""Which hosts are reached through a proxy."""

from __future__ import annotations

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _proxy

HOST = "https://api.cluster.example.com:6443"
PROXY = "http://proxy.example.com:3128"
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "REQUEST_METHOD")


@pytest.mark.parametrize(
    ("environment", "asked", "chosen"),
    [
        ({}, (HOST, None, None), None),
        ({}, (HOST, PROXY, None), PROXY),
        ({}, (HOST, "proxy.example.com:3128", None), PROXY),
        ({}, (HOST, PROXY, ".example.com"), None),
        ({}, (HOST, PROXY, "api.cluster.example.com"), None),
        ({}, (HOST, PROXY, "other.example.com"), PROXY),
        ({}, (HOST, PROXY, "*"), None),
        ({}, ("https://10.1.2.3:6443", PROXY, "10.0.0.0/8, fd00::/8"), None),
        ({}, ("https://11.1.2.3:6443", PROXY, "10.0.0.0/8,nonsense/9"), PROXY),
        ({}, ("https://[fd00::1]:6443", PROXY, "10.0.0.0/8,fd00::/8"), None),
        ({"HTTPS_PROXY": PROXY}, (HOST, None, None), PROXY),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": ".example.com"}, (HOST, None, None), None),
        ({"HTTPS_PROXY": PROXY}, (HOST, None, ".example.com"), None),
        ({"HTTP_PROXY": PROXY}, (HOST, None, None), None),
        ({"HTTP_PROXY": PROXY}, ("http://localhost:8001", None, None), PROXY),
        # An explicit proxy is meant for this cluster: the environment's exceptions are others'.
        ({"NO_PROXY": ".example.com"}, (HOST, PROXY, None), PROXY),
    ],
)
def test_choice(
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    asked: tuple[str, str | None, str | None],
    chosen: str | None,
) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert _proxy.choose(*asked) == chosen


def test_headers_are_those_of_urllib3() -> None:
    import urllib3

    given = {"proxy_basic_auth": "me:pw:x", "basic_auth": "you:ö", "user_agent": "tests"}
    ours = {name.lower(): value for name, value in _proxy.headers(given)}
    expected = urllib3.util.make_headers(proxy_basic_auth="me:pw:x", user_agent="tests")
    assert {name: ours[name] for name in expected} == expected
    assert ours["authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://me:p@ss@proxy:3128", "http://proxy:3128"),
        ("http://proxy:3128", "http://proxy:3128"),
        ("me:pass@proxy", "proxy"),
    ],
)
def test_a_password_is_not_shown(url: str, shown: str) -> None:
    assert _proxy.without_password(url) == shown
