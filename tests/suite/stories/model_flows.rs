//! Which flows a registry builds: none that does not pay the parents, and none that could never settle.

use flow::{Body, Source};
use spec::Sats;
use spec::model::FEE_SATS_MAX;
use wallet::Forgery;

use super::model_family::{Family, SECOND, arg, pairs, pushed, restate, sats, say};
use super::scratch;

#[test]
fn no_flow_is_registered_that_does_not_pay_the_parents() {
    let mut family = Family::new();
    family.register("Attention", &[]);
    family.register("Transformer", &["Attention"]);
    let thief = family.story.key("bob").lock();
    let says = "the new record says what was registered, and the flow that pays its parents";

    // A body and the flow of another one: a parent gets less, nothing, or another lock's part, or comes later.
    let mut flow_of = |change: &dyn Fn(&mut Body, &mut Vec<[u8; 32]>)| {
        let swap = |forgery: &mut Forgery<'_>| {
            let (body, flows) = pushed(forgery);
            let (mut other, mut paid) = (body.clone(), flows);
            change(&mut other, &mut paid);
            say(forgery, &body, &other.flow(&paid));
        };
        family.attack(swap, says);
    };
    flow_of(&|other, _| {
        other.parents[0].weight -= 1;
        other.sources[0].weight += 1;
    });
    flow_of(&|other, flows| {
        other.parents.remove(0);
        flows.remove(0);
        other.sources[0].weight += 5;
    });
    flow_of(&|_, flows| flows.swap(0, 1));
    flow_of(&|other, flows| {
        other.parents.swap(0, 1);
        other.parents[0].weight = 4;
        flows.swap(0, 1);
    });
    flow_of(&|_, flows| flows[0] = [9; 32]);
    flow_of(&|other, _| other.sources[1].lock.clone_from(&thief));
    flow_of(&|other, _| other.sources.swap(0, 1));
    flow_of(&|other, _| other.sources[2].weight -= 1);
    flow_of(&|other, _| other.terms.whole += 1);
    flow_of(&|other, _| other.terms.least = Sats::ONE);
    flow_of(&|other, _| other.terms.fee_max = FEE_SATS_MAX);
    flow_of(&|other, _| other.terms.names[31] ^= 1);
    // The right list behind other code: each opcode and each byte of the script is that of the template.
    let changed = |at: usize| {
        move |forgery: &mut Forgery<'_>| {
            let (body, flows) = pushed(forgery);
            let pays = body.recipients(&flows);
            let record = |one: &flow::Recipient| vec![(one.weight as u32).to_le_bytes().to_vec(), one.lock.clone()];
            let list = spec::artifact::chain_hash(&body.terms.encode(), &pays.iter().map(record).collect::<Vec<_>>());
            let mut script = spec::model::flow_script(&list);
            script[at] ^= 1;
            say(forgery, &body, &spec::hash::sha256d(&script));
        }
    };
    let len = spec::model::flow_script(&[0; 32]).len();
    for at in [0, 1, len / 3, len - 40, len - 20, len - 1] {
        family.attack(changed(at), says);
    }
    assert_eq!(family.index().records.len(), 2);
    family.story.end(scratch());
}

#[test]
fn no_flow_is_registered_that_could_never_settle() {
    let mut family = Family::new();
    family.register("Attention", &[]);
    family.register("Transformer", &["Attention"]);
    let mut refused = |change: &dyn Fn(&mut Body), message: &str| {
        family.attack(|forgery| restate(forgery, |body| change(body)), message);
    };
    // Weights sum to the whole, and none is 0 or less.
    let sum = "sum to the whole";
    refused(&|body| body.sources[0].weight += 1, sum);
    refused(&|body| body.sources[0].weight -= 1, sum);
    refused(
        &|body| {
            body.terms.least = sats(20_000);
            body.terms.whole += 1;
        },
        sum,
    );
    refused(&|body| body.parents[0].weight += 1, sum);
    for weight in [0, 0x8000_0001, 0xffff_ffff] {
        refused(&|body| body.parents[0].weight = weight, "every parent's weight is above 0");
        refused(&|body| body.sources[1].weight = weight, "every source's weight is above 0");
    }
    refused(&|body| body.terms.whole |= 0x8000_0000, "sum to the whole");
    refused(&|body| body.sources.clear(), "sum to the whole");
    refused(
        &|body| {
            body.terms.whole = 10;
            body.sources.clear();
        },
        "the model has a source of its own",
    );
    // The parents have 5 of 100: their share of 11,520 is the dust limit.
    refused(&|body| body.terms.least = sats(11_519), "every parent's share of the smallest pot is above dust");
    refused(
        &|body| {
            body.sources[2].weight += body.sources[1].weight - 4;
            body.sources[1].weight = 4;
            body.terms.least = sats(11_520);
        },
        "every source's share of the smallest pot is above dust",
    );
    // What a settlement may take of a pot is bounded, and there may be such a pot.
    refused(&|body| body.terms.fee_max = FEE_SATS_MAX + 1, "the largest fee of a settlement is at most");
    refused(&|body| body.terms.fee_max = 0xffff_ffff, "the largest fee of a settlement is at most");
    // A zero with a sign.
    refused(&|body| body.terms.fee_max = 0x8000_0000, "the largest fee has one form");
    refused(
        &|body| body.terms.least = Sats::from_wire(Sats::MAX.get() + 1),
        "the smallest pot is no more than there is",
    );
    refused(
        &|body| body.terms.least = Sats::from_wire(u64::MAX),
        "every parent's share of the smallest pot is above dust",
    );
    // Outputs with such locks there are not, or nodes do not pass them on.
    refused(&|body| body.sources[0].lock = Vec::new(), "a source's lock has from 1 to 35 bytes");
    refused(&|body| body.sources[0].lock = vec![0x51; 36], "a source's lock has from 1 to 35 bytes");
    refused(&|body| body.sources[0].lock = vec![0x51; 200], "a source's lock has from 1 to 35 bytes");
    refused(&|body| body.sources[0].lock = vec![0x6a, 1, 1], "a source's lock holds no data");
    refused(&|body| body.sources[2].lock = vec![0xef; 35], "a source's lock is no token");
    // A list of sources that ends within one.
    let cut = |forgery: &mut Forgery<'_>| {
        let (body, _) = pushed(forgery);
        let mut bytes = body.sources_bytes();
        bytes.pop();
        forgery.set_arg(0, "sources", arg(bytes));
    };
    let args = family.args(&[]);
    family.story.attack(("alice", &[]), "AttentionRegister", &pairs(&args), cut, "");
    assert_eq!(family.index().records.len(), 2);

    // Just at the limits, a model is registered.
    let honest = |forgery: &mut Forgery<'_>| {
        let last = forgery.tx.outputs.last_mut().unwrap();
        last.value = last.value.checked_sub(sats(1_000)).unwrap();
        restate(forgery, |body| {
            body.terms.least = sats(11_520);
            body.terms.fee_max = FEE_SATS_MAX;
            body.sources[0].lock = vec![0x51];
            body.sources[1].lock = vec![0x51; 35];
            body.rest = vec![0x81];
        });
    };
    let args = family.args(SECOND);
    family.story.forged("alice", "StableDiffusionRegister", &pairs(&args), honest);
    let record = family.index().records[2].clone();
    assert_eq!((record.body.about(), record.recipients[0].name.as_str()), (None, "1"));
    family.story.end(scratch());
}

