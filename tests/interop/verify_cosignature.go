// Verify_cosignature checks a checkpoint's ML-DSA-44 cosignature with Go's standard library: nothing of the box's own
// code runs here.
//
//	verify_cosignature CHECKPOINT VKEY
//
// VKEY is a verifier key of type 06 (C2SP tlog-cosignature). It prints the cosigner's time, seconds since 1970.
package main

import (
	"bytes"
	"crypto/mldsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
)

const typeMLDSA44 = 0x06

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "verify_cosignature: "+format+"\n", arguments...)
	os.Exit(1)
}

// openVkey returns the name, the key id and the public key of "name+id+base64(type || key)".
func openVkey(vkey string) (string, []byte, *mldsa.PublicKey) {
	parts := strings.SplitN(strings.TrimSpace(vkey), "+", 3)
	if len(parts) != 3 {
		fail("no verifier key")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) == 0 || key[0] != typeMLDSA44 {
		fail("no verifier key of type 06")
	}
	id := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	if hex.EncodeToString(id[:4]) != parts[1] {
		fail("the verifier key's id is not the key's")
	}
	public, err := mldsa.NewPublicKey(mldsa.MLDSA44(), key[1:])
	if err != nil {
		fail("key: %v", err)
	}
	return parts[0], id[:4], public
}

// message is the cosigned_message of a subtree that is the checkpoint's whole tree.
func message(cosigner string, time uint64, lines []string) []byte {
	size, err := strconv.ParseUint(lines[1], 10, 63)
	if err != nil {
		fail("size: %v", err)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != sha256.Size {
		fail("root hash %q", lines[2])
	}
	var b bytes.Buffer
	b.WriteString("subtree/v1\n\x00")
	b.WriteByte(byte(len(cosigner)))
	b.WriteString(cosigner)
	binary.Write(&b, binary.BigEndian, time)
	b.WriteByte(byte(len(lines[0])))
	b.WriteString(lines[0])
	binary.Write(&b, binary.BigEndian, uint64(0))
	binary.Write(&b, binary.BigEndian, size)
	b.Write(root)
	return b.Bytes()
}

func main() {
	if len(os.Args) != 3 {
		fail("usage: verify_cosignature CHECKPOINT VKEY")
	}
	note, err := os.ReadFile(os.Args[1])
	if err != nil {
		fail("%v", err)
	}
	text, signatures, found := strings.Cut(string(note), "\n\n")
	lines := strings.Split(text, "\n")
	if !found || len(lines) < 3 {
		fail("no signed checkpoint")
	}
	name, id, public := openVkey(os.Args[2])
	for _, line := range strings.Split(signatures, "\n") {
		encoded, ours := strings.CutPrefix(line, "\u2014 "+name+" ")
		signature, err := base64.StdEncoding.DecodeString(encoded)
		if !ours || err != nil || len(signature) < 12 || !bytes.Equal(signature[:4], id) {
			continue
		}
		time := binary.BigEndian.Uint64(signature[4:12])
		if err := mldsa.Verify(public, message(name, time, lines), signature[12:], nil); err != nil {
			fail("cosignature: %v", err)
		}
		fmt.Println(time)
		return
	}
	fail("no cosignature by %s", name)
}
