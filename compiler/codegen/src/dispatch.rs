//! The paths of a contract as one script.
//!
//! With several paths the spender pushes a selector last. It must be exact, or else anybody could
//! replace it by another number that means the same:
//! - two paths: 1 and 0, the only items that equal their own length: `SIZE OVER EQUALVERIFY IF a ELSE b ENDIF`;
//! - more: 1, 2, …, counted down: `1SUB IFDUP NOTIF a ELSE 1SUB IFDUP NOTIF b ELSE 1 NUMEQUALVERIFY c ENDIF ENDIF`.

use spec::Opcode;

use crate::code::{Code, Instr, Op, PlaceId};

/// The code of one path and where it was declared.
pub(crate) struct PathCode {
    pub(crate) code: Code,
    pub(crate) place: PlaceId,
}

/// One script out of paths that leave nothing on the stack, with the selector of each.
pub(crate) fn join(paths: Vec<PathCode>) -> (Code, Vec<i64>) {
    let mut code = Code::new();
    let count = paths.len();
    let end = paths.first().map(|path| path.place).unwrap_or_default();
    let selectors = if count == 2 {
        two(&mut code, paths);
        vec![1, 0]
    } else {
        many(&mut code, paths);
        (1..).take(count).collect()
    };
    write(&mut code, end, [Op::int(1)]);
    (code, selectors)
}

fn two(code: &mut Code, paths: Vec<PathCode>) {
    let last = paths.len().saturating_sub(1);
    for (at, path) in paths.into_iter().enumerate() {
        if at == 0 {
            write(code, path.place, [Opcode::Size, Opcode::Over, Opcode::EqualVerify, Opcode::If].map(Op::Code));
        } else {
            write(code, path.place, [Op::Code(Opcode::Else)]);
        }
        code.extend(path.code);
        if at == last {
            write(code, path.place, [Op::Code(Opcode::EndIf)]);
        }
    }
}

fn many(code: &mut Code, paths: Vec<PathCode>) {
    let last = paths.len().saturating_sub(1);
    let mut places = Vec::new();
    for (at, path) in paths.into_iter().enumerate() {
        if at < last {
            write(code, path.place, [Opcode::Sub1, Opcode::IfDup, Opcode::NotIf].map(Op::Code));
            code.extend(path.code);
            write(code, path.place, [Op::Code(Opcode::Else)]);
            places.push(path.place);
        } else {
            write(code, path.place, [Op::int(1), Op::Code(Opcode::NumEqualVerify)]);
            code.extend(path.code);
        }
    }
    places.into_iter().rev().for_each(|place| write(code, place, [Op::Code(Opcode::EndIf)]));
}

fn write(code: &mut Code, place: PlaceId, ops: impl IntoIterator<Item = Op>) {
    code.extend(ops.into_iter().map(|op| Instr { op, place, site: None }));
}
