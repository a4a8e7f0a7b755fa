"""A tree that grows by bundles of entries, held against every tree of it that headquarters has cosigned."""

from collections.abc import Iterator, Mapping, Sequence

from appliance.formats.edge import Edge


def grow(edge: Edge, bundle: Sequence[bytes], cosigned: Mapping[int, bytes]) -> Iterator[int]:
    """Append entries; gives the sizes at which they give another root than the one that was cosigned.

    Args:
        edge: What is grown.
        bundle: Entries; 256 that fill one tile cost least.
        cosigned: Roots by size.
    """
    if cosigned.keys().isdisjoint(range(edge.size + 1, edge.size + len(bundle) + 1)):
        edge.extend(bundle)
        return
    for entry in bundle:
        edge.append(entry)
        if edge.size in cosigned and cosigned[edge.size] != edge.root():
            yield edge.size
