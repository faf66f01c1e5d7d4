//! What there is to see where it stands: names, stacks, costs, the transaction, and expressions over them.

use std::collections::BTreeMap;

use debugger::{Item, Local, Watch, locals, shown};
use serde::Deserialize;
use serde_json::{Value, json};
use spec::{TxOut, num};

use crate::adapter::Adapter;
use crate::message::{Answer, Request, wrong};
use crate::running::Running;

/// What has parts. The number is that of the moment at which it is looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Locals(usize),
    /// A named value, by its whole name.
    Local(usize, String),
    Stack(usize, Side),
    /// An item, counted from the bottom.
    Item(usize, Side, usize),
    Costs(usize),
    Transaction,
    Inputs,
    Input(usize),
    Outputs,
    Output(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Main,
    Alt,
}

/// The numbers under which a client asks for parts, until the run moves on. None is given twice.
#[derive(Debug, Default)]
pub(crate) struct Handles {
    /// So many numbers mean nothing any more.
    gone: usize,
    places: Vec<Place>,
    numbers: BTreeMap<Place, usize>,
}

impl Handles {
    pub(crate) fn clear(&mut self) {
        self.gone += self.places.len();
        self.places.clear();
        self.numbers.clear();
    }

    /// The number of a place, always the same for one place.
    fn number(&mut self, place: Place) -> usize {
        *self.numbers.entry(place).or_insert_with_key(|place| {
            self.places.push(place.clone());
            self.gone + self.places.len()
        })
    }

    fn place(&self, number: i64) -> Option<Place> {
        self.places.get(usize::try_from(number).ok()?.checked_sub(self.gone + 1)?).cloned()
    }
}

/// A line in a view of variables.
struct Variable {
    name: String,
    value: String,
    /// Its bytes in digits, if it has some.
    hex: Option<String>,
    ty: Option<String>,
    /// The expression that has this value.
    expression: Option<String>,
    parts: Option<Place>,
}

impl Variable {
    fn plain(name: &str, value: impl ToString) -> Self {
        let (name, value) = (name.to_owned(), value.to_string());
        Self { name, value, hex: None, ty: None, expression: None, parts: None }
    }

    fn group(name: String, value: String, parts: Place) -> Self {
        Self { name, value, hex: None, ty: None, expression: None, parts: Some(parts) }
    }
}

/// Arguments of `scopes`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfFrame {
    frame_id: i64,
}

/// Arguments of `variables`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parts {
    variables_reference: i64,
    #[serde(default)]
    start: usize,
    #[serde(default)]
    count: usize,
    #[serde(default)]
    format: Format,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Format {
    hex: bool,
}

/// Arguments of `evaluate`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Expression {
    expression: String,
    frame_id: Option<i64>,
    #[serde(default)]
    format: Format,
}

impl Adapter {
    pub(crate) fn scopes(&mut self, mut request: Request) -> Answer {
        let OfFrame { frame_id } = request.arguments()?;
        let running = self.running_mut()?;
        let at = running.moment_of(Some(frame_id))?;
        let (main, alt) = running.session.recording().stacks(at);
        let mut all = vec![("Locals", "locals", Place::Locals(at))];
        all.push(("Stack", "registers", Place::Stack(at, Side::Main)));
        if !alt.is_empty() {
            all.push(("Alt stack", "registers", Place::Stack(at, Side::Alt)));
        }
        all.push(("Cost", "", Place::Costs(at)));
        all.push(("Transaction", "", Place::Transaction));
        let handles = &mut running.handles;
        let scope = |(name, hint, place): (&str, &str, Place)| {
            let count = match &place {
                Place::Stack(_, Side::Main) => Some(main.len()),
                Place::Stack(_, Side::Alt) => Some(alt.len()),
                _ => None,
            };
            let mut scope = json!({ "name": name, "variablesReference": handles.number(place), "expensive": false });
            if let Value::Object(scope) = &mut scope {
                scope.extend((!hint.is_empty()).then(|| ("presentationHint".to_owned(), json!(hint))));
                scope.extend(count.map(|count| ("namedVariables".to_owned(), json!(count))));
            }
            scope
        };
        Ok(json!({ "scopes": all.into_iter().map(scope).collect::<Vec<_>>() }))
    }

