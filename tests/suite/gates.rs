//! Gates that many judges open: how many fit one standard input, and what is no vote.

use spec::hash::sha256;
use wallet::Accounts;

use crate::machine::{self, CATEGORY, Tx, Values, account, bytes, out, place, spend, tx};

const JUDGES: usize = 100;
const NEEDED: usize = 67;

/// The attestation is bound to the coin's outpoint, so it opens this gate and no other, once.
const GATE: &str = "
contract Gate(judges: [PubKey; 100]) {
    spend open(model: Bytes<32>, sigs: [DataSig; 100], padding: Padding) {
        let message = \"GATE\" + 0x01 + self.txid + bytes(tx.inputs[self.index].index, 4) + model;
        let mut votes = 0;
        for i in 0..100 {
            if judges[i].signed(message, sigs[i]) { votes = votes + 1; }
        }
        require votes >= 67, \"67 of 100 judges attest\";
        require self.index == 0, \"the gate is the first input\";
        require tx.outputs[0].value >= self.value, \"the money passes\";
    }
}
";

#[test]
fn sixty_seven_of_a_hundred_judges_open_a_gate() {
    let artifacts = machine::compiled(GATE);
    let key = |at: usize| Accounts::devnet().key(u32::try_from(at).unwrap());
    let keys: Vec<Vec<u8>> = (0..JUDGES).map(|at| key(at).public().to_vec()).collect();
    let gate = place(&artifacts, "Gate", vec![("judges", spec::artifact::AbiValue::Items(keys))]);
    let model = [7; 32];
    let message = |outpoint: u8, model: [u8; 32]| [b"GATE\x01", &CATEGORY[..], &[outpoint, 0, 0, 0], &model].concat();
    let opened = |by: &dyn Fn(usize) -> Option<(usize, Vec<u8>)>| -> Tx<'_> {
        let sig = |at: usize| by(at).map_or(Vec::new(), |(who, message)| key(who).sign(&sha256(&message)).to_vec());
        let args: Values = vec![
            ("model", bytes(model)),
            ("sigs", spec::artifact::AbiValue::Items((0..JUDGES).map(sig).collect())),
            ("padding", bytes([])),
        ];
        tx(vec![spend(&gate, "open", args, gate.out(10_000, None))], vec![out(&account(1), 10_000, None)])
    };
    let good = message(0, model);
    let first = |count: usize| move |at: usize| (at < count).then(|| (at, message(0, model)));
    opened(&first(NEEDED)).accepted();
    opened(&|at| (at >= JUDGES - NEEDED).then(|| (at, good.clone()))).accepted();
    opened(&first(NEEDED - 1)).refused("67 of 100 judges attest");
    opened(&|_| None).refused("67 of 100 judges attest");
    let (tx, _) = opened(&first(NEEDED)).built();
    println!("67 of 100 judges open a gate in {} bytes", tx.encode().len());
    assert!(tx.inputs[0].unlock.len() <= 10_000);
    // One key in the place of another, and a signature that is not valid beside enough that are.
    opened(&|at| (at < NEEDED).then(|| (at.max(1), good.clone()))).judge().unwrap_err();
    opened(&|at| (at < NEEDED).then(|| (at, message(u8::from(at == 9), model)))).judge().unwrap_err();
    opened(&|at| (at <= NEEDED).then(|| (at, message(0, [7 + u8::from(at == NEEDED); 32])))).judge().unwrap_err();
    // Every signature of another outpoint, or of another model.
    opened(&|at| (at < NEEDED).then(|| (at, message(1, model)))).judge().unwrap_err();
    opened(&|at| (at < NEEDED).then(|| (at, message(0, [8; 32])))).judge().unwrap_err();
}
