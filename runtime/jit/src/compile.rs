//! The compiler: what it compiles at all, and how hard it tries.

use std::cell::Cell;
use std::sync::Arc;

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::{self, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable, Flags};
use cranelift_codegen::{CodegenError, Context};
use cranelift_frontend::FunctionBuilderContext;
use engine::flow::Flow;
use engine::ir::{Op, Unit};
use engine::{Compiler, Effort, Find, Finished, Native, State, Stretch, run_native};
use spec::Rules;
use spec::rules::Limits;
use vm::{Item, Kernel};

use crate::calls::{self, Code};
use crate::emit::emit;
use crate::segment::Segment;

/// Instructions of register code in a unit, at most.
const OPS_MAX: usize = 8_192;
/// Instructions of a unit that is worth to be compiled well, if it has a loop.
const OPS_HOT_MAX: usize = 512;
/// Instructions of Cranelift's own code, at most; and of what is compiled well. More would take longer than 25 ms.
const INSTS_MAX: usize = 32_768;
const INSTS_HOT_MAX: usize = 6_144;
/// Bytes of the thread's stack.
const FRAME_MAX: u32 = 128 << 10;
/// Bytes of machine code.
const CODE_MAX: usize = 1 << 20;

/// Makes machine code for this machine.
pub struct Jit {
    /// Compiles fast.
    quick: OwnedTargetIsa,
    /// Compiles well, in time that is not linear.
    hot: OwnedTargetIsa,
}

impl std::fmt::Debug for Jit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jit").finish_non_exhaustive()
    }
}

impl Jit {
    /// The compiler for this machine, if there is one.
    #[must_use]
    pub fn new() -> Option<Self> {
        Some(Self { quick: target("none", "single_pass")?, hot: target("speed", "backtracking")? })
    }

    /// Cranelift's code of a unit, to read; `None` if it has none.
    #[must_use]
    pub fn clif(&self, unit: &Unit) -> Option<String> {
        let mut scratch = Scratch::default();
        self.best(unit, &mut scratch)?;
        Some(scratch.context.func.display().to_string())
    }

    /// The machine code of a unit, to read; `None` if it has none.
    #[must_use]
    pub fn assembly(&self, unit: &Unit) -> Option<String> {
        let mut scratch = Scratch::default();
        let isa = self.best(unit, &mut scratch)?;
        scratch.context.set_disasm(true);
        scratch.context.compile(isa, &mut ControlPlane::default()).ok()?.vcode.clone()
    }

    /// Puts the code that a unit has in the end into `scratch`, and gives how it is to be compiled.
    fn best(&self, unit: &Unit, scratch: &mut Scratch) -> Option<&dyn TargetIsa> {
        [Effort::Hot, Effort::Quick].into_iter().find_map(|effort| {
            *scratch = Scratch::default();
            self.function(unit, effort, scratch).map(|(isa, _)| isa)
        })
    }

    /// Puts Cranelift's code of a unit into `scratch`; gives how it is to be compiled, and the instructions where it can be
    /// entered.
    fn function(&self, unit: &Unit, effort: Effort, scratch: &mut Scratch) -> Option<(&dyn TargetIsa, Vec<usize>)> {
        let (isa, ops_max, insts_max) = match effort {
            Effort::Quick => (self.quick.as_ref(), OPS_MAX, INSTS_MAX),
            Effort::Hot => (self.hot.as_ref(), OPS_HOT_MAX, INSTS_HOT_MAX),
        };
        if unit.ops.len() > ops_max {
            return None;
        }
        let flow = Flow::of(unit);
        let turns = flow.sections.iter().any(|section| section.turns);
        if !turns && effort == Effort::Hot {
            return None;
        }
        let Scratch { context, builder } = scratch;
        context.clear();
        let entries = emit(&mut context.func, builder, unit, &flow, isa, effort == Effort::Hot)?;
        (context.func.dfg.num_insts() <= insts_max).then_some((isa, entries))
    }

