//! A tool in Rust. `wit/world.wit` says what it exports, `tool.toml` what it may use.

wit_bindgen::generate!({ path: "wit", world: "tool" });

/// The most repetitions.
const MOST: u32 = 1000;

struct Tool;

impl Guest for Tool {
    fn repeat_text(text: String, times: u32) -> Result<String, String> {
        if times > MOST {
            return Err(format!("`times` is {times}; at most {MOST} are allowed"));
        }
        Ok(vec![text; times as usize].join(" "))
    }
}

export!(Tool);
