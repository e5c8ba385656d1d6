//! Frames as clients write them, and as the RFC forbids.

use std::collections::VecDeque;

use super::{decoder::unmask, *};

/// A client's frame, masked.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [7, 77, 177, 250];
    let mut out = BytesMut::new();
    put(&mut out, 0, payload);
    let mut bytes = out.to_vec();
    let header = bytes.len() - payload.len();
    bytes[0] = first;
    bytes[1] |= MASKED;
    unmask(&mut bytes[header..], mask, 0);
    bytes.splice(header..header, mask);
    bytes
}

fn decode(bytes: &[u8], step: usize) -> (Vec<Message>, Result<(), FrameError>) {
    let (mut decoder, mut out) = (Decoder::new(100_000), VecDeque::new());
    let result = bytes.chunks(step).try_for_each(|chunk| decoder.decode(chunk, &mut out));
    (out.into(), result)
}

#[test]
fn messages_come_whole_however_their_bytes_arrive() {
    let long = "물".repeat(30_000);
    let mut bytes = frame(0x81, "héllo".as_bytes());
    bytes.extend(frame(0x01, &"🔔".as_bytes()[..2]));
    bytes.extend(frame(0x89, b"ping"));
    bytes.extend(frame(0x80, &"🔔".as_bytes()[2..]));
    bytes.extend(frame(0x82, b""));
    bytes.extend(frame(0x81, long.as_bytes()));
    bytes.extend(frame(0x88, b"\x03\xe8bye"));
    for step in [1, 2, 3, 7, 1000, bytes.len()] {
        let (messages, result) = decode(&bytes, step);
        assert_eq!(result, Ok(()));
        assert_eq!(
            messages,
            [
                Message::Text("héllo".into()),
                Message::Ping(b"ping".to_vec()),
                Message::Text("🔔".into()),
                Message::Binary(vec![]),
                Message::Text(long.clone()),
                Message::Close(Some((1000, "bye".into()))),
            ]
        );
    }
}

#[test]
fn what_the_rfc_forbids_is_refused_with_its_code() {
    let mut unmasked = BytesMut::new();
    put_text(&mut unmasked, "x");
    for (bytes, code) in [
        (frame(0xC1, b"x"), 1002),
        (frame(0x83, b"x"), 1002),
        (frame(0x8B, b"x"), 1002),
        (frame(0x80, b"x"), 1002),
        (frame(0x09, b"x"), 1002),
        (frame(0x89, &[0; 126]), 1002),
        (frame(0x88, b"x"), 1002),
        (frame(0x88, b"\x03\xed"), 1002),
        (frame(0x88, b"\x03\xe8\xff"), 1007),
        (frame(0x81, b"a\xff"), 1007),
        (frame(0x81, b"a\xf0\x9f"), 1007),
        (frame(0x82, &vec![0; 100_001]), 1009),
        (unmasked.to_vec(), 1002),
        ([frame(0x01, b"a"), frame(0x81, b"b")].concat(), 1002),
        ([frame(0x02, &vec![0; 60_000]), frame(0x80, &vec![0; 60_000])].concat(), 1009),
    ] {
        for step in [1, bytes.len()] {
            let error = decode(&bytes, step).1.unwrap_err();
            assert_eq!(error.close_code(), code, "{:?}", &bytes[..bytes.len().min(9)]);
        }
    }
}

#[test]
fn bad_text_fails_at_its_first_bad_byte() {
    let bytes = frame(0x81, b"aa\xc0bbbbbbbbbb");
    assert_eq!(decode(&bytes[..9], 1).1, Err(FrameError::NotUtf8));
}

#[test]
fn a_long_reason_is_cut_at_a_character() {
    assert_eq!(close(1008, &"물".repeat(60)).len(), 2 + 2 + 123);
}
