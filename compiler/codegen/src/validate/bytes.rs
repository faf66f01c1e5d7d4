//! Bytes in normal form: what is joined, cut and compared.

use spec::Opcode;

use super::term::{Kind, Term, Terms};

impl Terms {
    pub(super) fn same(&mut self, a: Term, b: Term) -> Term {
        if a == b {
            return self.truth_value(true);
        }
        if self.is_number(a) && self.is_number(b) {
            return self.equal_numbers(a, b);
        }
        if let (Some(a), Some(b)) = (self.as_bytes(a), self.as_bytes(b)) {
            let same = a == b;
            return self.truth_value(same);
        }
        if let (Some(a), Some(b)) = (self.fixed_len(a), self.fixed_len(b))
            && a != b
        {
            return self.truth_value(false);
        }
        if let Some((of, text)) = self.hashed_text(a, b).or_else(|| self.hashed_text(b, a)) {
            let text = self.bytes(text);
            return self.same(of, text);
        }
        if let Some(parts) = self.same_parts(a, b) {
            return self.all(parts);
        }
        self.intern(Kind::Same(a.min(b), a.max(b)))
    }

    /// What is hashed on one side, and the known text whose hash the other side is.
    fn hashed_text(&self, hashed: Term, hash: Term) -> Option<(Term, Vec<u8>)> {
        let Kind::Op(Opcode::Sha256, args) = self.kind(hashed) else { return None };
        Some((*args.first()?, self.preimage(self.as_bytes(hash)?)?.to_vec()))
    }

    /// The same bytes part by part, as far as the first and last parts have lengths.
    fn same_parts(&mut self, a: Term, b: Term) -> Option<Vec<Term>> {
        let (mut left, mut right) = (self.parts(a), self.parts(b));
        let before = left.len() + right.len();
        let mut found = Vec::new();
        for front in [true, false] {
            while let Some((x, y)) = self.cut_alike(&mut left, &mut right, front) {
                found.push(self.same(x, y));
            }
        }
        if found.is_empty() || left.len() + right.len() == before {
            return None;
        }
        let (rest_left, rest_right) = (self.join(left), self.join(right));
        found.push(self.same(rest_left, rest_right));
        Some(found)
    }

    fn parts(&self, term: Term) -> Vec<Term> {
        match self.kind(term) {
            Kind::Cat(parts) => parts.clone(),
            Kind::Const(data) if data.is_empty() => Vec::new(),
            _ => vec![term],
        }
    }

    /// Takes a part off both sides that has one length; nothing if neither side has one.
    fn cut_alike(&mut self, left: &mut Vec<Term>, right: &mut Vec<Term>, front: bool) -> Option<(Term, Term)> {
        let of = |side: &Vec<Term>| if front { side.first().copied() } else { side.last().copied() };
        let (a, b) = (of(left)?, of(right)?);
        if left.len() == 1 && right.len() == 1 {
            return None;
        }
        let take = |side: &mut Vec<Term>| if front { side.remove(0) } else { side.pop().expect("it has a last") };
        if a == b {
            return Some((take(left), take(right)));
        }
        let (a_len, b_len) = (self.fixed_len(a)?, self.fixed_len(b)?);
        let len = a_len.min(b_len);
        let cut = |this: &mut Self, side: &mut Vec<Term>, whole: usize| -> Option<Term> {
            let part = take(side);
            if whole == len {
                return Some(part);
            }
            let data = this.as_bytes(part)?.to_vec();
            let at = if front { len } else { whole - len };
            let (head, tail) = data.split_at_checked(at)?;
            let (head, tail) = (this.bytes(head.to_vec()), this.bytes(tail.to_vec()));
            let (piece, rest) = if front { (head, tail) } else { (tail, head) };
            if front {
                side.insert(0, rest)
            } else {
                side.push(rest)
            }
            Some(piece)
        };
        let cuts = |this: &Self, part: Term, whole: usize| whole == len || this.as_bytes(part).is_some();
        if !cuts(self, a, a_len) || !cuts(self, b, b_len) || len == 0 {
            return None;
        }
        Some((cut(self, left, a_len)?, cut(self, right, b_len)?))
    }

