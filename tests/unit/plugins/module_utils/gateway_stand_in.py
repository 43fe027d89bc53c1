# SPDX-License-Identifier: MIT
"""A server on loopback that answers as told, over TLS with a CA of its own, or in clear."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .... import loopback


@dataclass
class StandIn:
    """``answers``: path → (status, body); a body of bytes is sent as it is, ``None`` hangs up."""

    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def headers(self, path: str) -> dict[str, str]:
        """The headers of the last request for *path*, names in lower case."""
        return next(sent for _method, asked, sent, _body in reversed(self.seen) if asked == path)


@contextmanager
def serve(certificate: Path | None = None) -> Iterator[StandIn]:
    """Serve on a free port; *certificate*: PEM of certificate and key, None for clear text."""
    stand_in = StandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = {name.lower(): value for name, value in self.headers.items()}
            stand_in.seen.append((self.command, self.path, sent, self.rfile.read(length)))
            status, body = stand_in.answers.get(self.path, (404, {"detail": "Not Found"}))
            if body is None:
                self.close_connection = True
                return
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = answer

        def log_message(self, *args: Any) -> None:
            pass

    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    with loopback.serving(Handler, context=context) as stand_in.url:
        yield stand_in


def make_certificate(folder: Path) -> tuple[Path, str]:
    """A server certificate for 127.0.0.1 with its key in one file, and the PEM text of its CA."""
    now = datetime.datetime.now(datetime.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("test CA", "server")
    ]

    def signed(subject: int, *extensions: x509.ExtensionType) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(names[subject])
            .issuer_name(names[0])
            .public_key(keys[subject].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign(keys[0], hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM)

    ca = signed(0, x509.BasicConstraints(ca=True, path_length=None))
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = signed(1, x509.SubjectAlternativeName([address]))
    key = keys[1].private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / "server.pem"
    file.write_bytes(certificate + key)
    return file, ca.decode()
