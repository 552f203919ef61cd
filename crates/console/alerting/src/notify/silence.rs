//! Silences: for a time, alerts like this are nobody's trouble. Kept over restarts by whoever keeps the
//! dispatcher.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Matcher;
use super::matcher::Form;
use crate::rules::Texts;

/// Silences at most, those that are over included.
const SILENCES_MAX: usize = 1_000;
/// Matchers of one silence at most.
const MATCHERS_MAX: usize = 64;
/// Characters of author and comment at most.
const TEXT_MAX: usize = 4_096;
/// How long one that is over is still shown.
const RETENTION_MS: i64 = 5 * 86_400_000;

/// Whether a silence holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SilenceState {
    /// It will.
    Pending,
    /// It does.
    Active,
    /// It did.
    Expired,
}

impl SilenceState {
    /// The word that Alertmanager's API has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Expired => "expired",
        }
    }
}

/// A silence. Times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Silence {
    /// Its name, which it was given.
    pub id: String,
    /// What alerts are like; all of it.
    pub matchers: Vec<Matcher>,
    /// From when on.
    pub starts_at_ms: i64,
    /// Until when.
    pub ends_at_ms: i64,
    /// When it was last changed.
    pub updated_at_ms: i64,
    /// By whom.
    pub created_by: String,
    /// What for.
    pub comment: String,
}

impl Silence {
    /// Whether it holds at a time.
    pub const fn state(&self, now_ms: i64) -> SilenceState {
        if now_ms < self.starts_at_ms {
            SilenceState::Pending
        } else if now_ms < self.ends_at_ms {
            SilenceState::Active
        } else {
            SilenceState::Expired
        }
    }

    fn is_match(&self, labels: &Texts) -> bool {
        self.matchers.iter().all(|matcher| matcher.is_match(labels))
    }
}

/// A silence that somebody wants.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The one that is to be changed; `None` for a new one.
    pub id: Option<String>,
    /// What alerts are like.
    pub matchers: Vec<Form>,
    /// From when on.
    pub starts_at_ms: i64,
    /// Until when.
    pub ends_at_ms: i64,
    /// By whom.
    pub created_by: String,
    /// What for.
    pub comment: String,
}

/// Why there is no such silence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SilenceError {
    /// It cannot be as it is wanted.
    #[error("invalid silence: {0}")]
    Invalid(String),
    /// There is none of this name.
    #[error("silence {0} not found")]
    NotFound(String),
    /// There are too many.
    #[error("there are {SILENCES_MAX} silences already; those that are over are forgotten after five days")]
    TooMany,
}

/// All silences.
#[derive(Debug, Default)]
pub(super) struct Silences {
    by_id: BTreeMap<String, Silence>,
}

