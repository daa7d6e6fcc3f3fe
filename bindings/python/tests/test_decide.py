"""Deciding, sealing, replaying; the same bytes as every other host."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import davy
import pytest

ROOT = Path(__file__).resolve().parents[3]
VERDICTS = {"healthy": "proceed", "inconclusive": "hold", "regressed": "abort"}


@pytest.mark.parametrize(("name", "verdict"), VERDICTS.items())
def test_a_release_is_decided_as_its_snapshot_says(engine, snapshot, name, verdict):
    step = engine.decide(davy.State(), snapshot(name))
    assert step.decision.verdict == verdict
    assert (step.decision.hold is not None) == (verdict == "hold")
    assert str(step.decision).splitlines()[0].lower().startswith(verdict)
    assert step.decision.to_dict()["verdict"] == verdict


@pytest.mark.parametrize("name", VERDICTS)
def test_records_are_the_golden_bytes_of_the_core(engine, snapshot, name):
    step = engine.decide(davy.State(), snapshot(name))
    golden = ROOT / "core" / "tests" / "golden"
    assert step.seal().bytes == (golden / f"{name}.record.json").read_bytes()
    assert step.state == davy.State.from_json((golden / f"{name}.state.json").read_bytes())


def test_a_record_replays_from_its_inputs_and_from_no_others(engine, snapshot):
    regressed, healthy = snapshot("regressed"), snapshot("healthy")
    record = engine.decide(davy.State(), regressed).seal()
    again = davy.Record.from_bytes(record.bytes)
    again.replay(engine, davy.State(), regressed)
    assert again.digest == record.digest
    assert again.decision == record.decision
    with pytest.raises(davy.ReplayError):
        again.replay(engine, davy.State(), healthy)


def test_text_bytes_and_dict_are_the_same_snapshot(text):
    as_text = text("healthy")
    one = davy.Snapshot(as_text)
    assert one == davy.Snapshot(as_text.encode()) == davy.Snapshot(json.loads(as_text))
    assert one == davy.Snapshot(memoryview(as_text.encode())) == davy.Snapshot(one.to_dict())
    assert one == davy.Snapshot(one.to_json())


def test_a_state_goes_on_where_it_was(engine, snapshot):
    healthy = snapshot("healthy")
    first = engine.decide(davy.State(), healthy).state
    restored = davy.State.from_json(first.to_json())
    assert restored == first
    assert engine.decide(restored, healthy).decision == engine.decide(first, healthy).decision
    assert first.next_release() != first
    assert first.digest.startswith("sha256:")


def test_states_snapshots_and_records_can_be_pickled(engine, snapshot):
    healthy = snapshot("healthy")
    step = engine.decide(davy.State(), healthy)
    assert pickle.loads(pickle.dumps(step.state)) == step.state
    assert pickle.loads(pickle.dumps(healthy)) == healthy
    assert pickle.loads(pickle.dumps(step.seal())).bytes == step.seal().bytes


def test_findings_say_what_where_and_what_would_have_changed_them(engine, snapshot):
    decision = engine.decide(davy.State(), snapshot("regressed")).decision
    reason = decision.reasons[0]
    assert (reason.outcome, reason.hold) == ("fail", None)
    assert reason.code.startswith("health.")
    assert reason.source.startswith("rollouts.yaml:")
    assert reason.message and reason.flip
    assert reason.to_dict()["code"] == reason.code
    assert decision.findings[0] == reason


def test_a_notebook_shows_a_table_in_which_texts_stay_texts(engine, snapshot):
    decision = engine.decide(davy.State(), snapshot("regressed")).decision
    assert decision._repr_html_().startswith('<div class="davy">')
    assert "<script" not in decision._repr_html_()
    assert decision._repr_markdown_().startswith("### abort")


def test_requirements_say_what_to_fetch(engine, snapshot):
    wanted = engine.requirements(davy.State(), snapshot("healthy"))
    assert {"about", "query", "cohort", "from", "to"} <= wanted[0].keys()


@pytest.mark.parametrize("name", VERDICTS)
def test_the_command_line_in_the_wheel_decides_the_same(engine, snapshot, name, tmp_path):
    policy = ROOT / "policies" / "checkout"
    record = tmp_path / "records.jsonl"
    run = subprocess.run(
        [sys.executable, "-m", "davy", "decide", "--policy", policy, "--snapshot", policy / "snapshots" / f"{name}.json"]
        + ["--record", record, "--format", "json"],
        capture_output=True,
        text=True,
    )
    decision = engine.decide(davy.State(), snapshot(name)).decision
    assert run.returncode == {"proceed": 0, "hold": 3, "abort": 4}[decision.verdict], run.stderr
    assert run.stdout.strip().encode() == decision.to_json()


def test_wrong_usage_of_the_command_line_exits_with_two():
    run = subprocess.run([sys.executable, "-m", "davy", "decide", "--nonsense"], capture_output=True)
    assert run.returncode == 2
