//! A debugger on a terminal.

use std::io::IsTerminal as _;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};

use crate::command::debug::keys::{Desk, Key};
use crate::command::debug::screen;
use crate::fail::Fail;

/// Shows the desk and takes keys until it is over.
pub(super) fn run(desk: &mut Desk<'_>) -> Result<(), Fail> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Fail::usage("a debugger needs a terminal").help(
            "list the keys with `--keys`, as `--keys nnN`: then the screen is printed, or with `--json` what it shows",
        ));
    }
    let mut terminal = ratatui::try_init()?;
    let ended = shown(&mut terminal, desk);
    // The terminal is as it was before anybody reads of an error.
    ratatui::try_restore()?;
    Ok(ended?)
}

fn shown(terminal: &mut ratatui::DefaultTerminal, desk: &mut Desk<'_>) -> std::io::Result<()> {
    while !desk.is_over() {
        terminal.draw(|frame| screen::draw(frame, desk))?;
        if let Event::Key(pressed) = event::read()?
            && pressed.kind != KeyEventKind::Release
        {
            if pressed.modifiers.contains(KeyModifiers::CONTROL) && matches!(pressed.code, KeyCode::Char('c' | 'd')) {
                return Ok(());
            }
            key(pressed.code).into_iter().for_each(|key| desk.press(key));
        }
    }
    Ok(())
}

const fn key(code: KeyCode) -> Option<Key> {
    Some(match code {
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        // As other debuggers have them.
        KeyCode::F(5) => Key::Char('c'),
        KeyCode::F(9) => Key::Char('b'),
        KeyCode::F(10) | KeyCode::Right => Key::Char('n'),
        KeyCode::Left => Key::Char('N'),
        KeyCode::F(11) => Key::Char('s'),
        _ => return None,
    })
}
