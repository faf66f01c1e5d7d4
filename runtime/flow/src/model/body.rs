//! What a record says: the bytes that are pushed when a model is registered, and whose hash is its id.
//!
//! ```text
//! "BMR" 01 │ terms 48 │ length 4 │ (parent id 32 │ weight 4) × n │ length 4 │ (weight 4 │ lock) × n │ model 32 │ did 8 │ rest
//! terms:  whole 4 │ least 8 │ fee 4 │ names 32
//! rest:   name │ recipients n 1 │ name × n │ data sets n 1 │ (name │ hash 32 │ weight 4) × n │ licence
//! ```
//!
//! Numbers are little-endian; a name, a lock and the licence are a length of one byte and as many bytes.
//! The registry's contract checks everything before `rest`, which only readers read. With the flows of the parents the
//! body gives the flow of the model ([`Body::flow`]).

use spec::Sats;
use spec::hash::sha256;
use spec::model::{DUST_LIMIT, FEE_SATS_MAX, PARENTS_MAX, TERMS_BYTES, Terms, can_be_paid, flow_hash, names_hash};
use spec::script::p2sh32;

use crate::reward::Recipient;

/// How every body starts.
pub const MAGIC: [u8; 4] = *b"BMR\x01";
/// Weights are numbers of four bytes whose highest bit is a sign.
const WEIGHT_MAX: u32 = 0x7fff_ffff;
/// The most sources that a registry goes through.
const SOURCES_MAX: usize = 200;
/// The bytes of a parent.
const PARENT_BYTES: usize = 36;

/// What a model's record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The numbers of the flow's settlements.
    pub terms: Terms,
    /// In the order in which they are paid.
    pub parents: Vec<Parent>,
    /// The model's own, which are paid behind the parents.
    pub sources: Vec<Source>,
    /// SHA-256 of the weights file.
    pub model: [u8; 32],
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
    /// Over the whole of the terms.
    pub weight: u32,
}

/// A source of the model's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Over the whole of the terms.
    pub weight: u32,
    /// Where it is paid.
    pub lock: Vec<u8>,
}

