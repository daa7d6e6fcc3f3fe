//! Native histograms as a real server gives them back: written to it by remote write, as nothing else of
//! Debian's Prometheus takes them without a process to scrape.

use davy::{Query, Requirement};
use davy_io::prometheus::Prometheus;

use crate::support::peer::Peer;
use crate::support::{START, at, by_pod, impatient, said, soon, wanted};

/// A sparse histogram: schema, bucket around zero, and counts by rising index.
struct Sparse {
    schema: i32,
    zero: u64,
    buckets: Vec<(i32, u64)>,
}

/// Protocol buffers, as far as they are needed.
mod proto {
    pub(super) fn varint(mut value: u64, out: &mut Vec<u8>) {
        while value >= 0x80 {
            out.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }

    fn key(field: u64, wire: u64, out: &mut Vec<u8>) {
        varint(field << 3 | wire, out);
    }

    pub(super) fn number(field: u64, value: u64, out: &mut Vec<u8>) {
        key(field, 0, out);
        varint(value, out);
    }

    pub(super) fn zigzag(value: i64) -> u64 {
        ((value << 1) ^ (value >> 63)).cast_unsigned()
    }

    pub(super) fn double(field: u64, value: f64, out: &mut Vec<u8>) {
        key(field, 1, out);
        out.extend(value.to_le_bytes());
    }

    pub(super) fn bytes(field: u64, value: &[u8], out: &mut Vec<u8>) {
        key(field, 2, out);
        varint(value.len() as u64, out);
        out.extend(value);
    }
}

impl Sparse {
    /// `prometheus.Histogram` of remote write 1.0.
    fn encoded(&self, second: i64) -> Vec<u8> {
        let mut out = Vec::new();
        proto::number(1, self.zero + self.buckets.iter().map(|(_, count)| count).sum::<u64>(), &mut out);
        proto::double(3, 1.0, &mut out);
        proto::number(4, proto::zigzag(self.schema.into()), &mut out);
        proto::double(5, 1e-3, &mut out);
        proto::number(6, self.zero, &mut out);
        let (mut spans, mut deltas) = (Vec::new(), Vec::new());
        let (mut next, mut before) = (0, 0_i64);
        for (index, count) in &self.buckets {
            let mut span = Vec::new();
            proto::number(1, proto::zigzag((index - next).into()), &mut span);
            proto::number(2, 1, &mut span);
            proto::bytes(11, &span, &mut spans);
            let count = count.cast_signed();
            proto::varint(proto::zigzag(count - before), &mut deltas);
            (next, before) = (index + 1, count);
        }
        out.extend(spans);
        proto::bytes(12, &deltas, &mut out);
        proto::number(15, ((START + second) * 1000).cast_unsigned(), &mut out);
        out
    }
}

/// A `WriteRequest` with one series.
fn write_request(labels: &[(&str, &str)], histograms: &[Vec<u8>]) -> Vec<u8> {
    let mut series = Vec::new();
    for (name, value) in labels {
        let mut label = Vec::new();
        proto::bytes(1, name.as_bytes(), &mut label);
        proto::bytes(2, value.as_bytes(), &mut label);
        proto::bytes(1, &label, &mut series);
    }
    histograms.iter().for_each(|histogram| proto::bytes(4, histogram, &mut series));
    let mut request = Vec::new();
    proto::bytes(1, &series, &mut request);
    request
}

/// The block format of Snappy, without compressing anything.
fn snappy(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    proto::varint(bytes.len() as u64, &mut out);
    for chunk in bytes.chunks(1 << 16) {
        out.push(61 << 2);
        out.extend(u16::try_from(chunk.len() - 1).unwrap().to_le_bytes());
        out.extend(chunk);
    }
    out
}

fn write(peer: &Peer, pod: &str, histogram: impl Fn(i64) -> Sparse) {
    let instance = format!("{pod}:80");
    let labels = [("__name__", "latency"), ("instance", &instance), ("job", "shop"), ("pod", pod), ("revision", "r2")];
    let histograms: Vec<Vec<u8>> =
        (-20..=8).map(|n| n * 15 + 7).map(|second| histogram(second).encoded(second)).collect();
    let answer = ureq::post(format!("{}/api/v1/write", peer.url()))
        .header("Content-Encoding", "snappy")
        .header("Content-Type", "application/x-protobuf")
        .header("X-Prometheus-Remote-Write-Version", "0.1.0")
        .send(snappy(&write_request(&labels, &histograms)));
    assert_eq!(answer.unwrap().status(), 204);
}

#[test]
fn a_real_servers_native_histograms_are_counted() {
    let flags = ["--web.enable-remote-write-receiver", "--enable-feature=native-histograms"];
    let Some(peer) = Peer::start(None, &flags) else { return };
    let since = |second: i64| u64::try_from(second + 300).unwrap();
    // Both signs of indexes, gaps between buckets, all resolutions that latencies have.
    write(&peer, "a", |second| Sparse {
        schema: 3,
        zero: since(second),
        buckets: vec![(-33, 2 * since(second)), (-1, 5), (0, 6), (12, 7 * since(second))],
    });
    write(&peer, "b", |second| Sparse { schema: 8, zero: 0, buckets: vec![(-700, since(second)), (1000, 3)] });
    // Restarts at 30 with a coarser resolution.
    write(&peer, "c", |second| match second > 30 {
        true => Sparse { schema: -1, zero: 1, buckets: vec![(-2, 4)] },
        false => Sparse { schema: 2, zero: 5, buckets: vec![(-4, 90)] },
    });
    let server = Prometheus::new(impatient(&peer.url())).unwrap();
    let requirement = |from, to| by_pod(Requirement { ..wanted(Query::Histogram("latency".to_owned()), from, to) });
    let observations = server.observe(&[requirement(0, 60)], soon());
    assert!(observations.notes.is_empty(), "{:?}", observations.notes);
    let a = "a:{buckets:[[-33,60],[12,210]],schema:3,zero:30}";
    let b = "b:{buckets:[[-700,30]],schema:8,zero:0}";
    assert_eq!(
        said(&observations),
        [
            format!("{a} {b} c:{{buckets:[],schema:2,zero:0}}"),
            format!("{a} {b} c:{{buckets:[[-2,4]],schema:-1,zero:1}}"),
        ]
    );
    // What the server itself makes of the same minute, extrapolated from four samples of five.
    let answer = server.instant("histogram_count(increase(latency{pod=\"a\"}[1m]))", at(60), soon()).unwrap();
    let davy_io::prometheus::Data::Vector(series) = answer.data else { panic!() };
    assert!((series[0].samples[0].value - 600.0).abs() < 1e-9);
}
