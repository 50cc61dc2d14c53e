//! The host as the tests run it: the same program, built where the tests can find it.

fn main() -> std::process::ExitCode {
    tomas_host::main()
}
