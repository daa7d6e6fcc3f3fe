// A host in Go: delivery controllers are written in it. It links davy through cgo.
//
//	CGO_CFLAGS="$(pkg-config --cflags davy)" CGO_LDFLAGS="$(pkg-config --libs davy)" go run . POLICY.yaml SNAPSHOT.json
package main

/*
#include <stdlib.h>
#include "davy.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"unsafe"
)

// check turns a davy_error into Go's, and frees it.
func check(raw *C.davy_error) error {
	if raw == nil {
		return nil
	}
	defer C.davy_error_free(raw)
	message := C.davy_error_message(raw)
	return errors.New(C.GoStringN((*C.char)(unsafe.Pointer(message.data)), C.int(message.len)))
}

// copied hands bytes to C, in memory of C's own; the caller frees it.
func copied(bytes []byte) C.davy_bytes {
	return C.davy_bytes{data: (*C.uint8_t)(C.CBytes(bytes)), len: C.size_t(len(bytes))}
}

func free(bytes C.davy_bytes) {
	C.free(unsafe.Pointer(bytes.data))
}

func run(policyPath, snapshotPath string) (int, error) {
	policy, err := os.ReadFile(policyPath)
	if err != nil {
		return 1, err
	}
	observed, err := os.ReadFile(snapshotPath)
	if err != nil {
		return 1, err
	}
	file := C.davy_file{path: copied([]byte("rollouts.yaml")), content: copied(policy)}
	defer free(file.path)
	defer free(file.content)
	json := copied(observed)
	defer free(json)

	var bundle *C.davy_bundle
	if err := check(C.davy_bundle_new(&file, 1, &bundle)); err != nil {
		return 1, err
	}
	defer C.davy_bundle_free(bundle)
	var engine *C.davy_engine
	if err := check(C.davy_engine_new(bundle, nil, &engine)); err != nil {
		return 1, err
	}
	defer C.davy_engine_free(engine)
	var state *C.davy_state
	if err := check(C.davy_state_new(&state)); err != nil {
		return 1, err
	}
	defer C.davy_state_free(state)
	var snapshot *C.davy_snapshot
	if err := check(C.davy_snapshot_from_json(json, &snapshot)); err != nil {
		return 1, err
	}
	defer C.davy_snapshot_free(snapshot)
	var step *C.davy_step
	if err := check(C.davy_decide(engine, state, snapshot, &step)); err != nil {
		return 1, err
	}
	defer C.davy_step_free(step)
	var text C.davy_buffer
	if err := check(C.davy_step_decision_text(step, &text)); err != nil {
		return 1, err
	}
	defer C.davy_buffer_free(&text)
	fmt.Println(C.GoStringN((*C.char)(unsafe.Pointer(text.data)), C.int(text.len)))
	var verdict uint32
	if err := check(C.davy_step_verdict(step, &verdict)); err != nil {
		return 1, err
	}
	return int(verdict), nil
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: host POLICY.yaml SNAPSHOT.json")
		os.Exit(2)
	}
	code, err := run(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "host:", err)
	}
	os.Exit(code)
}