/// Numbers that look like chance, the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// Changes a body in one way or another; often it is one that a registry accepts all the same.
fn mutate(body: &mut Body, chance: &mut Chance) {
    body.terms.least = sats(1_000_000);
    match chance.below(7) {
        0 | 1 => {
            body.parents.iter_mut().for_each(|parent| parent.weight = 1 + chance.below(40) as u32);
            body.sources.iter_mut().for_each(|source| source.weight = 1 + chance.below(40) as u32);
            let weights = body.parents.iter().map(|one| one.weight).chain(body.sources.iter().map(|one| one.weight));
            let (sum, least) = weights.fold((0, u32::MAX), |(sum, least), weight| (sum + weight, least.min(weight)));
            body.terms.whole = sum + chance.of(&[0, 0, 1]);
            let enough = (576 * u64::from(sum)).div_ceil(least.into());
            body.terms.least = sats(enough - chance.of(&[0, 0, 1]));
        }
        2 => body.terms.fee_max = chance.of(&[0, 1, 99_999, 100_000, 100_001, 0x7fff_ffff, 0x8000_0000, u32::MAX]),
        3 => {
            let at = chance.below(3) as usize;
            let mut lock = vec![0x51; chance.of(&[0, 1, 2, 25, 34, 35, 36, 127, 128, 255])];
            lock.iter_mut().take(1).for_each(|first| *first = chance.of(&[0x51, 0x51, 0, 0x6a, 0xef]));
            body.sources[at].lock = lock;
        }
        4 => {
            let one = body.sources[0].clone();
            let count = 1 + chance.below(30) as u32;
            body.sources = vec![Source { weight: 3, ..one }; count as usize];
            body.terms.whole = 10 + 3 * count;
        }
        5 => {
            let least = chance.of(&[0, 1, 11_519, 11_520, Sats::MAX.get(), Sats::MAX.get() + 1, 1 << 63, u64::MAX]);
            body.terms.least = Sats::from_wire(least);
        }
        _ => {
            let weight = chance.of(&[0, 0x7fff_ff00, 0x7fff_fff0, 0x8000_0000, u32::MAX]);
            body.sources[2].weight = weight;
            body.terms.whole = weight.wrapping_add(10 + body.sources[0].weight + body.sources[1].weight);
            body.terms.least = Sats::MAX;
        }
    }
    body.rest = chance.of(&[&[][..], &[0], &[1], &[16], &[0x81], &[7; 48], &[7; 32], &[7; 8]]).to_vec();
}

/// A body that the contract accepts and readers do not would end the registry for them, and the other way round no
/// model of that kind could be registered.
#[test]
fn the_contract_accepts_just_the_bodies_that_readers_accept() {
    let mut family = Family::new();
    family.register("Attention", &[]);
    family.register("Transformer", &["Attention"]);
    let args = family.args(SECOND);
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..80 {
        let mut said = None;
        let change = |forgery: &mut Forgery<'_>| {
            let last = forgery.tx.outputs.last_mut().unwrap();
            last.value = last.value.checked_sub(sats(5_000)).unwrap();
            restate(forgery, |body| {
                mutate(body, &mut chance);
                said = Some(body.clone());
            });
        };
        let sent = family.story.tried("alice", "StableDiffusionRegister", &pairs(&args), change);
        let body = said.unwrap();
        assert_eq!(sent.is_ok(), body.is_sound(), "{round}: {sent:?} {body:?}");
        if sent.is_ok() {
            accepted += 1;
            assert!(family.index().get(&body.id()).is_some_and(|record| record.body == body), "{round}: {body:?}");
        } else {
            refused += 1;
        }
    }
    assert!(accepted > 20 && refused > 20, "{accepted} are accepted, {refused} refused");
    family.story.end(scratch());
}
