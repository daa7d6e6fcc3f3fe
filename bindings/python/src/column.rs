//! Columns of numbers: Arrow's are read where they lie, NumPy's and lists are copied, since both can change later.

use std::fmt::Display;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{ArrowNativeType, ScalarBuffer};
use arrow_schema::{DataType, TimeUnit};
use davy::Series;
use numpy::{Element, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::input::AnyArray;

use crate::json::instant;

/// Counts of events; a null is [`Series::NO_DATA`].
pub(crate) fn counts(name: &str, given: &Bound<'_, PyAny>) -> PyResult<ScalarBuffer<u64>> {
    let natural = |value: i64| u64::try_from(value).map_err(|_| wrong(name, format!("{value} is no count")));
    match Source::of(given)? {
        Source::Arrow(chunks) => join(&chunks, |chunk| match chunk.data_type() {
            DataType::UInt64 => shared::<UInt64Type>(chunk, Some(Series::NO_DATA)),
            DataType::UInt32 => converted::<UInt32Type, _>(chunk, Some(Series::NO_DATA), |value| Ok(value.into())),
            DataType::Int64 => converted::<Int64Type, _>(chunk, Some(Series::NO_DATA), natural),
            DataType::Int32 => converted::<Int32Type, _>(chunk, Some(Series::NO_DATA), |value| natural(value.into())),
            other => Err(wrong(name, format!("counts are integers, not {other}"))),
        }),
        Source::Numpy(array) => match kind(&array)?.as_str() {
            "u" => copied(name, &array, "uint64", Ok).map(Into::into),
            "i" => copied(name, &array, "int64", natural).map(Into::into),
            _ => Err(wrong(name, format!("counts are integers, not {}", array.getattr("dtype")?))),
        },
        Source::Sequence => {
            let values: Vec<Option<u64>> = given.extract().map_err(|error| wrong(name, error))?;
            Ok(values.into_iter().map(|value| value.unwrap_or(Series::NO_DATA)).collect::<Vec<u64>>().into())
        }
    }
}

/// Numbers with a fraction; a null is NaN.
pub(crate) fn floats(name: &str, given: &Bound<'_, PyAny>) -> PyResult<ScalarBuffer<f64>> {
    match Source::of(given)? {
        Source::Arrow(chunks) => join(&chunks, |chunk| match chunk.data_type() {
            DataType::Float64 => shared::<Float64Type>(chunk, Some(f64::NAN)),
            DataType::Float32 => converted::<Float32Type, _>(chunk, Some(f64::NAN), |value| Ok(value.into())),
            other => Err(wrong(name, format!("expected floating-point numbers, not {other}"))),
        }),
        Source::Numpy(array) => copied(name, &array, "float64", Ok).map(Into::into),
        Source::Sequence => {
            let values: Vec<Option<f64>> = given.extract().map_err(|error| wrong(name, error))?;
            Ok(values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect::<Vec<f64>>().into())
        }
    }
}

/// Instants in milliseconds since 1970 UTC; timestamps of any unit are understood.
pub(crate) fn millis(name: &str, given: &Bound<'_, PyAny>) -> PyResult<ScalarBuffer<i64>> {
    let scaled = |value: i64| value.checked_mul(1000).ok_or_else(|| wrong(name, format!("{value} s is out of range")));
    match Source::of(given)? {
        Source::Arrow(chunks) => join(&chunks, |chunk| match chunk.data_type() {
            DataType::Int64 => shared::<Int64Type>(chunk, None),
            DataType::Timestamp(TimeUnit::Second, _) => converted::<TimestampSecondType, _>(chunk, None, scaled),
            DataType::Timestamp(TimeUnit::Millisecond, _) => shared::<TimestampMillisecondType>(chunk, None),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                converted::<TimestampMicrosecondType, _>(chunk, None, |value| Ok(value.div_euclid(1000)))
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                converted::<TimestampNanosecondType, _>(chunk, None, |value| Ok(value.div_euclid(1_000_000)))
            }
            other => Err(wrong(name, format!("expected timestamps or whole milliseconds, not {other}"))),
        }),
        Source::Numpy(array) => match kind(&array)?.as_str() {
            "i" | "u" => copied(name, &array, "int64", Ok).map(Into::into),
            "M" => {
                let array = array.call_method1("astype", ("datetime64[ms]",))?;
                copied(name, &array, "int64", Ok).map(Into::into)
            }
            _ => Err(wrong(name, format!("expected instants, not {}", array.getattr("dtype")?))),
        },
        Source::Sequence => {
            let items = given.try_iter()?.map(|item| moment(name, &item?));
            items.collect::<PyResult<Vec<i64>>>().map(Into::into)
        }
    }
}

