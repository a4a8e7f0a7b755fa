// Verify_log checks a published log with golang.org/x/mod/sumdb/{note,tlog}: nothing of the box's own code runs here.
//
//	verify_log LOG_FOLDER VKEY [SIZE...]
//
// It opens `checkpoint` with the verifier key, reads every entry bundle, proves every leaf against the signed root
// through the tiles, and proves for the smaller SIZEs (default: every power of two) that the tree of that size, built
// from the entries alone, is a beginning of the signed one. It prints one line of JSON.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

func fail(format string, arguments ...interface{}) {
	fmt.Fprintf(os.Stderr, "verify_log: "+format+"\n", arguments...)
	os.Exit(1)
}

// folder reads tiles as tlog-tiles lays them out: sumdb's path has the height in it ("tile/8/0/000"), this one has not.
type folder string

func (folder) Height() int { return tileHeight }

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) path(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
	return filepath.Join(string(f), strings.Replace(path, "tile/data/", "tile/entries/", 1))
}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var contents [][]byte
	for _, tile := range tiles {
		content, err := os.ReadFile(f.path(tile))
		if err != nil {
			return nil, err
		}
		contents = append(contents, content)
	}
	return contents, nil
}

// openCheckpoint returns the signed tree: origin line, size, root hash.
func openCheckpoint(f folder, vkey string) (string, tlog.Tree) {
	verifier, err := note.NewVerifier(strings.TrimSpace(vkey))
	if err != nil {
		fail("vkey: %v", err)
	}
	message, err := os.ReadFile(filepath.Join(string(f), "checkpoint"))
	if err != nil {
		fail("%v", err)
	}
	opened, err := note.Open(message, note.VerifierList(verifier))
	if err != nil {
		fail("checkpoint: %v", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		fail("checkpoint: not three lines of the log's own origin")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		fail("checkpoint: %v", err)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		fail("checkpoint: root hash %q", lines[2])
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return lines[0], tree
}

// readEntries returns the entries of all bundles.
func readEntries(f folder, size int64) [][]byte {
	var entries [][]byte
	for int64(len(entries)) < size {
		n := int64(len(entries)) >> tileHeight
		width := size - n<<tileHeight
		if width > 1<<tileHeight {
			width = 1 << tileHeight
		}
		content, err := os.ReadFile(f.path(tlog.Tile{H: tileHeight, L: -1, N: n, W: int(width)}))
		if err != nil {
			fail("%v", err)
		}
		for i := int64(0); i < width; i++ {
			if len(content) < 2 || len(content) < 2+int(binary.BigEndian.Uint16(content)) {
				fail("entry bundle %d is cut off", n)
			}
			end := 2 + int(binary.BigEndian.Uint16(content))
			entries = append(entries, content[2:end])
			content = content[end:]
		}
		if len(content) != 0 {
			fail("entry bundle %d is too long", n)
		}
	}
	return entries
}

// stored builds the tree anew from the entries alone.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		hashes[i] = s[index]
	}
	return hashes, nil
}

func build(entries [][]byte) stored {
	var hashes stored
	for i, entry := range entries {
		added, err := tlog.StoredHashes(int64(i), entry, hashes)
		if err != nil {
			fail("%v", err)
		}
		hashes = append(hashes, added...)
	}
	return hashes
}

func smallerSizes(arguments []string, size int64) []int64 {
	var sizes []int64
	for _, argument := range arguments {
		smaller, err := strconv.ParseInt(argument, 10, 64)
		if err != nil || smaller < 1 || smaller > size {
			fail("size %q is not in 1..%d", argument, size)
		}
		sizes = append(sizes, smaller)
	}
	for power := int64(1); len(arguments) == 0 && power < size; power *= 2 {
		sizes = append(sizes, power)
	}
	return sizes
}

func main() {
	if len(os.Args) < 3 {
		fail("usage: verify_log LOG_FOLDER VKEY [SIZE...]")
	}
	log := folder(os.Args[1])
	origin, tree := openCheckpoint(log, os.Args[2])
	entries := readEntries(log, tree.N)
	tiles := tlog.TileHashReader(tree, log)
	for i, entry := range entries {
		proof, err := tlog.ProveRecord(tree.N, int64(i), tiles)
		if err != nil {
			fail("leaf %d: %v", i, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(i), tlog.RecordHash(entry)); err != nil {
			fail("leaf %d: %v", i, err)
		}
	}
	rebuilt := build(entries)
	sizes := smallerSizes(os.Args[3:], tree.N)
	for _, size := range sizes {
		old, err := tlog.TreeHash(size, rebuilt)
		if err != nil {
			fail("size %d: %v", size, err)
		}
		proof, err := tlog.ProveTree(tree.N, size, tiles)
		if err != nil {
			fail("size %d: %v", size, err)
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, size, old); err != nil {
			fail("size %d: %v", size, err)
		}
	}
	json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"origin": origin, "size": tree.N, "root": tree.Hash.String(), "leaves": len(entries), "consistent": len(sizes),
	})
}
