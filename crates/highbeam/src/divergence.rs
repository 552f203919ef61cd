//! Compares read model and search, whatever keeps them: they are projected from the same events, so at the
//! same checkpoint they hold the same orders, and an order that one has seen at some revision the other has
//! seen as well once it is as far. That they do not is a fault that nobody else would notice.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use delivery::models::OrderId;
use delivery::projections::OrderView;
use delivery::queries::ListOrders;
use delivery::repository::{
    Error, Generation, GenerationState, GenerationStatus, OrderReadModel, OrderSearch, ProjectionStore,
};
use eventsourcing::{Position, Revision};
use telemetry::Metrics;
use tokio::time::timeout;

use crate::wiring::Ports;

/// How often they are compared.
const EVERY: Duration = Duration::from_secs(5);
/// Orders whose revisions are compared each time: those created before a random position.
const SAMPLE: usize = 50;
/// How long one side may take to be as far as the other one; a lag is told by other metrics.
const PATIENCE: Duration = Duration::from_secs(5);

/// Read model and search, as readers and as projections see them.
pub(crate) struct Sides {
    orders: Arc<dyn OrderReadModel>,
    orders_target: Arc<dyn ProjectionStore>,
    search: Arc<dyn OrderSearch>,
    search_target: Arc<dyn ProjectionStore>,
}

impl Sides {
    pub(crate) fn of(ports: &Ports) -> Self {
        Self {
            orders: Arc::clone(&ports.orders),
            orders_target: Arc::clone(&ports.orders_target),
            search: Arc::clone(&ports.search),
            search_target: Arc::clone(&ports.search_target),
        }
    }

    /// Orders by which the two differ; `None` where they cannot be compared now.
    async fn difference(&self) -> Result<Option<u64>, Error> {
        let (orders, search) = (self.orders_target.generations().await?, self.search_target.generations().await?);
        let Some((orders, search)) = live(&orders).zip(live(&search)) else { return Ok(None) };
        let counted = counted(orders, search);
        let from = Position(rand::random_range(0..=orders.checkpoint.0).saturating_add(1));
        let sampled = self.sampled(orders.generation, search.generation, from).await?;
        Ok(counted.max(sampled))
    }

    /// Of the orders created before `from` those at another revision on the other side, once that is as far.
    async fn sampled(&self, orders: Generation, search: Generation, from: Position) -> Result<Option<u64>, Error> {
        let query = ListOrders { status: None, before: Some(from), limit: SAMPLE };
        let seen = self.orders.list(&query).await?;
        let ids: Vec<_> = seen.iter().map(|view| view.id).collect();
        let Ok(reached) = timeout(PATIENCE, self.search.reached(self.orders.checkpoint().await?)).await else {
            return Ok(None);
        };
        reached?;
        let found = revisions(self.search_target.load(search, &ids).await?);
        let Ok(reached) = timeout(PATIENCE, self.orders.reached(self.search.checkpoint().await?)).await else {
            return Ok(None);
        };
        reached?;
        let now = revisions(self.orders_target.load(orders, &ids).await?);
        Ok(Some(seen.iter().filter(|view| is_behind(view, &found, &now)).count() as u64))
    }
}

/// Compares until it is dropped. Engines that cannot be asked show elsewhere.
pub(crate) async fn watch(sides: Sides, metrics: Arc<Metrics>) {
    let mut before = None;
    loop {
        let now = sides.difference().await.unwrap_or_default();
        if let Some(difference) = confirmed(before, now) {
            metrics.readmodel.divergence(difference);
        }
        before = now;
        tokio::time::sleep(EVERY).await;
    }
}

/// What two looks in a row agree on: a single one may have met a batch half-way, where documents and
/// checkpoint are not written in one transaction.
fn confirmed(before: Option<u64>, now: Option<u64>) -> Option<u64> {
    match now? {
        0 => Some(0),
        now => before.map(|before| before.min(now)),
    }
}

fn live(list: &[GenerationStatus]) -> Option<&GenerationStatus> {
    list.iter().find(|status| status.state == GenerationState::Live)
}

