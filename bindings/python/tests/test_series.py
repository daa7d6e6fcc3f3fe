"""Columns: lists, NumPy, pandas and Arrow say the same, and nothing becomes healthy on the way."""

import resource
from datetime import datetime, timezone

import davy
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

STARTS = [1_795_687_200_000, 1_795_687_230_000]
BASE = {
    "now": "2026-11-26T10:02:00Z",
    "asked": "keep",
    "stage": "canary",
    "weight": "5%",
    "since": "2026-11-26T10:00:00Z",
    "release": {
        "service": "checkout",
        "environment": "prod",
        "revision": "r2",
        "stable": "r1",
        "startedAt": "2026-11-26T10:00:00Z",
    },
}


def observations(series):
    snapshot = davy.Snapshot(BASE).with_series("30s", series)
    return [interval["observations"] for interval in snapshot.to_dict()["intervals"]]


@pytest.mark.parametrize(
    "wrap",
    [
        list,
        tuple,
        lambda values: np.array(values, dtype="int64"),
        lambda values: np.array(values, dtype="uint64"),
        lambda values: np.array(values, dtype="int32")[:],
        lambda values: np.array([values, values]).T[:, 0],
        pd.Series,
        pa.array,
        lambda values: pa.array([0, *values], type=pa.uint64())[1:],
        lambda values: pa.chunked_array([values[:1], values[1:]]),
    ],
)
def test_counts_come_from_anything_that_holds_integers(wrap):
    errors = davy.Series.counts("errors", "canary", STARTS, bad=wrap([3, 0]), total=wrap([1204, 1187]))
    expected = {"metric": "errors", "cohort": "canary", "bad": 3, "total": 1204}
    assert observations([errors])[0] == [expected]
    assert len(errors) == 2


@pytest.mark.parametrize(
    "starts",
    [
        STARTS,
        np.array(STARTS),
        np.array(STARTS).astype("datetime64[ms]"),
        np.array(STARTS).astype("datetime64[ms]").astype("datetime64[ns]"),
        pa.array(STARTS, type=pa.timestamp("ms", tz="UTC")),
        pa.array([start * 1_000_000 for start in STARTS], type=pa.timestamp("ns")),
        pa.array([start // 1000 for start in STARTS], type=pa.timestamp("s")),
        pd.Series(pd.to_datetime(STARTS, unit="ms", utc=True)),
        [datetime.fromtimestamp(start / 1000, timezone.utc) for start in STARTS],
        ["2026-11-26T10:00:00Z", "2026-11-26T11:00:30+01:00"],
    ],
)
def test_instants_come_in_every_usual_form(starts):
    events = davy.Series.events("restarts", "canary", starts, events=[0, 1])
    snapshot = davy.Snapshot(BASE).with_series("30s", [events])
    assert [interval["start"] for interval in snapshot.to_dict()["intervals"]] == [
        "2026-11-26T10:00:00Z",
        "2026-11-26T10:00:30Z",
    ]


def test_nothing_is_not_zero():
    gauge = davy.Series.gauge("cpu", "canary", STARTS, values=[float("nan"), float("inf")])
    errors = davy.Series.counts("errors", "canary", STARTS, bad=pa.array([None, 1]), total=pa.array([5, 5]))
    first, second = observations([gauge, errors])
    assert {"metric": "cpu", "cohort": "canary", "missing": "NaN"} in first
    assert {"metric": "errors", "cohort": "canary", "missing": "noData"} in first
    assert {"metric": "cpu", "cohort": "canary", "missing": "+Inf"} in second


def test_histograms_come_as_columns_too():
    classic = davy.Series.buckets(
        "search", "canary", STARTS, bounds=[0.1, 0.5], at_most=np.array([5, 9, 1, 2]), total=[10, 2]
    )
    native = davy.Series.histogram(
        "latency", "baseline", STARTS, schema=3, zero=[1, 0], offsets=[0, 2, 2], index=[-4, 7], count=[8, 1], replica="a"
    )
    first, _ = observations([classic, native])
    assert {"metric": "search", "cohort": "canary", "buckets": {"atMost": [[0.1, 5], [0.5, 9]], "total": 10}} in first
    histogram = {"schema": 3, "zero": 1, "buckets": [[-4, 8], [7, 1]]}
    assert {"metric": "latency", "cohort": "baseline", "replica": "a", "histogram": histogram} in first


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ([1], "S040"),
        ([5, 1], "S023"),
        (np.array([0.5, 1.0]), "counts are integers"),
        (pa.array([0.5, 1.0]), "counts are integers"),
        (np.array([-1, 1]), "-1 is no count"),
        (["a", "b"], "`bad`"),
        ([2**60, 1], "S012"),
    ],
)
def test_what_is_no_count_is_refused_by_name(bad, complaint):
    with pytest.raises((davy.SeriesError, ValueError), match=complaint):
        observations([davy.Series.counts("errors", "canary", STARTS, bad=bad, total=[1, 1])])


def test_arrow_buffers_are_read_where_they_lie():
    total = pa.array(range(1_000_000), type=pa.uint64())
    starts = pa.array(range(1_000_000), type=pa.int64())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    series = [davy.Series.counts("e", "canary", starts, bad=total, total=total) for _ in range(50)]
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100_000, "copies would take 1 200 000 KiB"
    assert len(series[0]) == 1_000_000
