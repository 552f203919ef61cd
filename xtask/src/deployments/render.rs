//! Runs `kubectl kustomize`: finds a kubectl, and says where to get one.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The program that renders.
pub struct Kustomize {
    kubectl: PathBuf,
}

impl Kustomize {
    /// The one that `KUBECTL` names, the one that `deployments/testbed/tools.sh` built, or the one on the path.
    pub fn find(root: &Path) -> Result<Self, String> {
        let built = std::fs::read_dir(root.join("target/cluster")).into_iter().flatten().flatten();
        let built = built.map(|entry| entry.path().join("bin/kubectl")).filter(|path| path.is_file()).max();
        let kubectl = std::env::var_os("KUBECTL").map(PathBuf::from).or(built).unwrap_or_else(|| "kubectl".into());
        match Command::new(&kubectl).args(["version", "--client"]).output() {
            Ok(output) if output.status.success() => Ok(Self { kubectl }),
            _ => Err(format!(
                "{} cannot be run: bash deployments/testbed/tools.sh kubectl builds one, or let KUBECTL name it",
                kubectl.display()
            )),
        }
    }

    /// What Kustomize makes of a folder; it is asked for no network and no Helm.
    pub fn build(&self, folder: &Path) -> Result<String, String> {
        let output = Command::new(&self.kubectl).arg("kustomize").arg(folder).output();
        let output = output.map_err(|error| format!("{} cannot be run: {error}", self.kubectl.display()))?;
        if !output.status.success() {
            return Err(format!("{}: {}", folder.display(), String::from_utf8_lossy(&output.stderr).trim()));
        }
        String::from_utf8(output.stdout).map_err(|_| format!("{} renders as no text", folder.display()))
    }
}