/// Small whole numbers, such as offsets and bucket indexes.
pub(crate) fn indexes<T: TryFrom<i64>>(name: &str, given: &Bound<'_, PyAny>) -> PyResult<Vec<T>> {
    let values = match Source::of(given)? {
        Source::Arrow(chunks) => join(&chunks, |chunk| match chunk.data_type() {
            DataType::Int64 => shared::<Int64Type>(chunk, None),
            DataType::Int32 => converted::<Int32Type, _>(chunk, None, |value| Ok(value.into())),
            other => Err(wrong(name, format!("expected integers, not {other}"))),
        })?,
        Source::Numpy(array) => copied(name, &array, "int64", Ok)?.into(),
        Source::Sequence => given.extract::<Vec<i64>>().map_err(|error| wrong(name, error))?.into(),
    };
    let small = |value: &i64| T::try_from(*value).map_err(|_| wrong(name, format!("{value} is out of range")));
    values.iter().map(small).collect()
}

/// What a column was handed in as.
enum Source<'py> {
    Arrow(Vec<ArrayRef>),
    Numpy(Bound<'py, PyAny>),
    Sequence,
}

impl<'py> Source<'py> {
    fn of(given: &Bound<'py, PyAny>) -> PyResult<Self> {
        if given.hasattr("__arrow_c_array__")? || given.hasattr("__arrow_c_stream__")? {
            let chunked = given.extract::<AnyArray>()?.into_chunked_array().map_err(PyErr::from)?;
            return Ok(Self::Arrow(chunked.chunks().to_vec()));
        }
        // Asking for its type by name keeps NumPy out of programs that do without.
        if given.get_type().module()?.to_str()?.starts_with("numpy") {
            return Ok(Self::Numpy(given.clone()));
        }
        if given.hasattr("to_numpy")? {
            return Ok(Self::Numpy(given.call_method0("to_numpy")?));
        }
        Ok(Self::Sequence)
    }
}

fn kind(array: &Bound<'_, PyAny>) -> PyResult<String> {
    array.getattr("dtype")?.getattr("kind")?.extract()
}

/// The numbers of one chunk; its very buffer where no value is null.
fn shared<A: ArrowPrimitiveType>(chunk: &ArrayRef, null: Option<A::Native>) -> PyResult<ScalarBuffer<A::Native>> {
    let array = chunk.as_primitive::<A>();
    if array.null_count() == 0 { Ok(array.values().clone()) } else { converted::<A, _>(chunk, null, Ok) }
}

fn converted<A: ArrowPrimitiveType, T: ArrowNativeType>(
    chunk: &ArrayRef,
    null: Option<T>,
    convert: impl Fn(A::Native) -> PyResult<T>,
) -> PyResult<ScalarBuffer<T>> {
    let no_value = || null.ok_or_else(|| PyValueError::new_err("null where a value is needed"));
    let values = chunk.as_primitive::<A>().iter().map(|value| value.map_or_else(no_value, &convert));
    values.collect::<PyResult<Vec<T>>>().map(ScalarBuffer::from)
}

fn join<T: ArrowNativeType>(
    chunks: &[ArrayRef],
    read: impl Fn(&ArrayRef) -> PyResult<ScalarBuffer<T>>,
) -> PyResult<ScalarBuffer<T>> {
    if let [only] = chunks {
        return read(only);
    }
    let mut all = Vec::new();
    for chunk in chunks {
        all.extend_from_slice(&read(chunk)?);
    }
    Ok(all.into())
}

fn copied<T: Element + Copy, U>(
    name: &str,
    array: &Bound<'_, PyAny>,
    dtype: &str,
    convert: impl Fn(T) -> PyResult<U>,
) -> PyResult<Vec<U>> {
    let array = array.call_method1("astype", (dtype,))?;
    let array: PyReadonlyArray1<'_, T> =
        array.extract().map_err(|_| wrong(name, "expected one dimension of numbers".to_owned()))?;
    array.as_array().iter().copied().map(convert).collect()
}

/// An instant in a list: whole milliseconds, a `datetime` with a zone, or RFC 3339 text.
fn moment(name: &str, item: &Bound<'_, PyAny>) -> PyResult<i64> {
    if let Ok(millis) = item.extract::<i64>() {
        return Ok(millis);
    }
    let millis = instant(item).map_err(|error| wrong(name, error))?.millis();
    i64::try_from(millis).map_err(|error| wrong(name, error))
}

fn wrong(name: &str, cause: impl Display) -> PyErr {
    PyValueError::new_err(format!("`{name}`: {cause}"))
}
