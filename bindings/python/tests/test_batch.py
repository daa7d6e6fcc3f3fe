"""Many looks at once give what single looks give."""

import davy
import pyarrow as pa
import pytest

NAMES = ["healthy", "inconclusive", "regressed"]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.string_view()])
def test_rows_are_decided_as_one_by_one(engine, text, snapshot, kind):
    rows = pa.table({"snapshot": pa.array([text(name).encode() for name in NAMES]).cast(pa.binary()).cast(kind)})
    decided = pa.table(davy.decide_batch(engine, rows, seal=True)).to_pylist()
    for name, row in zip(NAMES, decided, strict=True):
        step = engine.decide(davy.State(), snapshot(name))
        assert row["verdict"] == step.decision.verdict
        assert row["hold"] == step.decision.hold
        assert row["decision"].encode() == step.decision.to_json()
        assert row["state"].encode() == step.state.to_json()
        assert row["record"] == step.seal().bytes
        assert row["error"] is None


def test_states_go_along_and_a_broken_row_leaves_the_others_alone(engine, text):
    first = pa.record_batch({"snapshot": [text("healthy"), "{", None], "state": pa.array([None] * 3, pa.string())})
    decided = pa.table(davy.decide_batch(engine, first)).to_pylist()
    assert [row["verdict"] for row in decided] == ["proceed", None, None]
    assert "S001" in decided[1]["error"] and decided[2]["error"] == "the snapshot is null"
    again = pa.record_batch({"snapshot": [text("healthy")] * 2, "state": [decided[0]["state"], "nonsense"]})
    decided = pa.table(davy.decide_batch(engine, again)).to_pylist()
    assert [row["verdict"] for row in decided] == ["proceed", None]
    assert decided[1]["error"].startswith("state: ")


def test_batches_come_as_a_stream(engine, text):
    schema = pa.schema({"snapshot": pa.string()})
    batches = (pa.record_batch([[text(name)]], schema=schema) for name in NAMES)
    reader = pa.RecordBatchReader.from_batches(schema, batches)
    assert pa.table(davy.decide_batch(engine, reader)).column("verdict").to_pylist() == ["proceed", "hold", "abort"]


def test_a_table_without_snapshots_is_refused(engine):
    with pytest.raises(ValueError, match="snapshot"):
        davy.decide_batch(engine, pa.table({"other": [1]}))
    with pytest.raises(ValueError, match="Int64"):
        davy.decide_batch(engine, pa.table({"snapshot": [1]}))
