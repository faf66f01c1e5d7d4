//! What the kernel says of a process; only Linux says it.

use std::fs;
use std::time::Duration;

/// What its threads have used of a processor since it began, those that have ended apart.
pub(crate) fn processor(process: u32) -> Result<Duration, String> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).map_err(|error| format!("this needs Linux: {error}"))?;
    let mut nanoseconds = 0;
    for task in tasks.flatten() {
        // A thread may end in between.
        let text = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        nanoseconds += text.split(' ').next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// What it takes of the machine's memory.
pub(crate) fn resident_kib(process: u32) -> Result<u64, String> {
    let status =
        fs::read_to_string(format!("/proc/{process}/status")).map_err(|error| format!("this needs Linux: {error}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
    kib.ok_or_else(|| "the kernel does not say how much memory a process takes".to_owned())
}
