// How much of a queue is free: a metric in JavaScript, for componentize-qjs.

const parameters = {
  type: "object",
  properties: { limit: { type: "number", description: "Length of the queue at which nothing is free." } },
};

/** The value of the evaluated interval, the mean over replicas. */
function latestGauge(seen, name) {
  const current = seen.series.filter(
    (series) => series.input === name && series.at.length > 0 && series.at.at(-1) + 1 === seen.window,
  );
  const values = current.map((series) => series.data.val.at(-1));
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

export const measure = {
  describe() {
    return {
      name: "queue-headroom",
      version: "1.0.0",
      summary: "How much of the queue is free, from 0 to 1",
      measures: { tag: "value", val: "1" },
      window: 1,
      inputs: [{ name: "depth", summary: "Length of the queue", form: "gauge", optional: false }],
      parameters: JSON.stringify(parameters),
    };
  },

  evaluate(given, observed) {
    const { limit = 100 } = JSON.parse(given || "{}");
    const depth = latestGauge(observed, "depth");
    if (depth === undefined) throw "no depth was observed"; // what is thrown is the sentence that people read
    return { tag: "value", val: Math.max(0, 1 - depth / limit) };
  },
};
