//! What a sandbox asks of the world outside on behalf of its tools.

use crate::resolver::{Resolver, SystemResolver};
use std::{fmt, sync::Arc};
use tomas_core::graph::{Graphs, NoGraphs};

/// Who answers a sandbox. By default names are resolved by the operating system, and there are no graphs.
#[derive(Clone)]
pub struct Outside {
    /// Resolves the names that tools ask for.
    pub resolver: Arc<dyn Resolver>,
    /// Has the graphs that tools may compute with.
    pub graphs: Arc<dyn Graphs>,
}

impl Default for Outside {
    fn default() -> Self {
        Self { resolver: Arc::new(SystemResolver), graphs: Arc::new(NoGraphs) }
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").field("resolver", &self.resolver).finish_non_exhaustive()
    }
}
