package tags

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

const (
	// cloudTime is how long a metadata service may take for all questions together.
	cloudTime = time.Second
	// cloudAnswer is how much of one answer is read.
	cloudAnswer = 64 << 10
	// metadata is where clouds have their metadata service.
	metadata = "http://169.254.169.254"
)

// azureChassis is the asset tag by which a machine of Azure is told from another
// one of the same maker.
const azureChassis = "7783-7084-3265-9085-8269-3286-77"

// Cloud asks the metadata service of the cloud that the machine says it is in. A
// machine that names none asks nobody: the address may be anybody's there.
type Cloud struct {
	DMI  string // folder of the firmware's words; empty: the kernel's
	Base string // of the service; empty: where clouds have it
}

// provider is one cloud: its tag, how a machine of it is known, and its questions.
type provider struct {
	name  string
	is    func(dmi func(file string) string) bool
	asked func(ask asker) (map[string]string, error)
}

// asker gets one path of the metadata service, with the headers given as pairs.
type asker func(method, path string, headers ...string) (string, error)

func providers() []provider {
	vendor := func(begins string) func(func(string) string) bool {
		return func(dmi func(string) string) bool { return strings.HasPrefix(dmi("sys_vendor"), begins) }
	}
	return []provider{
		{"aws", vendor("Amazon EC2"), askAWS},
		{"gcp", vendor("Google"), askGCP},
		{"azure", func(dmi func(string) string) bool { return dmi("chassis_asset_tag") == azureChassis }, askAzure},
		{"hetzner", vendor("Hetzner"), askHetzner},
		{"digitalocean", vendor("DigitalOcean"), askDigitalOcean},
		{"openstack", func(dmi func(string) string) bool { return strings.HasPrefix(dmi("product_name"), "OpenStack") }, askOpenStack},
	}
}

// Known says whether the machine names a cloud that can be asked.
func (c *Cloud) Known() bool { return c.provider() != nil }

func (c *Cloud) provider() *provider {
	dir := c.DMI
	if dir == "" {
		dir = "/sys/class/dmi/id"
	}
	dmi := func(file string) string {
		data, _ := os.ReadFile(filepath.Join(dir, file)) // a machine without firmware's words is in no cloud
		return strings.TrimSpace(string(data))
	}
	for _, p := range providers() {
		if p.is(dmi) {
			return &p
		}
	}
	return nil
}

// Find asks: cloud, and of region, zone and machine what the cloud tells.
func (c *Cloud) Find(ctx context.Context) (map[string]string, error) {
	p := c.provider()
	if p == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, cloudTime)
	defer cancel()
	found, err := p.asked(c.asker(ctx))
	if err != nil {
		return nil, fmt.Errorf("metadata of %s: %w", p.name, err)
	}
	tags := map[string]string{"cloud": p.name}
	for key, value := range found {
		if value = clean(strings.TrimSpace(value)); value != "" {
			tags[key] = value
		}
	}
	return tags, nil
}

func (c *Cloud) asker(ctx context.Context) asker {
	base := c.Base
	if base == "" {
		base = metadata
	}
	// Neither a proxy nor another host is to hear the question.
	web := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return func(method, path string, headers ...string) (string, error) {
		req, err := http.NewRequestWithContext(ctx, method, base+path, http.NoBody)
		if err != nil {
			return "", err
		}
		for i := 0; i+1 < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := web.Do(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return "", fmt.Errorf("%s %s: %s", method, path, resp.Status)
		}
		data, err := io.ReadAll(io.LimitReader(resp.Body, cloudAnswer))
		return string(data), err
	}
}

// texts asks for one path a tag.
func texts(ask asker, paths map[string]string, headers ...string) (map[string]string, error) {
	found := map[string]string{}
	for key, path := range paths {
		value, err := ask(http.MethodGet, path, headers...)
		if err != nil {
			return nil, err
		}
		found[key] = value
	}
	return found, nil
}

func askAWS(ask asker) (map[string]string, error) {
	token, err := ask(http.MethodPut, "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds", "60")
	if err != nil {
		return nil, err
	}
	return texts(ask, map[string]string{
		"region": "/latest/meta-data/placement/region", "zone": "/latest/meta-data/placement/availability-zone", "machine": "/latest/meta-data/instance-type",
	}, "X-aws-ec2-metadata-token", token)
}

func askGCP(ask asker) (map[string]string, error) {
	const instance = "/computeMetadata/v1/instance/"
	found, err := texts(ask, map[string]string{"zone": instance + "zone", "machine": instance + "machine-type"}, "Metadata-Flavor", "Google")
	for key, value := range found {
		found[key] = path.Base(strings.TrimSpace(value)) // of projects/NUMBER/zones/ZONE
	}
	if i := strings.LastIndexByte(found["zone"], '-'); i > 0 {
		found["region"] = found["zone"][:i]
	}
	return found, err
}

func askAzure(ask asker) (map[string]string, error) {
	text, err := ask(http.MethodGet, "/metadata/instance/compute?api-version=2021-02-01", "Metadata", "true")
	if err != nil {
		return nil, err
	}
	var compute struct{ Location, Zone, VMSize string }
	if err := json.Unmarshal([]byte(text), &compute); err != nil {
		return nil, err
	}
	return map[string]string{"region": compute.Location, "zone": compute.Zone, "machine": compute.VMSize}, nil
}

func askHetzner(ask asker) (map[string]string, error) {
	return texts(ask, map[string]string{"region": "/hetzner/v1/metadata/region", "zone": "/hetzner/v1/metadata/availability-zone"})
}

func askDigitalOcean(ask asker) (map[string]string, error) {
	return texts(ask, map[string]string{"region": "/metadata/v1/region"})
}

func askOpenStack(ask asker) (map[string]string, error) {
	text, err := ask(http.MethodGet, "/openstack/latest/meta_data.json")
	if err != nil {
		return nil, err
	}
	var about struct {
		Zone string `json:"availability_zone"`
	}
	err = json.Unmarshal([]byte(text), &about)
	return map[string]string{"zone": about.Zone}, err
}
