# SPDX-License-Identifier: MIT
"""Keys of build outputs, and that a folder is either complete or not there."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from lablib import cache


def silent(_: str) -> None:
    pass


def test_parts_do_not_run_into_each_other() -> None:
    assert cache.key(["ab", "c"]) != cache.key(["a", "bc"]) != cache.key(["abc"])
    assert cache.key(["a", b"b"]) == cache.key([b"a", "b"])


def test_names_contents_and_extras_count_and_order_does_not(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1")
    two.write_text("2")
    before = cache.files_key(tmp_path, [one, two], "extra")
    assert before == cache.files_key(tmp_path, [two, one], "extra")
    assert before != cache.files_key(tmp_path, [one, two], "other")
    two.write_text("3")
    assert before != cache.files_key(tmp_path, [one, two], "extra")
    two.rename(tmp_path / "three")
    assert before != cache.files_key(tmp_path, [one, tmp_path / "three"], "extra")


def test_a_checkout_elsewhere_has_the_same_key(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "go.mod").write_text("module x")
    keys = {cache.files_key(tmp_path / name, [tmp_path / name / "go.mod"]) for name in ("a", "b")}
    assert len(keys) == 1


def test_a_failed_build_leaves_nothing_and_is_made_anew(tmp_path: Path) -> None:
    def failing(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        cache.folder(tmp_path, "thing", failing, silent)
    assert not (tmp_path / "thing").exists()
    made = cache.folder(tmp_path, "thing", lambda folder: (folder / "whole").touch(), silent)
    assert [path.name for path in made.iterdir()] == ["whole"]


def test_two_at_once_build_once(tmp_path: Path) -> None:
    built, said = [], []

    def build(folder: Path) -> None:
        built.append(folder)
        time.sleep(0.2)

    threads = [
        threading.Thread(target=cache.folder, args=(tmp_path, "thing", build, said.append))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1
    assert said == ["thing: waiting for another lab that is building it"] * 2
