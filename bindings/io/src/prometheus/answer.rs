//! Answers of Prometheus' HTTP API, from bytes to typed data; nothing is accepted in part.
//!
//! Source: Prometheus documentation, "HTTP API", and the answers of version 2.42.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use davy::Instant;
use davy::slo::Sample;
use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use thiserror::Error;

/// What a query came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The data.
    pub data: Data,
    /// What the server warns of: the data may be incomplete.
    pub warnings: Vec<String>,
    /// What the server remarks beside data that it stands by.
    pub infos: Vec<String>,
}

/// The data of an answer, by its type.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// One sample or histogram of each series. None at all says that there is no such series.
    Vector(Vec<Series>),
    /// The samples and histograms of each series.
    Matrix(Vec<Series>),
    /// A number.
    Scalar(Sample),
    /// A text.
    Text {
        /// When it was evaluated.
        at: Instant,
        /// The text.
        value: String,
    },
}

/// One series.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its labels, the metric's name among them as `__name__`.
    pub labels: Labels,
    /// By rising time. Values may be NaN or infinite.
    pub samples: Vec<Sample>,
    /// Native histograms by rising time.
    pub histograms: Vec<HistogramSample>,
}

/// The labels of a series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Labels(BTreeMap<String, String>);

/// A native histogram at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct HistogramSample {
    /// When it was scraped or computed.
    pub at: Instant,
    /// All observations.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// The buckets that hold any.
    pub buckets: Vec<Bucket>,
}

/// One bucket of a native histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Which of its bounds belong to it.
    pub bounds: Bounds,
    /// The lower bound.
    pub left: f64,
    /// The upper bound.
    pub right: f64,
    /// How many observations it holds, not those below it.
    pub count: f64,
}

/// Which bounds belong to a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounds {
    /// `(left, right]`: above zero.
    OpenLeft,
    /// `[left, right)`: below zero.
    OpenRight,
    /// `(left, right)`
    Open,
    /// `[left, right]`: around zero.
    Closed,
}

/// Bytes that are no successful answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AnswerError {
    /// Not the JSON of an answer.
    #[error("I020: line {line}, column {column}: {cause}")]
    Garbled {
        /// From 1.
        line: usize,
        /// From 1; the reader stops behind what it refuses.
        column: usize,
        /// What is wrong.
        cause: String,
    },
    /// The server says that it failed.
    #[error("I021: {kind}: {message}")]
    Refused {
        /// The server's word for it, such as `bad_data`, `execution` or `timeout`.
        kind: String,
        /// The server's explanation.
        message: String,
    },
}

/// Reads an answer.
///
/// # Errors
/// [`AnswerError`]. Unknown keys are nobody's business; but keys that stand twice, samples that do not rise,
/// series that stand twice and values that are no numbers are errors.
///
/// ```
/// use davy_io::prometheus::{Data, parse};
/// let json = br#"{"status":"success","data":{"resultType":"vector","result":[
///     {"metric":{"__name__":"up","job":"api"},"value":[1795415057.590,"+Inf"]}]}}"#;
/// let Data::Vector(series) = parse(json)?.data else { panic!() };
/// assert_eq!(series[0].samples[0].value, f64::INFINITY);
/// # Ok::<(), davy_io::prometheus::AnswerError>(())
/// ```
pub fn parse(bytes: &[u8]) -> Result<Answer, AnswerError> {
    let garbled = |cause: &serde_json::Error| {
        let text = cause.to_string();
        let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
        AnswerError::Garbled { line: cause.line().max(1), column: cause.column().max(1), cause: short(text) }
    };
    let envelope: Envelope = serde_json::from_slice(bytes).map_err(|cause| garbled(&cause))?;
    envelope.open().map_err(|cause| match cause {
        Unopened::Refused { kind, message } => AnswerError::Refused { kind: short(&kind), message: short(&message) },
        Unopened::Wrong(cause) => garbled(&de::Error::custom(cause)),
    })
}

impl Labels {
    /// The value of a label; a label that is not there is empty, as in PromQL.
    #[must_use]
    pub fn get(&self, label: &str) -> &str {
        self.0.get(label).map_or("", String::as_str)
    }

