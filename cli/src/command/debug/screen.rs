//! What a debugger looks like.

use std::collections::BTreeSet;

use debugger::{Breakpoint, Grain, Item, Moment, shown};
use ratatui::backend::TestBackend;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};
use ratatui::{Frame, Terminal};
use spec::asm;
use spec::script::instructions;

use crate::command::debug::keys::Desk;
use crate::units::grouped;

const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const FAINT: Style = Style::new().add_modifier(Modifier::DIM);
const NAME: Style = Style::new().fg(Color::Cyan);
const GOOD: Style = Style::new().fg(Color::Green).add_modifier(Modifier::BOLD);
const BAD: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);
/// Where it stands.
const HERE: Style = Style::new().add_modifier(Modifier::REVERSED);

const KEYS: &str =
    "n N step over · s S into · o O out · c C run · b break · w watch · t lines/opcodes · g G ends · ? help · q quit";
const HELP: &str = "n  N     over the next step, or the one before
s  S     into functions
o  O     out of the function
c  C     on to a breakpoint, or back to one
g  G     to the start, to the end
b        breakpoint at this line or instruction
up down  look at another line; esc looks back
w        watch an expression: amount + 1, stack[0],
         sha256(secret) == digest, data[0..4], data.length
x        forget the last watch
t        step by lines or by instructions
q        quit

F5, F9, F10, F11, left and right work too.";

/// The smallest and the largest screens that are printed.
const COLUMNS: std::ops::RangeInclusive<u16> = 40..=500;
const ROWS: std::ops::RangeInclusive<u16> = 12..=300;

/// Reads the size of a screen, as `100x32`.
pub(super) fn size(text: &str) -> Result<(u16, u16), String> {
    let size = text.split_once('x').and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
    size.filter(|(columns, rows)| COLUMNS.contains(columns) && ROWS.contains(rows)).ok_or_else(|| {
        format!(
            "write a size as `100x32`: {} to {} columns, {} to {} rows",
            COLUMNS.start(),
            COLUMNS.end(),
            ROWS.start(),
            ROWS.end()
        )
    })
}

/// The screen as text, without colours.
pub(super) fn printed(desk: &Desk<'_>, (columns, rows): (u16, u16)) -> String {
    let Ok(mut terminal) = Terminal::new(TestBackend::new(columns, rows));
    let Ok(drawn) = terminal.draw(|frame| draw(frame, desk));
    let cells = drawn.buffer.content();
    let line = |row: &[ratatui::buffer::Cell]| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>();
    cells.chunks(usize::from(columns)).map(|row| format!("{}\n", line(row).trim_end())).collect()
}

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, desk: &Desk<'_>) {
    let (main, alt) = desk.session().recording().stacks(desk.session().now());
    let rows = Layout::vertical([Constraint::Length(1), Constraint::Min(6), Constraint::Length(2)]);
    let [top, middle, bottom] = rows.areas(frame.area());
    let [left, right] = Layout::horizontal([Constraint::Percentage(58), Constraint::Fill(1)]).areas(middle);
    let has_source = desk.line_now().is_some();
    let [source, code] =
        Layout::vertical([Constraint::Percentage(if has_source { 55 } else { 0 }), Constraint::Fill(1)]).areas(left);
    let watches = desk.watched(&main, &alt);
    let heights = [
        Constraint::Fill(1),
        Constraint::Length(if alt.is_empty() { 0 } else { rows_of(alt.len()).min(8) }),
        Constraint::Length(if watches.is_empty() { 0 } else { rows_of(watches.len()).min(10) }),
    ];
    let [stack, alt_area, watch_area] = Layout::vertical(heights).areas(right);
    frame.render_widget(Line::styled(format!(" {}", desk.title()), BOLD), top);
    if has_source {
        source_pane(frame, source, desk);
    }
    code_pane(frame, code, desk);
    stack_pane(frame, stack, "stack, top first", &main);
    if !alt.is_empty() {
        stack_pane(frame, alt_area, "alt stack", &alt);
    }
    if !watches.is_empty() {
        let lines = watches
            .into_iter()
            .map(|(text, value)| Line::from(vec![Span::styled(text, NAME), Span::raw(" = "), Span::raw(value)]));
        frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()).block(boxed("watches")), watch_area);
    }
    status(frame, bottom, desk);
    if desk.shows_help() {
        let area = centred(frame.area(), 62, 18);
        frame.render_widget(Clear, area);
        frame.render_widget(Paragraph::new(HELP).block(boxed("keys")), area);
    }
}

fn rows_of(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX).saturating_add(2)
}

fn boxed(title: &str) -> Block<'_> {
    Block::bordered().title(format!(" {title} ")).border_style(FAINT)
}

fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

/// The first of `count` lines that are shown in `room`, so that `at` is among them.
fn first_shown(at: usize, count: usize, room: usize) -> usize {
    at.saturating_sub(room / 2).min(count.saturating_sub(room))
}

