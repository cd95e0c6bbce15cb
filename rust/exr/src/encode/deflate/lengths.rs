//! Lengths of matches as deflate says them: a symbol and extra bits.

/// The symbol of a length less 3.
pub const SYMBOL: [u16; 256] = table().0;
/// How many extra bits it has.
pub const EXTRA: [u8; 256] = table().1;
/// What they say.
pub const REST: [u8; 256] = table().2;

const fn table() -> ([u16; 256], [u8; 256], [u8; 256]) {
    let (mut symbols, mut extras, mut rests) = ([0; 256], [0; 256], [0; 256]);
    let mut length = 0;
    while length < 255 {
        // Eight of one length each, then four for each doubling.
        let extra = if length < 8 {
            0
        } else {
            (length as u32).ilog2() - 2
        };
        let group = length >> extra;
        symbols[length] = 257 + 4 * extra as u16 + group as u16;
        extras[length] = extra as u8;
        rests[length] = (length - (group << extra)) as u8;
        length += 1;
    }
    // 258 has a symbol of its own.
    symbols[255] = 285;
    (symbols, extras, rests)
}
