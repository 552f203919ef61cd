//! On whose behalf the code at hand runs: the span that is at work in this task. Decorators and log
//! lines look here, so that nothing in between has to hand a span through.
//!
//! A scope belongs to a future, not to a thread: it is put in place for each poll and taken away after
//! it. A task that is spawned begins without one.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::record::Service;
use crate::trace::TraceContext;

/// The work at hand.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Whose work it is.
    pub service: Service,
    /// The spans that it is part of.
    pub parents: Parents,
}

impl Scope {
    /// The service's own work, that no span is about: it gives log lines the right name.
    #[must_use]
    pub fn of(service: Service) -> Self {
        Self { service, parents: Parents::Many(Arc::default()) }
    }
}

/// What the work at hand is part of.
#[derive(Debug, Clone)]
pub enum Parents {
    /// One span.
    One(TraceContext),
    /// Several, because what they asked for is done at once, like the commit of a batch.
    Many(Arc<[TraceContext]>),
}

impl Parents {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[TraceContext] {
        match self {
            Self::One(context) => std::slice::from_ref(context),
            Self::Many(contexts) => contexts,
        }
    }

    /// The one span, when it is one: what log lines name.
    #[must_use]
    pub fn only(&self) -> Option<&TraceContext> {
        match self.all() {
            [only] => Some(only),
            _ => None,
        }
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

/// The scope of the code that calls; `None` for work that nobody asked for.
#[must_use]
pub fn current() -> Option<Scope> {
    // Not there any more while the thread ends.
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// Looks at the scope without copying it.
pub fn with_current<T: Default>(look: impl FnOnce(&Scope) -> T) -> T {
    CURRENT.try_with(|current| current.borrow().as_ref().map(look)).ok().flatten().unwrap_or_default()
}

pin_project! {
    /// A future in its scope; see [`within`].
    pub struct Within<F> {
        #[pin]
        future: F,
        scope: Option<Scope>,
    }
}

/// Runs `future` in `scope`; without one, as if nobody had asked for it.
pub const fn within<F: Future>(scope: Option<Scope>, future: F) -> Within<F> {
    Within { future, scope }
}

/// Runs `work` in `scope`.
pub fn run<T>(scope: Option<Scope>, work: impl FnOnce() -> T) -> T {
    let _restore = Restore(replace(scope));
    work()
}

fn replace(scope: Option<Scope>) -> Option<Scope> {
    CURRENT.try_with(|current| current.replace(scope)).ok().flatten()
}

/// Puts the scope back that was there before, also when what ran in between panicked.
struct Restore(Option<Scope>);

impl Drop for Restore {
    fn drop(&mut self) {
        replace(self.0.take());
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _restore = Restore(replace(this.scope.clone()));
        this.future.poll(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope { service: Service(0), parents: Parents::One(TraceContext::root(true)) }
    }

    fn trace() -> Option<TraceContext> {
        current().and_then(|scope| scope.parents.only().copied())
    }

    #[test]
    fn a_scope_ends_with_what_it_was_for_even_by_a_panic() {
        let (outer, inner) = (scope(), scope());
        let (outer_trace, inner_trace) = (outer.parents.only().copied(), inner.parents.only().copied());
        run(Some(outer), || {
            assert_eq!(trace(), outer_trace);
            let caught = std::panic::catch_unwind(|| run(Some(inner), || assert_eq!(trace(), None)));
            assert!(caught.is_err());
            assert_eq!(trace(), outer_trace);
        });
        assert_eq!(trace(), None);
        assert_ne!(outer_trace, inner_trace);
    }

    #[tokio::test]
    async fn futures_that_take_turns_keep_their_own() {
        let see = async |scope: Scope| {
            let expected = scope.parents.only().copied();
            within(Some(scope), async move {
                for _ in 0..10 {
                    assert_eq!(trace(), expected);
                    tokio::task::yield_now().await;
                }
            })
            .await;
        };
        tokio::join!(see(scope()), see(scope()), see(scope()));
        assert_eq!(trace(), None, "nothing is left behind");
    }

    #[test]
    fn several_parents_are_none_for_a_log_line() {
        let both = Parents::Many([TraceContext::root(true), TraceContext::root(true)].into());
        assert_eq!((both.all().len(), both.only()), (2, None));
    }
}
