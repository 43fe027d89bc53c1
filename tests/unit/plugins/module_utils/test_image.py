# SPDX-License-Identifier: MIT
"""Image references: their grammar, and which of them may run."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _image

CASES = yaml.safe_load((Path(__file__).parent / "fixtures" / "images.yml").read_text())


@pytest.mark.parametrize(("text", "parts"), CASES["parts"].items())
def test_a_reference_is_taken_apart_and_put_together_again(text: str, parts: list[str]) -> None:
    found = _image.parse(text)
    assert [found.registry, found.repository, found.tag, found.digest] == parts
    assert str(found) == text


@pytest.mark.parametrize(("text", "reason"), CASES["refused"].items())
def test_what_is_no_reference_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        _image.parse(text)


def test_a_reference_is_255_characters_at_most() -> None:
    assert _image.parse("quay.io/" + "a" * 247)
    with pytest.raises(ValueError, match="255"):
        _image.parse("quay.io/" + "a" * 248)


@pytest.mark.parametrize(("image", "tag", "registry", "result"), CASES["resolved"])
def test_resolve(image: str, tag: str, registry: str, result: str) -> None:
    assert str(_image.resolve(image, tag, registry)) == result


@pytest.mark.parametrize("registry", ["https://x.example.com", "mirror", "x.example.com/UPPER"])
def test_a_registry_that_is_no_host_is_refused(registry: str) -> None:
    with pytest.raises(ValueError, match="its re"):
        _image.resolve("ghcr.io/a/b", "v1", registry)


@pytest.mark.parametrize(
    ("tag", "moving"),
    [(tag, True) for tag in CASES["moving"]] + [(tag, False) for tag in CASES["fixed"]],
)
def test_moves(tag: str, moving: bool) -> None:
    assert _image.moves(tag) is moving


@pytest.mark.parametrize(("tag", "said"), CASES["litellm"].items())
def test_versions_of_litellm(tag: str, said: str) -> None:
    verdict = _image.judge(_image.parse(f"ghcr.io/berriai/litellm-non_root:{tag}"), litellm=True)
    assert [name for name in ("forbidden", "tag") if getattr(verdict, name)] == (
        [] if said == "nothing" else [said]
    )
    assert not verdict.registry


@pytest.mark.parametrize(("tag", "said"), CASES["litellm"].items())
def test_a_digest_stops_a_tag_from_moving_but_does_not_make_a_version_safe(
    tag: str, said: str
) -> None:
    image = _image.parse(f"ghcr.io/berriai/litellm-non_root:{tag}@sha256:{'0' * 64}")
    verdict = _image.judge(image, litellm=True)
    assert bool(verdict.forbidden) == (said == "forbidden")
    version = _image.version(tag)
    assert bool(verdict.tag) == (said == "tag" and bool(version) and version < (1, 106, 0))
    assert bool(verdict.unknown) == (version is None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("postgres:16.4", "names no registry"),
        ("library/postgres:16.4", "names no registry"),
        ("docker.io/library/postgres:16.4", "comes from docker.io"),
        ("index.docker.io/library/postgres:16.4", "comes from docker.io"),
        ("quay.io/sclorg/postgresql-16-c9s:20260923", ""),
        ("docker.example.com/library/postgres:16.4", ""),
    ],
)
def test_docker_hub(text: str, words: str) -> None:
    verdict = _image.judge(_image.parse(text), litellm=False)
    assert words in verdict.registry
    assert bool(verdict.registry) == bool(words)


def test_litellms_versions_say_nothing_about_other_images() -> None:
    assert _image.judge(_image.parse("quay.io/a/b:1.82.7"), litellm=False) == _image.Verdict()
