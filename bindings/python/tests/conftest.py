"""What the tests share: the checkout policy and its snapshots, as they stand in the repository."""

import json
from pathlib import Path

import davy
import pytest

ROOT = Path(__file__).resolve().parents[3]
CHECKOUT = ROOT / "policies" / "checkout"


@pytest.fixture(scope="session")
def engine():
    return davy.Engine(davy.Bundle.from_path(CHECKOUT))


@pytest.fixture
def text():
    return lambda name: (CHECKOUT / "snapshots" / f"{name}.json").read_text(encoding="utf-8")


@pytest.fixture
def snapshot(text):
    return lambda name: davy.Snapshot(json.loads(text(name)))
