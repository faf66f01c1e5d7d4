//! What a record says: the bytes that are pushed when a model is registered, and whose hash is its id.
//!
//! ```text
//! "BMR" 01 │ whole 4 │ own 4 │ count 4 │ (parent id 32 │ weight 4) × count │ model 32 │ flow 32 │ did 8 │ rest
//! rest:  sources n 1 │ (name │ weight 8 │ lock) × n │ data sets n 1 │ (name │ hash 32 │ weight 4) × n │ licence
//! ```
//!
//! Numbers are little-endian; a name, a lock and the licence are a length of one byte and as many bytes.
//! The registry's contract checks everything before `rest`, which only readers read.

use spec::hash::sha256;

/// How every body starts.
pub const MAGIC: [u8; 4] = *b"BMR\x01";
/// Weights are numbers of four bytes whose highest bit is a sign.
const WEIGHT_MAX: u32 = 0x7fff_ffff;

/// What a model's record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// What the weights of the parents and of the model itself sum to.
    pub whole: u32,
    /// The weight that the model keeps.
    pub own: u32,
    /// In strictly ascending order of their ids.
    pub parents: Vec<Parent>,
    /// SHA-256 of the weights file.
    pub model: [u8; 32],
    /// The hash in the lock of the model's flow.
    pub flow: [u8; 32],
    /// The first bytes of the DID that registered it; zeros without one.
    pub did: [u8; 8],
    /// The rest as it was pushed: [`About`], if it is written in that form.
    pub rest: Vec<u8>,
}

/// A model that another one builds on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Parent {
    /// The id of its record.
    pub id: [u8; 32],
    /// Over the body's whole.
    pub weight: u32,
}

/// Who shares what the model keeps, what it was trained on and what its users may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// In the order in which they are paid.
    pub sources: Vec<Source>,
    /// By name, as declared.
    pub data: Vec<DataSet>,
    /// Such as `apache-2.0`.
    pub licence: String,
}

/// A source of the model's own reward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Such as `models.diffusion`.
    pub name: String,
    /// Over the sum of all.
    pub weight: u64,
    /// Its locking script.
    pub lock: Vec<u8>,
}

/// What a model was trained on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataSet {
    /// Its name.
    pub name: String,
    /// SHA-256 of its contents.
    pub hash: [u8; 32],
    /// In millionths of all data; 0 where none is given.
    pub weight: u32,
}

impl Body {
    /// The id of the record: SHA-256 of the body. As it covers the ids of the parents, no circle can be made.
    #[must_use]
    pub fn id(&self) -> [u8; 32] {
        sha256(&self.encode())
    }

    /// Ids and weights of the parents as they are pushed.
    #[must_use]
    pub fn parents_bytes(&self) -> Vec<u8> {
        let entry = |parent: &Parent| parent.id.into_iter().chain(parent.weight.to_le_bytes());
        self.parents.iter().flat_map(entry).collect()
    }

    /// The bytes that are hashed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let count = u32::try_from(self.parents.len()).unwrap_or(u32::MAX);
        let mut out = MAGIC.to_vec();
        [self.whole, self.own, count].iter().for_each(|n| out.extend(n.to_le_bytes()));
        out.extend(self.parents_bytes());
        out.extend(self.model);
        out.extend(self.flow);
        out.extend(self.did);
        out.extend(&self.rest);
        out
    }

    /// Reads what [`Body::encode`] writes; `None` if the bytes are no body that a registry accepts.
    ///
    /// ```
    /// use flow::{About, Body};
    /// let rest = About { licence: "mit".into(), ..About::default() }.encode().unwrap();
    /// let body = Body { whole: 1, own: 1, parents: vec![], model: [7; 32], flow: [8; 32], did: [0; 8], rest };
    /// assert_eq!(Body::decode(&body.encode()), Some(body));
    /// ```
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Body> {
        let mut from = Reader(bytes);
        if from.array()? != MAGIC {
            return None;
        }
        let (whole, own, count) = (from.u32()?, from.u32()?, from.u32()?);
        let parents = (0..count).map_while(|_| Some(Parent { id: from.array()?, weight: from.u32()? })).collect();
        let body = Body {
            whole,
            own,
            parents,
            model: from.array()?,
            flow: from.array()?,
            did: from.array()?,
            rest: from.0.to_vec(),
        };
        (body.parents.len() == usize::try_from(count).ok()? && body.is_sound()).then_some(body)
    }

    /// Whether weights and order of the parents are what a registry accepts.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let positive = |weight: u32| (1..=WEIGHT_MAX).contains(&weight);
        let sum = self.parents.iter().map(|parent| u64::from(parent.weight)).sum::<u64>() + u64::from(self.own);
        let ascending = self.parents.iter().zip(self.parents.iter().skip(1)).all(|(a, b)| a.id < b.id);
        let positive = positive(self.own) && self.parents.iter().all(|parent| positive(parent.weight));
        sum == u64::from(self.whole) && self.whole <= WEIGHT_MAX && ascending && positive
    }

    /// The rest, if it is written as [`About`].
    #[must_use]
    pub fn about(&self) -> Option<About> {
        About::decode(&self.rest)
    }
}

