package server

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html"
	"io"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/swaggest/swgui/v5/static"
)

//go:embed docs
var docsFiles embed.FS

// docsAssets are the files of the page: of Swagger UI those that it needs, and ours.
var docsAssets = []string{
	"swagger-ui.css.gz", "swagger-ui-bundle.js.gz", "favicon-16x16.png", "favicon-32x32.png",
	"docs.css", "docs.js", "oauth2-redirect.html", "oauth2-redirect.js",
}

// assets are the files by name, each under its own name and under one with a hash of the content. They are read on the first
// request, so that the start does not hash what nobody may ask for.
type assets struct {
	once   sync.Once
	byName map[string]asset
	hashed map[string]string
}

func (a *assets) find(name string) (asset, bool) {
	a.once.Do(a.load)
	found, ok := a.byName[name]
	return found, ok
}

// index returns the page, with the names that may be cached forever.
func (a *assets) index(title string) []byte {
	a.once.Do(a.load)
	pairs := []string{"{{title}}", html.EscapeString(title)}
	for name, hashed := range a.hashed {
		pairs = append(pairs, "{{"+name+"}}", hashed)
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(embedded("index.html"))))
}

func (a *assets) load() {
	a.byName, a.hashed = map[string]asset{}, map[string]string{}
	for _, file := range docsAssets {
		name, compressed := strings.CutSuffix(file, ".gz")
		ext := path.Ext(name)
		it := asset{mediaType: mediaTypes[ext], policy: filePolicy, cache: cacheNever, data: embedded(file), compressed: compressed}
		if ext == ".html" {
			it.policy = pagePolicy
		}
		a.byName[name] = it
		sum := sha256.Sum256(it.data)
		hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
		it.cache = cacheForever
		a.byName[hashed], a.hashed[name] = it, hashed
	}
}

var mediaTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".png":  "image/png",
}

// embedded returns a file of ours or of Swagger UI. A name that is neither is a mistake in this package, which every
// test of the page meets.
func embedded(file string) []byte {
	if data, err := docsFiles.ReadFile("docs/" + file); err == nil {
		return data
	}
	data, err := static.FS.ReadFile(file)
	if err != nil {
		panic("server: " + err.Error())
	}
	return data
}

func decompress(w io.Writer, data []byte) error {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return err
}

// acceptsGzip reports whether Accept-Encoding names gzip with a weight above zero (RFC 9110 §12.5.3). A wildcard does
// not count: a client that wants it says so.
func acceptsGzip(fields []string) bool {
	for _, coding := range strings.Split(strings.Join(fields, ","), ",") {
		name, weight, weighted := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		if !weighted {
			return true
		}
		value, found := strings.CutPrefix(strings.ToLower(strings.TrimSpace(weight)), "q=")
		q, err := strconv.ParseFloat(value, 64)
		return found && err == nil && q > 0
	}
	return false
}
