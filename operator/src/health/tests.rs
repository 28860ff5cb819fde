//! Tables of what was heard when.

use rstest::rstest;

use super::*;
use crate::clock;

const SECOND: Duration = Duration::from_secs(1);

// A feed that was first asked for at 0, last asked for and last heard at these seconds.
#[rstest]
#[case::just_asked((0, None, false, 1), 10, Some(Behind::NotListed))]
#[case::first_pages((5, Some(9), false, 1), 10, Some(Behind::NotListed))]
#[case::never_answered((290, None, false, 1), 300, Some(Behind::Silent(300 * SECOND)))]
#[case::watching((10, Some(10), true, 1), 309, None)]
#[case::bookmarks((10, Some(900), true, 1), 1000, None)]
#[case::open_and_silent((10, Some(10), true, 1), 310, Some(Behind::Silent(300 * SECOND)))]
#[case::failing((995, Some(10), true, 0), 1000, Some(Behind::Silent(990 * SECOND)))]
#[case::no_longer_watched((10, Some(10), true, 0), 1000, None)]
fn a_feed_is_behind_until_it_is_listed_and_when_it_is_silent(
    #[case] feed: (u32, Option<u32>, bool, usize),
    #[case] now: u32,
    #[case] expected: Option<Behind>,
) {
    let start = clock::timer();
    let at = |second: u32| start + second * SECOND;
    let (asked, heard, is_listed, open) = feed;
    let feed = Feed { asked: (start, at(asked)), heard: heard.map(at), is_listed, open };
    let feeds = BTreeMap::from([("pods".to_owned(), feed)]);
    let behind = behind(&feeds, at(now));
    assert_eq!(behind, expected.map(|expected| ("pods", expected)).into_iter().collect::<Vec<_>>());
}

#[rstest]
// When the operator waits for its CRD, it has no feed.
#[case::no_feed(vec![], None, 9999, false)]
#[case::all_heard(vec![Some(900), Some(990)], None, 1000, false)]
#[case::one_silent(vec![Some(10), Some(990)], None, 1000, false)]
#[case::all_silent(vec![Some(10), Some(700)], None, 1000, true)]
#[case::one_never_answered(vec![None, Some(990)], None, 1000, false)]
#[case::none_ever_answered(vec![None, None], None, 300, true)]
#[case::a_long_reconcile(vec![Some(1)], Some(0), 299, false)]
#[case::a_reconcile_that_hangs(vec![Some(990)], Some(500), 1000, true)]
#[case::a_reconcile_that_ends_soon(vec![Some(990)], Some(590), 1000, false)]
fn the_process_is_replaced_when_no_feed_brings_anything_or_a_reconcile_hangs(
    #[case] heard: Vec<Option<u32>>,
    #[case] oldest: Option<u32>,
    #[case] now: u32,
    #[case] is_ill: bool,
) {
    let start = clock::timer();
    let at = |second: u32| start + second * SECOND;
    let feeds = heard.iter().enumerate().map(|(index, heard)| {
        let heard = heard.map(at);
        (index.to_string(), Feed { asked: (start, start), heard, is_listed: true, open: 1 })
    });
    let ailment = ailment(&feeds.collect(), oldest.map(at), at(now));
    assert_eq!(ailment.is_some(), is_ill, "{ailment:?}");
}
