//! A node in a process and a folder of its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const PAIR: &str = "soak:soak";
/// `soak:soak`
const CREDENTIALS: &str = "Basic c29hazpzb2Fr";
/// A node has so long to end after it was told to.
const STOP: Duration = Duration::from_secs(30);

/// A running node.
pub struct Node {
    binary: PathBuf,
    folder: PathBuf,
    args: Vec<String>,
    child: Child,
    url: String,
}

/// Ports that nobody has now.
pub fn free_ports(count: usize) -> Result<Vec<u16>, String> {
    let listeners: Result<Vec<_>, _> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect();
    let listeners = listeners.map_err(|error| format!("no port is free: {error}"))?;
    let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
    listeners.iter().map(port).collect::<Result<_, _>>().map_err(|error| error.to_string())
}

impl Node {
    /// Starts the node that has the port at that place, and calls the others.
    pub fn start(binary: &Path, folder: &Path, at: usize, ports: &[u16]) -> Result<Self, String> {
        fs::create_dir_all(folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
        let mut args: Vec<String> = ["node", "--rpc-port", "0", "--no-mining", "--blocks-each", "0", "--json"]
            .into_iter()
            .chain(["--auth", PAIR, "--dbcache", "4"])
            .map(str::to_owned)
            .collect();
        for (other, port) in ports.iter().enumerate() {
            let flag = if other == at { "--p2p-bind" } else { "--add-node" };
            args.extend([flag.to_owned(), format!("127.0.0.1:{port}")]);
        }
        let (child, url) = spawn(binary, folder, &args)?;
        Ok(Self { binary: binary.to_owned(), folder: folder.to_owned(), args, child, url })
    }

    /// Ends the node, by a call or without warning, and starts it again.
    pub fn restart(&mut self, killed: bool) -> Result<(), String> {
        if killed {
            self.child.kill().map_err(|error| error.to_string())?;
        } else {
            self.call("stop", &json!([]))?;
        }
        let start = Instant::now();
        while self.child.try_wait().map_err(|error| error.to_string())?.is_none() {
            if start.elapsed() > STOP {
                return Err(format!("a node does not stop within {} s", STOP.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        (self.child, self.url) = spawn(&self.binary, &self.folder, &self.args)?;
        Ok(())
    }

    /// The result of a method, or what it says against it.
    pub fn ask(&self, method: &str, params: &Value) -> Result<Result<Value, Value>, String> {
        let body = json!({ "id": 1, "method": method, "params": params }).to_string();
        let failed = |error: ureq::Error| format!("{method} of the node in `{}`: {error}", self.folder.display());
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        let post = ureq::Agent::new_with_config(config).post(&self.url).header("Authorization", CREDENTIALS);
        let text = post.send(&body).map_err(failed)?.body_mut().read_to_string().map_err(failed)?;
        let mut reply: Value = serde_json::from_str(&text).map_err(|error| format!("{method}: {error}: {text}"))?;
        let error = reply.get_mut("error").map(Value::take).unwrap_or_default();
        Ok(if error.is_null() { Ok(reply.get_mut("result").map(Value::take).unwrap_or_default()) } else { Err(error) })
    }

    /// The result of a method that must succeed.
    pub fn call(&self, method: &str, params: &Value) -> Result<Value, String> {
        self.ask(method, params)?.map_err(|error| format!("{method} {params}: {error}"))
    }

    /// The result of a method that gives a number.
    pub fn number(&self, method: &str) -> Result<u64, String> {
        self.call(method, &json!([]))?.as_u64().ok_or_else(|| format!("{method} gives no number"))
    }

    /// What it takes of the machine's memory.
    pub fn resident_kib(&self) -> Result<u64, String> {
        crate::process::resident_kib(self.child.id())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the binary; returns it with the address that it names.
fn spawn(binary: &Path, folder: &Path, args: &[String]) -> Result<(Child, String), String> {
    let failed = |error: &dyn std::fmt::Display| format!("a node in `{}` does not start: {error}", folder.display());
    let mut command = Command::new(binary);
    command.args(args).arg("--datadir").arg(folder).env("HOME", folder).env_remove("BMC_MNEMONIC");
    let log = fs::File::options().create(true).append(true).open(folder.join("log")).map_err(|error| failed(&error))?;
    let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().map_err(|error| failed(&error))?;
    let out = child.stdout.take().ok_or_else(|| failed(&"it says nothing"))?;
    let mut greeting = String::new();
    for line in BufReader::new(out).lines().map_while(Result::ok) {
        greeting += &line;
        if line == "}" {
            break;
        }
    }
    let greeting: Value = serde_json::from_str(&greeting).map_err(|error| failed(&error))?;
    let url = greeting.get("rpc").and_then(Value::as_str).ok_or_else(|| failed(&"it names no address"))?.to_owned();
    Ok((child, url))
}