/// Orders that one of them lacks; `None` while they are not equally far.
fn counted(orders: &GenerationStatus, search: &GenerationStatus) -> Option<u64> {
    (orders.checkpoint == search.checkpoint).then(|| orders.orders.abs_diff(search.orders))
}

fn revisions(views: Vec<OrderView>) -> HashMap<OrderId, Revision> {
    views.into_iter().map(|view| (view.id, view.revision)).collect()
}

/// The search has not what the read model had before, or the read model has not now what the search had.
fn is_behind(seen: &OrderView, found: &HashMap<OrderId, Revision>, now: &HashMap<OrderId, Revision>) -> bool {
    match (found.get(&seen.id), now.get(&seen.id)) {
        (Some(found), Some(now)) => *found < seen.revision || now < found,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use delivery::aggregate::Order;
    use delivery::repository::Batch;
    use uuid::Uuid;

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
    fn only_what_is_equally_far_is_counted() {
        let counted = |orders: &[GenerationStatus], search: &[GenerationStatus]| {
            counted(live(orders).unwrap(), live(search).unwrap())
        };
        assert_eq!(counted(&at(7, 3), &at(7, 3)), Some(0));
        assert_eq!(counted(&at(7, 3), &at(7, 5)), Some(2));
        assert_eq!(counted(&at(7, 3), &at(8, 5)), None);
        assert_eq!(live(&[]), None);
    }

    #[test]
    fn a_difference_is_told_when_it_stays_and_its_end_at_once() {
        assert_eq!(confirmed(None, Some(3)), None);
        assert_eq!(confirmed(Some(0), Some(3)), Some(0));
        assert_eq!(confirmed(Some(3), Some(5)), Some(3));
        assert_eq!(confirmed(Some(3), Some(0)), Some(0));
        assert_eq!(confirmed(Some(3), None), None);
    }

    fn order(number: u64, revision: u64) -> OrderView {
        OrderView {
            id: OrderId(Uuid::from_u128(u128::from(number))),
            revision: Revision(revision),
            created_position: Position(number),
            created_at: jiff::Timestamp::UNIX_EPOCH,
            updated_at: jiff::Timestamp::UNIX_EPOCH,
            order: Order { created: true, ..Order::default() },
        }
    }

    #[tokio::test]
    async fn an_order_at_another_revision_is_noticed_whichever_side_is_behind() {
        let (orders, search) = (Arc::new(memory::OrderReadModel::default()), Arc::new(memory::OrderSearch::default()));
        let sides = Sides {
            orders: Arc::clone(&orders) as _,
            orders_target: Arc::clone(&orders) as _,
            search: Arc::clone(&search) as _,
            search_target: Arc::clone(&search) as _,
        };
        let batch = |upserts: Vec<OrderView>| Batch { upserts, checkpoint: Some(Position(9)), ..Batch::default() };
        let of = async || sides.sampled(Generation(1), Generation(1), Position(10)).await.unwrap();
        let both = vec![order(1, 0), order(2, 0), order(3, 4)];
        orders.commit(Generation(1), batch(both.clone())).await.unwrap();
        search.commit(Generation(1), batch(both)).await.unwrap();
        assert_eq!((of().await, sides.difference().await.unwrap()), (Some(0), Some(0)));
        orders.commit(Generation(1), batch(vec![order(1, 1)])).await.unwrap();
        search.commit(Generation(1), batch(vec![order(3, 5)])).await.unwrap();
        assert_eq!(of().await, Some(2));
        // One that the search lacks.
        orders.commit(Generation(1), batch(vec![order(5, 0)])).await.unwrap();
        assert_eq!(of().await, Some(3));
        // A side that is not as far is waited for, and then left alone.
        let ahead = Batch { checkpoint: Some(Position(12)), ..Batch::default() };
        orders.commit(Generation(1), ahead).await.unwrap();
        tokio::time::pause();
        assert_eq!(of().await, None);
    }
}
