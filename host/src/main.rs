//! The `tomas-host` executable. Everything it does lies in the library, so that tests can do it too.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    tomas_host::main()
}
