//! Numbers for people, as all pages and pictures write them.

pub(crate) use document::Ratio;
pub(crate) use spec::num::grouped;
