"""WebAssembly plugins: measured before the decision, with the values that every host measures."""

import json
from pathlib import Path

import davy
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "conformance" / "bundles" / "plugin"


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
