//! `bmc flow`: who is paid by whom, from the chain alone.

mod svg;
mod tell;

use std::path::PathBuf;

use ::flow::{Index, Network, Record};
use clap::{Args, Subcommand};

use crate::fail::Fail;
use crate::link::NodeArgs;
use crate::shell::Shell;

/// See how money flows through rewards and models, from the blocks of a node alone.
#[derive(Args)]
#[command(after_help = "Examples:\n  bmc flow rebuild\n  bmc flow rebuild --svg flow.svg\n  bmc flow rebuild --json")]
pub(crate) struct Flow {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Subcommand)]
enum Action {
    /// Rebuild every published reward, its settlements, and every registered model.
    #[command(after_help = "Examples:\n  bmc flow rebuild\n  bmc flow rebuild --svg flow.svg")]
    Rebuild {
        /// Draw who pays whom into this file.
        #[arg(long, value_name = "FILE")]
        svg: Option<PathBuf>,
    },
}

impl Flow {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let Action::Rebuild { svg } = &self.action;
        let blocks = self.node.link().blocks()?;
        let network = ::flow::rebuild(&blocks);
        if let Some(path) = svg {
            std::fs::write(path, svg::draw(&network))
                .map_err(|error| Fail::refused(format!("`{}` cannot be written: {error}", path.display())))?;
        }
        shell.print(&tell::json(&network), |out| tell::text(&network, blocks.len(), out))
    }
}

/// The registries that registered something.
fn used(network: &Network) -> impl Iterator<Item = (&::flow::Registry, &Index)> {
    network.registries.iter().filter(|(_, index)| !index.records.is_empty()).map(|(registry, index)| (registry, index))
}

/// What a model is called: the name of its flow, or the first digits of its record's id.
fn name_of(network: &Network, record: &Record) -> String {
    match network.flow_of(record) {
        Some(flow) => flow.published.name.clone(),
        None => short(&record.id),
    }
}

fn short(id: &[u8; 32]) -> String {
    let digits: String = hex::encode(id).chars().take(8).collect();
    format!("0x{digits}..")
}
