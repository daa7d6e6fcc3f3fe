"""What is refused, and how it says so."""

import davy
import pytest

MINIMAL = """
apiVersion: davy/v1
kind: Rollout
metadata: { name: checkout }
spec: { health: { metrics: [{ name: errors, bad: 'http_errors_total', total: 'http_requests_total', max: 1% }] } }
"""


def test_a_bundle_is_refused_with_everything_that_is_wrong():
    broken = MINIMAL.replace("metrics", "metrix").replace("name: checkout", "nam: checkout")
    with pytest.raises(davy.PolicyError) as refused:
        davy.Bundle.from_files({"rollouts.yaml": broken})
    error = refused.value
    assert isinstance(error, davy.DavyError)
    assert len(error.diagnostics) >= 2
    assert (error.file, error.line) == ("rollouts.yaml", 4)
    first = error.diagnostics[0]
    assert (first.severity, first.code, first.line, first.column) == ("error", "D012", 4, error.column)
    assert first.message and str(first).startswith("rollouts.yaml:4:")
    assert any(diagnostic.code == "D011" and "metrics" in (diagnostic.hint or "") for diagnostic in error.diagnostics)


def test_lint_raises_nothing():
    warnings = davy.lint({"rollouts.yaml": MINIMAL})
    assert warnings and {warning.severity for warning in warnings} == {"warning"}
    assert davy.lint({"rollouts.yaml": "]"})[0].severity == "error"


def test_a_snapshot_is_refused_with_its_place():
    with pytest.raises(davy.SnapshotError) as refused:
        davy.Snapshot('{\n  "now": 3 }')
    error = refused.value
    assert error.code.startswith("S") and error.line == 2 and error.column > 1


@pytest.mark.parametrize("json", [3, None, 2.5, [1], object()])
def test_what_is_no_json_is_a_type_error(json):
    with pytest.raises(TypeError, match="expected a dict, str or bytes"):
        davy.Snapshot(json)


def test_nan_in_a_dict_is_refused():
    with pytest.raises(ValueError):
        davy.Snapshot({"now": float("nan")})


def test_records_of_others_are_refused():
    with pytest.raises(davy.ReplayError):
        davy.Record.from_bytes(b"{}")


def test_a_missing_policy_is_an_os_error(tmp_path):
    with pytest.raises(OSError):
        davy.Bundle.from_path(tmp_path / "nothing")


def test_classes_are_frozen():
    with pytest.raises(AttributeError):
        davy.State().digest = "other"  # type: ignore[misc]
