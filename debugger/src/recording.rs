//! A run of an input, with what the machine had before every instruction.

use std::collections::BTreeMap;
use std::sync::Arc;

use spec::artifact::SourceSpan;
use spec::script::last_script;
use spec::{Artifact, Opcode, Rules, SpendContext, asm};
use vm::{Failure, FunctionId, Metrics, Phase, StackView, Step, Tracer};
use wallet::{Explanation, Places};

use crate::names::{Name, Pushes, Shadow};

/// So many steps are recorded at most.
pub const STEPS_MAX: usize = 1_000_000;
/// So many bytes of stacks are looked at: each step looks at all of them.
const BYTES_MAX: usize = 1 << 30;
/// After so many steps the stacks are recorded whole; in between, what changed.
const WHOLE_EACH: usize = 64;
/// Longer texts are no names.
const NAME_CHARS_MAX: usize = 32;

/// What is debugged.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Whose rules are kept.
    pub rules: &'a Rules,
    /// The transaction with what it spends.
    pub context: &'a SpendContext<'a>,
    /// The input that runs.
    pub input: usize,
    /// The contract that it spends, if that is known.
    pub artifact: Option<&'a Artifact>,
    /// The texts of the contract's sources, by their numbers there; nothing for those that are not at hand.
    pub sources: &'a [Option<String>],
}

impl<'a> Subject<'a> {
    /// The unlocking bytecode of the input and the lock that it opens.
    fn scripts(&self) -> (&'a [u8], &'a [u8]) {
        let unlock = self.context.tx().inputs.get(self.input).map(|input| input.unlock.as_slice());
        let lock = self.context.spent().get(self.input).map(|output| output.lock.as_slice());
        (unlock.unwrap_or_default(), lock.unwrap_or_default())
    }
}

/// An item of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// What the source calls it, if it has a name there.
    pub name: Option<Arc<str>>,
}

/// The machine just before an instruction, without its stacks.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The script that runs.
    pub phase: Phase,
    /// The byte offset of the instruction in the code that runs: the script, or the body of the innermost function.
    pub at: usize,
    /// How many functions are open.
    pub depth: usize,
    /// The innermost of them.
    pub function: Option<FunctionId>,
    /// Whether the instruction runs; in the branch not taken only control flow is followed.
    pub executing: bool,
    /// The operation cost so far.
    pub cost: u64,
    /// Where the instruction comes from.
    pub place: Option<SourceSpan>,
    stacks: Stacks,
}

#[derive(Clone, Debug)]
struct Stacks {
    main: Change,
    alt: Change,
}

/// A stack, by the one before: so many items of that stay, and on them lie these.
#[derive(Clone, Debug)]
struct Change {
    stay: usize,
    on: Vec<Item>,
}

/// How the run ended.
#[derive(Clone, Debug)]
pub struct End {
    /// What it took.
    pub metrics: Metrics,
    /// Why the input may not spend, if it may not.
    pub failure: Option<Box<Failure>>,
    /// What the contract's source says about that.
    pub explained: Option<Explanation>,
}

impl End {
    /// Why the input may not spend, with the contract and the line where they are known; nothing if it may.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        let explained = self.explained.as_ref().map(ToString::to_string);
        explained.or_else(|| self.failure.as_ref().map(ToString::to_string))
    }

    /// What the author of the contract says about that, or else the machine.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        let explained = self.explained.as_ref().map(|explained| explained.message.clone());
        explained.or_else(|| self.failure.as_ref().map(ToString::to_string))
    }
}

/// A whole run.
#[derive(Clone, Debug)]
pub struct Recording {
    moments: Vec<Moment>,
    codes: BTreeMap<(Phase, Option<FunctionId>), Arc<[u8]>>,
    end: End,
    /// The main and the alt stack that the last script left, if it came to its end.
    left: Option<(Vec<Item>, Vec<Item>)>,
    is_cut: bool,
    budget: u64,
    mapped: Option<Phase>,
    path: Option<String>,
}

