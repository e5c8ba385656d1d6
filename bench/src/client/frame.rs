//! WebSocket frames (RFC 6455 §5.2) as a client sees them.

/// Opcodes that a server sends here.
pub(super) mod opcode {
    pub(in super::super) const TEXT: u8 = 0x81;
    pub(in super::super) const CLOSE: u8 = 0x88;
    pub(in super::super) const PING: u8 = 0x89;
    pub(in super::super) const PONG: u8 = 0x8a;
}

/// The first whole frame: its first byte (FIN and opcode), its payload, its whole length. `None` when more must come.
pub(super) fn parse(data: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (&first, rest) = data.split_first()?;
    let (head, length) = match *rest.first()? {
        126 => (4, usize::from(u16::from_be_bytes(data.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(data.get(2..10)?.try_into().ok()?)).ok()?),
        // Servers do not mask.
        length => (2, usize::from(length & 0x7f)),
    };
    let end = head + length;
    Some((first, data.get(head..end)?, end))
}

/// Appends a frame of up to 65,535 bytes, masked with zeros: the peer still has to unmask it.
pub(super) fn put(out: &mut Vec<u8>, first: u8, payload: &[u8]) {
    out.push(first);
    match u8::try_from(payload.len()) {
        Ok(length) if length < 126 => out.push(0x80 | length),
        _ => {
            out.push(0x80 | 126);
            let length = u16::try_from(payload.len()).expect("what a client says here is short");
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_only_when_it_is_whole() {
        for length in [0, 1, 125, 126, 300, 65_535, 65_536] {
            let mut frame = vec![opcode::TEXT];
            match length {
                0..126 => frame.push(u8::try_from(length).unwrap()),
                126..65_536 => {
                    frame.push(126);
                    frame.extend(u16::try_from(length).unwrap().to_be_bytes());
                }
                _ => {
                    frame.push(127);
                    frame.extend((length as u64).to_be_bytes());
                }
            }
            frame.resize(frame.len() + length, b'x');
            for cut in [0, 1, frame.len() / 2, frame.len() - 1] {
                assert!(parse(&frame[..cut]).is_none(), "{cut} of {length}");
            }
            let whole = frame.len();
            frame.push(0x81);
            let (first, payload, end) = parse(&frame).unwrap();
            assert_eq!((first, payload.len(), end), (opcode::TEXT, length, whole));
        }
    }

    #[test]
    fn what_is_sent_is_masked() {
        let mut out = Vec::new();
        put(&mut out, opcode::TEXT, b"hi");
        assert_eq!(out, [0x81, 0x82, 0, 0, 0, 0, b'h', b'i']);
    }
}
