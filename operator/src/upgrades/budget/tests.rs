//! Whatever happens in which order: never more than the limit, and nobody waits while there is room.

use proptest::{collection::vec, prelude::*};

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Acquire(u8),
    Leave(u8),
    // Another process, which finds what the cluster shows.
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let stack = 0..8_u8;
    let step = prop_oneof![
        4 => stack.clone().prop_map(Step::Acquire),
        4 => stack.prop_map(Step::Leave),
        1 => Just(Step::Restart),
    ];
    vec(step, 0..60)
}

proptest! {
    #[test]
    fn never_more_than_the_limit_roll_out_and_nobody_waits_while_there_is_room(
        limit in 1..4_usize, steps in steps(),
    ) {
        let mut budget = Budget::new(limit);
        // What the cluster shows.
        let mut under_way: Vec<u8> = Vec::new();
        for step in steps {
            match step {
                Step::Acquire(stack) => {
                    let is_free = budget.acquire(&stack, || under_way.clone());
                    let has_room = under_way.len() < limit || under_way.contains(&stack);
                    prop_assert_eq!(is_free, has_room);
                    if is_free && !under_way.contains(&stack) {
                        under_way.push(stack);
                    }
                }
                Step::Leave(stack) => {
                    under_way.retain(|other| *other != stack);
                    for next in budget.leave(&stack) {
                        prop_assert!(budget.acquire(&next, || under_way.clone()) || budget.is_full());
                        if budget.holders.contains_key(&next) && !under_way.contains(&next) {
                            under_way.push(next);
                        }
                    }
                }
                Step::Restart => budget = Budget::new(limit),
            }
            prop_assert!(under_way.len() <= limit, "{under_way:?}");
            prop_assert!(budget.waiting.is_empty() || budget.is_full(), "{:?}", budget.waiting);
        }
    }
}

#[test]
fn stacks_get_their_turn_in_the_order_in_which_they_asked() {
    let mut budget = Budget::new(1);
    assert!(budget.acquire(&1, Vec::new));
    for stack in [2, 3, 2, 4] {
        assert!(!budget.acquire(&stack, Vec::new));
    }
    assert_eq!(budget.counts(), [1, 0, 3]);
    // One that no longer needs it.
    assert_eq!(budget.leave(&3), Vec::<i32>::new());
    assert_eq!(budget.leave(&1), [2]);
    assert!(budget.acquire(&2, Vec::new));
    assert_eq!(budget.leave(&2), [4]);
}

#[test]
fn a_stop_is_reported_once() {
    let mut budget = Budget::new(1);
    budget.enter(&1);
    let reported: Vec<_> = [false, true, true, false, true].map(|is| budget.stopped(&1, is)).to_vec();
    assert_eq!(reported, [false, true, false, false, true]);
    assert!(!budget.stopped(&2, true), "it does not roll out");
}

#[test]
fn a_stack_that_no_longer_exists_holds_nothing() {
    let mut budget = Budget::new(1);
    budget.enter(&1);
    assert!(!budget.acquire(&2, Vec::new));
    budget.retain(|stack| *stack != 1);
    assert!(budget.acquire(&2, Vec::new));
}
