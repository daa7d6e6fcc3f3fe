"""What a policy can detect, asked from Python, is what the command line says."""

import json

import davy
import pytest
from davy import _davy

POLICY = """
apiVersion: davy/v1
kind: Rollout
metadata: { name: checkout }
spec:
  steps: [{ weight: 5%, atLeast: 5m }, { weight: 50%, atLeast: 10m }]
  health:
    every: 30s
    judge: evidence
    metrics:
      - { name: errors, bad: errors_total, total: requests_total, tolerate: 1.1x, unacceptable: 1.5x }
"""


@pytest.fixture
def bundle() -> davy.Bundle:
    return davy.Bundle.from_files({"rollouts.yaml": POLICY})


def test_a_plan_is_what_the_command_line_prints(bundle, tmp_path, capfd):
    (tmp_path / "rollouts.yaml").write_text(POLICY)
    asked = ["davy", "policy", "plan", str(tmp_path), "--traffic", "50/s", "--bad", "1%", "--format", "json"]
    assert _davy.main(asked) == 0
    printed = json.loads(capfd.readouterr().out)
    assert bundle.plan(requests="50/s", bad="1%") == printed
    assert [step["weight"] for step in printed["steps"]] == ["5%", "50%"]


def test_replicas_and_their_noise_are_planned_for_as_on_the_command_line(bundle, tmp_path, capfd):
    (tmp_path / "rollouts.yaml").write_text(POLICY)
    for noise in ["none", "mixed", "sick-replica"]:
        known = ["--traffic", "500/s", "--bad", "1%", "--replicas", "3", "--noise", noise]
        assert _davy.main(["davy", "policy", "plan", str(tmp_path), *known, "--format", "json"]) == 0
        printed = json.loads(capfd.readouterr().out)
        assert bundle.plan(requests="500/s", bad="1%", replicas=3, noise=noise) == printed
        assert printed["estimate"]["replicas"] == 3
        assert ("noise" in printed["estimate"]) == (noise == "mixed")


def test_what_a_snapshot_shows_is_planned_with_as_on_the_command_line(bundle, tmp_path, capfd):
    (tmp_path / "rollouts.yaml").write_text(POLICY)
    metric = bundle.plan(requests="50/s", bad="1%")["metrics"][0]["name"]
    seen = {
        "now": "2026-11-23T10:00:00Z", "asked": "keep", "stage": "canary", "weight": "5%",
        "since": "2026-11-23T09:00:00Z",
        "release": {
            "service": "checkout", "environment": "prod", "revision": "r2", "stable": "r1",
            "startedAt": "2026-11-23T09:00:00Z",
        },
        "intervals": [{
            "start": "2026-11-23T09:00:00Z", "end": "2026-11-23T10:00:00Z",
            "observations": [{"metric": metric, "cohort": "baseline", "bad": 1800, "total": 180000}],
        }],
    }
    (tmp_path / "seen.json").write_text(json.dumps(seen))
    asked = ["davy", "policy", "plan", str(tmp_path / "rollouts.yaml"), "--snapshot", str(tmp_path / "seen.json")]
    assert _davy.main([*asked, "--format", "json"]) == 0
    printed = json.loads(capfd.readouterr().out)
    assert bundle.plan(snapshot=davy.Snapshot(seen)) == printed
    assert printed["metrics"][0]["estimate"] == {"requests": "50/s", "bad": "1%"}
    seen["intervals"] = []
    with pytest.raises(ValueError, match="Q007"):
        bundle.plan(snapshot=davy.Snapshot(seen))


def test_more_traffic_detects_sooner(bundle):
    def least(requests: str) -> dict:
        return bundle.plan(requests=requests, bad="1%")["metrics"][0]["tests"][0]["seenBy"]

    assert least("5/s") != least("5000/s")


def test_what_cannot_be_planned_says_why(bundle):
    with pytest.raises(ValueError, match="Q004"):
        bundle.plan(requests="50/s", p50="2s", p99="1s")
    with pytest.raises(ValueError, match="50 per second"):
        bundle.plan(requests="50 per second")
    with pytest.raises(ValueError, match="Q006"):
        bundle.plan(noise="loud")
    with pytest.raises(ValueError, match="at least 1"):
        bundle.plan(replicas=0)
    with pytest.raises(OverflowError):
        bundle.plan(replicas=-1)
    with pytest.raises(TypeError):
        bundle.plan("prod", "50/s")
