# SPDX-License-Identifier: MIT
"""A lab's identity and the names that follow from it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from lablib import settings
from lablib.errors import LabError
from lablib.settings import Settings


def lab(**changes: object) -> Settings:
    basis = Settings(Path("/a/checkout"), "openshift", Path("/a/cache"), 0, "netns", "198.18.0.2")
    return dataclasses.replace(basis, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"checkout": Path("/another/checkout")},
        {"profile": "kubernetes"},
        {"cache": Path("/another/cache")},
        {"uid": 1000},
    ],
)
def test_every_part_of_the_identity_makes_another_lab(changes: dict[str, object]) -> None:
    one, other = lab(), lab(**changes)
    assert one.id != other.id
    assert one.link != other.link
    assert one.name != other.name
    assert one.state != other.state
    assert one.runtime != other.runtime


def test_addresses_do_not_change_the_identity() -> None:
    assert lab().id == lab(address="198.18.7.2", mode="loopback").id


def test_names_fit_into_the_kernels_limits() -> None:
    assert len(lab().link) <= 15
    # However long the path of the cache is: the socket lies in /run.
    assert len(str(lab(cache=Path("/" + "x" * 300)).containerd_socket)) < 100


def test_a_lab_is_found_as_it_was_saved(tmp_path: Path) -> None:
    saved = lab(cache=tmp_path, ports={**settings.PORTS, "api": 12345})
    saved.save()
    assert settings.load(saved.state) == saved
    assert saved.api_url == "https://198.18.0.2:12345"


def test_no_lab_and_a_damaged_one(tmp_path: Path) -> None:
    assert settings.load(tmp_path / "none") is None
    (tmp_path / "lab.json").write_text("{")
    with pytest.raises(LabError, match="remove the folder"):
        settings.load(tmp_path)


def test_the_cache_follows_the_environment(tmp_path: Path) -> None:
    expected = tmp_path.resolve() / "rhpds.litemaas"
    assert settings.cache_root({"XDG_CACHE_HOME": str(tmp_path)}) == expected
    assert settings.cache_root({"XDG_CACHE_HOME": ""}) == Path.home() / ".cache" / "rhpds.litemaas"


@pytest.mark.parametrize(
    ("effective", "expected"),
    [
        ("000001ffffffffff", True),
        ("000001fffeffffff", True),  # without CAP_SYS_RESOURCE
        ("0000000000000000", False),
        ("00000000a80425fb", False),  # root of an ordinary container
        ("0000000000001000", False),  # CAP_NET_ADMIN alone
    ],
)
def test_capabilities_decide_not_the_uid(effective: str, expected: bool) -> None:
    assert settings.may_isolate(f"Name:\tx\nCapEff:\t{effective}\nCapBnd:\t0\n") is expected
