//! What the controller settles at in a simulated network, against the best fixed number, which is
//! found by trying them all.

use super::simulation::{Run, World};

/// The best fixed number's goodput, and the least number that comes within 2 % of it.
fn best_fixed(world: &World, most: usize, from: f64, to: f64) -> (f64, usize) {
    let numbers = [
        4, 8, 12, 16, 24, 35, 48, 64, 96, 128, 192, 256, 362, 512, 724, 1024,
    ];
    let found: Vec<(f64, usize)> = numbers
        .into_iter()
        .filter(|number| *number <= most)
        .map(|number| {
            let run = Run::new(world.clone(), Some(number)).until(to);
            (run.goodput(from, to), number)
        })
        .collect();
    let best = found
        .iter()
        .map(|(goodput, _)| *goodput)
        .fold(0.0, f64::max);
    let least = found.iter().find(|(goodput, _)| *goodput >= 0.98 * best);
    (best, least.map_or(0, |(_, number)| *number))
}

/// It settles: within 10 % of the best fixed number, without swinging, on not many more permits.
fn settles(name: &str, world: World, begin: f64, end: f64) -> Run {
    let is_even = world.sizes.len() == 1;
    let (best, least) = if is_even {
        best_fixed(&world, 1024, 2.0, 3.5)
    } else {
        best_fixed(&world, 128, 10.0, 40.0)
    };
    let run = Run::new(world, None).until(end);
    let (goodput, permits) = (run.goodput(begin, end), run.permits_at(end));
    let changes = run.changes(begin, end) as f64 * 60.0 / (end - begin);
    let line = format!(
        "{name}: {:.2} of the best, {permits} permits where {least} would do, {changes:.0} changes a minute",
        goodput / best
    );
    show(&line, &run);
    assert!(goodput >= 0.9 * best, "{line}");
    assert!(changes <= 24.0, "{line}");
    assert!(permits <= (least * 2).max(35), "{line}");
    run
}

/// For people who ask: the numbers over the time.
fn show(line: &str, run: &Run) {
    if std::env::var_os("SYNTHESIS_SHOW").is_some() {
        let path = run.path.windows(2).filter(|pair| pair[0].2 != pair[1].2);
        let path: Vec<String> = path
            .map(|pair| format!("{:.2}:{}", pair[1].0, pair[1].2))
            .collect();
        std::io::Write::write_all(
            &mut std::io::stderr(),
            format!("{line}\n  {}\n", path.join(" ")).as_bytes(),
        )
        .unwrap_or_default();
    }
}

const LATENCIES: [f64; 4] = [0.001, 0.010, 0.040, 0.150];
const CAPS: [(&str, f64); 3] = [
    ("50 Mbit/s", 6.25e6),
    ("500 Mbit/s", 62.5e6),
    ("no cap", 2e9),
];
const MIXED: &[u64] = &[
    20_000, 40_000, 20_000, 300_000, 20_000, 60_000, 1_000_000, 20_000, 8_000_000,
];

#[test]
fn small_files_at_every_latency_and_bandwidth() {
    for latency in LATENCIES {
        for (cap, link) in CAPS {
            let world = World {
                latency,
                link,
                ..World::default()
            };
            settles(&format!("{latency} s, {cap}"), world, 12.0, 30.0);
        }
    }
}

#[test]
fn large_and_mixed_files() {
    for latency in LATENCIES {
        for (cap, link) in [CAPS[1], ("2 Gbit/s", 250e6)] {
            for (kind, sizes) in [("large", &[8_000_000_u64][..]), ("mixed", MIXED)] {
                let world = World {
                    latency,
                    link,
                    sizes,
                    flow: 3e6 / latency.max(0.005),
                    ..World::default()
                };
                settles(&format!("{kind}, {latency} s, {cap}"), world, 20.0, 60.0);
            }
        }
    }
}

