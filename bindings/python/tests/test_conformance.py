"""One corpus, every host: what Python answers to `bindings/conformance/cases.txt`."""

from pathlib import Path

import davy
import pytest

CORPUS = Path(__file__).resolve().parents[2] / "conformance"


def cases():
    lines = (CORPUS / "cases.txt").read_text(encoding="utf-8").split("\n")
    return [lines[at : at + 7] for at in range(0, len(lines) - 7, 8)]


@pytest.fixture(scope="module")
def engines():
    return {
        folder.name: davy.Engine(davy.Bundle.from_path(folder)) for folder in (CORPUS / "bundles").iterdir()
    }


def test_the_corpus_is_there():
    assert len(cases()) >= 200


@pytest.mark.parametrize("case", cases(), ids=lambda case: case[0])
def test_python_answers_with_the_same_bytes(engines, case):
    _, bundle, state, snapshot, kind, answer, following = case
    try:
        before = davy.State.from_json(state) if state else davy.State()
        observed = davy.Snapshot(snapshot)
    except davy.SnapshotError as refused:
        assert kind in ("state", "snapshot") and str(refused) == answer
        return
    step = engines[bundle].decide(before, observed)
    assert kind == "record"
    assert step.seal().bytes.decode() == answer
    assert step.state.to_json().decode() == following
