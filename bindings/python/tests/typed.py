"""What a type checker must accept, and what it must not."""

import davy

engine = davy.Engine(davy.Bundle.from_files({"rollouts.yaml": davy.starter("checkout")}))
snapshot = davy.Snapshot(b"{}").with_series(
    "30s", [davy.Series.counts("errors", "canary", [0, 30_000], bad=[1, 2], total=[3, 4])]
)
step = engine.decide(davy.State(), snapshot)
if step.decision.verdict == "abort":
    reasons: list[davy.Finding] = step.decision.reasons
record: bytes = step.seal().bytes
davy.Series.counts("errors", "somebody", [0], bad=[1], total=[1])  # type: ignore[arg-type]
engine.decide(snapshot, davy.State())  # type: ignore[arg-type]
planned: dict[str, object] = davy.Bundle.from_files({}).plan("prod", requests="50/s")
turns: list[dict[str, object]] = engine.next_windows(snapshot, "2026-12-01T00:00:00Z")
engine.list_windows(snapshot)  # type: ignore[call-arg]
