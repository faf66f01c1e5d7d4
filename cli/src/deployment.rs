//! `deployments/NAME.json`: what has to be remembered to pay and spend a contract.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use spec::artifact::AbiValue;
use spec::{Address, Artifact, Category, Network, Txid};
use wallet::Params;

use crate::fail::Fail;
use crate::link::NETWORK;

/// The folder, in the folder that commands run in.
pub(crate) const FOLDER: &str = "deployments";
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A contract with values for its parameters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Deployment {
    /// The name that commands know it by.
    pub(crate) name: String,
    /// The chain.
    pub(crate) network: Network,
    /// Where it is paid.
    pub(crate) address: String,
    /// The lock of its coins, in hexadecimal.
    pub(crate) lock: String,
    /// Its parameters as they fill the contract's holes.
    params: BTreeMap<String, AbiValue>,
    /// The contract.
    pub(crate) artifact: Artifact,
    /// The names of a list's recipients, where they are others than the declaration's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) names: Option<Vec<String>>,
    /// The category of the token that may replace a reward's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) record: Option<Category>,
    /// The transaction that published whom a reward pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) published: Option<Txid>,
}

impl Deployment {
    /// A deployment of `artifact`.
    pub(crate) fn new(name: &str, artifact: Artifact, params: &Params) -> Result<Self, Fail> {
        let lock = artifact.lock(params)?;
        let address = Address::of_lock(NETWORK, &lock).map(|address| address.to_string()).unwrap_or_default();
        Ok(Self {
            name: name.to_owned(),
            network: NETWORK,
            address,
            lock: hex::encode(lock),
            params: params.clone(),
            artifact,
            names: None,
            record: None,
            published: None,
        })
    }

    /// The parameters' values.
    pub(crate) const fn params(&self) -> &Params {
        &self.params
    }

    /// The lock that the artifact and the parameters give; the file's own is not trusted.
    pub(crate) fn lock(&self) -> Result<Vec<u8>, Fail> {
        let lock = self.artifact.lock(&self.params)?;
        if hex::encode(&lock) == self.lock {
            Ok(lock)
        } else {
            Err(damaged(&self.name, "its lock is not the contract's"))
        }
    }

    /// Whether it is a reward, and nobody can read from the chain whom it pays.
    pub(crate) fn is_unpublished(&self) -> bool {
        self.artifact.reward.is_some() && self.published.is_none()
    }

    /// Where the file of this name is.
    pub(crate) fn path(name: &str) -> Result<PathBuf, Fail> {
        let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
        if plain {
            Ok(Path::new(FOLDER).join(format!("{name}.json")))
        } else {
            Err(Fail::usage(format!("`{name}` is no name of a deployment")).help("use letters, digits, `-` and `_`"))
        }
    }

    /// The names of all deployments here, in order.
    pub(crate) fn names() -> Result<Vec<String>, Fail> {
        let mut names = Vec::new();
        let entries = match std::fs::read_dir(FOLDER) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(names),
            Err(error) => return Err(error.into()),
        };
        for entry in entries {
            let path = entry?.path();
            let name = path.file_stem().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
            if path.extension().is_some_and(|extension| extension == "json") && Self::path(name).is_ok() {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Writes the file.
    pub(crate) fn save(&self) -> Result<PathBuf, Fail> {
        let path = Self::path(&self.name)?;
        std::fs::create_dir_all(FOLDER)?;
        let text = serde_json::to_string_pretty(self).map_err(|error| Fail::refused(error.to_string()))?;
        std::fs::write(&path, text + "\n")?;
        Ok(path)
    }

    /// Reads the file.
    pub(crate) fn load(name: &str) -> Result<Self, Fail> {
        let path = Self::path(name)?;
        let missing = || {
            Fail::usage(format!("there is no deployment `{name}`: `{}` does not exist", path.display()))
                .help("deploy it first: `bmc deploy FILE --param name=value`")
        };
        let size = std::fs::metadata(&path).map_err(|_| missing())?.len();
        if size > FILE_BYTES_MAX {
            return Err(damaged(name, "it is too large"));
        }
        let text = std::fs::read_to_string(&path)?;
        serde_json::from_str(&text).map_err(|error| damaged(name, &error.to_string()))
    }
}

fn damaged(name: &str, why: &str) -> Fail {
    Fail::refused(format!("the deployment `{name}` is damaged: {why}")).help("deploy the contract again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_the_folder() {
        assert!(Deployment::path("text_to_image-2").is_ok());
        for name in ["", "../x", "a/b", "a.b", "C:"] {
            assert!(Deployment::path(name).is_err(), "{name}");
        }
    }
}