/// What recipients are called, what the model was trained on and what its users may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// What the model is called.
    pub name: String,
    /// Such as `builds_on.Transformer` and `models.diffusion`, for the parents and then the sources.
    pub recipients: Vec<String>,
    /// By name, as declared.
    pub data: Vec<DataSet>,
    /// Such as `apache-2.0`.
    pub licence: String,
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

    /// What the model keeps, over the whole of the terms.
    #[must_use]
    pub fn own(&self) -> u32 {
        self.sources.iter().fold(0, |sum, source| sum.saturating_add(source.weight))
    }

    /// Ids and weights of the parents as they are pushed.
    #[must_use]
    pub fn parents_bytes(&self) -> Vec<u8> {
        let entry = |parent: &Parent| parent.id.into_iter().chain(parent.weight.to_le_bytes());
        self.parents.iter().flat_map(entry).collect()
    }

    /// Weights and locks of the sources as they are pushed; a lock of more than 255 bytes is cut.
    #[must_use]
    pub fn sources_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for source in &self.sources {
            let len = u8::try_from(source.lock.len()).unwrap_or(u8::MAX);
            out.extend(source.weight.to_le_bytes());
            out.push(len);
            out.extend(source.lock.iter().take(len.into()));
        }
        out
    }

    /// The bytes that are hashed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(self.terms.encode());
        for part in [self.parents_bytes(), self.sources_bytes()] {
            out.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.extend(part);
        }
        out.extend(self.model);
        out.extend(self.did);
        out.extend(&self.rest);
        out
    }

    /// Reads what [`Body::encode`] writes; `None` if the bytes are no body that a registry accepts.
    ///
    /// ```
    /// use flow::{About, Body, Source};
    /// use spec::{Sats, model::Terms};
    /// let terms = Terms { whole: 1, least: Sats::new(1_000).unwrap(), fee_max: 0, names: [0; 32] };
    /// let sources = vec![Source { weight: 1, lock: vec![0x51] }];
    /// let rest = About { licence: "mit".into(), ..About::default() }.encode().unwrap();
    /// let body = Body { terms, parents: vec![], sources, model: [7; 32], did: [0; 8], rest };
    /// assert_eq!(Body::decode(&body.encode()), Some(body));
    /// ```
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Body> {
        let mut from = Reader(bytes);
        if from.array()? != MAGIC {
            return None;
        }
        let terms = from.take(TERMS_BYTES)?;
        let parents = from.long()?;
        let sources = from.long()?;
        Self::of_parts(terms, parents, sources, from.array()?, from.array()?, from.0.to_vec())
    }

    /// The body of what a registration pushes; `None` if no registry accepts it.
    pub(super) fn of_parts(
        terms: &[u8],
        parents: &[u8],
        sources: &[u8],
        model: [u8; 32],
        did: [u8; 8],
        rest: Vec<u8>,
    ) -> Option<Body> {
        let parent = |entry: &[u8]| {
            let mut entry = Reader(entry);
            let parent = Parent { id: entry.array()?, weight: entry.u32()? };
            entry.0.is_empty().then_some(parent)
        };
        let parents = parents.chunks(PARENT_BYTES).map(parent).collect::<Option<_>>()?;
        let mut from = Reader(sources);
        let mut sources = Vec::new();
        while !from.0.is_empty() {
            sources.push(Source { weight: from.u32()?, lock: from.short()?.to_vec() });
        }
        let body = Body { terms: Terms::decode(terms)?, parents, sources, model, did, rest };
        body.is_sound().then_some(body)
    }

    /// Whether the numbers and locks are what a registry accepts.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let Terms { whole, least, fee_max, .. } = self.terms;
        let weights = || {
            let parents = self.parents.iter().map(|parent| parent.weight);
            parents.chain(self.sources.iter().map(|source| source.weight))
        };
        let sum: u64 = weights().map(u64::from).sum();
        let dust = u128::from(DUST_LIMIT.get()) * u128::from(whole);
        let enough =
            |weight: u32| (1..=WEIGHT_MAX).contains(&weight) && u128::from(weight) * u128::from(least.get()) >= dust;
        let counts = self.parents.len() <= PARENTS_MAX && (1..=SOURCES_MAX).contains(&self.sources.len());
        let numbers = whole <= WEIGHT_MAX && fee_max <= FEE_SATS_MAX && least <= Sats::MAX;
        counts
            && numbers
            && sum == u64::from(whole)
            && weights().all(enough)
            && self.sources.iter().all(|source| can_be_paid(&source.lock))
    }

    /// Whom the flow pays, given the hashes in the locks of the parents' flows.
    #[must_use]
    pub fn recipients(&self, flows: &[[u8; 32]]) -> Vec<Recipient> {
        let parents = self.parents.iter().zip(flows).map(|(parent, flow)| (parent.weight, p2sh32(flow)));
        let sources = self.sources.iter().map(|source| (source.weight, source.lock.clone()));
        // Names that are others than the flow's list has are none.
        let said = self.about().map(|about| about.recipients).unwrap_or_default();
        let said = if names_hash(said.iter().map(String::as_str)) == self.terms.names { said } else { Vec::new() };
        let named = |(at, (weight, lock)): (usize, (u32, Vec<u8>))| Recipient {
            name: said.get(at).cloned().unwrap_or_else(|| (at + 1).to_string()),
            weight: weight.into(),
            lock,
            until: 0,
        };
        parents.chain(sources).enumerate().map(named).collect()
    }

    /// The hash in the lock of the model's flow, given those of the parents' flows.
    #[must_use]
    pub fn flow(&self, flows: &[[u8; 32]]) -> [u8; 32] {
        let parents: Vec<(u32, Vec<u8>)> =
            self.parents.iter().zip(flows).map(|(parent, flow)| (parent.weight, p2sh32(flow))).collect();
        let parents = parents.iter().map(|(weight, lock)| (*weight, lock.as_slice()));
        flow_hash(&self.terms, parents.chain(self.sources.iter().map(|source| (source.weight, source.lock.as_slice()))))
    }

    /// The rest, if it is written as [`About`].
    #[must_use]
    pub fn about(&self) -> Option<About> {
        About::decode(&self.rest)
    }
}

