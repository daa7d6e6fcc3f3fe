"""WebAssembly plugins: measured before the decision, with the values that every host measures."""

import hashlib
import json
import warnings
from pathlib import Path

import davy
import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "bindings" / "conformance" / "bundles" / "plugin"


def depth(gauge):
    start = "2026-11-26T10:00:00Z"
    release = {"service": "shop", "environment": "prod", "revision": "r2", "stable": "r1", "startedAt": start}
    observed = {"metric": "depth.samples", "cohort": "canary", "gauge": gauge}
    return davy.Snapshot({
        "now": "2026-11-26T10:00:30Z", "asked": "promote", "stage": "canary", "weight": "5%", "since": start,
        "release": release,
        "intervals": [{"start": start, "end": "2026-11-26T10:00:30Z", "observations": [observed]}],
    })


def files(**replaced):
    text = (FOLDER / "rollouts.yaml").read_text(encoding="utf-8")
    for old, new in replaced.values():
        assert old in text
        text = text.replace(old, new)
    return {"rollouts.yaml": text, "sum.wasm": (FOLDER / "sum.wasm").read_bytes()}


@pytest.fixture(scope="module")
def bundle():
    return davy.Bundle.from_path(FOLDER)


@pytest.mark.parametrize(("gauge", "verdict"), [(7.25, "proceed"), (10.5, "abort")])
def test_a_plugin_measures_before_a_decision(bundle, gauge, verdict):
    engine, before = davy.Engine(bundle), depth(gauge)
    assert engine.decide(davy.State(), before).decision.verdict == "hold"
    after = engine.measure(davy.Plugins(bundle), before)
    assert after != before and "plugins" not in before.to_dict()
    run = after.to_dict()["plugins"][0]
    assert run["outcome"] == {"value": gauge} and run["fuel"] > 0
    step = engine.decide(davy.State(), after)
    assert step.decision.verdict == verdict
    # A replay runs no plugin.
    step.seal().replay(engine, davy.State(), davy.Snapshot(after.to_json()))
    assert engine.measure(davy.Plugins(bundle), after) == after, "what is there stays"


def test_the_same_values_with_room_for_interpreters_and_from_a_cache(bundle, tmp_path):
    engine = davy.Engine(bundle)

    def measured(**how):
        run = engine.measure(davy.Plugins(bundle, **how), depth(3)).to_dict()["plugins"][0]
        return json.dumps({key: run[key] for key in ("outcome", "fuel", "plugin")})

    cache = tmp_path / "compiled"
    assert measured() == measured(interpreters=True) == measured(cache=cache) == measured(cache=str(cache))
    assert len(list(cache.iterdir())) == 1


def test_compiled_code_that_was_changed_is_told_and_not_run(bundle, tmp_path):
    cache = tmp_path / "compiled"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        davy.Plugins(bundle, cache=cache)
    (kept,) = cache.iterdir()
    kept.write_bytes(b"changed")
    with pytest.warns(RuntimeWarning, match="W017") as told:
        plugins = davy.Plugins(bundle, cache=cache)
    assert len(told) == 1 and told[0].filename == __file__
    assert davy.Engine(bundle).measure(plugins, depth(3)).to_dict()["plugins"][0]["outcome"] == {"value": 3}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        davy.Plugins(bundle, cache=cache)


PING = ROOT / "bindings" / "cli" / "tests" / "data" / "plugins" / "ping.wat"
FLOW = """
apiVersion: davy/v1
kind: ProbeFlow
metadata: { name: home }
spec:
  targets: { prod: { baseUrl: https://shop.example, addressPolicy: any } }
  steps: [{ id: a, wasm: { path: ping.wasm, digest: "sha256:DIGEST" } }]
"""


@pytest.mark.parametrize(("status", "verdict"), [(200, "pass"), (500, "fail")])
def test_a_plugin_takes_the_turns_of_a_probe_step(tmp_path, status, verdict):
    assert davy._davy.main(["davy", "plugin", "build", str(PING), "--out", str(tmp_path / "ping.wasm")]) == 0
    component = (tmp_path / "ping.wasm").read_bytes()
    flow = FLOW.replace("DIGEST", hashlib.sha256(component).hexdigest())
    bundle = davy.Bundle.from_files({"rollouts.yaml": davy.starter("shop"), "home.yaml": flow, "ping.wasm": component})
    plugins, now = davy.Plugins(bundle), "2026-11-26T10:00:00Z"
    run, asked = bundle.probes["home"].start("prod", 1, now), []
    for _ in range(20):
        step = run.poll(now)
        if "done" in step:
            break
        effect, asks = step["effect"]
        if "turn" in asks:
            run.handle(now, effect, plugins.turn(asks["turn"]))
        else:
            asked.append(asks["http"]["url"])
            answer = {"status": status, "version": "1.1", "headers": [], "body": "pong"}
            run.handle(now, effect, {"http": answer})
    assert step["done"]["verdict"] == verdict and asked == ["https://shop.example/ping"]
    with pytest.raises(davy.ProbeError, match="no turn"):
        plugins.turn("{}")


def test_what_does_not_fit_is_refused_with_its_place(tmp_path):
    broken = davy.Bundle.from_files(files(parameters=("limit: 3", "limit: 0")))
    with pytest.raises(davy.PolicyError) as refused:
        davy.Plugins(broken)
    (diagnostic,) = refused.value.diagnostics
    assert "expected a whole number from 1" in diagnostic.message and diagnostic.line > 1
    (tmp_path / "open").mkdir(mode=0o755)
    with pytest.raises(davy.PluginError) as refused:
        davy.Plugins(davy.Bundle.from_files(files()), cache=tmp_path / "open")
    assert refused.value.code == "W015"
    assert repr(davy.Plugins(davy.Bundle.from_files(files()))).startswith("<davy.Plugins")
