//! A small file system of its own, where one can be mounted (it takes root).

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Unmounted when dropped.
pub(crate) struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    /// Mounts memory at the path; `options` as mount takes them, for instance `size=24m`.
    pub(crate) fn new(path: &'a Path, options: &str) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(path).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(path))
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

/// An order that fills a disk in hundreds, not in thousands.
pub(crate) fn long_order() -> Value {
    let mut order = super::order("1 Long Street");
    order["shopItems"][0]["description"] = "long ".repeat(1_900).into();
    order
}
