"""Probes: a machine that Python drives without I/O."""

import davy
import pytest

FLOW = """
apiVersion: davy/v1
kind: ProbeFlow
metadata: { name: home }
spec:
  targets: { prod: { baseUrl: https://shop.example, addressPolicy: any } }
  steps: [{ id: home, request: { path: / }, expect: { status: 200, body: { contains: Welcome } } }]
"""
NOW = "2026-11-26T10:00:00Z"


@pytest.fixture
def flow():
    files = {"rollouts.yaml": davy.starter("checkout"), "home.yaml": FLOW}
    return davy.Bundle.from_files(files).probes["home"]


def run(flow, body):
    probe, now = flow.start("prod", 1, NOW, record=True), NOW
    for _ in range(20):
        step = probe.poll(now)
        if "done" in step:
            return probe, step["done"]
        if "wait" in step:
            now = step["wait"]["until"]
        else:
            effect, request = step["effect"]
            assert request["http"]["url"] == "https://shop.example/"
            probe.handle(now, effect, {"http": {"status": 200, "version": "1.1", "headers": [], "body": body}})
    raise AssertionError("the run does not end")


@pytest.mark.parametrize(("body", "verdict"), [("Welcome", "pass"), ("Sorry", "fail")])
def test_a_flow_is_driven_by_poll_and_handle(flow, body, verdict):
    probe, result = run(flow, body)
    assert result["verdict"] == verdict
    assert '"home"' in probe.recording()


CEL = FLOW.replace("body: { contains: Welcome }", "cel: 'json.items.all(item, item.price > 0) && durationMs < 500'")


@pytest.mark.parametrize(
    ("body", "verdict", "because"),
    [
        ('{"items": [{"price": 1}]}', "pass", None),
        ('{"items": [{"price": 0}]}', "fail", "json.items is a list of 1"),
        ('{"items": [{}]}', "fail", "`json.items[0].price` is not there"),
        ("Sorry", "fail", "the body is not JSON"),
    ],
)
def test_an_expectation_in_cel_is_judged(body, verdict, because):
    files = {"rollouts.yaml": davy.starter("checkout"), "home.yaml": CEL}
    _, result = run(davy.Bundle.from_files(files).probes["home"], body)
    assert result["verdict"] == verdict
    assert because is None or because in result["reason"]


def test_an_expectation_in_cel_that_cannot_be_meant_is_refused():
    files = {"rollouts.yaml": davy.starter("checkout"), "home.yaml": CEL.replace("json.items", "jsn.items")}
    with pytest.raises(davy.PolicyError, match="did you mean `json`"):
        davy.Bundle.from_files(files)


PAIRED = FLOW.replace("addressPolicy: any", "addressPolicy: any, canary: { headers: { x-canary: always } }")


def test_the_canary_is_asked_in_the_way_that_the_target_says():
    files = {"rollouts.yaml": davy.starter("checkout"), "home.yaml": PAIRED}
    flow = davy.Bundle.from_files(files).probes["home"]
    probe = flow.start("prod", 1, NOW, cohort="canary", location="eu-1")
    effect, asks = probe.poll(NOW)["effect"]
    assert {"name": "x-canary", "value": "always", "secret": False} in asks["http"]["headers"]
    probe.handle(NOW, effect, {"http": {"status": 200, "version": "1.1", "headers": [], "body": "Welcome"}})
    result = probe.poll(NOW)["done"]
    assert (result["verdict"], result["cohort"], result["location"]) == ("pass", "canary", "eu-1")
    with pytest.raises(davy.ProbeError, match="baseline"):
        flow.start("prod", 1, NOW, cohort="baseline")
    with pytest.raises(ValueError, match="neither"):
        flow.start("prod", 1, NOW, cohort="neither")


def test_a_run_that_is_cancelled_blames_nobody(flow):
    probe = flow.start("prod", 1, NOW)
    assert "effect" in probe.poll(NOW)
    with pytest.raises(ValueError, match="bored"):
        probe.cancel(NOW, "bored")
    probe.cancel(NOW, "stopping")
    result = probe.poll(NOW)["done"]
    assert (result["verdict"], result["reason"]) == ("skipped", "the prober stops")


def test_misuse_is_an_error_of_the_caller(flow):
    probe = flow.start("prod", 1, NOW)
    with pytest.raises(davy.ProbeError):
        probe.handle(NOW, 99, {"http": {"status": 200, "version": "1.1", "headers": [], "body": ""}})
    with pytest.raises(davy.ProbeError):
        probe.handle(NOW, 0, "{}")
    with pytest.raises(davy.ProbeError):
        flow.start("nowhere", 1, NOW)
