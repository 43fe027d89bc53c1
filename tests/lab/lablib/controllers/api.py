# SPDX-License-Identifier: MIT
"""Plain JSON requests to the API server, and watches. The `kubernetes` package only reads the kubeconfig."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import kubernetes
import urllib3

Object = dict[str, Any]
MERGE_PATCH = "application/merge-patch+json"
WATCH_SECONDS = (
    240  # the server ends a watch after this time; what follows is a new list, the resync
)


class ApiError(Exception):
    """The API server refused, or (status 0) was not reached."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Api:
    """Requests as the user of a kubeconfig; safe to use from several threads."""

    def __init__(self, kubeconfig: Path) -> None:
        settings = kubernetes.client.Configuration()
        kubernetes.config.load_kube_config(str(kubeconfig), client_configuration=settings)
        self._host = settings.host.rstrip("/")
        self._pool = urllib3.PoolManager(
            maxsize=32,
            ca_certs=settings.ssl_ca_cert,
            cert_file=settings.cert_file,
            key_file=settings.key_file,
            retries=False,
            timeout=urllib3.Timeout(connect=5, read=30),
            # The API server takes the name of the field manager from it.
            headers={"User-Agent": "lab-controllers", "Accept": "application/json"},
        )

    def request(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        content_type: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> Object:
        """The decoded answer; ApiError for a status of 400 and above, and when the server is not there."""
        try:
            answer = self._pool.request(
                method,
                self._url(path, query),
                body=None if body is None else json.dumps(body),
                headers={**self._pool.headers, "Content-Type": content_type},
            )
        except urllib3.exceptions.HTTPError as error:
            raise ApiError(0, str(error)) from error
        _check(answer.status, answer.data)
        return dict(json.loads(answer.data))

    def get(self, path: str) -> Object:
        return self.request("GET", path)

    def create(self, path: str, body: Object) -> Object:
        return self.request("POST", path, body)

    def patch(self, path: str, body: Object) -> Object:
        """A merge patch; with metadata.resourceVersion in it, only to that version (else 409)."""
        return self.request("PATCH", path, body, MERGE_PATCH)

    def delete(self, path: str) -> None:
        """Delete, or find it gone already."""
        try:
            self.request("DELETE", path)
        except ApiError as error:
            if error.status != 404:
                raise

    def watch(self, path: str, version: str) -> Iterator[tuple[str, Object]]:
        """(ADDED | MODIFIED | DELETED | BOOKMARK, object) since `version`, until the server ends the watch."""
        query = {
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        # Bookmarks come about once a minute: a longer silence is a dead connection.
        timeout = urllib3.Timeout(connect=5, read=150)
        try:
            answer = self._pool.request(
                "GET", self._url(path, query), preload_content=False, timeout=timeout
            )
            try:
                _check(answer.status, b"" if answer.status < 400 else answer.read())
                yield from _events(answer.stream(65536))
            finally:
                answer.close()
        except urllib3.exceptions.HTTPError as error:
            raise ApiError(0, str(error)) from error

    def _url(self, path: str, query: Mapping[str, str] | None) -> str:
        return (
            self._host + path + (("&" if "?" in path else "?") + urlencode(query) if query else "")
        )


def _check(status: int, data: bytes) -> None:
    if status >= 400:
        try:
            message = json.loads(data)["message"]
        except (ValueError, KeyError, TypeError):
            message = data[:200].decode(errors="replace")
        raise ApiError(status, message)


def _events(chunks: Iterator[bytes]) -> Iterator[tuple[str, Object]]:
    """The events of a watch, one JSON object a line, however the lines are cut into chunks."""
    pending = b""
    for chunk in chunks:
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            event = json.loads(line)
            if event["type"] == "ERROR":
                raise ApiError(
                    int(event["object"].get("code", 500)), event["object"].get("message", "")
                )
            yield event["type"], event["object"]


def path(kind: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """The path of an object or (without a name) of a collection. `kind` is one of KINDS."""
    group, plural = KINDS[kind]
    parts = [group, f"namespaces/{namespace}" if namespace else "", plural, name, subresource]
    return "/" + "/".join(part for part in parts if part)


def path_of(kind: str, item: Object, subresource: str = "") -> str:
    """The path of this object."""
    metadata = item["metadata"]
    return path(kind, metadata.get("namespace", ""), metadata["name"], subresource)


# What the controllers read and write: kind → (path of the group and version, plural).
KINDS = {
    "Event": ("api/v1", "events"),
    "Namespace": ("api/v1", "namespaces"),
    "Node": ("api/v1", "nodes"),
    "NetworkPolicy": ("apis/networking.k8s.io/v1", "networkpolicies"),
    "PersistentVolume": ("api/v1", "persistentvolumes"),
    "PersistentVolumeClaim": ("api/v1", "persistentvolumeclaims"),
    "Pod": ("api/v1", "pods"),
    "Secret": ("api/v1", "secrets"),
    "Service": ("api/v1", "services"),
    "ServiceAccount": ("api/v1", "serviceaccounts"),
    "EndpointSlice": ("apis/discovery.k8s.io/v1", "endpointslices"),
    "Ingress": ("apis/networking.k8s.io/v1", "ingresses"),
    "IngressClass": ("apis/networking.k8s.io/v1", "ingressclasses"),
    "Route": ("apis/route.openshift.io/v1", "routes"),
    "StorageClass": ("apis/storage.k8s.io/v1", "storageclasses"),
}
