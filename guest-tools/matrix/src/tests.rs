use super::*;
use tomas_tool_sdk::testing::{call, faults, put};

fn text(operation: &str, a: &str, b: &str) -> String {
    let mut arguments = json!({ "operation": operation, "a": a });
    if !b.is_empty() {
        arguments["b"] = b.into();
    }
    match call::<Matrix>(arguments) {
        Ok(result) => result["text"].as_str().unwrap_or_default().to_owned(),
        Err(error) => format!("{error:?}"),
    }
}

#[test]
fn the_description_is_sound() {
    assert_eq!(faults::<Matrix>(), Vec::<String>::new());
}

#[test]
fn small_results_are_written_out_and_exact() {
    for (operation, a, b, expected) in [
        ("multiply", "[[1,2],[3,4]]", "[[5,6],[7,8]]", "The product is [[19, 22], [43, 50]]."),
        ("multiply", "[[1,2],[3,4]]", "[5,6]", "The product is [17, 39]."),
        ("multiply", "[1,2,3]", "[4,5,6]", "The product is [32]."),
        ("multiply", "[0.1, 0.2]", "1; 1", "The product is [0.3]."),
        ("determinant", "1 2; 3 4", "", "The determinant is -2."),
        ("determinant", "1 2; 2 4", "", "The determinant is 0."),
        ("inverse", "[[1,2],[3,4]]", "", "The inverse is [[-2, 1], [1.5, -0.5]]."),
        ("inverse", "[[3]]", "", "The inverse is [1/3]."),
        ("solve", "2 1; 1 3", "[3,5]", "The solution x is [0.8, 1.4]."),
        ("solve", "[[1,1],[1,-1]]", "[10;2]", "The solution x is [6, 4]."),
        ("solve", "[[1,1],[1,-1]]", "[[2,0],[0,2]]", "The solution X is [[1, 1], [1, -1]]."),
        ("solve", "[[1e-300,1],[1,1]]", "[1,2]", "The solution x is [1, 1]."),
    ] {
        assert_eq!(text(operation, a, b), expected, "{operation} {a} {b}");
    }
}

#[test]
fn large_results_are_summarised() {
    let result = call::<Matrix>(json!({ "operation": "multiply", "a": "random(60,60,1)", "b": "identity(60)" }))
        .expect("a product");
    assert!(
        result["text"]
            .as_str()
            .is_some_and(|text| text.starts_with("The product is a 60×60 matrix with Frobenius norm 3"))
    );
    assert_eq!(result["entries"].as_array().map(Vec::len), Some(3));
    let both = Dense::random(60, 60, 1).norm();
    assert!((result["norm"].as_f64().unwrap_or(0.0) - both).abs() < 1e-9);
}

#[test]
fn the_determinant_of_a_product_is_the_product() {
    let value = |a: &str| {
        let result = call::<Matrix>(json!({ "operation": "determinant", "a": a })).expect("a determinant");
        result["value"].as_str().and_then(|value| value.parse::<f64>().ok()).expect("a number")
    };
    let square = product::product(&Dense::random(30, 30, 9), &Dense::random(30, 30, 9)).expect("a product");
    put("square.csv", csv(&square).as_bytes());
    let (one, two) = (value("random(30,30,9)"), value("blob:square.csv"));
    assert!((two / (one * one) - 1.0).abs() < 1e-6, "{one} {two}");
}

#[test]
fn files_go_in_and_out() {
    put("a.csv", b"x,y\n2,0\n0,4\n");
    assert_eq!(text("inverse", "blob:a.csv", ""), "The inverse is [[0.5, 0], [0, 0.25]].");
    put("big.csv", csv(&Dense::random(20, 20, 1)).as_bytes());
    let result = call::<Matrix>(json!({ "operation": "inverse", "a": "blob:big.csv" })).expect("an inverse");
    assert_eq!(result["blob"], "inverse.csv");
    assert!(text("multiply", "blob:big.csv", "blob:inverse.csv").contains("Frobenius norm 4.4721"), "the norm is √20");
}

#[test]
fn singular_matrices_and_wrong_shapes_are_clear() {
    for (operation, a, b, expected) in [
        ("inverse", "1 2; 2 4", "", "Failed(\"the matrix is singular (its determinant is 0), so it has no inverse\")"),
        ("solve", "1 2; 2 4", "[1,2]", "no unique solution"),
        ("solve", "zeros(20,20)", "ones(20,1)", "singular to working precision"),
        ("determinant", "[[1,2,3],[4,5,6]]", "", "`a` is 2×3; `determinant` needs as many rows as columns"),
        ("multiply", "[[1,2],[3,4]]", "[[1,2,3]]", "`a` is 2×2 and `b` is 1×3"),
        ("multiply", "[[1,2],[3,4]]", "", "`b` is missing"),
        ("solve", "[[1,2],[3,4]]", "[1,2,3]", "`b` must have 2 rows"),
        ("solve", "[[1,2],[3,4]]", "blob:none.csv", "NotFound"),
        ("transpose", "[[1,2],[3,4]]", "", "InvalidArguments"),
    ] {
        let found = text(operation, a, b);
        assert!(found.contains(expected), "{operation} {a} {b}: {found}");
    }
}

/// Half of a measurement: `tests/examples/native.rs` runs it, and the same call as a component.
#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "a measurement is for reading")]
fn speed() {
    let arguments: Value = serde_json::from_str(&std::env::var("ARGUMENTS").unwrap()).unwrap();
    if let Ok(path) = std::env::var("BLOB") {
        tomas_tool_sdk::testing::put("blob", &std::fs::read(path).unwrap());
    }
    println!("milliseconds {}", tomas_tool_sdk::testing::speed::<Matrix>(&arguments, 15).unwrap());
}
