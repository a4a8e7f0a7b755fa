"""nomenklatura's logic-v2 on pairs of names: run by an interpreter that has it, never by the project's own.

Standard input: JSON, a list of pairs of names. Standard output: JSON, the scores in that order and microseconds a pair,
the first pass (which fills its caches) not counted.
"""

import json
import sys
import time

from followthemoney import model
from nomenklatura.matching import LogicV2


def main() -> None:
    """Score every pair twice, the second time by the clock."""
    pairs = [(person(one), person(other)) for one, other in json.load(sys.stdin)]
    config = LogicV2.default_config()
    for one, other in pairs:
        LogicV2.compare(one, other, config)
    begun = time.perf_counter()
    scores = [LogicV2.compare(one, other, config).score for one, other in pairs]
    each_us = (time.perf_counter() - begun) / len(pairs) * 1e6
    json.dump({"scores": scores, "each_us": each_us}, sys.stdout)


def person(name):  # noqa: ANN001, ANN201 - its types are not installed here
    """A person of one name."""
    entity = model.make_entity("Person")
    entity.id = name
    entity.add("name", name)
    return entity


if __name__ == "__main__":
    main()
