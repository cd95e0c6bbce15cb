//! Eight or sixteen hashes side by side: the same word of each in one wide register.

use std::array::from_fn;

/// The constants of the rounds (FIPS 180-4, 4.2.2).
#[rustfmt::skip]
pub const K: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// Sixteen rounds; the words change places instead of moving.
macro_rules! rounds {
    ($round:ident; $w:ident $k:ident $a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident) => {
        $round!($w $k 0; $a $b $c $d $e $f $g $h);
        $round!($w $k 1; $h $a $b $c $d $e $f $g);
        $round!($w $k 2; $g $h $a $b $c $d $e $f);
        $round!($w $k 3; $f $g $h $a $b $c $d $e);
        $round!($w $k 4; $e $f $g $h $a $b $c $d);
        $round!($w $k 5; $d $e $f $g $h $a $b $c);
        $round!($w $k 6; $c $d $e $f $g $h $a $b);
        $round!($w $k 7; $b $c $d $e $f $g $h $a);
        $round!($w $k 8; $a $b $c $d $e $f $g $h);
        $round!($w $k 9; $h $a $b $c $d $e $f $g);
        $round!($w $k 10; $g $h $a $b $c $d $e $f);
        $round!($w $k 11; $f $g $h $a $b $c $d $e);
        $round!($w $k 12; $e $f $g $h $a $b $c $d);
        $round!($w $k 13; $d $e $f $g $h $a $b $c);
        $round!($w $k 14; $c $d $e $f $g $h $a $b);
        $round!($w $k 15; $b $c $d $e $f $g $h $a);
    };
}

/// A round after the first sixteen: its word comes from earlier ones.
macro_rules! later_round {
    ($w:ident $k:ident $i:literal; $($words:ident)*) => {
        let (early, late) = ($w[($i + 1) % 16], $w[($i + 14) % 16]);
        let early = xor(rotate::<7, 25>(early), rotate::<18, 14>(early), shift::<3>(early));
        let late = xor(rotate::<17, 15>(late), rotate::<19, 13>(late), shift::<10>(late));
        $w[$i] = add(add($w[$i], early), add($w[($i + 9) % 16], late));
        round!($w $k $i; $($words)*);
    };
}

macro_rules! round {
    ($w:ident $k:ident $i:literal; $a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident) => {
        let mixed = xor(
            rotate::<6, 26>($e),
            rotate::<11, 21>($e),
            rotate::<25, 7>($e),
        );
        let fresh = add($h, add($w[$i], splat($k[$i])));
        let fresh = add(add(fresh, choose($e, $f, $g)), mixed);
        let mixed = xor(
            rotate::<2, 30>($a),
            rotate::<13, 19>($a),
            rotate::<22, 10>($a),
        );
        $d = add($d, fresh);
        $h = add(add(fresh, majority($a, $b, $c)), mixed);
    };
}

/// Kernel `$name`, of `$lanes` lanes, for processors with `$features`; `$registers` has the instructions.
macro_rules! kernel {
    ($name:ident, $registers:ident, $lanes:literal, $features:literal) => {
        /// Takes in the blocks of all lanes, of which there are equally many.
        #[target_feature(enable = $features)]
        pub fn $name(words: &mut [[u32; 8]; $lanes], blocks: [&[[u8; 64]]; $lanes]) {
            use $registers::*;
            let mut held: [_; 8] = from_fn(|word| load(from_fn(|lane| words[lane][word])));
            for at in 0..blocks[0].len() {
                let block: [&[u8; 64]; $lanes] = from_fn(|lane| &blocks[lane][at]);
                let mut w = [splat(0); 16];
                for (quarter, w) in w.chunks_exact_mut(4).enumerate() {
                    // Four registers that each have, of every fourth lane, four words in a row.
                    let row = |first: usize| row(|lane| sixteen_bytes(block[first + lane], quarter));
                    let (a, b, c, d) = (row(0), row(1), row(2), row(3));
                    let (ab, cd) = (low_words(a, b), low_words(c, d));
                    (w[0], w[1]) = (low_pairs(ab, cd), high_pairs(ab, cd));
                    let (ab, cd) = (high_words(a, b), high_words(c, d));
                    (w[2], w[3]) = (low_pairs(ab, cd), high_pairs(ab, cd));
                }
                let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = held;
                let (first, later) = K.split_at(16);
                rounds!(round; w first a b c d e f g h);
                for k in later.chunks_exact(16) {
                    rounds!(later_round; w k a b c d e f g h);
                }
                for (held, more) in held.iter_mut().zip([a, b, c, d, e, f, g, h]) {
                    *held = add(*held, more);
                }
            }
            for (word, vector) in held.into_iter().enumerate() {
                for (words, value) in words.iter_mut().zip(store(vector)) {
                    words[word] = value;
                }
            }
        }
    };
}

