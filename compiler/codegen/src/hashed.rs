//! Constants compared by their hash: `x == K` becomes `SHA256(x) == H` where `H` takes fewer bytes than `K`, and several
//! such checks of one block become a single one.
//!
//! Joined checks hash a chain. What they read is joined in order, and hashed whenever a second part of unknown length
//! would come in; so no text but the one that the constants make has the last hash, as long as nobody finds two texts with
//! one hash:
//!
//! ```text
//! a == A, b == B, c == C    SHA256(SHA256(SHA256(a) ++ b) ++ c) == SHA256(SHA256(SHA256(A) ++ B) ++ C)
//! ```
//!
//! Plain joining would not do: `a ++ b` is also what two other parts make that are cut elsewhere.

use spec::Opcode;
use spec::hash::sha256;
use spec::script::push_len;

use crate::code::{PlaceId, SiteId};
use crate::facts;
use crate::lower::Notes;
use crate::mir::{Block, Effect, Graph, NodeId, NodeKind, Operation, Path};

/// The push of a hash, and the comparison with it.
const COMPARISON: usize = 33 + 1;
/// What is joined before it is hashed has at most so many bytes, far below what an item may have.
const JOINED_BYTES_MAX: usize = 4_000;
/// How deep operands are looked into for a length.
const LEVELS_MAX: u32 = 8;

/// Which checks are written otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// All of a block whose constants together are longer than one hash, as one check.
    Joined,
    /// Those whose constant alone is.
    Each,
}

impl Way {
    pub(crate) const ALL: [Self; 2] = [Self::Joined, Self::Each];
}

/// A path that compares constants by their hash.
pub(crate) struct Hashed {
    pub(crate) path: Path,
    /// The texts whose hashes stand in the script.
    pub(crate) preimages: Vec<Vec<u8>>,
}

/// The path written so; nothing if that makes no check shorter.
pub(crate) fn hashed(path: &Path, way: Way, notes: &mut Notes) -> Option<Hashed> {
    if !path.graph.compares_constants() {
        return None;
    }
    let Path { mut graph, mut body, arg_items, list, results, hidden } = path.clone();
    let mut work = Work { graph: &mut graph, notes, way, preimages: Vec::new() };
    work.block(&mut body);
    let preimages = work.preimages;
    let path = Path { graph, body, arg_items, list, results, hidden };
    (!preimages.is_empty()).then_some(Hashed { path, preimages })
}

/// A check that something is a constant.
struct Member {
    /// Which effect of the block it is.
    at: usize,
    of: NodeId,
    is: Vec<u8>,
    /// Whether what is read has one length, whatever the transaction.
    fixed: bool,
    site: SiteId,
    place: PlaceId,
}

impl Member {
    /// The bytes of the constant and of its comparison.
    fn plain_len(&self) -> usize {
        push_len(&self.is) + 1
    }

    /// The bytes that it adds to a chain: joining, and a hash if another part of unknown length may come.
    fn link_len(&self) -> usize {
        if self.fixed { 1 } else { 2 }
    }
}

/// Whether one check of all these is shorter than a check for each.
fn is_shorter(members: &[Member]) -> bool {
    let plain: usize = members.iter().map(Member::plain_len).sum();
    let hashes = members.iter().filter(|member| !member.fixed).count().max(1);
    plain > members.len().saturating_sub(1) + hashes + COMPARISON
}

struct Work<'w> {
    graph: &'w mut Graph,
    notes: &'w mut Notes,
    way: Way,
    preimages: Vec<Vec<u8>>,
}