impl About {
    /// The bytes; `None` if a name, a lock or the licence has more than 255 bytes, or there are more than 255 of one.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mut out = vec![u8::try_from(self.sources.len()).ok()?];
        for source in &self.sources {
            short(source.name.as_bytes(), &mut out)?;
            out.extend(source.weight.to_le_bytes());
            short(&source.lock, &mut out)?;
        }
        out.push(u8::try_from(self.data.len()).ok()?);
        for set in &self.data {
            short(set.name.as_bytes(), &mut out)?;
            out.extend(set.hash);
            out.extend(set.weight.to_le_bytes());
        }
        short(self.licence.as_bytes(), &mut out)?;
        Some(out)
    }

    /// Reads what [`About::encode`] writes, to the last byte.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<About> {
        let mut from = Reader(bytes);
        let mut about = About::default();
        for _ in 0..from.u8()? {
            let (name, weight) = (from.text()?, u64::from_le_bytes(from.array()?));
            about.sources.push(Source { name, weight, lock: from.short()?.to_vec() });
        }
        for _ in 0..from.u8()? {
            about.data.push(DataSet { name: from.text()?, hash: from.array()?, weight: from.u32()? });
        }
        about.licence = from.text()?;
        from.0.is_empty().then_some(about)
    }
}

/// A length of one byte, and the bytes.
fn short(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.push(u8::try_from(bytes.len()).ok()?);
    out.extend(bytes);
    Some(())
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, left) = self.0.split_at_checked(len)?;
        self.0 = left;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        let [byte] = self.array()?;
        Some(byte)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.array()?))
    }

    fn short(&mut self) -> Option<&'b [u8]> {
        let len = self.u8()?;
        self.take(usize::from(len))
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.short()?.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> Body {
        let about = About {
            sources: vec![Source { name: "models.diffusion".into(), weight: 3, lock: vec![0x51; 25] }],
            data: vec![DataSet { name: "laion".into(), hash: [9; 32], weight: 1_000_000 }],
            licence: "openrail".into(),
        };
        let parents = vec![Parent { id: [1; 32], weight: 5 }, Parent { id: [2; 32], weight: 10 }];
        let rest = about.encode().unwrap();
        Body { whole: 100, own: 85, parents, model: [7; 32], flow: [8; 32], did: [0; 8], rest }
    }

    #[test]
    fn bodies_are_read_as_they_are_written_and_any_other_byte_gives_another_id() {
        let bytes = body().encode();
        assert_eq!(Body::decode(&bytes), Some(body()));
        assert_eq!(body().about().unwrap().encode().unwrap(), body().rest);
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            if let Some(read) = Body::decode(&other) {
                assert_eq!(read.encode(), other);
                assert_ne!(read.id(), body().id());
            }
            // Every cut before the rest is noticed; the rest itself is opaque here.
            let cut = Body::decode(&bytes[..at]);
            assert!(cut.is_none() || cut.unwrap().about().is_none(), "{at}");
        }
    }

    #[test]
    fn weights_and_order_are_held_to_what_a_registry_accepts() {
        let changed = |change: &dyn Fn(&mut Body)| {
            let mut body = body();
            change(&mut body);
            Body::decode(&body.encode()).is_some()
        };
        assert!(changed(&|_| {}));
        assert!(!changed(&|body| body.own += 1));
        assert!(!changed(&|body| body.whole -= 1));
        assert!(!changed(&|body| body.parents.swap(0, 1)));
        assert!(!changed(&|body| body.parents[1].id = [1; 32]));
        assert!(!changed(&|body| {
            body.own += body.parents[0].weight;
            body.parents[0].weight = 0;
        }));
        assert!(!changed(&|body| {
            body.whole = 15;
            body.own = 0;
        }));
    }
}