    fn code(&self, unit: &Unit, effort: Effort) -> Option<(Vec<u8>, Vec<usize>)> {
        let mut scratch = SCRATCH.take();
        let (isa, entries) = self.function(unit, effort, &mut scratch)?;
        let compiled = match scratch.context.compile(isa, &mut ControlPlane::default()) {
            Ok(compiled) => compiled,
            Err(error) => {
                let verified = !matches!(error.inner, CodegenError::Verifier(_));
                debug_assert!(verified, "the code of a unit is wrong: {:?}\n{}", error.inner, error.func.display());
                return None;
            }
        };
        let code = compiled.code_buffer();
        let frame = compiled.buffer.frame_layout()?.frame_to_fp_offset;
        if frame > FRAME_MAX || !compiled.buffer.relocs().is_empty() || code.len() > CODE_MAX {
            return None;
        }
        let code = code.to_vec();
        SCRATCH.set(scratch);
        Some((code, entries))
    }
}

/// What Cranelift works in. To grow it anew for each unit would take a tenth of the time.
struct Scratch {
    context: Context,
    builder: FunctionBuilderContext,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { context: Context::new(), builder: FunctionBuilderContext::new() }
    }
}

thread_local! {
    /// That of the unit before on this thread. What was not finished is not used again.
    static SCRATCH: Cell<Scratch> = Cell::default();
}

impl Compiler for Jit {
    fn compile(&self, unit: &Unit, _: &Rules, effort: Effort) -> Option<Arc<dyn Native>> {
        let (code, entries) = self.code(unit, effort)?;
        let segment = Segment::new(&code)?;
        let end = |op: &Op| match *op {
            Op::Number { start, len, .. } => usize::from(start) + usize::from(len),
            _ => 0,
        };
        let reads = unit.ops.iter().map(end).max().unwrap_or(0);
        Some(Arc::new(Compiled { unit: Arc::new(unit.clone()), segment, entries, reads }))
    }
}

/// What code is made for, with these settings of Cranelift.
fn target(level: &str, allocator: &str) -> Option<OwnedTargetIsa> {
    let mut flags = settings::builder();
    flags.set("opt_level", level).ok()?;
    flags.set("regalloc_algorithm", allocator).ok()?;
    flags.set("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }).ok()?;
    flags.set("enable_probestack", "true").ok()?;
    flags.set("probestack_strategy", "inline").ok()?;
    flags.set("unwind_info", "false").ok()?;
    let mut isa = isa::lookup_by_name(std::env::consts::ARCH).ok()?;
    features(&mut isa);
    isa.finish(Flags::new(flags)).ok()
}

/// Instructions that not every machine of a kind has.
#[cfg(target_arch = "x86_64")]
fn features(isa: &mut isa::Builder) {
    let found = [
        ("has_lzcnt", std::is_x86_feature_detected!("lzcnt")),
        ("has_bmi1", std::is_x86_feature_detected!("bmi1")),
        ("has_bmi2", std::is_x86_feature_detected!("bmi2")),
        ("has_popcnt", std::is_x86_feature_detected!("popcnt")),
    ];
    for (name, _) in found.into_iter().filter(|(_, found)| *found) {
        // What this version of Cranelift does not know it does not use.
        let _ = isa.enable(name);
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn features(_: &mut isa::Builder) {}

/// The machine code of a unit.
#[derive(Debug)]
struct Compiled {
    unit: Arc<Unit>,
    segment: Segment,
    /// The instructions where the code can be entered, in order.
    entries: Vec<usize>,
    /// How much of the bytecode it reads.
    reads: usize,
}

impl Native for Compiled {
    fn run(&self, kernel: &mut Kernel<'_>, limits: &Limits, stack: &[Item], find: &Find<'_>) -> Option<Finished> {
        run_native(kernel, limits, Arc::clone(&self.unit), stack, find, self)
    }

    fn code_bytes(&self) -> usize {
        self.segment.bytes()
    }
}

impl Stretch for Compiled {
    fn stretch(&self, state: &mut State<'_, '_>, next: usize) -> Option<usize> {
        let Ok(entry) = self.entries.binary_search(&next) else { return Some(next) };
        if state.kernel().code().len() < self.reads {
            return Some(next);
        }
        // SAFETY: the segment holds a whole function of this type, made by Cranelift, and lives as long as `self`.
        #[allow(unsafe_code)]
        let code = unsafe { std::mem::transmute::<*const u8, Code>(self.segment.start()) };
        calls::run(code, entry as u64, state, &self.unit)
    }
}
