"""Every byte that leaves the box, specified in this folder's README so that another team could write a reader."""
