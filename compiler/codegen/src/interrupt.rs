//! Work that whoever waits for it may give up. Nothing that is compiled depends on it.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

/// Whether to stop.
type Stop = Rc<dyn Fn() -> bool>;

thread_local! {
    static STOP: RefCell<Option<Stop>> = const { RefCell::new(None) };
}

/// What the stack is unwound with.
struct Stopped;

/// Does some work on this thread, unless `stop` says to give it up, which is asked again and again; then nothing comes of
/// it.
///
/// ```
/// use std::rc::Rc;
/// assert_eq!(codegen::unless_stopped(Rc::new(|| false), || 7), Some(7));
/// ```
pub fn unless_stopped<T>(stop: Rc<dyn Fn() -> bool>, work: impl FnOnce() -> T) -> Option<T> {
    let before = STOP.replace(Some(stop));
    // What the work has built so far is dropped with it.
    let done = catch_unwind(AssertUnwindSafe(work));
    STOP.set(before);
    done.map(Some).unwrap_or_else(given_up)
}

fn given_up<T>(why: Box<dyn Any + Send>) -> Option<T> {
    if why.is::<Stopped>() {
        return None;
    }
    resume_unwind(why)
}

/// Gives up if whoever waits says so. What takes long calls it every now and then.
pub(crate) fn check() {
    let stop = STOP.with_borrow(Option::clone);
    if stop.is_some_and(|stop| stop()) {
        // Not a panic: nobody is told of it.
        resume_unwind(Box::new(Stopped));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn work_ends_where_it_is_told_to() {
        let asked = Rc::new(Cell::new(0));
        let count = Rc::clone(&asked);
        let stop = Rc::new(move || {
            count.set(count.get() + 1);
            count.get() == 3
        });
        let endless = || -> () {
            loop {
                check();
            }
        };
        assert_eq!(unless_stopped(stop, endless), None);
        assert_eq!(asked.get(), 3);
        check();
    }

    #[test]
    fn a_panic_stays_one() {
        let panics = || catch_unwind(|| unless_stopped(Rc::new(|| false), || resume_unwind(Box::new("why"))));
        let told: Result<Option<()>, _> = panics();
        assert_eq!(told.unwrap_err().downcast_ref::<&str>(), Some(&"why"));
    }
}
