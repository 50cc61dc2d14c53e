//! The corpus as a table.

use super::{
    entry::{
        Ends::{self, As, Refused},
        Entry, by, file, files, hostile, program, service,
    },
    made,
};
use serde_json::json;
use tomas_core::observation::Outcome::{
    DeadlineExceeded, InvalidArguments, MemoryExceeded, Ok as Fine, OutputExceeded, PermissionDenied, ToolError,
    Trapped,
};

/// It computes or waits until its time is up.
const LATE: Ends = As(DeadlineExceeded, "deadline of `300ms`");

/// All entries.
pub(crate) fn all() -> Vec<Entry> {
    [growth(), endless(), values(), floods(), folders(), compiling(), imports(), bytes(), features(), names(), traps()]
        .into_iter()
        .flatten()
        .collect()
}

fn growth() -> Vec<Entry> {
    let memory = "memory growth";
    let table = "table growth";
    vec![
        file(memory, "memory_grow", LATE),
        file(memory, "memory_grow_until_denied", As(MemoryExceeded, "`16MiB`")),
        file(memory, "memory_touch", As(MemoryExceeded, "`16MiB`")),
        file(memory, "memory_at_once", As(MemoryExceeded, "`16MiB`")),
        file(memory, "start_grow", LATE),
        hostile(memory, "fixture_grow", "grow", json!({}), As(MemoryExceeded, "`16MiB`")),
        hostile(memory, "fixture_allocate", "allocate", json!({"n": 1000}), As(MemoryExceeded, "`16MiB`")),
        hostile(memory, "fixture_fork_grow", "fork_grow", json!({"n": 8, "work": 8}), As(MemoryExceeded, "`16MiB`")),
        file(table, "table_grow", LATE),
        file(table, "table_at_once", Refused("more than an instance may have")),
        file(memory, "many_memories", Refused("more than an instance may have")),
    ]
}

fn endless() -> Vec<Entry> {
    let (start, calls, computing, sleep, deep) =
        ("endless start", "endless host calls", "endless computing", "sleep for ever", "deep recursion");
    vec![
        file(start, "start_endless", LATE),
        file(start, "host_calls_in_start", LATE),
        file(calls, "host_calls", LATE),
        file(calls, "host_calls_random", LATE),
        hostile(calls, "fixture_progress", "flood_progress", json!({"n": u64::MAX}), LATE),
        file(computing, "spin", LATE),
        file(computing, "memory_fill", LATE),
        hostile(computing, "fixture_spin", "spin", json!({}), LATE),
        hostile(computing, "fixture_fork", "fork", json!({"n": 64, "work": 1000}), LATE),
        file(sleep, "sleep_longest", LATE),
        file(sleep, "sleep_until_the_end", LATE),
        file(sleep, "sleep_half", LATE),
        file(sleep, "sleep_shortest", LATE),
        file(sleep, "sleep_polling", LATE),
        hostile(sleep, "fixture_sleep", "sleep", json!({}), LATE),
        file(deep, "recursion", As(Trapped, "recursion that is too deep")),
        file(deep, "recursion_indirect", As(Trapped, "recursion that is too deep")),
        hostile(deep, "fixture_recurse", "recurse", json!({}), As(Trapped, "recursion")),
    ]
}

fn values() -> Vec<Entry> {
    let (giant, forged, realloc, after) = ("giant lists", "forged values", "misbehaving cabi_realloc", "post-return");
    let texts = || json!({"texts": ["one", "two", "three"]});
    vec![
        file(giant, "giant_text", As(OutputExceeded, "`64KiB`")),
        file(giant, "giant_list", As(MemoryExceeded, "`16MiB`")),
        file(giant, "giant_list_of_lists", As(MemoryExceeded, "`16MiB`")),
        file(giant, "items_many", As(MemoryExceeded, "`16MiB`")),
        file(giant, "items_same", As(MemoryExceeded, "`16MiB`")),
        file(giant, "note_giant", As(OutputExceeded, "`64KiB`")),
        file(forged, "forged_length", As(Trapped, "out of bounds")),
        file(forged, "forged_pointer", As(Trapped, "out of bounds")),
        file(forged, "forged_unaligned", As(Trapped, "align")),
        file(forged, "forged_text", As(Trapped, "utf-8")),
        file(forged, "return_unicode", As(Trapped, "out of bounds")),
        file(forged, "forged_character", As(Trapped, "char")),
        file(forged, "forged_case", As(Trapped, "discriminant")),
        file(forged, "forged_result_address", As(Trapped, "out of bounds")),
        file(forged, "forged_argument", As(Trapped, "out of bounds")),
        file(forged, "forged_argument_address", As(Trapped, "out of bounds")),
        file(forged, "forged_level", As(Trapped, "discriminant")),
        file(forged, "forged_note", As(Trapped, "utf-8")),
        file(forged, "items_forged", As(Trapped, "out of bounds")),
        file(realloc, "realloc_beyond", As(Trapped, "beyond end of memory")).with(texts()),
        file(realloc, "realloc_unaligned", As(Trapped, "align")).with(texts()),
        file(realloc, "realloc_same", As(Fine, "done")).with(texts()),
        file(realloc, "realloc_endless", LATE).with(texts()),
        file(realloc, "realloc_trap", As(Trapped, "unreachable")).with(texts()),
        file(after, "post_return_trap", As(Trapped, "unreachable")),
        file(after, "post_return_endless", LATE),
    ]
}

