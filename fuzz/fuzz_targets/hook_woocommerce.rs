#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| shopbell_fuzz::hook_woocommerce::check(input));
