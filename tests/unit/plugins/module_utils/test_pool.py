# SPDX-License-Identifier: MIT
"""The headers and the TLS settings of a connection."""

from __future__ import annotations

import ssl

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _pool
from ansible_collections.rhpds.litemaas.plugins.module_utils._connection import Connection
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

HTTPS = Connection(host="https://api.example.com:6443", source="the test")


@pytest.mark.parametrize("count", [0, 1, 2, 3, 40])
def test_a_header_may_come_several_times(count: int) -> None:
    groups = tuple(("Impersonate-Group", f"g{number}") for number in range(count))
    made = _pool.headers(Connection(host="https://x", source="s", headers=groups))
    sent = [value for name, value in made.items() if name.lower() == "impersonate-group"]
    assert sent == [f"g{number}" for number in range(count)]


def test_certificates_are_checked_unless_it_is_not_wanted() -> None:
    assert _pool.ssl_context(HTTPS).verify_mode == ssl.CERT_REQUIRED
    off = Connection(host=HTTPS.host, source="the test", validate_certs=False)
    assert _pool.ssl_context(off).verify_mode == ssl.CERT_NONE


def test_a_useless_ca_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("ca") / "ca.crt"
    path.write_text("no certificate")
    with pytest.raises(
        LitemaasError, match=r"ca.crt for https://x \(from the test\) cannot be used"
    ):
        _pool.ssl_context(Connection(host="https://x", source="the test", ca_cert=str(path)))


def test_a_proxy_is_used() -> None:
    import urllib3

    through = Connection(host=HTTPS.host, source="the test", proxy="http://proxy:3128")
    assert isinstance(_pool.pool(through, size=1, timeout=1), urllib3.ProxyManager)
    assert not isinstance(_pool.pool(HTTPS, size=1, timeout=1), urllib3.ProxyManager)
