package server

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/gatehouse/internal/auth"
)

// BenchmarkOverload is what the service gets done when more clients store items at once than there are places, over sockets, each with
// a request in flight at all times: served/s must not fall with the number of clients. The clients take their CPU from the same machine.
func BenchmarkOverload(b *testing.B) {
	for _, clients := range []int{16, 128, 1024, 2048} {
		b.Run(fmt.Sprintf("%d clients", clients), func(b *testing.B) {
			dir := b.TempDir()
			secret := make([]byte, 32)
			rand.Read(secret)
			var requests atomic.Int64 // each is 100 ms after the one before, so that no limit is hit
			began := time.Now()
			limits := DefaultLimits()
			limits.ConnectionsPerAddress = limits.Connections
			s, err := New(context.Background(), Config{
				Development: true, Data: dir, Database: filepath.Join(dir, "b.db"), Secret: auth.Secret(secret), Issuer: "http://127.0.0.1", Limits: limits,
				Log: slog.New(slog.DiscardHandler), AccessLog: io.Discard, Random: rand.Reader,
				Now: func() time.Time { return began.Add(time.Duration(requests.Load()) * 100 * time.Millisecond) },
			})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			env, err := os.ReadFile(filepath.Join(dir, "dev.env"))
			if err != nil {
				b.Fatal(err)
			}
			key := strings.Split(strings.Split(string(env), "GATEHOUSE_API_KEY='")[1], "'")[0]
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			served := make(chan error, 1)
			go func() { served <- s.Serve(ctx, listener) }()
			body := `{"name":"Oak chair","price":1}`
			request := fmt.Sprintf("POST /items HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", key, len(body), body)
			var stored, shed, slowest atomic.Int64
			var all sync.WaitGroup
			b.ResetTimer()
			for range clients {
				all.Go(func() {
					c, err := net.Dial("tcp", listener.Addr().String())
					if err != nil {
						b.Error(err)
						return
					}
					defer c.Close()
					in := bufio.NewReader(c)
					for requests.Add(1) <= int64(b.N) {
						sent := time.Now()
						if _, err := io.WriteString(c, request); err != nil {
							b.Error(err)
							return
						}
						r, err := http.ReadResponse(in, nil)
						if err != nil {
							b.Error(err)
							return
						}
						io.Copy(io.Discard, r.Body)
						switch r.StatusCode {
						case 201:
							stored.Add(1)
							if took := time.Since(sent).Milliseconds(); took > slowest.Load() {
								slowest.Store(took)
							}
						case 503:
							shed.Add(1)
						default:
							b.Errorf("%s", r.Status)
						}
					}
				})
			}
			all.Wait()
			seconds := b.Elapsed().Seconds()
			b.ReportMetric(float64(stored.Load())/seconds, "served/s")
			b.ReportMetric(float64(shed.Load())/seconds, "shed/s")
			b.ReportMetric(float64(slowest.Load()), "ms-slowest-served")
			cancel()
			if err := <-served; err != nil {
				b.Error(err)
			}
		})
	}
}
