//! Where in a trace something belongs, as W3C Trace Context writes it (<https://www.w3.org/TR/trace-context/>).

use std::{
    fmt,
    num::{NonZeroU64, NonZeroU128},
};

/// A step of a trace that is recorded. What follows from it names it as its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace, the same from end to end.
    pub trace_id: NonZeroU128,
    /// The step.
    pub span_id: NonZeroU64,
}

impl TraceContext {
    /// The same trace, one step on.
    #[must_use]
    pub fn step(self, span_id: NonZeroU64) -> Self {
        Self { span_id, ..self }
    }

    /// Reads a `traceparent` (§3.2) of any version, and whether its sender records the trace; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<(Self, bool)> {
        let mut parts = text.split('-');
        let version = hex(parts.next()?, 2)?;
        let (trace, span, flags) = (hex(parts.next()?, 32)?, hex(parts.next()?, 16)?, hex(parts.next()?, 2)?);
        // §3.2.4: later versions may go on after the flags, this one may not, and 255 is none.
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        let span_id = u64::try_from(span).ok().and_then(NonZeroU64::new)?;
        let context = Self { trace_id: NonZeroU128::new(trace)?, span_id };
        Some((context, flags & 1 == 1))
    }
}

/// A number in so many hexadecimal digits, in lower case as §3.2.2 wants them.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    u128::from_str_radix(text, 16).ok().filter(|_| is_hex && text.len() == digits)
}

impl fmt::Display for TraceContext {
    /// A `traceparent` of version 0, recorded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-01", self.trace_id, self.span_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_as_it_is_written() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let (context, is_recorded) = TraceContext::parse(text).unwrap();
        assert!(is_recorded && context.to_string() == text);
        assert!(!TraceContext::parse(&text.replace("-01", "-00")).unwrap().1);
        // A later version with more than this one knows.
        assert!(
            TraceContext::parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03-more").unwrap().1
        );
    }

    #[test]
    fn what_is_no_traceparent_is_none() {
        for text in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0ä",
        ] {
            assert_eq!(TraceContext::parse(text), None, "{text}");
        }
    }
}