    pub(crate) fn variables(&mut self, mut request: Request) -> Answer {
        let client = self.client()?;
        let Parts { variables_reference, start, count, format } = request.arguments()?;
        let running = self.running_mut()?;
        let place = running.handles.place(variables_reference);
        let place = place.ok_or_else(|| wrong("nothing is known by this number, or the run has moved on"))?;
        let all = running.parts(&place);
        let count = if count == 0 { all.len() } else { count };
        let page = all.into_iter().skip(start).take(count);
        let handles = &mut running.handles;
        let shown = page.map(|variable| {
            let Variable { name, value, hex, ty, expression, parts } = variable;
            let value = hex.filter(|_| format.hex).unwrap_or(value);
            let reference = parts.map_or(0, |place| handles.number(place));
            let mut shown = json!({ "name": name, "value": value, "variablesReference": reference });
            if let Value::Object(shown) = &mut shown {
                shown.extend(ty.filter(|_| client.types).map(|ty| ("type".to_owned(), json!(ty))));
                shown.extend(expression.map(|text| ("evaluateName".to_owned(), json!(text))));
            }
            shown
        });
        Ok(json!({ "variables": shown.collect::<Vec<_>>() }))
    }

    pub(crate) fn evaluate(&mut self, mut request: Request) -> Answer {
        let client = self.client()?;
        let Expression { expression, frame_id, format } = request.arguments()?;
        let running = self.running_mut()?;
        let at = running.moment_of(frame_id)?;
        let (main, alt) = running.session.recording().stacks(at);
        let named = running.locals(at);
        let Some(local) = find(&named, expression.trim()) else {
            let watch = Watch::new(&expression).map_err(|error| wrong(error.to_string()))?;
            let value = if format.hex { watch.digits(&main, &alt) } else { watch.value(&main, &alt) };
            let value = value.map_err(|error| wrong(error.to_string()))?;
            return Ok(json!({ "result": value, "variablesReference": 0 }));
        };
        let Variable { value, hex, ty, parts, .. } = variable_of(at, local);
        let reference = parts.map_or(0, |place| running.handles.number(place));
        let value = hex.filter(|_| format.hex).unwrap_or(value);
        let mut shown = json!({ "result": value, "variablesReference": reference });
        if let Value::Object(shown) = &mut shown {
            shown.extend(ty.filter(|_| client.types).map(|ty| ("type".to_owned(), json!(ty))));
        }
        Ok(shown)
    }
}

/// The value of this whole name.
fn find<'a>(among: &'a [Local], path: &str) -> Option<&'a Local> {
    among.iter().find_map(|local| if local.path == path { Some(local) } else { find(&local.parts, path) })
}

fn variable_of(at: usize, local: &Local) -> Variable {
    Variable {
        name: local.name.clone(),
        value: local.text(),
        hex: local.item.as_ref().map(digits),
        ty: local.ty.as_ref().map(ToString::to_string),
        expression: Some(local.path.clone()),
        parts: Some(Place::Local(at, local.path.clone())),
    }
}

fn digits(item: &Item) -> String {
    format!("0x{}", hex::encode(&item.bytes))
}

/// The forms in which bytes can be read.
fn forms(item: &Item) -> Vec<Variable> {
    let mut forms = vec![Variable::plain("hex", digits(item))];
    forms.extend(num::decode_wide(&item.bytes).map(|n| Variable::plain("number", n)));
    let text =
        std::str::from_utf8(&item.bytes).ok().filter(|text| !text.is_empty() && !text.contains(char::is_control));
    forms.extend(text.map(|text| Variable::plain("text", format!("{text:?}"))));
    forms.push(Variable::plain("length", item.bytes.len()));
    forms
}

impl Running {
    fn locals(&self, at: usize) -> Vec<Local> {
        let recording = self.session.recording();
        let (main, alt) = recording.stacks(at);
        locals(&main, &alt, self.artifact.as_ref(), recording.path())
    }

    fn stack(&self, at: usize, side: Side) -> Vec<Item> {
        let (main, alt) = self.session.recording().stacks(at);
        match side {
            Side::Main => main,
            Side::Alt => alt,
        }
    }

