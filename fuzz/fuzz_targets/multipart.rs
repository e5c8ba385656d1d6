#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| shopbell_fuzz::multipart::check(input));