#[test]
fn the_climb_to_hundreds_takes_about_a_second() {
    let run = Run::new(World::default(), None).until(4.0);
    let numbers: Vec<_> = run
        .path
        .iter()
        .map(|(now, _, permits)| (*now, *permits))
        .collect();
    assert!(run.permits_at(0.4) >= 500, "{numbers:?}");
    let files = |seconds| run.goodput(0.0, seconds) * seconds / (65_536.0 + 20_000.0);
    assert!(files(2.2) >= 20_000.0, "{} files", files(2.2));
}

#[test]
fn the_climb_leaves_no_queue_on_a_home_link() {
    const LINK: f64 = 6.25e6;
    for latency in [0.010, 0.040, 0.150] {
        for is_fifo in [true, false] {
            let world = World {
                latency,
                is_fifo,
                link: LINK,
                ..World::default()
            };
            let run = Run::new(world, None).until(10.0);
            show("50 Mbit/s", &run);
            let queue = |permits: usize| permits as f64 * 20_000.0 / LINK - latency;
            let (most, later) = (queue(run.most()), queue(run.permits_at(2.0)));
            assert!(
                most < 0.4 && later < 0.25,
                "{latency} s, {is_fifo}: {most}, {later} s"
            );
        }
    }
}

#[test]
fn the_climb_is_no_storm_for_a_small_server() {
    for latency in [0.010, 0.040, 0.150] {
        let world = World {
            latency,
            most_flows: 64,
            ..World::default()
        };
        let run = Run::new(world, None).until(10.0);
        show("64 flows", &run);
        let refused = run.refusals.len();
        let files = run.goodput(0.0, 10.0) * 10.0 / 85_536.0;
        assert!(refused < 300, "{latency} s: {refused} refusals");
        assert!(
            files > 5.5 * 64.0 / latency.max(0.007),
            "{latency} s: {files} files"
        );
        assert!(run.most() < 256, "{latency} s: {}", run.most());
    }
}

#[test]
fn a_short_round_trip_needs_no_crowd() {
    let world = World {
        latency: 0.001,
        capacity: |_| 26_000.0,
        ..World::default()
    };
    let run = settles("1 ms", world, 5.0, 20.0);
    assert!((16..=70).contains(&run.permits_at(20.0)));
}

#[test]
fn refusals_by_rate_and_by_flows() {
    for latency in [0.010, 0.040, 0.150] {
        let by_rate = World {
            latency,
            most_rps: 1_000.0,
            ..World::default()
        };
        settles(
            &format!("429 over 1,000 a second, {latency} s"),
            by_rate,
            30.0,
            120.0,
        );
        let by_flows = World {
            latency,
            most_flows: 100,
            ..World::default()
        };
        settles(
            &format!("503 over 100 flows, {latency} s"),
            by_flows,
            30.0,
            120.0,
        );
    }
}

#[test]
fn neighbours_come_and_go() {
    let world = World {
        capacity: |now| {
            if (40.0..80.0).contains(&now) {
                2_000.0
            } else {
                8_000.0
            }
        },
        ..World::default()
    };
    let run = Run::new(world.clone(), None).until(140.0);
    let of = |files: f64, from, to| run.goodput(from, to) / (files * 85_536.0);
    assert!(
        of(8_000.0, 10.0, 40.0) > 0.9,
        "before: {}",
        of(8_000.0, 10.0, 40.0)
    );
    assert!(
        of(2_000.0, 50.0, 80.0) > 0.9,
        "beside: {}",
        of(2_000.0, 50.0, 80.0)
    );
    assert!(
        of(8_000.0, 110.0, 140.0) > 0.9,
        "after: {}",
        of(8_000.0, 110.0, 140.0)
    );
    // While the neighbour is there it makes room.
    assert!(run.permits_at(79.0) < 250, "{}", run.permits_at(79.0));
    assert!(
        run.changes(10.0, 140.0) < 60,
        "{}",
        run.changes(10.0, 140.0)
    );
}