    /// Every label and its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(label, value)| (label.as_str(), value.as_str()))
    }

    /// The labels without this one, and its value if it was there.
    #[must_use]
    pub fn without(mut self, label: &str) -> (Self, Option<String>) {
        let value = self.0.remove(label);
        (self, value)
    }
}

impl<L: Into<String>, V: Into<String>> FromIterator<(L, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (L, V)>>(labels: I) -> Self {
        Self(labels.into_iter().map(|(label, value)| (label.into(), value.into())).collect())
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.get("__name__");
        let rest = self.0.iter().filter(|(label, _)| *label != "__name__");
        let rest: Vec<String> = rest.map(|(label, value)| format!("{label}={value:?}")).collect();
        if rest.is_empty() { f.write_str(name) } else { write!(f, "{name}{{{}}}", rest.join(",")) }
    }
}

/// Foreign text on one line and of bounded length.
pub(super) fn short(text: &str) -> String {
    let mut short: String = text.chars().take(300).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(300).is_some() {
        short.push('…');
    }
    short
}

#[derive(Deserialize)]
struct Envelope {
    status: String,
    data: Option<PlainData>,
    #[serde(default, rename = "errorType")]
    error_type: String,
    #[serde(default)]
    error: String,
    #[serde(default, deserialize_with = "null_is_empty")]
    warnings: Vec<String>,
    #[serde(default, deserialize_with = "null_is_empty")]
    infos: Vec<String>,
    /// How VictoriaMetrics says that some of its parts did not answer.
    #[serde(default, rename = "isPartial")]
    is_partial: bool,
}

fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Why an envelope holds no answer.
enum Unopened {
    Refused { kind: String, message: String },
    Wrong(&'static str),
}

impl Envelope {
    fn open(mut self) -> Result<Answer, Unopened> {
        match self.status.as_str() {
            "success" => {}
            "error" => return Err(Unopened::Refused { kind: self.error_type, message: self.error }),
            _ => return Err(Unopened::Wrong("the status is neither `success` nor `error`")),
        }
        let data = self.data.ok_or(Unopened::Wrong("the data are missing"))?;
        let data = data.typed().map_err(Unopened::Wrong)?;
        if self.is_partial {
            self.warnings.push("the answer is partial".to_owned());
        }
        Ok(Answer { data, warnings: self.warnings, infos: self.infos })
    }
}

#[derive(Deserialize)]
struct PlainData {
    #[serde(rename = "resultType")]
    result_type: String,
    result: PlainResult,
}

/// A list of series, or one timed value; its elements say which, so that keys may come in any order.
enum PlainResult {
    Series(Vec<PlainSeries>),
    Timed(Instant, String),
}

impl PlainData {
    fn typed(self) -> Result<Data, &'static str> {
        let is_matrix = match (self.result_type.as_str(), &self.result) {
            ("vector", PlainResult::Series(_)) => false,
            ("matrix", PlainResult::Series(_)) => true,
            ("scalar", PlainResult::Timed(at, value)) => {
                let value = number(value).ok_or("the scalar is no number")?;
                return Ok(Data::Scalar(Sample { at: *at, value }));
            }
            ("string", PlainResult::Timed(at, value)) => return Ok(Data::Text { at: *at, value: value.clone() }),
            _ => return Err("the result does not have the form of its type"),
        };
        let PlainResult::Series(plain) = self.result else { return Err("the result is no list of series") };
        let all = plain.into_iter().map(|plain| plain.series(is_matrix)).collect::<Result<Vec<_>, _>>()?;
        let mut labels: Vec<&Labels> = all.iter().map(|series| &series.labels).collect();
        labels.sort_unstable();
        if labels.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err("a series stands twice");
        }
        Ok(if is_matrix { Data::Matrix(all) } else { Data::Vector(all) })
    }
}

