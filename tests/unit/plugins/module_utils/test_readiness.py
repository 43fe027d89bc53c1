# SPDX-License-Identifier: MIT
"""The wait for many instances: who is settled when, what is read for it, what the next slice knows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _labels,
    _observation,
    _progress,
    _readiness,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_check import Answer
from ansible_collections.rhpds.litemaas.plugins.module_utils._observation import (
    Observation,
    Observer,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._readiness import Wait

from .readiness_cluster import Cluster, crashing_pod, instance, workloads

NAMES = ("user1", "user2", "user3")
GOOD = Answer(v.ready("gateway"), "route", "", 2)
BAD = Answer(v.trouble("gateway", v.VERIFYING, "answers 503"), "route")


class Time:
    """A clock that only sleeping moves; at given times something happens."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.plan: list[tuple[float, Callable[[], None]]] = []

    def at(self, when: float, what: Callable[[], None]) -> None:
        self.plan.append((1000.0 + when, what))

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for entry in [e for e in self.plan if e[0] <= self.now]:
            self.plan.remove(entry)
            entry[1]()


class Gateways:
    """Stands in for the gateways: an answer by instance, and who was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.asking_for: list[float] = []
        self.authorities = "not asked"
        gateways = self

        class Check:
            def __init__(
                self, _client: Any, _keys: Any, unusable: Mapping[str, str], authorities: str
            ) -> None:
                gateways.authorities = authorities
                self.unusable = {**unusable, "apps.invalid": "because"}

            def ask(self, target: Mapping[str, Any], asking_for: float, _timeout: float) -> Answer:
                gateways.asked.append(target["name"])
                gateways.asking_for.append(asking_for)
                return gateways.answers.get(target["name"], GOOD)

        monkeypatch.setattr(_readiness, "GatewayCheck", Check)


@pytest.fixture(name="gateways")
def _gateways(monkeypatch: pytest.MonkeyPatch) -> Gateways:
    return Gateways(monkeypatch)


@pytest.fixture(name="time")
def _time() -> Time:
    return Time()


def wait_for(cluster: Cluster, time: Time, *names: str, **more: Any) -> Wait:
    instances = [instance(name) for name in names or NAMES]
    more.setdefault("gateway", False)
    return Wait(cluster, instances, clock=time.clock, sleep=time.sleep, **more)  # type: ignore


def cluster_of(*ready: str, behind: tuple[str, ...] = ()) -> Cluster:
    objects = [obj for name in ready for obj in workloads(name)]
    return Cluster(*objects, *[o for name in behind for o in workloads(name, ready=False)])


def slices(
    cluster: Cluster, time: Time, names: tuple[str, ...], until: float, **more: Any
) -> Iterator[Wait]:
    """The slices of one wait, of *until* seconds each, to its end."""
    state, over = "", False
    while not over:
        cluster.calls.clear()
        elapsed = time.now - 1000
        wait = wait_for(cluster, time, *names, elapsed=elapsed, state=state, **more)
        over = wait.run(elapsed + until, 600)
        state = wait.state()
        yield wait


def become_ready(cluster: Cluster, name: str) -> Callable[[], None]:
    def change() -> None:
        cluster.objects = [
            o for o in cluster.objects if o["metadata"]["namespace"] != f"lab-{name}"
        ]
        cluster.objects += workloads(name)

    return change


def phases(wait: Wait) -> list[str]:
    return [standing.verdict.phase for standing in wait.standings]


def test_all_ready_needs_one_look_and_one_list_a_kind(time: Time) -> None:
    cluster = cluster_of(*NAMES)
    wait = wait_for(cluster, time)
    assert wait.run(10, 600)
    assert phases(wait) == ["ready"] * 3
    assert wait.elapsed == 0
    assert sorted(cluster.calls) == [
        "/api/v1/pods",
        "/apis/apps/v1/deployments",
        "/apis/apps/v1/statefulsets",
    ]


def test_one_bad_instance_takes_nothing_from_the_others(time: Time) -> None:
    cluster = cluster_of("user1", behind=("user2",))  # of user3 there is nothing
    time.at(40, become_ready(cluster, "user2"))
    wait = wait_for(cluster, time)
    assert wait.run(600, 600)
    assert phases(wait) == ["ready", "ready", "absent"]
    assert 40 <= wait.elapsed < 45, "the missing one was given up, the slow one waited for"
    rows = [_progress.result(standing, wait.elapsed) for standing in wait.standings]
    assert [row["ready"] for row in rows] == [True, True, False]
    assert rows[0]["waited"] == 0
    assert 40 <= rows[1]["waited"] < 45


def test_permanent_trouble_of_all_ends_the_wait_early(time: Time) -> None:
    wait = wait_for(Cluster(), time)
    assert wait.run(600, 600)
    assert 10 <= wait.elapsed < 16
    assert phases(wait) == ["absent"] * 3


def test_passing_trouble_waits_until_the_deadline(time: Time) -> None:
    wait = wait_for(cluster_of(behind=NAMES), time)
    assert wait.run(90, 90)
    assert 90 <= wait.elapsed < 91


def test_timeout_zero_looks_once(time: Time) -> None:
    wait = wait_for(Cluster(), time)
    assert wait.run(0, 0)
    assert (wait.elapsed, phases(wait)) == (0, ["absent"] * 3)


def test_instances_of_one_name_in_two_deployments(time: Time) -> None:
    cluster = cluster_of("user1", behind=("user2",))
    same = {**instance("user2"), "name": "user1"}
    wait = Wait(cluster, [instance("user1"), same], gateway=False)  # type: ignore[arg-type]
    assert wait.run(0, 0)
    assert phases(wait) == ["ready", "rolling out"]


def test_what_was_seen_already_is_not_read_again(time: Time) -> None:
    cluster = cluster_of(*NAMES)
    observer, seen = Observer(cluster, None, "a=b"), Observation()  # type: ignore[arg-type]
    observer.observe([*_observation.WORKLOADS, _observation.POD], seen)
    cluster.calls.clear()
    wait = wait_for(cluster, time, seen=seen)
    assert wait.run(10, 600)
    assert phases(wait) == ["ready"] * 3
    assert not cluster.calls


def test_the_last_look_decides_which_way_to_ask(time: Time, gateways: Gateways) -> None:
    gateways.answers["user1"] = BAD
    wait_for(cluster_of("user1"), time, "user1", gateway=True).run(2, 2)
    assert gateways.asking_for == [0, 1, math.inf]


def test_what_comes_back_while_others_are_waited_for_is_ready(time: Time) -> None:
    cluster = cluster_of("user1", behind=("user2",))
    time.at(30, become_ready(cluster, "user3"))
    time.at(60, become_ready(cluster, "user2"))
    wait = wait_for(cluster, time)
    assert wait.run(600, 600)
    assert phases(wait) == ["ready"] * 3


def test_slices_go_on_where_the_last_one_ended(time: Time) -> None:
    cluster = cluster_of(behind=NAMES)
    cluster.refused = {"/apis/apps/v1/deployments": 403}
    for name in NAMES:
        time.at(25, become_ready(cluster, name))
    for number, wait in enumerate(slices(cluster, time, NAMES, 7), 1):
        assert ("/apis/apps/v1/deployments" in cluster.calls) is (number == 1)
        assert wait.elapsed <= 7 * number + 1
    assert number == 5
    assert phases(wait) == ["ready"] * 3
    assert 25 <= wait.standings[0].track.since < 27


def test_patience_spans_slices(time: Time) -> None:
    *_before, last = slices(Cluster(), time, NAMES, 3)
    assert 10 <= last.elapsed < 16


def test_gateways_are_asked_when_all_else_is_ready(time: Time, gateways: Gateways) -> None:
    cluster = cluster_of("user1", behind=("user2",))
    wait = wait_for(cluster, time, "user1", "user2", gateway=True)
    gateways.answers["user1"] = BAD
    time.at(5, lambda: gateways.answers.pop("user1") and None)
    time.at(10, become_ready(cluster, "user2"))
    assert wait.run(600, 600)
    assert gateways.asked.count("user1") == 6, "once a look, until it answers, and no more"
    assert gateways.asked.count("user2") == 1
    row = _progress.result(wait.standings[0], wait.elapsed)
    assert (row["via"], row["models"], row["waited"]) == ("route", 2, 5)


def test_an_answer_is_kept_for_the_next_slice(time: Time, gateways: Gateways) -> None:
    cluster = cluster_of("user1", behind=("user2",))
    wait = wait_for(cluster, time, "user1", "user2", gateway=True)
    assert not wait.run(5, 600)
    again = wait_for(cluster, time, "user1", "user2", gateway=True, elapsed=5, state=wait.state())
    assert not again.run(9, 600)
    assert gateways.asked == ["user1"]
    assert "apps.invalid" in again.state()


def test_a_gateway_whose_pods_went_away_is_asked_again(time: Time, gateways: Gateways) -> None:
    cluster = cluster_of("user1", behind=("user2",))

    def fall() -> None:
        cluster.objects = [o for o in cluster.objects if o["metadata"]["namespace"] == "lab-user2"]
        cluster.objects += workloads("user1", ready=False)

    time.at(3, fall)
    time.at(6, become_ready(cluster, "user1"))
    time.at(9, become_ready(cluster, "user2"))
    wait = wait_for(cluster, time, "user1", "user2", gateway=True)
    assert wait.run(600, 600)
    assert gateways.asked.count("user1") == 2


def test_an_api_server_that_is_away_is_waited_for(time: Time) -> None:
    cluster = cluster_of(*NAMES)
    cluster.refused = {"/": 0}
    time.at(20, cluster.refused.clear)
    wait = wait_for(cluster, time)
    assert not wait.run(7, 600)
    assert wait.trouble is not None
    assert "does not answer" in _progress.line(wait.standings, wait.elapsed, wait.trouble)
    assert wait.run(600, 600)
    assert wait.trouble is None


def test_an_api_server_that_never_answers_is_the_error_soon(time: Time) -> None:
    cluster = cluster_of(*NAMES)
    cluster.refused = {"/": 0}
    with pytest.raises(ApiError):
        wait_for(cluster, time).run(600, 600)
    assert 1030 <= time.now < 1036


def test_an_api_server_that_goes_away_is_the_error_at_the_deadline(time: Time) -> None:
    cluster = cluster_of(behind=NAMES)
    time.at(5, lambda: cluster.refused.update({"/": 503}))
    state = ""
    with pytest.raises(ApiError):
        while True:
            wait = wait_for(cluster, time, elapsed=time.now - 1000, state=state)
            assert not wait.run(wait.elapsed + 7, 90)
            state = wait.state()
    assert 1090 <= time.now < 1096


def test_refused_credentials_are_not_waited_with(time: Time) -> None:
    cluster = cluster_of(*NAMES)
    cluster.refused = {"/": 401}
    with pytest.raises(ApiError):
        wait_for(cluster, time).run(600, 600)
    assert time.now == 1000


def test_a_crash_is_explained_with_its_log_once_a_slice(time: Time) -> None:
    cluster = Cluster(*workloads("user1", ready=False), crashing_pod("user1"))
    cluster.logs["postgres-0"] = "FATAL: could not write to postgresql://u:canary@h/d\n"
    wait = wait_for(cluster, time, "user1")
    assert not wait.run(9, 600)
    assert (
        "crashes (exit code 1, 1 restart); last log line: FATAL" in wait.standings[0].verdict.reason
    )
    assert "canary" not in wait.standings[0].verdict.reason
    for part in ("/log", "/events", "/secrets"):
        assert sum(part in path for path in cluster.calls) == (2 if part == "/secrets" else 1)


def test_many_that_stand_still_do_not_make_many_requests(time: Time) -> None:
    names = [f"user{number}" for number in range(1, 101)]
    cluster = Cluster(
        *[obj for name in names for obj in (*workloads(name, ready=False), crashing_pod(name))]
    )
    wait = wait_for(cluster, time, *names)
    assert not wait.run(9, 600)
    assert sum("/events" in path for path in cluster.calls) == 20
    cluster.calls.clear()
    assert wait.run(20, 20)
    assert sum("/events" in path for path in cluster.calls) == 80, "the rest, at the end"


def test_the_claim_of_a_slow_start_is_not_explained_at_once(time: Time) -> None:
    cluster = Cluster(*workloads("user1", ready=False))
    wait = wait_for(cluster, time, "user1")
    assert not wait.run(15, 600)
    assert not [path for path in cluster.calls if "/events" in path]
    assert not wait.run(25, 600)
    assert [path for path in cluster.calls if "/events" in path]


def migration(name: str) -> list[dict[str, Any]]:
    """An instance whose new pods wait for a Job that has failed."""
    stateful_set, deployment = workloads(name)
    metadata = {
        **deployment["metadata"],
        "generation": 2,
        "annotations": {_labels.MIGRATION: "litellm-migrate-1"},
    }
    home = {"namespace": f"lab-{name}"}
    job = {
        "kind": "Job",
        "metadata": {**home, "name": "litellm-migrate-1", "uid": "job"},
        "status": {"conditions": [{"type": "Failed", "status": "True"}]},
    }
    ended = {"name": "migrate", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}
    pod = {
        "kind": "Pod",
        "metadata": {
            **home,
            "name": "litellm-migrate-1-a",
            "ownerReferences": [{"kind": "Job", "uid": "job", "controller": True}],
        },
        "spec": {},
        "status": {"phase": "Failed", "initContainerStatuses": [ended]},
    }
    return [stateful_set, {**deployment, "metadata": metadata}, job, pod]


def test_a_migration_that_failed_ends_the_wait_and_says_why(time: Time, gateways: Gateways) -> None:
    """Known by the live Deployment: of an instance the module is told little."""
    cluster = Cluster(*migration("user1"), *workloads("user2"))
    cluster.logs["litellm-migrate-1-a"] = "Error: P3009\n"
    wait = wait_for(cluster, time, "user1", "user2")
    assert wait.run(20, 600)
    first, second = wait.standings
    assert second.verdict.ready and first.verdict.component == "migration"
    assert first.verdict.reason == (
        "Job litellm-migrate-1 failed: container migrate ended with 1; pods that ran before go on, and the next run "
        "tries again; last log line: Error: P3009"
    )
    assert [path for path in cluster.calls if "/jobs" in path]
    others = Cluster(*workloads("user2", ready=False))
    assert not wait_for(others, time, "user2").run(20, 600)
    assert not [path for path in others.calls if "/jobs" in path]


def test_what_is_slow_to_list_is_listed_less_often_and_at_the_end(
    time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(*workloads("user1", ready=False), crashing_pod("user1"))
    read = cluster.list

    def slow(path: str, **options: Any) -> list[dict[str, Any]]:
        time.now += 0.5 * path.endswith("/pods")
        return read(path, **options)

    monkeypatch.setattr(cluster, "list", slow)
    wait = wait_for(cluster, time, "user1")
    for until, pods in ((9, 2), (14, 3)):  # every five seconds or more, as a list took half of one
        assert not wait.run(until, 600)
        assert sum(path.endswith("/pods") for path in cluster.calls) == pods
        assert "crashes" in wait.standings[0].verdict.reason
    assert wait.run(15, 15)
    assert sum(path.endswith("/pods") for path in cluster.calls) == 4


MANY = tuple(f"user{number}" for number in range(1, 41))


def test_when_few_of_many_are_left_only_those_are_looked_at(time: Time, gateways: Gateways) -> None:
    cluster = cluster_of(*MANY[2:], behind=MANY[:2])
    time.at(8, become_ready(cluster, "user1"))
    time.at(9, become_ready(cluster, "user2"))
    went = slices(cluster, time, MANY, 3, gateway=True)
    first = next(went)
    assert "/apis/apps/v1/deployments" in cluster.calls
    line = _progress.line(first.standings, first.elapsed)
    for wait in went:
        homes = {path.split("/namespaces/")[-1].split("/")[0] for path in cluster.calls}
        assert homes <= {"lab-user1", "lab-user2"}, wait.elapsed
    assert phases(wait) == ["ready"] * 40
    assert 9 <= wait.elapsed < 12
    assert sorted(gateways.asked) == sorted(MANY), "each once"
    assert "gateway 38/40 ready" in line
    assert "gateway 40/40 ready" in _progress.line(wait.standings, wait.elapsed)


def test_of_many_those_that_were_ready_are_looked_at_again(time: Time) -> None:
    cluster = cluster_of(*MANY[1:], behind=MANY[:1])

    def fall() -> None:
        become_ready(cluster, "user40")()
        cluster.objects = cluster.objects[:-2] + workloads("user40", ready=False)

    time.at(2, fall)
    time.at(25, become_ready(cluster, "user1"))
    time.at(40, become_ready(cluster, "user40"))
    *_before, last = slices(cluster, time, MANY, 7)
    assert phases(last) == ["ready"] * 40
    assert 40 <= last.elapsed < 43
    assert last.standings[-1].track.ready_at == pytest.approx(last.elapsed, abs=1)


def test_what_is_slow_to_look_at_is_given_rest(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = cluster_of(behind=NAMES)
    read = cluster.list

    def slow(path: str, **options: Any) -> list[dict[str, Any]]:
        time.now += 1.5 * path.endswith("/deployments")
        return read(path, **options)

    wait = wait_for(cluster, time)
    assert not wait.run(3, 600)
    assert wait.rest == 0, "that of a look that takes no time is over when the next slice has begun"
    monkeypatch.setattr(cluster, "list", slow)
    wait = wait_for(cluster, time)
    assert not wait.run(3, 600)
    assert wait.rest == 2
    assert not wait.run(wait.elapsed + 1, wait.elapsed + 2.5)
    assert wait.rest == 1, "not beyond the deadline"


def test_gateways_that_hang_neither_delay_the_slice_nor_starve_the_rest(
    time: Time, gateways: Gateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = _readiness.GatewayCheck.ask

    def hang(self: Any, target: Mapping[str, Any], asking_for: float, seconds: float) -> Answer:
        assert seconds <= 7
        time.now += 3
        return ask(self, target, asking_for, seconds)

    monkeypatch.setattr(_readiness.GatewayCheck, "ask", hang)
    gateways.answers = dict.fromkeys(NAMES, BAD)
    cluster, state = cluster_of(*NAMES), ""
    for turn in (1, 2):
        wait = wait_for(cluster, time, gateway=True, elapsed=time.now - 1000, state=state)
        began = wait.elapsed
        assert not wait.run(began + 4, 600)
        assert wait.elapsed - began < 10
        state = wait.state()
        assert len(gateways.asked) == 2 * turn
    assert gateways.asked == ["user1", "user2", "user3", "user1"]


def test_a_pod_on_its_way_out_is_not_ready_whatever_its_set_says(time: Time) -> None:
    leaving = crashing_pod("user1")
    leaving["metadata"]["deletionTimestamp"] = "2026-11-23T08:00:00Z"
    cluster = Cluster(*workloads("user1"), leaving)
    time.at(20, lambda: cluster.objects.remove(leaving))
    wait = wait_for(cluster, time, "user1")
    assert not wait.run(10, 600)
    assert wait.standings[0].verdict.reason == "pod postgres-0 is being deleted and comes again"
    assert wait.run(600, 600)
    assert 20 <= wait.elapsed < 25


@pytest.mark.parametrize("names", [("user1",), ("user1", "user2")])
def test_what_failed_before_is_not_waited_for(time: Time, names: tuple[str, ...]) -> None:
    cluster = cluster_of(*names)
    cluster.objects = [o for o in cluster.objects if o["metadata"]["namespace"] != "lab-user1"]
    wait = wait_for(cluster, time, *names, failed={"lab-user1": "refused by a webhook"})
    assert wait.run(600, 600)
    assert wait.elapsed < 5
    lost, *rest = wait.standings
    assert (lost.verdict.phase, lost.verdict.reason) == ("failed", "refused by a webhook")
    assert all(standing.verdict.ready for standing in rest)
    assert not [path for path in cluster.calls if "lab-user1" in path]
