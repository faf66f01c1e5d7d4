//! Whether patterns cover every value, and whether each of them is ever reached.
//!
//! This is usefulness as in L. Maranget, "Warnings for pattern matching" (2007): a row of patterns is
//! useful behind others if some value fits it and none of them. An arm that is not useful behind those
//! before it is never reached; if a wildcard is useful behind all of them, the value that proves it is
//! not covered. Worked example: behind `None` and `Some(true)` the wildcard is useful, because of
//! `Some(false)`: the first column's type has the variants `None` and `Some`, both are present, so each
//! is tried; behind `Some` there is one column of type `Bool` with only `true` in it.

use crate::eval::Value;
use crate::hir::Type;

/// Cells of the matrices that are looked at for one `match`; longer searches are given up.
const CELLS_MAX: usize = 2_000_000;
/// Columns with patterns that one search looks at, one behind the other.
const DEPTH_MAX: usize = 300;

/// A pattern without its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pat {
    /// Fits every value.
    Any,
    /// Fits a variant of an enum.
    Variant(usize, Vec<Pat>),
    /// Fits a struct, tuple or array whose parts fit.
    Parts(Vec<Pat>),
    /// Fits one number, truth value or string of bytes.
    Value(Value),
    /// Fits what one of them fits.
    Or(Vec<Pat>),
}

/// The search was given up: the patterns are too many, or lie too deep inside each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooComplex;

/// What is wrong with the arms of a `match`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// A value that no arm fits.
    pub(crate) missing: Option<Pat>,
    /// The arms that are never reached, by their index.
    pub(crate) unreachable: Vec<usize>,
}

/// Looks at all arms of a match over values of type `ty`. An arm with a guard, the truth value beside its
/// pattern, may not take what fits it.
pub(crate) fn check(ty: &Type, arms: &[(Pat, bool)]) -> Result<Verdict, TooComplex> {
    let mut search = Search { cells: 0 };
    let types = std::slice::from_ref(ty);
    let mut rows: Vec<Vec<&Pat>> = Vec::with_capacity(arms.len());
    let mut unreachable = Vec::new();
    for (index, (arm, guarded)) in arms.iter().enumerate() {
        if search.useful(&rows, &[arm], types, 0)?.is_none() {
            unreachable.push(index);
        }
        if !guarded {
            rows.push(vec![arm]);
        }
    }
    let missing = search.useful(&rows, &[&Pat::Any], types, 0)?.and_then(|mut values| values.pop());
    Ok(Verdict { missing, unreachable })
}

/// What a pattern demands of the outermost layer of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Head {
    Variant(usize),
    Parts,
    Value(Value),
}

impl Head {
    /// The types of what lies behind the head.
    fn fields(&self, ty: &Type) -> Vec<Type> {
        match (self, ty) {
            (Head::Variant(index), Type::Enum(ty)) => {
                ty.variants.get(*index).map(|variant| variant.fields.clone()).unwrap_or_default()
            }
            (Head::Parts, Type::Tuple(parts)) => parts.to_vec(),
            (Head::Parts, Type::Struct(ty)) => ty.fields.iter().map(|(_, ty)| ty.clone()).collect(),
            (Head::Parts, Type::Array(element, count)) => vec![(**element).clone(); *count as usize],
            _ => Vec::new(),
        }
    }

    fn with(self, fields: Vec<Pat>) -> Pat {
        match self {
            Head::Variant(index) => Pat::Variant(index, fields),
            Head::Parts => Pat::Parts(fields),
            Head::Value(value) => Pat::Value(value),
        }
    }
}

struct Search {
    cells: usize,
}

type Row<'p> = Vec<&'p Pat>;

