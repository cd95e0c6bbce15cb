//! Surface directions as float16.

use super::halves::halves;
use crate::read::attribute::Window;
use crate::read::Samples;

const SIGN: u16 = 0x8000;
/// What the background shows: towards the camera.
const FACING: [u16; 3] = [0, 0, 0x3c00];

/// What is shown, and which of it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Normals {
    /// The display window.
    pub shown: Window,
    /// The data window.
    pub stored: Window,
}

impl Normals {
    /// Row `y` (from 0), x turned round: V-Ray's points to the left. Pixels that are shown but
    /// not stored face the camera; those of a block that is missing stay 0.
    pub fn row(
        &self,
        axes: [Samples<'_>; 3],
        (y, is_whole): (usize, bool),
        rooms: &mut [Vec<u16>; 3],
        out: &mut Vec<u16>,
    ) {
        let [room_x, room_y, room_z] = rooms;
        let x = halves(axes[0], room_x);
        let pixels = x
            .iter()
            .zip(halves(axes[1], room_y))
            .zip(halves(axes[2], room_z));
        out.resize(3 * x.len(), 0);
        for (pixel, ((&x, &y), &z)) in out.chunks_exact_mut(3).zip(pixels) {
            let keep = !is_whole && x | y | z == 0;
            pixel[0] = if keep { 0 } else { x ^ SIGN };
            pixel[1] = y;
            pixel[2] = z;
        }
        if !self.stored.covers(self.shown) {
            self.face(y, out);
        }
    }

    fn face(&self, y: usize, out: &mut [u16]) {
        let y = i64::from(self.shown.corners[1]) + y as i64;
        let [left, top, right, bottom] = self.stored.corners.map(i64::from);
        let is_stored_row = (top..=bottom).contains(&y);
        for (index, pixel) in out.chunks_exact_mut(3).enumerate() {
            let x = i64::from(self.shown.corners[0]) + index as i64;
            if !is_stored_row || !(left..=right).contains(&x) {
                pixel.copy_from_slice(&FACING);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_x_and_faces_the_camera_outside() {
        let shown = Window {
            corners: [0, 0, 3, 1],
        };
        let stored = Window {
            corners: [1, 0, 2, 0],
        };
        let maker = Normals { shown, stored };
        let (mut rooms, mut out) = (Default::default(), Vec::new());
        let rows = [[0, 1, 0x8002, 0], [0, 4, 5, 0], [0, 7, 8, 0]];
        let axes = [0, 1, 2].map(|axis: usize| Samples::Half(&rows[axis]));
        maker.row(axes, (0, true), &mut rooms, &mut out);
        assert_eq!(
            out,
            [[0, 0, 0x3c00], [0x8001, 4, 7], [2, 5, 8], [0, 0, 0x3c00]].concat()
        );
        maker.row(axes, (1, true), &mut rooms, &mut out);
        assert_eq!(out, [[0, 0, 0x3c00]; 4].concat());
        let all = Normals {
            shown,
            stored: shown,
        };
        all.row(axes, (0, true), &mut rooms, &mut out);
        assert_eq!(out[..3], [0x8000, 0, 0]);
        all.row(axes, (0, false), &mut rooms, &mut out);
        assert_eq!(out[..6], [0, 0, 0, 0x8001, 4, 7]);
    }
}
