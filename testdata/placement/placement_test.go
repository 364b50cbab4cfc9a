// Package placement holds the manifests that flowproof prints to the schemas of those who read them.
package placement

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/coreos/go-systemd/v22/unit"
	"github.com/nats-io/nats-server/v2/server"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// bus wants a configuration that the server takes.
func bus(t *testing.T, text string) {
	t.Helper()
	t.Setenv("FLOWPROOF_BUS_PASSWORD", "a-password")
	path := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := server.ProcessConfigFile(path)
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	if !o.JetStream || o.StoreDir != "/data" || o.Username != "flowproof" || o.Password != "a-password" || o.Port != 4222 || o.HTTPPort != 8222 {
		t.Errorf("%+v", o)
	}
}

func TestKubernetes(t *testing.T) {
	text := read(t, "kubernetes.yaml")
	kinds := map[string]any{}
	for document := range bytes.SplitSeq(text, []byte("\n---\n")) {
		var meta metav1.TypeMeta
		if err := yaml.Unmarshal(document, &meta); err != nil {
			t.Fatal(err)
		}
		object, known := map[string]any{
			"v1/ConfigMap": &corev1.ConfigMap{}, "v1/Service": &corev1.Service{}, "apps/v1/StatefulSet": &appsv1.StatefulSet{}, "apps/v1/Deployment": &appsv1.Deployment{},
			"networking.k8s.io/v1/NetworkPolicy": &networkingv1.NetworkPolicy{}, "policy/v1/PodDisruptionBudget": &policyv1.PodDisruptionBudget{},
		}[meta.APIVersion+"/"+meta.Kind]
		if !known {
			t.Fatalf("%+v", meta)
		}
		if err := yaml.UnmarshalStrict(document, object); err != nil {
			t.Fatalf("%s: %v", meta.Kind, err)
		}
		if broken := bytes.Replace(document, []byte("\nmetadata:"), []byte("\nmetadatas:"), 1); yaml.UnmarshalStrict(broken, object) == nil {
			t.Errorf("%s: a misspelt name is taken", meta.Kind)
		}
		kinds[meta.Kind] = object
	}
	if len(kinds) != 6 {
		t.Fatalf("%d kinds", len(kinds))
	}
	bus(t, kinds["ConfigMap"].(*corev1.ConfigMap).Data["nats.conf"])

	agents := kinds["Deployment"].(*appsv1.Deployment).Spec
	pods := labels.Set(agents.Template.Labels)
	c := agents.Template.Spec.Containers[0]
	if *agents.Replicas != 3 || c.Image != "registry.example/flowproof:1.0" || !slices.Contains(c.Args, "node-2.acme.example") {
		t.Errorf("%+v", agents)
	}
	if c.Resources.Limits.Cpu().Cmp(*c.Resources.Requests.Cpu()) != 0 || c.Resources.Limits.Cpu().Value() != 2 || c.Resources.Limits.Memory().IsZero() {
		t.Errorf("resources %+v", c.Resources)
	}
	for _, v := range c.VolumeMounts {
		if !slices.ContainsFunc(agents.Template.Spec.Volumes, func(of corev1.Volume) bool { return of.Name == v.Name }) {
			t.Errorf("no volume %s", v.Name)
		}
	}
	budget := kinds["PodDisruptionBudget"].(*policyv1.PodDisruptionBudget).Spec
	from := kinds["NetworkPolicy"].(*networkingv1.NetworkPolicy).Spec.Ingress[0].From[0].PodSelector
	nats := kinds["StatefulSet"].(*appsv1.StatefulSet).Spec
	for name, selects := range map[string]struct {
		selector *metav1.LabelSelector
		of       labels.Set
	}{
		"the deployment": {agents.Selector, pods}, "the budget": {budget.Selector, pods}, "the network policy": {from, pods},
		"the spread":       {agents.Template.Spec.TopologySpreadConstraints[0].LabelSelector, pods},
		"the stateful set": {nats.Selector, nats.Template.Labels},
		"the service":      {&metav1.LabelSelector{MatchLabels: kinds["Service"].(*corev1.Service).Spec.Selector}, nats.Template.Labels},
	} {
		s, err := metav1.LabelSelectorAsSelector(selects.selector)
		if err != nil || s.Empty() || !s.Matches(selects.of) {
			t.Errorf("%s selects nothing: %v, %v", name, s, err)
		}
	}
	if s, _ := metav1.LabelSelectorAsSelector(agents.Selector); s.Matches(labels.Set(nats.Template.Labels)) {
		t.Error("the deployment selects the bus")
	}
	for _, spec := range []corev1.PodSpec{agents.Template.Spec, nats.Template.Spec} {
		c := spec.Containers[0]
		if *spec.AutomountServiceAccountToken || !*spec.SecurityContext.RunAsNonRoot || !*c.SecurityContext.ReadOnlyRootFilesystem || *c.SecurityContext.AllowPrivilegeEscalation {
			t.Errorf("%s may too much", c.Name)
		}
	}
}

func TestCompose(t *testing.T) {
	text := read(t, "compose.yaml")
	open := func(text []byte) (*types.Project, error) {
		return loader.LoadWithContext(t.Context(), types.ConfigDetails{
			WorkingDir: t.TempDir(), Environment: types.Mapping{"FLOWPROOF_BUS_PASSWORD": "a-password"},
			ConfigFiles: []types.ConfigFile{{Filename: "compose.yaml", Content: text}},
		})
	}
	project, err := open(text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(bytes.Replace(text, []byte("    command:"), []byte("    commands:"), 1)); err == nil {
		t.Error("a misspelt name is taken")
	}
	bus(t, project.Configs["nats"].Content)
	agent := project.Services["agent"]
	if *agent.Deploy.Replicas != 3 || !slices.Contains(agent.Command, "acme.example") || agent.Deploy.Resources.Limits.NanoCPUs != 2 {
		t.Errorf("%+v", agent)
	}
	if got := *agent.Environment["FLOWPROOF_BUS"]; got != "nats://flowproof:a-password@nats:4222" {
		t.Errorf("the bus is at %s", got)
	}
}

func TestSystemd(t *testing.T) {
	options, err := unit.DeserializeOptions(bytes.NewReader(read(t, "systemd.service")))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, o := range options {
		got[o.Section+"."+o.Name] = o.Value
	}
	if !strings.HasSuffix(got["Service.ExecStart"], " --i-may-load acme.example --i-may-load node-2.acme.example") || got["Service.DynamicUser"] != "yes" || got["Install.WantedBy"] == "" {
		t.Errorf("%v", got)
	}
}
