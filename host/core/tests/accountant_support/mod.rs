//! What the accountant's property tests share: asks and limits drawn from small numbers, so that conflicts abound.

use proptest::prelude::*;
use std::time::Duration;
use tomas_core::{
    accountant::Limits,
    amount::{Bytes, MilliCpu, Span},
    quota::Quota,
    resource::Resources,
};

/// Base-unit amounts in the order of the resources.
pub(crate) type Ask = [u64; 4];

pub(crate) fn resources(ask: Ask) -> Resources {
    Resources::from_fn(|r| ask[r as usize])
}

pub(crate) fn quota(ask: Ask) -> Quota {
    Quota::new(resources(ask), Span(Duration::from_secs(1)), Bytes(1))
}

/// Amounts of [`Limits`], in the same order.
pub(crate) type Wanted = [Option<u64>; 4];

pub(crate) fn wanted(amounts: Wanted) -> Limits {
    let small = |n: u64| u32::try_from(n).unwrap();
    Limits {
        cpu: amounts[0].map(|n| MilliCpu(small(n))),
        memory: amounts[1].map(Bytes),
        gpu_sms: amounts[2].map(small),
        gpu_memory: amounts[3].map(Bytes),
    }
}

/// Small numbers, so that conflicts abound; memory runs short less often than CPU, SMs seldom matter.
pub(crate) fn ask() -> impl Strategy<Value = Ask> {
    (0u64..=6, 0u64..=6, prop_oneof![4 => Just(0u64), 1 => 0u64..=3], prop_oneof![4 => Just(0u64), 1 => 0u64..=2])
        .prop_map(|(cpu, memory, sms, gpu_memory)| [cpu, memory, sms, gpu_memory])
}

pub(crate) fn limits() -> impl Strategy<Value = [Option<u64>; 4]> {
    let limit = |most: u64| prop_oneof![2 => Just(None), 1 => (0..=most).prop_map(Some)];
    [limit(9), limit(9), limit(4), limit(4)]
}

pub(crate) fn config() -> ProptestConfig {
    ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() }
}

pub(crate) const CAPACITY: Ask = [8, 9, 3, 2];
