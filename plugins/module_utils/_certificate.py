# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server's certificate and its key, judged before they are used.

Internal to rhpds.litemaas: no stable interface for other collections.

By a TLS handshake in memory, with the standard library alone: what a client would refuse later is
refused now. A key is never written to a file, and no message holds anything of it.
"""

from __future__ import annotations

import os
import re
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_KEY = re.compile(
    r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----.*?-----END (?:[A-Z]+ )?PRIVATE KEY-----", re.DOTALL
)
_LOCKED = re.compile(r"ENCRYPTED")


class CertificateError(LitemaasError):
    """What is wrong, as the rest of a sentence; ``key``: it is the key that is at fault."""

    def __init__(self, message: str, *, key: bool = False) -> None:
        super().__init__(message)
        self.key = key


def normal(certificate: str, key: str) -> tuple[str, str]:
    """Both as a Secret holds them: a line break at the end, no blanks around, no Windows lines."""
    return tuple("\n".join(text.split("\r\n")).strip() + "\n" for text in (certificate, key))  # type: ignore[return-value]


def check(certificate: str, key: str, hosts: Iterable[str], authorities: str = "") -> None:
    """Raise CertificateError when the pair cannot serve all *hosts*.

    *authorities*: PEM of those that clients are to trust; whoever signed is not judged without.
    """
    found = _CERTIFICATE.findall(certificate)
    if "PRIVATE KEY-----" in certificate:
        raise CertificateError("holds a private key, which everybody could read")
    if not found:
        raise CertificateError("holds no certificate in PEM")
    if not _KEY.search(key):
        raise CertificateError("holds no private key in PEM", key=True)
    if _LOCKED.search(key):
        raise CertificateError("holds a key behind a passphrase, which no router knows", key=True)
    server = _server(*normal(certificate, key))
    _handshake(server, found[0], partial=True)
    # Again, for the names: the handshake above has shown that it is one a client would look into.
    names = _names(server, found[0])
    for host in hosts:
        if not any(covers(name, host) for name in names):
            raise CertificateError(
                f"is for {', '.join(names) or 'no host name'}, and not for {host}"
            )
    if authorities.strip():
        _handshake(server, authorities, partial=False)


def covers(name: str, host: str) -> bool:
    """Whether the name of a certificate stands for *host*: a wildcard for its first label. Pure."""
    name, host = name.lower().rstrip("."), host.lower()
    if name.startswith("*."):
        label, dot, rest = host.partition(".")
        return bool(label and dot) and rest == name[2:]
    return name == host


def _server(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        with ExitStack() as stack:
            chain = stack.enter_context(_readable(certificate))
            own = stack.enter_context(_readable(key))
            context.load_cert_chain(chain, own, lambda: b"")  # never asks on a terminal
    except (ssl.SSLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", "") or ""
        if "MISMATCH" in reason:
            raise CertificateError("is not that of the certificate", key=True) from None
        # Of a pipe, ssl tells of no reason.
        words = reason.lower().replace("_", " ") or "it is damaged, or its key is another's"
        raise CertificateError(f"cannot be used ({words})") from None
    return context


@contextmanager
def _readable(text: str) -> Iterator[str]:
    """A path from which *text* can be read: ssl takes nothing else, and no disk is to hold a key."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("pem")
        writer = None
        with open(os.dup(handle), "wb") as stream:
            stream.write(text.encode())
    else:  # not Linux: a pipe, which can be read once
        handle, sink = os.pipe()
        writer = threading.Thread(target=_pour, args=(text, sink), daemon=True)
        writer.start()
    try:
        yield f"/dev/fd/{handle}"
    finally:
        os.close(handle)
        if writer:
            writer.join(timeout=5)


def _pour(text: str, sink: int) -> None:
    with suppress(BrokenPipeError), open(sink, "wb") as stream:
        stream.write(text.encode())  # more than a pipe holds, perhaps


def _client(trusted: str, *, partial: bool) -> ssl.SSLContext:
    context = (
        ssl.create_default_context() if not partial else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    # As gateways are asked: curl and browsers accept what this refuses.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    if partial:
        context.verify_flags |= getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0x80000)
    try:
        context.load_verify_locations(cadata=trusted)
    except (ssl.SSLError, ValueError):
        raise CertificateError("holds a certificate that cannot be read") from None
    return context


def _handshake(server: ssl.SSLContext, trusted: str, *, partial: bool) -> ssl.SSLObject:
    """Connect a client that trusts *trusted* alone (partial) or too; returns its side."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = _client(trusted, partial=partial).wrap_bio(to_client, to_server)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    try:
        for _turn in range(10):
            done = 0
            for side in (ours, theirs):
                try:
                    side.do_handshake()
                    done += 1
                except ssl.SSLWantReadError:
                    continue
            if done == 2:
                return ours
    except ssl.SSLCertVerificationError as error:
        if partial:
            raise CertificateError(f"would be refused: {error.verify_message}") from None
        raise CertificateError(
            f"is not signed by those who are to be trusted: {error.verify_message}"
        ) from None
    except ssl.SSLError as error:
        raise CertificateError(f"cannot be used ({error.reason})") from None
    raise CertificateError("cannot be used: no connection comes about")


def _names(server: ssl.SSLContext, leaf: str) -> list[str]:
    seen = _handshake(server, leaf, partial=True).getpeercert() or {}
    found: Any = seen.get("subjectAltName", ())
    return [str(value) for kind, value in found if kind == "DNS"]
