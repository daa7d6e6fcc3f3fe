"""Handles are shared by threads, and nothing is left behind."""

import gc
import resource
from concurrent.futures import ThreadPoolExecutor

import davy


def test_eight_threads_share_one_engine(engine, snapshot):
    looks = {name: snapshot(name) for name in ("healthy", "inconclusive", "regressed")}
    expected = {name: engine.decide(davy.State(), look).seal().bytes for name, look in looks.items()}

    def many(worker):
        for turn in range(300):
            name = list(looks)[(worker + turn) % 3]
            assert engine.decide(davy.State(), looks[name]).seal().bytes == expected[name]
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(many, range(8)))


def test_a_million_calls_do_not_grow_memory(engine, snapshot):
    healthy = snapshot("healthy")
    state = engine.decide(davy.State(), healthy).state

    def calls(count):
        for _ in range(count):
            engine.decide(state, healthy)

    calls(50_000)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    calls(1_000_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2_048  # KiB