    pub(super) fn join(&mut self, parts: Vec<Term>) -> Term {
        let mut flat: Vec<Term> = Vec::new();
        let parts: Vec<Term> = parts.into_iter().flat_map(|part| self.parts(part)).collect();
        for part in parts {
            let joined = match (flat.last().map(|last| self.kind(*last).clone()), self.kind(part).clone()) {
                (Some(Kind::Const(a)), Kind::Const(b)) => Some(self.bytes([a, b].concat())),
                (Some(Kind::Slice(a, from, Some(end))), Kind::Slice(b, start, to)) if a == b && end == start => {
                    Some(self.slice(a, from, to))
                }
                _ => None,
            };
            match joined {
                Some(joined) => {
                    flat.pop();
                    flat.push(joined);
                }
                None => flat.push(part),
            }
        }
        match flat.as_slice() {
            [] => self.bytes(Vec::new()),
            [only] => *only,
            _ => self.intern(Kind::Cat(flat)),
        }
    }

    /// The bytes of `of` between two places.
    pub(super) fn slice(&mut self, of: Term, from: Term, to: Option<Term>) -> Term {
        let zero = self.int(0);
        if from == zero && to.is_none() {
            return of;
        }
        if let (Some(start), Some(end)) = (self.as_index(from), to.map_or(Some(None), |to| self.as_index(to).map(Some)))
            && let Some(part) = self.slice_of_parts(of, start, end)
        {
            return part;
        }
        if let Kind::Slice(inner, start, end) = self.kind(of).clone() {
            let to = match to {
                Some(to) => Some(self.add(start, to, 1)),
                None => end,
            };
            let from = self.add(start, from, 1);
            return self.slice(inner, from, to);
        }
        self.intern(Kind::Slice(of, from, to))
    }

    /// A slice of what is joined, whose parts have lengths up to there.
    fn slice_of_parts(&mut self, of: Term, start: usize, end: Option<usize>) -> Option<Term> {
        if let Some(data) = self.as_bytes(of) {
            let part = data.get(start..end.unwrap_or(data.len()))?.to_vec();
            return Some(self.bytes(part));
        }
        let Kind::Cat(parts) = self.kind(of).clone() else { return None };
        let (mut at, mut taken) = (0, Vec::new());
        for part in parts {
            if end.is_some_and(|end| at >= end) {
                break;
            }
            match self.fixed_len(part) {
                Some(len) if at + len <= start => {}
                Some(len) if at >= start && end.is_none_or(|end| at + len <= end) => taken.push(part),
                Some(len) => {
                    let data = self.as_bytes(part)?;
                    let piece = data.get(start.saturating_sub(at)..end.map_or(len, |end| len.min(end - at)))?.to_vec();
                    taken.push(self.bytes(piece));
                }
                None if at >= start && end.is_none() => taken.push(part),
                None => return None,
            }
            at = match self.fixed_len(part) {
                Some(len) => at + len,
                None if end.is_none() => usize::MAX / 2,
                None => return None,
            };
        }
        Some(self.join(taken))
    }

    pub(super) fn length(&mut self, of: Term) -> Term {
        if let Some(len) = self.fixed_len(of).and_then(|len| i64::try_from(len).ok()) {
            return self.int(len);
        }
        match self.kind(of).clone() {
            Kind::Cat(parts) => {
                let mut sum = self.int(0);
                for part in parts {
                    let len = self.length(part);
                    sum = self.add(sum, len, 1);
                }
                sum
            }
            Kind::Slice(_, from, Some(to)) => self.add(to, from, -1),
            Kind::Slice(of, from, None) => {
                let whole = self.length(of);
                self.add(whole, from, -1)
            }
            _ => self.intern(Kind::Length(of)),
        }
    }
}
