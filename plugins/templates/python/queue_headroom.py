"""How much of a queue is free: a metric in Python, for componentize-py."""

import json
from typing import Optional

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import measure
from wit_world.exports.measure import Description, Form, Input, Measures_Value, Observed, Outcome_Value

PARAMETERS = {
    "type": "object",
    "properties": {"limit": {"type": "number", "description": "Length of the queue at which nothing is free."}},
}


def latest_gauge(seen: Observed, name: str) -> Optional[float]:
    """The value of the evaluated interval, the mean over replicas."""
    values = [
        series.data.value[-1]
        for series in seen.series
        if series.input == name and series.at and series.at[-1] + 1 == seen.window
    ]
    return sum(values) / len(values) if values else None


class Measure(exports.Measure):
    def describe(self) -> Description:
        return Description(
            name="queue-headroom",
            version="1.0.0",
            summary="How much of the queue is free, from 0 to 1",
            measures=Measures_Value("1"),
            window=1,
            inputs=[Input("depth", "Length of the queue", Form.GAUGE, False)],
            parameters=json.dumps(PARAMETERS),
        )

    def evaluate(self, parameters: str, observed: Observed) -> measure.Outcome:
        limit = json.loads(parameters or "{}").get("limit", 100)
        depth = latest_gauge(observed, "depth")
        if depth is None:
            raise Err("no depth was observed")
        return Outcome_Value(max(0.0, 1 - depth / limit))
