//! The loop as WebAssembly, interpreted by wasmi.

use std::error::Error;

use wasmi::{Config, Engine, Linker, Module, Store, TypedFunc};

/// Addition wraps in WebAssembly. It has overflowed if both operands have the sign that the sum does not have.
const TEXT: &str = r#"
(module
    (func (export "run") (param $i i64) (result i64)
        (local $sum i64) (local $next i64) (local $most i64)
        (loop $turn
            (local.set $next (i64.add (local.get $sum) (local.get $i)))
            (if (i64.lt_s
                    (i64.and
                        (i64.xor (local.get $sum) (local.get $next))
                        (i64.xor (local.get $i) (local.get $next)))
                    (i64.const 0))
                (then unreachable))
            (local.set $sum (local.get $next))
            (local.set $most
                (select (local.get $sum) (local.get $most) (i64.gt_s (local.get $sum) (local.get $most))))
            (local.set $i (i64.sub (local.get $i) (i64.const 1)))
            (br_if $turn (i64.ne (local.get $i) (i64.const 0))))
        (local.get $most)))
"#;

/// Whether work is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metering {
    /// It is not.
    None,
    /// As a chain would do it.
    Fuel,
}

/// The loop, compiled to what wasmi interprets.
#[derive(Debug)]
pub struct Loop {
    store: Store<()>,
    function: TypedFunc<i64, i64>,
    metering: Metering,
}

impl Loop {
    pub fn new(metering: Metering) -> Result<Self, Box<dyn Error>> {
        let mut config = Config::default();
        config.consume_fuel(metering == Metering::Fuel);
        let engine = Engine::new(&config);
        let module = Module::new(&engine, wat::parse_str(TEXT)?)?;
        let mut store = Store::new(&engine, ());
        if metering == Metering::Fuel {
            store.set_fuel(u64::MAX)?;
        }
        let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module)?;
        let function = instance.get_typed_func(&store, "run")?;
        Ok(Self { store, function, metering })
    }

    /// The greatest sum.
    pub fn run(&mut self, turns: i64) -> Result<i64, Box<dyn Error>> {
        if self.metering == Metering::Fuel {
            self.store.set_fuel(u64::MAX)?;
        }
        Ok(self.function.call(&mut self.store, turns)?)
    }
}