impl Recording {
    /// Runs the input and records it; what fails is recorded up to there.
    #[must_use]
    pub fn of(subject: &Subject<'_>) -> Self {
        let (unlock, lock) = subject.scripts();
        let script = last_script(unlock, lock);
        let is_ours = |places: &Places<'_>| places.fits() && (places.phase() == Phase::Redeem) == (script != lock);
        let places = subject.artifact.map(|artifact| Places::new(artifact, script)).filter(is_ours);
        let mapped = places.as_ref().map(Places::phase);
        let artifact = places.as_ref().map(Places::artifact);
        let path = places.clone().and_then(|places| path_of(subject, places));
        let names = artifact.map(|artifact| Pushes::of(artifact, path.as_deref()));
        let mut recorder = Recorder {
            sources: subject.sources,
            places,
            names: names.unwrap_or_default(),
            pushed: 0,
            moments: Vec::new(),
            codes: BTreeMap::from([((Phase::Unlocking, None), unlock.into()), ((Phase::Locking, None), lock.into())]),
            main: Vec::new(),
            alt: Vec::new(),
            shadow: Shadow::default(),
            phase: Phase::Unlocking,
            unlocked: Vec::new(),
            before: None,
            calls: Vec::new(),
            bytes: 0,
            is_cut: false,
            left: None,
        };
        if script != lock {
            recorder.codes.insert((Phase::Redeem, None), script.into());
        }
        let ended = vm::verify_input_traced(subject.rules, subject.context, subject.input, &mut recorder);
        let end = match ended {
            Ok(metrics) => End { metrics, failure: None, explained: None },
            Err(failure) => {
                let explained = artifact.and_then(|artifact| wallet::explain_input(artifact, lock, unlock, &failure));
                End { metrics: failure.metrics, failure: Some(Box::new(failure)), explained }
            }
        };
        let budget = subject.rules.cost_budget(unlock.len()).get();
        let Recorder { moments, codes, left, is_cut, .. } = recorder;
        Self { moments, codes, end, left, is_cut, budget, mapped, path }
    }

    /// How many moments there are, the end not counted.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.moments.len()
    }

    /// Whether nothing ran.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.moments.is_empty()
    }

    /// Whether there were more steps than are recorded.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// A moment; nothing for the end.
    #[must_use]
    pub fn moment(&self, at: usize) -> Option<&Moment> {
        self.moments.get(at)
    }

    /// How it ended.
    #[must_use]
    pub const fn end(&self) -> &End {
        &self.end
    }

    /// How much the input may cost.
    #[must_use]
    pub const fn budget(&self) -> u64 {
        self.budget
    }

    /// The script that is the contract's; nothing if no contract is known, or another one ran.
    #[must_use]
    pub const fn mapped(&self) -> Option<Phase> {
        self.mapped
    }

    /// The path of the contract that the input takes, where that is known.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// The first moment that has a line, or the first at all.
    #[must_use]
    pub fn entry(&self) -> usize {
        let has_line = |moment: &Moment| moment.executing && moment.place.is_some();
        self.moments.iter().position(has_line).unwrap_or(0)
    }

    /// The moments that led to one, innermost first: that itself, then each call that is open there.
    #[must_use]
    pub fn frames(&self, at: usize) -> Vec<usize> {
        let at = at.min(self.moments.len().saturating_sub(1));
        let Some(now) = self.moments.get(at) else { return Vec::new() };
        let (mut frames, mut depth) = (vec![at], now.depth);
        for (before, moment) in self.moments.iter().enumerate().take(at).rev() {
            if depth == 0 {
                break;
            }
            if moment.depth < depth {
                frames.push(before);
                depth = moment.depth;
            }
        }
        frames
    }

    /// All code of the run: the scripts, and the bodies of the functions that they define.
    pub fn codes(&self) -> impl Iterator<Item = (Phase, Option<FunctionId>, &[u8])> {
        self.codes.iter().map(|((phase, function), code)| (*phase, *function, &**code))
    }

    /// All moments, in order.
    pub fn moments(&self) -> impl Iterator<Item = &Moment> {
        self.moments.iter()
    }

    /// The main and the alt stack at a moment, bottom first; at the end what the script left, or if it broke off, as the
    /// last instruction found them.
    #[must_use]
    pub fn stacks(&self, at: usize) -> (Vec<Item>, Vec<Item>) {
        if let Some(left) = self.left.as_ref().filter(|_| at >= self.moments.len()) {
            return left.clone();
        }
        let at = at.min(self.moments.len().saturating_sub(1));
        let (mut main, mut alt) = (Vec::new(), Vec::new());
        let apply = |stack: &mut Vec<Item>, change: &Change| {
            stack.truncate(change.stay);
            stack.extend_from_slice(&change.on);
        };
        for moment in self.moments.get(at - at % WHOLE_EACH..=at).unwrap_or_default() {
            apply(&mut main, &moment.stacks.main);
            apply(&mut alt, &moment.stacks.alt);
        }
        (main, alt)
    }

    /// The code that a moment's instruction stands in.
    #[must_use]
    pub fn code(&self, moment: &Moment) -> &[u8] {
        self.codes.get(&(moment.phase, moment.function)).map(|code| &**code).unwrap_or_default()
    }

    /// The instruction of a moment as assembly writes it.
    #[must_use]
    pub fn word(&self, moment: &Moment) -> String {
        asm::word_at(self.code(moment), moment.at).unwrap_or_default()
    }
}

