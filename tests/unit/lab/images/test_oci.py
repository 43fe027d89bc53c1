# SPDX-License-Identifier: MIT
"""OCI documents and archives: every digest names the bytes that are there."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

from lablib.images import layers, oci
from lablib.images.layers import Layer

REFERENCE = "example.com:5000/team/app:1.2"


def make_layer(folder: Path, name: str, text: str) -> Layer:
    root = folder / name
    root.mkdir()
    (root / name).write_text(text)
    return layers.write(root, [name], folder / f"{name}.tar")


def read_archive(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def test_archive_is_a_complete_layout(tmp_path: Path) -> None:
    stack = [make_layer(tmp_path, "base", "b"), make_layer(tmp_path, "app", "a")]
    runtime = oci.Runtime(
        entrypoint=("/app",),
        cmd=("--port", "4000"),
        env={"PATH": "/bin"},
        user="26",
        expose=("4000/tcp",),
    )
    digest = oci.write_archive(tmp_path / "image.tar", REFERENCE, runtime, stack)
    files = read_archive(tmp_path / "image.tar")

    for name, data in files.items():
        if name.startswith("blobs/sha256/"):
            assert hashlib.sha256(data).hexdigest() == name.rsplit("/", 1)[1]
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}

    (entry,) = json.loads(files["index.json"])["manifests"]
    assert entry["digest"] == digest
    assert entry["annotations"] == {
        "io.containerd.image.name": REFERENCE,
        "org.opencontainers.image.ref.name": "1.2",
    }
    manifest = json.loads(files["blobs/" + digest.replace(":", "/")])
    assert [part["digest"] for part in manifest["layers"]] == [layer.digest for layer in stack]
    assert [part["size"] for part in manifest["layers"]] == [layer.size for layer in stack]
    config = json.loads(files["blobs/" + manifest["config"]["digest"].replace(":", "/")])
    assert config["rootfs"]["diff_ids"] == [layer.digest for layer in stack]
    assert config["config"] == {
        "User": "26",
        "ExposedPorts": {"4000/tcp": {}},
        "Env": ["PATH=/bin"],
        "Entrypoint": ["/app"],
        "Cmd": ["--port", "4000"],
    }


def test_archive_is_reproducible(tmp_path: Path) -> None:
    layer = make_layer(tmp_path, "app", "a")
    digests = {
        oci.write_archive(tmp_path / name, REFERENCE, oci.Runtime(user="1"), [layer])
        for name in ("1.tar", "2.tar")
    }
    assert len(digests) == 1
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()


def test_empty_runtime_says_nothing() -> None:
    assert oci.Runtime().document() == {}