fn floods() -> Vec<Entry> {
    let (handles, out, web, random) = ("handle flood", "stdout flood", "header and body flood", "random(2^40)");
    let full = || As(OutputExceeded, "`64KiB`");
    let handle = || As(MemoryExceeded, "handles");
    vec![
        file(handles, "handle_flood", handle()),
        file(handles, "handle_churn", LATE),
        file(handles, "handle_twice", As(Trapped, "handle")),
        file(handles, "handle_forged", As(Trapped, "handle")),
        file(handles, "stdout_handles", handle()),
        file(handles, "header_fields", handle()),
        program(handles, "fixture_requests", "fetch", &["requests", "1000000"], handle()),
        file(handles, "poll_nothing", As(Trapped, "empty")),
        file(handles, "poll_forged", As(Trapped, "out of bounds")),
        file(handles, "poll_same", As(Trapped, "handle limit")),
        file(out, "stdout_zeroes", As(Trapped, "check_write")),
        file(out, "stdout_zeroes_most", As(Trapped, "4096")),
        file(out, "stdout_zeroes_flood", full()),
        file(out, "stdout_giant", full()),
        file(out, "stdout_empty", LATE),
        file(out, "note_flood", full()),
        hostile(out, "fixture_stdout", "flood_stdout", json!({}), full()),
        hostile(out, "fixture_log", "flood_log", json!({}), full()),
        hostile(out, "fixture_blobs", "flood_blobs", json!({"n": 1000}), full()),
        hostile(out, "fixture_huge", "huge", json!({"n": 2048}), full()),
        program(out, "fixture_program", "program", &["flood"], full()),
        file(web, "header_long_name", As(Fine, "done")),
        file(web, "header_long_value", As(Trapped, "total size of fields")),
        file(web, "header_flood", As(Trapped, "total size of fields")),
        file(web, "header_injection", As(Fine, "done")),
        program(web, "fixture_fields", "fetch", &["fields", "100000"], As(Trapped, "total size of fields")),
        service(web, "service_flood", "/flood", full()),
        service(web, "service_unfinished", "/unfinished", As(ToolError, "unfinished")),
        service(web, "service_silent", "/silent", As(ToolError, "did not answer")),
        program(web, "fixture_post", "fetch", &["post", "http://drain.test/", "8000000"], full()),
        file(random, "random_giant", As(Trapped, "asked for 1099511627776 random bytes")),
        file(random, "random_most", As(Trapped, "asked for 18446744073709551615 random bytes")),
        file(random, "random_flood", LATE),
    ]
}