impl Silences {
    pub(super) fn get(&self, id: &str) -> Option<&Silence> {
        self.by_id.get(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Silence> {
        self.by_id.values()
    }

    /// The names of those that hold for these labels.
    pub(super) fn silencing(&self, labels: &Texts, now_ms: i64) -> Vec<String> {
        let active = self.by_id.values().filter(|silence| silence.state(now_ms) == SilenceState::Active);
        active.filter(|silence| silence.is_match(labels)).map(|silence| silence.id.clone()).collect()
    }

    /// Makes one, or changes one. What cannot be changed, because alerts were silenced by it, is ended and a new
    /// one takes its place. Gives the name.
    pub(super) fn set(&mut self, wanted: Wanted, now_ms: i64) -> Result<String, SilenceError> {
        let mut silence = checked(wanted.clone(), now_ms)?;
        let known = match &wanted.id {
            None => None,
            Some(id) => Some(self.by_id.get(id).ok_or_else(|| SilenceError::NotFound(shown(id)))?),
        };
        if let Some(known) = known {
            let can_be_changed = known.matchers == silence.matchers
                && match known.state(now_ms) {
                    SilenceState::Active => wanted.starts_at_ms == known.starts_at_ms,
                    SilenceState::Pending => wanted.starts_at_ms >= now_ms,
                    SilenceState::Expired => false,
                };
            if can_be_changed {
                silence.starts_at_ms = wanted.starts_at_ms;
                silence.id.clone_from(&known.id);
                self.by_id.insert(silence.id.clone(), silence.clone());
                return Ok(silence.id);
            }
            let id = known.id.clone();
            self.expire(&id, now_ms)?;
        }
        if self.by_id.len() >= SILENCES_MAX {
            self.forget(now_ms, 0);
            if self.by_id.len() >= SILENCES_MAX {
                return Err(SilenceError::TooMany);
            }
        }
        silence.id = Uuid::new_v4().to_string();
        let id = silence.id.clone();
        self.by_id.insert(id.clone(), silence);
        Ok(id)
    }

    /// Ends one now. One that is over stays as it is.
    pub(super) fn expire(&mut self, id: &str, now_ms: i64) -> Result<(), SilenceError> {
        let silence = self.by_id.get_mut(id).ok_or_else(|| SilenceError::NotFound(shown(id)))?;
        if silence.state(now_ms) != SilenceState::Expired {
            silence.starts_at_ms = silence.starts_at_ms.min(now_ms);
            silence.ends_at_ms = now_ms;
            silence.updated_at_ms = now_ms;
        }
        Ok(())
    }

    /// Forgets those that are over for long. Says whether there were any.
    pub(super) fn forget_old(&mut self, now_ms: i64) -> bool {
        self.forget(now_ms, RETENTION_MS)
    }

    fn forget(&mut self, now_ms: i64, retention_ms: i64) -> bool {
        let before = self.by_id.len();
        self.by_id.retain(|_, silence| silence.ends_at_ms.saturating_add(retention_ms) > now_ms);
        self.by_id.len() != before
    }

    pub(super) fn kept(&self) -> Vec<Kept> {
        self.by_id.values().map(Kept::of).collect()
    }

    pub(super) fn take(&mut self, kept: Vec<Kept>) {
        for silence in kept.into_iter().take(SILENCES_MAX).filter_map(Kept::silence) {
            self.by_id.insert(silence.id.clone(), silence);
        }
    }
}

fn shown(id: &str) -> String {
    id.chars().take(60).collect()
}

fn checked(wanted: Wanted, now_ms: i64) -> Result<Silence, SilenceError> {
    let invalid = |reason: String| Err(SilenceError::Invalid(reason));
    if wanted.matchers.is_empty() || wanted.matchers.len() > MATCHERS_MAX {
        return invalid(format!("it has to have one matcher at least and {MATCHERS_MAX} at most"));
    }
    let matchers: Result<Vec<Matcher>, _> = wanted.matchers.into_iter().map(Matcher::new).collect();
    let matchers = match matchers {
        Ok(matchers) => matchers,
        Err(error) => return invalid(error.to_string()),
    };
    if matchers.iter().all(|matcher| matcher.is_match(&Texts::new())) {
        return invalid("at least one matcher must not match the empty string".to_owned());
    }
    if wanted.ends_at_ms <= wanted.starts_at_ms {
        return invalid("end time must be after start time".to_owned());
    }
    if wanted.ends_at_ms <= now_ms {
        return invalid("end time can't be in the past".to_owned());
    }
    if wanted.created_by.chars().count() > TEXT_MAX || wanted.comment.chars().count() > TEXT_MAX {
        return invalid(format!("author and comment have {TEXT_MAX} characters at most"));
    }
    Ok(Silence {
        id: String::new(),
        matchers,
        starts_at_ms: wanted.starts_at_ms.max(now_ms),
        ends_at_ms: wanted.ends_at_ms,
        updated_at_ms: now_ms,
        created_by: wanted.created_by,
        comment: wanted.comment,
    })
}

/// A silence in the file that outlives the process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    id: String,
    matchers: Vec<Form>,
    starts_at_ms: i64,
    ends_at_ms: i64,
    updated_at_ms: i64,
    created_by: String,
    comment: String,
}

impl Kept {
    fn of(silence: &Silence) -> Self {
        Self {
            id: silence.id.clone(),
            matchers: silence.matchers.iter().map(|matcher| matcher.form().clone()).collect(),
            starts_at_ms: silence.starts_at_ms,
            ends_at_ms: silence.ends_at_ms,
            updated_at_ms: silence.updated_at_ms,
            created_by: silence.created_by.clone(),
            comment: silence.comment.clone(),
        }
    }

    fn silence(self) -> Option<Silence> {
        let matchers = self.matchers.into_iter().map(Matcher::new).collect::<Result<Vec<_>, _>>().ok()?;
        Some(Silence {
            id: self.id,
            matchers,
            starts_at_ms: self.starts_at_ms,
            ends_at_ms: self.ends_at_ms,
            updated_at_ms: self.updated_at_ms,
            created_by: self.created_by,
            comment: self.comment,
        })
    }
}

#[cfg(test)]
mod tests;
