//! Which pixels need no sums.

/// When the first rank's object must win. `first` is its coverage, `rest` the sum of the sizes
/// of all others, so that no object but the first has more than `rest`, and the first no less
/// than `first - rest` less what others lost. Roundings of sums of 32 stay far below a margin.
#[derive(Clone, Copy)]
pub struct Sure {
    /// Least `first - rest`.
    margin: f32,
    /// Most `first + rest`.
    sum: f32,
    /// Most `rest`.
    rest: f32,
}

impl Sure {
    /// More than one step of 8 bits ahead, before anything is clipped.
    pub const ALONE: Self = Self {
        margin: 0.005,
        sum: 2.0,
        rest: 0.99,
    };
    /// At least 128 of 255 for the winner, and no sum that wraps round.
    pub const COMPETING: Self = Self {
        margin: 0.51,
        sum: 1.0,
        rest: 0.49,
    };
    /// No id in the first rank, and no other covers anything.
    pub const NOTHING: Self = Self {
        margin: f32::NEG_INFINITY,
        sum: f32::INFINITY,
        rest: 0.0,
    };
    /// An id without a number in the first rank, and no other covers anything.
    pub const NO_OBJECT: Self = Self {
        margin: f32::MIN_POSITIVE,
        sum: f32::INFINITY,
        rest: 0.0,
    };

    /// The first rank's object wins a pixel of these coverages.
    #[inline]
    pub fn holds(self, first: f32, rest: f32) -> bool {
        (first - rest >= self.margin) & (first + rest <= self.sum) & (rest <= self.rest)
    }
}