fn folders() -> Vec<Entry> {
    let (disk, escape, dates) = ("disk flood", "symlink and truncate escape", "timestamps");
    let full = || As(PermissionDenied, "no more room");
    let open = |path: &str, how: u8, flags: u8| json!({"path": path, "how": how, "flags": flags});
    let date = |path: &str, seconds: u64, nanoseconds: u32| json!({"path": path, "flags": 2, "seconds": seconds, "nanoseconds": nanoseconds});
    vec![
        program(disk, "disk_append", "program", &["file", "append", "/workspace/b", "1000"], full()).writing(),
        program(disk, "disk_size", "program", &["file", "size", "/workspace/b", "30000"], full()).writing(),
        program(disk, "disk_stride", "program", &["file", "stride", "/workspace/b", "4096", "1000"], full()).writing(),
        program(disk, "disk_files", "program", &["file", "files", "/workspace/b", "1000"], full()).writing(),
        program(disk, "disk_folders", "program", &["file", "folders", "/workspace/b", "1000"], full()).writing(),
        files(
            disk,
            "disk_cut",
            "cut",
            json!({"path": "a.txt", "size": u64::MAX.to_string()}),
            As(OutputExceeded, "`64KiB`"),
        )
        .writing(),
        files(escape, "open_above", "open", open("../secret.txt", 0, 1), As(Fine, "\"returned\":32")),
        files(escape, "open_above_at_length", "open", open("./a/../../secret.txt", 0, 1), As(Fine, "\"returned\"")),
        files(escape, "open_absolute", "open", open("/etc/passwd", 0, 1), As(Fine, "\"returned\":32")),
        files(escape, "open_link", "open", open("link.txt", 0, 1), As(Fine, "\"returned\":32")),
        files(escape, "open_link_above", "open", open("up/secret.txt", 0, 1), As(Fine, "\"returned\":32")),
        files(escape, "open_loop", "open", open("loop", 0, 1), As(Fine, "\"returned\":16")),
        files(escape, "open_empty", "open", open("", 0, 1), As(Fine, "\"returned\"")),
        files(escape, "open_nul", "open", open("a.txt\0/../../secret.txt", 0, 1), As(Fine, "\"returned\"")),
        files(escape, "open_long", "open", open(&"a/".repeat(100_000), 0, 1), As(Fine, "\"returned\"")),
        files(escape, "open_create", "open", open("new.txt", 1, 2), As(Fine, "\"returned\"")),
        files(escape, "open_truncate", "open", open("a.txt", 8, 2), As(Fine, "\"returned\"")),
        files(escape, "cut_read_only", "cut", json!({"path": "a.txt", "size": 0}), As(Fine, "\"returned\"")),
        files(escape, "cut_link", "cut", json!({"path": "link.txt", "size": 0}), As(Fine, "\"returned\":32")).writing(),
        files(escape, "truncate_link", "open", open("link.txt", 8, 2), As(Fine, "\"returned\":32")).writing(),
        files(escape, "truncate_above", "open", open("../secret.txt", 9, 2), As(Fine, "\"returned\":32")).writing(),
        files(escape, "no_folder", "open", open("a.txt", 0, 1), As(Fine, "\"returned\":1000")).without_folder(),
        files(escape, "flags_forged", "open", open("a.txt", 255, 255), As(Fine, "\"returned\"")).writing(),
        files(
            escape,
            "read_giant",
            "read",
            json!({"path": "a.txt", "bytes": u64::MAX.to_string(), "at": 0}),
            As(Fine, "\"returned\":0"),
        ),
        files(
            escape,
            "read_beyond",
            "read",
            json!({"path": "a.txt", "bytes": 1, "at": u64::MAX.to_string()}),
            As(Fine, "\"returned\""),
        ),
        program(
            escape,
            "link_made",
            "program",
            &["file", "symlink", "/etc/passwd", "/workspace/b"],
            As(PermissionDenied, "inside `/workspace`"),
        )
        .writing(),
        program(
            escape,
            "moved_out",
            "program",
            &["file", "rename", "/workspace/a.txt", "/workspace/../b"],
            As(PermissionDenied, "inside `/workspace`"),
        )
        .writing(),
        files(dates, "date_last", "date", date("a.txt", u64::MAX, u32::MAX), As(Fine, "\"returned\":31")).writing(),
        files(dates, "date_last_signed", "date", date("a.txt", i64::MAX as u64, 999_999_999), As(Fine, "\"returned\""))
            .writing(),
        files(dates, "date_beyond_signed", "date", date("a.txt", 1 << 63, 0), As(Fine, "\"returned\":31")).writing(),
        files(dates, "date_carry", "date", date("a.txt", 1, u32::MAX), As(Fine, "\"returned\"")).writing(),
        files(
            dates,
            "date_read_only",
            "date",
            json!({"path": "a.txt", "flags": 1, "seconds": 0, "nanoseconds": 0}),
            As(Fine, "\"returned\":32"),
        ),
        files(dates, "date_before_all", "look", json!({"path": "old.txt"}), As(Fine, "\"returned\"")),
    ]
}

fn compiling() -> Vec<Entry> {
    let (bomb, types, nested) = ("compile bomb", "type bomb", "nested components");
    vec![
        by(bomb, "many_functions", made::many_functions, Refused("compiling the component")),
        by(bomb, "many_locals", made::many_locals, Refused("compiling the component")),
        by(bomb, "huge_br_table", made::huge_br_table, Refused("compiling the component")),
        by(bomb, "long_function", made::long_function, Refused("compiling the component")),
        by(bomb, "deep_blocks", made::deep_blocks, Refused("compiling the component")),
        by(bomb, "instance_bomb", made::instance_bomb, Refused("compiling the component")),
        by(types, "type_of_billions", made::type_of_billions, Refused("not valid")),
        by(types, "type_of_many", made::type_of_many, Refused("types of so many parts")),
        by(types, "type_of_long_names", made::type_of_long_names, Refused("types of so many parts")),
        by(types, "type_of_depth", made::type_of_depth, As(Fine, "[]")),
        by(types, "deep_docs", made::deep_docs, As(Fine, "done")),
        by(nested, "nested_100", made::nested_100, Refused("no function that can be a tool")),
        by(nested, "nested_5000", made::nested_5000, Refused("compiling the component")),
    ]
}