impl Work<'_> {
    fn block(&mut self, block: &mut Block) {
        for effect in &mut block.effects {
            match effect {
                Effect::Choose(choice) => {
                    self.block(&mut choice.then);
                    self.block(&mut choice.otherwise);
                }
                Effect::Repeat(repeat) => self.block(&mut repeat.body),
                Effect::Verify { .. } | Effect::Lock { .. } | Effect::Run(_) => {}
            }
        }
        let members: Vec<Member> =
            block.effects.iter().enumerate().filter_map(|(at, effect)| self.member(at, effect)).collect();
        match self.way {
            Way::Joined => {
                let gains = |member: &Member| member.plain_len() > member.link_len();
                let members: Vec<Member> = members.into_iter().filter(gains).collect();
                if members.len() > 1 && is_shorter(&members) {
                    self.replace(block, &members);
                }
            }
            Way::Each => {
                let alone = members.iter().map(std::slice::from_ref).filter(|alone| is_shorter(alone));
                alone.for_each(|alone| self.replace(block, alone));
            }
        }
    }

    fn member(&self, at: usize, effect: &Effect) -> Option<Member> {
        let Effect::Verify { value, site, place } = effect else { return None };
        let (Operation::Op(Opcode::Equal), [a, b]) = self.graph.as_op(*value)? else { return None };
        let (of, is) = match (self.graph.as_const(*a), self.graph.as_const(*b)) {
            (None, Some(is)) => (*a, is),
            (Some(is), None) => (*b, is),
            _ => return None,
        };
        let is = Some(is).filter(|is| is.len() <= JOINED_BYTES_MAX)?.to_vec();
        let fixed = self.graph.len_of(of, LEVELS_MAX) == Some(is.len());
        Some(Member { at, of, is, fixed, site: (*site)?, place: *place })
    }

    /// One check in the place of the last of these, so that what the others stood behind still fails first.
    fn replace(&mut self, block: &mut Block, members: &[Member]) {
        let Some(last) = members.last() else { return };
        let (chain, is) = self.chain(members, last.place);
        let is = self.graph.bytes(is, last.place);
        let value = self.graph.op(Opcode::Equal, &[chain, is], last.place);
        let site = self.notes.hashed(members.iter().map(|member| (member.site, member.is.clone())).collect());
        if let Some(effect) = block.effects.get_mut(last.at) {
            *effect = Effect::Verify { value, site: Some(site), place: last.place };
        }
        let mut at = 0;
        block.effects.retain(|_| {
            at += 1;
            at > last.at || !members.iter().any(|member| member.at + 1 == at)
        });
    }

    /// What hashes the chain of these, and the hash that it must have.
    fn chain(&mut self, members: &[Member], place: PlaceId) -> (NodeId, Vec<u8>) {
        let mut open: Option<(NodeId, Vec<u8>)> = None;
        // Whether a part of what is joined now has no fixed length.
        let mut varies = false;
        for member in members {
            let full = |is: &Vec<u8>| is.len() + member.is.len() > JOINED_BYTES_MAX;
            let before = match open.take() {
                Some((of, is)) if (varies && !member.fixed) || full(&is) => {
                    varies = false;
                    Some(self.hash(of, is, place))
                }
                before => before,
            };
            varies |= !member.fixed;
            open = Some(match before {
                Some((of, is)) => {
                    let joined = self.graph.op(Opcode::Cat, &[of, member.of], place);
                    (joined, [is.as_slice(), &member.is].concat())
                }
                None => (member.of, member.is.clone()),
            });
        }
        let (of, is) = open.expect("there is a member");
        self.hash(of, is, place)
    }

    fn hash(&mut self, of: NodeId, is: Vec<u8>, place: PlaceId) -> (NodeId, Vec<u8>) {
        let hash = sha256(&is).to_vec();
        if !self.preimages.contains(&is) {
            self.preimages.push(is);
        }
        (self.graph.op(Opcode::Sha256, &[of], place), hash)
    }
}

impl Graph {
    fn compares_constants(&self) -> bool {
        let is_constant = |id: &NodeId| self.as_const(*id).is_some();
        self.nodes().iter().any(|node| match &node.kind {
            NodeKind::Op(Operation::Op(Opcode::Equal), inputs) => inputs.iter().any(is_constant),
            _ => false,
        })
    }

    /// How many bytes the value has, if always so many.
    fn len_of(&self, id: NodeId, levels: u32) -> Option<usize> {
        let levels = levels.checked_sub(1)?;
        let index = |id: NodeId| usize::try_from(spec::num::decode(self.as_const(id)?)?).ok();
        match self.kind(id) {
            NodeKind::Const(data) => Some(data.len()),
            NodeKind::Op(Operation::Op(Opcode::Num2Bin), inputs) => index(*inputs.get(1)?),
            NodeKind::Op(Operation::Op(Opcode::ReverseBytes), inputs) => self.len_of(*inputs.first()?, levels),
            NodeKind::Op(Operation::Op(Opcode::Cat), inputs) => {
                inputs.iter().map(|input| self.len_of(*input, levels)).sum()
            }
            NodeKind::Op(Operation::Op(opcode), _) => facts::fixed_len(*opcode).map(usize::from),
            NodeKind::Op(Operation::Head, inputs) => index(*inputs.get(1)?),
            NodeKind::Op(..) | NodeKind::Param(_) | NodeKind::Text(_) | NodeKind::Arg(_) | NodeKind::Phi(_) => None,
        }
    }
}
