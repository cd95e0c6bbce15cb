//! Files as they should be, in every form.

use super::{file, no_gap, read, Made, WANTED};
use crate::read::Reading;

#[test]
fn rows_are_right_in_every_form() {
    let shown = [0, 0, 89, 40];
    let windows = [
        shown,
        [-9, -21, 100, 50],
        [20, 10, 60, 37],
        [-5, 3, 40, 90],
        [70, -30, 130, 5],
        [200, 0, 220, 9],
        [0, 41, 20, 60],
    ];
    let orders: [fn(&mut Vec<usize>); 3] = [
        |_| {},
        |places| places.reverse(),
        |places| places.sort_by_key(|place| place.wrapping_mul(2_654_435_761) % 1009),
    ];
    for compression in [0, 1, 2, 3] {
        for (number, window) in windows.into_iter().enumerate() {
            let plain = Made::new(compression, window);
            let forms = [
                plain.clone(),
                plain.clone().tiled(32, 16, 0),
                plain.tiled(17, 40, (number % 3) as u8),
            ];
            for made in forms {
                let (data, _) = file(std::slice::from_ref(&made), shown, orders[number % 3]);
                for wanted in WANTED {
                    {
                        let how = Reading {
                            partial: false,
                            verify: wanted.len() == 2,
                        };
                        let whole = read(
                            &data,
                            std::slice::from_ref(&made),
                            shown,
                            wanted,
                            how,
                            no_gap,
                        )
                        .unwrap();
                        assert!(whole.into_iter().all(|whole| whole));
                    }
                }
            }
        }
    }
}

#[test]
fn parts_advance_in_step() {
    let shown = [0, 0, 99, 60];
    let parts = [
        Made::new(2, shown),
        Made::new(3, [-3, 5, 70, 70]).tiled(16, 16, 1),
        Made::new(3, [10, -20, 99, 44]),
    ];
    let (data, _) = file(&parts, shown, |_| {});
    let wanted = [(2, 1), (0, 3), (1, 2), (2, 4), (1, 0)];
    read(&data, &parts, shown, &wanted, Reading::default(), no_gap).unwrap();
    read(
        &data,
        &parts,
        shown,
        &wanted[3..4],
        Reading::default(),
        no_gap,
    )
    .unwrap();
}
