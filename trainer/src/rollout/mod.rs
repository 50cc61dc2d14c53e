//! Rollouts: a planner is run and judged. The only part of the trainer that knows the planner.

pub mod evaluate;
pub mod people;
pub mod threshold;
