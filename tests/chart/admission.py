"""What is proven of the chart on a real Kubernetes API server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chart.cluster import ApiError, Cluster
from chart.helm import CHART, CI, FULLNAME, RELEASE, Helm
from chart.tools import KEDA_CRDS, PROMETHEUS_CRDS, files_of

if TYPE_CHECKING:
    from pathlib import Path

# Strimzi is no Go module, so its definitions are not at hand: these hold the fields that the chart
# uses, as its documentation has them.
STRIMZI = "strimzi_crds.yaml"
# The definitions that the chart makes objects of.
WANTED = ("scaledobjects", "triggerauthentications", "podmonitors", "prometheusrules")
UPGRADED = {"replicas": 3, "settings": {"batch": {"latencyBudgetMs": 200}}}


def definitions(cluster: Cluster, here: Path) -> str:
    """KEDA's and the Prometheus operator's definitions are taken, and stand-ins for Strimzi's."""
    files = [
        file
        for module in (KEDA_CRDS, PROMETHEUS_CRDS)
        for file in sorted(files_of(*module).glob("*.yaml"))
        if any(name in file.name for name in WANTED)
    ]
    names = [name for file in [*files, here / STRIMZI] for name in cluster.define(file)]
    return ", ".join(names)


def refuses_what_is_not_restricted(cluster: Cluster) -> str:
    """The namespaces of this run would refuse a pod with fewer bounds than the chart's."""
    cluster.namespace("refusing")
    container = {"name": "c", "image": "i"}
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [container]}}
    answer = "admitted"
    try:
        cluster.call("POST", "/api/v1/namespaces/refusing/pods", pod)
    except ApiError as error:
        answer = str(error)
    assert "violates PodSecurity" in answer, answer
    return f"{answer[:60]}…"


def every_values_file(cluster: Cluster, helm: Helm) -> str:
    """Each is installed, its pods are admitted, scheduled and ready, and nothing is left of it."""
    names = [f"ci-{file.stem.removesuffix('-values')}" for file in CI]
    empty = {}
    for name, file in zip(names, CI, strict=True):
        cluster.namespace(name)
        _volume(cluster, name)
        empty[name] = cluster.everything_in(name)
        answer = helm.run("install", RELEASE, str(CHART), "--namespace", name, f"--values={file}")
        assert answer.ok, f"{file.name}: {answer.error}"
        assert "would violate PodSecurity" not in answer.error, f"{file.name}: {answer.error}"
    for name in names:
        _running(cluster, name)
    for name in names:
        helm.do("uninstall", RELEASE, "--namespace", name)
        _nothing_left(cluster, name, empty[name], kept=3 if name == "ci-strimzi" else 0)
    return ", ".join(names)


def life(cluster: Cluster, helm: Helm) -> str:
    """Installed, tested, upgraded, rolled back and taken away, in one namespace.

    The pod of `helm test` is admitted and scheduled; that it ends well is kwok's word.
    """
    cluster.namespace("life")
    empty = cluster.everything_in("life")
    helm.do("install", RELEASE, str(CHART), "--namespace", "life")
    first = _rolled_out(cluster, "life")
    helm.do("test", RELEASE, "--namespace", "life")
    values = helm.values("upgraded", UPGRADED)
    helm.do("upgrade", RELEASE, str(CHART), "--namespace", "life", f"--values={values}")
    second = _rolled_out(cluster, "life")
    assert _hash(first) != _hash(second), "a changed setting did not roll the pods"
    assert second["spec"]["replicas"] == 3
    helm.do("rollback", RELEASE, "1", "--namespace", "life")
    third = _rolled_out(cluster, "life")
    assert (_hash(third), third["spec"]["replicas"]) == (_hash(first), 1)
    helm.do("uninstall", RELEASE, "--namespace", "life")
    _nothing_left(cluster, "life", empty)
    return "install, test, upgrade to 3, rollback to 1, uninstall"


