//! Character references of HTML, which WordPress makes of what is typed into it.

/// What WordPress decodes in a secret before it signs with it (`wp_specialchars_decode` with `ENT_QUOTES`): the references to
/// `& < > " '`, by name or number, each once.
pub(super) fn decoded_as_secret(text: &str) -> String {
    decoded_by(text, |reference| {
        let plain = match reference {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            // No `&apos;`, and a point in hexadecimal only for those that WordPress knows so.
            _ => numeric(reference).filter(|c| match reference.as_bytes()[1] {
                b'x' | b'X' => matches!(c, '&' | '"' | '\''),
                _ => matches!(c, '&' | '<' | '>' | '"' | '\''),
            })?,
        };
        Some(plain)
    })
}

/// What a page shows of a text with references: the few names that are in use, and any number.
pub(super) fn decoded(text: &str) -> String {
    decoded_by(text, |reference| {
        Some(match reference {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "nbsp" => ' ',
            "ndash" => '–',
            "mdash" => '—',
            "hellip" => '…',
            "lsquo" => '‘',
            "rsquo" => '’',
            "ldquo" => '“',
            "rdquo" => '”',
            "reg" => '®',
            "trade" => '™',
            "copy" => '©',
            _ => numeric(reference)?,
        })
    })
}

/// The longest reference that is looked at, without `&` and `;`.
const MAX_REFERENCE: usize = 32;

fn decoded_by(text: &str, plain: impl Fn(&str) -> Option<char>) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        decoded.push_str(&rest[..start]);
        rest = &rest[start + 1..];
        let end = rest.bytes().take(MAX_REFERENCE + 1).position(|byte| byte == b';');
        match end.and_then(|end| Some((plain(&rest[..end])?, end))) {
            Some((c, end)) => {
                decoded.push(c);
                rest = &rest[end + 1..];
            }
            None => decoded.push('&'),
        }
    }
    decoded.push_str(rest);
    decoded
}

/// `#39` or `#x27`.
fn numeric(reference: &str) -> Option<char> {
    let number = reference.strip_prefix('#')?;
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_decoded_as_wordpress_does_it() {
        for (text, plain) in [
            ("a&amp;b", "a&b"),
            ("&amp;lt;", "&lt;"),
            ("&lt;&gt;&quot;&#039;&#39;&#x27;&#x0027;", "<>\"''''"),
            ("&#038;&#x26;&#60;&#062;&#34;&#X22;", "&&<>\"\""),
            ("&#x3c;&apos;&nbsp;&#65;", "&#x3c;&apos;&nbsp;&#65;"),
            ("a&b;c&", "a&b;c&"),
            ("&amp", "&amp"),
        ] {
            assert_eq!(decoded_as_secret(text), plain, "{text}");
        }
    }

    #[test]
    fn names_are_shown_without_references() {
        for (text, plain) in [
            ("Salt &amp; vinegar", "Salt & vinegar"),
            ("Levi&#8217;s &ndash; 501&trade;", "Levi’s – 501™"),
            ("&#x1F375; tea", "🍵 tea"),
            (
                "&unknown; &#xD800; &#99999999999; &; &#; &#x;",
                "&unknown; &#xD800; &#99999999999; &; &#; &#x;",
            ),
            ("&é;&amp;amp;", "&é;&amp;"),
        ] {
            assert_eq!(decoded(text), plain, "{text}");
        }
        let long = "&".repeat(100_000);
        assert_eq!(decoded(&long), long);
    }
}
