use super::*;
use std::fs;
use std::path::PathBuf;
use tomas_tool_sdk::testing::{call, faults};

/// A folder of its own for each test, below the build folder.
fn folder(name: &str, files: &[(&str, &[u8])]) -> PathBuf {
    let root = std::env::temp_dir().join(format!("tomas-search-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    for (path, content) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
    root
}

#[test]
fn the_description_is_sound() {
    assert_eq!(faults::<Search>(), Vec::<String>::new());
}

#[test]
fn the_passage_about_both_words_comes_first() {
    let root = folder(
        "both",
        &[
            (
                "notes/garden.md",
                b"# Garden\n\nThe roses need water.\n\nThe tomatoes need compost and water every day.\n",
            ),
            ("notes/budget.csv", b"item,cost\ncompost,12\n"),
            ("readme.txt", b"Nothing here.\n"),
        ],
    );
    let result = search(&root, "compost for tomato", 5).expect("results");
    assert_eq!(result["results"][0]["file"], "notes/garden.md");
    assert_eq!(result["results"][0]["line"], 5);
    assert_eq!(result["value"], "The tomatoes need compost and water every day.");
    assert_eq!(result["files"], 3);
    assert_eq!(result["results"].as_array().map(Vec::len), Some(2));
}

#[test]
fn binaries_hidden_and_huge_files_are_left_out() {
    let huge = b"needle ".repeat(700_000);
    let root = folder(
        "skip",
        &[
            ("a.txt", b"needle\0"),
            (".hidden/b.txt", b"needle"),
            ("target/c.txt", b"needle"),
            ("d.png", b"needle"),
            ("e.txt", &huge),
            ("f.txt", b"needle"),
            ("latin1.txt", b"caf\xe9 needle"),
        ],
    );
    let result = search(&root, "needles", 20).expect("results");
    let files: Vec<_> = result["results"].as_array().expect("results").iter().map(|r| r["file"].clone()).collect();
    assert_eq!(files, ["f.txt", "latin1.txt"]);
}

#[test]
fn phrases_must_occur_together() {
    let root = folder("phrase", &[("a.txt", b"the red big house"), ("b.txt", b"the big  red\nhouse on the hill")]);
    let result = search(&root, "hill \"big red\"", 5).expect("results");
    assert_eq!(result["results"].as_array().map(Vec::len), Some(1));
    assert_eq!(result["results"][0]["file"], "b.txt");
}

#[test]
fn nothing_found_is_an_answer() {
    let root = folder("nothing", &[("a.txt", b"hello")]);
    let result = search(&root, "goodbye", 5).expect("an answer");
    assert_eq!(result["text"], "Nothing about “goodbye” in 1 text file.");
}

#[test]
fn a_missing_folder_and_impossible_arguments_are_refused() {
    assert!(matches!(search(Path::new("/no/such/folder"), "x", 5), Err(ToolError::NotFound(_))));
    for arguments in [
        json!({ "query": " ?! " }),
        json!({ "query": "x", "limit": 0 }),
        json!({ "query": "x", "limit": 21 }),
        json!({}),
    ] {
        assert!(matches!(call::<Search>(arguments.clone()), Err(ToolError::InvalidArguments(_))), "{arguments}");
    }
}