def scaling_is_left_alone(cluster: Cluster, helm: Helm) -> str:
    """Where something scales it, an upgrade does not set the number of replicas back."""
    cluster.namespace("scaled")
    values = f"--values={CHART / 'ci' / 'keda-values.yaml'}"
    helm.do("install", RELEASE, str(CHART), "--namespace", "scaled", values)
    path = f"/apis/apps/v1/namespaces/scaled/deployments/{FULLNAME}/scale"
    # As an autoscaler does: again, where the controller was quicker.
    wanted = {"spec": {"replicas": 5}}
    cluster.wait(
        "5 replicas", lambda: cluster.call("PUT", path, cluster.call("GET", path) | wanted)
    )
    more = ["--set", "settings.batch.latencyBudgetMs=200"]
    helm.do("upgrade", RELEASE, str(CHART), "--namespace", "scaled", values, *more)
    assert _rolled_out(cluster, "scaled")["spec"]["replicas"] == 5
    helm.do("uninstall", RELEASE, "--namespace", "scaled")
    return "5 replicas before and after"


def wrong_values(cluster: Cluster, helm: Helm) -> str:
    """A wrong value never reaches the cluster."""
    cluster.namespace("wrong")
    empty = cluster.everything_in("wrong")
    flags = ["--namespace", "wrong", "--set", "settings.kafka.groupID=x"]
    result = helm.run("install", RELEASE, str(CHART), *flags)
    assert not result.ok
    assert "additional properties 'groupID' not allowed" in result.error, result.error
    _nothing_left(cluster, "wrong", empty)
    return " ".join(result.error.split()[-7:])


def _running(cluster: Cluster, namespace: str) -> None:
    """Wait until what the release made is: a service rolled out, or a Job done."""
    kinds = {kind: f"/apis/{group}/v1/namespaces/{namespace}/{kind}"
             for kind, group in (("deployments", "apps"), ("statefulsets", "apps"),
                                 ("jobs", "batch"))}  # fmt: skip
    [kind] = [kind for kind, path in kinds.items() if cluster.call("GET", path)["items"]]
    if kind == "deployments":
        _rolled_out(cluster, namespace)
        return
    # kwok says of pods of a Job that they have ended well.
    wanted, done = ("replicas", "availableReplicas") if kind == "statefulsets" else (
        "completions", "succeeded")  # fmt: skip

    def running() -> bool:
        [found] = cluster.call("GET", kinds[kind])["items"]
        return bool(found["spec"][wanted] == found["status"].get(done, 0))

    cluster.wait(f"{kind} in {namespace}", running)


def _rolled_out(cluster: Cluster, namespace: str) -> dict[str, Any]:
    """Wait until all replicas of the newest template are available."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"

    def done() -> dict[str, Any] | None:
        [found] = cluster.call("GET", path)["items"]
        status, wanted = found["status"], found["spec"]["replicas"]
        counts = [status.get(k, 0) for k in ("replicas", "updatedReplicas", "availableReplicas")]
        seen = status.get("observedGeneration") == found["metadata"]["generation"]
        return dict(found) if seen and counts == [wanted] * 3 else None

    try:
        deployment: dict[str, Any] = cluster.wait(f"roll-out in {namespace}", done)
    except AssertionError as error:
        pods = cluster.call("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]
        conditions = [pod["status"].get("conditions") for pod in pods]
        raise AssertionError(f"{error}; pods: {json.dumps(conditions)[:600]}") from None
    return deployment


def _nothing_left(cluster: Cluster, namespace: str, empty: set[str], kept: int = 0) -> None:
    """Of an uninstalled release, but for topics that are kept on purpose."""

    def left() -> set[str]:
        return cluster.everything_in(namespace) - empty

    cluster.wait(f"{namespace}: nothing left", lambda: len(left()) == kept)
    assert all(name.startswith("KafkaTopic/") for name in left()), left()


def _hash(deployment: dict[str, Any]) -> str:
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    return str(annotations["checksum/settings"])


def _volume(cluster: Cluster, namespace: str) -> None:
    """A volume with the claim that ci/model-volume-values.yaml names."""
    size = {"storage": "1Gi"}
    common = {"accessModes": ["ReadOnlyMany"], "storageClassName": "none"}
    volume = common | {"capacity": size, "csi": {"driver": "d.example", "volumeHandle": namespace}}
    volume |= {"claimRef": {"namespace": namespace, "name": "models"}}
    name = f"models-{namespace}"
    body = {"metadata": {"name": name}, "spec": volume}
    cluster.call("POST", "/api/v1/persistentvolumes", body)
    claim = common | {"resources": {"requests": size}, "volumeName": name}
    path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    cluster.call("POST", path, {"metadata": {"name": "models"}, "spec": claim})
