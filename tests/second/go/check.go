// Check verifies a tree of tiles with golang.org/x/mod/sumdb, which shares
// nothing with our programs:
//
//	check TREE LOG-VKEY [-witness VKEY] [PROOF ...]
//
// Note and key by sumdb/note; every entry's path to the checkpoint's root, and
// the consistency of some sizes with it, by sumdb/tlog from the hash tiles.
// Each PROOF is a .tlog-proof with the entry behind "extra".
package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/ioutil"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A cosignature (type 4) as a note.Verifier.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }
func (c cosigner) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	time := binary.BigEndian.Uint64(sig)
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, text)
	return ed25519.Verify(c.key, []byte(message), sig[8:])
}

func witness(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("no verifier key: " + vkey)
	}
	hash, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return nil, errors.New("no witness key: " + vkey)
	}
	return cosigner{parts[0], uint32(hash), key[1:]}, nil
}

// The tiles of a folder, as c2sp.org/tlog-tiles names them.
type folder string

func (f folder) Height() int                                { return 8 }
func (f folder) SaveTiles(tiles []tlog.Tile, data [][]byte) {}
func (f folder) path(t tlog.Tile) string {
	path := strings.Replace(t.Path(), "tile/8/", "tile/", 1)
	return filepath.Join(string(f), strings.Replace(path, "tile/data/", "tile/entries/", 1))
}
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, err := ioutil.ReadFile(f.path(t))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func open(data []byte, verifiers []note.Verifier) (tlog.Tree, error) {
	var tree tlog.Tree
	n, err := note.Open(data, note.VerifierList(verifiers...))
	if err != nil {
		return tree, err
	}
	if len(n.Sigs) != len(verifiers) {
		return tree, fmt.Errorf("%d of %d signed", len(n.Sigs), len(verifiers))
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != verifiers[0].Name() {
		return tree, errors.New("no checkpoint of this log")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

func entries(f folder, tree tlog.Tree) ([][]byte, error) {
	var all [][]byte
	for n := int64(0); n*256 < tree.N; n++ {
		width := tree.N - n*256
		if width > 256 {
			width = 256
		}
		data, err := ioutil.ReadFile(f.path(tlog.Tile{H: 8, L: -1, N: n, W: int(width)}))
		if err != nil {
			return nil, err
		}
		for i := int64(0); i < width; i++ {
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("bundle %d ends early", n)
			}
			size := 2 + int(binary.BigEndian.Uint16(data))
			all = append(all, data[2:size])
			data = data[size:]
		}
		if len(data) != 0 {
			return nil, fmt.Errorf("bytes behind bundle %d", n)
		}
	}
	return all, nil
}

func checkTree(f folder, verifiers []note.Verifier) error {
	data, err := ioutil.ReadFile(filepath.Join(string(f), "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := open(data, verifiers)
	if err != nil {
		return err
	}
	all, err := entries(f, tree)
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tree, f)
	for i, entry := range all {
		proof, err := tlog.ProveRecord(tree.N, int64(i), reader)
		if err != nil {
			return fmt.Errorf("entry %d: %v", i, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(i), tlog.RecordHash(entry)); err != nil {
			return fmt.Errorf("entry %d: %v", i, err)
		}
	}
	for older := int64(1); older < tree.N; older = older*2 + 1 {
		hash, err := tlog.TreeHash(older, reader)
		if err != nil {
			return err
		}
		proof, err := tlog.ProveTree(tree.N, older, reader)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, older, hash); err != nil {
			return fmt.Errorf("size %d: %v", older, err)
		}
	}
	fmt.Printf("tree %d %v\n", tree.N, tree.Hash)
	return nil
}

func checkProof(path string, verifiers []note.Verifier) error {
	data, err := ioutil.ReadFile(path)
	if err != nil {
		return err
	}
	at := bytes.Index(data, []byte("\n\n"))
	if at < 0 {
		return errors.New("no empty line")
	}
	tree, err := open(data[at+2:], verifiers)
	if err != nil {
		return err
	}
	lines := strings.Split(string(data[:at]), "\n")
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "extra ") || !strings.HasPrefix(lines[2], "index ") {
		return errors.New("no proof with its entry")
	}
	entry, err := base64.StdEncoding.DecodeString(lines[1][6:])
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(lines[2][6:], 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
		return err
	}
	fmt.Printf("proof %d\n", index)
	return nil
}

func run(words []string) error {
	if len(words) < 2 {
		return errors.New("usage: check TREE LOG-VKEY [-witness VKEY] [PROOF ...]")
	}
	log, err := note.NewVerifier(words[1])
	if err != nil {
		return err
	}
	verifiers := []note.Verifier{log}
	tree, words := words[0], words[2:]
	for len(words) > 1 && words[0] == "-witness" {
		w, err := witness(words[1])
		if err != nil {
			return err
		}
		verifiers, words = append(verifiers, w), words[2:]
	}
	if err := checkTree(folder(tree), verifiers); err != nil {
		return err
	}
	for _, path := range words {
		if err := checkProof(path, verifiers); err != nil {
			return fmt.Errorf("%s: %v", path, err)
		}
	}
	return nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(1)
	}
}
