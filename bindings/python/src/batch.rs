//! Many looks at once: one row of a record batch is one snapshot, with the state before it.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, StringBuilder};
use arrow_array::cast::AsArray as _;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use davy::{Engine, Snapshot, State, canonical_json};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use pyo3_arrow::input::AnyRecordBatch;

use crate::decision::kind;
use crate::engine::PyEngine;

/// Decides every row of Arrow record batches: columns `snapshot` (JSON as text or binary) and, if given, `state` (null for a
/// new one). The answer is a table with `verdict`, `hold`, `decision`, `state`, `record` (only with `seal`) and `error`
/// of each row. Other Python threads run meanwhile.
#[pyfunction]
#[pyo3(signature = (engine, batches, *, seal = false))]
pub(crate) fn decide_batch(
    py: Python<'_>,
    engine: &Bound<'_, PyEngine>,
    batches: AnyRecordBatch,
    seal: bool,
) -> PyResult<PyTable> {
    let engine = &engine.get().0;
    let reader = batches.into_reader()?;
    let decided = py.detach(|| {
        let decided = reader.map(|batch| decide(engine, &batch?, seal)).collect::<Result<Vec<_>, ArrowError>>()?;
        Ok::<_, ArrowError>(decided)
    });
    let decided = decided.map_err(|error| PyValueError::new_err(error.to_string()))?;
    PyTable::try_new(decided, Arc::new(schema(seal)))
}

fn schema(seal: bool) -> Schema {
    let mut fields = vec![
        Field::new("verdict", DataType::Utf8, true),
        Field::new("hold", DataType::Utf8, true),
        Field::new("decision", DataType::Utf8, true),
        Field::new("state", DataType::Utf8, true),
    ];
    if seal {
        fields.push(Field::new("record", DataType::Binary, true));
    }
    fields.push(Field::new("error", DataType::Utf8, true));
    Schema::new(fields)
}

/// One row's answer: what `Engine.decide` says, or why there was nothing to decide.
struct Row {
    verdict: &'static str,
    hold: Option<&'static str>,
    decision: String,
    state: String,
    record: Option<Vec<u8>>,
}

fn decide(engine: &Engine, batch: &RecordBatch, seal: bool) -> Result<RecordBatch, ArrowError> {
    let snapshots = column(batch, "snapshot")?
        .ok_or_else(|| ArrowError::SchemaError("there is no column `snapshot`".to_owned()))?;
    let states = column(batch, "state")?;
    let (mut verdicts, mut holds) = (StringBuilder::new(), StringBuilder::new());
    let (mut decisions, mut next) = (StringBuilder::new(), StringBuilder::new());
    let (mut records, mut errors) = (BinaryBuilder::new(), StringBuilder::new());
    for row in 0..batch.num_rows() {
        let state = states.as_ref().and_then(|states| states.bytes(row));
        let decided = decide_row(engine, snapshots.bytes(row), state, seal);
        let (row, error) = match decided {
            Ok(row) => (Some(row), None),
            Err(error) => (None, Some(error)),
        };
        let row = row.as_ref();
        verdicts.append_option(row.map(|row| row.verdict));
        holds.append_option(row.and_then(|row| row.hold));
        decisions.append_option(row.map(|row| &row.decision));
        next.append_option(row.map(|row| &row.state));
        records.append_option(row.and_then(|row| row.record.as_deref()));
        errors.append_option(error);
    }
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(verdicts.finish()),
        Arc::new(holds.finish()),
        Arc::new(decisions.finish()),
        Arc::new(next.finish()),
    ];
    if seal {
        columns.push(Arc::new(records.finish()));
    }
    columns.push(Arc::new(errors.finish()));
    RecordBatch::try_new(Arc::new(schema(seal)), columns)
}

fn decide_row(engine: &Engine, snapshot: Option<&[u8]>, state: Option<&[u8]>, seal: bool) -> Result<Row, String> {
    let snapshot = snapshot.ok_or_else(|| "the snapshot is null".to_owned())?;
    let snapshot = Snapshot::from_json(snapshot).map_err(|error| format!("snapshot: {error}"))?;
    let state = state.map_or_else(|| Ok(State::new()), State::from_json).map_err(|error| format!("state: {error}"))?;
    let step = engine.decide(&state, &snapshot);
    let record = if seal { Some(step.seal().map_err(|error| error.to_string())?.bytes().to_vec()) } else { None };
    let decision = canonical_json(&step.decision).map_err(|error| error.to_string())?;
    Ok(Row {
        verdict: step.decision.verdict.as_str(),
        hold: step.decision.hold.map(|hold| kind(hold.kind)),
        decision: String::from_utf8(decision).map_err(|error| error.to_string())?,
        state: String::from_utf8(step.state.to_json()).map_err(|error| error.to_string())?,
        record,
    })
}

/// A column of JSON, read where it lies.
struct Texts<'a> {
    array: &'a ArrayRef,
    at: fn(&ArrayRef, usize) -> &[u8],
}

impl Texts<'_> {
    fn bytes(&self, row: usize) -> Option<&[u8]> {
        self.array.is_valid(row).then(|| (self.at)(self.array, row))
    }
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<Option<Texts<'a>>, ArrowError> {
    let Some(array) = batch.column_by_name(name) else { return Ok(None) };
    let at: fn(&ArrayRef, usize) -> &[u8] = match array.data_type() {
        DataType::Utf8 => |array, row| array.as_string::<i32>().value(row).as_bytes(),
        DataType::LargeUtf8 => |array, row| array.as_string::<i64>().value(row).as_bytes(),
        DataType::Utf8View => |array, row| array.as_string_view().value(row).as_bytes(),
        DataType::Binary => |array, row| array.as_binary::<i32>().value(row),
        DataType::LargeBinary => |array, row| array.as_binary::<i64>().value(row),
        DataType::BinaryView => |array, row| array.as_binary_view().value(row),
        other => {
            return Err(ArrowError::SchemaError(format!("the column `{name}` holds {other}, not text or binary")));
        }
    };
    Ok(Some(Texts { array, at }))
}