/// The name of the path that is taken. Some are told apart only by running.
fn path_of(subject: &Subject<'_>, mut places: Places<'_>) -> Option<String> {
    // A script that fails has taken the turns that came before.
    let _ = vm::verify_input_traced(subject.rules, subject.context, subject.input, &mut places);
    let (unlock, lock) = subject.scripts();
    let spending = wallet::spending(places.artifact(), lock, unlock, &|number| places.taken(number))?;
    spending.path.map(|path| path.name.clone())
}

struct Recorder<'a> {
    sources: &'a [Option<String>],
    places: Option<Places<'a>>,
    names: Pushes,
    /// How many items the input has pushed.
    pushed: usize,
    moments: Vec<Moment>,
    codes: BTreeMap<(Phase, Option<FunctionId>), Arc<[u8]>>,
    main: Vec<Item>,
    alt: Vec<Item>,
    shadow: Shadow,
    /// The script that runs, and the names of what the input pushed.
    phase: Phase,
    unlocked: Vec<Name>,
    /// The instruction before, if it ran.
    before: Option<Before>,
    /// The calls that have not returned: from which depth, and the expression that each has the value of.
    calls: Vec<(usize, Option<SourceSpan>)>,
    bytes: usize,
    is_cut: bool,
    /// What the script left that came to its end last, if none has run since.
    left: Option<(Vec<Item>, Vec<Item>)>,
}

/// What names need to know of an instruction that ran.
struct Before {
    byte: u8,
    top: Arc<[u8]>,
    /// The name of what it pushes.
    pushes: Name,
    /// The expression that it computes, or a part of it.
    computes: Option<SourceSpan>,
}

impl Recorder<'_> {
    /// What an instruction's push is called, if it is that of an argument or a parameter.
    fn pushes(&mut self, step: &Step<'_>) -> Name {
        if step.phase == Phase::Unlocking {
            self.pushed += 1;
            return self.names.unlock.get(self.pushed - 1).cloned().flatten();
        }
        let number = self.places.as_ref()?.number(step).filter(|_| step.function.is_none())?;
        self.names.script.get(&number).cloned().flatten()
    }

    /// The variable that an expression is bound to, or its own text if that is short.
    fn name_at(&self, span: SourceSpan) -> Name {
        let source = self.sources.get(span.file)?.as_deref()?;
        let (before, text) = (source.get(..span.start)?, source.get(span.start..span.end)?);
        let statement = text.find('=').filter(|_| text.starts_with("let ")).and_then(|equals| text.get(..=equals));
        let bound = statement.map_or_else(|| bound_by(before), bound_by);
        bound.or_else(|| Some(text).filter(|text| is_short_expression(text))).map(Arc::from)
    }

    /// The stacks now, with the names that follow from the instruction before.
    fn look(&mut self, step: &Step<'_>, place: Option<SourceSpan>) -> Stacks {
        self.follow_before(place);
        if self.phase != step.phase {
            self.enter(step.phase);
        }
        self.fit((step.stack, step.alt), step.depth, place);
        let whole = self.moments.len().is_multiple_of(WHOLE_EACH);
        let main = changed(&mut self.main, step.stack.iter(), &self.shadow.stack, whole);
        let alt = changed(&mut self.alt, step.alt.iter(), &self.shadow.alt, whole);
        self.bytes += self.main.iter().chain(&self.alt).map(|item| item.bytes.len() + size_of::<Item>()).sum::<usize>();
        Stacks { main, alt }
    }

    /// Moves the names as the instruction before has moved the items.
    fn follow_before(&mut self, place: Option<SourceSpan>) {
        if let Some(before) = self.before.take() {
            // An expression has its value after the last of its instructions.
            let done = before.computes.filter(|span| Some(*span) != place);
            let made = before.pushes.or_else(|| self.name_at(done?));
            self.shadow.follow(before.byte, &before.top, made);
        }
    }

    /// Keeps to what the machine says it has, and names the values of the calls that have returned.
    fn fit(&mut self, (stack, alt): (StackView<'_>, StackView<'_>), depth: usize, place: Option<SourceSpan>) {
        self.shadow.fit(stack.len(), alt.len());
        while let Some((_, call)) = self.calls.pop_if(|(from, _)| *from >= depth) {
            let name = call.filter(|span| Some(*span) != place).and_then(|span| self.name_at(span));
            if let (Some(top), Some(name)) = (self.shadow.stack.last_mut(), name) {
                *top = Some(name);
            }
        }
    }

    /// Another script begins: the alt stack is empty, and a redeem script finds what was pushed before it.
    fn enter(&mut self, phase: Phase) {
        if phase == Phase::Redeem {
            self.unlocked.pop();
            self.shadow.stack.clone_from(&self.unlocked);
        } else {
            self.unlocked.clone_from(&self.shadow.stack);
        }
        self.shadow.alt.clear();
        self.calls.clear();
        self.phase = phase;
    }
}