fn source_pane(frame: &mut Frame<'_>, area: Rect, desk: &Desk<'_>) {
    let Some((file, at)) = desk.looked_at() else { return };
    let name = desk.texts().path(file).unwrap_or("source");
    let Some(text) = desk.texts().lines(file) else {
        let why = format!("line {at}: the file is not here as it was compiled; name its folder with `--file`");
        return frame
            .render_widget(Paragraph::new(why).wrap(ratatui::widgets::Wrap { trim: true }).block(boxed(name)), area);
    };
    let here = desk.line_now().filter(|(now, _)| *now == file).map(|(_, line)| line);
    let room = usize::from(area.height.saturating_sub(2));
    let first = first_shown(at.saturating_sub(1), text.len(), room);
    let breakpoints = desk.session().breakpoints();
    let lines = text.iter().enumerate().skip(first).take(room).map(|(index, line)| {
        let number = index + 1;
        let dot = if breakpoints.contains(&Breakpoint::Line { file, line: number }) { "●" } else { " " };
        let arrow = if here == Some(number) {
            "▶"
        } else if number == at {
            ">"
        } else {
            " "
        };
        let style = if here == Some(number) && desk.grain() == Grain::Source { HERE } else { Style::new() };
        let line = line.replace('\t', "    ");
        Line::from(vec![
            Span::styled(dot, BAD),
            Span::styled(format!("{arrow}{number:>4} "), FAINT),
            Span::styled(line, style),
        ])
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()).block(boxed(name)), area);
}

fn code_pane(frame: &mut Frame<'_>, area: Rect, desk: &Desk<'_>) {
    let session = desk.session();
    let recording = session.recording();
    let last = recording.len().saturating_sub(1);
    let Some(moment) = recording.moment(session.now().min(last)) else { return };
    let steps: Vec<(usize, String)> =
        instructions(recording.code(moment)).map_while(Result::ok).map(|one| (one.at, asm::word(&one))).collect();
    let here = steps.iter().position(|(at, _)| *at == moment.at).unwrap_or(0);
    let room = usize::from(area.height.saturating_sub(2));
    let first = first_shown(here, steps.len(), room);
    let lines = steps.iter().enumerate().skip(first).take(room).map(|(index, (at, word))| {
        let now = index == here && !session.is_at_end();
        let style = if now && desk.grain() == Grain::Opcode {
            HERE
        } else if now {
            BOLD
        } else {
            Style::new()
        };
        let dot = if has_breakpoint(session.breakpoints(), moment, *at) { "●" } else { " " };
        let arrow = if now { "▶" } else { " " };
        Line::from(vec![
            Span::styled(dot, BAD),
            Span::styled(format!("{arrow}{at:>5} "), FAINT),
            Span::styled(word.clone(), style),
        ])
    });
    let function = moment.function.map(|id| format!(", function {id}")).unwrap_or_default();
    let title = format!("{}{function}", moment.phase);
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()).block(boxed(&title)), area);
}

fn has_breakpoint(breakpoints: &BTreeSet<Breakpoint>, moment: &Moment, at: usize) -> bool {
    breakpoints.contains(&Breakpoint::Instruction { phase: moment.phase, function: moment.function, at })
}

fn stack_pane(frame: &mut Frame<'_>, area: Rect, title: &str, items: &[Item]) {
    let room = usize::from(area.height.saturating_sub(2));
    let width = items.iter().rev().take(room).map(|item| item.name.as_deref().map_or(0, |name| name.chars().count()));
    let width = width.max().unwrap_or(0).min(usize::from(area.width) / 2);
    let lines = items.iter().rev().enumerate().take(room).map(|(place, item)| {
        let name = item.name.as_deref().unwrap_or_default();
        let name: String = name.chars().take(width).collect();
        Line::from(vec![
            Span::styled(format!("{place:>2} "), FAINT),
            Span::styled(format!("{name:<width$} "), NAME),
            Span::raw(shown(&item.bytes)),
        ])
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()).block(boxed(title)), area);
}

fn status(frame: &mut Frame<'_>, area: Rect, desk: &Desk<'_>) {
    let session = desk.session();
    let recording = session.recording();
    let cost = session.moment().map_or(recording.end().metrics.cost.get(), |moment| moment.cost);
    let mut parts = vec![Span::raw(format!(
        " step {} of {} · cost {} of {}",
        session.now().min(recording.len()),
        recording.len(),
        grouped(cost),
        grouped(recording.budget())
    ))];
    if session.is_at_end() {
        let end = recording.end();
        let (style, text) = end.reason().map_or_else(|| (GOOD, "valid".to_owned()), |reason| (BAD, reason));
        parts.extend([Span::raw(" · "), Span::styled(text, style)]);
    }
    if !desk.message().is_empty() {
        parts.extend([Span::raw(" · "), Span::styled(desk.message().to_owned(), BOLD)]);
    }
    let [first, second] = Layout::vertical([Constraint::Length(1), Constraint::Length(1)]).areas(area);
    frame.render_widget(Line::from(parts), first);
    let last = match desk.entry() {
        Some(entry) => Line::from(vec![Span::styled(" watch: ", BOLD), Span::raw(entry.clone()), Span::raw("▏")]),
        None => Line::styled(format!(" {KEYS}"), FAINT),
    };
    frame.render_widget(last, second);
}
