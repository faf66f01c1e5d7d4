//! Other inputs for a script: other pushes, other transactions, and other deployments of its template.

use spec::script::instructions;
use spec::{Opcode, Rules, num};

use crate::case::{Case, Push};
use crate::random::Random;
use crate::sign::{KEYS, of_deployment};

/// Shorter pushes belong to the template.
const HOLE_BYTES_MIN: usize = 3;

/// Numbers at which something changes: lengths, signs, and what has room in a machine register.
pub(crate) const EDGES: [i64; 27] = [
    0,
    1,
    -1,
    2,
    16,
    17,
    127,
    128,
    -127,
    -128,
    255,
    256,
    32_767,
    -32_768,
    1 << 31,
    -(1 << 31),
    1 << 55,
    1 << 62,
    i64::MAX,
    -i64::MAX,
    i64::MAX - 1,
    -(1 << 62),
    1 << 32,
    -(1 << 32),
    -2,
    -(1 << 55),
    3,
];

/// Lengths of items at which something changes.
const LENGTHS: [usize; 16] = [0, 1, 2, 7, 8, 9, 10, 15, 16, 20, 32, 33, 64, 75, 76, 256];

/// Draws inputs. The first is the case as it is.
pub(crate) struct Inputs<'c> {
    case: &'c Case,
    random: Random,
    number: usize,
    /// The cost and the bytes of an input that came to the end of the script.
    ended: Option<(u64, usize)>,
}

impl<'c> Inputs<'c> {
    pub(crate) const fn new(case: &'c Case, random: Random) -> Self {
        Self { case, random, number: 0, ended: None }
    }

    /// Tells what the last input took, if it came to the end of the script.
    pub(crate) fn ended(&mut self, ended: Option<(u64, usize)>) {
        self.ended = ended.or(self.ended);
    }

    /// The next input.
    pub(crate) fn next(&mut self) -> Case {
        let mut case = self.case.clone();
        self.number += 1;
        if self.number == 1 {
            return case;
        }
        let random = &mut self.random;
        if random.one_in(2) {
            case.deployment = random.below(KEYS);
            case.script = redeployed(&case.script, case.deployment, random);
        }
        if let Some((cost, unlock_len)) = self.ended
            && random.one_in(8)
        {
            paid(&mut case, cost, unlock_len, random);
        } else if random.below(4) > 0 {
            for _ in 0..=random.below(3) {
                change(&mut case.pushes, random);
            }
        }
        if random.one_in(3) {
            case.world = case.world.changed(random);
        }
        case
    }
}

/// The script with other bytes in its longer pushes, as another deployment of a contract has.
fn redeployed(script: &[u8], deployment: usize, random: &mut Random) -> Vec<u8> {
    let mut lock = script.to_vec();
    let all: Vec<_> = instructions(script).map_while(Result::ok).collect();
    let named =
        |at: usize| all.get(at).is_some_and(|next| matches!(next.opcode(), Some(Opcode::Define | Opcode::Invoke)));
    for (number, instruction) in all.iter().enumerate() {
        let data = instruction.data.unwrap_or_default();
        let pushes = all.get(number + 1).is_some_and(|next| next.byte <= Opcode::N16.to_byte());
        if data.len() < HOLE_BYTES_MIN || named(number + 1) || pushes && named(number + 2) {
            continue;
        }
        let other = of_deployment(data, deployment).unwrap_or_else(|| other_hole(data, random));
        if let Some(place) = lock.get_mut(instruction.end - data.len()..instruction.end) {
            place.copy_from_slice(&other);
        }
    }
    lock
}

/// Other bytes of the same length, a number if these are one; seldom the contrary, which makes another template.
fn other_hole(data: &[u8], random: &mut Random) -> Vec<u8> {
    let number = num::decode(data).is_some() != random.one_in(32);
    for _ in 0..8 {
        let mut other: Vec<u8> = match random.below(4) {
            0 => vec![0xff; data.len()],
            1 => vec![0; data.len()],
            _ => data.iter().map(|_| random.next() as u8).collect(),
        };
        if let Some(last) = other.last_mut() {
            *last = if number { random.pick(&[0x7f, 1, 0x80, 0xff, 0], 1) } else { random.pick(&[0, 0x80, *last], 0) };
        }
        if num::decode(&other).is_some() == number {
            return other;
        }
    }
    data.to_vec()
}

/// Gives the input about as many bytes as its script's cost asks for.
fn paid(case: &mut Case, cost: u64, unlock_len: usize, random: &mut Random) {
    let per_byte = Rules::new(case.set, case.mode).prices.budget_per_byte;
    let need = cost.div_ceil(per_byte).saturating_sub(spec::rules::INPUT_OVERHEAD_BYTES) as usize;
    let slack = random.pick(&[0, 0, 0, 1, 2, 10], 0);
    let longest = case.pushes.iter_mut().filter_map(|push| match push {
        Push::Bytes(data) => Some(data),
        Push::Signature(_) | Push::Raw(_) => None,
    });
    if let Some(data) = longest.max_by_key(|data| data.len())
        && data.len() > 40
    {
        data.resize((data.len() + need + slack).saturating_sub(unlock_len).max(1), 3);
    }
}

/// Changes a push, or which there are.
fn change(pushes: &mut Vec<Push>, random: &mut Random) {
    let at = random.below(pushes.len());
    match random.below(16) {
        0 if pushes.len() > 1 => {
            let other = random.below(pushes.len());
            pushes.swap(at, other);
        }
        1 if random.one_in(4) && at < pushes.len() => {
            pushes.remove(at);
        }
        2 if random.one_in(4) => pushes.insert(at, Push::Bytes(number(random))),
        _ => match pushes.get_mut(at) {
            Some(Push::Bytes(data)) => *data = other(data, random),
            Some(Push::Signature(signature)) if random.one_in(3) => signature.changed = Some(random.below(512)),
            Some(Push::Signature(_) | Push::Raw(_)) | None => {}
        },
    }
}

/// Another item in the place of one.
fn other(data: &[u8], random: &mut Random) -> Vec<u8> {
    // What only pays for the script goes on doing so.
    if data.len() > 100 && !random.one_in(8) {
        return data.to_vec();
    }
    match (num::decode(data), random.below(8)) {
        (Some(n), 0..3) => num::encode(n.saturating_add(random.pick(&[1, -1, 2, -2], 1)).max(-i64::MAX)),
        (Some(n), 3) => num::encode(-n),
        (Some(_), 4..7) => number(random),
        (None, 0..4) => data.iter().map(|_| random.next() as u8).collect(),
        (None, 4) => number(random),
        _ => {
            let len = random.pick(&LENGTHS, 8);
            (0..len).map(|_| random.pick(&[0, 0x80, 0xff, 1, 0x7f], 0)).collect()
        }
    }
}

/// A number at a border or near one, of up to 9 bytes.
fn number(random: &mut Random) -> Vec<u8> {
    match random.below(8) {
        0..4 => num::encode(random.pick(&EDGES, 0)),
        4 => num::encode_wide(random.pick(&[1 << 63, -(1 << 63), (1 << 63) + 1, 1 << 64, -(1 << 71)], 1 << 63)),
        5 => num::encode(i64::MAX - random.below(300) as i64),
        6 => num::encode(random.below(300) as i64 - i64::MAX),
        _ => num::encode(random.below(40) as i64 - 10),
    }
}
