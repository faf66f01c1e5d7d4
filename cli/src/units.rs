//! Numbers for people, as all pages and pictures write them.

pub(crate) use spec::Ratio;
pub(crate) use spec::num::grouped;
