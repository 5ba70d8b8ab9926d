"""What is proven of values that change which objects there are: backfill, scaling, logins, pods.

Apart from `rendering`, which holds for every file of values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chart.helm import CHART, FULLNAME, RELEASE, Helm, one

if TYPE_CHECKING:
    from pathlib import Path

# Lags that no topic has, so that lag wakes a first replica and asks for no second one.
NEVER = "1000000000"
EXTERNAL = {"type": "External", "external": {"metric": {"name": "lag"},
            "target": {"type": "AverageValue", "averageValue": "1000"}}}  # fmt: skip


def backfill(helm: Helm) -> str:
    """A backfill is a Job and nothing that scales, keeps or watches a service."""
    objects = helm.objects(_ci("backfill"))
    kinds = sorted(o["kind"] for o in objects)
    assert ["ConfigMap", "Job", "NetworkPolicy", "PodMonitor", "ServiceAccount"] == kinds, kinds
    assert {"posts-backfill"} == {o["metadata"]["name"] for o in objects}
    job = one(objects, "Job", "posts-backfill")["spec"]
    assert (3, 3, "Indexed") == (job["parallelism"], job["completions"], job["completionMode"])
    rules = job["podFailurePolicy"]["rules"]
    codes = {rule["action"]: rule.get("onExitCodes", {}).get("values") for rule in rules[:2]}
    assert {"FailJob": [2, 3], "Ignore": [130]} == codes
    pod = job["template"]["spec"]
    assert "Never" == pod["restartPolicy"]
    [container] = pod["containers"]
    assert container["name"] == rules[0]["onExitCodes"]["containerName"]
    flags = ["--from", "2026-11-01T00:00Z", "--to", "2026-12-01T00:00Z"]
    assert ["run", "--until-end", *flags, "--group", "posts-backfill"] == container["args"]
    assert "GROUP_INSTANCE_ID" not in str(container)
    # By its own label: whatever selects the service's pods does not take these for them.
    labels = job["template"]["metadata"]["labels"]
    service = one(helm.objects(_ci("default")), "Deployment")["spec"]["selector"]["matchLabels"]
    assert not service.items() <= labels.items()
    offsets = helm.values("offsets", {"backfill": {"enabled": True, "from": 7, "to": 1000000}})
    [container] = _pod(helm, offsets, "Job", f"{FULLNAME}-backfill")["containers"]
    assert ["--from", "7", "--to", "1000000"] == container["args"][2:6]
    _same_as_the_service(helm)
    return ", ".join(kinds)


def _same_as_the_service(helm: Helm) -> None:
    """Settings, secrets, image and what the pods may do are those of the service."""
    file = _ci("security")
    service = _pod(helm, file, "Deployment", FULLNAME)
    values = helm.values("backfill", {"backfill": {"enabled": True}})
    objects = helm.objects(file, values)
    job = one(objects, "Job", f"{FULLNAME}-backfill")["spec"]["template"]["spec"]
    for field in ("securityContext", "volumes", "terminationGracePeriodSeconds"):
        assert service[field] == job[field], field
    [ours], [theirs] = job["containers"], service["containers"]
    for field in ("image", "volumeMounts", "resources", "securityContext", "livenessProbe"):
        assert theirs[field] == ours[field], field
    settings = one(helm.objects(file), "ConfigMap")["data"]
    assert settings == one(objects, "ConfigMap", f"{FULLNAME}-backfill")["data"]


def user_of_a_backfill(helm: Helm) -> str:
    """The user that Strimzi makes may run a backfill too, whatever its group is called."""
    named = helm.values("named", {"backfill": {"groupId": "again"}})
    for values, group in (((), "sentiment-stream-backfill"), ((named,), "again")):
        user = one(helm.objects(_ci("strimzi"), *values), "KafkaUser", "sentiment")
        rights = [acl["resource"] for acl in user["spec"]["authorization"]["acls"]]
        groups = [right["name"] for right in rights if right["type"] == "group"]
        assert ["sentiment-stream", group] == groups
        prefixes = [right["name"] for right in rights if right["type"] == "transactionalId"]
        assert any(f"{group}-0".startswith(prefix) for prefix in prefixes), prefixes
    return group


def scaling(helm: Helm) -> str:
    """By lag, by work, from zero: KEDA asks what is needed, and a replica a day keeps offsets."""
    objects = helm.objects(_ci("keda-drain"))
    [drain] = _triggers(objects)
    assert "prometheus" == drain["type"]
    query = f'sum(sentiment_drain_seconds{{namespace="{RELEASE}",job="{RELEASE}"}})'
    assert (query, "30", "false") == tuple(
        drain["metadata"][name] for name in ("query", "threshold", "ignoreNullValues")
    )
    assert not any(o["kind"] == "TriggerAuthentication" for o in objects)
    zero = helm.values("zero", {"autoscaling": {"minReplicas": 0}})
    drain, wake, lag = _triggers(helm.objects(_ci("keda-drain"), zero))
    assert ("cron", "kafka", NEVER) == (wake["type"], lag["type"], lag["metadata"]["lagThreshold"])
    assert "true" == drain["metadata"]["ignoreNullValues"]
    wake, lag = _triggers(helm.objects(_ci("keda-to-zero")))
    assert ("cron", "1000") == (wake["type"], lag["metadata"]["lagThreshold"])
    assert "true" == lag["metadata"]["excludePersistentLag"]
    keda = {"limitToPartitionsWithLag": False, "allowIdleConsumers": True}
    idle = helm.values("idle", {"autoscaling": {"mode": "keda", "keda": keda}})
    [lag] = _triggers(helm.objects(idle))
    assert {"limitToPartitionsWithLag": "false", "allowIdleConsumers": "true"} == {
        name: lag["metadata"][name] for name in keda
    }
    hpa = {"mode": "hpa", "minReplicas": 0, "hpa": {"metrics": [EXTERNAL]}}
    objects = helm.objects(helm.values("hpa-to-zero", {"autoscaling": hpa}))
    spec = one(objects, "HorizontalPodAutoscaler")["spec"]
    assert (0, [EXTERNAL]) == (spec["minReplicas"], spec["metrics"])
    return "lag, work, zero, hpa"


def logins(helm: Helm) -> str:
    """Each secret is a volume of its own, whole, since Kubernetes renews no single file."""
    names = ("ca", "client", "registry", "registryCa", "registryClient")
    others = {name: {"name": f"a-{name.lower()}"} for name in names}
    kafka = {"securityProtocol": "SASL_SSL", "saslUsername": "u", "schemaRegistryUsername": "u",
             "schemaRegistryUrl": "https://registry.example"}  # fmt: skip
    bearer = {key: value for key, value in kafka.items() if key != "saslUsername"}
    bearer["saslMechanism"] = "OAUTHBEARER"
    for login, settings in (("sasl", kafka), ("token", bearer)):
        secrets = {**others, login: {"name": f"a-{login}"}}
        values = helm.values("logins", {"settings": {"kafka": settings}, "secrets": secrets})
        pod = _pod(helm, values, "Deployment", FULLNAME)
        mounts = {m["name"]: m for m in pod["containers"][0]["volumeMounts"]}
        volumes = {v["name"]: v for v in pod["volumes"]}
        assert mounts.keys() == volumes.keys()
        for name in (name.lower() for name in secrets):
            assert f"a-{name}" == volumes[name]["secret"]["secretName"]
            assert "subPath" not in mounts[name]
        data = one(helm.objects(values), "ConfigMap")["data"]
        folders = {mounts[name.lower()]["mountPath"] for name in secrets}
        files = {value for name, value in data.items() if name.endswith("_FILE")}
        assert folders == {file.rpartition("/")[0] for file in files}, files
    pod = _pod(helm, _ci("cloud-confluent-oauth"), "Deployment", FULLNAME)
    [token] = [volume for volume in pod["volumes"] if volume["name"] == "token"]
    [source] = token["projected"]["sources"]
    expected = {"path": "token", "audience": "confluent-cloud", "expirationSeconds": 3600}
    assert expected == source["serviceAccountToken"]
    return ", ".join(("sasl", "token", *names))


def pods(helm: Helm) -> str:
    """User namespaces and the policy of a resize reach the pods where they are asked for."""
    plain = _pod(helm, _ci("default"), "Deployment", FULLNAME)
    assert "hostUsers" not in plain
    assert "resizePolicy" not in plain["containers"][0]
    asked = _pod(helm, _ci("everything"), "Deployment", FULLNAME)
    assert asked["hostUsers"] is False
    resized = [policy["resourceName"] for policy in asked["containers"][0]["resizePolicy"]]
    assert ["cpu", "memory"] == resized
    policy = {"resourceName": "cpu", "restartPolicy": "NotRequired"}
    for values, message in (
        ({"hostUsers": False}, "set it to true"),
        ({"resizePolicy": [policy]}, "remove it"),
    ):
        result = helm.render(helm.values("older", values), kubernetes="1.32.0")
        assert not result.ok
        assert message in result.error, result.error
    return "hostUsers, resizePolicy"


def _ci(name: str) -> Path:
    return CHART / "ci" / f"{name}-values.yaml"


def _pod(helm: Helm, values: str | Path, kind: str, name: str) -> dict[str, Any]:
    pod: dict[str, Any] = one(helm.objects(values), kind, name)["spec"]["template"]["spec"]
    return pod


def _triggers(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    triggers: list[dict[str, Any]] = one(objects, "ScaledObject")["spec"]["triggers"]
    return triggers