fn imports() -> Vec<Entry> {
    let (many, some) = ("10,000 imports", "imports");
    vec![
        by(many, "many_imports", made::many_imports, Refused("instances count exceeds limit")),
        by(many, "many_function_imports", made::many_function_imports, Refused("and 9988 more")),
        file(some, "import_unknown", Refused("imports `acme:rocket/launch@1.0.0`")),
        file(some, "import_version", Refused("another version")),
        file(some, "import_type", Refused("wasi:clocks/monotonic-clock@0.2.0")),
        file(some, "import_function", Refused("turn-back")),
        file(some, "import_bare", Refused("imports `memory`")),
        file(some, "import_url", Refused("imports `url=")),
    ]
}

fn bytes() -> Vec<Entry> {
    let broken = "truncated and mutated bytes";
    vec![
        by(broken, "nothing", made::nothing, Refused("is empty")),
        by(broken, "truncated_header", made::truncated_header, Refused("ends within the header")),
        by(broken, "header_alone", made::header_alone, Refused("exports nothing")),
        by(broken, "other_version", made::other_version, Refused("version `0e 00 01 00`")),
        by(broken, "truncated", made::truncated, Refused("not valid")),
        by(broken, "inverted", made::inverted, Refused("not valid")),
        by(broken, "forged_section", made::forged_section, Refused("not valid")),
        by(broken, "forged_count", made::forged_count, Refused("not valid")),
        by(broken, "forged_number", made::forged_number, Refused("not valid")),
        by(broken, "twice", made::twice, Refused("not valid")),
        file(broken, "core_module", Refused("a core WebAssembly module")),
    ]
}

fn features() -> Vec<Entry> {
    let off = "shared memory and memory64";
    ["shared_memory", "memory64", "atomics", "exceptions", "garbage_collection"]
        .map(|name| file(off, name, Refused("not valid")))
        .into()
}

fn names() -> Vec<Entry> {
    let names = "duplicate, confusable and reserved names";
    vec![
        file(names, "name_twice", Refused("not valid")),
        file(names, "name_case", Refused("not valid")),
        file(names, "name_cyrillic", Refused("not valid")),
        file(names, "name_path", Refused("not valid")),
        file(names, "name_empty", Refused("not valid")),
        file(names, "name_digits", As(Fine, "done")).calls("attack-0-X9"),
        file(names, "name_package", As(Fine, "done")).calls("a_b_c-d_attack"),
        file(names, "name_describe", Refused("lacks")),
        file(names, "name_reserved", As(Fine, "done")).calls("invoke"),
        file(names, "name_run", As(Trapped, "type mismatch")).calls("run"),
        file(names, "name_run_twice", As(Fine, "done")).calls("run"),
        by(names, "long_name", made::long_name, Refused("no tool can be called so")),
        by(names, "long_parameters", made::long_parameters, As(InvalidArguments, "is missing")),
        by(names, "many_exports", made::many_exports, As(Fine, "done")),
        file(names, "function_names", As(Trapped, "unreachable")),
    ]
}

fn traps() -> Vec<Entry> {
    let traps = "traps";
    vec![
        file(traps, "start_trap", As(Trapped, "unreachable")),
        file(traps, "data_out_of_bounds", As(Trapped, "out of bounds")),
        file(traps, "divide", As(Trapped, "divide by zero")),
        hostile(traps, "fixture_panic", "panic", json!({"n": 1}), As(Trapped, "on purpose")),
        hostile(traps, "fixture_exit", "exit", json!({"n": 3}), As(Trapped, "exit(1)")),
        hostile(traps, "fixture_bad_result", "bad_result", json!({}), As(ToolError, "not an object")),
        hostile(traps, "fixture_arguments", "burn", json!({"m": 1}), As(InvalidArguments, "m")),
        hostile(
            traps,
            "fixture_open",
            "open",
            json!({"path": "/etc/passwd"}),
            As(PermissionDenied, "files = \"read\""),
        ),
    ]
}