impl Search {
    /// Values that fit `query` and none of the rows, one for each column. Columns stand in reverse
    /// order, the first one last; there are as many as types, whatever lies behind in a row.
    fn useful(
        &mut self,
        rows: &[Row<'_>],
        query: &[&Pat],
        types: &[Type],
        depth: usize,
    ) -> Result<Option<Vec<Pat>>, TooComplex> {
        self.cells += (rows.len() + 1) * (types.len() + 1);
        if self.cells > CELLS_MAX || depth > DEPTH_MAX {
            return Err(TooComplex);
        }
        let idle = |at: usize| rows.iter().all(|row| row.get(at).is_none_or(|pat| **pat == Pat::Any));
        let count = (0..types.len()).rev().find(|at| query.get(*at) != Some(&&Pat::Any) || !idle(*at));
        let count = count.map_or(0, |last| last + 1);
        let found = self.useful_in(
            rows,
            query.get(..count).unwrap_or_default(),
            types.get(..count).unwrap_or_default(),
            depth,
        )?;
        Ok(found.map(|mut values| {
            values.resize(types.len(), Pat::Any);
            values
        }))
    }

    /// The same where the first column is not idle.
    fn useful_in(
        &mut self,
        rows: &[Row<'_>],
        query: &[&Pat],
        types: &[Type],
        depth: usize,
    ) -> Result<Option<Vec<Pat>>, TooComplex> {
        let Some((ty, types_left)) = types.split_last() else { return Ok(rows.is_empty().then(Vec::new)) };
        let Some((first, query_left)) = query.split_last() else { return Ok(None) };
        match first {
            Pat::Or(all) => {
                for one in all {
                    let mut query = query_left.to_vec();
                    query.push(one);
                    if let Some(found) = self.useful(rows, &query, types, depth + 1)? {
                        return Ok(Some(found));
                    }
                }
                Ok(None)
            }
            Pat::Any => self.any(rows, query_left, (ty, types_left), depth),
            Pat::Variant(index, fields) => {
                self.behind(rows, (&Head::Variant(*index), fields), query_left, (ty, types_left), depth)
            }
            Pat::Parts(fields) => self.behind(rows, (&Head::Parts, fields), query_left, (ty, types_left), depth),
            Pat::Value(value) => {
                self.behind(rows, (&Head::Value(value.clone()), &[]), query_left, (ty, types_left), depth)
            }
        }
    }

    /// The first column of the query has this head.
    fn behind(
        &mut self,
        rows: &[Row<'_>],
        (head, fields): (&Head, &[Pat]),
        query_left: &[&Pat],
        (ty, types_left): (&Type, &[Type]),
        depth: usize,
    ) -> Result<Option<Vec<Pat>>, TooComplex> {
        let field_types = head.fields(ty);
        let count = field_types.len();
        let rows = specialised(rows, types_left.len(), head, count);
        let mut query = query_left.to_vec();
        query.extend((0..count).rev().map(|at| fields.get(at).unwrap_or(&Pat::Any)));
        let mut types = types_left.to_vec();
        types.extend(field_types.into_iter().rev());
        let Some(mut found) = self.useful(&rows, &query, &types, depth + 1)? else { return Ok(None) };
        let fields: Vec<Pat> = found.drain(found.len().saturating_sub(count)..).rev().collect();
        found.push(head.clone().with(fields));
        Ok(Some(found))
    }

    /// The first column of the query fits every value.
    fn any(
        &mut self,
        rows: &[Row<'_>],
        query_left: &[&Pat],
        (ty, types_left): (&Type, &[Type]),
        depth: usize,
    ) -> Result<Option<Vec<Pat>>, TooComplex> {
        let mut present = Vec::new();
        rows.iter().filter_map(|row| row.get(types_left.len())).for_each(|pat| heads(pat, &mut present));
        let missing = match missing(ty, &present) {
            Missing::Nothing => {
                for head in present {
                    let fields = vec![Pat::Any; head.fields(ty).len()];
                    let found = self.behind(rows, (&head, &fields), query_left, (ty, types_left), depth)?;
                    if found.is_some() {
                        return Ok(found);
                    }
                }
                return Ok(None);
            }
            Missing::Something(pat) => pat,
        };
        let mut rows_left = Vec::with_capacity(rows.len());
        for row in rows {
            if row.get(types_left.len()).is_some_and(|pat| fits_all(pat)) {
                rows_left.push(row.clone());
            }
        }
        let found = self.useful(&rows_left, query_left, types_left, depth + 1)?;
        Ok(found.map(|mut values| {
            values.push(missing);
            values
        }))
    }
}

/// Whether a pattern fits every value by itself, or by one of its alternatives.
fn fits_all(pat: &Pat) -> bool {
    match pat {
        Pat::Any => true,
        Pat::Or(all) => all.iter().any(fits_all),
        Pat::Variant(..) | Pat::Parts(_) | Pat::Value(_) => false,
    }
}

fn heads(pat: &Pat, out: &mut Vec<Head>) {
    let head = match pat {
        Pat::Any => return,
        Pat::Or(all) => return all.iter().for_each(|pat| heads(pat, out)),
        Pat::Variant(index, _) => Head::Variant(*index),
        Pat::Parts(_) => Head::Parts,
        Pat::Value(value) => Head::Value(value.clone()),
    };
    if !out.contains(&head) {
        out.push(head);
    }
}

enum Missing {
    /// Every value of the type has one of the heads.
    Nothing,
    /// Values that this fits have none.
    Something(Pat),
}

fn missing(ty: &Type, present: &[Head]) -> Missing {
    if present.is_empty() {
        return Missing::Something(Pat::Any);
    }
    match ty {
        Type::Enum(ty) => {
            let absent = (0..ty.variants.len()).find(|index| !present.contains(&Head::Variant(*index)));
            absent.map_or(Missing::Nothing, |index| {
                let fields = ty.variants.get(index).map_or(0, |variant| variant.fields.len());
                Missing::Something(Pat::Variant(index, vec![Pat::Any; fields]))
            })
        }
        Type::Bool => {
            let absent = [false, true].into_iter().find(|value| !present.contains(&Head::Value(Value::Bool(*value))));
            absent.map_or(Missing::Nothing, |value| Missing::Something(Pat::Value(Value::Bool(value))))
        }
        _ if present.contains(&Head::Parts) => Missing::Nothing,
        _ => Missing::Something(Pat::Any),
    }
}

/// The rows whose first column has this head, with what lies behind it in place of that column.
fn specialised<'p>(rows: &[Row<'p>], column: usize, head: &Head, count: usize) -> Vec<Row<'p>> {
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        if let (Some(pat), Some(left)) = (row.get(column), row.get(..column)) {
            specialise(pat, left, head, count, &mut out);
        }
    }
    out
}

