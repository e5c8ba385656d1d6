//! A file in a form: the one part that is wanted of a `multipart/form-data` body (RFC 7578) that is here whole. Not a reader of
//! forms: other bodies with fields are JSON or URL-encoded.

/// The boundary that a `Content-Type` names; `None` for another type, and for a boundary that cannot be one (RFC 2046 §5.1.1).
#[must_use]
pub fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let value = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim())
    })?;
    let content = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let is_one =
        (1..=70).contains(&content.len()) && content.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
    is_one.then_some(content)
}

/// The content of the first part with a name; `None` where there is none, or where it does not come to its end.
#[must_use]
pub fn part<'a>(body: &'a [u8], boundary: &str, name: &str) -> Option<&'a [u8]> {
    let delimiter = format!("\r\n--{boundary}");
    // The first delimiter may be where the body begins, without a line before it.
    let mut rest = match body.strip_prefix(&delimiter.as_bytes()[2..]) {
        Some(rest) => rest,
        None => split(body, delimiter.as_bytes())?.1,
    };
    loop {
        // Behind the last delimiter is `--`, and no line.
        let part = without_padding(rest).strip_prefix(b"\r\n")?;
        let (whole, next) = split(part, delimiter.as_bytes())?;
        let (head, content) = match whole.strip_prefix(b"\r\n") {
            Some(content) => (&whole[..0], content),
            None => split(whole, b"\r\n\r\n")?,
        };
        if is_named(head, name) {
            return Some(content);
        }
        rest = next;
    }
}

/// Without the white space that may stand behind a delimiter on its line.
fn without_padding(line: &[u8]) -> &[u8] {
    let padding = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &line[padding..]
}

/// What is before and behind the first place of something that begins with a carriage return.
fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut from = 0;
    loop {
        let place = from + bytes[from..].iter().position(|byte| *byte == b'\r')?;
        if let Some(rest) = bytes[place..].strip_prefix(at) {
            return Some((&bytes[..place], rest));
        }
        from = place + 1;
    }
}

/// Whether the head of a part gives it this name, which browsers write `name="file"`.
fn is_named(head: &[u8], name: &str) -> bool {
    let head = String::from_utf8_lossy(head);
    let disposition = head.split("\r\n").find_map(|line| {
        let (field, value) = line.split_once(':')?;
        field.trim().eq_ignore_ascii_case("content-disposition").then(|| value.trim().to_owned())
    });
    disposition.is_some_and(|value| {
        let mut parameters = value.split(';').map(str::trim);
        parameters.next().is_some_and(|kind| kind.eq_ignore_ascii_case("form-data"))
            && parameters.any(|parameter| {
                parameter.split_once('=').is_some_and(|(key, value)| {
                    key.trim().eq_ignore_ascii_case("name") && value.trim().trim_matches('"') == name
                })
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(body: &str) -> Option<&str> {
        part(body.as_bytes(), "xX", "file").map(|content| std::str::from_utf8(content).unwrap())
    }

    #[test]
    fn the_part_with_the_name_is_found() {
        let head =
            "Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png";
        assert_eq!(file(&format!("--xX\r\n{head}\r\n\r\nabc\r\n--xX--\r\n")), Some("abc"));
        assert_eq!(file(&format!("\r\n--xX \r\n{head}\r\n\r\n\r\n--x\r\n\r\n--xX--")), Some("\r\n--x\r\n"));
        let other = "--xX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--xX\r\n\r\nnameless\r\n";
        assert_eq!(
            file(&format!("preamble{}{}", "\r\n", format_args!("{other}--xX\r\n{head}\r\n\r\n\r\n--xX"))),
            Some("")
        );
        assert_eq!(file("--xX\r\ncontent-disposition:FORM-DATA;NAME=file\r\n\r\nb\r\n--xX"), Some("b"));
    }

    #[test]
    fn what_is_cut_off_or_has_another_name_is_none() {
        let head = "Content-Disposition: form-data; name=\"file\"";
        for bad in [
            String::new(),
            "--xX--\r\n".to_owned(),
            format!("--xX\r\n{head}\r\n\r\nabc"),
            format!("--xX\r\n{head}\r\n--xX--"),
            format!("--xX{head}\r\n\r\nabc\r\n--xX--"),
            format!("--other\r\n{head}\r\n\r\nabc\r\n--other--"),
            "--xX\r\nContent-Disposition: form-data; name=\"files\"\r\n\r\nabc\r\n--xX--".to_owned(),
            "--xX\r\nContent-Disposition: attachment; name=\"file\"\r\n\r\nabc\r\n--xX--".to_owned(),
        ] {
            assert_eq!(file(&bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_boundary_is_named_by_the_type() {
        assert_eq!(boundary("multipart/form-data; boundary=xX"), Some("xX"));
        assert_eq!(boundary("Multipart/Form-Data;charset=utf-8; Boundary=\"x:X\""), Some("x:X"));
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        for bad in [
            "image/png",
            "multipart/form-data",
            "multipart/mixed; boundary=x",
            "multipart/form-data; boundary=",
            &long,
        ] {
            assert_eq!(boundary(bad), None, "{bad}");
        }
    }
}
