"""Random snapshots survive every way in and out."""

import davy
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True)
COUNTS = st.integers(0, 2**53 - 1)
STARTS = [1_795_687_200_000 + 30_000 * index for index in range(4)]


def instants():
    return st.integers(0, 4_000_000_000).map(lambda seconds: f"{1970 + seconds % 100:04}-01-01T00:00:00Z")


@st.composite
def snapshots(draw):
    bad = draw(st.lists(COUNTS, min_size=4, max_size=4))
    total = [draw(st.integers(count, 2**53 - 1)) for count in bad]
    observed = [
        {
            "start": f"2026-11-26T10:{index // 2:02}:{30 * (index % 2):02}Z",
            "end": f"2026-11-26T10:{(index + 1) // 2:02}:{30 * ((index + 1) % 2):02}Z",
            "observations": [{"metric": "errors", "cohort": "canary", "bad": bad[index], "total": total[index]}],
        }
        for index in range(4)
    ]
    plain = {
        "now": draw(instants()),
        "asked": draw(st.sampled_from(["start", "promote", "keep", {"advance": {"to": "25%"}}])),
        "stage": draw(st.sampled_from(["canary", "live"])),
        "weight": draw(st.integers(0, 100).map(lambda percent: f"{percent}%")),
        "since": draw(instants()),
        "release": {
            "service": draw(NAMES),
            "environment": draw(NAMES),
            "revision": draw(NAMES),
            "stable": draw(NAMES),
            "startedAt": draw(instants()),
        },
    }
    return plain, observed, bad, total


@settings(max_examples=150, deadline=None)
@given(snapshots())
def test_dict_json_and_columns_are_the_same_snapshot(drawn):
    plain, observed, bad, total = drawn
    whole = davy.Snapshot({**plain, "intervals": observed})
    assert davy.Snapshot(whole.to_json()) == whole
    assert davy.Snapshot(whole.to_dict()) == whole
    columns = davy.Series.counts("errors", "canary", STARTS, bad=bad, total=total)
    assert davy.Snapshot(plain).with_series("30s", [columns]) == whole


@settings(max_examples=150, deadline=None)
@given(snapshots())
def test_every_snapshot_is_decided_sealed_and_replayed(drawn):
    plain, observed, *_ = drawn
    engine = davy.Engine(davy.Bundle.from_files({"rollouts.yaml": davy.starter("checkout")}))
    snapshot = davy.Snapshot({**plain, "intervals": observed})
    step = engine.decide(davy.State(), snapshot)
    step.seal().replay(engine, davy.State(), snapshot)
    assert davy.State.from_json(step.state.to_json()) == step.state


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_raise(noise):
    for read in (davy.Snapshot, davy.State.from_json, davy.Record.from_bytes):
        try:
            read(noise)
        except davy.DavyError:
            pass