    /// What a place is made of.
    fn parts(&self, place: &Place) -> Vec<Variable> {
        match place {
            Place::Locals(at) => self.locals(*at).iter().map(|local| variable_of(*at, local)).collect(),
            Place::Local(at, path) => {
                let named = self.locals(*at);
                let Some(local) = find(&named, path) else { return Vec::new() };
                let parts = local.parts.iter().map(|part| variable_of(*at, part));
                parts.chain(local.item.iter().flat_map(forms)).collect()
            }
            Place::Stack(at, side) => items(*at, *side, &self.stack(*at, *side)),
            Place::Item(at, side, index) => self.stack(*at, *side).get(*index).map(forms).unwrap_or_default(),
            Place::Costs(at) => self.costs(*at),
            Place::Transaction => self.transaction(),
            Place::Inputs => {
                let inputs = self.tx.inputs.iter().enumerate();
                inputs
                    .map(|(at, input)| Variable::group(format!("[{at}]"), input.prevout.to_string(), Place::Input(at)))
                    .collect()
            }
            Place::Input(at) => self.transaction_input(*at),
            Place::Outputs => {
                let outputs = self.tx.outputs.iter().enumerate();
                outputs
                    .map(|(at, output)| Variable::group(format!("[{at}]"), output.value.to_string(), Place::Output(at)))
                    .collect()
            }
            Place::Output(at) => self.tx.outputs.get(*at).map(|output| of_output(output, "")).unwrap_or_default(),
        }
    }

    fn costs(&self, at: usize) -> Vec<Variable> {
        let recording = self.session.recording();
        let end = recording.end().metrics.cost.get();
        let cost_at = |at: usize| recording.moment(at).map_or(end, |moment| moment.cost);
        let cost = cost_at(at);
        let mut all = vec![
            Variable::plain("so far", cost),
            Variable::plain("budget", recording.budget()),
            Variable::plain("left", recording.budget().saturating_sub(cost)),
        ];
        if recording.moment(at).is_some() {
            all.push(Variable::plain("this instruction", cost_at(at.saturating_add(1)).saturating_sub(cost)));
        }
        all.push(Variable::plain("at the end", end));
        all.push(Variable::plain("step", format!("{at} of {}", recording.len())));
        all
    }

    fn transaction(&self) -> Vec<Variable> {
        let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let (inputs, outputs) = (self.tx.inputs.len(), self.tx.outputs.len());
        vec![
            Variable::plain("txid", self.tx.txid()),
            Variable::group(
                "this input".to_owned(),
                format!("input {} of {inputs}", self.input),
                Place::Input(self.input),
            ),
            Variable::group("inputs".to_owned(), count(inputs, "input"), Place::Inputs),
            Variable::group("outputs".to_owned(), count(outputs, "output"), Place::Outputs),
            Variable::plain("version", self.tx.version),
            Variable::plain("locktime", self.tx.locktime),
        ]
    }

    fn transaction_input(&self, at: usize) -> Vec<Variable> {
        let Some(input) = self.tx.inputs.get(at) else { return Vec::new() };
        let mut all = vec![
            Variable::plain("spends", input.prevout),
            Variable::plain("sequence", input.sequence),
            Variable::plain("unlocking bytecode", format!("0x{}", hex::encode(&input.unlock))),
        ];
        all.extend(self.spent.get(at).map(|output| of_output(output, "spent ")).into_iter().flatten());
        all
    }
}

/// The items of a stack, top first.
fn items(at: usize, side: Side, stack: &[Item]) -> Vec<Variable> {
    let called = match side {
        Side::Main => "stack",
        Side::Alt => "alt",
    };
    let item = |(place, (index, item)): (usize, (usize, &Item))| Variable {
        name: match &item.name {
            Some(name) => format!("[{place}] {name}"),
            None => format!("[{place}]"),
        },
        value: shown(&item.bytes),
        hex: Some(digits(item)),
        ty: None,
        expression: Some(format!("{called}[{place}]")),
        parts: Some(Place::Item(at, side, index)),
    };
    stack.iter().enumerate().rev().enumerate().map(item).collect()
}

fn of_output(output: &TxOut, prefix: &str) -> Vec<Variable> {
    let mut all = vec![
        Variable::plain(&format!("{prefix}value"), output.value),
        Variable::plain(&format!("{prefix}lock"), format!("0x{}", hex::encode(&output.lock))),
    ];
    if let Some(token) = &output.token {
        all.push(Variable::plain(&format!("{prefix}token category"), token.category));
        all.push(Variable::plain(&format!("{prefix}token amount"), token.amount));
        if let Some(nft) = &token.nft {
            let capability = format!("{:?}", nft.capability).to_lowercase();
            all.push(Variable::plain(&format!("{prefix}token capability"), capability));
            let commitment = format!("0x{}", hex::encode(&nft.commitment));
            all.push(Variable::plain(&format!("{prefix}token commitment"), commitment));
        }
    }
    all
}
