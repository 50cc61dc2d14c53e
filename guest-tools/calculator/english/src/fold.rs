//! Typographic characters made plain, so that parsers see one spelling of everything.

/// Superscript digits and signs, in the order of `SUPERSCRIPT_PLAIN`.
const SUPERSCRIPT: &str = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺";
const SUPERSCRIPT_PLAIN: &str = "0123456789-+";

/// Replaces typographic characters by the ASCII ones people mean; keeps case and letters.
///
/// `×` and `·` become `*`, dashes `-`, `x²` becomes `x^2`, curly quotes straight ones, `π` the word
/// `pi`, primes `'` and `"`, every kind of white space one space, full-width digits plain digits.
/// `½`, `√`, `°` and currency signs stay.
#[must_use]
pub fn characters(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut raised = false;
    for character in text.chars() {
        if let Some(plain) = superscript(character) {
            if !raised {
                folded.push('^');
            }
            raised = true;
            folded.push(plain);
            continue;
        }
        raised = false;
        push_plain(&mut folded, character);
    }
    folded
}

fn superscript(character: char) -> Option<char> {
    let place = SUPERSCRIPT.chars().position(|known| known == character)?;
    SUPERSCRIPT_PLAIN.chars().nth(place)
}

fn push_plain(folded: &mut String, character: char) {
    match character {
        '×' | '⋅' | '·' | '∙' | '∗' | '✕' | '✖' | '╳' => folded.push('*'),
        '÷' | '∕' | '⁄' | '➗' | '／' => folded.push('/'),
        '−' | '–' | '—' | '‐' | '‑' | '‒' | '―' | '➖' | '－' => folded.push('-'),
        '➕' | '＋' => folded.push('+'),
        '‘' | '’' | '‛' | '′' | '´' | '`' | 'ʹ' => folded.push('\''),
        '“' | '”' | '‟' | '″' | '〃' => folded.push('"'),
        'π' | 'Π' | '𝜋' => folded.push_str(" pi "),
        'τ' => folded.push_str(" tau "),
        'º' | '˚' => folded.push('°'),
        '℃' => folded.push_str("°C"),
        '℉' => folded.push_str("°F"),
        'K' => folded.push('K'),
        'μ' => folded.push('µ'),
        '∛' => folded.push_str(" cbrt "),
        '％' | '٪' => folded.push('%'),
        '，' => folded.push(','),
        '；' => folded.push(';'),
        '？' => folded.push('?'),
        '（' => folded.push('('),
        '）' => folded.push(')'),
        '：' => folded.push(':'),
        '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{feff}' | '\u{ad}' => {}
        '０'..='９' => {
            // Full-width digits are in the order of the plain ones.
            let digit = u32::from(character) - u32::from('０');
            folded.extend(char::from_digit(digit, 10));
        }
        c if c.is_whitespace() || c.is_control() => folded.push(' '),
        c => folded.push(c),
    }
}

/// Lower case without diacritics and punctuation, words separated by one space: `São  Paulo!` is
/// `sao paulo`. For comparing names.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars().flat_map(char::to_lowercase) {
        match base(character) {
            Some(letters) => folded.push_str(letters),
            None if character.is_alphanumeric() => folded.push(character),
            // Apostrophes and dots vanish (`d.c.` is `dc`), other punctuation separates.
            None if matches!(character, '\'' | '’' | '‘' | '`' | '.' | '\u{300}'..='\u{36f}') => {}
            None if folded.ends_with(' ') || folded.is_empty() => {}
            None => folded.push(' '),
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// The plain letters of a Latin letter with a diacritic.
fn base(character: char) -> Option<&'static str> {
    Some(match character {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' | 'ạ' | 'ả' | 'ấ' | 'ầ' | 'ậ' | 'ắ' | 'ǎ' => {
            "a"
        }
        'ç' | 'ć' | 'č' | 'ċ' | 'ĉ' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' | 'ə' | 'ế' | 'ề' | 'ệ' => "e",
        'ğ' | 'ĝ' | 'ģ' | 'ġ' => "g",
        'ħ' | 'ĥ' => "h",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ĩ' | 'į' | 'ı' | 'ǐ' | 'ị' => "i",
        'ķ' => "k",
        'ĺ' | 'ľ' | 'ł' | 'ļ' => "l",
        'ñ' | 'ń' | 'ň' | 'ņ' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ő' | 'ơ' | 'ố' | 'ồ' | 'ộ' | 'ǒ' => "o",
        'ŕ' | 'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' | 'ŝ' => "s",
        'ť' | 'ţ' | 'ț' => "t",
        'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' | 'ũ' | 'ư' | 'ừ' | 'ǔ' => "u",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ž' | 'ż' => "z",
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        '&' => " and ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typographic_characters_become_plain() {
        assert_eq!(characters("3×4−1 ÷ 2"), "3*4-1 / 2");
        assert_eq!(characters("m²·s⁻¹"), "m^2*s^-1");
        assert_eq!(characters("5′11″ “x”"), "5'11\" \"x\"");
        assert_eq!(characters("12\u{a0}000\u{202f}kg"), "12 000 kg");
        assert_eq!(characters("１２"), "12");
    }

    #[test]
    fn names_compare_without_diacritics() {
        assert_eq!(plain("  São Paulo, Brazil!"), "sao paulo brazil");
        assert_eq!(plain("München"), "munchen");
        assert_eq!(plain("Washington D.C."), "washington dc");
        assert_eq!(plain("St. John's"), "st johns");
    }
}
