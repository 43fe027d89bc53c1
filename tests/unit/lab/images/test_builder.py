# SPDX-License-Identifier: MIT
"""What is built when: keys change with every input and with nothing else; finished work is not done again."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from lablib import images
from lablib.images import oci
from lablib.images.builder import (
    KEPT,
    Builder,
    ImageSpec,
    LayerSpec,
    Workspace,
    fingerprint,
    image_key,
    layer_key,
)
from lablib.images.host import run, signs_of_life


def layer(name: str, text: str, *below: LayerSpec, built: list[str] | None = None) -> LayerSpec:
    def fill(work: Workspace) -> list[str]:
        if built is not None:
            built.append(name)
        (work.root / name).write_text(text)
        return [name]

    return LayerSpec(name=name, takes="no time", inputs=(text,), below=below, fill=fill)


def image(top: LayerSpec, reference: str = "localhost/app:1") -> ImageSpec:
    return ImageSpec(reference, top, oci.Runtime(user="1"))


def test_fingerprint_of_texts_keeps_them_apart() -> None:
    assert fingerprint(["ab", "c"]) != fingerprint(["a", "bc"])
    assert len(fingerprint([])) == 16


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "a.txt").write_text("changed"),
        lambda folder: (folder / "a.txt").rename(folder / "b.txt"),
        lambda folder: (folder / "a.txt").chmod(0o755),
        lambda folder: (folder / "new").write_text(""),
    ],
    ids=["content", "name", "executable", "new file"],
)
def test_fingerprint_changes_with_files(tmp_path: Path, change) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    before = fingerprint([folder])
    change(folder)
    assert fingerprint([folder]) != before


def test_fingerprint_is_the_same_in_another_checkout(tmp_path: Path) -> None:
    for checkout in ("one", "two"):
        folder = tmp_path / checkout / "source"
        (folder / "__pycache__").mkdir(parents=True)
        (folder / "a.txt").write_text("a")
        (folder / "__pycache__" / "a.pyc").write_text(checkout)
    assert fingerprint([tmp_path / "one/source"]) == fingerprint([tmp_path / "two/source"])


def test_a_key_depends_on_the_layers_below() -> None:
    assert layer_key(layer("app", "a", layer("base", "1"))) != layer_key(
        layer("app", "a", layer("base", "2"))
    )


@pytest.mark.parametrize(
    "other",
    [
        {"packages": ("python3",)},
        {"owners": {"var": 26}},
        {"group_writable": ("var",)},
        {"name": "other"},
    ],
)
def test_a_key_depends_on_each_field(other: dict) -> None:
    spec = layer("app", "a")
    assert layer_key(replace(spec, **other)) != layer_key(spec)


def test_an_image_key_depends_on_reference_and_runtime() -> None:
    spec = image(layer("app", "a"))
    keys = {
        image_key(spec),
        image_key(replace(spec, reference="localhost/app:2")),
        image_key(replace(spec, runtime=oci.Runtime(user="2"))),
    }
    assert len(keys) == 3


def test_a_stack_has_each_layer_once_lowest_first() -> None:
    base = layer("base", "b")
    python = layer("python", "p", base)
    node = layer("node", "n", base)
    assert [spec.name for spec in layer("app", "a", python, node).stack] == [
        "base",
        "python",
        "node",
        "app",
    ]


def test_layers_are_shared_and_built_once(tmp_path: Path) -> None:
    built: list[str] = []
    lines: list[str] = []
    base = layer("base", "b", built=built)
    specs = [
        image(layer(name, name, base, built=built), f"localhost/{name}:1")
        for name in ("one", "two")
    ]
    builder = Builder(tmp_path, lines.append)
    archives = [builder.image(spec) for spec in specs]
    assert built == ["base", "one", "two"]
    assert all(path.is_file() for path in archives)
    assert "layer base: building, no time" in lines

    lines.clear()
    assert [Builder(tmp_path, lines.append).image(spec) for spec in specs] == archives
    assert built == ["base", "one", "two"]
    assert lines == []


def test_a_failed_build_leaves_nothing_that_counts(tmp_path: Path) -> None:
    def fail(work: Workspace) -> list[str]:
        (work.root / "half").write_text("")
        raise images.BuildError("no network")

    broken = LayerSpec(name="app", takes="no time", fill=fail)
    with pytest.raises(images.BuildError, match="no network"):
        Builder(tmp_path, lambda line: None).image(image(broken))
    assert not list(tmp_path.rglob("*.tar"))
    assert not [path for path in (tmp_path / "tmp").iterdir() if path.is_dir()]


def test_a_layer_without_its_digest_is_built_again(tmp_path: Path) -> None:
    built: list[str] = []
    spec = image(layer("app", "a", built=built))
    archive = Builder(tmp_path, lambda line: None).image(spec)
    archive.unlink()
    next(tmp_path.glob("layers/*.json")).unlink()
    Builder(tmp_path, lambda line: None).image(spec)
    assert built == ["app", "app"]


def test_old_results_are_removed(tmp_path: Path) -> None:
    builder = Builder(tmp_path, lambda line: None)
    paths = [builder.image(image(layer("app", str(version)))) for version in range(KEPT + 2)]
    kept = set(tmp_path.glob("archives/*.tar"))
    assert paths[-1] in kept
    assert len(kept) == len(set(tmp_path.glob("layers/*.tar"))) == KEPT


def test_two_builders_at_once_build_once(tmp_path: Path) -> None:
    built: list[str] = []
    spec = image(layer("app", "a", built=built))
    threads = [
        threading.Thread(target=Builder(tmp_path, lambda line: None).image, args=(spec,))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert built == ["app"]


def test_the_lab_has_the_images_that_its_manifests_name() -> None:
    assert images.REFERENCES == [
        "registry.k8s.io/pause:3.10",
        "localhost/litemaas-lab/model-server:1",
        "quay.io/sclorg/redis-7-c9s:20260923",
        "ghcr.io/cloudnative-pg/pgbouncer:1.24.0",
        "quay.io/sclorg/postgresql-16-c9s:20260923",
        "ghcr.io/berriai/litellm-non_root:v1.106.0",
        "ghcr.io/berriai/litellm-non_root:v1.81.0",
        "quay.io/rh-aiservices-bu/litemaas-backend:0.2.0",
        "quay.io/rh-aiservices-bu/litemaas-frontend:0.2.0",
    ]
    assert set(images.ON_DEMAND) < set(images.REFERENCES)


def test_an_unknown_reference_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such image: docker.io/nothing:1"):
        images.build(tmp_path, lambda line: None, only=["docker.io/nothing:1"])


def test_all_images_stand_on_one_base() -> None:
    lowest = {spec.layer.stack[0].name for spec in images.IMAGES if spec.name != "pause"}
    assert lowest == {"base"}


def test_a_long_silence_is_broken() -> None:
    lines: list[str] = []
    with signs_of_life(lines.append, every=0.05) as report:
        report("layer app: writing")
        time.sleep(0.2)
    count = len(lines)
    assert lines[0] == "layer app: writing"
    assert lines[1] == "  still: layer app: writing (0 s)"
    time.sleep(0.1)
    assert len(lines) == count


def test_a_failed_command_shows_the_end_of_its_output(tmp_path: Path) -> None:
    command = ["bash", "-c", "echo to-output; echo to-errors >&2; exit 3"]
    with pytest.raises(
        images.BuildError, match=r"(?s)trying: bash ended with code 3.*to-errors.*to-output"
    ):
        run(command, what="trying", log=tmp_path / "log")
    with pytest.raises(images.BuildError, match="trying: no-such-program is not installed"):
        run(["no-such-program"], what="trying", log=tmp_path / "log")