fn specialise<'p>(pat: &'p Pat, left: &[&'p Pat], head: &Head, count: usize, out: &mut Vec<Row<'p>>) {
    let fields: &'p [Pat] = match (pat, head) {
        (Pat::Or(all), _) => return all.iter().for_each(|pat| specialise(pat, left, head, count, out)),
        (Pat::Any, _) => &[],
        (Pat::Variant(index, fields), Head::Variant(wanted)) if index == wanted => fields,
        (Pat::Parts(fields), Head::Parts) => fields,
        (Pat::Value(value), Head::Value(wanted)) if value == wanted => &[],
        _ => return,
    };
    let mut row = left.to_vec();
    row.extend((0..count).rev().map(|at| fields.get(at).unwrap_or(&Pat::Any)));
    out.push(row);
}

/// A pattern as it is written.
pub(crate) fn show(pat: &Pat, ty: &Type) -> String {
    match (pat, ty) {
        (Pat::Variant(index, fields), Type::Enum(ty)) => {
            let Some(variant) = ty.variants.get(*index) else { return "_".into() };
            let prefix = if ty.name == "Option" { String::new() } else { format!("{}::", ty.name) };
            let shown = match (fields.is_empty(), variant.names.is_empty()) {
                (true, _) => String::new(),
                (false, true) => format!("({})", list(fields, &variant.fields)),
                (false, false) => {
                    let names = variant.names.iter().map(String::as_str);
                    named(names.zip(&variant.fields).zip(fields))
                }
            };
            format!("{prefix}{}{shown}", variant.name)
        }
        (Pat::Parts(parts), Type::Tuple(types)) => format!("({})", list(parts, types)),
        (Pat::Parts(parts), Type::Array(element, _)) => {
            format!("[{}]", list(parts, &vec![(**element).clone(); parts.len()]))
        }
        (Pat::Parts(parts), Type::Struct(ty)) => {
            let fields = ty.fields.iter().map(|(name, ty)| (name.as_str(), ty));
            format!("{}{}", ty.name, named(fields.zip(parts)))
        }
        (Pat::Value(Value::Bool(value)), _) => value.to_string(),
        (Pat::Value(Value::Number(value)), _) => value.to_string(),
        _ => "_".into(),
    }
}

fn list(pats: &[Pat], types: &[Type]) -> String {
    pats.iter().zip(types).map(|(pat, ty)| show(pat, ty)).collect::<Vec<_>>().join(", ")
}

