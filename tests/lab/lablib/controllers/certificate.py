# SPDX-License-Identifier: MIT
"""Certificates that Routes and Ingresses name, from Secrets.

For a Route as OpenShift's router takes them: a Secret of the type kubernetes.io/tls that the router's own ServiceAccount may
read, in which the two belong together. Reason and words of a refusal are the router's.
"""

from __future__ import annotations

import base64
import binascii
import os
import ssl
import tempfile
import time
from collections.abc import Callable

from lablib.controllers.api import Api, Object
from lablib.controllers.mirror import Mirror

REFUSED = "ExternalCertificateValidationFailed"
TYPE = "kubernetes.io/tls"
ROUTER = "system:serviceaccount:openshift-ingress:router"
GROUPS = (
    "system:serviceaccounts",
    "system:serviceaccounts:openshift-ingress",
    "system:authenticated",
)
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
KEPT = 30.0  # seconds for which a permission that was found counts

# (namespace, Secret) → (certificate and key in PEM, or why there is none)
Lookup = Callable[[str, str], tuple[str, str]]


def none(namespace: str, name: str) -> tuple[str, str]:
    """No Secret is there."""
    return "", f'secrets "{name}" not found'


def content(secret: Object) -> tuple[str, str]:
    """What is in a Secret, as `Lookup` returns it."""
    name = secret["metadata"]["name"]
    if secret.get("type") != TYPE:
        return "", f'secret of type "{TYPE}" required, {name} is of type "{secret.get("type")}"'
    data = secret.get("data") or {}
    try:
        parts = [base64.b64decode(data[key]).decode() for key in ("tls.crt", "tls.key")]
    except (KeyError, binascii.Error, UnicodeDecodeError):
        return "", f"secret {name} has no tls.crt and tls.key"
    pem = "\n".join(part.strip() for part in parts) + "\n"
    problem = _unusable(pem)
    return ("", f"secret {name}: {problem}") if problem else (pem, "")


def _unusable(pem: str) -> str:
    """Why HAProxy would not take it: one that is bad must not stop the others."""
    handle, path = tempfile.mkstemp()
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(pem)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, password=lambda: b"")
    except (ssl.SSLError, OSError) as error:
        return str(error)
    finally:
        os.unlink(path)
    return ""


class Certificates:
    """What the Secrets hold; `for_router` only where the router may read them."""

    def __init__(
        self, api: Api, secrets: Mirror, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._api = api
        self._secrets = secrets
        self._clock = clock
        self._allowed: dict[tuple[str, str], float] = {}

    def get(self, namespace: str, name: str) -> tuple[str, str]:
        """As `Lookup`."""
        secret = self._secrets.get((namespace, name))
        return none(namespace, name) if secret is None else content(secret)

    def for_router(self, namespace: str, name: str) -> tuple[str, str]:
        """As `Lookup`; needs get, list and watch of the router's ServiceAccount."""
        key = namespace, name
        if self._clock() >= self._allowed.get(key, 0):
            for verb in ("get", "list", "watch"):
                if not self._may(verb, namespace, name):
                    return (
                        "",
                        f"router serviceaccount does not have permission to {verb} this secret",
                    )
            self._allowed[key] = self._clock() + KEPT
        return self.get(namespace, name)

    def _may(self, verb: str, namespace: str, name: str) -> bool:
        attributes = {"verb": verb, "resource": "secrets", "namespace": namespace, "name": name}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": ROUTER, "groups": list(GROUPS), "resourceAttributes": attributes},
        }
        return bool(self._api.create(REVIEWS, review)["status"].get("allowed"))
