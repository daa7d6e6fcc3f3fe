"""What Python pays over Rust, beside cedarpy for scale: `overhead.py RUST`, where RUST is the built bench `bindings`.

Rust and Python take turns, so that both meet the same noise; shown are medians over the turns, in microseconds.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import davy
import pyarrow as pa

TURNS = 7
ROWS = 64


def micros(calls, call):
    """Microseconds of one call: the median of nine rounds."""
    rounds = []
    for _ in range(9):
        began = time.perf_counter_ns()
        for _ in range(calls):
            call()
        rounds.append((time.perf_counter_ns() - began) / calls / 1000)
    return statistics.median(rounds)


def rust(program, folder):
    env = {**os.environ, "DAVY_OVERHEAD": folder}
    lines = subprocess.run([program], check=True, capture_output=True, text=True, env=env).stdout.splitlines()
    return {name: float(nanos) / 1000 for name, nanos in (line.split() for line in lines)}


def python(folder):
    engine = davy.Engine(davy.Bundle.from_path(folder / "rollouts.yaml"))
    whole = (folder / "snapshot.json").read_bytes()
    newest = davy.Snapshot((folder / "newest.json").read_bytes())
    state, fresh = davy.State.from_json((folder / "state.json").read_bytes()), davy.State()
    batch = pa.record_batch({"snapshot": pa.array([whole] * ROWS, pa.binary())})
    return {
        "decide": micros(5000, lambda: engine.decide(state, newest)),
        "bytes": micros(200, lambda: engine.decide(fresh, davy.Snapshot(whole)).decision.to_json()),
        "row": micros(4, lambda: davy.decide_batch(engine, batch)) / ROWS,
    }


def cedar():
    """One permit with ten conditions over a context of ten numbers, as a host would ask it: text in, answer out."""
    try:
        import cedarpy
    except ImportError:
        return None
    conditions = " && ".join(f"context.metric{i} < 100" for i in range(10))
    policies = f"permit(principal, action, resource) when {{ {conditions} }};"
    context = {f"metric{i}": i for i in range(10)}
    request = {"principal": 'User::"a"', "action": 'Action::"go"', "resource": 'Release::"r2"', "context": context}
    assert cedarpy.is_authorized(request, policies, []).allowed
    return micros(500, lambda: cedarpy.is_authorized(request, policies, []))


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        turns = [(rust(program, folder), python(pathlib.Path(folder))) for _ in range(TURNS)]
    print(f"{'':42}{'Rust':>10}{'Python':>10}{'over':>10}{'ratio':>8}")
    for name, title in [
        ("decide", "decide on parsed handles, folded state"),
        ("bytes", "from a snapshot's bytes to a decision's"),
        ("row", "a row of decide_batch, with its state"),
    ]:
        ours = statistics.median(turn[1][name] for turn in turns)
        theirs = statistics.median(turn[0][name] for turn in turns)
        print(f"{title:42}{theirs:10.2f}{ours:10.2f}{ours - theirs:10.2f}{ours / theirs:8.3f}")
    if (asked := cedar()) is not None:
        print(f"{'cedarpy.is_authorized, ten conditions':42}{'':10}{asked:10.2f}")


main()
