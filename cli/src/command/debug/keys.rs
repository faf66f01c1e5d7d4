//! What keys do, whether somebody presses them or the command line lists them.

use debugger::{Breakpoint, Direction, Grain, Item, Session, Stop, Stride, Watch};

use crate::subject::Texts;

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    Enter,
    Escape,
    Backspace,
    Up,
    Down,
}

/// Reads keys as `--keys` lists them.
pub(super) fn parse(text: &str) -> Result<Vec<Key>, String> {
    let named = [("<enter>", Key::Enter), ("<esc>", Key::Escape), ("<up>", Key::Up), ("<down>", Key::Down)];
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some((key, tail)) = named.iter().find_map(|(name, key)| Some((*key, rest.strip_prefix(name)?))) {
            keys.push(key);
            rest = tail;
        } else {
            keys.push(Key::Char(first));
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    Ok(keys)
}

/// All that the screen shows, and what keys change.
pub(super) struct Desk<'a> {
    session: Session,
    title: &'a str,
    texts: &'a Texts,
    grain: Grain,
    watches: Vec<Watch>,
    /// What is being written, if something is.
    entry: Option<String>,
    /// What the last key led to.
    message: String,
    /// A line of the source to look at, if it is not that of the moment.
    cursor: Option<(usize, usize)>,
    help: bool,
    quit: bool,
}

impl<'a> Desk<'a> {
    pub(super) fn new(session: Session, title: &'a str, texts: &'a Texts) -> Self {
        let lines = session.moment().is_some_and(|moment| moment.place.is_some());
        let grain = if lines { Grain::Source } else { Grain::Opcode };
        let message = if session.recording().is_cut() { "the run was too long: its end is missing" } else { "" };
        Self {
            session,
            title,
            texts,
            grain,
            watches: Vec::new(),
            entry: None,
            message: message.to_owned(),
            cursor: None,
            help: false,
            quit: false,
        }
    }

    pub(super) const fn session(&self) -> &Session {
        &self.session
    }

    pub(super) const fn title(&self) -> &'a str {
        self.title
    }

    pub(super) const fn texts(&self) -> &'a Texts {
        self.texts
    }

    pub(super) const fn grain(&self) -> Grain {
        self.grain
    }

    pub(super) const fn entry(&self) -> Option<&String> {
        self.entry.as_ref()
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) const fn shows_help(&self) -> bool {
        self.help
    }

    pub(super) const fn is_over(&self) -> bool {
        self.quit
    }

    /// The source and the line that is looked at.
    pub(super) fn looked_at(&self) -> Option<(usize, usize)> {
        self.cursor.or_else(|| self.line_now())
    }

    /// The source and the line of the moment; at the end of the last that had one.
    pub(super) fn line_now(&self) -> Option<(usize, usize)> {
        let recording = self.session.recording();
        let place = (0..=self.session.now()).rev().find_map(|at| recording.moment(at)?.place);
        place.map(|place| (place.file, place.line))
    }

    /// The watches with their values.
    pub(super) fn watched(&self, main: &[Item], alt: &[Item]) -> Vec<(String, String)> {
        let value = |watch: &Watch| watch.value(main, alt).unwrap_or_else(|error| format!("({error})"));
        self.watches.iter().map(|watch| (watch.text().to_owned(), value(watch))).collect()
    }

    pub(super) fn press(&mut self, key: Key) {
        if let Some(entry) = self.entry.take() {
            return self.write(entry, key);
        }
        if std::mem::take(&mut self.help) && key != Key::Char('q') {
            return;
        }
        self.message.clear();
        match key {
            Key::Up => self.look(false),
            Key::Down => self.look(true),
            Key::Char(c) => self.act(c),
            Key::Escape => self.cursor = None,
            Key::Enter | Key::Backspace => {}
        }
    }

    fn act(&mut self, c: char) {
        let direction = if c.is_lowercase() { Direction::Forward } else { Direction::Back };
        match c.to_ascii_lowercase() {
            'n' => self.step(direction, Stride::Over),
            's' => self.step(direction, Stride::In),
            'o' => self.step(direction, Stride::Out),
            'c' => self.go(|session| session.run(direction)),
            'g' => {
                let at = if c == 'g' { 0 } else { usize::MAX };
                self.go(|session| {
                    session.go_to(at);
                    Stop::Step
                });
            }
            'b' => self.toggle_breakpoint(),
            'w' if c == 'w' => self.entry = Some(String::new()),
            'x' => drop(self.watches.pop()),
            't' => self.toggle_grain(),
            '?' => self.help = true,
            'q' => self.quit = true,
            _ => self.message = format!("`{c}` does nothing; `?` shows what keys do"),
        }
    }

    fn step(&mut self, direction: Direction, stride: Stride) {
        let grain = self.grain;
        self.go(|session| session.step(direction, stride, grain));
    }

    fn go(&mut self, way: impl FnOnce(&mut Session) -> Stop) {
        self.cursor = None;
        self.message = match way(&mut self.session) {
            Stop::Step => String::new(),
            Stop::Breakpoint(_) => "a breakpoint".to_owned(),
            Stop::Start => "this is the start".to_owned(),
            Stop::End => "this is the end".to_owned(),
        };
    }

    fn toggle_grain(&mut self) {
        self.grain = match self.grain {
            Grain::Opcode if self.line_now().is_some() => Grain::Source,
            Grain::Opcode => {
                self.message = "no lines of a source are known here: name the artifact with `--artifact`".to_owned();
                Grain::Opcode
            }
            Grain::Source => Grain::Opcode,
        };
    }

    /// At the line that is looked at, or at the instruction of the moment.
    fn toggle_breakpoint(&mut self) {
        let breakpoint = match (self.grain, self.cursor, self.looked_at(), self.session.moment()) {
            (Grain::Source, _, Some((file, line)), _) | (_, Some((file, line)), ..) => Breakpoint::Line { file, line },
            (.., Some(moment)) => {
                Breakpoint::Instruction { phase: moment.phase, function: moment.function, at: moment.at }
            }
            (.., None) => return self.message = "nothing runs here".to_owned(),
        };
        let set = self.session.toggle(breakpoint);
        self.message = if set { "breakpoint set" } else { "breakpoint taken away" }.to_owned();
    }

    /// Looks at the line above or below.
    fn look(&mut self, down: bool) {
        let Some((file, line)) = self.looked_at() else { return };
        let count = self.texts.lines(file).map_or(0, |lines| lines.len());
        let line = if down { (line + 1).min(count.max(1)) } else { line.saturating_sub(1).max(1) };
        self.cursor = Some((file, line));
    }

    /// A key while an expression is written.
    fn write(&mut self, mut entry: String, key: Key) {
        match key {
            Key::Enter => match Watch::new(&entry) {
                Ok(watch) => self.watches.push(watch),
                Err(error) => self.message = error.to_string(),
            },
            Key::Escape => {}
            Key::Backspace => {
                entry.pop();
                self.entry = Some(entry);
            }
            Key::Char(c) => {
                entry.push(c);
                self.entry = Some(entry);
            }
            Key::Up | Key::Down => self.entry = Some(entry),
        }
    }
}
