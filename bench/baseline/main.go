// Command baseline is the API that a competent engineer writes by hand with net/http, golang-jwt and encoding/json: what Gatehouse's CPU per request is compared with.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"
)

func main() {
	address := flag.String("address", "127.0.0.1:8081", "where to listen")
	flag.Parse()
	key, err := hex.DecodeString(os.Getenv("BASELINE_KEY"))
	if err != nil || len(key) < 32 {
		fmt.Fprintln(os.Stderr, "baseline: BASELINE_KEY must be at least 32 bytes in hexadecimal")
		os.Exit(1)
	}
	server := &http.Server{
		Addr: *address,
		Handler: newHandler(&api{
			verifier: newVerifier(key),
			apiKeys: map[[sha256.Size]byte]*claims{
				sha256.Sum256([]byte(os.Getenv("BASELINE_API_KEY"))): apiKeyClaims(),
			},
		}),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	if err := server.ListenAndServe(); err != nil {
		fmt.Fprintln(os.Stderr, "baseline:", err)
		os.Exit(1)
	}
}

func newHandler(a *api) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /items", a.createItem)
	mux.HandleFunc("GET /protected/bearer", a.whoAmIByToken)
	mux.HandleFunc("GET /protected/api-key", a.whoAmIByKey)
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	return mux
}
