# SPDX-License-Identifier: MIT
"""Keys and certificates of a lab, made by the openssl command: a cluster CA, a CA for the router, and what they sign.

Elliptic keys (P-256): all of them are made in under a second. A certificate is made anew when its subject, its
addresses or its CA differ from what it was made for.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lablib import cache, files
from lablib.errors import LabError
from lablib.settings import API_SERVICE_ADDRESS, APPS_DOMAIN, CLUSTER_DOMAIN, NODE_NAME, Settings

DAYS = 3650
AUTHORITIES = {
    "ca": "/CN=lab cluster CA",
    "router-ca": "/CN=lab router CA",
    # Nothing is aggregated, but controllers complain every few seconds about an API server without one.
    "aggregation-ca": "/CN=lab aggregation CA",
}
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True)
class Certificate:
    """A leaf: `subject` as openssl writes it ("/O=group/CN=user"), `names` as subjectAltName entries ("IP:…", "DNS:…")."""

    name: str
    subject: str
    authority: str
    names: Sequence[str] = ()

    @property
    def extensions(self) -> str:
        """The extensions that strict verifiers (Python 3.13, Go) ask for."""
        lines = [
            "basicConstraints=critical,CA:FALSE",
            "keyUsage=critical,digitalSignature,keyEncipherment",
            "extendedKeyUsage=serverAuth,clientAuth",
            "subjectKeyIdentifier=hash",
            "authorityKeyIdentifier=keyid",
        ]
        if self.names:
            lines.append("subjectAltName=" + ",".join(self.names))
        return "\n".join(lines) + "\n"


def wanted(settings: Settings) -> list[Certificate]:
    """Every certificate of a lab with this address."""
    api = (
        f"IP:{settings.address}",
        "IP:127.0.0.1",
        f"IP:{API_SERVICE_ADDRESS}",
        "DNS:localhost",
        "DNS:kubernetes",
        "DNS:kubernetes.default",
        "DNS:kubernetes.default.svc",
        f"DNS:kubernetes.default.svc.{CLUSTER_DOMAIN}",
    )
    return [
        Certificate("apiserver", "/CN=kube-apiserver", "ca", api),
        Certificate("etcd", "/CN=etcd", "ca", ("IP:127.0.0.1", "DNS:localhost")),
        Certificate(
            "kubelet", f"/CN={NODE_NAME}", "ca", (f"IP:{settings.address}", f"DNS:{NODE_NAME}")
        ),
        Certificate("kubelet-client", "/O=system:masters/CN=lab:apiserver", "ca"),
        # The identity of OpenShift's own installer kubeconfig.
        Certificate("admin", "/O=system:masters/CN=system:admin", "ca"),
        Certificate("controllers", "/O=system:masters/CN=lab:controllers", "ca"),
        Certificate("kwok", "/O=system:masters/CN=lab:kwok", "ca"),
        Certificate("dns", "/O=system:masters/CN=lab:dns", "ca"),
        Certificate("controller-manager", "/CN=system:kube-controller-manager", "ca"),
        Certificate("scheduler", "/CN=system:kube-scheduler", "ca"),
        Certificate("proxy", "/CN=system:kube-proxy", "ca"),
        Certificate("node", f"/O=system:nodes/CN=system:node:{NODE_NAME}", "ca"),
        Certificate(
            "router",
            f"/CN=*.{APPS_DOMAIN}",
            "router-ca",
            (f"DNS:*.{APPS_DOMAIN}", f"DNS:{APPS_DOMAIN}"),
        ),
    ]


def ensure(settings: Settings) -> None:
    """Make what is missing or no longer fits."""
    folder = settings.pki
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, subject in AUTHORITIES.items():
        if not (folder / f"{name}.crt").exists():
            _authority(folder, name, subject)
    _ensure_signing_key(folder)
    for certificate in wanted(settings):
        _ensure_leaf(folder, certificate)
    pem = settings.pki / "router.crt", settings.pki / "router.key"
    files.write(settings.router_pem, "".join(path.read_text() for path in pem))
    authorities = [settings.pki / "ca.crt"]
    if settings.profile == "openshift":
        authorities.append(settings.router_ca)
    files.write(settings.root_ca, "".join(path.read_text() for path in authorities))


def _authority(folder: Path, name: str, subject: str) -> None:
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt.partial"
    extensions = (
        "basicConstraints=critical,CA:TRUE",
        "keyUsage=critical,keyCertSign,cRLSign",
        "subjectKeyIdentifier=hash",
    )
    options = [word for extension in extensions for word in ("-addext", extension)]
    _openssl(
        *("req", "-x509", *_KEY, "-days", str(DAYS), "-subj", subject),
        *(*options, "-keyout", str(key), "-out", str(certificate)),
    )
    certificate.replace(folder / f"{name}.crt")


def _ensure_signing_key(folder: Path) -> None:
    """The pair that signs service accounts' tokens; the API server reads no public key out of this form of private one."""
    public, private = folder / "service-accounts.pub", folder / "service-accounts.key"
    if not public.exists():
        partial = folder / "service-accounts.partial"
        _openssl(
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            str(private),
        )
        _openssl("pkey", "-in", str(private), "-pubout", "-out", str(partial))
        partial.replace(public)


def _ensure_leaf(folder: Path, certificate: Certificate) -> None:
    authority = folder / f"{certificate.authority}.crt"
    made_for = cache.key([certificate.subject, certificate.extensions, authority.read_bytes()])
    note = folder / f"{certificate.name}.made-for"
    if note.exists() and note.read_text() == made_for:
        return
    note.unlink(missing_ok=True)
    key, request = folder / f"{certificate.name}.key", folder / f"{certificate.name}.csr"
    _openssl(
        "req",
        "-new",
        *_KEY,
        "-subj",
        certificate.subject,
        "-keyout",
        str(key),
        "-out",
        str(request),
    )
    extensions = folder / f"{certificate.name}.extensions"
    extensions.write_text(certificate.extensions)
    _openssl(
        *("x509", "-req", "-in", str(request), "-days", str(DAYS), "-extfile", str(extensions)),
        *("-CA", str(authority), "-CAkey", str(authority.with_suffix(".key")), "-CAcreateserial"),
        *("-out", str(folder / f"{certificate.name}.crt")),
    )
    request.unlink()
    extensions.unlink()
    note.write_text(made_for)


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")
