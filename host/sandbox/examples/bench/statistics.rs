//! Clocks and medians.

/// CPU time of the whole process, in seconds.
pub(crate) fn process_time() -> f64 {
    clock(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// Wall time since some beginning, in seconds.
pub(crate) fn wall_time() -> f64 {
    clock(libc::CLOCK_MONOTONIC)
}

fn clock(clock: libc::clockid_t) -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    #[expect(unsafe_code, reason = "clock_gettime writes one timespec that we own")]
    unsafe {
        libc::clock_gettime(clock, &raw mut time);
    }
    #[expect(clippy::cast_precision_loss, reason = "a machine is not up for 2^53 seconds")]
    let seconds = time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9;
    seconds
}

/// Cores and load of the machine.
pub(crate) fn machine() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} cores, load {}", load.split(' ').take(3).collect::<Vec<_>>().join(" "))
}

/// CPU time that the whole machine spent on anything, and that the hypervisor kept from it, in seconds.
pub(crate) fn machine_time() -> f64 {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = line.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal
    let busy: f64 = ticks.iter().enumerate().filter(|(at, _)| ![3, 4].contains(at) && *at < 8).map(|(_, t)| t).sum();
    busy / 100.0
}

/// How many cores others used while something ran.
pub(crate) struct Others {
    machine: f64,
    own: f64,
    wall: f64,
}

impl Others {
    pub(crate) fn watch() -> Self {
        Self { machine: machine_time(), own: process_time(), wall: wall_time() }
    }

    /// Cores used by others since [`watch`](Self::watch).
    pub(crate) fn cores(&self) -> f64 {
        let others = (machine_time() - self.machine) - (process_time() - self.own);
        (others / (wall_time() - self.wall)).max(0.0)
    }
}

/// Resident memory of the process, in bytes.
pub(crate) fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    pages.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok()).unwrap_or(0) * 4096
}

/// Values sorted, for their quantiles.
pub(crate) struct Sorted(Vec<f64>);

impl Sorted {
    pub(crate) fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// The value at `q` of the way, by nearest rank; NaN of nothing.
    pub(crate) fn quantile(&self, q: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index"
        )]
        let at = (q * self.0.len().saturating_sub(1) as f64).round() as usize;
        self.0.get(at).copied().unwrap_or(f64::NAN)
    }

    /// `median (10th..90th percentile, n)`.
    pub(crate) fn show(&self, unit: &str) -> String {
        let [low, median, high] = [0.1, 0.5, 0.9].map(|q| self.quantile(q));
        format!("{median:.3} {unit} (p10 {low:.3}, p90 {high:.3}, n {})", self.0.len())
    }
}
