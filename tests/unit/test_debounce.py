"""A button's contact bounces; a finger presses once."""

from drivers.panel import SETTLE_S, Debouncer


def test_a_level_that_holds_is_one_press() -> None:
    debouncer = Debouncer()
    assert not debouncer.edge(pressed=True, at_s=1.0)
    assert debouncer.due_s == 1.0 + SETTLE_S
    assert debouncer.settle(1.0 + SETTLE_S)
    assert not debouncer.settle(2.0)
    assert debouncer.due_s is None


def test_bounces_at_pressing_and_letting_go_are_one_press() -> None:
    debouncer = Debouncer()
    presses = 0
    for base in (1.0, 2.0):
        for step in range(10):
            closed = (step % 2 == 0) == (base == 1.0)
            presses += debouncer.edge(pressed=closed, at_s=base + step * 0.002)
        presses += debouncer.edge(pressed=base == 1.0, at_s=base + 0.02)
        presses += debouncer.settle(base + 0.02 + SETTLE_S)
    assert presses == 1


def test_a_spark_is_no_press() -> None:
    debouncer = Debouncer()
    assert not debouncer.edge(pressed=True, at_s=1.0)
    assert not debouncer.edge(pressed=False, at_s=1.0001)
    assert debouncer.due_s is None
    assert not debouncer.settle(9.0)


def test_a_press_is_not_lost_when_the_release_is_the_next_thing_heard() -> None:
    debouncer = Debouncer()
    debouncer.edge(pressed=True, at_s=1.0)
    assert debouncer.edge(pressed=False, at_s=1.5)


def test_two_presses_are_two() -> None:
    debouncer = Debouncer()
    presses = 0
    for at_s in (1.0, 2.0):
        debouncer.edge(pressed=True, at_s=at_s)
        presses += debouncer.settle(at_s + 0.1)
        debouncer.edge(pressed=False, at_s=at_s + 0.2)
        presses += debouncer.settle(at_s + 0.3)
    assert presses == 2


def test_holding_is_one_press_however_long() -> None:
    debouncer = Debouncer()
    debouncer.edge(pressed=True, at_s=1.0)
    assert [debouncer.settle(1.0 + second) for second in range(1, 4)] == [True, False, False]
