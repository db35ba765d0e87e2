package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

func zap(ctx context.Context, t *target, folder string) ([]finding, error) {
	file := filepath.Join(folder, "zap.json")
	output, failed := command(ctx, folder, "zap-baseline.py", "-t", "https://localhost:"+t.port+"/docs", "-m", "1", "-J", file)
	data, err := os.ReadFile(file) // its exit code counts findings
	if err != nil {
		return nil, fmt.Errorf("%w, %v: %s", err, failed, output)
	}
	return readZAP(data)
}

// readZAP reads the JSON report of ZAP.
func readZAP(data []byte) ([]finding, error) {
	var document struct {
		Site []struct {
			Alerts []struct{ PluginID, Alert, RiskCode, Count string }
		}
	}
	if err := json.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	if len(document.Site) == 0 {
		return nil, errors.New("it reached no site")
	}
	var findings []finding
	for _, site := range document.Site {
		for _, a := range site.Alerts {
			risk, err := strconv.Atoi(a.RiskCode)
			if err != nil || risk < 0 || risk > 3 {
				return nil, fmt.Errorf("the risk of %s is %q", a.PluginID, a.RiskCode)
			}
			findings = append(findings, finding{id: "zap " + a.PluginID, severity: severity(risk), text: a.Alert + ", " + a.Count + " times"})
		}
	}
	return findings, nil
}