kernel!(sixteen, zmm, 16, "avx512f,avx512bw");
kernel!(eight, ymm, 8, "avx512f,avx512vl,avx2");
kernel!(eight_old, old, 8, "avx2");

/// A quarter of a block.
#[inline(always)]
fn sixteen_bytes(block: &[u8; 64], quarter: usize) -> [i64; 2] {
    let (halves, _) = block.as_chunks::<8>();
    [halves[2 * quarter], halves[2 * quarter + 1]].map(i64::from_le_bytes)
}

/// Instructions under the names that [`kernel`] knows them by.
macro_rules! instructions {
    ($features:literal, $vector:ident: $(fn $name:ident($($argument:ident),+) = $instruction:expr;)+) => {$(
        #[inline]
        #[target_feature(enable = $features)]
        pub fn $name($($argument: $vector),+) -> $vector {
            $instruction
        }
    )+};
}

/// Turns the bytes of each word around, in sixteen bytes.
const TURN: [i64; 2] = [0x0405_0607_0001_0203, 0x0c0d_0e0f_0809_0a0b];

/// Sixteen words in a register of AVX-512.
mod zmm {
    use std::arch::x86_64::*;

    use super::{old, TURN};

    instructions! { "avx512f,avx512bw", __m512i:
        fn add(a, b) = _mm512_add_epi32(a, b);
        fn xor(a, b, c) = _mm512_ternarylogic_epi32::<0x96>(a, b, c);
        fn choose(a, b, c) = _mm512_ternarylogic_epi32::<0xca>(a, b, c);
        fn majority(a, b, c) = _mm512_ternarylogic_epi32::<0xe8>(a, b, c);
        fn low_words(a, b) = _mm512_unpacklo_epi32(a, b);
        fn high_words(a, b) = _mm512_unpackhi_epi32(a, b);
        fn low_pairs(a, b) = _mm512_unpacklo_epi64(a, b);
        fn high_pairs(a, b) = _mm512_unpackhi_epi64(a, b);
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub fn splat(word: u32) -> __m512i {
        _mm512_set1_epi32(word.cast_signed())
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub fn rotate<const RIGHT: i32, const LEFT: i32>(a: __m512i) -> __m512i {
        _mm512_ror_epi32::<RIGHT>(a)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub fn shift<const RIGHT: u32>(a: __m512i) -> __m512i {
        _mm512_srli_epi32::<RIGHT>(a)
    }

    /// Big-endian words of lanes 0, 4, 8 and 12.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub fn row(part: impl Fn(usize) -> [i64; 2]) -> __m512i {
        let part = |lane| {
            let [low, high] = part(lane);
            _mm_set_epi64x(high, low)
        };
        let all = _mm512_castsi128_si512(part(0));
        let all = _mm512_inserti32x4::<1>(all, part(4));
        let all = _mm512_inserti32x4::<2>(all, part(8));
        let all = _mm512_inserti32x4::<3>(all, part(12));
        let turn = _mm512_broadcast_i32x4(_mm_set_epi64x(TURN[1], TURN[0]));
        _mm512_shuffle_epi8(all, turn)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub fn load(words: [u32; 16]) -> __m512i {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = words.map(u32::cast_signed);
        _mm512_set_epi32(p, o, n, m, l, k, j, i, h, g, f, e, d, c, b, a)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub fn store(vector: __m512i) -> [u32; 16] {
        let low = _mm512_castsi512_si256(vector);
        let high = _mm512_extracti64x4_epi64::<1>(vector);
        let (low, high) = (old::store(low), old::store(high));
        std::array::from_fn(|n| if n < 8 { low[n] } else { high[n - 8] })
    }
}

/// What AVX2 has for eight words in a register of 256 bits.
macro_rules! eight_words {
    ($features:literal) => {
        use std::arch::x86_64::*;

        use super::TURN;

        instructions! { $features, __m256i:
            fn add(a, b) = _mm256_add_epi32(a, b);
            fn low_words(a, b) = _mm256_unpacklo_epi32(a, b);
            fn high_words(a, b) = _mm256_unpackhi_epi32(a, b);
            fn low_pairs(a, b) = _mm256_unpacklo_epi64(a, b);
            fn high_pairs(a, b) = _mm256_unpackhi_epi64(a, b);
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub fn splat(word: u32) -> __m256i {
            _mm256_set1_epi32(word.cast_signed())
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub fn shift<const RIGHT: i32>(a: __m256i) -> __m256i {
            _mm256_srli_epi32::<RIGHT>(a)
        }

        /// Big-endian words of lanes 0 and 4.
        #[inline]
        #[target_feature(enable = $features)]
        pub fn row(part: impl Fn(usize) -> [i64; 2]) -> __m256i {
            let ([a, b], [c, d]) = (part(0), part(4));
            let turn = _mm256_set_epi64x(TURN[1], TURN[0], TURN[1], TURN[0]);
            _mm256_shuffle_epi8(_mm256_set_epi64x(d, c, b, a), turn)
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub fn load(words: [u32; 8]) -> __m256i {
            let [a, b, c, d, e, f, g, h] = words.map(u32::cast_signed);
            _mm256_set_epi32(h, g, f, e, d, c, b, a)
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub fn store(vector: __m256i) -> [u32; 8] {
            let words = [
                _mm256_extract_epi32::<0>(vector),
                _mm256_extract_epi32::<1>(vector),
                _mm256_extract_epi32::<2>(vector),
                _mm256_extract_epi32::<3>(vector),
                _mm256_extract_epi32::<4>(vector),
                _mm256_extract_epi32::<5>(vector),
                _mm256_extract_epi32::<6>(vector),
                _mm256_extract_epi32::<7>(vector),
            ];
            words.map(i32::cast_unsigned)
        }
    };
}

/// Eight words, with what AVX-512 adds to registers of 256 bits.
mod ymm {
    eight_words!("avx512f,avx512vl,avx2");

    instructions! { "avx512f,avx512vl,avx2", __m256i:
        fn xor(a, b, c) = _mm256_ternarylogic_epi32::<0x96>(a, b, c);
        fn choose(a, b, c) = _mm256_ternarylogic_epi32::<0xca>(a, b, c);
        fn majority(a, b, c) = _mm256_ternarylogic_epi32::<0xe8>(a, b, c);
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx2")]
    pub fn rotate<const RIGHT: i32, const LEFT: i32>(a: __m256i) -> __m256i {
        _mm256_ror_epi32::<RIGHT>(a)
    }
}

/// Eight words with AVX2 alone.
mod old {
    eight_words!("avx2");

    instructions! { "avx2", __m256i:
        fn xor(a, b, c) = _mm256_xor_si256(_mm256_xor_si256(a, b), c);
        fn choose(a, b, c) = _mm256_xor_si256(c, _mm256_and_si256(a, _mm256_xor_si256(b, c)));
        fn majority(a, b, c) = _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(c, _mm256_or_si256(a, b)));
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn rotate<const RIGHT: i32, const LEFT: i32>(a: __m256i) -> __m256i {
        _mm256_or_si256(_mm256_srli_epi32::<RIGHT>(a), _mm256_slli_epi32::<LEFT>(a))
    }
}
