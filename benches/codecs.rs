//! The codecs alone: what a message costs before any socket. `cargo bench --bench codecs`.

use std::{collections::VecDeque, hint::black_box, sync::Arc};

use criterion::{BatchSize, Criterion, Throughput};
use shopbell::{
    domain::{GoodsId, NicknameDisplay, Notification, Offset, Publication, Timestamp},
    outbox::Wire,
    protocol::{engineio, frame, native, socketio},
    realtime::Batch,
};

const ENVELOPE: &str = r#"{"type":"BUY","payload":{"goodsId":4,"quantity":1},"id":7}"#;
const PACKET: &str = r#"421["BUY",{"goodsId":4,"quantity":1}]"#;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    frames(&mut criterion);
    envelopes(&mut criterion);
    packets(&mut criterion);
    batches(&mut criterion);
    criterion.final_summary();
}

fn publication(id: i64) -> Arc<Publication> {
    Arc::new(Publication {
        id: Offset(id),
        date: Timestamp::from_millis(1_700_000_000_000),
        notification: Notification::Purchase {
            nickname: Some("kim".into()),
            goods_id: GoodsId(4),
            first_goods_name: "Sparkling water".into(),
            other_goods: 0,
            quantity: 1,
            elsewhere: None,
        },
    })
}

/// A text as a client sends it.
fn masked(text: &str) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![0x81, 0x80 | 126];
    frame.extend(u16::try_from(text.len()).expect("short").to_be_bytes());
    frame.extend(mask);
    frame.extend(text.bytes().zip(mask.into_iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

fn frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frame");
    for size in [64, 1024, 16 * 1024] {
        let text = "x".repeat(size);
        let frame = masked(&text);
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("encode {size}"), |bench| bench.iter(|| frame::text(black_box(&text))));
        group.bench_function(format!("decode {size}"), |bench| {
            let mut decoder = frame::Decoder::new(1_000_000);
            let mut messages = VecDeque::new();
            bench.iter(|| {
                decoder.decode(black_box(&frame), &mut messages).expect("a whole frame");
                messages.clear();
            });
        });
    }
}

fn envelopes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("envelope");
    group.bench_function("decode", |bench| bench.iter(|| native::decode(black_box(ENVELOPE))));
    group.bench_function("ack", |bench| bench.iter(|| native::ack(&7.into(), black_box(r#"{"ok":true}"#))));
}

fn packets(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("socket.io");
    group.bench_function("decode", |bench| {
        let mut decoder =
            socketio::Decoder::new(socketio::Limits { attachments: 10, binary_packet: 1_000_000 });
        bench.iter(|| match engineio::Packet::decode(black_box(PACKET)) {
            Ok(engineio::Packet::Message(text)) => decoder.text(text).map(|packet| packet.is_some()),
            _ => Ok(false),
        });
    });
    group.bench_function("encode", |bench| {
        let args = r#"{"nickname":"kim","goodsId":4}"#;
        bench.iter(|| {
            let event = socketio::Event { name: "BUY_GOODS".into(), args: args.into(), ack_id: None };
            let mut out = String::from(engineio::MESSAGE);
            socketio::put_event(&mut out, socketio::MAIN, black_box(&event));
            out
        });
    });
}

fn batches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("batch");
    for (name, wire) in
        [("ws", Wire::Native), ("socket.io", Wire::SocketIo), ("polling", Wire::Polling), ("sse", Wire::Sse)]
    {
        for count in [1, 100] {
            group.throughput(Throughput::Elements(count));
            let publications: Vec<_> = (1..=i64::try_from(count).expect("few")).map(publication).collect();
            let new = || Batch::new(publications.clone(), NicknameDisplay::Full).expect("not empty");
            group.bench_function(format!("{name}, {count}"), |bench| {
                bench.iter_batched(
                    new,
                    |batch| batch.encoded_after(Offset(0), wire, false).into_owned(),
                    BatchSize::SmallInput,
                );
            });
        }
    }
}
