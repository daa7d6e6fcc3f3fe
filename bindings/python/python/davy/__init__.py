"""Given what has been observed of a release, may it go further?

>>> import davy
>>> bundle = davy.Bundle.from_files({"rollouts.yaml": davy.starter("checkout")})
>>> engine = davy.Engine(bundle)
>>> snapshot = davy.Snapshot({
...     "now": "2026-11-26T10:00:00Z", "asked": "keep", "stage": "canary", "weight": "5%",
...     "since": "2026-11-26T10:00:00Z",
...     "release": {"service": "checkout", "environment": "prod", "revision": "r2", "stable": "r1",
...                 "startedAt": "2026-11-26T10:00:00Z"},
... })
>>> step = engine.decide(davy.State(), snapshot)
>>> step.decision.verdict
'proceed'
>>> record = step.seal()
>>> record.replay(engine, davy.State(), snapshot)

Everything is immutable and may be shared between threads. `step.state` must be handed in at the next look.
"""

from ._davy import (
    SEMANTICS,
    Bundle,
    DavyError,
    Decision,
    Diagnostic,
    Engine,
    Finding,
    PluginError,
    Plugins,
    PolicyError,
    ProbeError,
    ProbeFlow,
    ProbeRun,
    Record,
    ReplayError,
    SealError,
    Series,
    SeriesError,
    Snapshot,
    SnapshotError,
    State,
    Step,
    __version__,
    decide_batch,
    lint,
    probe_schema,
    rollout_schema,
    starter,
)

__all__ = [
    "SEMANTICS",
    "Bundle",
    "DavyError",
    "Decision",
    "Diagnostic",
    "Engine",
    "Finding",
    "PluginError",
    "Plugins",
    "PolicyError",
    "ProbeError",
    "ProbeFlow",
    "ProbeRun",
    "Record",
    "ReplayError",
    "SealError",
    "Series",
    "SeriesError",
    "Snapshot",
    "SnapshotError",
    "State",
    "Step",
    "__version__",
    "decide_batch",
    "lint",
    "probe_schema",
    "rollout_schema",
    "starter",
]
