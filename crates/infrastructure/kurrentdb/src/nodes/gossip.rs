//! What a cluster says of itself, and which of its nodes that makes the one to ask.

use std::collections::BTreeSet;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::failure::{Failure, Kind};
use crate::protocol::{ClusterInfo, NodeState};
use crate::settings::{Address, NodePreference};

/// A choice, and whether it is beyond doubt.
pub(super) struct Choice {
    address: Address,
    /// A node that just failed may be gone without the others knowing: someone else may know better.
    is_sure: bool,
}

/// The first answer with a choice beyond doubt, else one with a choice at all.
pub(super) async fn first(
    mut questions: FuturesUnordered<impl Future<Output = Result<ClusterInfo, Failure>>>,
    choose: impl Fn(&ClusterInfo) -> Option<Choice>,
) -> Result<(Address, BTreeSet<Address>), Failure> {
    let (mut doubtful, mut failure) = (None, None);
    while let Some(answer) = questions.next().await {
        match answer {
            Ok(info) => match choose(&info) {
                Some(Choice { address, is_sure: true }) => return Ok((address, members(&info))),
                Some(Choice { address, .. }) => doubtful = Some((address, members(&info))),
                None => {
                    failure = Some(Failure::new(Kind::NotLeader(None), "the cluster has no node of the kind wanted"));
                }
            },
            // That a node does not answer says less than that one answers without a leader.
            Err(other) => failure = failure.or(Some(other)),
        }
    }
    let nobody = || Failure::new(Kind::Broken, "the name of the cluster stands for no address");
    doubtful.ok_or_else(|| failure.unwrap_or_else(nobody))
}

/// The members that can be reached, to be asked next time.
fn members(info: &ClusterInfo) -> BTreeSet<Address> {
    alive(info).map(|(_, address)| address).take(crate::settings::HOSTS_MAX).collect()
}

fn alive(info: &ClusterInfo) -> impl Iterator<Item = (NodeState, Address)> + '_ {
    info.members.iter().filter(|member| member.is_alive).filter_map(|member| {
        let place = member.http_end_point.as_ref()?;
        let port = u16::try_from(place.port).ok().filter(|port| *port > 0)?;
        let state = NodeState::try_from(member.state).ok()?;
        (!place.address.is_empty()).then(|| (state, Address::new(place.address.as_str(), port)))
    })
}

/// The node to ask; `random` breaks ties.
pub(super) fn choose(
    info: &ClusterInfo,
    preference: NodePreference,
    failed: Option<&Address>,
    random: u64,
) -> Option<Choice> {
    let wanted: &[NodeState] = match preference {
        NodePreference::Leader => &[NodeState::Leader],
        NodePreference::Follower => &[NodeState::Follower, NodeState::Leader],
        NodePreference::ReadOnlyReplica => &[NodeState::ReadOnlyReplica, NodeState::Follower, NodeState::Leader],
        NodePreference::Random => &[],
    };
    let of_state = |wanted: NodeState| {
        alive(info).filter(|(state, _)| *state == wanted).map(|(_, address)| address).collect::<Vec<_>>()
    };
    let mut candidates = wanted.iter().copied().map(of_state).find(|found| !found.is_empty()).unwrap_or_default();
    if preference == NodePreference::Random {
        candidates = [NodeState::Leader, NodeState::Follower, NodeState::ReadOnlyReplica]
            .into_iter()
            .flat_map(of_state)
            .collect();
    }
    let healthy: Vec<_> = candidates.iter().filter(|address| Some(*address) != failed).cloned().collect();
    let is_sure = !healthy.is_empty();
    let mut candidates = if is_sure { healthy } else { candidates };
    let count = u64::try_from(candidates.len()).ok().filter(|count| *count > 0)?;
    let index = usize::try_from(random % count).ok()?;
    Some(Choice { address: candidates.swap_remove(index), is_sure })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{EndPoint, MemberInfo};

    fn member(name: &str, state: NodeState, is_alive: bool) -> MemberInfo {
        let http_end_point = Some(EndPoint { address: name.to_owned(), port: 2113 });
        MemberInfo { state: state.into(), is_alive, http_end_point, ..MemberInfo::default() }
    }

    fn chosen(members: &[(&str, NodeState, bool)], preference: NodePreference, failed: &str) -> Option<(String, bool)> {
        let members = members.iter().map(|(name, state, is_alive)| member(name, *state, *is_alive)).collect();
        let failed = Address::new(failed, 2113);
        let choice = choose(&ClusterInfo { members }, preference, Some(&failed), 7)?;
        Some((choice.address.host, choice.is_sure))
    }

    #[test]
    fn the_leader_is_one_that_lives() {
        use NodePreference::Leader;
        let members =
            [("a", NodeState::Leader, false), ("b", NodeState::Follower, true), ("c", NodeState::Leader, true)];
        assert_eq!(chosen(&members, Leader, "b"), Some(("c".to_owned(), true)));
        assert_eq!(chosen(&members[..2], Leader, "b"), None);
        assert_eq!(chosen(&[("d", NodeState::ResigningLeader, true)], Leader, ""), None);
    }

    #[test]
    fn a_leader_that_just_failed_is_believed_only_if_nobody_says_otherwise() {
        let leader = [("a", NodeState::Leader, true)];
        assert_eq!(chosen(&leader, NodePreference::Leader, "a"), Some(("a".to_owned(), false)));
    }

    #[test]
    fn a_preference_that_nobody_meets_falls_back() {
        let all = [
            ("a", NodeState::Leader, true),
            ("b", NodeState::Follower, true),
            ("c", NodeState::ReadOnlyReplica, true),
            ("d", NodeState::CatchingUp, true),
        ];
        let name = |members, preference| chosen(members, preference, "").map(|(name, _)| name);
        assert_eq!(name(&all, NodePreference::ReadOnlyReplica).as_deref(), Some("c"));
        assert_eq!(name(&all, NodePreference::Follower).as_deref(), Some("b"));
        assert_eq!(name(&all[..1], NodePreference::Follower).as_deref(), Some("a"));
        assert_ne!(name(&all, NodePreference::Random).as_deref(), Some("d"));
        assert_eq!(name(&all[3..], NodePreference::Random), None);
    }

    #[test]
    fn members_that_cannot_be_addressed_are_left_out() {
        let mut odd = [member("", NodeState::Leader, true), member("a", NodeState::Leader, true)];
        odd[1].http_end_point = Some(EndPoint { address: "a".to_owned(), port: 70_000 });
        let info = ClusterInfo { members: odd.to_vec() };
        assert!(choose(&info, NodePreference::Leader, None, 0).is_none());
        assert!(members(&info).is_empty());
    }
}