impl About {
    /// The bytes; `None` if a name or the licence has more than 255 bytes, or there are more than 255 of one.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        short(self.name.as_bytes(), &mut out)?;
        out.push(u8::try_from(self.recipients.len()).ok()?);
        for name in &self.recipients {
            short(name.as_bytes(), &mut out)?;
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
        let mut about = About { name: from.text()?, ..About::default() };
        for _ in 0..from.u8()? {
            about.recipients.push(from.text()?);
        }
        for _ in 0..from.u8()? {
            about.data.push(DataSet { name: from.text()?, hash: from.array()?, weight: from.u32()? });
        }
        about.licence = from.text()?;
        from.0.is_empty().then_some(about)
    }
}

/// Appends a length of one byte and the bytes.
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

    fn long(&mut self) -> Option<&'b [u8]> {
        let len = usize::try_from(self.u32()?).ok()?;
        self.take(len)
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
        let recipients = ["builds_on.A", "builds_on.B", "models.diffusion"].map(str::to_owned).to_vec();
        let about = About {
            name: "C".into(),
            data: vec![DataSet { name: "laion".into(), hash: [9; 32], weight: 1_000_000 }],
            licence: "openrail".into(),
            recipients,
        };
        let names = names_hash(about.recipients.iter().map(String::as_str));
        let parents = vec![Parent { id: [2; 32], weight: 5 }, Parent { id: [1; 32], weight: 10 }];
        let sources = vec![Source { weight: 85, lock: vec![0x51; 25] }];
        let terms = Terms { whole: 100, least: Sats::new(11_520).unwrap(), fee_max: 1_000, names };
        Body { terms, parents, sources, model: [7; 32], did: [0; 8], rest: about.encode().unwrap() }
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
    fn numbers_and_locks_are_held_to_what_a_registry_accepts() {
        let changed = |change: &dyn Fn(&mut Body)| {
            let mut body = body();
            change(&mut body);
            Body::decode(&body.encode()).is_some()
        };
        assert!(changed(&|_| {}));
        // One parent may be named twice: it is paid twice.
        assert!(changed(&|body| body.parents[1].id = body.parents[0].id));
        assert!(!changed(&|body| body.sources[0].weight += 1));
        assert!(!changed(&|body| body.terms.whole -= 1));
        assert!(!changed(&|body| body.parents[1].weight = 0));
        assert!(!changed(&|body| {
            body.terms.whole = 15;
            body.sources.clear();
        }));
        // 5 of 100 are just above dust.
        assert!(!changed(&|body| body.terms.least = Sats::new(11_519).unwrap()));
        assert!(!changed(&|body| body.terms.fee_max = FEE_SATS_MAX + 1));
        for lock in [vec![], vec![0x51; 36], vec![0x6a], vec![0xef; 3]] {
            assert!(!changed(&|body| body.sources[0].lock = lock.clone()));
        }
        assert!(changed(&|body| body.parents = vec![Parent { id: [3; 32], weight: 5 }, body.parents[1]]));
        assert!(!changed(&|body| {
            body.parents = vec![Parent { id: [3; 32], weight: 1 }; PARENTS_MAX + 1];
            body.terms.least = Sats::MAX;
            body.terms.whole = 85 + 65;
        }));
    }

    #[test]
    fn the_flow_depends_on_everything_that_is_paid() {
        let flows = [[4; 32], [5; 32]];
        let flow = body().flow(&flows);
        assert_ne!(body().flow(&[[5; 32], [4; 32]]), flow);
        let changed = |change: &dyn Fn(&mut Body)| {
            let mut body = body();
            change(&mut body);
            body.flow(&flows)
        };
        assert_ne!(changed(&|body| body.sources[0].lock[0] = 0x52), flow);
        assert_ne!(changed(&|body| body.parents.swap(0, 1)), flow);
        assert_ne!(changed(&|body| body.terms.fee_max += 1), flow);
        assert_ne!(changed(&|body| body.terms.least = Sats::MAX), flow);
        assert_ne!(changed(&|body| body.terms.names[0] ^= 1), flow);
        // What only readers read changes the id alone.
        assert_eq!(changed(&|body| body.rest.clear()), flow);
        let names: Vec<String> = body().recipients(&flows).into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["builds_on.A", "builds_on.B", "models.diffusion"]);
        let mut other = body();
        other.terms.names = [0; 32];
        let names: Vec<String> = other.recipients(&flows).into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["1", "2", "3"], "names that the list does not have are no names of it");
    }
}
