//! What people write, and what they get.

use serde_json::json;
use tomas_tool_sdk::testing;

use super::*;

fn ask(expression: &str) -> Result<Value, ToolError> {
    testing::call::<Calculator>(json!({ "expression": expression }))
}

fn text(expression: &str) -> String {
    match ask(expression) {
        Ok(result) => result["text"].as_str().unwrap_or_default().to_owned(),
        Err(error) => format!("! {error}"),
    }
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(expression, expected)| {
            let found = text(expression);
            (found != *expected).then(|| format!("{expression}\n   expected {expected}\n   found    {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Checks the `value` only.
#[track_caller]
fn values(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(expression, expected)| {
            let found = match ask(expression) {
                Ok(result) => result["value"].as_str().unwrap_or_default().to_owned(),
                Err(error) => format!("! {error}"),
            };
            (found != *expected).then(|| format!("{expression}\n   expected {expected}\n   found    {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_description_has_no_faults() {
    assert_eq!(testing::faults::<Calculator>(), Vec::<String>::new());
}

#[test]
fn the_answers_read_well() {
    check(&[
        ("17.5% of 2,340", "17.5% of 2,340 = 409.5"),
        ("What is 17.5% of 2,340?", "17.5% of 2,340 = 409.5"),
        ("15% off 80", "15% off 80 = 68 (you save 12)"),
        ("0.1+0.2", "0.1+0.2 = 0.3"),
        ("(1/3)*3", "(1/3)*3 = 1"),
        ("22/7", "22/7 ≈ 3.14285714286"),
        ("1/3 + 1/4 + 1/7", "1/3 + 1/4 + 1/7 ≈ 0.72619047619 (61/84)"),
        ("sqrt(2)", "sqrt(2) ≈ 1.41421356237"),
        ("10 is what percent of 50?", "10 is 20% of 50"),
        ("percent change from 50 to 65", "From 50 to 65 is an increase of 30%"),
        ("percentage decrease from 80 to 60", "From 80 to 60 is a decrease of 25%"),
        ("20% of what is 10", "10 is 20% of 50"),
        ("$4.25 * 3", "$4.25 * 3 = $12.75"),
        ("2^10", "2^10 = 1,024"),
        ("2000!", "2000! ≈ 3.31627509245 × 10^5735 (5,736 digits)"),
        ("12 * 7; 5!", "12 * 7 = 84\n5! = 120"),
        ("is 91 prime?", "91 is not prime: 91 = 7 × 13."),
        ("prime factors of 360", "360 is not prime: 360 = 2 × 2 × 2 × 3 × 3 × 5."),
        ("255 in hex", "255 in hex = 0xff"),
    ]);
}

#[test]
fn symbols() {
    values(&[
        ("12*7+3", "87"),
        ("(4+5)/3", "3"),
        ("2**10", "1024"),
        ("2^3^2", "512"),
        ("-2^2", "-4"),
        ("2^-2", "0.25"),
        ("7 mod 3", "1"),
        ("17 % 5", "2"),
        ("-7 mod 3", "2"),
        ("3(4+5)", "27"),
        ("(1+2)(3+4)", "21"),
        ("2pi", "6.28318530717959"),
        ("5!", "120"),
        ("3 × 4 − 2 ÷ 4", "11.5"),
        ("½ + ¼", "0.75"),
        ("2½ * 2", "5"),
        ("3 1/2 + 1/2", "4"),
        ("5²", "25"),
        ("√144", "12"),
        ("1 000 000 / 8", "125000"),
        ("1,5 + 2", "3.5"),
        ("1.234,50 + 1", "1235.5"),
        ("0xff + 0b11", "258"),
        ("1e3 / 4", "250"),
        ("6.02e23 * 2", "1204000000000000000000000"),
        ("1.5k + 2k", "3500"),
        ("2m / 4", "500000"),
        ("|3-5|", "2"),
        ("[1+2]*{3}", "9"),
        ("100 / 3 to 2 decimal places", "33.33"),
        ("2+2=", "4"),
        ("= 3 * 3", "9"),
        ("3x4", "12"),
        ("3 X 4", "12"),
        ("10 : 4", "2.5"),
        ("((2)", "2"),
        ("0^0", "1"),
        ("8^(1/3)", "2"),
        ("(-8)^(1/3)", "-2"),
        ("4^0.5", "2"),
        ("2^0.5^2", "1.18920711500272"),
        ("5%", "5%"),
        ("50% + 10%", "60%"),
        ("0.1^20", "0.00000000000000000001"),
        ("1.0000001^10000000", "2.71828169254497"),
        ("42", "42"),
    ]);
}

#[test]
fn functions() {
    values(&[
        ("sqrt 16 + 9", "13"),
        ("sqrt(16+9)", "5"),
        ("cbrt(27)", "3"),
        ("sin(30 deg)", "0.5"),
        ("sin 30°", "0.5"),
        ("cos(60 degrees)", "0.5"),
        ("tan 45°", "1"),
        ("sin(pi)", "0"),
        ("cos(pi)", "-1"),
        ("sin(0)", "0"),
        ("cos(0)", "1"),
        ("sin(1)", "0.841470984807897"),
        ("arctan(1) in degrees", "45"),
        ("asin(2)", "! the arcsine or arccosine of `2`\nhint: it exists between -1 and 1"),
        ("log(100)", "2"),
        ("log10(1000)", "3"),
        ("log2(8)", "3"),
        ("log base 2 of 10", "3.32192809488736"),
        ("log 8 base 2", "3"),
        ("log(8, 2)", "3"),
        ("ln(e)", "1"),
        ("ln 10", "2.30258509299405"),
        ("exp(0)", "1"),
        ("e^2", "7.38905609893065"),
        ("floor(3.7)", "3"),
        ("ceil 3.2", "4"),
        ("round(3.5)", "4"),
        ("round(3.14159, 2)", "3.14"),
        ("round 3.14159 to 2 decimal places", "3.14"),
        ("1234 rounded to the nearest hundred", "1200"),
        ("3.7 rounded", "4"),
        ("abs(-5)", "5"),
        ("min(3, 1, 2)", "1"),
        ("max(1,200, 3,400)", "3400"),
        ("gcd(12,180)", "12"),
        ("gcd of 12 and 18", "6"),
        ("lcm(4, 6)", "12"),
        ("sum(1,2,3)", "6"),
        ("sum of 1 to 100", "5050"),
        ("average of 3, 5 and 7", "5"),
        ("average of 100,200,300", "200"),
        ("average of 10 20 30", "20"),
        ("mean of 1,200 and 1,300", "1250"),
        ("median of 5, 1, 9, 3", "4"),
        ("standard deviation of 2, 4, 4, 4, 5, 5, 7, 9", "2"),
        ("10 choose 3", "120"),
        ("10C3", "120"),
        ("nCr(10, 3)", "120"),
        ("nPr(5,2)", "20"),
        ("factorial of 6", "720"),
        ("4th root of 16", "2"),
        ("2 * sqrt 9", "6"),
        ("sqrt(2)^2", "2"),
        ("sqrt(2) * sqrt(2)", "2"),
    ]);
}

#[test]
fn english() {
    values(&[
        ("12 times 7", "84"),
        ("twelve plus 5", "17"),
        ("twenty five plus thirty", "55"),
        ("twenty-five times four", "100"),
        ("square root of 144", "12"),
        ("the square root of 144 plus 5", "17"),
        ("half of 30", "15"),
        ("half 30", "15"),
        ("a third of 90", "30"),
        ("two thirds of 90", "60"),
        ("three quarters of 80", "60"),
        ("double 15", "30"),
        ("twice 7 plus 1", "15"),
        ("3 squared", "9"),
        ("2 cubed", "8"),
        ("2 to the power of 10", "1024"),
        ("2 to the 10th power", "1024"),
        ("2 to the tenth", "1024"),
        ("2 raised to 5", "32"),
        ("100 divided by 8", "12.5"),
        ("20 over 5", "4"),
        ("9 take away 4", "5"),
        ("subtract 5 from 20", "15"),
        ("5 subtracted from 20", "15"),
        ("5 less than 20", "15"),
        ("5 more than 20", "25"),
        ("add 5 and 6", "11"),
        ("add 5, 6 and 7", "18"),
        ("add 5 to 6", "11"),
        ("sum of 5 and 6", "11"),
        ("product of 5 and 6", "30"),
        ("multiply 5 by 6", "30"),
        ("divide 20 by 5", "4"),
        ("divide 120 among 5 people", "24"),
        ("difference between 10 and 4", "6"),
        ("remainder of 17 divided by 5", "2"),
        ("remainder when 17 is divided by 5", "2"),
        ("half a million plus 1", "500001"),
        ("two and a half times 4", "10"),
        ("2.5 million / 5", "500000"),
        ("a dozen times 12", "144"),
        ("3 dozen", "36"),
        ("minus 5 plus 3", "-2"),
        ("seven hundred and fifty divided by three", "250"),
        ("three point five times two", "7"),
        ("12 multiplied by 12 please", "144"),
        ("how much is 8 x 7?", "56"),
        ("whats 5 pluss 3", "8"),
        ("12 multipled by 3", "36"),
        ("squre root of 81", "9"),
        ("15 devided by 3", "5"),
        ("12 eggs times 3", "36"),
        ("raise 2 to the power of 8", "256"),
        ("reciprocal of 8", "0.125"),
        ("ten factorial", "3628800"),
        ("point one plus ninety nine point nine", "100"),
        ("absolute value of -12", "12"),
        ("how many combinations of 5 from 52", "2598960"),
        ("i have 50 and spend 12.75", "37.25"),
    ]);
}

#[test]
fn percentages() {
    values(&[
        ("17.5 percent of 2340", "409.5"),
        ("17.5 per cent of 2340", "409.5"),
        ("20% of 50 + 10", "20"),
        ("half of 20% of 50", "5"),
        ("80 plus 8%", "86.4"),
        ("80 + 8%", "86.4"),
        ("80 - 15%", "68"),
        ("80 less 15%", "68"),
        ("80 minus a 15% discount", "68"),
        ("80 with 15% off", "68"),
        ("80 with a 15% discount", "68"),
        ("80, 15% off", "68"),
        ("$80 plus 8% sales tax", "86.40"),
        ("80 with 8% tax", "86.4"),
        ("80 including 20% vat", "96"),
        ("15% discount on 80", "68"),
        ("15 percent off of $80", "68.00"),
        ("20% tip on $45", "9.00"),
        ("18% tip on a 64.20 bill", "11.556"),
        ("tip on $45 at 20%", "9.00"),
        ("8% tax on 120", "9.6"),
        ("tax of 8% on 120", "9.6"),
        ("add 20% to 50", "60"),
        ("add 8% tax to 80", "86.4"),
        ("take 15% off 80", "68"),
        ("subtract 10% from 90", "81"),
        ("increase 80 by 15%", "92"),
        ("decrease 80 by 15%", "68"),
        ("reduce 200 by a quarter", "150"),
        ("20% more than 50", "60"),
        ("20% less than 50", "40"),
        ("20% increase on 50", "60"),
        ("50 with a 10% increase", "55"),
        ("what percent of 50 is 10", "20%"),
        ("10 is what percentage of 50", "20%"),
        ("what percentage is 10 of 50", "20%"),
        ("10 out of 50 as a percentage", "20%"),
        ("10 as a percentage of 50", "20%"),
        ("3/8 as a percentage", "37.5%"),
        ("percentage of 30 out of 120", "25%"),
        ("1/3 in percent", "33.3333333333333%"),
        ("50 is what percent more than 40", "25%"),
        ("percent change between 40 and 50", "25%"),
        ("50 to 65 percent change", "30%"),
        ("price goes from 50 to 65, what is the percent increase", "30%"),
        ("10 is 20% of what", "50"),
        ("10 is 20% of what number?", "50"),
        ("what number is 20% of 50", "10"),
        ("1/4 of 200", "50"),
        ("15% 80", "12"),
        ("349.99 plus tax at 10%", "384.989"),
        ("if 30% is 60 what is 100%", "200"),
        ("how much percent is 45 of 60", "75%"),
        ("from 80 to 100 how many percent increase", "25%"),
        ("compound interest on $1000 at 5% for 10 years", "628.89"),
        ("simple interest on 1000 at 5% for 3 years", "150"),
        ("what's left of 80 after 15% off", "68"),
        ("what's left of 50 after spending 12.50", "37.5"),
        ("change from $20 for $13.45", "6.55"),
    ]);
}

#[test]
fn money_and_shopping() {
    check(&[
        ("$10 / 3", "$10 / 3 ≈ $3.33"),
        ("€30 + €12.50", "€30 + €12.50 = €42.50"),
        ("1,200 dollars times 2", "1,200 dollars times 2 = $2,400.00"),
        ("4 dollars and 50 cents times 2", "4 dollars and 50 cents times 2 = $9.00"),
        ("$100 / $20", "$100 / $20 = 5"),
        (
            "$5 + €3",
            "! amounts in `$` and in `€` in one calculation\nhint: exchange rates are not known; use one currency",
        ),
        ("3 notebooks at $4.25 each", "3 notebooks at $4.25 each = $12.75"),
    ]);
    values(&[
        ("3 notebooks at 4.25 each and a pen for 1.80", "14.55"),
        ("I bought 3 notebooks at 4.25 each and a pen for 1.80, total?", "14.55"),
        ("3 notebooks at 4.25 each plus a pen for 1.80", "14.55"),
        ("2 coffees at $3.50 and 1 muffin at $2.75", "9.75"),
        ("three tickets at 12.50", "37.5"),
        ("5 apples for 2 dollars", "2.00"),
        ("split 84.50 between 4 people", "21.125"),
        ("$84.50 split 4 ways", "21.13"),
        ("$84.50 plus 20% tip split between 4", "25.35"),
        ("60 shared by 4", "15"),
        ("6 bottles at 0.99 per bottle", "5.94"),
        ("£12 and £8", "20.00"),
    ]);
}

#[test]
fn forms() {
    check(&[
        ("10 in binary", "10 in binary = 0b1010"),
        ("0xff to decimal", "0xff to decimal = 255"),
        ("0.375 as a fraction", "0.375 as a fraction = 3/8"),
        ("123456 in scientific notation", "123456 in scientific notation = 1.23456 × 10^5"),
        ("1994 in roman numerals", "1994 in roman numerals = MCMXCIV"),
        ("pi to 5 decimals", "pi to 5 decimals = 3.14159"),
    ]);
}

#[test]
fn what_has_no_answer_says_why() {
    for (expression, part) in [
        ("", "is empty"),
        ("hello there", "not understood"),
        ("5 +", "not understood"),
        ("1/0", "division of `1` by zero"),
        ("sqrt(-4)", "no real root"),
        ("log(0)", "positive numbers only"),
        ("99999999!", "too large"),
        ("9^9^9^9", "too large"),
        ("2^1000000", "too large"),
        ("1e99999", "exponent above 5000"),
        ("3 notebooks", "nothing to calculate"),
        ("tan 90°", "right angle"),
        ("2.5!", "whole number"),
        ("5 5", "not understood"),
        ("area of circle pi r squared", "not understood"),
        ("1+2+...+10", "not understood"),
        ("1,2,3", "not understood"),
    ] {
        let found = text(expression);
        assert!(found.starts_with("! ") && found.contains(part), "{expression}: {found}");
    }
    let deep = format!("{}1", "(".repeat(5000));
    assert!(text(&deep).contains("nested more than"));
    assert!(text(&"9".repeat(30_000)).contains("more than 20000 characters"));
}

#[test]
fn big_work_is_bounded_in_time() {
    let start = std::time::Instant::now();
    for expression in [
        "2^260000 * 3".to_owned(),
        "20000!".to_owned(),
        vec!["2^250000"; 2000].join("*1+"),
        vec!["1/3"; 4000].join("+"),
        (1..3000).map(|n| format!("1/{n}")).collect::<Vec<_>>().join("+"),
        "1+".repeat(9999) + "1",
    ] {
        assert!(!text(&expression).is_empty());
    }
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn nothing_panics() {
    let seeds = [
        "17.5% of 2,340",
        "sqrt(2)^3!",
        "3 notebooks at 4.25 each and a pen for 1.80",
        "10 is what percent of 50",
        "percent change from 50 to 65",
        "½ × ² √ ∛ π °",
        "log base 2 of 8",
        "to the nearest hundred",
        "1e5000",
        "$5 €3 £",
        "0x 0b1 10C3 5'11",
        "half a million and a half",
        "split 60 four ways",
        "in base 99",
        "|||",
        "((((",
        "))))",
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below.max(1)).unwrap()).unwrap()
    };
    for round in 0..2000 {
        let text: String = if round % 2 == 0 {
            let bytes: Vec<u8> = (0..random(40)).map(|_| u8::try_from(random(256)).unwrap()).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        } else {
            let mut chars: Vec<char> =
                format!("{} {}", seeds[random(seeds.len())], seeds[random(seeds.len())]).chars().collect();
            for _ in 0..random(6) {
                let (from, to) = (random(chars.len()), random(chars.len()));
                match random(3) {
                    0 => chars.swap(from, to),
                    1 => drop(chars.remove(from)),
                    _ => chars.insert(from, chars[to]),
                }
                if chars.is_empty() {
                    chars.push('1');
                }
            }
            chars.into_iter().collect()
        };
        let _ = ask(&text);
    }
}

#[test]
fn every_sample_has_an_answer() {
    let manifest = include_str!("../tool.toml");
    let samples: Vec<&str> =
        manifest.lines().filter_map(|line| line.strip_prefix("arguments = { expression = ")).collect();
    assert!(samples.len() >= 9);
    for sample in samples {
        let expression: String = serde_json::from_str(sample.trim_end_matches(" }")).unwrap();
        assert!(!text(&expression).starts_with('!'), "{}", text(&expression));
    }
}
