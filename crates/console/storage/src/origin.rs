//! The table of who sent the rows of a block: each resource with its scope once, rows refer by number.

use std::sync::Arc;

use console_model::{Resource, Scope};

use crate::codec::{Damaged, Reader, put_resource, put_scope, put_u64};
use crate::shelf::ROW_BYTES_MAX;

/// A resource with a scope of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) resource: Arc<Resource>,
    pub(crate) scope: Arc<Scope>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    all: Vec<Origin>,
    bytes: usize,
}

impl Origins {
    /// The number of a pair, added if it is new; `None` if it is larger than a row may be.
    pub(crate) fn number(&mut self, resource: &Arc<Resource>, scope: &Arc<Scope>) -> Option<u32> {
        let same = |origin: &Origin| {
            (Arc::ptr_eq(&origin.resource, resource) || origin.resource == *resource)
                && (Arc::ptr_eq(&origin.scope, scope) || origin.scope == *scope)
        };
        // The newest is the likeliest. Blocks hold a few origins; a sender that makes each one its own
        // fills the block sooner, for their bytes count.
        if let Some(position) = self.all.iter().rev().take(64).position(same) {
            return Some((self.all.len() - 1 - position) as u32);
        }
        let mut written = Vec::new();
        put_resource(&mut written, resource);
        put_scope(&mut written, scope);
        if written.len() > ROW_BYTES_MAX {
            return None;
        }
        self.bytes += written.len();
        self.all.push(Origin { resource: resource.clone(), scope: scope.clone() });
        Some((self.all.len() - 1) as u32)
    }

    /// The one with this number.
    pub(crate) fn get(&self, number: u32) -> Option<&Origin> {
        self.all.get(number as usize)
    }

    /// What they take when written down, bytes.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        put_u64(out, self.all.len() as u64);
        for origin in &self.all {
            put_resource(out, &origin.resource);
            put_scope(out, &origin.scope);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Vec<Origin>, Damaged> {
        let count = reader.count()?;
        let mut all: Vec<Origin> = Vec::with_capacity(count.min(64));
        for _ in 0..count {
            let (resource, scope) = (Arc::new(reader.resource()?), Arc::new(reader.scope()?));
            let resource = match all.last() {
                Some(last) if last.resource == resource => last.resource.clone(),
                _ => resource,
            };
            all.push(Origin { resource, scope });
        }
        Ok(all)
    }
}
