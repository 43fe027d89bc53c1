# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Container image references: their parts, and which of them may run.

Internal to rhpds.litemaas: no stable interface for other collections.

The grammar is that of ``github.com/distribution/reference``. The versions come from the advisories
named at the constants; they are about LiteLLM and apply to whichever registry serves it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

Version = tuple[int, int, int]

_DOMAIN = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::[0-9]{1,5})?"
)
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_VERSION = re.compile(r"(?<![0-9.])([0-9]+)\.([0-9]+)\.([0-9]+)(?![0-9])")
_RELEASE = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+")

_DOCKER_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})

# Stolen credentials inside (PYSEC-2026-2), and a release line its makers withdrew.
_FORBIDDEN = {
    (1, 82, 7): "carries code that steals credentials (PYSEC-2026-2)",
    (1, 82, 8): "carries code that steals credentials (PYSEC-2026-2)",
}
_WITHDRAWN = (1, 107)
# GHSA-7hp6-4w63-5g45 (CVSS 9.9) is fixed from these on, for each line that still gets fixes.
_FLOORS: dict[tuple[int, int], Version] = {
    (1, 100): (1, 100, 4),
    (1, 101): (1, 101, 3),
    (1, 102): (1, 102, 2),
    (1, 103): (1, 103, 1),
}
SAFE = "LiteLLM 1.103.1 or newer (1.102.2, 1.101.3, 1.100.4 on those lines; no 1.107)"

_MOVING_WORDS = {"latest", "stable", "main", "master", "head", "edge", "dev", "devel", "next"}
_MOVING_WORDS |= {"nightly", "rolling", "snapshot", "canary"}
_STREAM = re.compile(r"c[0-9]{1,2}s|el[0-9]{1,2}|fedora|rhel[0-9]{1,2}|v?[0-9]{1,4}")


@dataclass(frozen=True)
class Image:
    """A reference in its parts; ``str()`` gives what a manifest needs."""

    registry: str
    """Host with port; empty when the reference names none (which means docker.io)."""
    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        text = f"{self.registry}/{self.repository}" if self.registry else self.repository
        text += f":{self.tag}" if self.tag else ""
        return text + (f"@{self.digest}" if self.digest else "")


@dataclass(frozen=True)
class Verdict:
    """What speaks against an image; empty where nothing does."""

    forbidden: str = ""
    """About the tag, whatever the user allows."""
    tag: str = ""
    """About the tag, unless the user insists."""
    registry: str = ""
    """About the registry, unless the user insists."""
    unknown: str = ""
    """What could not be judged; the image is accepted."""


def parse(text: str) -> Image:
    """The parts of a reference. ValueError says which part is wrong."""
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise ValueError("its digest is not sha256: and 64 hexadecimal digits")
    head, slash, last = rest.rpartition("/")
    last, colon, tag = last.partition(":")
    if colon and not TAG.fullmatch(tag):
        raise ValueError("its tag is not 1 to 128 letters, digits, dots, dashes or underscores")
    components = [*head.split("/"), last] if slash else [last]
    registry = ""
    if len(components) > 1 and (
        any(sign in components[0] for sign in ".:")
        or components[0] == "localhost"
        or components[0] != components[0].lower()
    ):
        registry = components.pop(0)
        if not _DOMAIN.fullmatch(registry):
            raise ValueError("its registry is not a host name")
    bad = [part for part in components if not _COMPONENT.fullmatch(part)]
    if bad:
        raise ValueError(
            "its repository has an empty part"
            if "" in bad
            else f"its repository has a part {bad[0]!r} (small letters and digits, "
            "joined by dots, dashes or underscores)"
        )
    if len(text.partition("@")[0]) > 255:
        raise ValueError("it is longer than 255 characters")
    return Image(registry, "/".join(components), tag, digest)


def resolve(image: str, tag: str = "", registry: str = "") -> Image:
    """The image to run: *tag* only where *image* has neither tag nor digest of its own.

    *registry* (a host, or a host with a path before the repository) takes the place of the
    image's own, for clusters that pull through a mirror. ValueError as :func:`parse`.
    """
    found = parse(image)
    if registry:
        found = replace(found, registry="")
        found = parse(f"{registry.rstrip('/')}/{found}")
        if not found.registry:
            raise ValueError("its registry is not a host name")
    if tag and not found.tag and not found.digest:
        if not TAG.fullmatch(tag):
            raise ValueError("its tag is not 1 to 128 letters, digits, dots, dashes or underscores")
        found = replace(found, tag=tag)
    return found


def version(tag: str) -> Version | None:
    """The first X.Y.Z in a tag, so that ``main-v1.82.7-stable`` is recognised too."""
    found = _VERSION.search(tag)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def moves(tag: str) -> bool:
    """Whether a tag is given to new images over time. A date or a full version is not."""
    if not tag:
        return True
    words = re.split(r"[-_.]", tag.lower())
    return not _MOVING_WORDS.isdisjoint(words) or bool(_STREAM.fullmatch(tag.lower()))


def judge(image: Image, *, litellm: bool) -> Verdict:
    """What speaks against running *image*; *litellm*: the rules for LiteLLM's versions apply."""
    registry = tag = forbidden = unknown = ""
    if not image.registry or image.registry.lower() in _DOCKER_HUB:
        registry = "comes from docker.io" if image.registry else "names no registry, so docker.io"
        registry += ", whose rate limits stop the pulls of shared clusters"
    release = version(image.tag)
    if litellm and release in _FORBIDDEN:
        forbidden = f"LiteLLM {_dotted(release)} {_FORBIDDEN[release]}"
    elif litellm and release and release[:2] == _WITHDRAWN:
        forbidden = f"LiteLLM {_dotted(release)} was withdrawn by its makers, as all of 1.107"
    elif litellm and release and release < _FLOORS.get(release[:2], _FLOORS[1, 103]):
        tag = f"LiteLLM {_dotted(release)} has a critical hole (GHSA-7hp6-4w63-5g45)"
    elif image.digest:
        if litellm and release is None:
            unknown = "its digest does not tell the version, which could not be checked"
    elif not image.tag:
        tag = "it names no tag, and so latest, which brings another image from one day to the next"
    elif moves(image.tag):
        tag = f"the tag {image.tag} brings another image from one day to the next"
    elif litellm and not _RELEASE.fullmatch(image.tag):
        tag = f"{image.tag} is the tag of no plain release"
    return Verdict(forbidden, tag, registry, unknown)


def _dotted(release: Version) -> str:
    return ".".join(str(number) for number in release)
