//! Which intervals were judged, each with a short digest: what tells the same interval from another.

use std::fmt;
use std::sync::Arc;

use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Digest, canonical_json};

/// How many intervals share one block. Blocks that are full are never copied again, so that
/// deciding costs the same however long a release has been running.
const BLOCK: usize = 128;

/// The judged intervals by rising number.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Slots {
    full: Vec<Arc<Block>>,
    tail: Vec<Slot>,
}

/// Full, and sealed under its own digest.
#[derive(Debug, PartialEq)]
struct Block {
    slots: Vec<Slot>,
    digest: Digest,
}

/// The number of an interval on the grid, and half of its digest.
type Slot = (u64, ShortDigest);

/// Half a digest: enough to tell an interval from itself with other counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShortDigest([u8; 16]);

impl Slots {
    pub(crate) fn newest(&self) -> Option<u64> {
        let last = self.tail.last().or_else(|| self.full.last().and_then(|block| block.slots.last()));
        last.map(|(slot, _)| *slot)
    }

    pub(crate) fn get(&self, slot: u64) -> Option<ShortDigest> {
        let block = self.full.partition_point(|block| block.slots.last().is_some_and(|(last, _)| *last < slot));
        let slots = self.full.get(block).map_or(&self.tail, |block| &block.slots);
        let index = slots.binary_search_by_key(&slot, |(slot, _)| *slot).ok()?;
        slots.get(index).map(|(_, digest)| *digest)
    }

    /// Adds an interval; only a number above the newest is added.
    pub(crate) fn push(&mut self, slot: u64, digest: ShortDigest) {
        if self.newest().is_some_and(|newest| newest >= slot) {
            return;
        }
        self.tail.push((slot, digest));
        if self.tail.len() == BLOCK {
            let slots = std::mem::take(&mut self.tail);
            // Numbers and text always have a canonical form.
            let digest = Digest::of(&canonical_json(&slots).unwrap_or_default());
            self.full.push(Arc::new(Block { slots, digest }));
        }
    }

    /// What stands for the intervals in the digest of a state: the blocks' digests, and the rest as it is.
    pub(crate) fn commitment(&self) -> impl Serialize + '_ {
        let blocks: Vec<Digest> = self.full.iter().map(|block| block.digest).collect();
        (blocks, &self.tail)
    }
}

impl Serialize for Slots {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.full.len() * BLOCK + self.tail.len()))?;
        for slot in self.full.iter().flat_map(|block| &block.slots).chain(&self.tail) {
            list.serialize_element(slot)?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for Slots {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = Vec::<Slot>::deserialize(deserializer)?;
        if !list.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err(de::Error::custom("S032: the judged intervals of a state rise"));
        }
        let mut slots = Self::default();
        list.into_iter().for_each(|(slot, digest)| slots.push(slot, digest));
        Ok(slots)
    }
}

impl ShortDigest {
    pub(crate) fn of(digest: Digest) -> Self {
        let mut short = [0; 16];
        for (byte, full) in short.iter_mut().zip(digest.as_bytes()) {
            *byte = *full;
        }
        Self(short)
    }
}

impl Serialize for ShortDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", u128::from_be_bytes(self.0)))
    }
}

impl<'de> Deserialize<'de> for ShortDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Hex;
        impl de::Visitor<'_> for Hex {
            type Value = ShortDigest;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("32 hexadecimal digits")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<ShortDigest, E> {
                let lower = text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
                let number = u128::from_str_radix(text, 16).ok().filter(|_| lower);
                number
                    .map(|number| ShortDigest(number.to_be_bytes()))
                    .ok_or_else(|| E::custom("S015: not 32 hexadecimal digits"))
            }
        }
        deserializer.deserialize_str(Hex)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u64) -> ShortDigest {
        ShortDigest::of(Digest::of(&number.to_be_bytes()))
    }

    #[test]
    fn intervals_are_found_in_full_blocks_and_in_the_rest() {
        let mut slots = Slots::default();
        let numbers: Vec<u64> = (0..300).map(|n| 7 + 3 * n).collect();
        for number in &numbers {
            slots.push(*number, digest(*number));
        }
        for number in &numbers {
            assert_eq!(slots.get(*number), Some(digest(*number)));
            assert_eq!(slots.get(number + 1), None);
        }
        assert_eq!((slots.get(0), slots.newest()), (None, numbers.last().copied()));
        let json = serde_json::to_vec(&slots).unwrap();
        assert_eq!(serde_json::from_slice::<Slots>(&json).unwrap(), slots);
    }

    #[test]
    fn the_commitment_changes_with_every_interval() {
        let commitment = |changed: u64| {
            let mut slots = Slots::default();
            (0..200).for_each(|n| slots.push(n, digest(if n == changed { 1000 } else { n })));
            canonical_json(&slots.commitment()).unwrap()
        };
        assert_ne!(commitment(5), commitment(500));
        assert_ne!(commitment(199), commitment(500));
    }

    #[test]
    fn a_state_whose_intervals_do_not_rise_is_refused() {
        let hex = "0".repeat(32);
        assert!(serde_json::from_str::<Slots>(&format!("[[2,\"{hex}\"],[2,\"{hex}\"]]")).is_err());
        assert!(serde_json::from_str::<Slots>("[[2,\"+1\"]]").is_err());
    }
}
