//! The parsers of bytes from outside hold to what `fuzz/` demands of them: for its seeds, for what is near them, and for
//! bytes at random. cargo fuzz tries many more, see fuzz/README.md.

use std::{fs, path::Path};

use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::TestRunner,
};

#[path = "../../fuzz/src/lib.rs"]
mod targets;

/// One change of an input: at some place, so many bytes make way for others.
type Edit = (Index, usize, Vec<u8>);

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut seeds: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    // The order of a folder is its own.
    seeds.sort_unstable();
    seeds.push(Vec::new());
    seeds
}

fn edited(mut input: Vec<u8>, edits: Vec<Edit>) -> Vec<u8> {
    for (place, length, bytes) in edits {
        let start = place.index(input.len() + 1);
        let end = input.len().min(start + length);
        input.splice(start..end, bytes);
    }
    input
}

fn holds(target: &str, check: fn(&[u8])) {
    let seeds = seeds(target);
    seeds.iter().for_each(|seed| check(seed));
    let marks = select(&b"\"[]{}:,;=&.%-@/\\\n\x1e\xff\x80\xf0 0159aq"[..]).prop_map(|byte| vec![byte]);
    let pieces = select(seeds.clone());
    let bytes = prop_oneof![marks, pieces, proptest::collection::vec(any::<u8>(), 0..12)];
    let edits = proptest::collection::vec((any::<Index>(), 0..4_usize, bytes), 0..6);
    let inputs = (select(seeds), edits).prop_map(|(seed, edits)| edited(seed, edits));
    let config = ProptestConfig { source_file: Some(file!()), ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&inputs, |input| {
        check(&input);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{target}: {error}");
    }
}

macro_rules! hold {
    ($($target:ident)*) => {
        $(
            #[test]
            fn $target() {
                holds(stringify!($target), targets::$target::check);
            }
        )*

        /// A target that nobody runs would be forgotten.
        #[test]
        fn every_target_is_tried() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
            let mut found: Vec<_> = fs::read_dir(folder)
                .unwrap()
                .map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
                .collect();
            found.sort_unstable();
            assert_eq!(found, [$(stringify!($target)),*]);
        }
    };
}

hold! {
    account body cookie cursor engineio forwarded frame goods hook_shopify hook_standard hook_stripe hook_woocommerce language
    multipart native origin page socketio token
}
