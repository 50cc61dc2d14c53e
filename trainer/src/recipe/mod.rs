//! Recipes: how a planner is fitted. Each reads top to bottom.

pub mod config;
pub mod curve;
pub mod error;
pub mod start;
pub mod supervised;
