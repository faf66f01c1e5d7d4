//! The text of `help`, made from the table of methods.

use crate::rpc::params::{Kind, Param};
use crate::rpc::table::{Group, METHODS, Method};

/// All methods by group, one usage line each.
pub(crate) fn overview() -> String {
    let section = |group: Group| {
        let lines: Vec<String> = METHODS.iter().filter(|method| method.group == group).map(usage).collect();
        format!("== {group:?} ==\n{}", lines.join("\n"))
    };
    Group::ALL.map(section).join("\n\n")
}

/// A method's usage, purpose and an example.
pub(crate) fn of_method(method: &Method) -> String {
    let Method { name, about, example, .. } = method;
    format!(
        "{}\n\n{about}\n\nExample:\n> curl --user __cookie__ --data-binary '{{\"id\": 1, \"method\": \"{name}\", \"params\": [{example}]}}' http://127.0.0.1:18443/\n",
        usage(method)
    )
}

/// `name "required" ( optional )`, as bitcoind writes it.
fn usage(method: &Method) -> String {
    let (required, optional): (Vec<&Param>, Vec<&Param>) = method.params.iter().partition(|param| param.required);
    let mut words = vec![method.name.to_owned()];
    words.extend(required.into_iter().map(word));
    if !optional.is_empty() {
        words.push("(".to_owned());
        words.extend(optional.into_iter().map(word));
        words.push(")".to_owned());
    }
    words.join(" ")
}

fn word(param: &Param) -> String {
    match param.kind {
        Kind::Text => format!("\"{}\"", param.name),
        Kind::List => format!("[{},...]", param.name),
        Kind::Object | Kind::Outputs => format!("{{{}}}", param.name),
        Kind::Int | Kind::Bool | Kind::Level | Kind::Amount => param.name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_written_as_bitcoind_writes_it() {
        let usage_of = |name| usage(crate::rpc::table::find(name).unwrap());
        assert_eq!(usage_of("getblock"), "getblock \"blockhash\" ( verbosity )");
        assert_eq!(usage_of("gettxout"), "gettxout \"txid\" n ( include_mempool )");
        assert_eq!(usage_of("stop"), "stop");
    }

    #[test]
    fn the_overview_names_every_method() {
        let overview = overview();
        assert!(METHODS.iter().all(|method| overview.lines().any(|line| line.split(' ').next() == Some(method.name))));
    }
}
