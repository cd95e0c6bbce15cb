#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| synthesis_exr::fuzzing::cryptomatte(data));
