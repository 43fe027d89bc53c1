# SPDX-License-Identifier: MIT
"""OCI images: configuration, manifest and index as pure functions, and the archive that `ctr images import` takes.

Formats: https://github.com/opencontainers/image-spec (image-layout.md, manifest.md, config.md).
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .layers import EPOCH, Layer

_CREATED = "2026-01-01T00:00:00Z"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True)
class Runtime:
    """What an image asks of the run-time; the names are Dockerfile's."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    workdir: str = ""
    expose: tuple[str, ...] = ()  # "4000/tcp"
    labels: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        wanted = {
            "User": self.user,
            "ExposedPorts": {port: {} for port in self.expose},
            "Env": [f"{name}={value}" for name, value in self.env.items()],
            "Entrypoint": list(self.entrypoint),
            "Cmd": list(self.cmd),
            "WorkingDir": self.workdir,
            "Labels": dict(self.labels),
        }
        return {name: value for name, value in wanted.items() if value}


def _json(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


def config(runtime: Runtime, layers: Sequence[Layer], architecture: str) -> bytes:
    """The image configuration; uncompressed layers' digests are their diff IDs."""
    return _json(
        {
            "created": _CREATED,
            "architecture": architecture,
            "os": "linux",
            "config": runtime.document(),
            "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
            "history": [{"created": _CREATED, "created_by": "lablib.images"} for _ in layers],
        }
    )


def manifest(config_data: bytes, layers: Sequence[Layer]) -> bytes:
    return _json(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor(_CONFIG, config_data),
            "layers": [
                {"mediaType": _LAYER, "digest": layer.digest, "size": layer.size}
                for layer in layers
            ],
        }
    )


def index(reference: str, manifest_data: bytes, architecture: str) -> bytes:
    """The index; containerd takes the image's full name from `io.containerd.image.name`."""
    return _json(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [
                _descriptor(_MANIFEST, manifest_data)
                | {
                    "platform": {"architecture": architecture, "os": "linux"},
                    "annotations": {
                        "io.containerd.image.name": reference,
                        "org.opencontainers.image.ref.name": reference.rsplit(":", 1)[1],
                    },
                }
            ],
        }
    )


def write_archive(
    target: Path,
    reference: str,
    runtime: Runtime,
    layers: Sequence[Layer],
    architecture: str = "amd64",
) -> str:
    """Write the OCI layout of one image as a tar and return the digest of its manifest."""
    config_data = config(runtime, layers, architecture)
    manifest_data = manifest(config_data, layers)
    documents = {
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
        "index.json": index(reference, manifest_data, architecture),
        **{_blob(digest(data)): data for data in (config_data, manifest_data)},
    }
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in documents.items():
            tar.addfile(_file(name, len(data)), io.BytesIO(data))
        for layer in layers:
            with layer.path.open("rb") as content:
                tar.addfile(_file(_blob(layer.digest), layer.size), content)
    return digest(manifest_data)


def _blob(name: str) -> str:
    return "blobs/" + name.replace(":", "/")


def _file(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = size, EPOCH
    return info
