//! Memory for machine code: written once, then executable, between pages that nobody may touch.

use std::ptr;

/// Memory that holds the code of one unit. It can be written or run, never both.
#[derive(Debug)]
pub(crate) struct Segment {
    /// The mapping, with a guard page at either end.
    map: *mut libc::c_void,
    len: usize,
    page: usize,
}

// SAFETY: nothing writes to the memory after `Segment::new`; it is only run, and unmapped by the last owner.
#[allow(unsafe_code)]
unsafe impl Send for Segment {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl Sync for Segment {}

impl Segment {
    /// Memory that holds `code`; `None` if there is none.
    pub(crate) fn new(code: &[u8]) -> Option<Self> {
        let page = page()?;
        let body = code.len().checked_next_multiple_of(page)?;
        let len = body.checked_add(2 * page)?;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
        // SAFETY: a new mapping, of which nothing else knows.
        #[allow(unsafe_code)]
        let map = unsafe { libc::mmap(ptr::null_mut(), len, libc::PROT_NONE, flags, -1, 0) };
        if map == libc::MAP_FAILED {
            return None;
        }
        let new = Self { map, len, page };
        new.protect(body, libc::PROT_READ | libc::PROT_WRITE)?;
        // SAFETY: the pages between the guards are `body` bytes long, which is at least `code.len()`; they are ours and can
        // be written; `code` lies elsewhere.
        #[allow(unsafe_code)]
        unsafe {
            ptr::copy_nonoverlapping(code.as_ptr(), new.start().cast_mut(), code.len());
        }
        // SAFETY: the range is mapped and holds the code.
        #[allow(unsafe_code)]
        unsafe { jit_icache::clear_cache(new.start().cast(), code.len()) }.ok()?;
        new.protect(body, libc::PROT_READ | libc::PROT_EXEC)?;
        jit_icache::pipeline_flush_mt().ok()?;
        Some(new)
    }

    /// Where the code starts.
    pub(crate) fn start(&self) -> *const u8 {
        self.map.cast::<u8>().wrapping_add(self.page)
    }

    /// The bytes that it takes in memory.
    pub(crate) const fn bytes(&self) -> usize {
        self.len - 2 * self.page
    }

    fn protect(&self, body: usize, how: libc::c_int) -> Option<()> {
        let start = self.start().cast_mut().cast();
        // SAFETY: the pages between the guards are part of our own mapping.
        #[allow(unsafe_code)]
        let done = unsafe { libc::mprotect(start, body, how) };
        (done == 0).then_some(())
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and nobody runs it any more: who does holds the segment.
        #[allow(unsafe_code)]
        unsafe {
            libc::munmap(self.map, self.len);
        }
    }
}

fn page() -> Option<usize> {
    // SAFETY: it only asks.
    #[allow(unsafe_code)]
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(page).ok().filter(|page| page.is_power_of_two())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_holds_the_code_and_takes_whole_pages() {
        for len in [1usize, 4_095, 4_096, 4_097, 100_000] {
            let code: Vec<u8> = (0..len).map(|at| at as u8).collect();
            let segment = Segment::new(&code).unwrap();
            assert!(segment.bytes() >= len && segment.bytes().is_multiple_of(page().unwrap()));
            // SAFETY: the segment is at least as long as the code, and can be read.
            #[allow(unsafe_code)]
            let held = unsafe { std::slice::from_raw_parts(segment.start(), len) };
            assert_eq!(held, code);
        }
    }
}
