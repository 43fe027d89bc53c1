# SPDX-License-Identifier: MIT
"""What a client would refuse is refused before: pairs that do not belong together, other names, other times, other CAs."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _certificate
from ansible_collections.rhpds.litemaas.plugins.module_utils._certificate import CertificateError
from cryptography.hazmat.primitives.asymmetric import ec

from ....pki import Authority, Pair, pem

HOST = "llm.example.com"
OURS, OTHERS = Authority(), Authority("another CA")
GOOD = OURS.pair(HOST, "*.users.example.com")


def check(pair: Pair, *hosts: str, ca: str = "") -> None:
    _certificate.check(pair.certificate, pair.key, hosts or (HOST,), ca)


@pytest.mark.parametrize(
    ("pair", "hosts", "ca"),
    [
        (GOOD, [HOST], ""),
        (GOOD, [HOST, "user1.users.example.com", "USER80.users.example.com"], OURS.pem),
        (Pair(GOOD.certificate + OURS.pem, GOOD.key), [HOST], OURS.pem),  # a chain
        (Pair(GOOD.certificate + OTHERS.pem * 200, GOOD.key), [HOST], ""),  # longer than a pipe
        (Pair(GOOD.certificate.replace("\n", "\r\n"), f"\n{GOOD.key}\n\n"), [HOST], OURS.pem),
    ],
)
def test_what_works(pair: Pair, hosts: list[str], ca: str) -> None:
    check(pair, *hosts, ca=ca)


LOCKED = pem(ec.generate_private_key(ec.SECP256R1()), "passphrase")
BROKEN = GOOD.certificate[:80] + GOOD.certificate[120:]


@pytest.mark.parametrize(
    ("pair", "words", "key"),
    [
        (Pair("", GOOD.key), "holds no certificate in PEM", False),
        (Pair("llm.example.com", GOOD.key), "holds no certificate in PEM", False),
        (Pair(GOOD.certificate + GOOD.key, GOOD.key), "holds a private key, which", False),
        (Pair(GOOD.certificate, GOOD.certificate), "holds no private key in PEM", True),
        (Pair(GOOD.certificate, LOCKED), "holds a key behind a passphrase", True),
        (Pair(GOOD.certificate, OURS.pair(HOST).key), "is not that of the certificate", True),
        (Pair(BROKEN, GOOD.key), "cannot be used", False),
        (OURS.pair(HOST, begins=-9, ends=-1), "would be refused: certificate has expired", False),
        (OURS.pair(HOST, begins=1), "would be refused: certificate is not yet valid", False),
        (OURS.pair("a.example.com", "b.example.com"),
         f"is for a.example.com, b.example.com, and not for {HOST}", False),
        (OURS.pair("*.com"), f"is for *.com, and not for {HOST}", False),
        (OURS.pair(), f"is for no host name, and not for {HOST}", False),
        (OURS.pair(HOST, client=True), "would be refused: ", False),
    ],
)  # fmt: skip
def test_what_does_not(pair: Pair, words: str, key: bool) -> None:
    with pytest.raises(CertificateError) as raised:
        check(pair)
    assert words in str(raised.value)
    assert raised.value.key is key
    for line in pair.key.splitlines()[1:-1]:
        assert line not in str(raised.value)


def test_those_to_be_trusted_must_have_signed_it() -> None:
    with pytest.raises(CertificateError, match="is not signed by those who are to be trusted: "):
        check(GOOD, ca=OTHERS.pem)
    with pytest.raises(CertificateError, match="holds a certificate that cannot be read"):
        check(GOOD, ca="-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")


@pytest.mark.parametrize(
    ("name", "host", "covered"),
    [
        ("a.example.com", "a.example.com", True),
        ("A.Example.com.", "a.example.com", True),
        ("*.example.com", "a.example.com", True),
        ("*.example.com", "a.b.example.com", False),
        ("*.example.com", "example.com", False),
        ("*.example.com", ".example.com", False),
        ("a*.example.com", "ab.example.com", False),
        ("example.com", "a.example.com", False),
    ],
)
def test_names(name: str, host: str, covered: bool) -> None:
    assert _certificate.covers(name, host) is covered


def test_where_there_are_no_files_in_memory_it_is_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(_certificate.os, "memfd_create", raising=False)
    check(GOOD, ca=OURS.pem)
    check(Pair(GOOD.certificate + OTHERS.pem * 200, GOOD.key))  # longer than a pipe
    with pytest.raises(CertificateError, match="is another's|is not that of the certificate"):
        check(Pair(GOOD.certificate, OURS.pair(HOST).key))


def test_no_file_ever_holds_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: Any, **_options: Any) -> Any:
        raise AssertionError("a temporary file")

    for name in ("mkstemp", "NamedTemporaryFile", "TemporaryFile", "mkdtemp"):
        monkeypatch.setattr(f"tempfile.{name}", refuse)
    check(GOOD, ca=OURS.pem)
