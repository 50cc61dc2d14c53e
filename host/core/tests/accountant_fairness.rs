//! What the queue promises, whatever its rules: nobody is delayed by a newcomer, first come is first served.
#![allow(clippy::unwrap_used)]

mod accountant_support;

use accountant_support::{Ask, CAPACITY, Wanted, ask, config, limits, quota, resources, wanted};
use proptest::prelude::*;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};
use tomas_core::{
    accountant::{Account, Accountant, Grant, Refusal, Reserve},
    resource::Resource,
};

fn poll(reserve: &mut Reserve) -> Poll<Result<Grant, Refusal>> {
    Pin::new(reserve).poll(&mut Context::from_waker(Waker::noop()))
}

/// One that takes part in a [`Race`].
enum Runner {
    Waits(Reserve),
    Holds(Grant),
    Over,
}

/// Reservations that all arrive before the first grant ends.
struct Race {
    accounts: Vec<Account>,
    runners: Vec<Runner>,
    ids: Vec<Option<u64>>,
}

impl Race {
    fn new(sessions: &[Wanted], asks: &[(usize, Ask)]) -> Self {
        let server = Accountant::new(resources(CAPACITY), 64);
        let open = |s: &Wanted| server.open(&wanted(s.map(|n| n.map(|n| n.max(1))))).ok();
        let mut accounts: Vec<Account> = sessions.iter().chain([&[None; 4]]).filter_map(open).collect();
        let requests: Vec<Account> = accounts
            .iter()
            .zip(sessions)
            .filter_map(|(account, s)| account.open(&wanted([s[1], s[0], None, None])).ok())
            .collect();
        accounts.extend(requests);
        let mut race = Self { accounts, runners: vec![], ids: vec![] };
        for &(at, ask) in asks {
            let runner = race.enter(at, ask);
            race.ids.push(if let Runner::Holds(grant) = &runner { Some(grant.id()) } else { None });
            race.runners.push(runner);
        }
        race
    }

    /// A runner in some account, with its ask cut to what can ever fit there.
    fn enter(&self, at: usize, ask: Ask) -> Runner {
        let account = &self.accounts[at % self.accounts.len()];
        let budget = account.budget();
        let ask = std::array::from_fn(|r| ask[r].min(budget.get(Resource::ALL[r])));
        let mut reserve = account.reserve(quota(ask));
        match poll(&mut reserve) {
            Poll::Ready(grant) => Runner::Holds(grant.unwrap()),
            Poll::Pending => Runner::Waits(reserve),
        }
    }

    /// Which runners have been granted by now.
    fn granted(&mut self) -> Vec<bool> {
        for (runner, id) in self.runners.iter_mut().zip(&mut self.ids) {
            let Runner::Waits(reserve) = runner else { continue };
            if let Poll::Ready(grant) = poll(reserve) {
                let grant = grant.unwrap();
                *id = Some(grant.id());
                *runner = Runner::Holds(grant);
            }
        }
        self.runners.iter().map(|r| !matches!(r, Runner::Waits(_))).collect()
    }

    fn is_live(&self, index: usize) -> bool {
        matches!(self.runners.get(index), Some(Runner::Holds(_)))
    }

    fn end(&mut self, index: usize) {
        self.runners[index] = Runner::Over;
    }
}

proptest! {
    #![proptest_config(config())]

    /// One that comes later delays none that came before, even if it never ends.
    #[test]
    fn a_newcomer_delays_nobody(
        sessions in prop::collection::vec(limits(), 1..4),
        asks in prop::collection::vec((any::<usize>(), ask()), 1..14),
        newcomer in (any::<usize>(), ask()),
        order in Just((0..14usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let mut without = Race::new(&sessions, &asks);
        let mut with = Race::new(&sessions, &asks);
        let _stays = with.enter(newcomer.0, newcomer.1);
        for _ in 0..asks.len() {
            prop_assert_eq!(without.granted(), with.granted());
            let Some(&next) = order.iter().find(|&&i| without.is_live(i)) else { break };
            without.end(next);
            with.end(next);
        }
        prop_assert_eq!(without.granted(), with.granted());
        prop_assert!(without.runners.iter().all(|r| !matches!(r, Runner::Waits(_))), "all had their turn");
    }

    /// Where only the server's capacity is scarce, grants are made in order of arrival.
    #[test]
    fn first_come_first_served(
        asks in prop::collection::vec((any::<usize>(), 1u64..=8), 1..14),
        ends in prop::collection::vec(any::<usize>(), 14),
    ) {
        let asks: Vec<_> = asks.into_iter().map(|(at, cpu)| (at, [cpu, 1, 0, 0])).collect();
        let mut race = Race::new(&[[None; 4]; 3], &asks);
        for end in ends {
            race.granted();
            let ids: Vec<Option<u64>> = race.ids.clone();
            prop_assert!(ids.is_sorted_by_key(|id| id.unwrap_or(u64::MAX)), "{ids:?}");
            let live: Vec<usize> = (0..asks.len()).filter(|&i| race.is_live(i)).collect();
            if !live.is_empty() {
                race.end(live[end % live.len()]);
            }
        }
    }
}
