//! Compares read model and search: they are projected from the same events, so at the same checkpoint
//! they hold the same orders. That they do not is a fault that nobody else would notice.

use std::sync::Arc;
use std::time::Duration;

use delivery::repository::{GenerationState, GenerationStatus, ProjectionStore};
use telemetry::Metrics;

/// How often they are compared.
const EVERY: Duration = Duration::from_secs(5);

/// Compares until it is dropped. Engines that cannot be asked show elsewhere.
pub(crate) async fn watch(orders: Arc<dyn ProjectionStore>, search: Arc<dyn ProjectionStore>, metrics: Arc<Metrics>) {
    loop {
        if let (Ok(orders), Ok(search)) = (orders.generations().await, search.generations().await)
            && let Some(difference) = difference(&orders, &search)
        {
            metrics.readmodel.divergence(difference);
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Orders that one of them lacks; `None` while they are not equally far.
fn difference(orders: &[GenerationStatus], search: &[GenerationStatus]) -> Option<u64> {
    let live = |list: &[GenerationStatus]| list.iter().find(|status| status.state == GenerationState::Live).cloned();
    let (orders, search) = (live(orders)?, live(search)?);
    (orders.checkpoint == search.checkpoint).then(|| orders.orders.abs_diff(search.orders))
}

#[cfg(test)]
mod tests {
    use delivery::repository::Generation;
    use eventsourcing::Position;

    use super::*;

    fn at(checkpoint: u64, orders: u64) -> Vec<GenerationStatus> {
        let generation = |state, orders| GenerationStatus {
            generation: Generation(1),
            state,
            checkpoint: Position(checkpoint),
            orders,
            parked: 0,
        };
        vec![generation(GenerationState::Building, 99), generation(GenerationState::Live, orders)]
    }

    #[test]
    fn only_what_is_equally_far_is_compared() {
        assert_eq!(difference(&at(7, 3), &at(7, 3)), Some(0));
        assert_eq!(difference(&at(7, 3), &at(7, 5)), Some(2));
        assert_eq!(difference(&at(7, 3), &at(8, 5)), None);
        assert_eq!(difference(&[], &at(8, 5)), None);
    }
}
