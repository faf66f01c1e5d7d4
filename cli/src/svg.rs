//! What all pictures need.

/// Text as it stands in a picture: without control characters, and never read as markup.
pub(crate) fn escaped(text: &str) -> String {
    let plain = text.chars().filter(|c| !c.is_control());
    plain.collect::<String>().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