impl<'de> Deserialize<'de> for PlainResult {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = PlainResult;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of series, or a time and a value")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<PlainResult, A::Error> {
                let mut all = Vec::new();
                match list.next_element::<Element>()? {
                    None => return Ok(PlainResult::Series(all)),
                    Some(Element::Time(at)) => {
                        let value = list.next_element::<Cow<'de, str>>()?;
                        let value = value.ok_or_else(|| de::Error::custom("the value is missing"))?;
                        return match list.next_element::<IgnoredAny>()? {
                            None => Ok(PlainResult::Timed(at, value.into_owned())),
                            Some(_) => Err(de::Error::custom("more than a time and a value")),
                        };
                    }
                    Some(Element::Series(first)) => all.push(first),
                }
                while let Some(next) = list.next_element()? {
                    all.push(next);
                }
                Ok(PlainResult::Series(all))
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// The first element of a result.
enum Element {
    Time(Instant),
    Series(PlainSeries),
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Element;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a series or a time")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Element, A::Error> {
                PlainSeries::deserialize(de::value::MapAccessDeserializer::new(map)).map(Element::Series)
            }
            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Element, E> {
                instant(seconds).map(Element::Time).ok_or_else(|| E::custom("a time that does not exist"))
            }
            #[expect(clippy::cast_precision_loss, reason = "a time beyond 2^53 is refused all the same")]
            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Element, E> {
                self.visit_f64(seconds as f64)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[derive(Deserialize)]
struct PlainSeries {
    metric: UniqueLabels,
    value: Option<Timed<Value>>,
    values: Option<Rising<Value>>,
    histogram: Option<Timed<PlainHistogram>>,
    histograms: Option<Rising<PlainHistogram>>,
}

impl PlainSeries {
    fn series(self, is_matrix: bool) -> Result<Series, &'static str> {
        let (samples, histograms) = match (self.value, self.values, self.histogram, self.histograms) {
            (None, values, None, histograms) if is_matrix => {
                if values.is_none() && histograms.is_none() {
                    return Err("a series of a matrix has neither `values` nor `histograms`");
                }
                (values.map_or_else(Vec::new, |all| all.0), histograms.map_or_else(Vec::new, |all| all.0))
            }
            (Some(value), None, None, None) if !is_matrix => (vec![value], Vec::new()),
            (None, None, Some(histogram), None) if !is_matrix => (Vec::new(), vec![histogram]),
            _ => return Err("a series does not have the form of its result's type"),
        };
        Ok(Series {
            labels: self.metric.0,
            samples: samples.into_iter().map(|Timed { at, what }| Sample { at, value: what.0 }).collect(),
            histograms: histograms
                .into_iter()
                .map(|Timed { at, what }| HistogramSample {
                    at,
                    count: what.count.0,
                    sum: what.sum.0,
                    buckets: what.buckets,
                })
                .collect(),
        })
    }
}

/// Labels, none of which stands twice.
struct UniqueLabels(Labels);

impl<'de> Deserialize<'de> for UniqueLabels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = UniqueLabels;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("labels")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UniqueLabels, A::Error> {
                let mut labels = BTreeMap::new();
                while let Some((label, value)) = map.next_entry::<String, String>()? {
                    if labels.insert(label, value).is_some() {
                        return Err(de::Error::custom("a label stands twice"));
                    }
                }
                Ok(UniqueLabels(Labels(labels)))
            }
        }
        deserializer.deserialize_map(Map)
    }
}

/// A time and something: `[1795415057.590, …]`.
struct Timed<T> {
    at: Instant,
    what: T,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Timed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (seconds, what) = <(f64, T)>::deserialize(deserializer)?;
        let at = instant(seconds).ok_or_else(|| de::Error::custom("a time that does not exist"))?;
        Ok(Self { at, what })
    }
}

/// Timed things whose times rise.
struct Rising<T>(Vec<Timed<T>>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Rising<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = Vec::<Timed<T>>::deserialize(deserializer)?;
        if all.is_sorted_by(|a, b| a.at < b.at) { Ok(Self(all)) } else { Err(de::Error::custom("times do not rise")) }
    }
}

/// A number as text.
struct Value(f64);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number as text")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
                number(text).map(Value).ok_or_else(|| E::custom(format!("{:?} is no number", short(text))))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[derive(Deserialize)]
struct PlainHistogram {
    count: Value,
    sum: Value,
    #[serde(default, deserialize_with = "buckets")]
    buckets: Vec<Bucket>,
}

