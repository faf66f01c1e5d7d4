//! What the nodes take of the machine's memory over time.

/// Readings, one for each node at a time, in KiB.
#[derive(Default)]
pub struct Memory {
    readings: Vec<Vec<u64>>,
}

/// Memory may grow by so much from the second quarter to the last: the chain itself grows.
const GROWTH_MIB: u64 = 32;

impl Memory {
    pub fn note(&mut self, taken: Vec<u64>) {
        self.readings.push(taken);
    }

    pub fn last(&self) -> String {
        let each = self.readings.last().into_iter().flatten().map(|kib| format!("{} MiB", kib >> 10));
        each.collect::<Vec<_>>().join(", ")
    }

    /// Prints quarters of the first node, which was never restarted, and fails if the last is above the second.
    pub fn judge(&self) -> Result<(), String> {
        let first: Vec<u64> = self.readings.iter().filter_map(|all| all.first().copied()).collect();
        let quarters: Vec<u64> = first.chunks(first.len().div_ceil(4).max(1)).map(middle).collect();
        println!("memory of the first node, in the middle of each quarter: {quarters:?} KiB");
        match quarters.as_slice() {
            [_, second, .., last] if *last > second + (GROWTH_MIB << 10) => {
                Err(format!("memory grew from {second} to {last} KiB"))
            }
            _ => Ok(()),
        }
    }
}

fn middle(readings: &[u64]) -> u64 {
    let mut sorted = readings.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
