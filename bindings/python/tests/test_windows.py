"""Change windows, asked from Python, are what the command line says of them."""

import json
from datetime import datetime, timezone

import davy
import pytest
from davy import _davy

POLICY = """
apiVersion: davy/v1
kind: Rollout
metadata: { name: checkout }
spec:
  health: { metrics: [{ name: errors, bad: bad_total, total: all_total, max: 1% }] }
  calendars: [office-hours]
"""

CALENDAR = """
apiVersion: davy/v1
kind: Calendar
metadata: { name: office-hours }
spec:
  zone: Europe/Berlin
  selector: { everything: true }
  windows:
    - { name: weekdays, kind: allow, cron: '0 9 * * MON-FRI', duration: 8h, reason: somebody is there }
"""

FRIDAY_NIGHT = "2026-11-27T20:00:00Z"


def snapshot(asked: str, service: str = "checkout") -> davy.Snapshot:
    release = {
        "service": service,
        "environment": "prod",
        "revision": "r2",
        "stable": "r1",
        "startedAt": FRIDAY_NIGHT,
    }
    return davy.Snapshot(
        {
            "now": FRIDAY_NIGHT,
            "asked": asked,
            "stage": "canary",
            "weight": "0%",
            "since": FRIDAY_NIGHT,
            "release": release,
        }
    )


@pytest.fixture
def files(tmp_path):
    (tmp_path / "rollouts.yaml").write_text(POLICY)
    (tmp_path / "office-hours.yaml").write_text(CALENDAR)
    return tmp_path


@pytest.fixture
def engine(files) -> davy.Engine:
    return davy.Engine(davy.Bundle.from_path(files))


def printed(capfd, files, *arguments: str):
    _davy.main(["davy", "calendar", *arguments, "--at", FRIDAY_NIGHT, "--format", "json", str(files)])
    return json.loads(capfd.readouterr().out)


def test_windows_explain_what_a_decision_holds_for(engine, files, capfd):
    explained = engine.explain_windows(snapshot("start"))
    assert explained == printed(capfd, files, "explain")
    assert explained["sentence"] == "outside `office-hours/weekdays` (somebody is there); it may go on at 2026-11-30T08:00:00Z"
    decision = engine.decide(davy.State(), snapshot("start")).decision
    assert decision.verdict == "hold" and decision.until == "2026-11-30T08:00:00Z"
    assert engine.explain_windows(snapshot("keep")) is None


def test_the_next_opening_and_every_turn(engine, files, capfd):
    assert engine.next_windows(snapshot("start")) == printed(capfd, files, "next")
    until = datetime(2026, 12, 2, tzinfo=timezone.utc)
    turns = engine.next_windows(snapshot("start"), until)
    assert [(turn["from"], turn["open"]) for turn in turns] == [
        (FRIDAY_NIGHT, False),
        ("2026-11-30T08:00:00Z", True),
        ("2026-11-30T16:00:00Z", False),
        ("2026-12-01T08:00:00Z", True),
        ("2026-12-01T16:00:00Z", False),
    ]
    assert engine.next_windows(snapshot("keep")) == []


def test_the_coming_weeks(engine, files, capfd):
    until = "2026-12-05T00:00:00Z"
    spans = engine.list_windows(snapshot("keep"), until)
    assert spans == printed(capfd, files, "list", "--until", until)["spans"]
    assert [span["start"] for span in spans][0] == "2026-11-30T08:00:00Z" and len(spans) == 5
    assert {span["reason"] for span in spans} == {"somebody is there"}


def test_a_release_of_another_service_is_refused_rather_than_called_free_to_go(engine):
    other = snapshot("start", service="search")
    for asked in (engine.explain_windows, engine.next_windows, lambda of: engine.list_windows(of, "2026-12-05T00:00:00Z")):
        with pytest.raises(ValueError, match="about the service `checkout`, not about `search`"):
            asked(other)