fn buckets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Bucket>, D::Error> {
    let plain: Option<Vec<(u8, Value, Value, Value)>> = Option::deserialize(deserializer)?;
    let bucket = |(rule, left, right, count): (u8, Value, Value, Value)| {
        let bounds = match rule {
            0 => Bounds::OpenLeft,
            1 => Bounds::OpenRight,
            2 => Bounds::Open,
            3 => Bounds::Closed,
            _ => return Err(de::Error::custom("a bucket's bounds have a rule from 0 to 3")),
        };
        Ok(Bucket { bounds, left: left.0, right: right.0, count: count.0 })
    };
    plain.unwrap_or_default().into_iter().map(bucket).collect()
}

/// Seconds since the epoch, to the millisecond.
fn instant(seconds: f64) -> Option<Instant> {
    let millis = (seconds * 1000.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "held within four digits of a year")]
    (0.0..=253_402_207_200_000.0).contains(&millis).then(|| Instant::from_millis(millis as i64))
}

/// A number as Prometheus writes it: decimal, `NaN`, `+Inf` or `-Inf`.
fn number(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "+Inf" | "Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        _ => {
            let decimal = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
            text.parse::<f64>().ok().filter(|value| decimal && value.is_finite())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(json: &str) -> Data {
        parse(json.as_bytes()).unwrap_or_else(|error| panic!("{error}")).data
    }

    fn success(kind: &str, result: &str) -> String {
        format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}"#)
    }

    fn cause(json: &str) -> String {
        parse(json.as_bytes()).unwrap_err().to_string()
    }

    const ONE: &str = r#"[{"metric":{"a":"b"},"values":[[1795415110,"0.1"],[1795415125.5,"123456789012345680"]]}]"#;

    #[test]
    fn every_type_of_result_is_read() {
        let Data::Matrix(series) = data(&success("matrix", ONE)) else { panic!() };
        let at: Vec<u64> = series[0].samples.iter().map(|sample| sample.at.millis()).collect();
        assert_eq!(at, [1_795_415_110_000, 1_795_415_125_500]);
        assert_eq!(series[0].samples[1].value.to_bits(), 123_456_789_012_345_680_f64.to_bits());
        assert_eq!(series[0].labels.get("a"), "b");
        assert_eq!(series[0].labels.get("c"), "");
        assert_eq!(data(&success("vector", "[]")), Data::Vector(Vec::new()));
        let timed = |kind, value| data(&success(kind, &format!(r#"[1795415057.590,"{value}"]"#)));
        let at = Instant::from_millis(1_795_415_057_590);
        assert_eq!(timed("scalar", "2"), Data::Scalar(Sample { at, value: 2.0 }));
        assert_eq!(timed("string", "two"), Data::Text { at, value: "two".to_owned() });
    }

    #[test]
    fn nothing_not_a_number_and_infinity_are_three_things() {
        let value = |text: &str| {
            let result = format!(r#"[{{"metric":{{}},"value":[0,"{text}"]}}]"#);
            let Data::Vector(series) = data(&success("vector", &result)) else { panic!() };
            series[0].samples[0].value
        };
        assert!(value("NaN").is_nan());
        assert_eq!([value("+Inf"), value("-Inf")].map(f64::is_sign_positive), [true, false]);
        assert_eq!(value("1e-300").to_bits(), 1e-300_f64.to_bits());
        assert_eq!(data(&success("vector", "[]")), Data::Vector(Vec::new()));
    }

    #[test]
    fn native_histograms_are_read_with_their_bounds() {
        let histogram = r#"{"count":"3","sum":"0.5","buckets":[[3,"-0.001","0.001","1"],[0,"0.25","0.5","2"]]}"#;
        let result = format!(r#"[{{"metric":{{}},"histograms":[[1,{histogram}]],"values":[[2,"5"]]}}]"#);
        let Data::Matrix(series) = data(&success("matrix", &result)) else { panic!() };
        let one = &series[0].histograms[0];
        assert_eq!(
            (one.buckets.len(), one.buckets[0].bounds, one.buckets[1].bounds),
            (2, Bounds::Closed, Bounds::OpenLeft)
        );
        let single = format!(r#"[{{"metric":{{}},"histogram":[1,{histogram}]}}]"#);
        assert!(matches!(data(&success("vector", &single)), Data::Vector(series) if series[0].histograms.len() == 1));
        let empty = r#"[{"metric":{},"histogram":[1,{"count":"0","sum":"0"}]}]"#;
        assert!(
            matches!(data(&success("vector", empty)), Data::Vector(series) if series[0].histograms[0].buckets.is_empty())
        );
    }

    #[test]
    fn what_a_server_says_beside_the_data_is_kept() {
        let json = success("vector", "[]").replacen('{', r#"{"warnings":["w"],"infos":["i"],"more":{"x":[1]},"#, 1);
        let answer = parse(json.as_bytes()).unwrap();
        assert_eq!((answer.warnings, answer.infos), (vec!["w".to_owned()], vec!["i".to_owned()]));
        let partial = success("vector", "[]").replacen('{', r#"{"isPartial":true,"warnings":null,"#, 1);
        assert_eq!(parse(partial.as_bytes()).unwrap().warnings.len(), 1);
    }

    #[test]
    fn a_failure_is_told_in_the_servers_words() {
        let refused = cause(r#"{"status":"error","errorType":"bad_data","error":"parse\nerror"}"#);
        assert_eq!(refused, "I021: bad_data: parse error");
        let beside_data = cause(r#"{"status":"error","errorType":"execution","error":"x","data":null}"#);
        assert_eq!(beside_data, "I021: execution: x");
    }

    #[test]
    fn garbage_is_refused_whatever_it_is() {
        let matrix = |series: &str| success("matrix", &format!("[{series}]"));
        let values = |values: &str| matrix(&format!(r#"{{"metric":{{}},"values":{values}}}"#));
        let good = success("matrix", ONE);
        let half = &good[..good.len() - 20];
        let twice = matrix(r#"{"metric":{"a":"b"},"values":[]},{"metric":{"a":"b"},"values":[]}"#);
        for garbage in [
            "",
            "<html>",
            "null",
            "[]",
            "{}",
            half,
            &format!("{good}x"),
            r#"{"status":"success"}"#,
            r#"{"status":"success","data":null}"#,
            r#"{"status":"maybe","data":{"resultType":"vector","result":[]}}"#,
            r#"{"status":"success","status":"success","data":{"resultType":"vector","result":[]}}"#,
            &success("vector", ONE),
            &success("scalar", ONE),
            &success("matrix", r#"[1,"2"]"#),
            &success("streams", "[]"),
            &success("scalar", r#"[1,"x"]"#),
            &success("scalar", r#"[1,"2",3]"#),
            &success("scalar", "[1]"),
            &values(r#"[[1,"1"],[1,"2"]]"#),
            &values(r#"[[2,"1"],[1,"2"]]"#),
            &values("[[1,2]]"),
            &values(r#"[["1","2"]]"#),
            &values(r#"[[1,"2",3]]"#),
            &values(r#"[[-1,"2"]]"#),
            &values(r#"[[1e300,"2"]]"#),
            &values(r#"[[1,"1e400"]]"#),
            &values(r#"[[1,"nan"]]"#),
            &values(r#"[[1,"infinity"]]"#),
            &values(r#"[[1,"0x10"]]"#),
            &values(r#"[[1,""]]"#),
            &matrix(r#"{"metric":{}}"#),
            &matrix(r#"{"values":[]}"#),
            &matrix(r#"{"metric":{"a":1},"values":[]}"#),
            &matrix(r#"{"metric":{"a":"1","a":"2"},"values":[]}"#),
            &matrix(r#"{"metric":{},"values":[],"values":[]}"#),
            &matrix(r#"{"metric":{},"value":[1,"2"]}"#),
            &matrix(r#"{"metric":{},"histograms":[[1,{"count":"1","sum":"1","buckets":[[4,"0","1","1"]]}]]}"#),
            &twice,
        ] {
            let error = parse(garbage.as_bytes()).unwrap_err();
            assert!(matches!(error, AnswerError::Garbled { .. }), "{garbage}: {error}");
        }
        assert!(matches!(parse(b"\xff{"), Err(AnswerError::Garbled { .. })));
        let deep = "[".repeat(100_000);
        assert!(matches!(parse(deep.as_bytes()), Err(AnswerError::Garbled { .. })));
    }

    #[test]
    fn every_half_of_an_answer_is_refused() {
        let whole = success("matrix", ONE);
        for length in 0..whole.len() {
            assert!(parse(&whole.as_bytes()[..length]).is_err(), "{length}");
        }
        assert!(parse(whole.as_bytes()).is_ok());
    }
}