impl Tracer for Recorder<'_> {
    fn step(&mut self, step: &Step<'_>) {
        if self.moments.len() >= STEPS_MAX || self.bytes >= BYTES_MAX {
            self.is_cut = true;
            return;
        }
        self.left = None;
        let place = self.places.as_ref().and_then(|places| places.place(step));
        let stacks = self.look(step, place);
        self.moments.push(Moment {
            phase: step.phase,
            at: step.at,
            depth: step.depth,
            function: step.function,
            executing: step.executing,
            cost: step.cost.get(),
            place,
            stacks,
        });
        if step.executing {
            let pushes = self.pushes(step);
            if Opcode::from_byte(step.byte) == Some(Opcode::Invoke) {
                self.calls.push((step.depth, place));
            }
            let top = self.main.last().map_or_else(|| Arc::from([]), |item| Arc::clone(&item.bytes));
            let is_push = Opcode::from_byte(step.byte).is_none_or(|opcode| opcode.to_byte() <= Opcode::N16.to_byte());
            self.before = Some(Before { byte: step.byte, top, pushes, computes: place.filter(|_| !is_push) });
        }
        if let Some((id, body)) = step.definition() {
            self.codes.entry((step.phase, Some(id))).or_insert_with(|| body.into());
        }
        if let Some(places) = &mut self.places {
            places.follow(step);
        }
    }

    fn end(&mut self, stack: StackView<'_>, alt: StackView<'_>) {
        if self.is_cut {
            return;
        }
        self.follow_before(None);
        self.fit((stack, alt), 0, None);
        self.left = Some((named(stack, &self.shadow.stack), named(alt, &self.shadow.alt)));
    }
}

/// A stack with its names.
fn named(stack: StackView<'_>, names: &[Name]) -> Vec<Item> {
    stack.iter().zip(names).map(|(bytes, name)| Item { bytes: bytes.into(), name: name.clone() }).collect()
}

/// How a stack differs from `stack`, which becomes as it is.
fn changed(stack: &mut Vec<Item>, now: impl Iterator<Item = Vec<u8>>, names: &[Name], whole: bool) -> Change {
    let mut now = now.zip(names).enumerate();
    let mut stay = 0;
    let mut on = Vec::new();
    for (at, (bytes, name)) in now.by_ref() {
        let same = stack.get(at).is_some_and(|old| *old.bytes == *bytes && old.name == *name);
        if same && on.is_empty() {
            stay = at + 1;
        } else {
            on.push(Item { bytes: bytes.into(), name: name.clone() });
        }
    }
    stack.truncate(stay);
    stack.extend_from_slice(&on);
    if whole { Change { stay: 0, on: stack.clone() } } else { Change { stay, on } }
}

/// The name behind `let` whose value begins after this text.
fn bound_by(before: &str) -> Option<&str> {
    let rest = before.trim_end().strip_suffix('=')?;
    let statement = rest.rsplit([';', '{', '}', '\n']).next()?.trim_start().strip_prefix("let ")?;
    let name = statement.trim_start().split(|c: char| !(c.is_alphanumeric() || c == '_')).next()?;
    (!name.is_empty()).then_some(name)
}

/// Whether a text can stand for the value that it describes.
fn is_short_expression(text: &str) -> bool {
    let words = ["require", "if", "for", "spend", "return", "match", "output", "mut", "let", "contract", "reward"];
    let first = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
    let plain = !text.is_empty() && !text.contains(['\n', ';', '{']) && !words.contains(&first);
    plain && text.chars().count() <= NAME_CHARS_MAX
}
