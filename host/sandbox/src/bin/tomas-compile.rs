//! The compiler of components as an executable of its own, for tests, benchmarks and hosts that do not want to start
//! themselves again.

fn main() -> std::process::ExitCode {
    tomas_sandbox::compile_child_main()
}