/// Fields with their names; those that may be anything are left out.
fn named<'p>(fields: impl Iterator<Item = ((&'p str, &'p Type), &'p Pat)>) -> String {
    let mut shown = Vec::new();
    let mut rest = false;
    for ((name, ty), pat) in fields {
        if *pat == Pat::Any {
            rest = true;
        } else {
            shown.push(format!("{name}: {}", show(pat, ty)));
        }
    }
    if rest {
        shown.push("..".into());
    }
    format!(" {{ {} }}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::hir::EnumType;

    fn option(of: Type) -> Type {
        Type::Enum(Arc::new(EnumType::option(of)))
    }

    fn some(pat: Pat) -> Pat {
        Pat::Variant(1, vec![pat])
    }

    fn none() -> Pat {
        Pat::Variant(0, vec![])
    }

    fn truth(value: bool) -> Pat {
        Pat::Value(Value::Bool(value))
    }

    fn number(value: i64) -> Pat {
        Pat::Value(Value::Number(value.into()))
    }

    fn verdict(ty: &Type, arms: &[Pat]) -> (Option<String>, Vec<usize>) {
        let arms: Vec<_> = arms.iter().map(|pat| (pat.clone(), false)).collect();
        let verdict = check(ty, &arms).unwrap();
        (verdict.missing.map(|pat| show(&pat, ty)), verdict.unreachable)
    }

    #[test]
    fn a_missing_value_is_named() {
        let of_bool = option(Type::Bool);
        assert_eq!(verdict(&of_bool, &[none(), some(truth(true))]), (Some("Some(false)".into()), vec![]));
        assert_eq!(verdict(&of_bool, &[some(Pat::Any)]), (Some("None".into()), vec![]));
        assert_eq!(verdict(&Type::Int, &[number(1), number(2)]), (Some("_".into()), vec![]));
        let pair = Type::Tuple([of_bool.clone(), Type::Bool].into());
        let arms = [Pat::Parts(vec![none(), Pat::Any]), Pat::Parts(vec![Pat::Any, truth(true)])];
        assert_eq!(verdict(&pair, &arms), (Some("(Some(_), false)".into()), vec![]));
    }

    #[test]
    fn what_fits_a_guarded_arm_is_left_for_those_behind() {
        let of_bool = option(Type::Bool);
        let verdict = |arms: &[(Pat, bool)]| {
            let verdict = check(&of_bool, arms).unwrap();
            (verdict.missing.map(|pat| show(&pat, &of_bool)), verdict.unreachable)
        };
        let guarded = |pat: Pat| (pat, true);
        let free = |pat: Pat| (pat, false);
        assert_eq!(verdict(&[free(none()), guarded(some(Pat::Any))]), (Some("Some(_)".into()), vec![]));
        assert_eq!(verdict(&[guarded(some(Pat::Any)), free(some(Pat::Any)), free(none())]), (None, vec![]));
        assert_eq!(verdict(&[free(some(Pat::Any)), guarded(some(truth(true))), free(none())]), (None, vec![1]));
    }

    #[test]
    fn full_matches_have_no_missing_value_and_name_what_is_never_reached() {
        let of_bool = option(Type::Bool);
        assert_eq!(verdict(&of_bool, &[none(), some(truth(true)), some(truth(false))]), (None, vec![]));
        assert_eq!(verdict(&Type::Int, &[number(1), Pat::Any, number(2)]), (None, vec![2]));
        let both = Pat::Or(vec![truth(true), truth(false)]);
        assert_eq!(verdict(&Type::Bool, &[both.clone(), truth(true)]), (None, vec![1]));
        assert_eq!(verdict(&of_bool, &[some(both), none(), Pat::Any]), (None, vec![2]));
    }

    #[test]
    fn wide_values_are_looked_at_without_deep_recursion() {
        let wide = Type::Array(Arc::new(Type::Bool), 4_000);
        let mut pats = vec![Pat::Any; 4_000];
        pats[3_999] = truth(true);
        let (missing, unreachable) = verdict(&wide, &[Pat::Parts(pats)]);
        assert!(missing.unwrap().ends_with("_, false]"));
        assert_eq!(unreachable, [] as [usize; 0]);
    }

    #[test]
    fn a_search_without_end_is_given_up() {
        let ty = Type::Tuple(vec![Type::Bool; 40].into());
        let row = |at: usize| {
            let parts = (0..40).map(|column| if column / 2 == at { truth(column % 2 == 0) } else { Pat::Any });
            Pat::Parts(parts.collect())
        };
        let arms: Vec<_> = (0..20).map(|at| (row(at), false)).collect();
        assert!(check(&ty, &arms).is_err() || check(&ty, &arms).unwrap().missing.is_some());
    }
}
