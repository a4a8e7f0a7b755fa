// Check_log checks one entry's place in a log with golang.org/x/mod/sumdb/{note,tlog}, which Go's own module mirror uses.
//
//	go run check_log.go PROOF STATEMENT LOG_VKEY [COSIGNERS_VKEY]
//
// PROOF is a C2SP tlog-proof. The log's key must have signed its checkpoint; an Ed25519 cosignature by a key of
// COSIGNERS_VKEY must hold where it is there. It prints what holds, and exits with 1 where something does not.
package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	head               = "c2sp.org/tlog-proof@v1"
	cosignatureEd25519 = 4
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "check_log:", err)
		os.Exit(1)
	}
}

func read(path string) string {
	content, err := os.ReadFile(path)
	check(err)
	return string(content)
}

func hash(line string) (hashed tlog.Hash) {
	bytes, err := base64.StdEncoding.DecodeString(line)
	check(err)
	if len(bytes) != tlog.HashSize {
		check(fmt.Errorf("a hash of %d bytes", len(bytes)))
	}
	copy(hashed[:], bytes)
	return hashed
}

// cosigner verifies the Ed25519 cosignatures of C2SP tlog-cosignature, which sumdb does not know.
type cosigner struct {
	name string
	id   uint32
	key  ed25519.PublicKey
	at   uint64
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.id }

func (c *cosigner) Verify(message, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	c.at = binary.BigEndian.Uint64(signature)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", c.at, message)
	return ed25519.Verify(c.key, []byte(signed), signature[8:])
}

func cosigners(path string) (found []*cosigner) {
	for _, line := range strings.Fields(read(path)) {
		parts := strings.SplitN(line, "+", 3)
		if len(parts) != 3 {
			check(fmt.Errorf("%s: not a verifier key", path))
		}
		key, err := base64.StdEncoding.DecodeString(parts[2])
		check(err)
		id, err := strconv.ParseUint(parts[1], 16, 32)
		check(err)
		if key[0] == cosignatureEd25519 {
			found = append(found, &cosigner{name: parts[0], id: uint32(id), key: key[1:]})
		}
	}
	return found
}

func main() {
	if len(os.Args) < 4 {
		check(fmt.Errorf("PROOF STATEMENT LOG_VKEY [COSIGNERS_VKEY]"))
	}
	parts := strings.SplitN(read(os.Args[1]), "\n\n", 2)
	lines := strings.Split(parts[0], "\n")
	if len(parts) != 2 || len(lines) < 2 || lines[0] != head {
		check(fmt.Errorf("%s: not a tlog-proof", os.Args[1]))
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	check(err)
	proof := tlog.RecordProof{}
	for _, line := range lines[2:] {
		proof = append(proof, hash(line))
	}

	log, err := note.NewVerifier(strings.TrimSpace(read(os.Args[3])))
	check(err)
	_, err = note.Open([]byte(parts[1]), note.VerifierList(log))
	check(err)
	checkpoint := strings.Split(parts[1], "\n")
	if checkpoint[0] != log.Name() {
		check(fmt.Errorf("the checkpoint is that of %s", checkpoint[0]))
	}
	size, err := strconv.ParseInt(checkpoint[1], 10, 64)
	check(err)
	leaf := tlog.RecordHash([]byte(read(os.Args[2])))
	check(tlog.CheckRecord(proof, size, hash(checkpoint[2]), index, leaf))
	fmt.Printf("%s: entry %d of %d, signed by the log\n", log.Name(), index, size)

	if len(os.Args) > 4 {
		for _, each := range cosigners(os.Args[4]) {
			opened, err := note.Open([]byte(parts[1]), note.VerifierList(log, each))
			check(err)
			if len(opened.Sigs) > 1 {
				fmt.Printf("cosigned by %s at %d seconds since 1970\n", each.name, each.at)
			}
		}
	}
}
