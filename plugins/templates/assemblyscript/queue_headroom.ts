// How much of a queue is free: a metric in AssemblyScript, by hand on the canonical ABI of `davy:plugin@0.1.0`.

// Every call has a fresh instance: the runtime `stub` never gives memory back, and nothing needs to.
export function cabi_realloc(old: usize, had: usize, align: usize, bytes: usize): usize {
  // What is empty may lie anywhere that is aligned.
  if (bytes == 0) return align;
  const place = heap.alloc(bytes); // aligned to 16 bytes
  if (had > 0) memory.copy(place, old, min(had, bytes));
  return place;
}

/** Writes where a text is and how long it is. */
function text(at: usize, value: string): void {
  const bytes = String.UTF8.encode(value);
  store<usize>(at, changetype<usize>(bytes), 0);
  store<u32>(at, bytes.byteLength, 4);
}

function same(at: usize, length: u32, value: string): bool {
  return String.UTF8.decodeUnsafe(at, length) == value;
}

/** A number among the parameters: of these there is one, so that nothing but its digits is looked for. */
function number(at: usize, length: u32, key: string, otherwise: f64): f64 {
  const json = String.UTF8.decodeUnsafe(at, length);
  const found = json.indexOf('"' + key + '"');
  if (found < 0) return otherwise;
  const from = json.indexOf(":", found) + 1;
  let to = from;
  while (to < json.length && json.charAt(to) != "," && json.charAt(to) != "}") to++;
  return F64.parseFloat(json.substring(from, to).trim());
}

export function describe(): usize {
  const said = heap.alloc(56);
  text(said, "queue-headroom");
  text(said + 8, "1.0.0");
  text(said + 16, "How much of the queue is free, from 0 to 1");
  store<u8>(said, 1, 24); // `value`, and its unit
  text(said + 28, "1");
  store<u32>(said, 1, 36); // the window
  const input = heap.alloc(20);
  text(input, "depth");
  text(input + 8, "Length of the queue");
  store<u8>(input, 2, 16); // `gauge`
  store<u8>(input, 0, 17); // not optional
  store<usize>(said, input, 40);
  store<u32>(said, 1, 44); // one input
  text(said + 48, '{ "type": "object", "properties": { "limit": { "type": "number" } } }');
  return said;
}

export function evaluate(
  parameters: usize, parametersLength: u32, start: u64, every: u64, window: u32,
  series: usize, seriesCount: u32, baseline: usize, baselineCount: u32,
): usize {
  let sum: f64 = 0, replicas: f64 = 0;
  for (let i: u32 = 0; i < seriesCount; i++) {
    // A series: input 0, replica 8, which intervals 20, how many 24, form 28, values 32, how many 36; 40 bytes.
    const one = series + 40 * i;
    const seen = load<u32>(one, 24), values = load<u32>(one, 36);
    if (seen == 0 || values == 0 || !same(load<usize>(one), load<u32>(one, 4), "depth")) continue;
    if (load<u32>(load<usize>(one, 20) + 4 * (seen - 1)) + 1 != window) continue;
    sum += load<f64>(load<usize>(one, 32) + 8 * (values - 1));
    replicas += 1;
  }
  const outcome = heap.alloc(32);
  if (replicas == 0) {
    store<u8>(outcome, 1); // an error, and its sentence
    text(outcome + 8, "no depth was observed");
    return outcome;
  }
  const limit = number(parameters, parametersLength, "limit", 100);
  store<u8>(outcome, 0); // a result:
  store<u8>(outcome, 0, 8); // a value
  store<f64>(outcome, max(0.0, 1 - sum / replicas / limit), 16);
  return outcome;
}
